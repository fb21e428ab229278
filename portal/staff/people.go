package staff

import (
	"net/http"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/auth"
	"github.com/candor-archive/candor/portal/form"
	"github.com/candor-archive/candor/portal/i18n"
	"github.com/candor-archive/candor/portal/view"
)

// PeoplePage lists who may sign in.
type PeoplePage struct {
	view.Page
	People []candor.User
	Roles  []candor.Role
	New    candor.User
	Chosen map[candor.Role]bool
	Errors form.Errors
}

func (s *Pages) people(w http.ResponseWriter, r *http.Request) error {
	return s.showPeople(w, r, http.StatusOK, PeoplePage{})
}

func (s *Pages) showPeople(w http.ResponseWriter, r *http.Request, status int, p PeoplePage) error {
	if err := need(r, candor.MayManageUsers); err != nil {
		return err
	}
	p.Page, p.Roles = page(r, "people", "staff.people.title"), candor.Roles
	p.Wide = true
	var err error
	if p.People, err = s.Store.Users(r.Context()); err != nil {
		return err
	}
	return view.Render(w, r, status, "staff/people", p)
}

func (s *Pages) addPerson(w http.ResponseWriter, r *http.Request) error {
	if err := need(r, candor.MayManageUsers); err != nil {
		return err
	}
	if err := read(w, r); err != nil {
		return err
	}
	t := page(r, "people", "staff.people.title").T
	p := PeoplePage{New: candor.User{Name: form.Line(r, "name"), Email: form.Line(r, "email"), Language: form.Line(r, "language")}, Chosen: map[candor.Role]bool{}}
	for _, role := range candor.Roles {
		for _, x := range r.PostForm["role"] {
			if x == string(role) {
				p.New.Roles, p.Chosen[role] = append(p.New.Roles, role), true
			}
		}
	}
	if p.New.Name == "" || form.Longer(p.New.Name, 200) {
		p.Errors.Add("name", t("staff.field.name"))
	}
	if !form.Email(p.New.Email) {
		p.Errors.Add("email", t("desk.field.email"))
	}
	if len(p.New.Roles) == 0 {
		p.Errors.Add("role", t("desk.field.choice"))
	}
	if !i18n.Known(p.New.Language) {
		p.New.Language = i18n.Languages[0]
	}
	password := r.PostFormValue("password")
	if err := auth.CheckPassword(password, p.New.Email); err != nil {
		p.Errors.Add("password", t(err.Error(), "Min", auth.MinPassword))
	}
	if len(p.Errors) == 0 {
		u := newUser(p.New.Email, p.New.Name, p.New.Roles, password, p.New.Language, candor.Moment(s.Now()))
		err := s.Store.CreateUser(r.Context(), u, principal(r).UserID)
		if err == nil {
			return done(w, r, "/staff/people", "staff.flash.person_added")
		}
		if !candor.IsKind(err, candor.Conflict) {
			return err
		}
		p.Errors.Add("email", t("staff.people.exists"))
	}
	return s.showPeople(w, r, http.StatusUnprocessableEntity, p)
}

func (s *Pages) disablePerson(w http.ResponseWriter, r *http.Request) error {
	return s.setDisabled(w, r, true, "staff.flash.person_disabled")
}

func (s *Pages) enablePerson(w http.ResponseWriter, r *http.Request) error {
	return s.setDisabled(w, r, false, "staff.flash.person_enabled")
}

func (s *Pages) setDisabled(w http.ResponseWriter, r *http.Request, disabled bool, flash string) error {
	if err := need(r, candor.MayManageUsers); err != nil {
		return err
	}
	id := r.PathValue("id")
	// Nobody locks themselves out: so there is always an administrator left.
	if id == principal(r).UserID {
		return candor.Errorf(candor.Conflict, "you cannot disable your own account")
	}
	if err := s.Store.SetUserDisabled(r.Context(), id, disabled, principal(r).UserID); err != nil {
		return err
	}
	return done(w, r, "/staff/people", flash)
}
