package i18n

import (
	"strconv"
	"time"

	"github.com/candor-archive/candor"
)

// Date writes the day it is at t in a zone: November 22, 2026.
func Date(lang string, t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return T(lang, "time.unknown")
	}
	t = in(t, zone)
	return T(lang, "time.date", "Day", t.Day(), "Month", month(lang, t.Month()), "Year", t.Year())
}

// DateTime writes day and time with the zone: November 22, 2026, 3:04 p.m. CST.
func DateTime(lang string, t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return T(lang, "time.unknown")
	}
	return T(lang, "time.datetime", "Date", Date(lang, t, zone), "Clock", Clock(lang, t, zone))
}

// Clock writes the time of day with the zone: 3:04 p.m. CST.
func Clock(lang string, t time.Time, zone *time.Location) string {
	t = in(t, zone)
	half := "time.am"
	if t.Hour() >= 12 {
		half = "time.pm"
	}
	return t.Format("3:04") + " " + T(lang, half) + " " + t.Format("MST")
}

// Exact writes a time to the second with the zone, as evidence needs it.
func Exact(lang string, t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return T(lang, "time.unknown")
	}
	return in(t, zone).Format("2006-01-02 15:04:05 MST (-07:00)")
}

// Day writes a calendar day with its weekday: Sunday, November 22, 2026.
func Day(lang string, d candor.Date) string {
	t := d.Time()
	if t.IsZero() {
		return T(lang, "time.unknown")
	}
	return T(lang, "time.day", "Weekday", T(lang, "weekday."+strconv.Itoa(int(t.Weekday()))), "Date", Date(lang, t, time.UTC))
}

func month(lang string, m time.Month) string { return T(lang, "month."+strconv.Itoa(int(m))) }

func in(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone)
}

// Span writes a length of time in the largest unit that leaves no rest: 2 hours,
// 90 minutes, 45 seconds. Parts of a second are dropped.
func Span(lang string, d time.Duration) string {
	switch s := int(d / time.Second); {
	case s > 0 && s%3600 == 0:
		return T(lang, "time.hours", "Count", s/3600)
	case s > 0 && s%60 == 0:
		return T(lang, "time.minutes", "Count", s/60)
	default:
		return T(lang, "time.seconds", "Count", s)
	}
}

// Lasting writes how long something took in its two largest units, rounded: 2
// days 3 hours, 14 minutes 5 seconds.
func Lasting(lang string, d time.Duration) string {
	units := []struct {
		length time.Duration
		id     string
	}{{24 * time.Hour, "time.days"}, {time.Hour, "time.hours"}, {time.Minute, "time.minutes"}, {time.Second, "time.seconds"}}
	d = d.Round(time.Second)
	for i, u := range units[:len(units)-1] {
		next := units[i+1]
		if rounded := d.Round(next.length); rounded >= u.length {
			n, rest := rounded/u.length, rounded%u.length/next.length
			first := T(lang, u.id, "Count", int(n))
			if rest == 0 {
				return first
			}
			return T(lang, "time.two", "First", first, "Second", T(lang, next.id, "Count", int(rest)))
		}
	}
	if d < time.Second {
		return T(lang, "time.instant")
	}
	return T(lang, "time.seconds", "Count", int(d/time.Second))
}

// Month writes a month with its year, as a heading: November 2026.
func Month(lang string, d candor.Date) string {
	t := d.Time()
	return T(lang, "time.month", "Month", month(lang, t.Month()), "Year", t.Year())
}
