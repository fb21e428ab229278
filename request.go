package candor

import "time"

// Stage is where a request stands. It is one of four separate axes: clocks are
// computed, dispositions set at close, visibility kept apart.
type Stage string

// The stages (requests that never were, "deflected", are counted, not stored).
const (
	Received  Stage = "received"
	Searching Stage = "searching"
	Reviewing Stage = "reviewing"
	Approving Stage = "approving"
	Releasing Stage = "releasing"
	Closed    Stage = "closed"
)

// Disposition is how a request ended.
type Disposition string

// The dispositions.
const (
	ReleasedFull    Disposition = "released_full"
	ReleasedPart    Disposition = "released_part"
	ReferredToURL   Disposition = "referred_to_url"
	NoRecords       Disposition = "no_records"
	NotCustodian    Disposition = "not_custodian"
	Withdrawn       Disposition = "withdrawn_by_requester"
	DuplicateOf     Disposition = "duplicate_of"
	NotARequest     Disposition = "not_a_records_request"
	SpamDisposition Disposition = "spam"
	NoneYet         Disposition = ""
)

// Dispositions lists what staff may choose when closing by hand.
var Dispositions = []Disposition{ReleasedFull, ReleasedPart, ReferredToURL, NoRecords, NotCustodian, DuplicateOf, NotARequest, SpamDisposition}

// Request is a person's request for records.
type Request struct {
	ID          string
	Number      string // LPD-2026-000001: a label, never a key to anything private
	Stage       Stage
	Disposition Disposition
	Language    string // the requester's; every later mail uses it
	Text        string // the requester's own words; never public
	Summary     string // the agency's words, for the public log
	AboutID     string // the record the requester was looking at, if any
	Name        string
	Email       string
	Phone       string
	Postal      string
	Channel     string // portal, mail, email, hand, phone
	AssigneeID  string // user
	Law         string // LawProfile.Version the clocks run by
	ReceivedAt  time.Time
	ClosedAt    time.Time
	UpdatedAt   time.Time
}

// PublicRequest is what everyone may know of a request once the agency has
// written a summary of it: nothing of the person and none of their words.
type PublicRequest struct {
	Number      string
	Stage       Stage
	Disposition Disposition
	Summary     string // the agency's words
	ReceivedAt  time.Time
	ClosedAt    time.Time
}

// EventKind says what happened to a request.
type EventKind string

// The events. Every transition writes exactly one, in its own transaction.
const (
	EvSubmitted     EventKind = "submitted"
	EvAccepted      EventKind = "accepted" // someone took it on; search begins
	EvAssigned      EventKind = "assigned" // to another member of staff
	EvMessageIn     EventKind = "message_in"
	EvMessageOut    EventKind = "message_out"
	EvNote          EventKind = "note"
	EvMarked        EventKind = "marked"   // records marked responsive
	EvUnmarked      EventKind = "unmarked" // a mark taken back
	EvProposed      EventKind = "release_proposed"
	EvRejected      EventKind = "release_rejected"
	EvApproved      EventKind = "release_approved"
	EvReleased      EventKind = "released"
	EvClosed        EventKind = "closed"
	EvWithdrawn     EventKind = "withdrawn"
	EvReopened      EventKind = "reopened"
	EvNewLink       EventKind = "new_link"
	EvDownloaded    EventKind = "downloaded"
	EvCannotProduce EventKind = "cannot_produce" // written notice with a set date
	EvSummary       EventKind = "summary_set"
)

// Event is one thing that happened to a request. Events are never changed.
type Event struct {
	ID        string
	RequestID string
	N         int // position in the request's history, from 1
	Kind      EventKind
	At        time.Time
	ActorKind PrincipalKind
	ActorID   string // user id, or empty for requester and system
	Actor     string // name as it was then; empty for the requester
	Detail    string // small and human: a reason, a count, a name
	Law       string // profile version in force
}

// Transition is one row of the state machine.
type Transition struct {
	Event EventKind
	From  []Stage
	To    Stage // empty: stays where it is
	Needs Permission
	Mail  string // message template the requester gets; empty for none
}

var anyOpen = []Stage{Received, Searching, Reviewing, Approving, Releasing}

// Transitions is the state machine of a request. Code, staff pages and docs
// all read this table.
var Transitions = []Transition{
	{EvSubmitted, nil, Received, MayCreateRequest, "received"},
	{EvAccepted, []Stage{Received}, Searching, MayAssign, "accepted"},
	{EvAssigned, anyOpen, "", MayAssign, ""},
	{EvMessageIn, append([]Stage{Closed}, anyOpen...), "", MayFollowRequest, ""},
	{EvMessageOut, append([]Stage{Closed}, anyOpen...), "", MayMessage, "message"},
	{EvNote, append([]Stage{Closed}, anyOpen...), "", MayNote, ""},
	{EvSummary, append([]Stage{Closed}, anyOpen...), "", MayEditSummary, ""},
	{EvMarked, []Stage{Searching, Reviewing}, Reviewing, MayAddItem, ""},
	{EvUnmarked, []Stage{Searching, Reviewing}, "", MayAddItem, ""},
	{EvCannotProduce, anyOpen, "", MayMessage, "cannot_produce"},
	{EvProposed, []Stage{Reviewing}, Approving, MayRequestRelease, ""},
	{EvRejected, []Stage{Approving}, Reviewing, MayApproveRelease, ""},
	{EvApproved, []Stage{Approving}, Releasing, MayApproveRelease, ""},
	{EvReleased, []Stage{Releasing}, Releasing, MayRequestRelease, "released"},
	{EvClosed, []Stage{Received, Searching, Reviewing, Releasing}, Closed, MayClose, "closed"},
	{EvWithdrawn, anyOpen, Closed, MayFollowRequest, "withdrawn"},
	{EvReopened, []Stage{Closed}, Searching, MayClose, "reopened"},
	{EvNewLink, append([]Stage{Closed}, anyOpen...), "", MayFollowRequest, "new_link"},
	{EvDownloaded, append([]Stage{Closed}, anyOpen...), "", MayFollowRequest, ""},
}

