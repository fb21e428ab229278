// Package desk is the request desk: every act on a records request, for the
// requester's side and for staff, happens here and nowhere else.
//
// Each act asks candor.Allow, finds its row in candor.Transitions, and hands
// the store one candor.Act or candor.Filing that holds the event and all it
// entails, mails included. So an act is done whole, with its evidence, or not
// at all; and a page that forgets to ask for permission gains nothing by it.
package desk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/mail"
)

// Store is what the desk needs of storage.
type Store interface {
	Agency(ctx context.Context) (candor.Agency, error)
	User(ctx context.Context, id string) (candor.User, error)

	FileRequest(ctx context.Context, f candor.Filing) (candor.Request, error)
	Request(ctx context.Context, id string) (candor.Request, error)
	RequestByNumber(ctx context.Context, number string) (candor.Request, error)
	RequestByLink(ctx context.Context, linkHash string) (candor.Request, error)
	Requests(ctx context.Context, f candor.RequestFilter) ([]candor.Request, error)
	RequestFile(ctx context.Context, id string) (candor.RequestFile, error)
	// Act applies one act in one transaction, or fails with Conflict when the
	// request is no longer at stage From.
	Act(ctx context.Context, a candor.Act) (candor.Request, error)

	Record(ctx context.Context, id string) (candor.RecordView, error)
	Capture(ctx context.Context, id string) (candor.CaptureView, error)

	// PutObject keeps bytes; they are durable when it returns.
	PutObject(ctx context.Context, r io.Reader) (sha string, size int64, err error)
	OpenObject(ctx context.Context, sha string) (io.ReadSeekCloser, error)
	// SealBundle makes one ZIP of the files and keeps it as an object.
	SealBundle(ctx context.Context, files []candor.BundleFile) (sha string, size int64, err error)
	Checkpoint(ctx context.Context) (note []byte, err error)

	AddSignInFailure(ctx context.Context, key string, at time.Time) error
	SignInFailures(ctx context.Context, key string, since time.Time) (int, error)
}

// Config is what a Desk is made of.
type Config struct {
	Store   Store
	Law     func(key string) (candor.LawProfile, error) // by jurisdiction: us-tx
	BaseURL string                                      // of the portal, without a slash at the end
	Now     func() time.Time                            // time.Now when nil
	Log     *slog.Logger                                // slog.Default() when nil

	// LinkFloor is how long asking for a fresh link takes at least, whatever
	// is found, so that the time taken tells nothing. 400 ms when zero.
	LinkFloor time.Duration
}

// Desk does the acts. It is safe for use by many at once.
type Desk struct {
	store Store
	law   func(key string) (candor.LawProfile, error)
	mail  *mail.Composer
	now   func() time.Time
	log   *slog.Logger
	floor time.Duration
}

// New makes a desk.
func New(c Config) *Desk {
	d := &Desk{store: c.Store, law: c.Law, now: c.Now, log: c.Log, floor: c.LinkFloor}
	if d.now == nil {
		d.now = time.Now
	}
	if d.log == nil {
		d.log = slog.Default()
	}
	if d.floor == 0 {
		d.floor = 400 * time.Millisecond
	}
	d.mail = &mail.Composer{BaseURL: c.BaseURL}
	return d
}

// FieldError says which field of what was sent is wrong and how. It is the
// cause inside the candor.Invalid errors of this package.
type FieldError struct {
	Field   string // text, email, name, body, reason, ...
	Problem string // message id: desk.field.missing, desk.field.too_long, desk.field.email, desk.field.date, desk.field.choice
	Max     int    // the most characters, with desk.field.too_long
}

func (e *FieldError) Error() string {
	if e.Max > 0 {
		return fmt.Sprintf("%s: %s (at most %d characters)", e.Field, e.Problem, e.Max)
	}
	return e.Field + ": " + e.Problem
}

func invalid(field, problem string, max int) error {
	return candor.Errorf(candor.Invalid, "%w", &FieldError{Field: field, Problem: problem, Max: max})
}

// Field finds the FieldError in an error, or nil.
func Field(err error) *FieldError {
	var f *FieldError
	if errors.As(err, &f) {
		return f
	}
	return nil
}

// act is the one way an act reaches the store: allowed, possible at this
// stage, stamped, applied.
func (d *Desk) act(ctx context.Context, p candor.Principal, r candor.Request, kind candor.EventKind, on candor.Target,
	fill func(t candor.Transition, a *candor.Act) error) (candor.Request, error) {
	on.RequestID = r.ID
	t, stepErr := r.Step(kind)
	if t.Event == "" {
		return r, stepErr
	}
	// Permission before possibility: someone who may not act is not told where
	// the request stands.
	if !candor.Allow(p, t.Needs, on) {
		return r, refuse(t.Needs)
	}
	if stepErr != nil {
		return r, stepErr
	}
	now := candor.Moment(d.now())
	a := candor.Act{RequestID: r.ID, From: r.Stage, To: t.To, Event: candor.Event{
		ID: candor.NewID(), RequestID: r.ID, Kind: kind, At: now,
		ActorKind: p.Kind, ActorID: p.UserID, Actor: p.Name, Law: r.Law,
	}}
	if fill != nil {
		if err := fill(t, &a); err != nil {
			return r, err
		}
	}
	return d.store.Act(ctx, a)
}

func refuse(need candor.Permission) error {
	return candor.Errorf(candor.Forbidden, "this needs the permission %s, which you do not have here", need)
}

// notify composes the mail a transition asks for. A requester without an
// address gets none; staff see that in the request's history.
func (d *Desk) notify(ctx context.Context, r candor.Request, template string, data mail.Data) ([]candor.Mail, error) {
	if template == "" || r.Email == "" {
		return nil, nil
	}
	agency, err := d.store.Agency(ctx)
	if err != nil {
		return nil, fmt.Errorf("compose mail %s: %w", template, err)
	}
	data.Agency, data.Request = agency, r
	m, err := d.mail.Compose(template, data, d.now())
	if err != nil {
		return nil, err
	}
	return []candor.Mail{m}, nil
}

// calendar is the agency's own calendar under a law profile.
func calendar(a candor.Agency, p candor.LawProfile) (candor.Calendar, error) {
	zone, err := time.LoadLocation(a.TimeZone)
	if err != nil {
		return candor.Calendar{}, candor.Errorf(candor.Invalid, "the agency's time zone %q is not known: %w", a.TimeZone, err)
	}
	return candor.Calendar{Holidays: p.Holidays, Designated: a.DesignatedDays, Optional: a.OptionalDays, Zone: zone}, nil
}

// clocks computes a request's clocks as of now.
func (d *Desk) clocks(ctx context.Context, events []candor.Event) ([]candor.Clock, candor.Date, *time.Location, error) {
	agency, err := d.store.Agency(ctx)
	if err != nil {
		return nil, "", nil, err
	}
	profile, err := d.law(agency.Jurisdiction)
	if err != nil {
		return nil, "", nil, err
	}
	cal, err := calendar(agency, profile)
	if err != nil {
		return nil, "", nil, err
	}
	today := candor.DateOf(d.now(), cal.Zone)
	return candor.Clocks(profile, cal, events, today), today, cal.Zone, nil
}

// mainClock picks the one shown as the request's due date.
func mainClock(clocks []candor.Clock) *candor.Clock {
	for i := range clocks {
		if clocks[i].Rule.Main {
			return &clocks[i]
		}
	}
	return nil
}
