package staff

import (
	"net/http"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/desk"
	"github.com/candor-archive/candor/portal/form"
	"github.com/candor-archive/candor/portal/view"
)

// RequestPage is one request with everything needed to answer it.
type RequestPage struct {
	view.Page
	desk.StaffView
	Errors  form.Errors
	Typed   map[string]string // what was sent with a form that was refused
	Query   string
	Found   *Found // nil: nothing was searched for
	Marked  map[string]bool
	People  []candor.User // who it can be assigned to
	Names   map[string]string
	History []candor.Event // newest first
	Sources map[string]string
}

// Found is the archive's answer inside a request.
type Found struct {
	candor.Results
	More bool // there are more than shown
}

// At reports whether the request is at a stage.
func (p RequestPage) At(stage string) bool { return string(p.File.Request.Stage) == stage }

// May reports whether the reader may do an act now.
func (p RequestPage) May(event string) bool { return p.Can(candor.EventKind(event)) }

// Released reports whether anything was released since the request was last
// opened.
func (p RequestPage) Released() bool {
	for _, e := range p.History {
		switch e.Kind {
		case candor.EvReleased:
			return true
		case candor.EvReopened:
			return false
		}
	}
	return false
}

func (s *Pages) request(w http.ResponseWriter, r *http.Request) error {
	return s.showRequest(w, r, http.StatusOK, nil)
}

const foundAtOnce = 25

func (s *Pages) requestPage(r *http.Request, title string) (RequestPage, error) {
	v, err := s.Desk.Open(r.Context(), principal(r), r.PathValue("id"))
	if err != nil {
		return RequestPage{}, err
	}
	p := RequestPage{Page: page(r, "requests", title, "Number", v.File.Request.Number), StaffView: v, Typed: map[string]string{}, Marked: map[string]bool{}, Names: map[string]string{}}
	p.Wide = true
	for _, m := range v.File.Responsive {
		p.Marked[m.RecordID] = true
	}
	for i := len(v.File.Events) - 1; i >= 0; i-- {
		p.History = append(p.History, v.File.Events[i])
	}
	users, err := s.Store.Users(r.Context())
	if err != nil {
		return RequestPage{}, err
	}
	for _, u := range users {
		p.Names[u.ID] = u.Name
		if !u.Disabled && candor.Allow(u.Principal(), candor.MayAssign, candor.Target{}) {
			p.People = append(p.People, u)
		}
	}
	return p, nil
}

func (s *Pages) showRequest(w http.ResponseWriter, r *http.Request, status int, cause error) error {
	p, err := s.requestPage(r, "staff.request.title")
	if err != nil {
		return err
	}
	if cause != nil {
		p.Errors = fieldErrors(p.Page, cause)
		for name := range r.PostForm {
			p.Typed[name] = form.Text(r, name)
		}
	}
	q := r.URL.Query()
	if q.Has("q") && candor.Allow(p.Principal, candor.MaySearchAll, candor.Target{RequestID: p.File.Request.ID}) {
		p.Query = strings.TrimSpace(q.Get("q"))
		found, err := s.Store.Search(r.Context(), candor.Query{Text: p.Query, Visibility: candor.StaffOnly, PerPage: foundAtOnce})
		switch {
		case candor.IsKind(err, candor.Invalid):
			p.Errors.Add("q", p.T("staff.search.bad"))
		case err != nil:
			return err
		default:
			p.Found = &Found{Results: found, More: found.Total > len(found.Hits)}
		}
	}
	return view.Render(w, r, status, "staff/request", p)
}
