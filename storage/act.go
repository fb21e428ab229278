package storage

import (
	"context"
	"slices"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/meta"
)

// Act does one thing to a request, in one transaction: the event and all it
// entails, covered by the evidence log. It fails with Conflict when the request
// is no longer at stage From, with Invalid when the event does not lead there,
// and with Forbidden when the one who approves is the one who prepared.
func (s *Store) Act(ctx context.Context, a candor.Act) (candor.Request, error) {
	meta.Settle(&a)
	var shas []string
	if a.Production != nil {
		shas = append(shas, a.Production.BundleSHA)
	}
	for _, x := range a.Items {
		shas = append(shas, x.SHA, x.ParentSHA)
	}
	sizes, err := s.sizes(ctx, shas)
	if err != nil {
		return candor.Request{}, wrap(err, "act on a request")
	}
	var q candor.Request
	err = s.commit(ctx, "act on a request", func(ctx context.Context, t *txn) (err error) {
		if q, err = t.LockRequest(ctx, a.RequestID); err != nil {
			return err
		}
		if q.Stage != a.From {
			return candor.Errorf(candor.Conflict, "request %s is at stage %s, no longer at %s", q.Number, q.Stage, a.From)
		}
		if q, err = moved(q, a, t.now); err != nil {
			return err
		}
		if err := t.UpdateRequest(ctx, q, a.From); err != nil {
			return err
		}
		e := a.Event
		last, err := t.LastEvent(ctx, q.ID)
		if err != nil {
			return err
		}
		e.N = last + 1
		if err := t.event(ctx, q, e, a.Messages); err != nil {
			return err
		}
		if err := t.mark(ctx, q, a); err != nil {
			return err
		}
		if err := t.produce(ctx, q, a, sizes); err != nil {
			return err
		}
		if a.LinkHash != "" {
			// Whoever came in by an older link has to come in by the new one.
			if err := t.DeleteRequestSessions(ctx, q.ID); err != nil {
				return err
			}
			if err := t.ReplaceLink(ctx, q.ID, a.LinkHash, t.now); err != nil {
				return err
			}
		}
		return s.mail(ctx, t, q.ID, a.Mails)
	})
	if err != nil {
		return candor.Request{}, err
	}
	return q, nil
}

// moved is the request after an act, if the state machine has such a step.
func moved(q candor.Request, a candor.Act, now time.Time) (candor.Request, error) {
	step, err := q.Step(a.Event.Kind)
	if err != nil {
		return q, err
	}
	to := step.To
	if to == "" {
		to = q.Stage
	}
	asked := a.To
	if asked == "" {
		asked = q.Stage
	}
	if asked != to {
		return q, candor.Errorf(candor.Invalid, "%s leads a request from %s to %s, not to %s", a.Event.Kind, q.Stage, to, asked)
	}
	if a.Disposition != "" {
		q.Disposition = a.Disposition
	}
	switch {
	case to == candor.Closed && q.Stage != candor.Closed:
		if a.Event.Kind == candor.EvWithdrawn && a.Disposition == "" {
			q.Disposition = candor.Withdrawn
		}
		if q.Disposition == candor.NoneYet {
			return q, candor.Errorf(candor.Invalid, "a request is closed with a disposition")
		}
		q.ClosedAt = now
	case to != candor.Closed && q.Stage == candor.Closed:
		q.ClosedAt, q.Disposition = time.Time{}, candor.NoneYet
	}
	if a.AssigneeID != "" {
		q.AssigneeID = a.AssigneeID
	}
	if a.Summary != "" {
		q.Summary = a.Summary
	}
	if a.Email != "" {
		q.Email = a.Email
	}
	q.Stage, q.UpdatedAt = to, now
	return q, nil
}

// mark adds and takes back responsive records. Only what is archived can be
// marked, and a capture only for a record it was made of.
func (t *txn) mark(ctx context.Context, q candor.Request, a candor.Act) error {
	if err := t.RemoveResponsive(ctx, q.ID, a.Unmark); err != nil {
		return err
	}
	marks := make([]candor.ResponsiveRecord, len(a.Mark))
	for i, m := range a.Mark {
		if _, err := t.Record(ctx, m.RecordID); err != nil {
			return wrap(err, "mark a record responsive")
		}
		if m.CaptureID != "" {
			if _, err := t.Capture(ctx, m.CaptureID); err != nil {
				return wrap(err, "mark a record responsive")
			}
		}
		if m.ID == "" {
			m.ID = candor.NewID()
		}
		if m.MarkedAt.IsZero() {
			m.MarkedAt = t.now
		}
		m.RequestID = q.ID
		marks[i] = m
	}
	return t.AddResponsive(ctx, marks)
}

