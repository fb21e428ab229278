// Package portal is the web server: who is asking, what may they see, what
// happens next.
//
// Every address is listed once, in routes.go. Handlers live in the packages
// public and staff and give back an error for everything that is not theirs to
// decide; fail.go turns each into a page. Around them all: limits, security
// headers, a check that forms come from our own pages, a number for each
// request, and the language. Archived pages are served by a second handler that
// belongs on an origin of its own.
package portal

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/auth"
	"github.com/candor-archive/candor/portal/desk"
	"github.com/candor-archive/candor/portal/exhibit"
	"github.com/candor-archive/candor/portal/law"
	"github.com/candor-archive/candor/portal/public"
	"github.com/candor-archive/candor/portal/staff"
	"github.com/candor-archive/candor/portal/view"
)

// Store is what the portal needs of storage.
type Store interface {
	public.Store
	staff.Store
	Agency(ctx context.Context) (candor.Agency, error)
	Ready(ctx context.Context) error
	Capture(ctx context.Context, id string) (candor.CaptureView, error)
	OpenObject(ctx context.Context, sha string) (io.ReadSeekCloser, error)
}

// Config is what a Server is made of.
type Config struct {
	Store      Store
	Public     public.Archive // the public side of the store
	Desk       *desk.Desk
	Sessions   *auth.Sessions
	Setup      *auth.Setup                                                                        // guards the one-time set-up; nil when the agency exists
	Law        law.Library                                                                        // profiles to choose from at set-up
	BaseURL    string                                                                             // where people reach the portal, without a slash at the end
	ExhibitURL string                                                                             // where their browsers reach archived pages, likewise
	Secret     []byte                                                                             // at least 32 bytes; signs what browsers keep for us
	Proxied    bool                                                                               // a reverse proxy of ours stands in front: believe the address it adds to X-Forwarded-For
	Access     func(ctx context.Context, src candor.Source, token string) (candor.Account, error) // see staff.Config
	Sample     bool                                                                               // a demonstration with invented data: every page says so
	Now        func() time.Time
	Log        *slog.Logger
}

// Server is the portal's two handlers.
type Server struct {
	Site     http.Handler // the portal
	Exhibits http.Handler // archived pages, on an origin of their own
}

type server struct {
	Config
	zone   zones
	search *limiter
	filing *limiter
	links  *limiter
}

// New builds the portal. It fails with Invalid when the addresses or the secret
// cannot be used.
func New(c Config) (*Server, error) {
	if len(c.Secret) < 32 {
		return nil, candor.Errorf(candor.Invalid, "portal: the secret has %d bytes, at least 32 are needed", len(c.Secret))
	}
	for _, raw := range []string{c.BaseURL, c.ExhibitURL} {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.HasSuffix(raw, "/") {
			return nil, candor.Errorf(candor.Invalid, "portal: %q is not an address like https://records.example.gov", raw)
		}
	}
	if c.BaseURL == c.ExhibitURL {
		return nil, candor.Errorf(candor.Invalid, "portal: archived pages need an origin of their own, not %s", c.BaseURL)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	view.UseSecureCookies(strings.HasPrefix(c.BaseURL, "https://"))
	s := &server{Config: c, search: newLimiter(2, 40, c.Now), filing: newLimiter(0.5, 60, c.Now), links: newLimiter(1.0/30, 10, c.Now)}
	exhibits := exhibit.New(exhibit.Config{Secret: c.Secret, Portal: c.BaseURL, Public: c.Public, Staff: everything{c.Store}, Now: c.Now, Log: c.Log})
	return &Server{Site: s.around(s.routes()), Exhibits: s.recovered(exhibits)}, nil
}

// everything opens any capture's artefact: for capabilities minted for staff.
type everything struct{ store Store }

func (e everything) OpenArtefact(ctx context.Context, captureID string, kind candor.ArtefactKind) (io.ReadSeekCloser, candor.Artefact, error) {
	v, err := e.store.Capture(ctx, captureID)
	if err != nil {
		return nil, candor.Artefact{}, err
	}
	a, ok := v.Artefact(kind)
	if !ok {
		return nil, candor.Artefact{}, candor.Errorf(candor.NotFound, "capture %s has no %s", captureID, kind)
	}
	body, err := e.store.OpenObject(ctx, a.SHA)
	return body, a, err
}
