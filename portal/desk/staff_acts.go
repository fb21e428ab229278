package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
)

// on loads a request for an act by staff. Whoever may not see requests learns
// nothing from trying; comms may note on a request they know of.
func (d *Desk) on(ctx context.Context, p candor.Principal, id string) (candor.Request, error) {
	if p.Kind != candor.Staff {
		return candor.Request{}, refuse(candor.MayViewRequests)
	}
	return d.store.Request(ctx, id)
}

// Accept takes a request on: it is assigned to who accepts it and the search
// begins.
func (d *Desk) Accept(ctx context.Context, p candor.Principal, id string) error {
	r, err := d.on(ctx, p, id)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, r, candor.EvAccepted, candor.Target{}, func(t candor.Transition, a *candor.Act) error {
		a.AssigneeID = p.UserID
		a.Mails, err = d.notify(ctx, r, t.Mail, mailData{})
		return err
	})
	return err
}

// Assign gives an open request to another member of staff, who must be one who
// may work on requests.
func (d *Desk) Assign(ctx context.Context, p candor.Principal, id, userID string) error {
	r, err := d.on(ctx, p, id)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, r, candor.EvAssigned, candor.Target{}, func(_ candor.Transition, a *candor.Act) error {
		u, err := d.store.User(ctx, userID)
		if candor.IsKind(err, candor.NotFound) || err == nil && (u.Disabled || !candor.Allow(u.Principal(), candor.MayAssign, candor.Target{RequestID: id})) {
			return invalid("assignee", "desk.field.choice", 0)
		}
		if err != nil {
			return err
		}
		a.AssigneeID, a.Event.Detail = u.ID, u.Name
		return nil
	})
	return err
}

// Note adds a note only staff see.
func (d *Desk) Note(ctx context.Context, p candor.Principal, id, note string) error {
	r, err := d.on(ctx, p, id)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, r, candor.EvNote, candor.Target{}, func(_ candor.Transition, a *candor.Act) error {
		a.Event.Detail, err = text("note", note, MaxNote, true)
		return err
	})
	return err
}

// Message writes to the requester; they get it by mail and on their page.
func (d *Desk) Message(ctx context.Context, p candor.Principal, id, body string) error {
	r, err := d.on(ctx, p, id)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, r, candor.EvMessageOut, candor.Target{}, func(t candor.Transition, a *candor.Act) error {
		body, err := text("body", body, MaxText, true)
		if err != nil {
			return err
		}
		a.Messages = []candor.Message{{ID: candor.NewID(), RequestID: r.ID, Outgoing: true, AuthorID: p.UserID, Author: p.Name, Body: body, Language: r.Language, At: a.Event.At}}
		a.Mails, err = d.notify(ctx, r, t.Mail, mailData{Text: body})
		return err
	})
	return err
}

// SetSummary sets the agency's own words for the public log.
func (d *Desk) SetSummary(ctx context.Context, p candor.Principal, id, summary string) error {
	r, err := d.on(ctx, p, id)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, r, candor.EvSummary, candor.Target{}, func(_ candor.Transition, a *candor.Act) error {
		a.Summary, err = line("summary", summary, MaxSummary, true)
		a.Event.Detail = a.Summary
		return err
	})
	return err
}

// CannotProduce sends the written notice that records can't be ready in time,
// with the day and hour they will be.
func (d *Desk) CannotProduce(ctx context.Context, p candor.Principal, id string, day candor.Date, at string) error {
	r, err := d.on(ctx, p, id)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, r, candor.EvCannotProduce, candor.Target{}, func(t candor.Transition, a *candor.Act) error {
		_, today, _, err := d.clocks(ctx, nil)
		if err != nil {
			return err
		}
		if err := ahead("date", day, today); err != nil {
			return err
		}
		at, err := hour("hour", at)
		if err != nil {
			return err
		}
		a.Event.Detail = string(day) + " " + at
		a.Mails, err = d.notify(ctx, r, t.Mail, mailData{Date: day, Hour: at})
		return err
	})
	return err
}

// needsReason are the dispositions that mean nothing without a word more: the
// exact address, the other office, the number of the other request.
var needsReason = []candor.Disposition{candor.ReferredToURL, candor.NotCustodian, candor.DuplicateOf, candor.NotARequest}

// NeedsReason reports whether closing with a disposition takes an explanation.
func NeedsReason(x candor.Disposition) bool { return slices.Contains(needsReason, x) }

