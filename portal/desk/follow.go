package desk

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/candor-archive/candor"
)

// ByLink finds the request a private link opens. A link that opens nothing
// (mistyped, replaced, never there) is NotFound.
func (d *Desk) ByLink(ctx context.Context, secret string) (candor.Request, error) {
	secret = strings.TrimSpace(secret)
	if len(secret) < 32 || len(secret) > 128 {
		return candor.Request{}, candor.Errorf(candor.NotFound, "this private link opens nothing")
	}
	return d.store.RequestByLink(ctx, candor.HashSecret(secret))
}

// mine loads the one request a requester's link opened.
func (d *Desk) mine(ctx context.Context, p candor.Principal) (candor.RequestFile, error) {
	if !candor.Allow(p, candor.MayFollowRequest, candor.Target{RequestID: p.RequestID}) {
		return candor.RequestFile{}, refuse(candor.MayFollowRequest)
	}
	return d.store.RequestFile(ctx, p.RequestID)
}

// Follow gives a requester everything they may see of their own request: no
// notes, no names of staff, nothing that is not released.
func (d *Desk) Follow(ctx context.Context, p candor.Principal) (Following, error) {
	f, err := d.mine(ctx, p)
	if err != nil {
		return Following{}, err
	}
	clocks, today, zone, err := d.clocks(ctx, f.Events)
	if err != nil {
		return Following{}, err
	}
	out := Following{Request: f.Request, Clocks: clocks, Due: mainClock(clocks), Today: today, Zone: zone, Released: released(f)}
	out.Request.AssigneeID = ""
	for _, m := range f.Messages {
		m.AuthorID = ""
		if m.Outgoing {
			m.Author = ""
		}
		out.Messages = append(out.Messages, m)
	}
	out.Milestones, out.Next = milestones(f)
	return out, nil
}

// released gives the released productions, newest first.
func released(f candor.RequestFile) []ReleasedSet {
	var out []ReleasedSet
	for i := len(f.Releases) - 1; i >= 0; i-- {
		rel := f.Releases[i]
		for _, prod := range f.Productions {
			if prod.ID != rel.ProductionID || prod.State != candor.ProductionReleased {
				continue
			}
			set := ReleasedSet{Production: prod, Release: rel}
			for _, it := range f.Items {
				if it.ProductionID == prod.ID {
					set.Items = append(set.Items, it)
				}
			}
			out = append(out, set)
		}
	}
	return out
}

var road = []struct {
	id    string
	event candor.EventKind
	stage candor.Stage
}{
	{"milestone.received", candor.EvSubmitted, candor.Received},
	{"milestone.searching", candor.EvAccepted, candor.Searching},
	{"milestone.reviewing", candor.EvMarked, candor.Reviewing},
	{"milestone.approving", candor.EvProposed, candor.Approving},
	{"milestone.released", candor.EvReleased, candor.Releasing},
	{"milestone.closed", candor.EvClosed, candor.Closed},
}

// milestones tells the road so far in plain words. Steps a request never took
// (closed without release, say) are left out once it is closed.
func milestones(f candor.RequestFile) ([]Milestone, string) {
	last := map[candor.EventKind]time.Time{}
	reopened := time.Time{}
	for _, e := range f.Events {
		last[e.Kind] = e.At
		if e.Kind == candor.EvReopened {
			reopened = e.At
			last[candor.EvAccepted] = e.At // the search begins again
			for _, k := range []candor.EventKind{candor.EvMarked, candor.EvProposed, candor.EvReleased, candor.EvClosed, candor.EvWithdrawn} {
				delete(last, k)
			}
		}
	}
	r := f.Request
	_, withdrawn := last[candor.EvWithdrawn]
	var out []Milestone
	reached := true
	for _, step := range road {
		m := Milestone{ID: step.id, State: "todo", At: last[step.event]}
		if step.event == candor.EvClosed && withdrawn {
			m.ID, m.At = "milestone.withdrawn", last[candor.EvWithdrawn]
		}
		switch {
		case r.Stage == step.stage && step.stage == candor.Closed:
			m.State = "done"
		case r.Stage == step.stage:
			m.State = "current"
			reached = false
		case r.Stage == candor.Closed && m.At.IsZero():
			continue
		case reached && !m.At.IsZero():
			m.State = "done"
		default:
			m.At = time.Time{}
		}
		out = append(out, m)
	}
	next := "next." + string(r.Stage)
	switch {
	case r.Stage == candor.Releasing && last[candor.EvReleased].After(reopened):
		next = "next.released"
	case r.Stage == candor.Closed && withdrawn:
		next = "next.withdrawn"
	}
	return out, next
}

