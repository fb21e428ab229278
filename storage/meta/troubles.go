package meta

import (
	"context"
	"time"

	"github.com/candor-archive/candor"
)

// Troubles lists the troubles that last, of one source or, for an empty id, of
// every source that was not removed.
func (r Repo) Troubles(ctx context.Context, sourceID string) ([]candor.Trouble, error) {
	q := r.db.NewSelect().Where("until = ?", time.Time{}).Where("source_id IN (SELECT id FROM sources WHERE NOT removed)").
		Order("since", "source_id")
	if sourceID != "" {
		q = q.Where("source_id = ?", plain(sourceID))
	}
	rows, err := list[troubleRow](ctx, q, "read troubles")
	return each(rows, err, func(x troubleRow) candor.Trouble { return x.Trouble })
}

// AddTrouble adds a trouble that begins.
func (r Repo) AddTrouble(ctx context.Context, t candor.Trouble) error {
	return r.insert(ctx, &troubleRow{Trouble: t}, "trouble")
}

// UpdateTrouble writes how a trouble goes on, or that it ended.
func (r Repo) UpdateTrouble(ctx context.Context, t candor.Trouble) error {
	res, err := r.db.NewUpdate().Model(&troubleRow{Trouble: t}).ExcludeColumn("source_id", "since").
		Where("source_id = ?", t.SourceID).Where("since = ?", t.Since).Exec(ctx)
	return changed(res, err, "trouble")
}

// Expiring lists sources whose tokens end on a day or before, with how many
// reminders of it were sent.
func (r Repo) Expiring(ctx context.Context, by candor.Date) (sources []candor.Source, told map[string]int, err error) {
	rows, err := list[sourceRow](ctx, r.sources().Where("NOT removed").Where("NOT paused").
		Where("token_expires <> ''").Where("token_expires <= ?", by).Order("id"), "find tokens that end")
	told = map[string]int{}
	for _, x := range rows {
		sources, told[x.ID] = append(sources, x.Source), x.ExpiryTold
	}
	return sources, told, err
}

// NoteExpiryTold keeps that reminders were sent, unless the token's end was
// changed or they were counted already; then it reports false.
func (r Repo) NoteExpiryTold(ctx context.Context, s candor.Source, told int) (bool, error) {
	res, err := r.db.NewUpdate().Model((*sourceRow)(nil)).Set("expiry_told = ?", told).
		Where("id = ?", s.ID).Where("token_expires = ?", s.TokenExpires).Where("expiry_told < ?", told).Exec(ctx)
	if err != nil {
		return false, failure(err, "note a reminder")
	}
	n, err := res.RowsAffected()
	return n > 0, failure(err, "note a reminder")
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