// productionSteps are the states a production can go to from each.
var productionSteps = map[candor.ProductionState][]candor.ProductionState{
	candor.ProductionProposed: {candor.ProductionApproved, candor.ProductionRejected},
	candor.ProductionApproved: {candor.ProductionReleased},
}

// produce adds a sealed production or moves it on, and releases it.
func (t *txn) produce(ctx context.Context, q candor.Request, a candor.Act, sizes map[string]int64) error {
	all, err := t.Productions(ctx, q.ID)
	if err != nil {
		return err
	}
	if a.Production != nil {
		p, err := t.production(ctx, q, *a.Production, a.Items, all, sizes)
		if err != nil {
			return err
		}
		all = append(slices.DeleteFunc(all, func(x candor.Production) bool { return x.ID == p.ID }), p)
	} else if len(a.Items) > 0 {
		return candor.Errorf(candor.Invalid, "items need the production they belong to")
	}
	if a.Release == nil {
		return nil
	}
	r := *a.Release
	i := slices.IndexFunc(all, func(x candor.Production) bool { return x.ID == r.ProductionID })
	if i < 0 || all[i].State != candor.ProductionReleased || all[i].ApprovedBy == "" {
		return candor.Errorf(candor.Invalid, "only an approved production of the request is released")
	}
	if r.ID == "" {
		r.ID = candor.NewID()
	}
	if r.At.IsZero() {
		r.At = t.now
	}
	r.RequestID = q.ID
	t.cover(candor.EvidenceRelease, r.ID, r.EvidenceBody())
	return t.AddRelease(ctx, r)
}

func (t *txn) production(ctx context.Context, q candor.Request, p candor.Production, items []candor.ProductionItem,
	all []candor.Production, sizes map[string]int64) (candor.Production, error) {
	p.RequestID = q.ID
	i := slices.IndexFunc(all, func(x candor.Production) bool { return x.ID == p.ID })
	if i < 0 {
		if p.ID == "" {
			p.ID = candor.NewID()
		}
		if p.State == "" {
			p.State = candor.ProductionProposed
		}
		if p.PreparedAt.IsZero() {
			p.PreparedAt = t.now
		}
		if p.State != candor.ProductionProposed || p.PreparedBy == "" || p.BundleSHA == "" {
			return p, candor.Errorf(candor.Invalid, "a production begins as proposed, by someone, with its bundle sealed")
		}
		p.BundleSize = sizes[p.BundleSHA]
		list := make([]candor.ProductionItem, len(items))
		for n, x := range items {
			if x.ID == "" {
				x.ID = candor.NewID()
			}
			x.ProductionID, x.N, x.Size = p.ID, n+1, sizes[x.SHA]
			list[n] = x
		}
		t.cover(candor.EvidenceProduction, p.ID, p.EvidenceBody(list))
		if err := t.AddProduction(ctx, p); err != nil {
			return p, err
		}
		return p, t.AddItems(ctx, list)
	}
	if len(items) > 0 {
		return p, candor.Errorf(candor.Invalid, "a sealed production gets no more items")
	}
	// Only what a decision adds is taken over; the rest stays as it was sealed.
	was := all[i]
	if !slices.Contains(productionSteps[was.State], p.State) {
		return p, candor.Errorf(candor.Conflict, "the production is %s and can't become %s", was.State, p.State)
	}
	was.State = p.State
	switch p.State {
	case candor.ProductionApproved:
		if p.ApprovedBy == "" || p.ApprovedBy == was.PreparedBy {
			return p, candor.Errorf(candor.Forbidden, "a production is approved by a second person")
		}
		was.ApprovedBy, was.ApprovedAt = p.ApprovedBy, p.ApprovedAt
		if was.ApprovedAt.IsZero() {
			was.ApprovedAt = t.now
		}
	case candor.ProductionRejected:
		was.Reason = p.Reason
	}
	return was, t.UpdateProduction(ctx, was)
}
