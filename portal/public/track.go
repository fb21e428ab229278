package public

import (
	"net/http"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/form"
	"github.com/candor-archive/candor/portal/i18n"
	"github.com/candor-archive/candor/portal/view"
)

// Track asks for number and email to send a fresh private link.
func (s *Pages) Track(w http.ResponseWriter, r *http.Request) error {
	return s.trackPage(w, r, http.StatusOK, view.TrackPage{Number: strings.TrimSpace(r.URL.Query().Get("number"))})
}

func (s *Pages) trackPage(w http.ResponseWriter, r *http.Request, status int, page view.TrackPage) error {
	page.Page = view.For(r, "track.title")
	page.Section, page.SwitchForm = "track", "track"
	if page.Sent {
		page.SwitchForm = ""
	}
	return view.Render(w, r, status, "track", page)
}

// SendLink mails a fresh private link. The answer is the same whether number
// and email belong to a request or not.
func (s *Pages) SendLink(w http.ResponseWriter, r *http.Request) error {
	if err := form.Parse(w, r, form.Limit); err != nil {
		return err
	}
	page := view.TrackPage{Number: form.Line(r, "number"), Email: form.Line(r, "email")}
	if lang := form.Line(r, "lang"); i18n.Known(lang) {
		return s.trackPage(w, view.SwitchLanguage(w, r, lang), http.StatusOK, page)
	}
	lang := view.FrameOf(r.Context()).Lang
	if page.Number == "" || form.Longer(page.Number, 40) {
		page.Errors.Add("number", i18n.T(lang, "track.error.number"))
	}
	if !form.Email(page.Email) {
		page.Errors.Add("email", i18n.T(lang, "track.error.email"))
	}
	if len(page.Errors) > 0 {
		return s.trackPage(w, r, http.StatusUnprocessableEntity, page)
	}
	if err := s.Desk.SendFreshLink(r.Context(), page.Number, page.Email); err != nil && !candor.IsKind(err, candor.Invalid) {
		return err
	}
	page.Sent = true
	return s.trackPage(w, r, http.StatusOK, page)
}

// Request is what everyone may know of a request: the agency's summary when it
// wrote one, and otherwise a page that is the same for every number.
func (s *Pages) Request(w http.ResponseWriter, r *http.Request) error {
	number := r.PathValue("number")
	page := view.PublicRequestPage{Page: view.For(r, "request.title", "Number", number), Number: number}
	var err error
	page.Request, err = s.Archive.Request(r.Context(), number)
	if err != nil && !candor.IsKind(err, candor.NotFound) {
		return err
	}
	page.NoIndex = err != nil
	return view.Render(w, r, http.StatusOK, "request", page)
}
