package desk

import (
	"time"

	"github.com/candor-archive/candor"
)

// FilingInput is what a person sends to file a request. Only Text is needed:
// Texas law lets an agency ask for neither a reason nor an account, and a
// request without an address is followed by its private link alone.
type FilingInput struct {
	Text     string // what they ask for, in their words
	AboutID  string // the record they were looking at; empty for none
	Name     string
	Email    string
	Phone    string
	Postal   string
	Language string // "en" or "es"
}

// Receipt is the answer to a filing. Secret opens the request and is shown
// once: only its hash is kept.
type Receipt struct {
	Request candor.Request
	Secret  string
	Due     candor.Date // the main clock's date
	Mailed  bool        // a receipt was mailed to the requester's address
}

// Following is what a requester sees of their own request.
type Following struct {
	Request    candor.Request
	Milestones []Milestone
	Next       string         // message id: what happens next, and who has to do it
	Clocks     []candor.Clock // each with its ledger of days
	Due        *candor.Clock  // the main one of Clocks; nil when there is none
	Today      candor.Date    // on the agency's calendar
	Zone       *time.Location // of the agency
	Messages   []candor.Message
	Released   []ReleasedSet // newest first
}

// Milestone is one step of the road in plain words.
type Milestone struct {
	ID    string // message id: milestone.received, milestone.searching, milestone.reviewing, milestone.approving, milestone.released, milestone.closed, milestone.withdrawn
	State string // done, current, todo
	At    time.Time
}

// ReleasedSet is one released production.
type ReleasedSet struct {
	Production candor.Production
	Release    candor.Release
	Items      []candor.ProductionItem
}
