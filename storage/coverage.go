package storage

import (
	"context"
	"time"

	"github.com/candor-archive/candor"
)

const (
	coverageDays = 400  // are told of at once at most
	latencyMost  = 1000 // records, the newest, are measured for a latency at most
)

// counts is what a sweep did to records, each counted once.
type counts struct {
	added, edited, withdrawn map[string]bool // by record id
}

func newCounts() counts { return counts{map[string]bool{}, map[string]bool{}, map[string]bool{}} }

// logVisit adds the visit a sweep comes from to the log of its day. The source's
// row is locked by then, so that no other visit of it is added meanwhile.
func (a *applying) logVisit(ctx context.Context) error {
	date, err := a.date(ctx, a.sweep.At)
	if err != nil {
		return err
	}
	log, err := a.DayLog(ctx, a.source.ID, date)
	if err != nil {
		return err
	}
	pauses, err := a.Pauses(ctx, a.source.ID)
	if err != nil {
		return err
	}
	log = log.Visit(a.sweep, a.source.Every, pauses, a.now)
	log.Added += len(a.counts.added)
	log.Edited += len(a.counts.edited)
	log.Withdrawn += len(a.counts.withdrawn)
	return a.SaveVisits(ctx, log)
}

// date is the agency's day at a moment.
func (t *txn) date(ctx context.Context, at time.Time) (candor.Date, error) {
	zone, err := zoneOf(ctx, t.Repo)
	return candor.DateOf(at, zone), err
}

// Coverage is the account of a source from one day to another, both included
// and at most 400 days. Latencies are those of the last days, whatever days are
// asked for, measured on the newest thousand records. A source that was removed
// has one as well.
func (s *Store) Coverage(ctx context.Context, sourceID string, from, to candor.Date) (candor.Coverage, error) {
	if !from.Valid() || !to.Valid() || to < from || to.Time().Sub(from.Time()) >= coverageDays*24*time.Hour {
		return candor.Coverage{}, candor.Errorf(candor.Invalid, "coverage from %q to %q: ask for 1 to %d days", from, to, coverageDays)
	}
	repo := s.db.Reader()
	source, err := repo.Source(ctx, sourceID)
	if err != nil {
		return candor.Coverage{}, err
	}
	zone, err := s.zone(ctx)
	if err != nil {
		return candor.Coverage{}, err
	}
	logs, err := repo.DayLogs(ctx, sourceID, from, to)
	if err != nil {
		return candor.Coverage{}, err
	}
	pauses, err := repo.Pauses(ctx, sourceID)
	if err != nil {
		return candor.Coverage{}, err
	}
	now := s.now()
	c := candor.Coverage{Source: source, Today: candor.DateOf(now, zone), Days: candor.CoverDays(source, logs, pauses, from, to, zone, now)}
	since := now.AddDate(0, 0, -candor.LatencyDays)
	if source.CreatedAt.After(since) {
		since = source.CreatedAt // what is older was there to be found, and waited for nobody
	}
	posted, err := repo.Posted(ctx, sourceID, since, latencyMost)
	if err != nil {
		return candor.Coverage{}, err
	}
	var seen, captured []time.Duration
	for _, p := range posted {
		seen = append(seen, p.FirstSeen.Sub(p.PostedAt))
		if !p.Captured.IsZero() {
			captured = append(captured, p.Captured.Sub(p.PostedAt))
		}
	}
	c.ToRecord, c.ToCapture = candor.MeasureLatency(seen), candor.MeasureLatency(captured)
	return c, nil
}
