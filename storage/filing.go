package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/meta"
)

// FileRequest takes a request in: its number, its first event with the
// requester's words, the evidence for them, its private link and the mails that
// follow, in one transaction.
func (s *Store) FileRequest(ctx context.Context, f candor.Filing) (candor.Request, error) {
	meta.Settle(&f)
	q := f.Request
	if q.ID == "" {
		q.ID = candor.NewID()
	}
	q.Stage, q.Disposition, q.ClosedAt = candor.Received, candor.NoneYet, time.Time{}
	err := s.commit(ctx, "file a request", func(ctx context.Context, t *txn) error {
		agency, err := t.Agency(ctx)
		if candor.IsKind(err, candor.NotFound) {
			return candor.Errorf(candor.Conflict, "the agency is not set up yet")
		}
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(agency.TimeZone)
		if err != nil {
			return err
		}
		if f.Request.ReceivedAt.IsZero() {
			q.ReceivedAt = t.now
		}
		q.UpdatedAt = t.now
		year := q.ReceivedAt.In(zone).Year()
		n, err := t.NextNumber(ctx, agency.Short, year)
		if err != nil {
			return err
		}
		q.Number = fmt.Sprintf("%s-%d-%06d", agency.Short, year, n)
		if err := t.AddRequest(ctx, q); err != nil {
			return err
		}
		if f.LinkHash != "" {
			if err := t.ReplaceLink(ctx, q.ID, f.LinkHash, t.now); err != nil {
				return err
			}
		}
		e := f.Event
		e.Kind, e.N = candor.EvSubmitted, 1
		if e.At.IsZero() {
			e.At = q.ReceivedAt
		}
		var messages []candor.Message
		if f.Message.Body != "" {
			messages = []candor.Message{f.Message}
		}
		if err := t.event(ctx, q, e, messages); err != nil {
			return err
		}
		if f.Mails == nil {
			return nil
		}
		return s.mail(ctx, t, q.ID, f.Mails(q.Number))
	})
	return q, err
}

// event writes one event of a request with its messages and covers both.
func (t *txn) event(ctx context.Context, q candor.Request, e candor.Event, messages []candor.Message) error {
	if e.ID == "" {
		e.ID = candor.NewID()
	}
	if e.At.IsZero() {
		e.At = t.now
	}
	if e.Law == "" {
		e.Law = q.Law
	}
	e.RequestID = q.ID
	list := make([]candor.Message, len(messages))
	for i, m := range messages {
		if m.ID == "" {
			m.ID = candor.NewID()
		}
		if m.At.IsZero() {
			m.At = e.At
		}
		m.RequestID = q.ID
		list[i] = m
	}
	t.cover(candor.EvidenceEvent, e.ID, e.EvidenceBody(list))
	return t.AddEvent(ctx, e, list)
}

// mail puts messages into the outbox and queues their delivery.
func (s *Store) mail(ctx context.Context, t *txn, requestID string, mails []candor.Mail) error {
	list := make([]candor.Mail, len(mails))
	copy(list, mails)
	meta.Settle(&list)
	for i := range list {
		m := &list[i]
		if m.ID == "" {
			m.ID = candor.NewID()
		}
		if m.State == "" {
			m.State = "waiting"
		}
		if m.CreatedAt.IsZero() {
			m.CreatedAt = t.now
		}
		m.RequestID = requestID
		m.Body = s.seal.veil(m.ID, m.Body)
	}
	if err := t.AddMails(ctx, list); err != nil {
		return err
	}
	for _, m := range list {
		if err := s.queue.EnqueueTx(ctx, t.tx, candor.MailJob{MailID: m.ID}, true); err != nil {
			return err
		}
	}
	return nil
}
