package storage

import (
	"context"
	"errors"

	"github.com/candor-archive/candor"
)

// Notify has notices about sources written by write, into the outbox, in the
// transaction of what they tell. It is called before anything is polled. In a
// process without it notices wait, and TellOfSources of another writes them.
func (s *Store) Notify(write func(candor.Notice) candor.Mail) { s.notice = write }

// Troubles lists the troubles that last, of sources that were not removed, the
// oldest first.
func (s *Store) Troubles(ctx context.Context) ([]candor.Trouble, error) {
	return s.db.Reader().Troubles(ctx, "")
}

// watch keeps the trouble of a source in step with a visit, and tells of it.
// The source's row is locked.
func (a *applying) watch(ctx context.Context) error {
	lasting, err := a.Troubles(ctx, a.source.ID)
	if err != nil {
		return err
	}
	if a.sweep.Error == "" {
		return a.over(ctx, lasting)
	}
	if len(lasting) > 0 {
		t := lasting[0].Meet(a.sweep)
		if err := a.UpdateTrouble(ctx, t); err != nil {
			return err
		}
		return a.store.tell(ctx, a.txn, a.source, t)
	}
	t := candor.Trouble{}.Meet(a.sweep)
	if a.source.LastError == "" {
		t.GoodAt = a.source.LastPollAt
	}
	if err := a.AddTrouble(ctx, t); err != nil {
		return err
	}
	return a.store.tell(ctx, a.txn, a.source, t)
}

// over ends the trouble of a source, and says so to whoever was told of it.
func (a *applying) over(ctx context.Context, lasting []candor.Trouble) error {
	for _, t := range lasting {
		t.Until = a.sweep.At
		if err := a.UpdateTrouble(ctx, t); err != nil {
			return err
		}
		if err := a.store.tellMended(ctx, a.txn, a.source, t); err != nil {
			return err
		}
	}
	return nil
}

// tellMended writes the notice that a trouble is over, if it was told of.
func (s *Store) tellMended(ctx context.Context, t *txn, source candor.Source, trouble candor.Trouble) error {
	if s.notice == nil || trouble.Told == 0 {
		return nil
	}
	found, err := t.FoundLate(ctx, trouble)
	if err != nil {
		return err
	}
	trouble.Told = 0
	if err := t.UpdateTrouble(ctx, trouble); err != nil {
		return err
	}
	return s.mailNotice(ctx, t, candor.Notice{Kind: candor.NoticeBack, Source: source, Trouble: trouble, Found: found})
}

// tell writes the notice that is due of a trouble, if one is. A pause is staff's
// own wish, and they are not reminded of what they stopped.
func (s *Store) tell(ctx context.Context, t *txn, source candor.Source, trouble candor.Trouble) error {
	now := t.now
	if trouble.LastAt.After(now) {
		now = trouble.LastAt
	}
	steps := trouble.Steps(now)
	if s.notice == nil || source.Paused || steps <= trouble.Told {
		return nil
	}
	n := candor.Notice{Kind: candor.NoticeFailing, Source: source, Trouble: trouble}
	if trouble.Lost() {
		n.Kind = candor.NoticeLost
	}
	trouble.Told = steps
	if err := t.UpdateTrouble(ctx, trouble); err != nil {
		return err
	}
	return s.mailNotice(ctx, t, n)
}

// mailNotice writes a notice to everyone it concerns: the source's owner, or
// every administrator when nobody is named or the named one may no longer sign
// in.
func (s *Store) mailNotice(ctx context.Context, t *txn, n candor.Notice) error {
	agency, err := t.Agency(ctx)
	if err != nil && !candor.IsKind(err, candor.NotFound) {
		return err
	}
	users, err := t.Users(ctx)
	if err != nil {
		return err
	}
	n.Agency, n.At = agency, t.now
	var to []candor.User
	if n.Source.Owner != "" {
		owner := candor.User{Email: n.Source.Owner}
		for _, u := range users {
			if u.Email == n.Source.Owner {
				owner = u
			}
		}
		n.Owner = !owner.Disabled
		to = append(to, owner)
	}
	if !n.Owner {
		to = nil
		for _, u := range users {
			if !u.Disabled && u.Is(candor.Admin) {
				to = append(to, u)
			}
		}
	}
	if len(to) == 0 {
		s.log.Warn("nobody can be told how a source stands: it has no owner and there is no administrator", "source", n.Source.ID, "notice", n.Kind)
	}
	var mails []candor.Mail
	for _, u := range to {
		n.To, n.Name, n.Language = u.Email, u.Name, u.Language
		mails = append(mails, s.notice(n))
	}
	return s.mail(ctx, t, "", mails)
}

// TellOfSources writes what is due by now: reminders of troubles that last and
// of tokens that end, and what a process without Notify left to be told. It is
// called every now and then, since a source may be visited rarely. Called twice,
// or by several processes at once, it writes each notice once.
func (s *Store) TellOfSources(ctx context.Context) error {
	if s.notice == nil {
		return nil
	}
	return errors.Join(s.tellOfTroubles(ctx), s.tellOfExpiry(ctx))
}

func (s *Store) tellOfTroubles(ctx context.Context) error {
	lasting, err := s.Troubles(ctx)
	if err != nil {
		return err
	}
	mended, err := s.db.Reader().Mended(ctx, "")
	if err != nil {
		return err
	}
	due := map[string]bool{}
	for _, x := range lasting {
		due[x.SourceID] = x.Steps(s.now()) > x.Told
	}
	for _, x := range mended {
		due[x.SourceID] = true
	}
	var failed []error
	for id, is := range due {
		if is {
			failed = append(failed, s.commit(ctx, "tell of a source's trouble", func(ctx context.Context, t *txn) error { return s.tellOf(ctx, t, id) }))
		}
	}
	return errors.Join(failed...)
}

// tellOf tells what is due of one source, as it stands now that nobody else can
// tell of it.
func (s *Store) tellOf(ctx context.Context, t *txn, sourceID string) error {
	source, err := t.LockSource(ctx, sourceID)
	if err != nil {
		return err
	}
	mended, err := t.Mended(ctx, sourceID)
	if err != nil {
		return err
	}
	for _, x := range mended {
		if err := s.tellMended(ctx, t, source, x); err != nil {
			return err
		}
	}
	lasting, err := t.Troubles(ctx, sourceID)
	if err != nil || len(lasting) == 0 {
		return err
	}
	return s.tell(ctx, t, source, lasting[0])
}

func (s *Store) tellOfExpiry(ctx context.Context) error {
	zone, err := s.zone(ctx)
	if err != nil {
		return err
	}
	today := candor.DateOf(s.now(), zone)
	sources, told, err := s.db.Reader().Expiring(ctx, today.Add(candor.ExpiryFirst))
	if err != nil {
		return err
	}
	var failed []error
	for _, source := range sources {
		steps := candor.ExpirySteps(source.TokenExpires, today)
		if steps <= told[source.ID] {
			continue
		}
		err := s.commit(ctx, "remind of a token's end", func(ctx context.Context, t *txn) error {
			lasting, err := t.Troubles(ctx, source.ID)
			if err != nil {
				return err
			}
			if len(lasting) > 0 && lasting[0].Lost() {
				return nil // they know already, and that mail is the more urgent
			}
			if first, err := t.NoteExpiryTold(ctx, source, steps); err != nil || !first {
				return err
			}
			return s.mailNotice(ctx, t, candor.Notice{Kind: candor.NoticeExpires, Source: source})
		})
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
