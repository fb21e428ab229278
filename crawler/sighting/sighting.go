// Package sighting holds what one look at a platform or a website tells of one
// record. Connectors produce sightings; the crawler compares them with what
// the archive knows. A sighting never says what changed: that takes memory,
// and connectors have none.
package sighting

import (
	"time"

	"github.com/candor-archive/candor"
)

// Item is one record as it was shown just now.
type Item struct {
	UID         string // the platform's id, or a page's canonical address
	Kind        candor.RecordKind
	RootUID     string // of the thread; its own for a post or page, and for a reply in a thread of strangers
	ParentUID   string // what it answers; empty for a post or page
	AuthorID    string
	Author      string
	ByAgency    bool
	URL         string // permanent link
	Text        string
	HTML        string
	Language    string // as the platform says; guessed from the text when empty
	PostedAt    time.Time
	UpdatedAt   time.Time          // when the platform says it last changed, for whatever reason
	State       candor.RecordState // empty when it is shown to everyone; else Hidden, Held, Private or Withheld
	Attachments []candor.Attachment
	Fetch       []string // where the bytes of each attachment can be had just now; "" for none
	AnswerSHA   string   // the verbatim answer it was read from
	How         string   // Listed, Told or Direct
}

// How an item was read.
const (
	Listed = "listed"  // in a listing of the platform
	Told   = "history" // an earlier wording, as the platform tells it afterwards
	Direct = ""        // by itself: looked up by its id, or fetched by its address
)

// Standing is what a direct look-up of one id says. Only Gone is a sign of
// deletion; it is not yet a proof.
type Standing string

// The standings.
const (
	Here     Standing = "here"
	Gone     Standing = "gone"
	Unclear  Standing = "unclear"  // an answer that settles nothing: moved, not readable
	Denied   Standing = "denied"   // our access may not read it
	Private  Standing = "private"  // its author no longer shows it to everyone
	Withheld Standing = "withheld" // the platform blocks it
)

// State is what a record becomes when a look-up says this of it twice. Empty
// for Here and Gone, which are judged otherwise.
func (s Standing) State() candor.RecordState {
	switch s {
	case Denied:
		return candor.NoAccess
	case Private:
		return candor.Private
	case Withheld:
		return candor.Withheld
	case Here, Gone:
		return ""
	}
	return candor.Unknown
}
