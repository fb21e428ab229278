package candor

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// watch is a source with its logs, as storage keeps them.
type watch struct {
	src    Source
	zone   *time.Location
	logs   []DayLog
	pauses []CoveragePause
}

// visit adds a visit that was planned as the crawler does, or to last as said.
func (w *watch) visit(at time.Time, change ...func(*Sweep)) {
	v := Sweep{SourceID: w.src.ID, At: at, NextAt: at.Add(w.src.Every)}
	for _, c := range change {
		c(&v)
	}
	date := DateOf(at, w.zone)
	if n := len(w.logs); n == 0 || w.logs[n-1].Date != date {
		w.logs = append(w.logs, DayLog{SourceID: w.src.ID, Date: date})
	}
	last := &w.logs[len(w.logs)-1]
	*last = last.Visit(v, w.src.Every, w.pauses, at)
}

// visits come at every interval from one moment up to another.
func (w *watch) visits(from, to time.Time, change ...func(*Sweep)) {
	for at := from; at.Before(to); at = at.Add(w.src.Every) {
		w.visit(at, change...)
	}
}

func (w *watch) days(from, to Date, now time.Time) []CoverageDay {
	return CoverDays(w.src, w.logs, w.pauses, from, to, w.zone, now)
}

func states(days []CoverageDay) string {
	var out []string
	for _, d := range days {
		s := string(d.State)
		for _, g := range d.Gaps {
			s += "/" + string(g.Reason)
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func stopped(reason GapReason, next time.Duration) func(*Sweep) {
	return func(v *Sweep) {
		v.Error, v.NextAt = "it went wrong", v.At.Add(next)
		v.Gaps = append(v.Gaps, CoverageGap{Reason: reason, Detail: v.Error})
	}
}

func TestTimeWithoutAVisitIsOursUnlessItWasPlanned(t *testing.T) {
	zone := central
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, zone) }
	now := at(6, 12, 0)
	for _, c := range []struct {
		name  string
		every time.Duration
		do    func(w *watch)
		want  string
		lost  []time.Duration // by day, from the 2nd
	}{
		{"as planned", 15 * time.Minute, func(w *watch) { w.visits(at(2, 9, 0), now) }, "full full full full full", nil},
		{"just within three intervals and ten minutes", time.Hour, func(w *watch) {
			w.visits(at(2, 9, 0), at(3, 10, 0))
			w.visits(at(3, 12, 10), now)
		}, "full full full full full", nil},
		{"longer than that", time.Hour, func(w *watch) {
			w.visits(at(2, 9, 0), at(3, 10, 0)) // the last at 9:00, the next was due at 10:00
			w.visits(at(3, 12, 11), now)
		}, "full gaps/ours full full full", []time.Duration{0, 131 * time.Minute}},
		{"down over two nights", 15 * time.Minute, func(w *watch) {
			w.visits(at(2, 9, 0), at(2, 22, 0)) // the last at 21:45
			w.visits(at(4, 6, 0), now)
		}, "gaps/ours missed/ours gaps/ours full full", []time.Duration{2 * time.Hour, 24 * time.Hour, 6 * time.Hour}},
		{"down until now", 15 * time.Minute, func(w *watch) { w.visits(at(2, 9, 0), at(5, 0, 0)) }, "full full full missed/ours missed/ours", nil},
		{"never visited", time.Hour, func(w *watch) {}, "missed/ours missed/ours missed/ours missed/ours missed/ours", nil},
		{"once a week", 7 * 24 * time.Hour, func(w *watch) { w.visit(at(2, 9, 0)) }, "full idle idle idle idle", nil},
		{"paused and resumed", 15 * time.Minute, func(w *watch) {
			w.visits(at(2, 9, 0), at(3, 12, 0))
			w.pauses = []CoveragePause{{Since: at(3, 12, 0), Until: at(5, 9, 0), Why: PauseByStaff}}
			w.visits(at(5, 9, 1), now)
		}, "full full paused full full", nil},
		{"paused within a day", 15 * time.Minute, func(w *watch) {
			w.visits(at(2, 9, 0), at(3, 8, 0))
			w.pauses = []CoveragePause{{Since: at(3, 8, 0), Until: at(3, 18, 0), Why: PauseByStaff}}
			w.visits(at(3, 18, 1), now)
		}, "full full full full full", nil},
		{"paused after being down", 15 * time.Minute, func(w *watch) {
			w.visits(at(2, 9, 0), at(3, 0, 0))
			w.pauses = []CoveragePause{{Since: at(3, 12, 0), Why: PauseByStaff}}
		}, "full missed/ours paused paused paused", []time.Duration{0, 12 * time.Hour}},
		{"not counted yet", 15 * time.Minute, func(w *watch) {
			w.pauses = []CoveragePause{{Since: w.src.CreatedAt, Until: at(4, 9, 0), Why: PauseUncounted}}
			w.visits(at(4, 9, 1), now)
		}, "uncounted uncounted full full full", nil},
		{"put off by the platform", 15 * time.Minute, func(w *watch) {
			w.visits(at(2, 9, 0), at(3, 9, 0))
			w.visit(at(3, 9, 0), stopped(GapThrottled, 48*time.Hour))
			w.visits(at(5, 9, 0), now)
		}, "full gaps/throttled missed/throttled gaps/throttled full", nil},
		{"a token that expired", time.Hour, func(w *watch) {
			w.visits(at(2, 9, 0), at(3, 0, 0))
			for _, hour := range []int{0, 8, 16} {
				w.visit(at(3, hour, 0), stopped(GapToken, 8*time.Hour))
			}
			w.visits(at(4, 0, 0), now)
		}, "full missed/token full full full", nil},
		{"a listing that never tells all", time.Hour, func(w *watch) {
			w.visits(at(2, 9, 0), at(3, 0, 0), func(v *Sweep) { v.Gaps = []CoverageGap{{Reason: GapLimit}} })
			w.visits(at(3, 0, 0), now)
		}, "gaps/limit full full full full", nil},
		{"a visit that takes long", time.Minute, func(w *watch) {
			w.visits(at(2, 9, 0), now)
			for i := range w.logs { // as if the one at 8:00 were the last before 8:24
				if w.logs[i].Date == "2026-11-06" {
					w.logs = w.logs[:i]
					break
				}
			}
			w.visits(at(6, 0, 0), at(6, 8, 0))
			last := &w.logs[len(w.logs)-1]
			v := Sweep{At: at(6, 8, 0), NextAt: at(6, 8, 1)}
			*last = last.Visit(v, w.src.Every, nil, at(6, 8, 14))
			w.visits(at(6, 8, 24), now)
		}, "full full full full full", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &watch{src: Source{ID: "s", Every: c.every, CreatedAt: at(2, 8, 55)}, zone: zone}
			c.do(w)
			days := w.days("2026-11-02", "2026-11-06", now)
			if got := states(days); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			for i, want := range c.lost {
				if days[i].Lost != want {
					t.Errorf("on %s %s are ours, want %s", days[i].Date, days[i].Lost, want)
				}
			}
		})
	}
}

