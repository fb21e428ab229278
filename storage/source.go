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
