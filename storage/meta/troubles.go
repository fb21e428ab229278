package meta

import (
	"context"
	"time"

	"github.com/candor-archive/candor"
)

// Troubles lists the troubles that last, of one source or, for an empty id, of
// every source that was not removed.
func (r Repo) Troubles(ctx context.Context, sourceID string) ([]candor.Trouble, error) {
	return r.troubles(ctx, sourceID, "until = ?")
}

// Mended lists, likewise, the troubles that are over although nobody who was
// told of them was told so.
func (r Repo) Mended(ctx context.Context, sourceID string) ([]candor.Trouble, error) {
	return r.troubles(ctx, sourceID, "told > 0 AND until <> ?")
}

func (r Repo) troubles(ctx context.Context, sourceID, where string) ([]candor.Trouble, error) {
	q := r.db.NewSelect().Where(where, time.Time{}).Where("source_id IN (SELECT id FROM sources WHERE NOT removed)").Order("since", "source_id")
	if sourceID != "" {
		q = q.Where("source_id = ?", plain(sourceID))
	}
	rows, err := list[troubleRow](ctx, q, "read troubles")
	return each(rows, err, func(x troubleRow) candor.Trouble { return x.Trouble })
}

// FoundLate counts the records from the time of a trouble that were first read
// when it was over.
func (r Repo) FoundLate(ctx context.Context, t candor.Trouble) (int, error) {
	n, err := r.db.NewSelect().Model((*recordRow)(nil)).Where("source_id = ?", t.SourceID).
		Where("posted_at >= ?", t.Since).Where("posted_at < ?", t.Until).Where("first_seen >= ?", t.Until).Count(ctx)
	return int(n), failure(err, "count records that were found late")
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
