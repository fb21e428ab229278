package staff

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

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
	p := SourcesPage{Minutes: form.Line(r, "minutes"), New: candor.Source{ID: candor.NewID(), Kind: candor.SourceKind(form.Line(r, "kind")), Name: form.Line(r, "name"),
		URL: form.Line(r, "url"), APIURL: strings.TrimRight(form.Line(r, "api_url"), "/"), Language: form.Line(r, "language"), Department: form.Line(r, "department"),
		Public: r.PostFormValue("public") == "yes", CreatedAt: candor.Moment(s.Now())}}
	token := form.Line(r, "token")
	t := page(r, "sources", "staff.sources.title").T
	if !p.New.Kind.Valid() {
		p.Errors.Add("kind", t("desk.field.choice"))
	}
	if p.New.Name == "" || form.Longer(p.New.Name, 200) {
		p.Errors.Add("name", t("staff.field.name"))
	}
	if !webAddress(p.New.URL) {
		p.Errors.Add("url", t("staff.sources.url_error"))
	}
	if p.New.APIURL != "" && !webAddress(p.New.APIURL) {
		p.Errors.Add("api_url", t("staff.sources.url_error"))
	}
	if p.New.Kind.NeedsToken() && token == "" {
		p.Errors.Add("token", t("staff.sources.token_error"))
	}
	if form.Longer(token, 2000) {
		p.Errors.Add("token", t("desk.field.too_long", "Max", 2000))
	}
	if form.Longer(p.New.Department, 200) {
		p.Errors.Add("department", t("desk.field.too_long", "Max", 200))
	}
	if p.New.Language != "" && p.New.Language != "en" && p.New.Language != "es" {
		p.Errors.Add("language", t("desk.field.choice"))
	}
	minutes, err := strconv.Atoi(p.Minutes)
	if err != nil || minutes < 1 || minutes > 7*24*60 {
		p.Errors.Add("minutes", t("staff.sources.minutes_error"))
	}
	p.New.Every = time.Duration(minutes) * time.Minute
	if len(p.Errors) > 0 {
		return s.showSources(w, r, http.StatusUnprocessableEntity, p)
	}
	p.New.NextPollAt = p.New.CreatedAt
	if err := s.Store.AddSource(r.Context(), p.New, token, principal(r).UserID); err != nil {
		return err
	}
	return done(w, r, "/staff/sources", "staff.flash.source_added")
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
	if err := do(r.Context(), r.PathValue("id"), principal(r).UserID); err != nil {
		return err
	}
	return done(w, r, "/staff/sources", flash)
}
