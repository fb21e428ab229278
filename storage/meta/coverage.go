package meta

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
)

// DayLog gives what was counted of a source on a day; an empty log when
// nothing was.
func (r Repo) DayLog(ctx context.Context, sourceID string, date candor.Date) (candor.DayLog, error) {
	rows, err := list[dayRow](ctx, r.db.NewSelect().Where("source_id = ?", sourceID).Where("date = ?", date), "read a day's log")
	if err != nil || len(rows) == 0 {
		return candor.DayLog{SourceID: sourceID, Date: date}, err
	}
	return rows[0].DayLog, nil
}

// SaveVisits writes all of a day's log but the captures, which are counted by
// CountCapture.
func (r Repo) SaveVisits(ctx context.Context, d candor.DayLog) error {
	d.Complete, d.Partial, d.Failed = 0, 0, 0
	_, err := r.db.NewInsert().Model(&dayRow{DayLog: d}).On("CONFLICT (source_id, date) DO UPDATE").
		Set("visits = EXCLUDED.visits, short = EXCLUDED.short, first_at = EXCLUDED.first_at, last_at = EXCLUDED.last_at").
		Set("next_at = EXCLUDED.next_at, every = EXCLUDED.every, waiting = EXCLUDED.waiting, longest = EXCLUDED.longest, lost = EXCLUDED.lost").
		Set("added = EXCLUDED.added, edited = EXCLUDED.edited, withdrawn = EXCLUDED.withdrawn").
		Set("gaps = EXCLUDED.gaps, cost = EXCLUDED.cost").Exec(ctx)
	return failure(err, "write a day's log")
}

// CountCapture counts one capture of a source on a day.
func (r Repo) CountCapture(ctx context.Context, sourceID string, date candor.Date, outcome candor.Outcome) error {
	d := candor.DayLog{SourceID: sourceID, Date: date}
	switch outcome {
	case candor.Complete:
		d.Complete = 1
	case candor.Partial:
		d.Partial = 1
	default:
		d.Failed = 1
	}
	_, err := r.db.NewInsert().Model(&dayRow{DayLog: d}).On("CONFLICT (source_id, date) DO UPDATE").
		Set("complete = ?TableAlias.complete + EXCLUDED.complete, partial = ?TableAlias.partial + EXCLUDED.partial").
		Set("failed = ?TableAlias.failed + EXCLUDED.failed").Exec(ctx)
	return failure(err, "count a capture")
}

// DayLogs lists the logs of a source from one day to another, and with them the
// nearest before and after that have a visit.
func (r Repo) DayLogs(ctx context.Context, sourceID string, from, to candor.Date) ([]candor.DayLog, error) {
	const doing = "read days' logs"
	of := func() *bun.SelectQuery { return r.db.NewSelect().Where("source_id = ?", sourceID) }
	before, err := list[dayRow](ctx, of().Where("date < ?", from).Where("visits > 0").OrderExpr("date DESC").Limit(1), doing)
	if err != nil {
		return nil, err
	}
	during, err := list[dayRow](ctx, of().Where("date >= ?", from).Where("date <= ?", to).Order("date"), doing)
	if err != nil {
		return nil, err
	}
	after, err := list[dayRow](ctx, of().Where("date > ?", to).Where("visits > 0").Order("date").Limit(1), doing)
	return each(append(append(before, during...), after...), err, func(x dayRow) candor.DayLog { return x.DayLog })
}

// Pauses lists the pauses of a source, oldest first.
func (r Repo) Pauses(ctx context.Context, sourceID string) ([]candor.CoveragePause, error) {
	rows, err := list[pauseRow](ctx, r.db.NewSelect().Where("source_id = ?", sourceID).Order("since"), "read pauses")
	return each(rows, err, func(x pauseRow) candor.CoveragePause { return x.CoveragePause })
}

// BeginPause notes that a source is paused, unless it is already.
func (r Repo) BeginPause(ctx context.Context, sourceID string, at time.Time) error {
	n, err := r.db.NewSelect().Model((*pauseRow)(nil)).Where("source_id = ?", sourceID).Where("until = ?", time.Time{}).Count(ctx)
	if err != nil || n > 0 {
		return failure(err, "begin a pause")
	}
	return r.insert(ctx, &pauseRow{CoveragePause: candor.CoveragePause{SourceID: sourceID, Since: at, Why: candor.PauseByStaff}}, "pause")
}

// EndPause notes that a source is no longer paused.
func (r Repo) EndPause(ctx context.Context, sourceID string, at time.Time) error {
	_, err := r.db.NewUpdate().Model((*pauseRow)(nil)).Set("until = ?", at).
		Where("source_id = ?", sourceID).Where("until = ?", time.Time{}).Exec(ctx)
	return failure(err, "end a pause")
}

// Posted is when a record was posted, first read and first pictured.
type Posted struct {
	PostedAt  time.Time
	FirstSeen time.Time
	Captured  time.Time // zero: not yet
}

// Posted lists the records of a source that were posted since a moment, the
// newest first. A capture begun before a post does not show it.
func (r Repo) Posted(ctx context.Context, sourceID string, since time.Time, limit int) ([]Posted, error) {
	var rows []Posted
	err := r.db.NewSelect().Model((*recordRow)(nil)).Column("posted_at", "first_seen").
		ColumnExpr("(SELECT c.finished_at FROM captures AS c WHERE c.record_id = r.thread_id AND c.committed_at >= r.posted_at"+
			" AND c.started_at >= r.posted_at AND c.outcome <> ? ORDER BY c.committed_at LIMIT 1) AS captured", candor.Failed).
		Where("source_id = ?", sourceID).Where("posted_at >= ?", since).OrderExpr("posted_at DESC").Limit(int64(limit)).Scan(ctx, &rows)
	return rows, failure(err, "read when records were posted")
}
