package candor

import (
	"testing"
	"time"
)

// visitAt is a visit that met a gap, or none, and read so many records.
func visitAt(at time.Time, reason GapReason, read int) Sweep {
	v := Sweep{SourceID: "s", At: at, Seen: make([]string, read)}
	if reason != "" {
		v.Error, v.Gaps = "it stopped", []CoverageGap{{Reason: GapLimit}, {Reason: reason}}
	}
	return v
}

func TestALossIsToldFromAVisitAndAHiccupIsNot(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		visits []Sweep
		lost   bool
		reason GapReason
	}{
		{"a refused token", []Sweep{visitAt(at, GapToken, 40)}, true, GapToken},
		{"an account that is not shown", []Sweep{visitAt(at, GapAccess, 0)}, true, GapAccess},
		{"one post that vanished meanwhile", []Sweep{visitAt(at, GapAccess, 40)}, false, GapAccess},
		{"a part that stays out of reach", []Sweep{visitAt(at, GapAccess, 40), visitAt(at, GapAccess, 40)}, true, GapAccess},
		{"a platform that is down", []Sweep{visitAt(at, GapPlatform, 0), visitAt(at, GapPlatform, 0)}, false, GapPlatform},
		{"a loss while the platform is down", []Sweep{visitAt(at, GapToken, 0), visitAt(at, GapPlatform, 0)}, true, GapToken},
	} {
		var got Trouble
		for _, v := range c.visits {
			got = got.Meet(v)
		}
		if got.Lost() != c.lost || got.Reason != c.reason || got.Visits != len(c.visits) || got.Since != at {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	later := at.Add(48 * time.Hour)
	told := Trouble{Since: at, Visits: 5, Told: 1, Reason: GapPlatform}.Meet(visitAt(later, GapToken, 0))
	if told.Told != 0 || told.LostAt != later || told.Since != at {
		t.Errorf("a loss that follows other trouble is not told anew: %+v", told)
	}
}

// Told every hour for seven weeks, a notice goes out at these hours only.
func TestNoticesKeepToTheirSchedule(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	day := 24
	for name, c := range map[string]struct {
		trouble Trouble
		want    []int
	}{
		"loss":        {Trouble{Since: at, LostAt: at, Visits: 1}, []int{0, day, 3 * day, 7 * day, 14 * day, 21 * day, 28 * day, 35 * day, 42 * day, 49 * day}},
		"other":       {Trouble{Since: at, Visits: 2}, []int{day, 3 * day, 7 * day, 14 * day, 21 * day, 28 * day, 35 * day, 42 * day, 49 * day}},
		"other, once": {Trouble{Since: at, Visits: 1}, nil},
	} {
		var got []int
		for hour := 0; hour <= 49*day; hour++ {
			if n := c.trouble.Steps(at.Add(time.Duration(hour) * time.Hour)); n > c.trouble.Told {
				c.trouble.Told = n
				got = append(got, hour)
			}
		}
		if len(got) != len(c.want) {
			t.Fatalf("%s: told after hours %v, want %v", name, got, c.want)
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: told after hours %v, want %v", name, got, c.want)
			}
		}
	}
	for days, want := range map[int]int{15: 0, 14: 1, 8: 1, 7: 2, 2: 2, 1: 3, 0: 3, -5: 3} {
		today := Date("2026-11-23")
		if got := ExpirySteps(today.Add(days), today); got != want {
			t.Errorf("%d days before the end: %d reminders, want %d", days, got, want)
		}
		if got := today.DaysUntil(today.Add(days)); got != days {
			t.Errorf("%d days until, want %d", got, days)
		}
	}
	if ExpirySteps("", "2026-11-23") != 0 {
		t.Error("an end that is not known is reminded of")
	}
}
