package candor

import (
	"slices"
	"strings"
	"time"
)

// GapReasons lists all reasons of a gap, in the order they are shown.
var GapReasons = []GapReason{GapToken, GapThrottled, GapAccess, GapPlatform, GapLimit, GapWindow, GapClosed, GapOurs}

// DayLog is what was counted of one source on one day of the agency's
// calendar. It is kept as visits and captures happen, so that an account of a
// day never needs the archive to be read again.
type DayLog struct {
	SourceID  string
	Date      Date // in the agency's time zone
	Visits    int
	Short     int           // of the visits, those that stopped short
	FirstAt   time.Time     // of the first visit; zero without one
	LastAt    time.Time     // of the last visit
	NextAt    time.Time     // when the visit after the last was to be
	Every     time.Duration // the source's interval at the last visit
	Waiting   GapReason     // why the last visit stopped short, and the next was put off; empty when it did not
	Longest   time.Duration // the longest time between two visits of the day
	Lost      time.Duration // of the time between visits of the day, what is ours
	Added     int           // records that were new to the archive
	Edited    int           // records that came in another wording
	Withdrawn int           // records that the platform no longer showed to everyone
	Complete  int           // captures that were committed, by outcome
	Partial   int
	Failed    int
	Gaps      []DayGap // one for each reason, in the order they were met
	Cost      int64    // of the visits, in millionths of a US dollar
}

// DayGap is one reason for which something was missed on a day.
type DayGap struct {
	Reason  GapReason
	Visits  int      // how many visits met it; 0 when it is the reason why there were none
	Details []string // the newest of what they said of it: at most gapDetails, each cut at gapDetail runes; only for staff
}

const (
	gapDetails = 3
	gapDetail  = 200
)

// PauseReason says why no visit of a source was to be expected.
type PauseReason string

// The reasons of a pause.
const (
	PauseByStaff   PauseReason = "staff"     // staff paused or removed it
	PauseUncounted PauseReason = "uncounted" // visits were not counted yet: the archive is older than the count
)

// CoveragePause is a time in which no visit of a source was to be expected, or
// none was counted.
type CoveragePause struct {
	SourceID string
	Since    time.Time
	Until    time.Time // zero while it lasts
	Why      PauseReason
}

// DayState sums up a day of a source in one word.
type DayState string

// The states of a day.
const (
	DayFull      DayState = "full"      // every visit read all it came for, as far as we know
	DayGaps      DayState = "gaps"      // something is known to be missing
	DayMissed    DayState = "missed"    // no visit was made, or none got to its end
	DayIdle      DayState = "idle"      // no visit was due
	DayPaused    DayState = "paused"    // the source was paused
	DayUncounted DayState = "uncounted" // visits were not counted yet
	DayBefore    DayState = "before"    // the source was not in our charge yet
	DayAhead     DayState = "ahead"     // the day has not begun
)

// CoverageDay is the account of one source on one day. Of a day that still
// runs it tells what is known by now. Lost is all of the day's time that is
// ours, and Gaps then has a gap with the reason GapOurs.
type CoverageDay struct {
	DayLog
	State   DayState
	Without time.Duration // the longest time of the day without a visit
}

// LatencyDays is over how many days latencies are measured.
const LatencyDays = 30

// latencyLeast is on how many records a latency must have been measured to say
// anything.
const latencyLeast = 5

// Latency is how long something took, measured on N records: half of them took
// P50 at most, 99 of 100 took P99 at most.
type Latency struct {
	N        int
	P50, P99 time.Duration
}

// Known reports whether it was measured on enough records to be told.
func (l Latency) Known() bool { return l.N >= latencyLeast }

// MeasureLatency sums up how long each of some records took. What seems to have
// taken less than no time, since two clocks differ, took none.
func MeasureLatency(took []time.Duration) Latency {
	if len(took) == 0 {
		return Latency{}
	}
	sorted := slices.Sorted(slices.Values(took))
	at := func(percent int) time.Duration { return max(0, sorted[(len(sorted)*percent+99)/100-1]) }
	return Latency{N: len(sorted), P50: at(50), P99: at(99)}
}

