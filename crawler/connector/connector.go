// Package connector holds what every connector gives and how it refuses. A
// connector reads one account of one platform through the API that the platform
// offers, turns what it reads into sightings, and keeps the verbatim answers. It
// has no memory and decides nothing: what changed, what is gone and when to look
// again are the crawler's to say.
package connector

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/sighting"
)

// API reads one account. It is used by one goroutine, for one poll. What
// the platform does wrong is an *Error; any other error is trouble of ours.
type API interface {
	// Profile reads who the account is, by the name in its address or the id that
	// an earlier Profile gave; for an empty ref, the account of the token. It
	// comes first: later calls compare authors with it.
	Profile(ctx context.Context, ref string) (Profile, error)
	// Posts lists what the account published. What was read before an error is
	// returned with it.
	Posts(ctx context.Context, accountID string) (Listing[Post], error)
	// Comments lists the comments and replies below a post, hidden ones too where
	// the platform shows them to us.
	Comments(ctx context.Context, postUID string) (Listing[sighting.Item], error)
	// Look reads one record by its id and gives the SHA-256 of the answer. An
	// error means that nothing was learnt about any record (no answer, throttled,
	// token refused); Unclear means that this one could not be read.
	Look(ctx context.Context, uid string, kind candor.RecordKind, rootUID string) (sighting.Standing, *sighting.Item, string, error)
	// Media fetches the bytes of an attachment in the poll that found it, since
	// addresses expire. A failure is written into the attachment; an error means
	// that the poll cannot go on.
	Media(ctx context.Context, a *candor.Attachment, from string) error
	// Used is the share of the allowance that is used, in percent.
	Used() int
	// Denial is what the platform answers for a record that is gone, in words
	// for a tombstone.
	Denial() string
}

// Glancer is a connector that can tell with one call whether anything happened.
type Glancer interface {
	// Resume stands in for Profile, with what an earlier one gave.
	Resume(Profile)
	// Newest lists the newest posts with one call, or as few as there can be. It
	// is Complete when that shows all there is.
	Newest(ctx context.Context, accountID string) (Listing[Post], error)
}

// Historian is a connector of a platform that tells earlier wordings.
type Historian interface {
	// History gives every wording of an edited record that the platform still
	// tells, oldest first, the present one last. UpdatedAt is when each was
	// written; zero for the first.
	History(ctx context.Context, it sighting.Item) ([]sighting.Item, error)
}

// Priced is a connector of a platform that charges for what is read.
type Priced interface {
	// Cost is what this poll cost so far, in millionths of a US dollar.
	Cost() int64
}

// Profile is who an account is.
type Profile struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"`
	Link     string `json:"link,omitempty"`
	Extra    string `json:"extra,omitempty"` // what the connector itself wants to find again
}

// Post is a sighting of a post with what tells whether its comments moved.
type Post struct {
	sighting.Item
	Comments int // as the platform counts them; -1 when it did not say
}

// Listing is what one listing brought. Complete means that it was read to its
// end and that every entry was understood: only then does an absence mean
// anything. Complete with a Gap of candor.GapLimit means that it was read as
// far as the platform lists: absences mean something back to the oldest entry.
type Listing[T any] struct {
	Items    []T
	Complete bool
	Gap      candor.CoverageGap // why it cannot be complete, when nothing went wrong
}

// Class sorts refusals by what can be done about them.
type Class string

// The classes.
const (
	Throttled  Class = "throttled"  // come back later; calls made meanwhile count too
	BadToken   Class = "token"      // the token is expired, revoked or wrong
	Permission Class = "permission" // the token may not read this
	Vanished   Class = "gone"       // deleted, or not visible to this token
	Transient  Class = "transient"  // may work next time
	Refused    Class = "refused"    // anything else
)

// Error is an answer that is not what was asked for.
type Error struct {
	Class     Class
	Code      int // the platform's own; 0 when it gave none
	Subcode   int
	Status    int // of HTTP
	Message   string
	After     time.Duration // the platform's wish how long to stay away; 0 when it has none
	AnswerSHA string
	Cause     error
}

func (e *Error) Error() string {
	if e.Code == 0 {
		return fmt.Sprintf("%s: %s", e.Class, e.Message)
	}
	return fmt.Sprintf("%s (code %d/%d): %s", e.Class, e.Code, e.Subcode, e.Message)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Stops reports whether further calls in this poll would learn nothing
// reliable.
func (e *Error) Stops() bool {
	return e.Class == Throttled || e.Class == BadToken || e.Class == Transient
}

// Hopeless reports whether every further call will end the same way, so that
// the poll must end here.
func (e *Error) Hopeless() bool { return e.Class == Throttled || e.Class == BadToken }
