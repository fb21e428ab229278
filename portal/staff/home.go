package staff

import (
	"net/http"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/desk"
	"github.com/candor-archive/candor/portal/view"
)

// HomePage is what needs me today, and nothing else.
type HomePage struct {
	view.Page
	Requests bool            // this reader may see requests
	Urgent   []desk.QueueRow // late or due soon
	New      []desk.QueueRow // nobody has taken them on
	Approve  []desk.QueueRow // waiting for a second person
	Waiting  []desk.QueueRow // the requester wrote last
	Today    candor.Date
	Sources  []candor.Source
	Trouble  int                       // of Sources, those whose last visit stopped short
	Ailing   []candor.Source           // of Sources, those in trouble that staff should look at
	Since    map[string]candor.Trouble // the trouble of each, by its id
	Captures []candor.Capture
	Failed   int // of Captures
}

func (s *Pages) home(w http.ResponseWriter, r *http.Request) error {
	p := HomePage{Page: page(r, "home", "staff.home.title")}
	me := principal(r)
	p.Wide = true
	p.Today = candor.DateOf(s.Now(), p.Zone)
	p.Requests = candor.Allow(me, candor.MayViewRequests, candor.Target{})
	if p.Requests {
		rows, err := s.Desk.Queue(r.Context(), me, desk.QueueFilter{})
		if err != nil {
			return err
		}
		for _, row := range rows {
			switch {
			case row.Request.Stage == candor.Approving && candor.Allow(me, candor.MayApproveRelease, candor.Target{}):
				p.Approve = append(p.Approve, row)
			case row.Light == "late" || row.Light == "soon":
				p.Urgent = append(p.Urgent, row)
			case row.Request.Stage == candor.Received:
				p.New = append(p.New, row)
			case row.Waiting:
				p.Waiting = append(p.Waiting, row)
			}
		}
	}
	var err error
	if p.Sources, err = s.Store.Sources(r.Context()); err != nil {
		return err
	}
	troubles, err := s.Store.Troubles(r.Context())
	if err != nil {
		return err
	}
	p.Since = map[string]candor.Trouble{}
	for _, t := range troubles {
		p.Since[t.SourceID] = t
	}
	for _, src := range p.Sources {
		if src.LastError != "" {
			p.Trouble++
		}
		if t, ok := p.Since[src.ID]; ok && !src.Paused && (t.Lost() || t.Steps(s.Now()) > 0) {
			p.Ailing = append(p.Ailing, src)
		}
	}
	if candor.Allow(me, candor.MaySearchAll, candor.Target{}) {
		if p.Captures, err = s.Store.RecentCaptures(r.Context(), 8); err != nil {
			return err
		}
		for _, c := range p.Captures {
			if c.Outcome == candor.Failed {
				p.Failed++
			}
		}
	}
	return view.Render(w, r, http.StatusOK, "staff/home", p)
}

// QueuePage is the queue.
type QueuePage struct {
	view.Page
	Rows  []desk.QueueRow
	Show  string
	Shows []string
	Today candor.Date
}

var shows = []string{"", "mine", "late", "received", "searching", "reviewing", "approving", "releasing", "closed", "all"}

func (s *Pages) queue(w http.ResponseWriter, r *http.Request) error {
	p := QueuePage{Page: page(r, "requests", "staff.queue.title"), Shows: shows}
	p.Wide = true
	p.Today = candor.DateOf(s.Now(), p.Zone)
	for _, known := range shows {
		if known == r.URL.Query().Get("show") {
			p.Show = known
		}
	}
	var err error
	if p.Rows, err = s.Desk.Queue(r.Context(), principal(r), desk.QueueFilter{Show: p.Show}); err != nil {
		return err
	}
	return view.Render(w, r, http.StatusOK, "staff/queue", p)
}