// What was in order under the interval of its day stays so under another.
func TestDaysAreJudgedByTheIntervalTheyHad(t *testing.T) {
	w := &watch{src: Source{Every: 12 * time.Hour, CreatedAt: time.Date(2026, 11, 2, 8, 0, 0, 0, central)}, zone: central}
	changed := time.Date(2026, 11, 4, 8, 0, 0, 0, central)
	w.visits(w.src.CreatedAt, changed)
	w.src.Every = time.Minute
	w.visits(changed, changed.Add(time.Hour))
	if got, want := states(w.days("2026-11-02", "2026-11-04", changed.Add(time.Hour))), "full full full"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDaysBeforeAndAheadAreNoGaps(t *testing.T) {
	zone := central
	w := &watch{src: Source{Every: time.Hour, CreatedAt: time.Date(2026, 11, 3, 23, 30, 0, 0, zone)}, zone: zone}
	now := time.Date(2026, 11, 5, 0, 20, 0, 0, zone)
	w.visits(time.Date(2026, 11, 3, 23, 31, 0, 0, zone), time.Date(2026, 11, 5, 0, 0, 0, 0, zone))
	days := w.days("2026-11-01", "2026-11-07", now)
	if got, want := states(days), "before before full full idle ahead ahead"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if days[4].Without != 20*time.Minute || days[5].Without != 0 || days[1].Without != 0 {
		t.Errorf("without a visit: %s today, %s tomorrow, %s before", days[4].Without, days[5].Without, days[1].Without)
	}
}

// On the day the clocks go back, a day has 25 hours; when they go forward, 23.
func TestDaysAreThoseOfTheAgency(t *testing.T) {
	zone := central
	for _, c := range []struct {
		day    Date
		visits int
	}{{"2026-11-01", 25}, {"2026-03-08", 23}, {"2026-07-04", 24}} {
		start := c.day.Start(zone)
		w := &watch{src: Source{Every: time.Hour, CreatedAt: start.AddDate(0, 0, -2)}, zone: zone}
		w.visits(w.src.CreatedAt, start.AddDate(0, 0, 3))
		days := w.days(c.day.Add(-1), c.day.Add(1), start.AddDate(0, 0, 3))
		if got := states(days); got != "full full full" || days[1].Visits != c.visits || days[0].Visits != 24 {
			t.Errorf("%s: %s with %d visits, want %d", c.day, got, days[1].Visits, c.visits)
		}
		// A whole day missed is as long as the day.
		w.logs = slices.DeleteFunc(w.logs, func(l DayLog) bool { return l.Date == c.day })
		days = w.days(c.day, c.day, start.AddDate(0, 0, 3))
		if want := time.Duration(c.visits) * time.Hour; days[0].State != DayMissed || days[0].Lost != want || days[0].Without != want {
			t.Errorf("%s, missed: %s, %s lost, %s without", c.day, days[0].State, days[0].Lost, days[0].Without)
		}
	}
	if got := DateOf(time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC), zone); got != "2026-11-22" {
		t.Errorf("03:00 UTC is %s in Texas", got)
	}
	// In Cuba clocks are put forward at midnight.
	havana := mustZone("America/Havana")
	if start := Date("2026-03-08").Start(havana); DateOf(start, havana) != "2026-03-08" || DateOf(start.Add(-time.Second), havana) != "2026-03-07" {
		t.Errorf("the day begins at %s", start)
	}
}

