package storage

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/meta"
)

// AddSource takes charge of a source, due at once. Its platform token, if any,
// is kept sealed.
func (s *Store) AddSource(ctx context.Context, x candor.Source, token, by string) error {
	if !x.Kind.Valid() {
		return candor.Errorf(candor.Invalid, "%q is not a kind of source", x.Kind)
	}
	u, err := url.Parse(x.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return candor.Errorf(candor.Invalid, "%q is not the address of a page: write it with https://", x.URL)
	}
	if u.User != nil {
		return candor.Errorf(candor.Invalid, "the address for %s holds a user name or password, which would be kept for ever: take it out", u.Host)
	}
	if x.ID == "" {
		x.ID = candor.NewID()
	}
	if x.Name == "" {
		x.Name = x.URL
	}
	if x.Every <= 0 {
		x.Every = time.Hour
	}
	x.Owner = strings.ToLower(strings.TrimSpace(x.Owner))
	meta.Settle(&x)
	sealed := s.seal.close(x.ID, token)
	return s.commit(ctx, "add a source", func(ctx context.Context, t *txn) error {
		x := x
		if x.CreatedAt.IsZero() {
			x.CreatedAt = t.now
		}
		if x.NextPollAt.IsZero() {
			x.NextPollAt = t.now
		}
		if token != "" {
			x.TokenSetAt, x.TokenSetBy = t.now, by
		}
		t.setting(x.ID, by, "source added: %s %s, %s, public %t, every %s", x.Kind, oneLine(x.Name), x.URL, x.Public, x.Every)
		return t.AddSource(ctx, x, sealed)
	})
}

// Sources lists the sources in our charge by name.
func (s *Store) Sources(ctx context.Context) ([]candor.Source, error) {
	return s.db.Reader().Sources(ctx)
}

// Source gives a source, even one that was removed.
func (s *Store) Source(ctx context.Context, id string) (candor.Source, error) {
	return s.db.Reader().Source(ctx, id)
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

// SetSourcePaused stops or resumes the polling of a source.
func (s *Store) SetSourcePaused(ctx context.Context, id string, paused bool, by string) error {
	return s.commit(ctx, "change a source", func(ctx context.Context, t *txn) error {
		if paused {
			t.setting(id, by, "source paused")
		} else {
			t.setting(id, by, "source resumed")
		}
		if err := t.SetSourcePaused(ctx, id, paused); err != nil {
			return err
		}
		if paused {
			return t.BeginPause(ctx, id, t.now)
		}
		return t.EndPause(ctx, id, t.now)
	})
}

// RemoveSource ends our charge of a source. What was archived stays; its token
// is forgotten.
func (s *Store) RemoveSource(ctx context.Context, id, by string) error {
	return s.commit(ctx, "remove a source", func(ctx context.Context, t *txn) error {
		t.setting(id, by, "source removed")
		if err := t.RemoveSource(ctx, id); err != nil {
			return err
		}
		return t.BeginPause(ctx, id, t.now) // nobody is to come any more
	})
}

// PollNow makes a source due.
func (s *Store) PollNow(ctx context.Context, sourceID string) error {
	return s.db.Writer().SetNextPoll(ctx, sourceID, s.now())
}

// Token gives a source's platform token, "" when it has none.
func (s *Store) Token(ctx context.Context, sourceID string) (string, error) {
	sealed, _, err := s.db.Reader().SourceSecrets(ctx, sourceID)
	if err != nil {
		return "", err
	}
	return s.seal.open(sourceID, sealed)
}

// SourceState gives what the connector left with its last Sweep, nil at first.
func (s *Store) SourceState(ctx context.Context, sourceID string) ([]byte, error) {
	_, state, err := s.db.Reader().SourceSecrets(ctx, sourceID)
	return state, err
}

// DueSources lists the sources to be polled by now, the longest due first.
func (s *Store) DueSources(ctx context.Context, now time.Time, limit int) ([]candor.Source, error) {
	return s.db.Reader().DueSources(ctx, now, limit)
}

// Known says what is archived of records of a source, by UID. Those never seen
// are not in the map.
func (s *Store) Known(ctx context.Context, sourceID string, uids []string) (map[string]candor.Known, error) {
	list, err := s.db.Reader().KnownByUID(ctx, sourceID, uids)
	if err != nil {
		return nil, err
	}
	known := make(map[string]candor.Known, len(list))
	for _, k := range list {
		known[k.Record.UID] = k
	}
	return known, nil
}

// KnownUnseen lists records of a source that are not known to be gone and were
// last seen before since, the longest unseen first.
func (s *Store) KnownUnseen(ctx context.Context, sourceID string, since time.Time, limit int) ([]candor.Known, error) {
	return s.db.Reader().KnownUnseen(ctx, sourceID, since, limit)
}
