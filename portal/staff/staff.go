// Package staff is the custodians' side: what needs me today, the queue, one
// request from the ask to the release, the whole archive, sources, mail and
// people. Pages need no script.
//
// Every handler asks the desk or candor.Allow before it reads or changes
// anything; what a page offers is what will be accepted, and what is not
// offered is refused all the same. Handlers give errors back to the portal,
// which turns them into a page.
package staff

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/auth"
	"github.com/candor-archive/candor/portal/desk"
	"github.com/candor-archive/candor/portal/exhibit"
	"github.com/candor-archive/candor/portal/form"
	"github.com/candor-archive/candor/portal/law"
	"github.com/candor-archive/candor/portal/view"
)

// Store is what the staff pages need of storage.
type Store interface {
	auth.Store

	Agency(ctx context.Context) (candor.Agency, error)
	SaveAgency(ctx context.Context, a candor.Agency, by string) error
	CreateUser(ctx context.Context, u candor.User, by string) error
	Users(ctx context.Context) ([]candor.User, error)
	SetUserDisabled(ctx context.Context, id string, disabled bool, by string) error

	AddSource(ctx context.Context, s candor.Source, token, by string) error
	Sources(ctx context.Context) ([]candor.Source, error)
	Source(ctx context.Context, id string) (candor.Source, error)
	UpdateSource(ctx context.Context, s candor.Source, by string) error
	// SetSourceToken fails with Conflict when who is another account than the
	// one that was archived.
	SetSourceToken(ctx context.Context, id, token string, expires candor.Date, who candor.Account, by string) error
	SetSourcePaused(ctx context.Context, id string, paused bool, by string) error
	Account(ctx context.Context, id string) (candor.Account, error)
	Troubles(ctx context.Context) ([]candor.Trouble, error)
	PollNow(ctx context.Context, sourceID string) error
	Coverage(ctx context.Context, sourceID string, from, to candor.Date) (candor.Coverage, error)

	Search(ctx context.Context, q candor.Query) (candor.Results, error)
	Record(ctx context.Context, id string) (candor.RecordView, error)
	Capture(ctx context.Context, id string) (candor.CaptureView, error)
	// Agreement fails with NotFound when nothing was compared.
	Agreement(ctx context.Context, captureID string) (candor.Agreement, error)
	RecentCaptures(ctx context.Context, limit int) ([]candor.Capture, error)
	OpenObject(ctx context.Context, sha string) (io.ReadSeekCloser, error)

	Outbox(ctx context.Context, limit int) ([]candor.Mail, error)
	Mail(ctx context.Context, id string) (candor.Mail, error)
	Checkpoint(ctx context.Context) (note []byte, err error)
}

// Config is what Pages are made of.
type Config struct {
	Store    Store
	Desk     *desk.Desk
	Sessions *auth.Sessions
	Setup    *auth.Setup // nil: set-up was done
	Law      law.Library
	Exhibits exhibit.Minter
	Now      func() time.Time // time.Now when nil
	Log      *slog.Logger     // slog.Default() when nil

	// From names the computer a request came from, for counting wrong
	// passwords; the connection's other end when nil, which behind a proxy is
	// the proxy.
	From func(r *http.Request) string

	// Access asks the platform who the account of a source is, with a token or,
	// for an empty one, with the token that is kept. A *candor.AccessError says
	// why the platform does not tell, Invalid that the source cannot be read at
	// all. When nil, no access can be tested and no token be set.
	Access func(ctx context.Context, src candor.Source, token string) (candor.Account, error)
}

// Pages are the handlers. They are safe for use by many at once.
type Pages struct {
	Config
	asking sync.Map // ids of users for whom a platform is being asked
}

// New makes the pages.
func New(c Config) *Pages {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.From == nil {
		c.From = from
	}
	return &Pages{Config: c}
}

// Handler answers one page; an error it gives back becomes an error page.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Route is one line of the list of routes.
type Route struct {
	Pattern string // for http.ServeMux
	Handler Handler
}

