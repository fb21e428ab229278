package candor

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// RecordKind says what sort of thing a record is.
type RecordKind string

// The kinds of record.
const (
	Post    RecordKind = "post"
	Comment RecordKind = "comment"
	Reply   RecordKind = "reply" // a comment on a comment
	Story   RecordKind = "story" // a post that the platform takes down by itself after StoryLife
	Page    RecordKind = "page"  // a web page
)

// StoryLife is how long platforms show a story.
const StoryLife = 24 * time.Hour

// RecordState says how a record stands on its platform, as far as we know.
type RecordState string

// The states of a record. None of them is folded into deleted, which alone
// needs the evidence of a Tombstone.
const (
	Live     RecordState = "live"
	Edited   RecordState = "edited"   // live, and no longer what it was at first
	Hidden   RecordState = "hidden"   // hidden by the account's owner; the owner still sees it
	Held     RecordState = "held"     // waits for the owner's review, or was set aside as spam; the owner sees it
	Expired  RecordState = "expired"  // ended by itself, as stories do
	Private  RecordState = "private"  // its author no longer shows it to everyone
	Withheld RecordState = "withheld" // blocked by the platform: suspended, restricted, taken down
	NoAccess RecordState = "noaccess" // our access may not read it; how it stands is not known
	Deleted  RecordState = "deleted"  // gone, on the evidence a Tombstone names
	Unknown  RecordState = "unknown"  // could not be read; nothing is concluded
)

// RecordStates lists all states, in the order they are shown.
var RecordStates = []RecordState{Live, Edited, Hidden, Held, Expired, Private, Withheld, NoAccess, Deleted, Unknown}

// Shown reports whether the platform shows the record to everyone.
func (s RecordState) Shown() bool { return s == Live || s == Edited }

// Present reports whether the record is there for us to read, shown to
// everyone or not.
func (s RecordState) Present() bool { return s.Shown() || s == Hidden || s == Held }

// Withdrawn reports whether it is known that the platform does not show the
// record to everyone.
func (s RecordState) Withdrawn() bool {
	return s == Hidden || s == Held || s == Expired || s == Private || s == Withheld || s == Deleted
}

// Visibility says who may see a thing.
type Visibility string

// The levels, narrow to wide.
const (
	StaffOnly Visibility = "staff"
	Public    Visibility = "public"
)

// Record is one unit an agency keeps and may have to disclose. Its words live
// in its revisions; the record itself says what it is and how it stands.
type Record struct {
	ID         string
	SourceID   string
	AccountID  string
	UID        string // the platform's id (for a page: its canonical URL), unique within the source
	Kind       RecordKind
	ThreadID   string // the root record of the thread; its own ID for a post or page
	ParentID   string // what it answers; empty for a post or page
	AuthorID   string // the platform's id of the author; empty when withheld
	Author     string
	ByAgency   bool   // written by the account itself
	URL        string // permanent link on the platform
	Language   string // best guess: "en", "es", or empty
	State      RecordState
	Visibility Visibility
	Revisions  int       // how many there are
	PostedAt   time.Time // as the platform claims; zero when it does not say
	FirstSeen  time.Time
	LastSeen   time.Time
	StateSince time.Time
}

// PublicNow is the visibility that follows from a record's state: what a
// platform no longer shows to everyone is not shown by us to everyone either,
// until it is released to someone who asked.
func PublicNow(s RecordState, sourcePublic bool) Visibility {
	if sourcePublic && s.Shown() {
		return Public
	}
	return StaffOnly
}

// Revision is one wording of a record. A record's first wording is revision 1.
// Counts of likes and replies never make a revision.
type Revision struct {
	ID          string
	RecordID    string
	N           int
	Text        string
	HTML        string // as the platform gave it, if it did; unsafe until cleaned
	ContentHash string // HashContent of text and attachments
	SeenAt      time.Time
	EditedAt    time.Time // as the platform claims; zero when it does not say
	How         string    // listed: in a listing of the platform; history: told by the platform afterwards; empty: read by itself
	AnswerSHA   string    // the verbatim answer it was read from, an object
}

