package staff

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/form"
	"github.com/candor-archive/candor/portal/view"
)

// SourcePage is one source: what it is, how it stands, and what staff may
// change of it.
type SourcePage struct {
	view.Page
	Source   candor.Source
	Account  *candor.Account // nil: it was never read
	Trouble  *candor.Trouble // nil: none lasts
	SetBy    string          // who set the access token, in words; empty when that is not known
	Manage   bool
	Poll     bool
	Managers []string      // the names of those who may manage sources, for a reader who may not
	Edit     candor.Source // as typed
	Minutes  string
	Expires  string
	Errors   form.Errors
	Asked    *asked // what the platform answered just now
}

func (s *Pages) source(w http.ResponseWriter, r *http.Request) error {
	p, err := s.sourcePage(r)
	if err != nil {
		return err
	}
	return view.Render(w, r, http.StatusOK, "staff/source", p)
}

func (s *Pages) sourcePage(r *http.Request) (SourcePage, error) {
	if err := need(r, candor.MaySearchAll); err != nil {
		return SourcePage{}, err
	}
	src, err := s.Store.Source(r.Context(), r.PathValue("id"))
	if err != nil {
		return SourcePage{}, err
	}
	p := SourcePage{Page: page(r, "sources", "source.title", "Name", src.Name), Source: src, Edit: src, Minutes: minutes(src.Every), Expires: string(src.TokenExpires)}
	p.Manage = candor.Allow(p.Principal, candor.MayManageSources, candor.Target{})
	p.Poll = candor.Allow(p.Principal, candor.MayRunCapture, candor.Target{})
	if src.AccountID != "" {
		account, err := s.Store.Account(r.Context(), src.AccountID)
		if err != nil {
			return p, err
		}
		p.Account = &account
	}
	troubles, err := s.Store.Troubles(r.Context())
	if err != nil {
		return p, err
	}
	for i, t := range troubles {
		if t.SourceID == src.ID {
			p.Trouble = &troubles[i]
		}
	}
	people, err := s.Store.Users(r.Context())
	if err != nil {
		return p, err
	}
	p.SetBy = src.TokenSetBy
	for _, u := range people {
		if u.ID == src.TokenSetBy {
			p.SetBy = u.Name
		}
		if !p.Manage && !u.Disabled && candor.Allow(u.Principal(), candor.MayManageSources, candor.Target{}) {
			p.Managers = append(p.Managers, u.Name)
		}
	}
	return p, nil
}

// updateSource changes what a source is called, whose it is and how often it is
// visited.
func (s *Pages) updateSource(w http.ResponseWriter, r *http.Request) error {
	p, err := s.changing(w, r)
	if err != nil {
		return err
	}
	every := p.Edit.Every
	p.Edit = sourceForm(r)
	p.Edit.ID, p.Edit.TokenExpires = p.Source.ID, p.Source.TokenExpires
	shown := p.Minutes
	p.Minutes = form.Line(r, "minutes")
	p.Errors = checkSource(p.Page, &p.Edit, p.Minutes)
	if p.Minutes == shown {
		p.Edit.Every = every // which need not be whole minutes
	}
	if len(p.Errors) > 0 {
		return view.Render(w, r, http.StatusUnprocessableEntity, "staff/source", p)
	}
	if err := s.Store.UpdateSource(r.Context(), p.Edit, p.Principal.UserID); err != nil {
		return err
	}
	return done(w, r, "/staff/sources/"+p.Source.ID, "source.flash.changed")
}

// changing begins a change of the source that the address names.
func (s *Pages) changing(w http.ResponseWriter, r *http.Request) (SourcePage, error) {
	if err := need(r, candor.MayManageSources); err != nil {
		return SourcePage{}, err
	}
	if err := read(w, r); err != nil {
		return SourcePage{}, err
	}
	return s.sourcePage(r)
}

// testSource asks the platform who the account is, with the token that is kept.
func (s *Pages) testSource(w http.ResponseWriter, r *http.Request) error {
	p, err := s.changing(w, r)
	if err != nil {
		return err
	}
	if p.Asked, err = s.ask(r, p.Source, ""); err != nil {
		return err
	}
	p.Asked.compare(p.Account)
	return view.Render(w, r, http.StatusOK, "staff/source", p)
}

