package staff

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/form"
	"github.com/candor-archive/candor/portal/view"
)

// SourcesPage lists the accounts and sites in our charge, with their health.
type SourcesPage struct {
	view.Page
	Sources []candor.Source
	Manage  bool
	Poll    bool
	New     candor.Source
	Minutes string
	Kinds   []candor.SourceKind
	Errors  form.Errors
	Said    string // why a platform refused, in its own words
}

func (s *Pages) sources(w http.ResponseWriter, r *http.Request) error {
	return s.showSources(w, r, http.StatusOK, SourcesPage{New: candor.Source{Kind: candor.SourceFacebook, Public: true}, Minutes: "15"})
}

func (s *Pages) showSources(w http.ResponseWriter, r *http.Request, status int, p SourcesPage) error {
	if err := need(r, candor.MaySearchAll); err != nil {
		return err
	}
	p.Page = page(r, "sources", "staff.sources.title")
	p.Wide = true
	p.Manage = candor.Allow(p.Principal, candor.MayManageSources, candor.Target{})
	p.Poll = candor.Allow(p.Principal, candor.MayRunCapture, candor.Target{})
	p.Kinds = candor.SourceKinds
	var err error
	if p.Sources, err = s.Store.Sources(r.Context()); err != nil {
		return err
	}
	return view.Render(w, r, status, "staff/sources", p)
}

func (s *Pages) addSource(w http.ResponseWriter, r *http.Request) error {
	if err := need(r, candor.MayManageSources); err != nil {
		return err
	}
	if err := read(w, r); err != nil {
		return err
	}
	p := SourcesPage{Page: page(r, "sources", "staff.sources.title"), Minutes: form.Line(r, "minutes"), New: sourceForm(r)}
	p.New.ID, p.New.CreatedAt, p.New.Kind = candor.NewID(), candor.Moment(s.Now()), candor.SourceKind(form.Line(r, "kind"))
	p.New.URL, p.New.APIURL = form.Line(r, "url"), strings.TrimRight(form.Line(r, "api_url"), "/")
	p.New.TokenExpires = candor.Date(form.Line(r, "expires"))
	token := form.Line(r, "token")
	if !p.New.Kind.Valid() {
		p.Errors.Add("kind", p.T("desk.field.choice"))
	}
	if !webAddress(p.New.URL) {
		p.Errors.Add("url", p.T("staff.sources.url_error"))
	}
	if p.New.APIURL != "" && !webAddress(p.New.APIURL) {
		p.Errors.Add("api_url", p.T("staff.sources.url_error"))
	}
	if p.New.Kind.NeedsToken() && token == "" {
		p.Errors.Add("token", p.T("staff.sources.token_error"))
	}
	if form.Longer(token, maxToken) {
		p.Errors.Add("token", p.T("desk.field.too_long", "Max", maxToken))
	}
	if x := p.New.TokenExpires; x != "" && (!x.Valid() || x < candor.DateOf(s.Now(), p.Zone)) {
		p.Errors.Add("expires", p.T("desk.field.date"))
	}
	p.Errors = append(p.Errors, checkSource(p.Page, &p.New, p.Minutes)...)
	if !p.New.Kind.TakesToken() {
		token = "" // typed into a form that shows the field for every kind
	}
	if token == "" {
		p.New.TokenExpires = ""
	}
	if len(p.Errors) == 0 && token != "" {
		a, err := s.ask(r, p.New, token)
		if err != nil {
			return err
		}
		if a.Why != "" {
			p.Errors.Add("token", a.in(p.Page))
			p.Said = a.Said
		}
	}
	if len(p.Errors) > 0 {
		return s.showSources(w, r, http.StatusUnprocessableEntity, p)
	}
	p.New.NextPollAt = p.New.CreatedAt
	if err := s.Store.AddSource(r.Context(), p.New, token, principal(r).UserID); err != nil {
		return err
	}
	return done(w, r, "/staff/sources/"+p.New.ID, "staff.flash.source_added")
}

func webAddress(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && len(raw) <= 2000
}

func (s *Pages) pauseSource(w http.ResponseWriter, r *http.Request) error {
	return s.changeSource(w, r, candor.MayManageSources, "staff.flash.source_paused", func(ctx context.Context, id, by string) error {
		return s.Store.SetSourcePaused(ctx, id, true, by)
	})
}

func (s *Pages) resumeSource(w http.ResponseWriter, r *http.Request) error {
	return s.changeSource(w, r, candor.MayManageSources, "staff.flash.source_resumed", func(ctx context.Context, id, by string) error {
		return s.Store.SetSourcePaused(ctx, id, false, by)
	})
}

func (s *Pages) pollSource(w http.ResponseWriter, r *http.Request) error {
	return s.changeSource(w, r, candor.MayRunCapture, "staff.flash.source_polled", func(ctx context.Context, id, _ string) error {
		return s.Store.PollNow(ctx, id)
	})
}

func (s *Pages) changeSource(w http.ResponseWriter, r *http.Request, needs candor.Permission, flash string, do func(ctx context.Context, id, by string) error) error {
	if err := need(r, needs); err != nil {
		return err
	}
	if err := read(w, r); err != nil {
		return err
	}
	if err := do(r.Context(), r.PathValue("id"), principal(r).UserID); err != nil {
		return err
	}
	to := "/staff/sources"
	if r.PostFormValue("back") == "source" {
		to += "/" + r.PathValue("id")
	}
	return done(w, r, to, flash)
}
