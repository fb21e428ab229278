package public

import (
	"net/http"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/desk"
	"github.com/candor-archive/candor/portal/form"
	"github.com/candor-archive/candor/portal/i18n"
	"github.com/candor-archive/candor/portal/view"
)

// Asking for a record goes in four steps that are one form: what was typed in
// the earlier ones travels along as hidden fields. So nothing about a person is
// kept before they send, going back and changing the language lose nothing, and
// there is no time limit.
const (
	stepWords = iota + 1
	stepFound
	stepContact
	stepReview
)

// Ask opens the first step. ?about= names the record they were looking at.
func (s *Pages) Ask(w http.ResponseWriter, r *http.Request) error {
	draft := view.Draft{ID: candor.NewID(), About: r.URL.Query().Get("about")}
	if words := strings.TrimSpace(r.URL.Query().Get("text")); !form.Longer(words, 400) {
		draft.Text = words // a search that found nothing hands its words on
	}
	return s.askStep(w, r, http.StatusOK, stepWords, draft, nil)
}

// SubmitAsk takes a step's form: checks it, and shows the next step, the one
// asked for, or the same one again.
func (s *Pages) SubmitAsk(w http.ResponseWriter, r *http.Request) error {
	if err := form.Parse(w, r, form.Limit); err != nil {
		return err
	}
	draft := view.Draft{
		ID: form.Line(r, "draft"), Text: form.Text(r, "text"), About: form.Line(r, "about"), Name: form.Line(r, "name"),
		Email: form.Line(r, "email"), Phone: form.Line(r, "phone"), Postal: form.Text(r, "postal"),
	}
	step := stepWords
	switch form.Line(r, "step") {
	case "2":
		step = stepFound
	case "3":
		step = stepContact
	case "4":
		step = stepReview
	}
	if lang := form.Line(r, "lang"); i18n.Known(lang) {
		return s.askStep(w, view.SwitchLanguage(w, r, lang), http.StatusOK, step, draft, nil)
	}
	switch form.Line(r, "go") {
	case "1":
		return s.askStep(w, r, http.StatusOK, stepWords, draft, nil)
	case "2":
		return s.askStep(w, r, http.StatusOK, stepFound, draft, nil)
	case "3":
		return s.askStep(w, r, http.StatusOK, stepContact, draft, nil)
	case "answered":
		return s.answered(w, r, draft)
	case "send":
		return s.send(w, r, draft)
	}
	lang := view.FrameOf(r.Context()).Lang
	if errs := checkWords(lang, draft); len(errs) > 0 {
		return s.askStep(w, r, http.StatusUnprocessableEntity, stepWords, draft, errs)
	}
	if step >= stepContact {
		if errs := checkContact(lang, draft); len(errs) > 0 {
			return s.askStep(w, r, http.StatusUnprocessableEntity, stepContact, draft, errs)
		}
	}
	return s.askStep(w, r, http.StatusOK, min(step+1, stepReview), draft, nil)
}

func checkWords(lang string, d view.Draft) form.Errors {
	var e form.Errors
	switch {
	case d.Text == "":
		e.Add("text", i18n.T(lang, "ask.error.text"))
	case form.Longer(d.Text, desk.MaxText):
		e.Add("text", i18n.T(lang, "ask.error.long", "Count", desk.MaxText))
	}
	return e
}

func checkContact(lang string, d view.Draft) form.Errors {
	var e form.Errors
	if d.Email != "" && !form.Email(d.Email) {
		e.Add("email", i18n.T(lang, "ask.error.email"))
	}
	for _, f := range []struct {
		field, value string
		most         int
	}{{"phone", d.Phone, desk.MaxPhone}, {"postal", d.Postal, desk.MaxPostal}, {"name", d.Name, desk.MaxName}} {
		if form.Longer(f.value, f.most) {
			e.Add(f.field, i18n.T(lang, "ask.error.long", "Count", f.most))
		}
	}
	return e
}

// askStep shows one step.
func (s *Pages) askStep(w http.ResponseWriter, r *http.Request, status, step int, d view.Draft, errs form.Errors) error {
	page := view.AskPage{Page: view.For(r, "ask.title."+string(rune('0'+step))), Step: step, Draft: d, Errors: errs, Max: desk.MaxText}
	page.Section, page.SwitchForm, page.NoIndex = "ask", "ask", true
	if len(errs) > 0 {
		page.Title = page.T("ask.title.error", "Title", page.Title)
	}
	var err error
	if page.About, err = s.about(r, d.About); err != nil {
		return err
	}
	if page.About == nil {
		page.Draft.About = ""
	}
	if step == stepFound {
		if page.Hits, page.Total, err = s.answers(r, d); err != nil {
			return err
		}
	}
	return view.Render(w, r, status, "ask", page)
}

