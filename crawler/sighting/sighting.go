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
	RootUID     string // of the thread; its own for a post or page
	ParentUID   string // what it answers; empty for a post or page
	AuthorID    string
	Author      string
	ByAgency    bool
	URL         string // permanent link
	Text        string
	HTML        string
	Language    string // as the platform says; guessed from the text when empty
	PostedAt    time.Time
	UpdatedAt   time.Time // when the platform says it last changed, for whatever reason
	Hidden      bool      // hidden from the public, shown to us as the owner
	Attachments []candor.Attachment
	Fetch       []string // where the bytes of each attachment can be had just now; "" for none
	AnswerSHA   string   // the verbatim answer it was read from
	How         string   // Listed or Direct
}

// How an item was read.
const (
	Listed = "listed" // in a listing of the platform
	Direct = ""       // by itself: looked up by its id, or fetched by its address
)

// Standing is what a direct look-up of one id says. Only Gone is a sign of
// deletion; it is not yet a proof.
type Standing string

// The standings.
const (
	Here    Standing = "here"
	Gone    Standing = "gone"
	Unclear Standing = "unclear" // an answer that settles nothing: no permission, moved, not readable
)
