package candor

import (
	"slices"
	"time"
)

// PrincipalKind says who is asking.
type PrincipalKind string

// The kinds of principal.
const (
	Visitor   PrincipalKind = "visitor"
	Requester PrincipalKind = "requester" // holds the private link of one request
	Staff     PrincipalKind = "staff"
	System    PrincipalKind = "system"
)

// Principal is whoever is asking.
type Principal struct {
	Kind      PrincipalKind
	UserID    string
	Name      string
	Roles     []Role
	RequestID string // the one request a requester's link opens
}

// May reports whether the principal has a permission where no target matters:
// for offering a menu entry, never instead of asking Allow for the act itself.
func (p Principal) May(do Permission) bool { return Allow(p, do, Target{}) }

// Role is a named bundle of permissions.
type Role string

// The roles.
const (
	Clerk    Role = "clerk"
	Officer  Role = "officer" // officer for public information
	Approver Role = "approver"
	Comms    Role = "comms"
	Operator Role = "operator" // of captures
	Auditor  Role = "auditor"
	Admin    Role = "admin"
)

// Roles lists every role, in the order they are offered.
var Roles = []Role{Clerk, Officer, Approver, Comms, Operator, Auditor, Admin}

// Permission names one thing a principal may do.
type Permission string

// The permissions.
const (
	MaySearchPublic   Permission = "archive.search_public"
	MaySearchAll      Permission = "archive.search_all"
	MayRunCapture     Permission = "capture.run"
	MayManageSources  Permission = "account.manage"
	MayCreateRequest  Permission = "request.create"
	MayViewRequests   Permission = "request.view"
	MayFollowRequest  Permission = "request.follow" // one's own
	MayViewContact    Permission = "requester.view_contact"
	MayEditSummary    Permission = "request.edit_summary"
	MayAssign         Permission = "request.assign"
	MayMessage        Permission = "message.external"
	MayNote           Permission = "note.internal"
	MayAddItem        Permission = "item.add"
	MayRequestRelease Permission = "release.request"
	MayApproveRelease Permission = "release.approve"
	MayClose          Permission = "request.close"
	MayReadOutbox     Permission = "outbox.view"
	MayViewAudit      Permission = "audit.view"
	MayManageUsers    Permission = "user.manage"
	MayRead           Permission = "bytes.read" // the bytes of a capture or production
)

var roleGrants = map[Role][]Permission{
	Clerk: {MaySearchAll, MayCreateRequest, MayViewRequests, MayViewContact, MayEditSummary, MayAssign, MayMessage, MayNote,
		MayAddItem, MayRequestRelease, MayReadOutbox},
	Officer: {MaySearchAll, MayCreateRequest, MayViewRequests, MayViewContact, MayEditSummary, MayAssign, MayMessage, MayNote,
		MayAddItem, MayRequestRelease, MayApproveRelease, MayClose, MayReadOutbox, MayViewAudit},
	Approver: {MaySearchAll, MayViewRequests, MayNote, MayApproveRelease},
	Comms:    {MaySearchAll, MayNote},
	Operator: {MaySearchAll, MayRunCapture, MayManageSources},
	Auditor:  {MaySearchAll, MayViewRequests, MayViewAudit},
	Admin:    {MayManageSources, MayRunCapture, MayManageUsers, MayViewAudit, MayReadOutbox, MaySearchAll},
}

// Target is what a principal wants to act on. Leave a field empty when it does
// not apply; an empty Visibility is the narrowest.
type Target struct {
	Visibility Visibility
	RequestID  string // the request it belongs to, or was released to
	Released   bool   // it is part of a released production of RequestID
	PreparedBy string // who prepared it, for approvals
}

// Allow is the one authorisation function. Every page, list, search, feed,
// file, thumbnail and mail asks it; what it does not name is refused.
func Allow(p Principal, do Permission, on Target) bool {
	switch do {
	case MaySearchPublic, MayCreateRequest:
		return true
	case MayFollowRequest:
		return p.Kind == Requester && p.RequestID != "" && p.RequestID == on.RequestID || p.Kind == System
	case MayRead:
		if on.Visibility == Public {
			return true
		}
		if on.Released && p.Kind == Requester && p.RequestID != "" && p.RequestID == on.RequestID {
			return true
		}
		return p.Kind == Staff && granted(p, MaySearchAll)
	case MayApproveRelease:
		return p.Kind == Staff && granted(p, do) && p.UserID != "" && p.UserID != on.PreparedBy
	}
	return p.Kind == System || p.Kind == Staff && granted(p, do)
}

func granted(p Principal, do Permission) bool {
	for _, r := range p.Roles {
		for _, g := range roleGrants[r] {
			if g == do {
				return true
			}
		}
	}
	return false
}

// User is one member of staff.
type User struct {
	ID           string
	Email        string // lower case, unique
	Name         string
	Roles        []Role
	PasswordHash string // argon2id, encoded with its parameters
	Language     string
	Disabled     bool
	CreatedAt    time.Time
	LastSignIn   time.Time
}

// Principal is the user as the one asking.
func (u User) Principal() Principal {
	return Principal{Kind: Staff, UserID: u.ID, Name: u.Name, Roles: u.Roles}
}

// Is reports whether the user has a role.
func (u User) Is(role Role) bool { return slices.Contains(u.Roles, role) }

// Session is one signed-in browser, or one browser that opened a private link.
// The cookie holds the secret; only its hash is stored.
type Session struct {
	Hash      string // HashSecret of the cookie's secret; the key
	UserID    string // staff
	RequestID string // requester
	Data      []byte // what gorilla/sessions keeps, encoded
	CreatedAt time.Time
	UsedAt    time.Time
	ExpiresAt time.Time // absolute
	Agent     string    // the browser, for the list of sessions
}
