package desk

import (
	"context"
	"sort"
	"time"

	"github.com/candor-archive/candor"
)

// QueueFilter narrows the queue.
type QueueFilter struct {
	Show  string // "" open; "mine"; "late"; "closed"; "all"; or a stage
	Limit int    // 200 when zero
}

// QueueRow is one request in the queue with its due date.
type QueueRow struct {
	Request  candor.Request
	Due      *candor.Clock // nil when no main clock runs
	Light    string        // late, soon, ok, done: always shown with its word
	Assignee string        // name; empty when nobody has it
	Waiting  bool          // the requester wrote last
}

// soon is how many business days before its date a request counts as due soon.
const soon = 3

// Light is the colour of a clock, as a word.
func Light(c *candor.Clock, today candor.Date) string {
	switch {
	case c == nil || !c.Satisfied.IsZero():
		return "done"
	case c.Late(today):
		return "late"
	case c.Left <= soon:
		return "soon"
	}
	return "ok"
}

// Queue lists requests for staff, the most urgent first.
func (d *Desk) Queue(ctx context.Context, p candor.Principal, f QueueFilter) ([]QueueRow, error) {
	if !candor.Allow(p, candor.MayViewRequests, candor.Target{}) {
		return nil, refuse(candor.MayViewRequests)
	}
	filter := candor.RequestFilter{Limit: f.Limit, Open: true}
	if filter.Limit <= 0 || filter.Limit > 500 {
		filter.Limit = 200
	}
	switch f.Show {
	case "", "late":
	case "mine":
		filter.AssigneeID = p.UserID
	case "all":
		filter.Open = false
	case "closed":
		filter.Open, filter.Stage = false, candor.Closed
	default:
		filter.Stage = candor.Stage(f.Show)
	}
	list, err := d.store.Requests(ctx, filter)
	if err != nil {
		return nil, err
	}
	contact := candor.Allow(p, candor.MayViewContact, candor.Target{})
	names := map[string]string{}
	var rows []QueueRow
	for _, r := range list {
		file, err := d.store.RequestFile(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		clocks, today, _, err := d.clocks(ctx, file.Events)
		if err != nil {
			return nil, err
		}
		due := mainClock(clocks)
		row := QueueRow{Request: r, Due: due, Light: Light(due, today)}
		if f.Show == "late" && row.Light != "late" {
			continue
		}
		if r.AssigneeID != "" {
			if _, ok := names[r.AssigneeID]; !ok {
				u, err := d.store.User(ctx, r.AssigneeID)
				if err != nil && !candor.IsKind(err, candor.NotFound) {
					return nil, err
				}
				names[r.AssigneeID] = u.Name
			}
			row.Assignee = names[r.AssigneeID]
		}
		if n := len(file.Messages); n > 1 && !file.Messages[n-1].Outgoing {
			row.Waiting = true
		}
		if !contact {
			hideContact(&row.Request)
		}
		rows = append(rows, row)
	}
	rank := map[string]int{"late": 0, "soon": 1, "ok": 2, "done": 3}
	sort.SliceStable(rows, func(i, j int) bool {
		a, b := rows[i], rows[j]
		if rank[a.Light] != rank[b.Light] {
			return rank[a.Light] < rank[b.Light]
		}
		if a.Due != nil && b.Due != nil && a.Light != "done" && a.Due.Due != b.Due.Due {
			return a.Due.Due < b.Due.Due
		}
		return false
	})
	return rows, nil
}

func hideContact(r *candor.Request) { r.Name, r.Email, r.Phone, r.Postal = "", "", "", "" }

// StaffView is one request as staff see it.
type StaffView struct {
	File       candor.RequestFile
	Contact    bool // the requester's contact is shown to this reader
	Clocks     []candor.Clock
	Due        *candor.Clock
	Light      string
	Today      candor.Date
	Zone       *time.Location
	Assignee   string
	Responsive []Responsive
	Production *candor.Production // the one being worked on: proposed or approved
	Items      []candor.ProductionItem
	About      *candor.RecordView // what the requester was looking at
	can        map[candor.EventKind]bool
}

// Responsive is one record marked responsive, ready to show.
type Responsive struct {
	Mark    candor.ResponsiveRecord
	Record  candor.RecordView
	Text    string          // its newest wording
	Capture *candor.Capture // that stands for it; nil when there is none
}

// Can reports whether this reader may do an act on the request as it stands:
// what the page offers is what the desk will accept.
func (v StaffView) Can(kind candor.EventKind) bool { return v.can[kind] }

// Open gives one request to staff.
func (d *Desk) Open(ctx context.Context, p candor.Principal, id string) (StaffView, error) {
	if !candor.Allow(p, candor.MayViewRequests, candor.Target{RequestID: id}) {
		return StaffView{}, refuse(candor.MayViewRequests)
	}
	f, err := d.store.RequestFile(ctx, id)
	if err != nil {
		return StaffView{}, err
	}
	v := StaffView{File: f, Contact: candor.Allow(p, candor.MayViewContact, candor.Target{RequestID: id}), can: map[candor.EventKind]bool{}}
	if v.Clocks, v.Today, v.Zone, err = d.clocks(ctx, f.Events); err != nil {
		return StaffView{}, err
	}
	v.Due = mainClock(v.Clocks)
	v.Light = Light(v.Due, v.Today)
	if !v.Contact {
		hideContact(&v.File.Request)
		v.File.Mails = nil
		for i := range v.File.Messages {
			if !v.File.Messages[i].Outgoing {
				v.File.Messages[i].Author = ""
			}
		}
	}
	if f.Request.AssigneeID != "" {
		u, err := d.store.User(ctx, f.Request.AssigneeID)
		if err != nil && !candor.IsKind(err, candor.NotFound) {
			return StaffView{}, err
		}
		v.Assignee = u.Name
	}
	all := candor.Allow(p, candor.MaySearchAll, candor.Target{RequestID: id})
	for _, m := range f.Responsive {
		if !all {
			continue
		}
		shown, err := d.responsive(ctx, m)
		if err != nil {
			return StaffView{}, err
		}
		v.Responsive = append(v.Responsive, shown)
	}
	if f.Request.AboutID != "" && all {
		about, err := d.store.Record(ctx, f.Request.AboutID)
		if err == nil {
			v.About = &about
		} else if !candor.IsKind(err, candor.NotFound) {
			return StaffView{}, err
		}
	}
	v.Production, v.Items = current(f)
	target := candor.Target{RequestID: id}
	if v.Production != nil {
		target.PreparedBy = v.Production.PreparedBy
	}
	for _, t := range candor.Transitions {
		step, err := f.Request.Step(t.Event)
		v.can[t.Event] = err == nil && candor.Allow(p, step.Needs, target)
	}
	if v.Production == nil || v.Production.State != candor.ProductionApproved {
		v.can[candor.EvReleased] = false
	}
	if len(f.Responsive) == 0 {
		v.can[candor.EvProposed] = false
	}
	return v, nil
}

// current is the production a request is at: proposed or approved.
func current(f candor.RequestFile) (*candor.Production, []candor.ProductionItem) {
	for i := len(f.Productions) - 1; i >= 0; i-- {
		p := f.Productions[i]
		if p.State != candor.ProductionProposed && p.State != candor.ProductionApproved {
			continue
		}
		var items []candor.ProductionItem
		for _, it := range f.Items {
			if it.ProductionID == p.ID {
				items = append(items, it)
			}
		}
		return &p, items
	}
	return nil, nil
}

func (d *Desk) responsive(ctx context.Context, m candor.ResponsiveRecord) (Responsive, error) {
	view, err := d.store.Record(ctx, m.RecordID)
	if err != nil {
		return Responsive{}, err
	}
	out := Responsive{Mark: m, Record: view}
	if len(view.Revisions) > 0 {
		out.Text = view.Revisions[0].Text
	}
	if m.CaptureID != "" {
		c, err := d.store.Capture(ctx, m.CaptureID)
		if err != nil {
			return Responsive{}, err
		}
		out.Capture = &c.Capture
	}
	return out, nil
}
