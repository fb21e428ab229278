package staff

import (
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/auth"
	"github.com/candor-archive/candor/portal/form"
	"github.com/candor-archive/candor/portal/law"
	"github.com/candor-archive/candor/portal/view"
)

// SetupPage makes the agency and its first administrator.
type SetupPage struct {
	view.Page
	Errors        form.Errors
	Token         string
	Agency        candor.Agency
	PersonName    string
	PersonEmail   string
	Jurisdictions []string
}

var shortForm = regexp.MustCompile(`^[A-Z][A-Z0-9]{1,9}$`)

func (s *Pages) setupForm(w http.ResponseWriter, r *http.Request) error {
	if !s.Setup.Open() {
		return candor.Errorf(candor.NotFound, "set-up is done")
	}
	return view.Render(w, r, http.StatusOK, "staff/setup", SetupPage{Page: plain(r, "staff.setup.title"), Token: r.URL.Query().Get("token"),
		Agency: candor.Agency{TimeZone: "America/Chicago", Jurisdiction: "us-tx"}, Jurisdictions: s.Law.Keys()})
}

func (s *Pages) setup(w http.ResponseWriter, r *http.Request) error {
	if !s.Setup.Open() {
		return candor.Errorf(candor.NotFound, "set-up is done")
	}
	if err := read(w, r); err != nil {
		return err
	}
	now := candor.Moment(s.Now())
	p := SetupPage{Page: plain(r, "staff.setup.title"), Token: form.Line(r, "token"), PersonName: form.Line(r, "person"), PersonEmail: form.Line(r, "person_email"),
		Jurisdictions: s.Law.Keys(), Agency: candor.Agency{Name: form.Line(r, "agency"), Short: strings.ToUpper(form.Line(r, "short")), Email: form.Line(r, "email"),
			Phone: form.Line(r, "phone"), Address: form.Text(r, "address"), TimeZone: form.Line(r, "zone"), Jurisdiction: form.Line(r, "law"), CreatedAt: now}}
	password := r.PostFormValue("password")
	p.Errors = p.check(s.Law, password)
	if len(p.Errors) > 0 {
		return view.Render(w, r, http.StatusUnprocessableEntity, "staff/setup", p)
	}
	err := s.Setup.Use(p.Token, func() error {
		u := newUser(p.PersonEmail, p.PersonName, []candor.Role{candor.Admin}, password, p.Lang, now)
		// The person first: an agency without anyone who can sign in would close
		// this page for good. The same person again, after a failure, is no conflict.
		if err := s.Store.CreateUser(r.Context(), u, "setup"); err != nil && !candor.IsKind(err, candor.Conflict) {
			return err
		}
		return s.Store.SaveAgency(r.Context(), p.Agency, "setup")
	})
	if candor.IsKind(err, candor.Forbidden) {
		p.Errors.Add("token", p.T("auth.setup_token"))
		return view.Render(w, r, http.StatusUnprocessableEntity, "staff/setup", p)
	}
	if err != nil {
		return err
	}
	return done(w, r, "/staff/sign-in", "staff.flash.setup_done")
}

func (p SetupPage) check(library law.Library, password string) (errs form.Errors) {
	if p.Token == "" {
		errs.Add("token", p.T("staff.field.token"))
	}
	if a := p.Agency; a.Name == "" || form.Longer(a.Name, 200) {
		errs.Add("agency", p.T("staff.field.agency"))
	}
	if !shortForm.MatchString(p.Agency.Short) {
		errs.Add("short", p.T("staff.setup.short_error"))
	}
	if !form.Email(p.Agency.Email) {
		errs.Add("email", p.T("desk.field.email"))
	}
	if form.Longer(p.Agency.Phone, 40) {
		errs.Add("phone", p.T("desk.field.too_long", "Max", 40))
	}
	if form.Longer(p.Agency.Address, 500) {
		errs.Add("address", p.T("desk.field.too_long", "Max", 500))
	}
	if _, err := time.LoadLocation(p.Agency.TimeZone); err != nil || p.Agency.TimeZone == "" || p.Agency.TimeZone == "Local" {
		errs.Add("zone", p.T("staff.setup.zone_error"))
	}
	if _, err := library.Load(p.Agency.Jurisdiction); err != nil {
		errs.Add("law", p.T("desk.field.choice"))
	}
	if p.PersonName == "" || form.Longer(p.PersonName, 200) {
		errs.Add("person", p.T("staff.field.person"))
	}
	if !form.Email(p.PersonEmail) {
		errs.Add("person_email", p.T("desk.field.email"))
	}
	if err := auth.CheckPassword(password, p.PersonEmail); err != nil {
		errs.Add("password", p.T(err.Error(), "Min", auth.MinPassword))
	}
	return errs
}

func newUser(email, name string, roles []candor.Role, password, lang string, now time.Time) candor.User {
	return candor.User{ID: candor.NewID(), Email: strings.ToLower(email), Name: name, Roles: roles,
		PasswordHash: auth.HashPassword(password), Language: lang, CreatedAt: now}
}
