package view

import (
	"net/http"
	"strconv"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
)

// CoverageList lists the sources whose coverage everyone may see.
type CoverageList struct {
	Page
	Sources []candor.Source
}

// CoveragePage is the calendar of one source in one month.
type CoveragePage struct {
	Page
	candor.Coverage
	Inside   bool // for staff: also details of gaps, and cost
	BackHref string
	ListHref string // where the month is chosen: the page itself, without a query
	Month    string // November 2026
	Earlier  MonthLink
	Later    MonthLink
	Weekdays []string // beginning with Sunday
	Weeks    [][]DayCell
	Kept     []candor.CoverageDay // days to give numbers of: those in our charge that have begun
	Gaps     []candor.CoverageDay // those with gaps
	Sum      candor.CoverageDay   // all of the month; Without is the longest
	Means    []candor.DayState    // the states to explain
	Window   int                  // days over which latencies are measured
}

// MonthLink leads to another month; empty when there is none.
type MonthLink struct{ Href, Month string }

// DayCell is one cell of the calendar; empty outside the month.
type DayCell struct {
	candor.CoverageDay
	N       int // day of the month; 0 outside
	Weekday string
	Today   bool
}

// Captures is how many captures were committed that day.
func (c DayCell) Captures() int { return c.Complete + c.Partial + c.Failed }

// MonthAsked is the month a page was asked for, such as ?month=2026-11, as its
// first and last day; today's when none was. What is no month is Invalid.
func MonthAsked(r *http.Request, today candor.Date) (first, last candor.Date, err error) {
	asked := r.URL.Query().Get("month")
	if asked == "" {
		asked = monthOf(today)
	}
	first = candor.Date(asked + "-01")
	if !first.Valid() {
		return "", "", candor.Errorf(candor.Invalid, "%q is not a month like 2026-11", asked)
	}
	return first, lastOf(first), nil
}

func monthOf(d candor.Date) string { return d.Time().Format("2006-01") }

// lastOf is the last day of the month that begins on a day.
func lastOf(first candor.Date) candor.Date {
	return candor.Date(first.Time().AddDate(0, 1, -1).Format(time.DateOnly))
}

// NewCoverage makes the page of a source's coverage, which must be that of one
// whole month. NotFound when the source was not in our charge at any time of
// that month, or when it has not begun: there is no end to such months.
func NewCoverage(p Page, c candor.Coverage, href string) (CoveragePage, error) {
	first, created := c.Days[0].Date, candor.DateOf(c.Source.CreatedAt, p.Zone)
	if monthOf(first) > monthOf(c.Today) || monthOf(first) < monthOf(min(created, c.Today)) {
		return CoveragePage{}, candor.Errorf(candor.NotFound, "there is no coverage of %s", monthOf(first))
	}
	page := CoveragePage{Page: p, Coverage: c, ListHref: href, Month: i18n.Month(p.Lang, first), Window: candor.LatencyDays,
		Means: []candor.DayState{candor.DayFull, candor.DayGaps, candor.DayMissed, candor.DayIdle, candor.DayPaused, candor.DayUncounted, candor.DayBefore}}
	link := func(d candor.Date) MonthLink {
		return MonthLink{href + "?month=" + monthOf(d), i18n.Month(p.Lang, d)}
	}
	if monthOf(first) > monthOf(created) {
		page.Earlier = link(first.Add(-1))
	}
	if next := lastOf(first).Add(1); next <= c.Today {
		page.Later = link(next)
	}
	for n := range 7 {
		page.Weekdays = append(page.Weekdays, p.T("weekday."+strconv.Itoa(n)))
	}
	week := make([]DayCell, int(first.Time().Weekday()), 7)
	for i, d := range c.Days {
		cell := DayCell{CoverageDay: d, N: i + 1, Weekday: page.Weekdays[d.Date.Time().Weekday()], Today: d.Date == c.Today}
		if week = append(week, cell); len(week) == 7 {
			page.Weeks, week = append(page.Weeks, week), make([]DayCell, 0, 7)
		}
		if d.State == candor.DayAhead || d.State == candor.DayBefore {
			continue
		}
		page.Kept = append(page.Kept, d)
		if len(d.Gaps) > 0 {
			page.Gaps = append(page.Gaps, d)
		}
		page.Sum = added(page.Sum, d)
	}
	if len(week) > 0 {
		page.Weeks = append(page.Weeks, append(week, make([]DayCell, 7-len(week))...))
	}
	return page, nil
}

func added(sum, d candor.CoverageDay) candor.CoverageDay {
	sum.Visits += d.Visits
	sum.Short += d.Short
	sum.Added += d.Added
	sum.Edited += d.Edited
	sum.Withdrawn += d.Withdrawn
	sum.Complete += d.Complete
	sum.Partial += d.Partial
	sum.Failed += d.Failed
	sum.Lost += d.Lost
	sum.Cost += d.Cost
	if d.State != candor.DayPaused && d.State != candor.DayUncounted {
		sum.Without = max(sum.Without, d.Without)
	}
	return sum
}