// Close ends a request with a disposition and tells the requester, unless it
// was spam. Saying that records were released takes a release.
func (d *Desk) Close(ctx context.Context, p candor.Principal, id string, x candor.Disposition, reason string) error {
	r, err := d.on(ctx, p, id)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, r, candor.EvClosed, candor.Target{}, func(t candor.Transition, a *candor.Act) error {
		if !slices.Contains(candor.Dispositions, x) {
			return invalid("disposition", "desk.field.choice", 0)
		}
		if x == candor.ReleasedFull || x == candor.ReleasedPart {
			f, err := d.store.RequestFile(ctx, id)
			if err != nil {
				return err
			}
			if len(f.Releases) == 0 {
				return invalid("disposition", "desk.field.not_released", 0)
			}
		}
		reason, err := text("reason", reason, MaxReason, NeedsReason(x))
		if err != nil {
			return err
		}
		a.Disposition = x
		a.Event.Detail = string(x)
		if reason != "" {
			a.Event.Detail += ": " + reason
		}
		if x == candor.SpamDisposition {
			return nil
		}
		told := r
		told.Disposition = x
		a.Mails, err = d.notify(ctx, told, t.Mail, mailData{Text: reason})
		return err
	})
	return err
}

// Reopen begins the search again, for a reason the requester is told.
func (d *Desk) Reopen(ctx context.Context, p candor.Principal, id, reason string) error {
	r, err := d.on(ctx, p, id)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, r, candor.EvReopened, candor.Target{}, func(t candor.Transition, a *candor.Act) error {
		if a.Event.Detail, err = text("reason", reason, MaxReason, true); err != nil {
			return err
		}
		a.Mails, err = d.notify(ctx, r, t.Mail, mailData{Text: a.Event.Detail})
		return err
	})
	return err
}

// Mark marks records responsive and chooses, now, the capture that will stand
// for each. Records marked before are left as they are.
func (d *Desk) Mark(ctx context.Context, p candor.Principal, id string, recordIDs []string) error {
	r, err := d.on(ctx, p, id)
	if err != nil {
		return err
	}
	if len(recordIDs) == 0 {
		return invalid("record", "desk.field.missing", 0)
	}
	if len(recordIDs) > MaxMarks {
		return candor.Errorf(candor.Invalid, "at most %d records can be marked at once", MaxMarks)
	}
	none := candor.Errorf(candor.Conflict, "all of these were marked already")
	_, err = d.act(ctx, p, r, candor.EvMarked, candor.Target{}, func(_ candor.Transition, a *candor.Act) error {
		f, err := d.store.RequestFile(ctx, id)
		if err != nil {
			return err
		}
		have := map[string]bool{}
		for _, m := range f.Responsive {
			have[m.RecordID] = true
		}
		for _, rec := range recordIDs {
			if have[rec] {
				continue
			}
			have[rec] = true
			view, err := d.store.Record(ctx, rec)
			if err != nil {
				return err
			}
			mark := candor.ResponsiveRecord{ID: candor.NewID(), RequestID: id, RecordID: rec, MarkedBy: p.UserID, MarkedAt: a.Event.At}
			if c := Standing(view); c != nil {
				mark.CaptureID = c.ID
			}
			a.Mark = append(a.Mark, mark)
		}
		if len(a.Mark) == 0 {
			return none
		}
		a.Event.Detail = fmt.Sprint(len(a.Mark))
		return nil
	})
	if err == none {
		return nil // the same button pressed twice
	}
	return err
}

// Standing chooses the capture that stands for a record: the newest that is
// complete or partial. For a record that is gone or hidden it is the newest
// from before, since later ones no longer show it.
func Standing(v candor.RecordView) *candor.Capture {
	gone := v.Record.State.Withdrawn()
	since := v.Record.StateSince
	if gone {
		for _, t := range v.Tombstones {
			if t.ClosedAt.IsZero() && !t.NotAfter.IsZero() {
				since = t.NotAfter
			}
		}
	}
	var newest *candor.Capture
	for i := range v.Captures {
		c := &v.Captures[i]
		if c.Outcome != candor.Complete && c.Outcome != candor.Partial {
			continue
		}
		if newest == nil {
			newest = c
		}
		if !gone || c.StartedAt.Before(since) {
			return c
		}
	}
	return newest
}

// Unmark takes marks back.
func (d *Desk) Unmark(ctx context.Context, p candor.Principal, id string, markIDs []string) error {
	r, err := d.on(ctx, p, id)
	if err != nil {
		return err
	}
	if len(markIDs) == 0 {
		return invalid("mark", "desk.field.missing", 0)
	}
	_, err = d.act(ctx, p, r, candor.EvUnmarked, candor.Target{}, func(_ candor.Transition, a *candor.Act) error {
		f, err := d.store.RequestFile(ctx, id)
		if err != nil {
			return err
		}
		for _, m := range f.Responsive {
			if slices.Contains(markIDs, m.ID) {
				a.Unmark = append(a.Unmark, m.ID)
			}
		}
		if len(a.Unmark) == 0 {
			return candor.Errorf(candor.NotFound, "no such mark on this request")
		}
		a.Event.Detail = fmt.Sprint(len(a.Unmark))
		return nil
	})
	return err
}

// stateWord is a message id's sentence, or the bare word where there is none.
func stateWord(lang, prefix, word string) string {
	id := prefix + strings.ToLower(word)
	if i18n.Has(id) {
		return i18n.T(lang, id)
	}
	return word
}
