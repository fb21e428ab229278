package meta

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
)

// AddSource adds a source with its sealed token.
func (r Repo) AddSource(ctx context.Context, s candor.Source, token []byte) error {
	return r.insert(ctx, &sourceRow{Source: s, Token: token}, "source "+s.Name)
}

// sources selects sources without what is secret or for the connector alone.
func (r Repo) sources() *bun.SelectQuery {
	return r.db.NewSelect().Model((*sourceRow)(nil)).ExcludeColumn("token", "state")
}

// Sources lists the sources that were not removed, by name.
func (r Repo) Sources(ctx context.Context) ([]candor.Source, error) {
	rows, err := list[sourceRow](ctx, r.sources().Where("NOT removed").Order("name", "id"), "list sources")
	return each(rows, err, func(x sourceRow) candor.Source { return x.Source })
}

// Source gives a source, removed or not: its records still refer to it.
func (r Repo) Source(ctx context.Context, id string) (candor.Source, error) {
	row, err := one[sourceRow](ctx, r.sources().Where("id = ?", plain(id)), "source")
	return row.Source, err
}

// SourcesByID gives sources by id, removed or not; absent ones are left out.
func (r Repo) SourcesByID(ctx context.Context, ids []string) (map[string]candor.Source, error) {
	out := make(map[string]candor.Source, len(ids))
	err := chunks(ids, func(part []string) error {
		rows, err := list[sourceRow](ctx, r.sources().Where("id IN (?)", in(part)), "read sources")
		for _, x := range rows {
			out[x.ID] = x.Source
		}
		return err
	})
	return out, err
}

// LockSource gives a source and makes transactions that depend on its settings
// wait for one another. On SQLite they do so already.
func (r Repo) LockSource(ctx context.Context, id string) (candor.Source, error) {
	q := r.sources().Where("id = ?", plain(id))
	if r.engine == PostgreSQL {
		q = q.For("NO KEY UPDATE")
	}
	row, err := one[sourceRow](ctx, q, "source")
	return row.Source, err
}

// UpdateSource writes what staff may change of a source. A changed end of its
// token is reminded of from the beginning.
func (r Repo) UpdateSource(ctx context.Context, s candor.Source) error {
	res, err := r.db.NewUpdate().Model((*sourceRow)(nil)).
		Set("name = ?, department = ?, language = ?", s.Name, s.Department, s.Language).
		Set("owner = ?, public = ?, every = ?, next_poll_at = ?", s.Owner, s.Public, s.Every, candor.Moment(s.NextPollAt)).
		Set("expiry_told = CASE WHEN token_expires = ? THEN expiry_told ELSE 0 END", s.TokenExpires).
		Set("token_expires = ?", s.TokenExpires).Where("id = ? AND NOT removed", s.ID).Exec(ctx)
	return changed(res, err, "source")
}

// SetToken replaces a source's sealed token and what is known of it, and makes
// the source due.
func (r Repo) SetToken(ctx context.Context, s candor.Source, token []byte) error {
	res, err := r.db.NewUpdate().Model((*sourceRow)(nil)).
		Set("token = ?, token_set_at = ?, token_set_by = ?", token, s.TokenSetAt, s.TokenSetBy).
		Set("token_expires = ?, expiry_told = 0, next_poll_at = ?", s.TokenExpires, s.NextPollAt).
		Where("id = ? AND NOT removed", s.ID).Exec(ctx)
	return changed(res, err, "source")
}

// DueSources lists sources to be polled by now, the longest due first.
func (r Repo) DueSources(ctx context.Context, now time.Time, limit int) ([]candor.Source, error) {
	rows, err := list[sourceRow](ctx, r.sources().Where("NOT removed").Where("NOT paused").
		Where("next_poll_at <= ?", candor.Moment(now)).Order("next_poll_at", "id").Limit(int64(limit)), "list due sources")
	return each(rows, err, func(x sourceRow) candor.Source { return x.Source })
}

// SourceSecrets gives a source's sealed token and its connector's state.
func (r Repo) SourceSecrets(ctx context.Context, id string) (token, state []byte, err error) {
	row, err := one[sourceRow](ctx, r.db.NewSelect().Column("id", "token", "state").Where("id = ?", plain(id)), "source")
	return row.Token, row.State, err
}

// SetSourcePaused stops or resumes the polling of a source.
func (r Repo) SetSourcePaused(ctx context.Context, id string, paused bool) error {
	res, err := r.db.NewUpdate().Model((*sourceRow)(nil)).Set("paused = ?", paused).Where("id = ? AND NOT removed", id).Exec(ctx)
	return changed(res, err, "source")
}