// Coverage is the account of one source over some days.
type Coverage struct {
	Source    Source
	Today     Date
	Days      []CoverageDay // every day asked for, in order
	ToRecord  Latency       // from post to record, of what was posted in the last LatencyDays while the source was in our charge
	ToCapture Latency       // of the same, from post to the first capture of its thread that came out
}

// Visit adds a visit to the log of its day. every and pauses are those of the
// source; now is the moment it is written down.
func (d DayLog) Visit(v Sweep, every time.Duration, pauses []CoveragePause, now time.Time) DayLog {
	if d.Visits > 0 && v.At.After(d.LastAt) {
		between := space{from: d.LastAt, to: v.At, due: d.NextAt, every: d.Every}
		d.Longest = max(d.Longest, v.At.Sub(d.LastAt))
		for _, s := range between.untended(pauses) {
			d.Lost += s.to.Sub(s.from)
		}
	}
	if d.Visits == 0 || v.At.Before(d.FirstAt) {
		d.FirstAt = v.At
	}
	d.Visits++
	if !v.At.Before(d.LastAt) {
		// A visit that takes long puts off the next one as well.
		d.LastAt, d.NextAt = v.At, later(v.NextAt, sooner(now, v.At.Add(longestVisit)))
		d.Every, d.Waiting = every, v.StoppedBy()
	}
	gaps := v.Gaps
	if v.Error != "" {
		d.Short++
		if len(gaps) == 0 {
			gaps = []CoverageGap{{Reason: GapPlatform, Detail: v.Error}}
		}
	}
	d.Gaps = slices.Clone(d.Gaps)
	already := map[GapReason]bool{} // met by this visit
	for _, g := range gaps {
		d.meet(g, already)
	}
	d.Cost += v.Cost
	return d
}

// longestVisit is how long a visit lasts at most: then its job is given up.
const longestVisit = 15 * time.Minute

// known is a reason, or the platform's for one that is not in the list.
func known(r GapReason) GapReason {
	if slices.Contains(GapReasons, r) {
		return r
	}
	return GapPlatform
}

// meet adds a gap of a visit to those of the day.
func (d *DayLog) meet(g CoverageGap, already map[GapReason]bool) {
	g.Reason = known(g.Reason)
	if !d.met(g.Reason) {
		d.Gaps = append(d.Gaps, DayGap{Reason: g.Reason})
	}
	i := slices.IndexFunc(d.Gaps, func(o DayGap) bool { return o.Reason == g.Reason })
	gap := &d.Gaps[i]
	if !already[g.Reason] {
		already[g.Reason] = true
		gap.Visits++
	}
	detail := strings.Join(strings.Fields(g.Detail), " ")
	if r := []rune(detail); len(r) > gapDetail {
		detail = string(r[:gapDetail-1]) + "…"
	}
	if detail == "" || slices.Contains(gap.Details, detail) {
		return
	}
	gap.Details = append(slices.Clone(gap.Details), detail)
	if extra := len(gap.Details) - gapDetails; extra > 0 {
		gap.Details = gap.Details[extra:]
	}
}

// patience is how late a visit may come before its lateness is ours. Two visits
// as planned lie one interval apart, so what is ours is a space of more than
// three intervals and ten minutes.
func patience(every time.Duration) time.Duration { return 2*every + 10*time.Minute }

// space is the time between two visits, or from the beginning to the first, or
// from the last until now.
type space struct {
	from, to time.Time
	due      time.Time // when the visit that ends it was to be
	every    time.Duration
	waiting  GapReason // why it was put off
}

