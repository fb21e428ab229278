package staff

import (
	"net/http"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/auth"
	"github.com/candor-archive/candor/portal/form"
	"github.com/candor-archive/candor/portal/view"
)

// SignInPage asks who you are.
type SignInPage struct {
	view.Page
	Email   string
	Next    string
	Problem string // message id
}

func (s *Pages) signInForm(w http.ResponseWriter, r *http.Request) error {
	next := inside(r.URL.Query().Get("next"))
	if principal(r).Kind == candor.Staff {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	if s.Setup.Open() {
		http.Redirect(w, r, "/setup", http.StatusSeeOther)
		return nil
	}
	return view.Render(w, r, http.StatusOK, "staff/signin", SignInPage{Page: plain(r, "staff.signin.title"), Next: next})
}

func plain(r *http.Request, title string) view.Page {
	p := page(r, "", title)
	p.Area = "plain"
	return p
}

func (s *Pages) signIn(w http.ResponseWriter, r *http.Request) error {
	if err := read(w, r); err != nil {
		return err
	}
	p := SignInPage{Page: plain(r, "staff.signin.title"), Email: form.Line(r, "email"), Next: inside(form.Line(r, "next"))}
	// The password is taken as it was typed: blanks belong to it.
	u, err := auth.SignIn(r.Context(), s.Store, p.Email, r.PostFormValue("password"), s.From(r), s.Now())
	status := http.StatusUnprocessableEntity
	switch {
	case err == auth.ErrRefused:
		p.Problem = "auth.refused"
	case err == auth.ErrTooMany:
		p.Problem, status = "auth.too_many", http.StatusTooManyRequests
	case err != nil:
		return err
	default:
		if err := s.Sessions.StartStaff(w, r, u); err != nil {
			return err
		}
		http.Redirect(w, r, p.Next, http.StatusSeeOther)
		return nil
	}
	return view.Render(w, r, status, "staff/signin", p)
}

func (s *Pages) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.Sessions.End(w, r); err != nil {
		return err
	}
	return done(w, r, "/staff/sign-in", "staff.flash.signed_out")
}