// Attachment is a photo, video or file that belongs to a revision.
type Attachment struct {
	ID         string
	RevisionID string
	N          int    // position, from 1
	Type       string // photo, video, link, file
	URL        string
	Alt        string // the platform's description, for those who cannot see it
	SHA        string // object holding the bytes; empty when they could not be had
	MediaType  string
	Size       int64
	Failure    string // why SHA is empty
}

// HashContent is the identity of a wording: text, and each attachment's type,
// address without its signature, and description.
func HashContent(text string, attachments []Attachment) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s\n", len(text), text)
	for _, a := range attachments {
		io.WriteString(h, a.Type+"\n"+stripQuery(a.URL)+"\n"+a.Alt+"\n")
	}
	return hex.EncodeToString(h.Sum(nil))
}

// stripQuery drops what follows "?": platforms sign media addresses anew for
// every answer, and that is not an edit.
func stripQuery(u string) string {
	for i := range len(u) {
		if u[i] == '?' {
			return u[:i]
		}
	}
	return u
}

// Tombstone says that a record is gone, since when, and on what evidence. It
// is written only on a complete listing without the record, a direct look-up
// that says gone, and a token shown to work on another id, twice. When the
// record comes back the tombstone is closed, never erased.
type Tombstone struct {
	ID        string
	RecordID  string
	NotBefore time.Time // last seen alive
	NotAfter  time.Time // first seen missing
	NoticedAt time.Time // when the evidence was enough
	How       string    // what was tried and what it answered, in words
	AnswerSHA string    // the verbatim answer that said gone, an object
	ClosedAt  time.Time // it reappeared; zero while it stands
}

// Answer is one verbatim reply of a platform's API or of a website, kept as
// an object with the address (without secrets) and headers it came with.
type Answer struct {
	ID        string
	SourceID  string
	Method    string
	URL       string // credentials removed
	Status    int
	Header    string // "Name: value" lines, credentials removed
	MediaType string
	SHA       string // object with the body; stored before the Answer is
	Size      int64
	Truncated bool
	FetchedAt time.Time
	LastAt    time.Time // when the same bytes were last seen again
	Times     int       // how often they were seen
}

// Change is what one poll learnt about one record. Record is always set (with
// its new state); the others when there is something to add.
type Change struct {
	Record      Record
	Revision    *Revision
	Attachments []Attachment
	Tombstone   *Tombstone // new
	Reappeared  bool       // close the open tombstone
}

// Sweep is everything one poll of a source brought. It is applied whole, in
// one transaction, together with the captures it asks for.
type Sweep struct {
	SourceID string
	Account  *Account // when it was read
	Answers  []Answer
	Changes  []Change
	Captures []CaptureSpec
	Seen     []string // record ids seen unchanged: only their LastSeen moves
	At       time.Time
	NextAt   time.Time
	Error    string        // why it stopped short; empty when it did not
	Gaps     []CoverageGap // what is known to be missing from it
	Cost     int64         // what the platform charges for it, in millionths of a US dollar
	State    []byte        // what the connector wants to find again next time
}

// GapReason says why something that was there to be read was not read.
type GapReason string

// The reasons of a gap.
const (
	GapToken     GapReason = "token"     // the platform no longer took our access token
	GapThrottled GapReason = "throttled" // the platform asked us to come back later
	GapAccess    GapReason = "access"    // our access does not reach it
	GapPlatform  GapReason = "platform"  // the platform did not answer, or not as documented
	GapLimit     GapReason = "limit"     // the platform lists only its newest, or we read no further in one visit
	GapWindow    GapReason = "window"    // the platform gives replies for some days only
	GapClosed    GapReason = "closed"    // comments are turned off; those there were cannot be read
	GapOurs      GapReason = "ours"      // we were not running, or had trouble of our own
)

// CoverageGap is something a poll is known to have missed.
type CoverageGap struct {
	Reason GapReason
	Detail string // what was affected or answered, in words; may be empty
}

// Known is what the archive already holds about a record, for comparison.
type Known struct {
	Record      Record
	ContentHash string // of the newest revision
	HasOpenTomb bool
}
