package staff

import (
	"context"
	"net/http"
	"net/url"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/desk"
	"github.com/candor-archive/candor/portal/form"
	"github.com/candor-archive/candor/portal/view"
)

// act does one act on a request and comes back to it. A field that is wrong
// shows the page again with what was typed.
func (s *Pages) act(w http.ResponseWriter, r *http.Request, flash string, do func(ctx context.Context, p candor.Principal, id string) error,
	again func(w http.ResponseWriter, r *http.Request, status int, cause error) error) error {
	if err := read(w, r); err != nil {
		return err
	}
	id := r.PathValue("id")
	err := do(r.Context(), principal(r), id)
	if desk.Field(err) != nil {
		return again(w, r, http.StatusUnprocessableEntity, err)
	}
	if err != nil {
		return err
	}
	to := "/staff/requests/" + id
	if q := form.Line(r, "q"); q != "" {
		to += "?q=" + url.QueryEscape(q) // what was found stays on the page
	}
	return done(w, r, to, flash)
}

func (s *Pages) accept(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.accepted", s.Desk.Accept, s.showRequest)
}

func (s *Pages) assign(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.assigned", func(ctx context.Context, p candor.Principal, id string) error {
		return s.Desk.Assign(ctx, p, id, form.Line(r, "assignee"))
	}, s.showRequest)
}

func (s *Pages) note(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.noted", func(ctx context.Context, p candor.Principal, id string) error {
		return s.Desk.Note(ctx, p, id, form.Text(r, "note"))
	}, s.showRequest)
}

func (s *Pages) message(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.sent", func(ctx context.Context, p candor.Principal, id string) error {
		return s.Desk.Message(ctx, p, id, form.Text(r, "body"))
	}, s.showRequest)
}

func (s *Pages) summary(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.summary", func(ctx context.Context, p candor.Principal, id string) error {
		return s.Desk.SetSummary(ctx, p, id, form.Line(r, "summary"))
	}, s.showRequest)
}

func (s *Pages) cannotProduce(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.notice", func(ctx context.Context, p candor.Principal, id string) error {
		return s.Desk.CannotProduce(ctx, p, id, candor.Date(form.Line(r, "date")), form.Line(r, "hour"))
	}, s.showRequest)
}

func (s *Pages) mark(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.marked", func(ctx context.Context, p candor.Principal, id string) error {
		return s.Desk.Mark(ctx, p, id, r.PostForm["record"])
	}, s.showRequest)
}

func (s *Pages) unmark(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.unmarked", func(ctx context.Context, p candor.Principal, id string) error {
		return s.Desk.Unmark(ctx, p, id, r.PostForm["mark"])
	}, s.showRequest)
}

func (s *Pages) propose(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.proposed", func(ctx context.Context, p candor.Principal, id string) error {
		return s.Desk.Propose(ctx, p, id, form.Text(r, "release_note"))
	}, s.showRequest)
}

func (s *Pages) reopen(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.reopened", func(ctx context.Context, p candor.Principal, id string) error {
		return s.Desk.Reopen(ctx, p, id, form.Text(r, "reason"))
	}, s.showRequest)
}

// DecidePage shows exactly the files that would be released.
type DecidePage struct {
	RequestPage
	Preparer string
	Own      bool // the reader prepared it and may not decide
}

func (s *Pages) decideForm(w http.ResponseWriter, r *http.Request) error {
	return s.showDecide(w, r, http.StatusOK, nil)
}

func (s *Pages) showDecide(w http.ResponseWriter, r *http.Request, status int, cause error) error {
	rp, err := s.requestPage(r, "staff.decide.title")
	if err != nil {
		return err
	}
	if rp.Production == nil {
		http.Redirect(w, r, "/staff/requests/"+rp.File.Request.ID, http.StatusSeeOther)
		return nil
	}
	p := DecidePage{RequestPage: rp, Preparer: rp.Names[rp.Production.PreparedBy], Own: rp.Production.PreparedBy == rp.Principal.UserID}
	if cause != nil {
		p.Errors = fieldErrors(p.Page, cause)
		p.Typed["reason"] = form.Text(r, "reason")
	}
	return view.Render(w, r, status, "staff/decide", p)
}

func (s *Pages) approve(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.approved", func(ctx context.Context, p candor.Principal, id string) error {
		return s.Desk.Approve(ctx, p, id, form.Line(r, "production"))
	}, s.showDecide)
}

func (s *Pages) reject(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.rejected", func(ctx context.Context, p candor.Principal, id string) error {
		return s.Desk.Reject(ctx, p, id, form.Line(r, "production"), form.Text(r, "reason"))
	}, s.showDecide)
}

func (s *Pages) release(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.released", func(ctx context.Context, p candor.Principal, id string) error {
		return s.Desk.Release(ctx, p, id, form.Line(r, "production"))
	}, s.showRequest)
}

// ClosePage asks how a request ends.
type ClosePage struct {
	RequestPage
	Dispositions []candor.Disposition
}

func (s *Pages) closeForm(w http.ResponseWriter, r *http.Request) error {
	return s.showClose(w, r, http.StatusOK, nil)
}

func (s *Pages) showClose(w http.ResponseWriter, r *http.Request, status int, cause error) error {
	rp, err := s.requestPage(r, "staff.close.title")
	if err != nil {
		return err
	}
	if !rp.May(string(candor.EvClosed)) {
		if err := need(r, candor.MayClose); err != nil {
			return err
		}
		return candor.Errorf(candor.Conflict, "request %s cannot be closed from stage %s", rp.File.Request.Number, rp.File.Request.Stage)
	}
	p := ClosePage{RequestPage: rp}
	for _, x := range candor.Dispositions {
		if (x == candor.ReleasedFull || x == candor.ReleasedPart) && len(rp.File.Releases) == 0 {
			continue
		}
		p.Dispositions = append(p.Dispositions, x)
	}
	if cause != nil {
		p.Errors = fieldErrors(p.Page, cause)
		p.Typed["reason"], p.Typed["disposition"] = form.Text(r, "reason"), form.Line(r, "disposition")
	}
	return view.Render(w, r, status, "staff/close", p)
}

func (s *Pages) closeRequest(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "staff.flash.closed", func(ctx context.Context, p candor.Principal, id string) error {
		return s.Desk.Close(ctx, p, id, candor.Disposition(form.Line(r, "disposition")), form.Text(r, "reason"))
	}, s.showClose)
}