// untended gives the parts of a space in which a visit was due and nobody came
// for longer than is to be borne with. When the platform made us wait, the wait
// is not among them, nor is a pause.
func (x space) untended(pauses []CoveragePause) []space {
	parts := []space{{from: later(x.due, x.from.Add(x.every)), to: x.to}}
	for _, p := range pauses {
		until := p.Until
		if until.IsZero() {
			until = later(x.to, p.Since)
		}
		var left []space
		for _, s := range parts {
			left = append(left, space{from: s.from, to: sooner(s.to, p.Since)}, space{from: later(s.from, until), to: s.to})
		}
		parts = slices.DeleteFunc(left, func(s space) bool { return !s.to.After(s.from) })
	}
	return slices.DeleteFunc(parts, func(s space) bool { return s.to.Sub(s.from) <= patience(x.every) })
}

// within is how much of a space lies between two moments.
func (x space) within(start, end time.Time) time.Duration {
	return max(0, sooner(x.to, end).Sub(later(x.from, start)))
}

// CoverDays makes the account of every day from one to another. logs are the
// days that have any, in order, and with them the nearest before and after that
// have a visit; without those, time at the edges would seem to be lost.
func CoverDays(src Source, logs []DayLog, pauses []CoveragePause, from, to Date, zone *time.Location, now time.Time) []CoverageDay {
	byDate := map[Date]DayLog{}
	var spaces, lost, put []space // put: visits that were put off
	last := DayLog{LastAt: src.CreatedAt, Every: src.Every}
	note := func(until time.Time) {
		x := space{from: last.LastAt, to: until, due: last.NextAt, every: last.Every, waiting: last.Waiting}
		spaces = append(spaces, x)
		lost = append(lost, x.untended(pauses)...)
		wait := space{from: x.from.Add(x.every), to: sooner(x.due, x.to), waiting: x.waiting}
		if x.waiting != "" && wait.to.Sub(wait.from) > patience(x.every) {
			put = append(put, wait)
		}
	}
	for _, l := range logs {
		byDate[l.Date] = l
		if l.Visits > 0 {
			note(l.FirstAt)
			last = l
		}
	}
	note(now)
	var out []CoverageDay
	for date := from; date <= to; date = date.Add(1) {
		d := CoverageDay{DayLog: byDate[date]}
		d.SourceID, d.Date, d.Without, d.Gaps = src.ID, date, d.Longest, slices.Clone(d.Gaps)
		start, end := date.Start(zone), sooner(date.Add(1).Start(zone), now)
		for _, x := range spaces {
			d.Without = max(d.Without, x.within(start, end))
		}
		for _, x := range lost {
			d.Lost += x.within(start, end)
		}
		for _, x := range put {
			if !d.met(x.waiting) && x.within(start, end) > 0 {
				d.Gaps = append(d.Gaps, DayGap{Reason: x.waiting})
			}
		}
		if d.Lost > 0 && !d.met(GapOurs) {
			d.Gaps = append(d.Gaps, DayGap{Reason: GapOurs})
		}
		d.State = d.state(src, pauses, start, end, zone, now)
		out = append(out, d)
	}
	return out
}

// met reports whether a gap of the day has the reason.
func (d DayLog) met(r GapReason) bool {
	return slices.ContainsFunc(d.Gaps, func(g DayGap) bool { return g.Reason == r })
}

func (d CoverageDay) state(src Source, pauses []CoveragePause, start, end time.Time, zone *time.Location, now time.Time) DayState {
	switch {
	case d.Date > DateOf(now, zone):
		return DayAhead
	case d.Date < DateOf(src.CreatedAt, zone):
		return DayBefore
	case d.Visits > 0 && d.Visits == d.Short, d.Visits == 0 && len(d.Gaps) > 0:
		return DayMissed
	case len(d.Gaps) > 0:
		return DayGaps
	case d.Visits > 0:
		return DayFull
	}
	for _, p := range pauses {
		if p.Since.Before(end) && (p.Until.IsZero() || p.Until.After(start)) {
			if p.Why == PauseUncounted {
				return DayUncounted
			}
			return DayPaused
		}
	}
	return DayIdle
}

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
