package desk

import (
	"context"
	"fmt"
	"io"

	"github.com/candor-archive/candor"
)

// decide loads what stands to be decided: the request, who prepared its newest
// production, and that production if it is in the state wanted and is the one
// the person looked at.
func (d *Desk) decide(ctx context.Context, p candor.Principal, id, productionID string, state candor.ProductionState) (candor.RequestFile, candor.Target, *candor.Production, error) {
	if _, err := d.on(ctx, p, id); err != nil {
		return candor.RequestFile{}, candor.Target{}, nil, err
	}
	f, err := d.store.RequestFile(ctx, id)
	if err != nil {
		return f, candor.Target{}, nil, err
	}
	var on candor.Target
	if n := len(f.Productions); n > 0 {
		on.PreparedBy = f.Productions[n-1].PreparedBy
	}
	prod, _ := current(f)
	if prod != nil && (prod.State != state || productionID != "" && prod.ID != productionID) {
		prod = nil
	}
	return f, on, prod, nil
}

var nothingToDecide = candor.Errorf(candor.Conflict, "this set of files is no longer the one to decide on")

// Approve approves the sealed production for release. The person who prepared
// it never may. ProductionID is the one the approver looked at.
func (d *Desk) Approve(ctx context.Context, p candor.Principal, id, productionID string) error {
	f, on, prod, err := d.decide(ctx, p, id, productionID, candor.ProductionProposed)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, f.Request, candor.EvApproved, on, func(_ candor.Transition, a *candor.Act) error {
		if prod == nil {
			return nothingToDecide
		}
		done := *prod
		done.State, done.ApprovedBy, done.ApprovedAt = candor.ProductionApproved, p.UserID, a.Event.At
		a.Production, a.Event.Detail = &done, "SHA-256 "+done.BundleSHA
		return nil
	})
	return err
}

// Reject sends the production back to review, with a reason.
func (d *Desk) Reject(ctx context.Context, p candor.Principal, id, productionID, reason string) error {
	f, on, prod, err := d.decide(ctx, p, id, productionID, candor.ProductionProposed)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, f.Request, candor.EvRejected, on, func(_ candor.Transition, a *candor.Act) error {
		if prod == nil {
			return nothingToDecide
		}
		done := *prod
		if done.Reason, err = text("reason", reason, MaxReason, true); err != nil {
			return err
		}
		done.State = candor.ProductionRejected
		a.Production, a.Event.Detail = &done, done.Reason
		return nil
	})
	return err
}

// Release makes the approved production downloadable by its requester, and
// tells them. The mail carries no file.
func (d *Desk) Release(ctx context.Context, p candor.Principal, id, productionID string) error {
	f, on, prod, err := d.decide(ctx, p, id, productionID, candor.ProductionApproved)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, f.Request, candor.EvReleased, on, func(t candor.Transition, a *candor.Act) error {
		if prod == nil {
			return nothingToDecide
		}
		done := *prod
		done.State = candor.ProductionReleased
		a.Production = &done
		a.Release = &candor.Release{ID: candor.NewID(), RequestID: id, ProductionID: done.ID, By: p.UserID, At: a.Event.At, To: "requester"}
		count := 0
		for _, it := range f.Items {
			if it.ProductionID == done.ID {
				count++
			}
		}
		a.Event.Detail = fmt.Sprintf("%d files", count)
		a.Mails, err = d.notify(ctx, f.Request, t.Mail, mailData{Count: count})
		return err
	})
	return err
}

// OpenItem opens one file of a production for staff, as approvers have to see
// exactly what would go out.
func (d *Desk) OpenItem(ctx context.Context, p candor.Principal, id, itemID string) (io.ReadSeekCloser, candor.ProductionItem, error) {
	if !candor.Allow(p, candor.MayViewRequests, candor.Target{RequestID: id}) {
		return nil, candor.ProductionItem{}, refuse(candor.MayViewRequests)
	}
	if !candor.Allow(p, candor.MayRead, candor.Target{RequestID: id}) {
		return nil, candor.ProductionItem{}, refuse(candor.MayRead)
	}
	f, err := d.store.RequestFile(ctx, id)
	if err != nil {
		return nil, candor.ProductionItem{}, err
	}
	for _, it := range f.Items {
		if it.ID == itemID {
			o, err := d.store.OpenObject(ctx, it.SHA)
			return o, it, err
		}
	}
	return nil, candor.ProductionItem{}, candor.Errorf(candor.NotFound, "no such file in this request")
}
