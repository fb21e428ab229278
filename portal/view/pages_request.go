package view

import (
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/form"
)

// AskPage is one step of asking for a record.
type AskPage struct {
	Page
	Step   int // 1 words, 2 what we have, 3 contact, 4 review
	Draft  Draft
	Errors form.Errors
	About  *Hit // the record they were looking at
	Hits   []Hit
	Total  int
	Max    int // characters
}

// Steps are the numbers of the steps, for the step indicator.
func (AskPage) Steps() []int { return []int{1, 2, 3, 4} }

// Draft is what was typed so far. It travels inside the form: nothing is kept
// on the server until the request is sent.
type Draft struct {
	ID     string // to know the same draft when it is sent twice
	Text   string
	About  string
	Name   string
	Email  string
	Phone  string
	Postal string
}

// Reachable reports whether there is any way to reach the person.
func (d Draft) Reachable() bool { return d.Email != "" || d.Phone != "" || d.Postal != "" }

// AnsweredPage thanks a person whom the archive already answered.
type AnsweredPage struct {
	Page
	Hits   []Hit
	Origin string // of permanent addresses
}

// ReceiptPage is shown once, after a request was sent.
type ReceiptPage struct {
	Page
	Number   string
	Link     string
	Due      candor.Date
	Email    string
	Unmailed bool // there is an address, but too many receipts went there of late
}

// FollowPage is the requester's own page.
type FollowPage struct {
	Page
	Request    candor.Request
	Milestones []Milestone
	Next       string // message id
	Due        *candor.Clock
	Late       bool
	Messages   []candor.Message
	Released   []Released
	Draft      string // a message that could not be sent yet
	Errors     form.Errors
	CanSay     bool
	CanStop    bool
}

// Milestone is one step of the road.
type Milestone struct {
	ID    string // message id
	State string // done, current, todo
	At    time.Time
}

// Released is one production with its files.
type Released struct {
	Release candor.Release
	Bundle  string // address
	Size    int64
	SHA     string
	Items   []ReleasedFile
}

// ReleasedFile is one file to download.
type ReleasedFile struct {
	candor.ProductionItem
	Href string
}

// DatesPage explains every clock of a request, day by day.
type DatesPage struct {
	Page
	Request candor.Request
	Clocks  []candor.Clock
	Today   candor.Date
}

// WithdrawPage asks whether they are sure.
type WithdrawPage struct {
	Page
	Request candor.Request
	Reason  string
	Errors  form.Errors
}

// TrackPage asks for number and email to send a fresh private link.
type TrackPage struct {
	Page
	Number string
	Email  string
	Errors form.Errors
	Sent   bool
}

// PublicRequestPage is what everyone may know of a request.
type PublicRequestPage struct {
	Page
	Number  string
	Request candor.PublicRequest // without a summary: nothing is public
}
