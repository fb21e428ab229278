package portal

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/view"
)

// faults are the pages of the kinds of error: status, and the beginning of the
// ids of their sentences.
var faults = map[candor.ErrorKind]struct {
	status int
	id     string
}{
	candor.NotFound:    {http.StatusNotFound, "error.not_found"},
	candor.Invalid:     {http.StatusBadRequest, "error.invalid"},
	candor.Conflict:    {http.StatusConflict, "error.conflict"},
	candor.Forbidden:   {http.StatusForbidden, "error.forbidden"},
	candor.OnHold:      {http.StatusConflict, "error.on_hold"},
	candor.Unavailable: {http.StatusServiceUnavailable, "error.unavailable"},
}

// fail is the one function that turns an error into status, page and log line.
// The error's own sentence is for the log: people get words in their language.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // the reader went away
	}
	kind := candor.KindOf(err)
	f, known := faults[kind]
	if !known {
		f.status, f.id = http.StatusInternalServerError, "error.internal"
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		f.status, f.id = http.StatusRequestEntityTooLarge, "error.too_large"
	}
	frame := view.FrameOf(r.Context())
	staffSide := strings.HasPrefix(r.URL.Path, "/staff")
	if kind == candor.Forbidden && staffSide && frame.Principal.Kind != candor.Staff && r.Method == http.MethodGet {
		http.Redirect(w, r, "/staff/sign-in", http.StatusSeeOther)
		return
	}
	log := s.Log.With("request", frame.RequestID, "method", r.Method, "path", logPath(r), "status", f.status)
	if f.status >= 500 {
		log.Error("request failed", "err", err)
	} else {
		log.Debug("request refused", "err", err)
	}
	if f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "60")
	}
	s.errorPage(w, r, f.status, f.id, func(p *view.ErrorPage) {
		if f.status >= 500 {
			p.ID = frame.RequestID
		}
		p.OfferTrack = f.status == http.StatusForbidden && !staffSide
	})
}

// errorPage shows what went wrong and what to do. Headers a handler had set
// for its own answer are taken back.
func (s *server) errorPage(w http.ResponseWriter, r *http.Request, status int, id string, fill func(*view.ErrorPage), args ...any) {
	for _, h := range []string{"Content-Disposition", "ETag", "Content-Length", "Last-Modified", "Cache-Control"} {
		w.Header().Del(h)
	}
	w.Header().Set("Content-Security-Policy", s.policy())
	page := view.ErrorPage{Page: view.For(r, id+".title"), BackHref: "/"}
	page.Body = page.T(id+".body", args...)
	page.NoIndex, page.Flash = true, nil
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		page.Path = "/" // the language switch is a link, and this address may not be one
	}
	if strings.HasPrefix(r.URL.Path, "/staff") && page.Principal.Kind == candor.Staff {
		page.Area, page.BackHref = "staff", "/staff"
	}
	if fill != nil {
		fill(&page)
	}
	if err := view.Render(w, r, status, "error", page); err != nil {
		s.Log.Error("error page", "err", err)
		http.Error(w, http.StatusText(status), status)
	}
}

// logPath is the path for the log, without the secret of a private link.
func logPath(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/r/") {
		return "/r/…"
	}
	return r.URL.Path
}