// Step finds the transition of an event from a stage. It fails with Conflict
// when the request is not where the event may happen.
func (r Request) Step(kind EventKind) (Transition, error) {
	for _, t := range Transitions {
		if t.Event != kind {
			continue
		}
		for _, s := range t.From {
			if s == r.Stage {
				return t, nil
			}
		}
		return t, Errorf(Conflict, "request %s is at stage %s, where %s cannot happen", r.Number, r.Stage, kind)
	}
	return Transition{}, Errorf(Invalid, "there is no event %q", kind)
}

// Message is one message between requester and staff.
type Message struct {
	ID        string
	RequestID string
	Outgoing  bool // from staff to requester
	AuthorID  string
	Author    string
	Body      string
	Language  string
	At        time.Time
}

// ResponsiveRecord is a record found to answer a request, with the capture
// that will stand for it.
type ResponsiveRecord struct {
	ID        string
	RequestID string
	RecordID  string
	CaptureID string // the evidence to be produced; empty when there is none yet
	MarkedBy  string // user id
	MarkedAt  time.Time
	Note      string
}

// ProductionState says how far a production is.
type ProductionState string

// The states of a production.
const (
	ProductionProposed ProductionState = "proposed"
	ProductionApproved ProductionState = "approved"
	ProductionRejected ProductionState = "rejected"
	ProductionReleased ProductionState = "released"
)

// Production is the prepared set of copies for one request. It is sealed when
// proposed: what the second person approves is exactly what is released.
type Production struct {
	ID         string
	RequestID  string
	State      ProductionState
	PreparedBy string // user id
	PreparedAt time.Time
	ApprovedBy string // user id; never PreparedBy
	ApprovedAt time.Time
	Note       string // to the approver
	Reason     string // of a rejection
	BundleSHA  string // object: one ZIP of everything
	BundleSize int64
}

// ProductionItem is one file of a production. A derived copy names the object
// it was made from; an unredacted one is its own parent.
type ProductionItem struct {
	ID           string
	ProductionID string
	N            int
	RecordID     string
	CaptureID    string
	Kind         ArtefactKind
	Name         string // file name the requester sees
	SHA          string
	ParentSHA    string
	Size         int64
	MediaType    string
}

// Release is the decision and moment a production becomes visible.
type Release struct {
	ID           string
	RequestID    string
	ProductionID string
	By           string // user id
	At           time.Time
	To           string // requester
}

// RequestFile is everything there is about one request.
type RequestFile struct {
	Request     Request
	Events      []Event
	Messages    []Message
	Responsive  []ResponsiveRecord
	Productions []Production
	Items       []ProductionItem
	Releases    []Release
	Mails       []Mail // without bodies that hold a private link
}

// Act is one thing done to a request, applied in one transaction: the event
// and all it entails, with the evidence log covering it, or none of it. It
// fails with Conflict when the request is no longer at stage From.
type Act struct {
	RequestID   string
	From        Stage
	Event       Event
	To          Stage       // empty: unchanged
	Disposition Disposition // set when not empty
	AssigneeID  string      // set when not empty
	Summary     string      // set when not empty
	Email       string      // set when not empty
	Messages    []Message   // to add
	Mark        []ResponsiveRecord
	Unmark      []string    // ids of responsive records
	Production  *Production // to add, or to update when it exists
	Items       []ProductionItem
	Release     *Release
	Mails       []Mail
	LinkHash    string // a new private link replaces the old ones
}

// RequestFilter narrows a list of requests.
type RequestFilter struct {
	Stage      Stage
	Open       bool // only those not closed
	AssigneeID string
	Limit      int
}

// Mail is one message of the outbox.
type Mail struct {
	ID        string
	RequestID string
	To        string
	Language  string
	Template  string // message id it was made from
	Subject   string
	Body      string // plain text
	State     string // waiting, sent, failed, kept (no mail server: staff can read it)
	Error     string
	Attempts  int
	CreatedAt time.Time
	SentAt    time.Time
}

// Filing is everything that comes into being when a request is filed.
type Filing struct {
	Request  Request // Number empty: storage gives the next one of its year
	Message  Message // the requester's words, so that the log covers them
	Event    Event
	Mails    func(number string) []Mail // made once the number is known
	LinkHash string
}

// BundleFile is one file to put into a production's ZIP: an object by its
// hash, or the bytes themselves.
type BundleFile struct {
	Name string // path inside the ZIP
	SHA  string
	Data []byte
}
