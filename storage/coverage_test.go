package storage

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/internal/pgtest"
)

// clock is a time that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// onBothAt is onBoth with a clock, which begins on a Monday at nine in Texas.
func onBothAt(t *testing.T, test func(t *testing.T, s *Store, c *clock, src candor.Source)) {
	start := time.Date(2026, 11, 2, 15, 0, 0, 0, time.UTC)
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			c := &clock{at: start}
			cfg := Config{Dir: t.TempDir(), Now: c.now}
			if engine == "postgres" {
				cfg.Database = pgtest.Start(t)
			}
			s := open(t, cfg)
			src := candor.Source{ID: candor.NewID(), Kind: candor.SourceFacebook, Name: "Larkspur Police", URL: "https://social.example/lpd",
				APIURL: "https://api.example", Public: true, Every: time.Hour}
			must(t, s.AddSource(t.Context(), src, "", "tester"))
			src, err := s.Source(t.Context(), src.ID)
			must(t, err)
			test(t, s, c, src)
		})
	}
}

// visit is a sweep at the time the clock shows.
func visit(t *testing.T, s *Store, c *clock, sw candor.Sweep, src candor.Source, at time.Time) {
	t.Helper()
	c.set(at)
	sw.SourceID, sw.At = src.ID, at
	must(t, s.ApplySweep(t.Context(), sw))
}

func dayOf(t *testing.T, s *Store, src candor.Source, date candor.Date) candor.CoverageDay {
	t.Helper()
	got, err := s.Coverage(t.Context(), src.ID, date, date)
	must(t, err)
	return got.Days[0]
}

func TestADayCountsWhatItsVisitsBrought(t *testing.T) {
	onBothAt(t, func(t *testing.T, s *Store, c *clock, src candor.Source) {
		at := c.at
		post := candor.Record{ID: candor.NewID(), UID: "p", Kind: candor.Post, State: candor.Live, URL: "https://social.example/p", SourceID: src.ID}
		post.ThreadID = post.ID
		other := candor.Record{ID: candor.NewID(), UID: "q", Kind: candor.Post, State: candor.Live, URL: "https://social.example/q"}
		visit(t, s, c, candor.Sweep{Changes: []candor.Change{wording(post, "one"), wording(post, "two"), wording(other, "x")}, Cost: 1_000_000}, src, at)
		gone := other
		gone.State = candor.Deleted
		visit(t, s, c, candor.Sweep{Error: "code 190: the token expired", Gaps: []candor.CoverageGap{{Reason: candor.GapLimit}, {Reason: candor.GapToken, Detail: "code 190"}},
			Changes: []candor.Change{wording(post, "three"), {Record: gone, Tombstone: &candor.Tombstone{How: "gone"}}}, Cost: 250_000}, src, at.Add(90*time.Minute))
		// 03:00 UTC of the next day is still the same day in Texas.
		visit(t, s, c, candor.Sweep{Error: "no gap was named"}, src, time.Date(2026, 11, 3, 3, 0, 0, 0, time.UTC))
		m, dir := made(t, candor.CaptureSpec{ID: candor.NewID(), URL: post.URL, SourceID: src.ID, RecordID: post.ID}, "words")
		for range 2 { // committing again changes nothing
			_, err := s.CommitCapture(t.Context(), candor.CaptureSpec{ID: m.ID, SourceID: src.ID, RecordID: post.ID}, m, dir)
			must(t, err)
		}
		capture(t, s, post)
		d := dayOf(t, s, src, "2026-11-02")
		want := candor.DayLog{SourceID: src.ID, Date: "2026-11-02", Visits: 3, Short: 2, FirstAt: at, LastAt: at.Add(12 * time.Hour),
			NextAt: at.Add(13 * time.Hour), Every: time.Hour, Waiting: candor.GapPlatform, Longest: 10*time.Hour + 30*time.Minute, Lost: 9*time.Hour + 30*time.Minute,
			Added: 2, Edited: 1, Withdrawn: 1, Complete: 2, Cost: 1_250_000}
		gaps := d.Gaps
		if d.Gaps = nil; fmt.Sprintf("%+v", d.DayLog) != fmt.Sprintf("%+v", want) {
			t.Errorf("got  %+v\nwant %+v", d.DayLog, want)
		}
		if got, want := fmt.Sprint(gaps), "[{limit 1 []} {token 1 [code 190]} {platform 1 [no gap was named]} {ours 0 []}]"; got != want {
			t.Errorf("gaps %s, want %s", got, want)
		}
		if d.State != candor.DayGaps {
			t.Errorf("state %s", d.State)
		}
		if d := dayOf(t, s, src, "2026-11-03"); d.Visits != 0 || d.State != candor.DayAhead {
			t.Errorf("the day after: %+v", d)
		}
	})
}

