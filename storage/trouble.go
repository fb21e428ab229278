package storage

import (
	"context"
	"errors"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/meta"
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
		if t.Told == 0 || a.store.notice == nil {
			continue
		}
		found := 0
		for _, c := range a.sweep.Changes {
			if a.counts.added[c.Record.ID] && !c.Record.PostedAt.Before(t.Since) {
				found++
			}
		}
		if err := a.store.mailNotice(ctx, a.txn, candor.Notice{Kind: candor.NoticeBack, Source: a.source, Trouble: t, Found: found}); err != nil {
			return err
		}
	}
	return nil
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
	all, err := s.Troubles(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, x := range all {
		source, err := s.Source(ctx, x.SourceID)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if source.Paused || x.Steps(s.now()) <= x.Told {
			continue
		}
		err = s.commit(ctx, "tell of a source's trouble", func(ctx context.Context, t *txn) error {
			source, err := t.LockSource(ctx, x.SourceID)
			if err != nil {
				return err
			}
			lasting, err := t.Troubles(ctx, x.SourceID) // as it stands now that nobody else tells
			if err != nil || len(lasting) == 0 {
				return err
			}
			return s.tell(ctx, t, source, lasting[0])
		})
		failed = append(failed, err)
	}
	return errors.Join(failed...)
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

// UpdateSource changes what staff may change of a source: its name,
// department, language, owner, how often it is visited, whether everyone sees
// it and when its token ends. The rest of x is not looked at. Who may see its
// records and captures follows at once.
func (s *Store) UpdateSource(ctx context.Context, x candor.Source, by string) error {
	x.Owner = strings.ToLower(strings.TrimSpace(x.Owner))
	if strings.TrimSpace(x.Name) == "" || x.Every <= 0 {
		return candor.Errorf(candor.Invalid, "a source needs a name and a time between two visits")
	}
	if x.TokenExpires != "" && !x.TokenExpires.Valid() {
		return candor.Errorf(candor.Invalid, "%q is not a day", x.TokenExpires)
	}
	meta.Settle(&x)
	return s.commit(ctx, "change a source", func(ctx context.Context, t *txn) error {
		old, err := t.LockSource(ctx, x.ID)
		if err != nil {
			return err
		}
		x := x
		x.NextPollAt = old.NextPollAt
		if sooner := t.now.Add(x.Every); x.Every != old.Every && sooner.Before(x.NextPollAt) {
			x.NextPollAt = sooner
		}
		what := sourceChanges(old, x)
		if len(what) == 0 {
			return nil
		}
		t.setting(x.ID, by, "source changed: %s", strings.Join(what, "; "))
		if err := t.UpdateSource(ctx, x); err != nil {
			return err
		}
		if x.Public == old.Public {
			return nil
		}
		return s.showSource(ctx, t, x.ID, x.Public)
	})
}

// sourceChanges says in words what differs. The owner's address stays out: the
// evidence log names nobody.
func sourceChanges(old, now candor.Source) []string {
	var what []string
	say := func(name, from, to string) {
		if from != to {
			what = append(what, name+" from “"+oneLine(from)+"” to “"+oneLine(to)+"”")
		}
	}
	say("name", old.Name, now.Name)
	say("department", old.Department, now.Department)
	say("language", old.Language, now.Language)
	say("time between visits", old.Every.String(), now.Every.String())
	say("end of its token", string(old.TokenExpires), string(now.TokenExpires))
	if old.Public != now.Public {
		what = append(what, map[bool]string{true: "public from now on", false: "no longer public"}[now.Public])
	}
	if old.Owner != now.Owner {
		what = append(what, "another owner")
	}
	return what
}

// showSource lets everyone see the records and captures of a source, or staff
// alone, and tells the index.
func (s *Store) showSource(ctx context.Context, t *txn, id string, public bool) error {
	const chunk = 500
	var all []string
	for {
		after := ""
		if len(all) > 0 {
			after = all[len(all)-1]
		}
		ids, err := t.RecordIDs(ctx, id, after, chunk)
		if err != nil {
			return err
		}
		all = append(all, ids...)
		if len(ids) < chunk {
			break
		}
	}
	if err := t.LockThreads(ctx, all); err != nil {
		return err
	}
	if err := t.SetSourceVisibility(ctx, id, public); err != nil {
		return err
	}
	for len(all) > 0 {
		n := min(len(all), chunk)
		records, err := t.Records(ctx, all[:n])
		if err != nil {
			return err
		}
		docs := make([]candor.Doc, 0, len(records))
		for _, r := range records {
			revisions, err := t.Revisions(ctx, r.ID)
			if err != nil {
				return err
			}
			page, err := t.PageText(ctx, r.ID)
			if err != nil {
				return err
			}
			docs = append(docs, doc(r.Record, revisions, page))
		}
		if err := s.index.Put(ctx, t.tx, docs...); err != nil {
			return wrap(err, "index a source anew")
		}
		all = all[n:]
	}
	return nil
}

// SetSourceToken gives a source another access token, sealed, and makes it due:
// its next visit goes on where the last one stopped. who is the account that
// the platform said the token reads; it fails with Conflict when the source has
// been archiving another. expires is the day the token ends, empty when that
// is not known.
func (s *Store) SetSourceToken(ctx context.Context, id, token string, expires candor.Date, who candor.Account, by string) error {
	if token == "" {
		return candor.Errorf(candor.Invalid, "the access token is empty")
	}
	if expires != "" && !expires.Valid() {
		return candor.Errorf(candor.Invalid, "%q is not a day", expires)
	}
	sealed := s.seal.close(id, token)
	return s.commit(ctx, "set an access token", func(ctx context.Context, t *txn) error {
		x, err := t.LockSource(ctx, id)
		if err != nil {
			return err
		}
		if !x.Kind.TakesToken() {
			return candor.Errorf(candor.Invalid, "a source of kind %q has no access token", x.Kind)
		}
		if x.AccountID != "" {
			known, err := t.Account(ctx, x.AccountID)
			if err != nil {
				return err
			}
			if known.PlatformID != who.PlatformID {
				return candor.Errorf(candor.Conflict, "the token is for another account than the one this source archives")
			}
		}
		x.TokenSetAt, x.TokenSetBy, x.TokenExpires, x.NextPollAt = t.now, by, expires, t.now
		what := "access token set"
		if expires != "" {
			what += ", which ends on " + string(expires)
		}
		t.setting(id, by, "%s", what)
		return t.SetToken(ctx, x, sealed)
	})
}

// Account gives the account that posts at a source.
func (s *Store) Account(ctx context.Context, id string) (candor.Account, error) {
	return s.db.Reader().Account(ctx, id)
}
