package storage

import (
	"context"
	"time"

	"github.com/candor-archive/candor"
)

// Request gives one request.
func (s *Store) Request(ctx context.Context, id string) (candor.Request, error) {
	return s.db.Reader().Request(ctx, id)
}

// RequestByNumber gives one request by its label, which proves nothing about
// who asks.
func (s *Store) RequestByNumber(ctx context.Context, number string) (candor.Request, error) {
	return s.db.Reader().RequestByNumber(ctx, number)
}

// RequestByLink gives the request that a private link opens, by the link's
// hash; NotFound when there is none or the link was replaced.
func (s *Store) RequestByLink(ctx context.Context, linkHash string) (candor.Request, error) {
	return s.db.Reader().RequestByLink(ctx, linkHash)
}

// Requests lists requests, newest first.
func (s *Store) Requests(ctx context.Context, f candor.RequestFilter) ([]candor.Request, error) {
	return s.db.Reader().Requests(ctx, f)
}

// RequestFile gives everything there is about one request. Private links are
// struck out of its mails.
func (s *Store) RequestFile(ctx context.Context, id string) (f candor.RequestFile, err error) {
	repo := s.db.Reader()
	if f.Request, err = repo.Request(ctx, id); err != nil {
		return f, err
	}
	if f.Events, err = repo.Events(ctx, id); err != nil {
		return f, err
	}
	if f.Messages, err = repo.Messages(ctx, id); err != nil {
		return f, err
	}
	if f.Responsive, err = repo.Responsive(ctx, id); err != nil {
		return f, err
	}
	if f.Productions, err = repo.Productions(ctx, id); err != nil {
		return f, err
	}
	if f.Items, err = repo.Items(ctx, id); err != nil {
		return f, err
	}
	if f.Releases, err = repo.Releases(ctx, id); err != nil {
		return f, err
	}
	if f.Mails, err = repo.MailsOf(ctx, id); err != nil {
		return f, err
	}
	for i := range f.Mails {
		f.Mails[i].Body = strike(f.Mails[i].Body)
	}
	return f, nil
}

// Outbox lists the newest messages of the outbox.
func (s *Store) Outbox(ctx context.Context, limit int) ([]candor.Mail, error) {
	list, err := s.db.Reader().Outbox(ctx, limit)
	for i, m := range list {
		list[i].Body = s.seal.reveal(m.ID, m.Body)
	}
	return list, err
}

// Mail gives one message of the outbox, to be delivered.
func (s *Store) Mail(ctx context.Context, id string) (candor.Mail, error) {
	m, err := s.db.Reader().Mail(ctx, id)
	m.Body = s.seal.reveal(m.ID, m.Body)
	return m, err
}

// SetMailState keeps how the delivery of a message went. Once it is sent, the
// private link in it is the requester's alone and is struck out here.
func (s *Store) SetMailState(ctx context.Context, id, state, errText string, at time.Time) error {
	return s.commit(ctx, "note a delivery", func(ctx context.Context, t *txn) error {
		m, err := t.Mail(ctx, id)
		if err != nil {
			return err
		}
		if state == "sent" {
			m.Body = strike(m.Body)
		}
		return t.SetMailState(ctx, id, state, errText, m.Body, at)
	})
}
