package public

import (
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/desk"
	"github.com/candor-archive/candor/portal/form"
	"github.com/candor-archive/candor/portal/view"
)

// OpenLink exchanges a private link for a session, so that the link leaves the
// address bar, and leads to the requester's own page.
func (s *Pages) OpenLink(w http.ResponseWriter, r *http.Request) error {
	req, err := s.Desk.ByLink(r.Context(), r.PathValue("secret"))
	if candor.IsKind(err, candor.NotFound) {
		page := view.TrackPage{Page: view.For(r, "link.title")}
		page.Section, page.NoIndex = "track", true
		return view.Render(w, r, http.StatusNotFound, "badlink", page)
	}
	if err != nil {
		return err
	}
	if err := s.Sessions.StartRequester(w, r, req.ID); err != nil {
		return err
	}
	http.Redirect(w, r, "/my-request", http.StatusSeeOther)
	return nil
}

// MyRequest is the requester's own page.
func (s *Pages) MyRequest(w http.ResponseWriter, r *http.Request) error {
	if view.FrameOf(r.Context()).Principal.Kind != candor.Requester {
		http.Redirect(w, r, "/track", http.StatusSeeOther)
		return nil
	}
	return s.myRequest(w, r, http.StatusOK, "", nil)
}

func (s *Pages) myRequest(w http.ResponseWriter, r *http.Request, status int, draft string, errs form.Errors) error {
	f, err := s.Desk.Follow(r.Context(), view.FrameOf(r.Context()).Principal)
	if err != nil {
		return err
	}
	page := view.FollowPage{Page: view.For(r, "follow.title", "Number", f.Request.Number), Request: f.Request, Next: f.Next, Due: f.Due,
		Messages: f.Messages, Draft: draft, Errors: errs, CanSay: can(f.Request, candor.EvMessageIn), CanStop: can(f.Request, candor.EvWithdrawn)}
	page.Section, page.NoIndex, page.SwitchForm = "track", true, "say"
	page.Late = f.Due != nil && f.Due.Late(f.Today)
	for _, m := range f.Milestones {
		page.Milestones = append(page.Milestones, view.Milestone{ID: m.ID, State: m.State, At: m.At})
	}
	for _, set := range f.Released {
		v := view.Released{Release: set.Release, Bundle: "/my-request/bundles/" + set.Production.ID, Size: set.Production.BundleSize, SHA: set.Production.BundleSHA}
		for _, it := range set.Items {
			v.Items = append(v.Items, view.ReleasedFile{ProductionItem: it, Href: "/my-request/files/" + it.ID})
		}
		page.Released = append(page.Released, v)
	}
	return view.Render(w, r, status, "follow", page)
}

func can(r candor.Request, kind candor.EventKind) bool {
	_, err := r.Step(kind)
	return err == nil
}

// Dates explains day by day how every date was computed.
func (s *Pages) Dates(w http.ResponseWriter, r *http.Request) error {
	f, err := s.Desk.Follow(r.Context(), view.FrameOf(r.Context()).Principal)
	if err != nil {
		return err
	}
	page := view.DatesPage{Page: view.For(r, "dates.title"), Request: f.Request, Clocks: f.Clocks, Today: f.Today}
	page.Section, page.NoIndex = "track", true
	return view.Render(w, r, http.StatusOK, "dates", page)
}

// Say sends a message to the staff.
func (s *Pages) Say(w http.ResponseWriter, r *http.Request) error {
	if err := form.Parse(w, r, form.Limit); err != nil {
		return err
	}
	frame := view.FrameOf(r.Context())
	body := form.Text(r, "body")
	if lang := form.Line(r, "lang"); lang != "" {
		return s.myRequest(w, view.SwitchLanguage(w, r, lang), http.StatusOK, body, nil)
	}
	err := s.Desk.Say(r.Context(), frame.Principal, body)
	if f := desk.Field(err); f != nil {
		return s.myRequest(w, r, http.StatusUnprocessableEntity, body, form.Errors{{Field: f.Field, Text: problem(frame.Lang, f)}})
	}
	if err != nil {
		return err
	}
	view.SetFlash(w, view.Flash{Kind: "success", ID: "follow.said"})
	http.Redirect(w, r, "/my-request", http.StatusSeeOther)
	return nil
}

// AskWithdraw asks whether they are sure.
func (s *Pages) AskWithdraw(w http.ResponseWriter, r *http.Request) error {
	return s.withdrawPage(w, r, http.StatusOK, "", nil)
}

func (s *Pages) withdrawPage(w http.ResponseWriter, r *http.Request, status int, reason string, errs form.Errors) error {
	f, err := s.Desk.Follow(r.Context(), view.FrameOf(r.Context()).Principal)
	if err != nil {
		return err
	}
	if !can(f.Request, candor.EvWithdrawn) {
		return candor.Errorf(candor.Conflict, "request %s cannot be withdrawn at stage %s", f.Request.Number, f.Request.Stage)
	}
	page := view.WithdrawPage{Page: view.For(r, "withdraw.title"), Request: f.Request, Reason: reason, Errors: errs}
	page.Section, page.NoIndex = "track", true
	return view.Render(w, r, status, "withdraw", page)
}

// Withdraw ends the request at its requester's wish.
func (s *Pages) Withdraw(w http.ResponseWriter, r *http.Request) error {
	if err := form.Parse(w, r, form.Limit); err != nil {
		return err
	}
	frame := view.FrameOf(r.Context())
	reason := form.Text(r, "reason")
	err := s.Desk.Withdraw(r.Context(), frame.Principal, reason)
	if f := desk.Field(err); f != nil {
		return s.withdrawPage(w, r, http.StatusUnprocessableEntity, reason, form.Errors{{Field: f.Field, Text: problem(frame.Lang, f)}})
	}
	if err != nil {
		return err
	}
	view.SetFlash(w, view.Flash{Kind: "success", ID: "withdraw.done"})
	http.Redirect(w, r, "/my-request", http.StatusSeeOther)
	return nil
}

// ReleasedFile sends one released file to its requester.
func (s *Pages) ReleasedFile(w http.ResponseWriter, r *http.Request) error {
	body, item, err := s.Desk.OpenReleased(r.Context(), view.FrameOf(r.Context()).Principal, r.PathValue("item"))
	if err != nil {
		return err
	}
	defer body.Close()
	download(w, r, body, item.Name, item.SHA)
	return nil
}

// Bundle sends everything of one release as one file.
func (s *Pages) Bundle(w http.ResponseWriter, r *http.Request) error {
	body, name, _, err := s.Desk.OpenBundle(r.Context(), view.FrameOf(r.Context()).Principal, r.PathValue("production"))
	if err != nil {
		return err
	}
	defer body.Close()
	download(w, r, body, name, "")
	return nil
}

// download sends bytes as a file to keep: never shown in the page's origin,
// whatever they are.
func download(w http.ResponseWriter, r *http.Request, body io.ReadSeeker, name, sha string) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "private, no-store")
	if sha != "" {
		h.Set("ETag", `"`+sha+`"`)
	}
	http.ServeContent(w, r, "", time.Time{}, body)
}
