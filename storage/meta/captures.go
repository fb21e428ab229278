package meta

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
)

// AddCapture adds a capture with its artefacts; Conflict when it is there.
func (r Repo) AddCapture(ctx context.Context, c candor.Capture, artefacts []candor.Artefact) error {
	if err := r.insert(ctx, &captureRow{Capture: c}, "capture "+c.ID); err != nil {
		return err
	}
	rows := make([]artefactRow, len(artefacts))
	for i, a := range artefacts {
		rows[i].Artefact = a
	}
	return r.insert(ctx, &rows, "artefacts")
}

// Capture gives one capture.
func (r Repo) Capture(ctx context.Context, id string) (candor.Capture, error) {
	row, err := one[captureRow](ctx, r.db.NewSelect().Where("id = ?", plain(id)), "capture")
	return row.Capture, err
}

// Artefacts lists the artefacts of a capture in the manifest's order, the
// manifest itself first.
func (r Repo) Artefacts(ctx context.Context, captureID string) ([]candor.Artefact, error) {
	rows, err := list[artefactRow](ctx, r.db.NewSelect().Where("capture_id = ?", captureID).Order("n"), "read artefacts")
	return each(rows, err, func(x artefactRow) candor.Artefact { return x.Artefact })
}

// Reach says whose eyes a reading is for. Public asks of a capture or record
// not only its own visibility but that of everything it hangs on.
type Reach = candor.Visibility

func capturesFor(q *bun.SelectQuery, reach Reach) *bun.SelectQuery {
	if reach == candor.StaffOnly {
		return q
	}
	return q.Join("JOIN records AS cr ON cr.id = c.record_id").Join("JOIN sources AS cs ON cs.id = cr.source_id").
		Where("c.visibility = ?", candor.Public).Where("cr.visibility = ?", candor.Public).Where("cs.public")
}

func recordsFor(q *bun.SelectQuery, reach Reach) *bun.SelectQuery {
	if reach == candor.StaffOnly {
		return q
	}
	return q.Join("JOIN sources AS rs ON rs.id = r.source_id").Where("r.visibility = ?", candor.Public).Where("rs.public")
}

// CapturesOf lists captures of records (a thread's root and the record
// itself), newest first.
func (r Repo) CapturesOf(ctx context.Context, recordIDs []string, reach Reach) ([]candor.Capture, error) {
	rows, err := list[captureRow](ctx, capturesFor(r.db.NewSelect(), reach).Where("c.record_id IN (?)", in(recordIDs)).
		OrderExpr("c.committed_at DESC, c.id"), "read captures")
	return each(rows, err, func(x captureRow) candor.Capture { return x.Capture })
}

// NewestCaptures gives the newest capture of records, by record id.
func (r Repo) NewestCaptures(ctx context.Context, recordIDs []string, reach Reach) (map[string]string, error) {
	out := map[string]string{}
	err := chunks(recordIDs, func(part []string) error {
		rows, err := list[captureRow](ctx, capturesFor(r.db.NewSelect(), reach).Column("c.id", "c.record_id").
			Where("c.record_id IN (?)", in(part)).Where("c.outcome <> ?", candor.Failed).OrderExpr("c.committed_at, c.id"), "read newest captures")
		for _, c := range rows {
			out[c.RecordID] = c.ID
		}
		return err
	})
	return out, err
}

// RecentCaptures lists captures, newest first.
func (r Repo) RecentCaptures(ctx context.Context, limit int, reach Reach) ([]candor.Capture, error) {
	q := capturesFor(r.db.NewSelect(), reach)
	if reach == candor.Public {
		q = q.Where("c.outcome <> ?", candor.Failed)
	}
	rows, err := list[captureRow](ctx, q.OrderExpr("c.committed_at DESC, c.id").Limit(int64(limit)), "list captures")
	return each(rows, err, func(x captureRow) candor.Capture { return x.Capture })
}

// SetThreadVisibility narrows or widens what was captured of a thread.
func (r Repo) SetThreadVisibility(ctx context.Context, root string, to candor.Visibility) error {
	_, err := r.db.NewUpdate().Model((*captureRow)(nil)).Set("visibility = ?", to).
		Where("record_id IN (SELECT id FROM records WHERE thread_id = ? OR id = ?)", root, root).Exec(ctx)
	return failure(err, "set what a thread's captures may show")
}

// PublicAmong keeps, of records found by a search, those that are public now.
func (r Repo) PublicAmong(ctx context.Context, ids []string) (map[string]Stored, error) {
	out := map[string]Stored{}
	err := chunks(ids, func(part []string) error {
		rows, err := list[recordRow](ctx, recordsFor(r.db.NewSelect(), candor.Public).Where("r.id IN (?)", in(part)), "read records")
		for _, x := range rows {
			out[x.ID] = stored(x)
		}
		return err
	})
	return out, err
}

// Counts says how much everyone may see.
func (r Repo) Counts(ctx context.Context, midnight time.Time) (candor.Counts, error) {
	var c candor.Counts
	count := func(into *int, q *bun.SelectQuery) error {
		n, err := q.Count(ctx)
		*into = int(n)
		return failure(err, "count the archive")
	}
	captures := func() *bun.SelectQuery {
		return capturesFor(r.db.NewSelect().Model((*captureRow)(nil)), candor.Public).Where("c.outcome <> ?", candor.Failed)
	}
	if err := count(&c.Records, recordsFor(r.db.NewSelect().Model((*recordRow)(nil)), candor.Public)); err != nil {
		return c, err
	}
	if err := count(&c.Captures, captures()); err != nil {
		return c, err
	}
	if err := count(&c.Today, captures().Where("c.committed_at >= ?", candor.Moment(midnight))); err != nil {
		return c, err
	}
	if err := count(&c.Sources, r.db.NewSelect().Model((*sourceRow)(nil)).Where("public").Where("NOT removed")); err != nil {
		return c, err
	}
	newest, err := r.RecentCaptures(ctx, 1, candor.Public)
	if err != nil {
		return c, err
	}
	if len(newest) == 1 {
		c.Latest = newest[0].CommittedAt
	}
	return c, nil
}