// about finds the record a person was looking at, or nil when it is not one
// that everyone may see or has seen.
func (s *Pages) about(r *http.Request, id string) (*view.Hit, error) {
	if id == "" {
		return nil, nil
	}
	v, err := s.Archive.Record(r.Context(), id)
	if candor.IsKind(err, candor.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	hit := toHit(candor.Hit{Record: v.Record, Source: v.Source}, "")
	if v.Record.Visibility == candor.Public && len(v.Revisions) > 0 {
		hit.Snippet = v.Revisions[0].Text
	}
	return &hit, nil
}

// answers searches the public archive for what they ask for. People write
// sentences, and a search wants every word: so shorter and shorter choices of
// their words are tried until something is found.
func (s *Pages) answers(r *http.Request, d view.Draft) ([]view.Hit, int, error) {
	for _, text := range searches(d.Text) {
		found, err := s.Archive.Search(r.Context(), candor.Query{Text: text, Visibility: candor.Public, PerPage: 6, Page: 1})
		if candor.IsKind(err, candor.Invalid) {
			continue // words that make no search
		}
		if err != nil {
			return nil, 0, err
		}
		if found.Total > 0 {
			return hits(r, found.Hits), found.Total, nil
		}
	}
	return nil, 0, nil
}

// answered thanks a person whom the archive already helped. It is counted in
// the log; nothing about the person or their words is.
func (s *Pages) answered(w http.ResponseWriter, r *http.Request, d view.Draft) error {
	list, _, err := s.answers(r, d)
	if err != nil {
		return err
	}
	s.Log.Info("a request was answered by the public archive", "records", len(list))
	page := view.AnsweredPage{Page: view.For(r, "answered.title"), Hits: list, Origin: s.BaseURL}
	page.Section, page.NoIndex = "ask", true
	return view.Render(w, r, http.StatusOK, "answered", page)
}

// send files the request and redirects to the receipt.
func (s *Pages) send(w http.ResponseWriter, r *http.Request, d view.Draft) error {
	frame := view.FrameOf(r.Context())
	if errs := checkWords(frame.Lang, d); len(errs) > 0 {
		return s.askStep(w, r, http.StatusUnprocessableEntity, stepWords, d, errs)
	}
	if errs := checkContact(frame.Lang, d); len(errs) > 0 {
		return s.askStep(w, r, http.StatusUnprocessableEntity, stepContact, d, errs)
	}
	got, err := s.receipts.once(d.ID, func() (receipt, error) {
		rec, err := s.Desk.File(r.Context(), frame.Principal, desk.FilingInput{
			Text: d.Text, AboutID: d.About, Name: d.Name, Email: d.Email, Phone: d.Phone, Postal: d.Postal, Language: frame.Lang,
		})
		if err != nil {
			return receipt{}, err
		}
		got := receipt{ID: rec.Request.ID, Number: rec.Request.Number, Secret: rec.Secret, Due: rec.Due}
		if rec.Mailed {
			got.Email = rec.Request.Email
		}
		got.Unmailed = rec.Request.Email != "" && !rec.Mailed
		return got, nil
	})
	if f := desk.Field(err); f != nil {
		step := stepContact
		if f.Field == "text" {
			step = stepWords
		}
		return s.askStep(w, r, http.StatusUnprocessableEntity, step, d, form.Errors{{Field: f.Field, Text: problem(frame.Lang, f)}})
	}
	if err != nil {
		return err
	}
	if err := s.Sessions.StartRequester(w, r, got.ID); err != nil {
		// The request is filed and the receipt's link opens it: never tell a
		// person that it failed.
		s.Log.Warn("start session after filing", "request", got.ID, "err", err)
	}
	if err := s.receipts.leave(w, got); err != nil {
		return err
	}
	http.Redirect(w, r, "/requests/sent", http.StatusSeeOther)
	return nil
}

// problem says what the desk found wrong with a field.
func problem(lang string, f *desk.FieldError) string {
	return i18n.T(lang, f.Problem, "Count", f.Max, "Max", f.Max)
}