// RemoveSource takes a source off the list and forgets its token.
func (r Repo) RemoveSource(ctx context.Context, id string) error {
	res, err := r.db.NewUpdate().Model((*sourceRow)(nil)).Set("removed = ?", true).Set("token = NULL").Where("id = ? AND NOT removed", id).Exec(ctx)
	return changed(res, err, "source")
}

// SetNextPoll says when a source is due.
func (r Repo) SetNextPoll(ctx context.Context, id string, at time.Time) error {
	res, err := r.db.NewUpdate().Model((*sourceRow)(nil)).Set("next_poll_at = ?", candor.Moment(at)).Where("id = ? AND NOT removed", id).Exec(ctx)
	return changed(res, err, "source")
}

// NotePoll keeps the outcome of a poll. A nil state leaves the former one.
func (r Repo) NotePoll(ctx context.Context, s candor.Sweep, accountID string) error {
	q := r.db.NewUpdate().Model((*sourceRow)(nil)).Set("last_poll_at = ?", s.At).Set("next_poll_at = ?", s.NextAt).
		Set("last_error = ?", s.Error).Where("id = ?", s.SourceID)
	if s.State != nil {
		q = q.Set("state = ?", s.State)
	}
	if accountID != "" {
		q = q.Set("account_id = ?", accountID)
	}
	res, err := q.Exec(ctx)
	return changed(res, err, "source")
}

// SaveAccount adds an account or refreshes its names, and gives the id it is
// kept under, which is that of the first time it was seen.
func (r Repo) SaveAccount(ctx context.Context, a candor.Account) (id string, err error) {
	_, err = r.db.NewInsert().Model(&accountRow{Account: a}).On("CONFLICT (platform, platform_id) DO UPDATE").
		Set("handle = EXCLUDED.handle, name = EXCLUDED.name, url = EXCLUDED.url").Exec(ctx)
	if err != nil {
		return "", failure(err, "save account "+a.Name)
	}
	row, err := one[accountRow](ctx, r.db.NewSelect().Where("platform = ?", a.Platform).Where("platform_id = ?", a.PlatformID), "account")
	return row.ID, err
}

// Account gives one account.
func (r Repo) Account(ctx context.Context, id string) (candor.Account, error) {
	row, err := one[accountRow](ctx, r.db.NewSelect().Where("id = ?", id), "account")
	return row.Account, err
}

// SetSourceVisibility makes the records of a source, and the captures of them,
// what everyone may see or what only staff may. Of captures everyone sees those
// that show nothing that was withdrawn, as when they were committed.
func (r Repo) SetSourceVisibility(ctx context.Context, sourceID string, public bool) error {
	to := candor.PublicNow(candor.Live, public)
	shown := states(candor.RecordState.Shown)
	_, err := r.db.NewUpdate().Model((*recordRow)(nil)).Set("visibility = ?", to).Set("was_public = (was_public OR ?)", public).
		Where("source_id = ?", sourceID).Where("state IN (?)", shown).Exec(ctx)
	if err != nil {
		return failure(err, "set what a source's records may show")
	}
	q := r.db.NewUpdate().Model((*captureRow)(nil)).Set("visibility = ?", to).Where("source_id = ?", sourceID).Where("record_id <> ''")
	if public {
		q = q.Where(`EXISTS (SELECT 1 FROM records AS r JOIN records AS root ON root.id = r.thread_id
			WHERE r.id = c.record_id AND r.state IN (?) AND root.state IN (?))`, shown, shown).
			Where(`NOT EXISTS (SELECT 1 FROM records AS w JOIN records AS r ON r.thread_id = w.thread_id
			WHERE r.id = c.record_id AND w.state IN (?) AND (w.state_since >= c.started_at
				OR w.id IN (SELECT record_id FROM tombstones WHERE noticed_at >= c.started_at)))`, states(candor.RecordState.Withdrawn))
	}
	_, err = q.Exec(ctx)
	return failure(err, "set what a source's captures may show")
}

// RecordIDs lists ids of a source's records after one, in order.
func (r Repo) RecordIDs(ctx context.Context, sourceID, after string, limit int) ([]string, error) {
	rows, err := list[recordRow](ctx, r.db.NewSelect().Column("id").Where("source_id = ?", sourceID).Where("id > ?", after).
		Order("id").Limit(int64(limit)), "list records of a source")
	return each(rows, err, func(x recordRow) string { return x.ID })
}