func TestADayWeWereDownShowsSo(t *testing.T) {
	onBothAt(t, func(t *testing.T, s *Store, c *clock, src candor.Source) {
		visit(t, s, c, candor.Sweep{}, src, c.at)
		visit(t, s, c, candor.Sweep{}, src, c.at.AddDate(0, 0, 3))
		for date, want := range map[candor.Date]candor.DayState{"2026-11-01": candor.DayBefore, "2026-11-02": candor.DayGaps, "2026-11-03": candor.DayMissed,
			"2026-11-04": candor.DayMissed, "2026-11-05": candor.DayGaps, "2026-11-06": candor.DayAhead} {
			d := dayOf(t, s, src, date) // by itself: what lies around it must be found
			if d.State != want {
				t.Errorf("%s is %s, want %s", date, d.State, want)
			}
			ours := slices.ContainsFunc(d.Gaps, func(g candor.DayGap) bool { return g.Reason == candor.GapOurs })
			if ours != (want == candor.DayMissed || want == candor.DayGaps) {
				t.Errorf("%s has the gaps %v", date, d.Gaps)
			}
		}
	})
}

func TestAPausedSourceMissesNothing(t *testing.T) {
	onBothAt(t, func(t *testing.T, s *Store, c *clock, src candor.Source) {
		ctx, start := t.Context(), c.at
		day := func(n int) time.Time { return start.AddDate(0, 0, n) }
		visit(t, s, c, candor.Sweep{}, src, start)
		must(t, s.SetSourcePaused(ctx, src.ID, true, "tester"))
		c.set(day(1))
		must(t, s.SetSourcePaused(ctx, src.ID, true, "tester")) // it is already
		c.set(day(2))
		must(t, s.SetSourcePaused(ctx, src.ID, false, "tester"))
		visit(t, s, c, candor.Sweep{}, src, day(2))
		c.set(day(2).Add(time.Minute))
		must(t, s.RemoveSource(ctx, src.ID, "tester"))
		c.set(day(4))
		got, err := s.Coverage(ctx, src.ID, "2026-11-02", "2026-11-06")
		must(t, err)
		var states []candor.DayState
		for _, d := range got.Days {
			states = append(states, d.State)
		}
		if want := []candor.DayState{candor.DayFull, candor.DayPaused, candor.DayFull, candor.DayPaused, candor.DayPaused}; !slices.Equal(states, want) {
			t.Errorf("states %v, want %v", states, want)
		}
	})
}

func TestLatencyIsMeasuredOnWhatWasPostedSince(t *testing.T) {
	onBothAt(t, func(t *testing.T, s *Store, c *clock, src candor.Source) {
		start := c.at
		old := candor.Record{ID: candor.NewID(), UID: "old", Kind: candor.Post, PostedAt: start.Add(-time.Hour)}
		changes := []candor.Change{wording(old, "from before")}
		visit(t, s, c, candor.Sweep{Changes: changes}, src, start)
		latency := func() (candor.Latency, candor.Latency) {
			t.Helper()
			got, err := s.Coverage(t.Context(), src.ID, "2026-11-02", "2026-11-02")
			must(t, err)
			return got.ToRecord, got.ToCapture
		}
		if seen, captured := latency(); seen.N != 0 || captured.N != 0 {
			t.Errorf("what was there before counts: %+v %+v", seen, captured)
		}
		var posts []candor.Record
		for i := 1; i <= 6; i++ { // posted at one, two … minutes past, all read at ten past
			r := candor.Record{ID: candor.NewID(), UID: fmt.Sprint(i), Kind: candor.Post, PostedAt: start.Add(time.Duration(i) * time.Minute), SourceID: src.ID}
			r.ThreadID = r.ID
			posts = append(posts, r)
		}
		comment := candor.Record{ID: candor.NewID(), UID: "c", Kind: candor.Comment, ThreadID: posts[0].ID, ParentID: posts[0].ID, PostedAt: start.Add(9 * time.Minute)}
		changes = nil
		for _, r := range append(posts, comment) {
			changes = append(changes, wording(r, "words of "+r.UID))
		}
		visit(t, s, c, candor.Sweep{Changes: changes}, src, start.Add(10*time.Minute))
		shoot := func(r candor.Record, started, finished int, outcome candor.Outcome) {
			t.Helper()
			m, dir := madeAt(t, specFor(r), "words", outcome, start.Add(time.Duration(started)*time.Minute), start.Add(time.Duration(finished)*time.Minute))
			c.set(start.Add(time.Duration(finished) * time.Minute))
			_, err := s.CommitCapture(t.Context(), candor.CaptureSpec{ID: m.ID, SourceID: src.ID, RecordID: r.ID}, m, dir)
			must(t, err)
		}
		shoot(posts[0], 11, 12, candor.Failed)
		shoot(posts[0], 8, 14, candor.Partial)  // begun before the comment: shows the post only
		shoot(posts[0], 14, 15, candor.Partial) // and this one both
		shoot(posts[0], 20, 30, candor.Complete)
		for i, r := range posts[1:5] {
			shoot(r, 40+i, 41+i, candor.Complete)
		}
		seen, captured := latency()
		if want := (candor.Latency{N: 7, P50: 6 * time.Minute, P99: 9 * time.Minute}); seen != want {
			t.Errorf("to record %+v, want %+v", seen, want)
		}
		// 6 for the comment, 13 for its post, 39 each for four others.
		if want := (candor.Latency{N: 6, P50: 39 * time.Minute, P99: 39 * time.Minute}); captured != want {
			t.Errorf("to capture %+v, want %+v", captured, want)
		}
		c.set(start.AddDate(0, 0, 31))
		if seen, _ := latency(); seen.N != 0 {
			t.Errorf("after a month %+v", seen)
		}
	})
}