// Routes lists every page of the staff side.
func (s *Pages) Routes() []Route {
	open := []Route{
		{"GET /setup", s.setupForm}, {"POST /setup", s.setup},
		{"GET /staff/sign-in", s.signInForm}, {"POST /staff/sign-in", s.signIn}, {"POST /staff/sign-out", s.signOut},
	}
	signedIn := []Route{
		{"GET /staff", s.home},
		{"GET /staff/requests", s.queue},
		{"GET /staff/requests/{id}", s.request},
		{"POST /staff/requests/{id}/accept", s.accept},
		{"POST /staff/requests/{id}/assign", s.assign},
		{"POST /staff/requests/{id}/note", s.note},
		{"POST /staff/requests/{id}/message", s.message},
		{"POST /staff/requests/{id}/summary", s.summary},
		{"POST /staff/requests/{id}/cannot-produce", s.cannotProduce},
		{"POST /staff/requests/{id}/mark", s.mark},
		{"POST /staff/requests/{id}/unmark", s.unmark},
		{"POST /staff/requests/{id}/propose", s.propose},
		{"GET /staff/requests/{id}/decide", s.decideForm},
		{"POST /staff/requests/{id}/approve", s.approve},
		{"POST /staff/requests/{id}/reject", s.reject},
		{"POST /staff/requests/{id}/release", s.release},
		{"GET /staff/requests/{id}/close", s.closeForm},
		{"POST /staff/requests/{id}/close", s.closeRequest},
		{"POST /staff/requests/{id}/reopen", s.reopen},
		{"GET /staff/requests/{id}/files/{item}", s.item},
		{"GET /staff/archive", s.archive},
		{"GET /staff/records/{id}", s.record},
		{"GET /staff/captures/{id}", s.capture},
		{"GET /staff/captures/{id}/page", s.snapshot},
		{"GET /staff/captures/{id}/{file}", s.artefact},
		{"GET /staff/captures/{id}/{rendition}/{file}", s.artefact},
		{"GET /staff/sources", s.sources},
		{"POST /staff/sources", s.addSource},
		{"GET /staff/sources/{id}", s.source},
		{"POST /staff/sources/{id}", s.updateSource},
		{"POST /staff/sources/{id}/test", s.testSource},
		{"POST /staff/sources/{id}/token", s.replaceToken},
		{"GET /staff/sources/{id}/coverage", s.coverage},
		{"POST /staff/sources/{id}/pause", s.pauseSource},
		{"POST /staff/sources/{id}/resume", s.resumeSource},
		{"POST /staff/sources/{id}/poll", s.pollSource},
		{"GET /staff/outbox", s.outbox},
		{"GET /staff/outbox/{id}", s.mail},
		{"GET /staff/people", s.people},
		{"POST /staff/people", s.addPerson},
		{"POST /staff/people/{id}/disable", s.disablePerson},
		{"POST /staff/people/{id}/enable", s.enablePerson},
		{"GET /staff/evidence", s.evidence},
	}
	for i := range signedIn {
		signedIn[i].Handler = gate(signedIn[i].Handler)
	}
	return append(open, signedIn...)
}

// gate sends whoever is not signed in to the sign-in page.
func gate(next Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if principal(r).Kind != candor.Staff {
			to := "/staff/sign-in"
			if r.Method == http.MethodGet && r.URL.Path != "/staff" {
				to += "?next=" + url.QueryEscape(r.URL.RequestURI())
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return nil
		}
		return next(w, r)
	}
}

func principal(r *http.Request) candor.Principal { return view.FrameOf(r.Context()).Principal }

// need refuses whoever lacks a permission.
func need(r *http.Request, do candor.Permission) error {
	if !candor.Allow(principal(r), do, candor.Target{}) {
		return candor.Errorf(candor.Forbidden, "this needs the permission %s", do)
	}
	return nil
}

// page starts a staff page.
func page(r *http.Request, section, title string, args ...any) view.Page {
	p := view.For(r, title, args...)
	p.Area, p.Section, p.NoIndex = "staff", section, true
	return p
}

// done tells what was done on the page that follows.
func done(w http.ResponseWriter, r *http.Request, to, flash string) error {
	view.SetFlash(w, view.Flash{Kind: "success", ID: flash})
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// read parses a form of ordinary size.
func read(w http.ResponseWriter, r *http.Request) error { return form.Parse(w, r, form.Limit) }

// fieldErrors turns the desk's complaint about a field into words for the form;
// nil when the error is about something else.
func fieldErrors(p view.Page, err error) form.Errors {
	f := desk.Field(err)
	if f == nil {
		return nil
	}
	var out form.Errors
	out.Add(f.Field, p.T(f.Problem, "Max", f.Max))
	return out
}

// inside is an address of the staff side, or its start: never one elsewhere.
func inside(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || strings.ContainsAny(next, "\\\r\n\t") || u.Path != "/staff" && !strings.HasPrefix(u.Path, "/staff/") ||
		strings.HasPrefix(u.Path, "/staff/sign-") {
		return "/staff"
	}
	return u.RequestURI()
}

// from is the computer that asks, for counting wrong passwords.
func from(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