// Say adds a requester's message to their request.
func (d *Desk) Say(ctx context.Context, p candor.Principal, body string) error {
	f, err := d.mine(ctx, p)
	if err != nil {
		return err
	}
	body, err = text("body", body, MaxText, true)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, f.Request, candor.EvMessageIn, candor.Target{}, func(_ candor.Transition, a *candor.Act) error {
		a.Messages = []candor.Message{{ID: candor.NewID(), RequestID: f.Request.ID, Author: f.Request.Name, Body: body, Language: f.Request.Language, At: a.Event.At}}
		return nil
	})
	return err
}

// Withdraw ends a request at the requester's wish. The reason may be empty.
func (d *Desk) Withdraw(ctx context.Context, p candor.Principal, reason string) error {
	f, err := d.mine(ctx, p)
	if err != nil {
		return err
	}
	reason, err = text("reason", reason, MaxReason, false)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, f.Request, candor.EvWithdrawn, candor.Target{}, func(t candor.Transition, a *candor.Act) error {
		a.Event.Detail, a.Disposition = reason, candor.Withdrawn
		a.Mails, err = d.notify(ctx, f.Request, t.Mail, mailData{})
		return err
	})
	return err
}

// OpenReleased opens one released file for its requester and notes that they
// took it.
func (d *Desk) OpenReleased(ctx context.Context, p candor.Principal, itemID string) (io.ReadSeekCloser, candor.ProductionItem, error) {
	f, err := d.mine(ctx, p)
	if err != nil {
		return nil, candor.ProductionItem{}, err
	}
	for _, set := range released(f) {
		for _, it := range set.Items {
			if it.ID != itemID {
				continue
			}
			if !candor.Allow(p, candor.MayRead, candor.Target{RequestID: f.Request.ID, Released: true}) {
				return nil, candor.ProductionItem{}, refuse(candor.MayRead)
			}
			o, err := d.download(ctx, p, f, it.SHA, it.Name)
			return o, it, err
		}
	}
	return nil, candor.ProductionItem{}, candor.Errorf(candor.NotFound, "no such released file")
}

// OpenBundle opens the ZIP of a released production: its bytes, the file name
// for the requester, and the size.
func (d *Desk) OpenBundle(ctx context.Context, p candor.Principal, productionID string) (io.ReadSeekCloser, string, int64, error) {
	f, err := d.mine(ctx, p)
	if err != nil {
		return nil, "", 0, err
	}
	for _, set := range released(f) {
		if set.Production.ID != productionID {
			continue
		}
		if !candor.Allow(p, candor.MayRead, candor.Target{RequestID: f.Request.ID, Released: true}) {
			return nil, "", 0, refuse(candor.MayRead)
		}
		name := f.Request.Number + ".zip"
		o, err := d.download(ctx, p, f, set.Production.BundleSHA, name)
		return o, name, set.Production.BundleSize, err
	}
	return nil, "", 0, candor.Errorf(candor.NotFound, "no such released files")
}

// downloadEvery is how long one file's downloads count as one: browsers ask
// for a file in several parts.
const downloadEvery = 10 * time.Minute

func (d *Desk) download(ctx context.Context, p candor.Principal, f candor.RequestFile, sha, name string) (io.ReadSeekCloser, error) {
	o, err := d.store.OpenObject(ctx, sha)
	if err != nil {
		return nil, err
	}
	for _, e := range f.Events {
		if e.Kind == candor.EvDownloaded && e.Detail == name && d.now().Sub(e.At) < downloadEvery {
			return o, nil
		}
	}
	for try := 0; ; try++ {
		_, err = d.act(ctx, p, f.Request, candor.EvDownloaded, candor.Target{}, func(_ candor.Transition, a *candor.Act) error {
			a.Event.Detail = name
			return nil
		})
		if !candor.IsKind(err, candor.Conflict) || try == 2 {
			break
		}
		// Staff moved the request on while the file was being opened; the
		// download is as good as before.
		fresh, readErr := d.store.Request(ctx, f.Request.ID)
		if readErr != nil {
			err = readErr
			break
		}
		f.Request = fresh
	}
	if err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}