func TestEveryoneLearnsReasonsAndNothingElse(t *testing.T) {
	onBothAt(t, func(t *testing.T, s *Store, c *clock, src candor.Source) {
		ctx := t.Context()
		hidden := candor.Source{ID: candor.NewID(), Kind: candor.SourcePage, URL: "https://city.example/", Name: "Hidden"}
		must(t, s.AddSource(ctx, hidden, "", "tester"))
		visit(t, s, c, candor.Sweep{Error: "https://api.example/?x is down", Cost: 7}, src, c.at)
		got, err := s.Public().Coverage(ctx, src.ID, "2026-11-02", "2026-11-02")
		must(t, err)
		d := got.Days[0]
		if len(d.Gaps) != 1 || d.Gaps[0].Reason != candor.GapPlatform || d.Gaps[0].Details != nil || d.Cost != 0 || got.Source.LastError != "" || got.Source.APIURL != "" {
			t.Errorf("everyone learns %+v of %+v", d, got.Source)
		}
		_, err = s.Public().Coverage(ctx, hidden.ID, "2026-11-02", "2026-11-02")
		wantKind(t, err, candor.NotFound)
		_, err = s.Public().Coverage(ctx, "\x00", "2026-11-02", "2026-11-02")
		wantKind(t, err, candor.NotFound)
		list, err := s.Public().Sources(ctx)
		must(t, err)
		if len(list) != 1 || list[0].ID != src.ID || list[0].LastError != "" {
			t.Errorf("everyone sees the sources %+v", list)
		}
		for _, span := range [][2]candor.Date{{"2026-11-02", "2026-11-01"}, {"", "2026-11-01"}, {"2026-11-01", "x"}, {"2020-01-01", "2026-01-01"}} {
			_, err := s.Coverage(ctx, src.ID, span[0], span[1])
			wantKind(t, err, candor.Invalid)
		}
	})
}

func TestVisitsAndCapturesAtOnceAreAllCounted(t *testing.T) {
	onBothAt(t, func(t *testing.T, s *Store, c *clock, src candor.Source) {
		var posts []candor.Record
		for i := range 5 {
			r := candor.Record{ID: candor.NewID(), UID: fmt.Sprint(i), Kind: candor.Post, SourceID: src.ID}
			r.ThreadID = r.ID
			posts = append(posts, r)
			must(t, s.ApplySweep(t.Context(), candor.Sweep{SourceID: src.ID, At: c.at, Changes: []candor.Change{wording(r, "x")}}))
		}
		var wg sync.WaitGroup
		for i, r := range posts {
			spec := specFor(r)
			m, dir := made(t, spec, "words")
			wg.Go(func() {
				if _, err := s.CommitCapture(t.Context(), spec, m, dir); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if err := s.ApplySweep(t.Context(), candor.Sweep{SourceID: src.ID, At: c.at, Changes: []candor.Change{wording(r, fmt.Sprint("y", i))}}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		d := dayOf(t, s, src, "2026-11-02")
		if d.Visits != 10 || d.Added != 5 || d.Edited != 5 || d.Complete != 5 {
			t.Errorf("counted %+v", d.DayLog)
		}
	})
}
