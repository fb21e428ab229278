package portal

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
	"github.com/candor-archive/candor/portal/view"
)

// handler is a page: it answers, or gives back the error for fail.
type handler func(w http.ResponseWriter, r *http.Request) error

// around puts everything every answer needs around the routes, outermost last.
func (s *server) around(routes http.Handler) http.Handler {
	var h http.Handler = routes
	h = s.framed(h)
	h = s.sameOrigin(h)
	h = compressed(h)
	h = s.headers(h)
	h = s.numbered(h)
	return s.recovered(h)
}

// page makes a handler of a page. A panic in it becomes an error page.
func (s *server) page(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v) // the server's own way to break off
			}
			s.fail(w, r, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}()
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// recovered is the last resort against a panic outside of any page.
func (s *server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v) // the server's own way to break off
			}
			s.Log.Error("panic", "path", logPath(r), "value", fmt.Sprint(v), "stack", string(debug.Stack()))
			w.WriteHeader(http.StatusInternalServerError) // without effect once something was sent
		}()
		next.ServeHTTP(w, r)
	})
}

// numbered gives each request a number, for the log and for people to quote.
func (s *server) numbered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := candor.NewID()[:12]
		w.Header().Set("X-Request-Id", id)
		f := view.FrameOf(r.Context())
		f.RequestID, f.Lang, f.Sample = id, view.Language(r), s.Sample
		next.ServeHTTP(w, r.WithContext(view.WithFrame(r.Context(), f)))
	})
}

// policy is the content security policy of the portal's own pages: no scripts
// at all, nothing from elsewhere but the frame of the exhibits.
func (s *server) policy() string {
	return "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; frame-src " + s.ExhibitURL +
		"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

func (s *server) headers(next http.Handler) http.Handler {
	policy, secure := s.policy(), strings.HasPrefix(s.BaseURL, "https://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		// Nothing reaches other sites. Not no-referrer: with that, browsers send
		// forms with "Origin: null", and where they send no Sec-Fetch-Site (plain
		// HTTP in a local network) our own forms would look foreign.
		h.Set("Referrer-Policy", "same-origin")
		if strings.HasPrefix(r.URL.Path, "/r/") {
			h.Set("Referrer-Policy", "no-referrer") // the address is a secret
		}
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		if secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses forms that another site sent here.
func (s *server) sameOrigin(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	if err := guard.AddTrustedOrigin(s.BaseURL); err != nil {
		// Checked in New; and without it only requests from this host pass.
		s.Log.Warn("trusted origin", "url", s.BaseURL, "err", err)
	}
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Log.Warn("form from another site", "path", logPath(r), "origin", r.Header.Get("Origin"))
		s.errorPage(w, r, http.StatusForbidden, "error.origin", nil)
	}))
	return guard.Handler(next)
}

// maxBody is the most a request may send, apart from files to be checked.
const maxBody = 1 << 20

// framed finds out what every page needs to know: agency, zone, who is asking;
// and lets ?lang= choose the language.
func (s *server) framed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, view.StaticPrefix) || r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
			next.ServeHTTP(w, r)
			return
		}
		if r.Body != nil && r.URL.Path != "/verify" {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		if lang := r.URL.Query().Get("lang"); lang != "" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			if i18n.Known(lang) {
				view.KeepLanguage(w, lang)
			}
			http.Redirect(w, r, withoutLang(r.URL), http.StatusSeeOther)
			return
		}
		f := view.FrameOf(r.Context())
		f.Zone = time.UTC
		agency, err := s.Store.Agency(r.Context())
		switch {
		case candor.IsKind(err, candor.NotFound):
			if s.Setup.Open() && r.URL.Path != "/setup" {
				http.Redirect(w, r, "/setup", http.StatusSeeOther)
				return
			}
		case err != nil:
			s.fail(w, r, err)
			return
		default:
			s.Setup.Close()
			f.Agency, f.Zone = agency, s.zone.load(agency.TimeZone)
		}
		f.Principal = s.Sessions.Principal(r)
		next.ServeHTTP(w, r.WithContext(view.WithFrame(r.Context(), f)))
	})
}

// withoutLang is the same address without ?lang=. It stays on this site
// whatever the path looks like.
func withoutLang(u *url.URL) string {
	q := u.Query()
	q.Del("lang")
	out := url.URL{Path: "/" + strings.TrimLeft(u.Path, "/\\"), RawQuery: q.Encode()}
	return out.RequestURI()
}

// zones remembers loaded time zones.
type zones struct{ m sync.Map }

func (z *zones) load(name string) *time.Location {
	if l, ok := z.m.Load(name); ok {
		return l.(*time.Location)
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		l = time.UTC // storage accepts only zones that exist; shown times say their zone
	}
	z.m.Store(name, l)
	return l
}