func TestGapsOfADayStayShort(t *testing.T) {
	at := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	w := &watch{src: Source{Every: time.Minute}, zone: time.UTC}
	for i := range 500 {
		w.visit(at.Add(time.Duration(i)*time.Minute), func(v *Sweep) {
			v.Cost = 5
			v.Gaps = []CoverageGap{{GapToken, strings.Repeat("ñ", i) + " \n no"}, {GapToken, "again"}, {GapReason("new"), ""}, {GapWindow, ""}}
		})
	}
	d := w.logs[0]
	if len(d.Gaps) != 3 || d.Gaps[0].Visits != 500 || d.Gaps[1].Reason != GapPlatform || len(d.Gaps[0].Details) != gapDetails || len(d.Gaps[2].Details) != 0 {
		t.Errorf("gaps %+v", d.Gaps)
	}
	for _, s := range d.Gaps[0].Details {
		if n := len([]rune(s)); n > gapDetail {
			t.Errorf("a detail has %d letters", n)
		}
	}
	if d.Cost != 2500 || d.Short != 0 {
		t.Errorf("cost %d, short %d", d.Cost, d.Short)
	}
}

func TestLatencyIsKnownFromFiveOn(t *testing.T) {
	var took []time.Duration
	for i := range 100 {
		took = append(took, time.Duration(100-i)*time.Second)
		l := MeasureLatency(took)
		if l.Known() != (i >= 4) {
			t.Errorf("of %d: known %t", i+1, l.Known())
		}
	}
	if l := MeasureLatency(took); l.P50 != 50*time.Second || l.P99 != 99*time.Second || l.N != 100 {
		t.Errorf("%+v", l)
	}
	if l := MeasureLatency([]time.Duration{-time.Second}); l.P99 != 0 {
		t.Errorf("less than no time: %+v", l)
	}
	if l := MeasureLatency(nil); l.Known() || l.N != 0 {
		t.Errorf("of nothing: %+v", l)
	}
}