// replaceToken gives a source another access token, once the platform has said
// that it reads the account the source has been archiving. Without a token it
// changes the day the present one ends.
func (s *Pages) replaceToken(w http.ResponseWriter, r *http.Request) error {
	p, err := s.changing(w, r)
	if err != nil {
		return err
	}
	token := form.Line(r, "token")
	p.Expires = form.Line(r, "expires")
	expires := candor.Date(p.Expires)
	if p.Expires != "" && (!expires.Valid() || expires != p.Source.TokenExpires && expires < candor.DateOf(s.Now(), p.Zone)) {
		p.Errors.Add("expires", p.T("desk.field.date"))
	}
	switch {
	case form.Longer(token, maxToken):
		p.Errors.Add("token", p.T("desk.field.too_long", "Max", maxToken))
	case token == "" && (p.Source.TokenSetAt.IsZero() || expires == p.Source.TokenExpires):
		p.Errors.Add("token", p.T("source.token.missing"))
	}
	if len(p.Errors) == 0 && token == "" {
		x := p.Source
		x.TokenExpires = expires
		if err := s.Store.UpdateSource(r.Context(), x, p.Principal.UserID); err != nil {
			return err
		}
		return done(w, r, "/staff/sources/"+x.ID+"#token", "source.flash.changed")
	}
	if len(p.Errors) == 0 {
		if p.Asked, err = s.ask(r, p.Source, token); err != nil {
			return err
		}
		p.Asked.compare(p.Account)
		if p.Asked.Why != "" {
			p.Errors.Add("token", p.Asked.in(p.Page))
		}
	}
	if len(p.Errors) > 0 {
		return view.Render(w, r, http.StatusUnprocessableEntity, "staff/source", p)
	}
	if err := s.Store.SetSourceToken(r.Context(), p.Source.ID, token, expires, p.Asked.Who, p.Principal.UserID); err != nil {
		return err
	}
	view.SetFlash(w, view.Flash{Kind: "success", ID: "source.flash.token", Data: map[string]string{"Who": p.Asked.Who.Name}})
	http.Redirect(w, r, "/staff/sources/"+p.Source.ID+"#token", http.StatusSeeOther)
	return nil
}

// maxToken is how many characters an access token has at most.
const maxToken = 4000

// sourceForm reads the fields of a source that may be changed later, too.
func sourceForm(r *http.Request) candor.Source {
	return candor.Source{Name: form.Line(r, "name"), Language: form.Line(r, "language"), Department: form.Line(r, "department"),
		Owner: strings.ToLower(form.Line(r, "owner")), Public: r.PostFormValue("public") == "yes"}
}

// checkSource says what is wrong with those fields, and puts the minutes into
// the source.
func checkSource(p view.Page, x *candor.Source, minutes string) (bad form.Errors) {
	if x.Name == "" || form.Longer(x.Name, 200) {
		bad.Add("name", p.T("staff.field.name"))
	}
	if form.Longer(x.Department, 200) {
		bad.Add("department", p.T("desk.field.too_long", "Max", 200))
	}
	if x.Language != "" && x.Language != "en" && x.Language != "es" {
		bad.Add("language", p.T("desk.field.choice"))
	}
	if x.Owner != "" && !form.Email(x.Owner) {
		bad.Add("owner", p.T("desk.field.email"))
	}
	n, err := strconv.Atoi(minutes)
	if err != nil || n < 1 || n > 7*24*60 {
		bad.Add("minutes", p.T("staff.sources.minutes_error"))
	}
	x.Every = time.Duration(n) * time.Minute
	return bad
}

// minutes writes a time between visits for the form, part of a minute as one.
func minutes(every time.Duration) string {
	return strconv.Itoa(int((every + time.Minute - 1) / time.Minute))
}

// askLimit is how long a platform may take to say who an account is.
const askLimit = 10 * time.Second

// asked is what a platform answered when it was asked who an account is.
type asked struct {
	Who  candor.Account
	Why  string // message id of why it did not tell, or why that will not do; empty: all is well
	Was  string // with another account: the name of the one that is archived
	Said string // the refusal in the words of the platform or of the program
}

// in words it for the reader.
func (a *asked) in(p view.Page) string {
	return p.T(a.Why, "Who", a.Who.Name, "Was", a.Was, "Seconds", int(askLimit/time.Second))
}

// Words is why the access does not work, in the reader's language.
func (p SourcePage) Words() string { return p.Asked.in(p.Page) }

// compare holds who answered against the account that has been archived.
func (a *asked) compare(known *candor.Account) {
	if a.Why == "" && known != nil && known.PlatformID != a.Who.PlatformID {
		a.Why, a.Was = "source.refused.other", known.Name
	}
}

// ask asks the platform who the account of a source is. It makes this server
// fetch an address, so it takes limited time, and each person can ask for one
// such thing at a time.
func (s *Pages) ask(r *http.Request, src candor.Source, token string) (*asked, error) {
	if s.Access == nil || !src.Kind.IsAccount() {
		return nil, candor.Errorf(candor.Invalid, "there is no account that can be asked for")
	}
	me := principal(r).UserID
	if _, busy := s.asking.LoadOrStore(me, true); busy {
		return &asked{Why: "source.refused.busy"}, nil
	}
	defer s.asking.Delete(me)
	ctx, cancel := context.WithTimeout(r.Context(), askLimit)
	defer cancel()
	who, err := s.Access(ctx, src, token)
	var refused *candor.AccessError
	switch {
	case err == nil:
		return &asked{Who: who}, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &asked{Why: "source.refused.slow"}, nil
	case errors.As(err, &refused):
		a := &asked{Why: "source.refused." + string(refused.Reason), Said: refused.Said}
		switch refused.Reason {
		case candor.GapToken, candor.GapAccess, candor.GapThrottled:
		default:
			a.Why = "source.refused.platform"
		}
		if token != "" {
			a.Said = strings.ReplaceAll(a.Said, token, "…") // a platform may repeat it
		}
		return a, nil
	case candor.IsKind(err, candor.Invalid):
		return &asked{Why: "source.refused.unreadable"}, nil
	}
	return nil, err
}
