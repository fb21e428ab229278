package candor

import "time"

// Date is a day on the agency's own calendar, without a zone: 2026-11-22.
type Date string

// DateOf is the day it is at t in a zone.
func DateOf(t time.Time, zone *time.Location) Date {
	return Date(t.In(zone).Format(time.DateOnly))
}

// Time is noon UTC of the day, safe to do day arithmetic on. A malformed date
// gives the zero time.
func (d Date) Time() time.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return time.Time{}
	}
	return t.Add(12 * time.Hour)
}

// Valid reports whether the date exists.
func (d Date) Valid() bool { return !d.Time().IsZero() }

// Add gives the date n days later.
func (d Date) Add(n int) Date { return Date(d.Time().AddDate(0, 0, n).Format(time.DateOnly)) }

// Start is the first moment of the day in a zone. Where the clocks are put
// forward at midnight it is the moment after.
func (d Date) Start(zone *time.Location) time.Time {
	y, m, day := d.Time().Date()
	t := time.Date(y, m, day, 0, 0, 0, 0, zone)
	if DateOf(t, zone) < d {
		t = t.Add(time.Hour)
	}
	return t
}

// HolidayRule is one line of a law profile's calendar: a fixed day
// ("--12-25"), the nth weekday of a month, or one listed day.
type HolidayRule struct {
	Name     string       // message id of its plain name
	Month    time.Month   // 0 when only listed days count
	Day      int          // day of the month, or 0 when Weekday rules
	Weekday  time.Weekday // with Nth
	Nth      int          // 1 to 4; -1 the last
	Offset   int          // days to add: the Friday after the fourth Thursday is +1
	On       []Date       // listed days, for feasts that follow another calendar
	Kind     string       // national, state, optional
	Reviewed bool         // an attorney has looked at it
}

// on reports whether the rule names the day.
func (r HolidayRule) on(d Date) bool {
	for _, x := range r.On {
		if x == d {
			return true
		}
	}
	if r.Month == 0 {
		return false
	}
	t := d.Add(-r.Offset).Time()
	if t.Month() != r.Month {
		return false
	}
	if r.Nth == 0 {
		return t.Day() == r.Day
	}
	if t.Weekday() != r.Weekday {
		return false
	}
	if r.Nth < 0 {
		return t.AddDate(0, 0, 7).Month() != r.Month
	}
	return (t.Day()-1)/7+1 == r.Nth
}

// ClockRule is one clock of a law profile.
type ClockRule struct {
	ID          string      // tx.ag_request
	Name        string      // message id of its plain name
	Start       []EventKind // events that start it
	Restart     []EventKind // events that give it its full length again
	N           int         // length, in days of Unit
	Unit        string      // business, calendar: the days that count
	SatisfiedBy []EventKind
	Consequence string // message id of what happens when it is missed
	Cite        string // where the law says so
	Source      string // where we read it
	Reviewed    bool   // an attorney has looked at it
	Main        bool   // the one shown as the request's due date
}

// LawProfile is the law of a jurisdiction as versioned data.
type LawProfile struct {
	Key       string // us-tx
	Effective Date
	Title     string
	Holidays  []HolidayRule
	Clocks    []ClockRule
	Source    string
	Reviewed  bool
}

// Version identifies the profile in events: us-tx@2025-09-01.
func (p LawProfile) Version() string { return p.Key + "@" + string(p.Effective) }

// Calendar decides which days count as business days.
type Calendar struct {
	Holidays   []HolidayRule
	Designated []Date // by the chief administrative officer, at most ten a year
	Optional   bool   // optional holidays are observed
	Zone       *time.Location
}

// WhyNot says why a day is not a business day, as a message id, or "" when it
// is one.
func (c Calendar) WhyNot(d Date) string {
	switch d.Time().Weekday() {
	case time.Saturday:
		return "day.saturday"
	case time.Sunday:
		return "day.sunday"
	}
	for _, r := range c.Holidays {
		if (r.Kind != "optional" || c.Optional) && r.on(d) {
			return r.Name
		}
	}
	for _, x := range c.Designated {
		if x == d {
			return "day.designated"
		}
	}
	return ""
}

// LedgerDay is one line of the account of how a date was computed.
type LedgerDay struct {
	Date   Date
	N      int    // the how-manieth counted day; 0 when it did not count
	WhyNot string // message id
}

// Count walks n days (business or calendar) forward from a day that is day 0
// and gives the day reached with the ledger of every day on the way. A
// calendar-day period that would end on a day off is not moved.
func (c Calendar) Count(from Date, n int, unit string) (Date, []LedgerDay) {
	var ledger []LedgerDay
	d := from
	for counted := 0; counted < n; {
		d = d.Add(1)
		why := ""
		if unit == "business" {
			why = c.WhyNot(d)
		}
		line := LedgerDay{Date: d, WhyNot: why}
		if why == "" {
			counted++
			line.N = counted
		}
		ledger = append(ledger, line)
		if len(ledger) > 4000 { // a calendar with no business day at all
			break
		}
	}
	return d, ledger
}

// Clock is one running, satisfied or missed clock of a request. It is computed
// from events, profile and calendar each time and never stored.
type Clock struct {
	Rule      ClockRule
	From      Date // day 0
	Due       Date
	Ledger    []LedgerDay
	Satisfied time.Time // zero while it runs
	Left      int       // business days from today to Due; negative when overdue
}

// Late reports whether the clock runs and its day has passed, seen from today.
func (c Clock) Late(today Date) bool { return c.Satisfied.IsZero() && c.Due < today }

// Clocks computes every clock of a request from its events. It is a pure
// function: same events, profile, calendar and day, same answer.
func Clocks(p LawProfile, cal Calendar, events []Event, today Date) []Clock {
	var out []Clock
	for _, rule := range p.Clocks {
		var clock *Clock
		for _, e := range events {
			switch {
			case has(rule.Start, e.Kind) && clock == nil, has(rule.Restart, e.Kind) && clock != nil:
				from := DateOf(e.At, cal.Zone)
				due, ledger := cal.Count(from, rule.N, rule.Unit)
				clock = &Clock{Rule: rule, From: from, Due: due, Ledger: ledger}
			case has(rule.SatisfiedBy, e.Kind) && clock != nil && clock.Satisfied.IsZero():
				clock.Satisfied = e.At
			}
		}
		if clock == nil {
			continue
		}
		clock.Left = cal.between(today, clock.Due)
		out = append(out, *clock)
	}
	return out
}

// between counts business days from one day to another, negative backwards.
func (c Calendar) between(from, to Date) int {
	n, step := 0, 1
	if to < from {
		from, to, step = to, from, -1
	}
	for d := from; d < to; {
		d = d.Add(1)
		if c.WhyNot(d) == "" {
			n += step
		}
	}
	return n
}

func has(kinds []EventKind, k EventKind) bool {
	for _, x := range kinds {
		if x == k {
			return true
		}
	}
	return false
}

// ParseDate reads a date as people type it in a form (2026-11-22).
func ParseDate(s string) (Date, error) {
	d := Date(s)
	if !d.Valid() {
		return "", Errorf(Invalid, "%q is not a date like 2026-11-22", s)
	}
	return d, nil
}
