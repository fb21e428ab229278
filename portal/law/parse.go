package law

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/candor-archive/candor"
)

type profileFile struct {
	Key       string        `yaml:"key"`
	Effective string        `yaml:"effective"`
	Title     string        `yaml:"title"`
	Source    string        `yaml:"source"`
	Reviewed  bool          `yaml:"reviewed"`
	Holidays  []holidayLine `yaml:"holidays"`
	Clocks    []clockLine   `yaml:"clocks"`
}

type holidayLine struct {
	ID       string   `yaml:"id"`
	Kind     string   `yaml:"kind"`
	Month    int      `yaml:"month"`
	Day      int      `yaml:"day"`
	Weekday  string   `yaml:"weekday"`
	Nth      int      `yaml:"nth"`
	Offset   int      `yaml:"offset"`
	On       []string `yaml:"on"`
	Reviewed bool     `yaml:"reviewed"`
}

type clockLine struct {
	ID          string             `yaml:"id"`
	Main        bool               `yaml:"main"`
	Start       []candor.EventKind `yaml:"start"`
	Restart     []candor.EventKind `yaml:"restart"`
	N           int                `yaml:"n"`
	Unit        string             `yaml:"unit"`
	SatisfiedBy []candor.EventKind `yaml:"satisfied_by"`
	Consequence string             `yaml:"consequence"`
	Cite        string             `yaml:"cite"`
	Source      string             `yaml:"source"`
	Reviewed    bool               `yaml:"reviewed"`
}

var (
	idForm   = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)
	weekdays = map[string]time.Weekday{"sunday": 0, "monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6}
)

// Parse reads a profile and says in one line what is wrong with it. Fields it
// does not know are errors: a misspelt rule must not be a rule left out.
func Parse(path string, b []byte) (candor.LawProfile, error) {
	var f profileFile
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return candor.LawProfile{}, candor.Errorf(candor.Invalid, "%s: %s", path, strings.Join(strings.Fields(err.Error()), " "))
	}
	p, err := f.profile()
	if err != nil {
		return candor.LawProfile{}, candor.Errorf(candor.Invalid, "%s: %w", path, err)
	}
	return p, nil
}

func (f profileFile) profile() (candor.LawProfile, error) {
	p := candor.LawProfile{Key: f.Key, Effective: candor.Date(f.Effective), Title: f.Title, Source: f.Source, Reviewed: f.Reviewed}
	switch {
	case !keyForm.MatchString(f.Key):
		return p, fmt.Errorf("key %q is not a jurisdiction like us-tx", f.Key)
	case !p.Effective.Valid():
		return p, fmt.Errorf("effective %q is not a date like 2025-09-01", f.Effective)
	case f.Title == "":
		return p, fmt.Errorf("title is missing")
	case len(f.Clocks) == 0:
		return p, fmt.Errorf("there are no clocks")
	}
	seen := map[string]bool{}
	for i, line := range f.Holidays {
		h, err := line.rule()
		if err == nil && seen[line.ID] {
			err = fmt.Errorf("is there twice")
		}
		if err != nil {
			return p, fmt.Errorf("holiday %d (%s): %w", i+1, line.ID, err)
		}
		seen[line.ID] = true
		p.Holidays = append(p.Holidays, h)
	}
	mains := 0
	for i, line := range f.Clocks {
		c, err := line.rule()
		if err == nil && seen[line.ID] {
			err = fmt.Errorf("is there twice")
		}
		if err != nil {
			return p, fmt.Errorf("clock %d (%s): %w", i+1, line.ID, err)
		}
		seen[line.ID] = true
		if c.Main {
			mains++
		}
		p.Clocks = append(p.Clocks, c)
	}
	if mains != 1 {
		return p, fmt.Errorf("one clock must say main: true, %d do", mains)
	}
	return p, nil
}

func (l holidayLine) rule() (candor.HolidayRule, error) {
	h := candor.HolidayRule{Name: "law.holiday." + l.ID, Month: time.Month(l.Month), Day: l.Day, Nth: l.Nth, Offset: l.Offset, Kind: l.Kind, Reviewed: l.Reviewed}
	if !idForm.MatchString(l.ID) {
		return h, fmt.Errorf("id must be lower-case letters, digits and _")
	}
	if l.Kind != "national" && l.Kind != "state" && l.Kind != "optional" {
		return h, fmt.Errorf("kind %q must be national, state or optional", l.Kind)
	}
	for _, s := range l.On {
		d := candor.Date(s)
		if !d.Valid() {
			return h, fmt.Errorf("%q is not a date like 2026-04-03", s)
		}
		h.On = append(h.On, d)
	}
	if l.Month == 0 {
		if len(h.On) == 0 || l.Day != 0 || l.Nth != 0 || l.Weekday != "" {
			return h, fmt.Errorf("give month and day, month with weekday and nth, or a list of days under on")
		}
		return h, nil
	}
	if l.Month < 1 || l.Month > 12 {
		return h, fmt.Errorf("month %d must be 1 to 12", l.Month)
	}
	if l.Weekday == "" {
		// A leap year, so that 29 February is a day one may name.
		if t := time.Date(2024, h.Month, l.Day, 0, 0, 0, 0, time.UTC); l.Day < 1 || t.Month() != h.Month || l.Nth != 0 {
			return h, fmt.Errorf("day %d is not a day of month %d", l.Day, l.Month)
		}
		return h, nil
	}
	day, ok := weekdays[l.Weekday]
	if !ok {
		return h, fmt.Errorf("weekday %q must be an English name like monday", l.Weekday)
	}
	if l.Day != 0 || l.Nth == 0 || l.Nth < -1 || l.Nth > 4 {
		return h, fmt.Errorf("weekday needs nth: 1 to 4, or -1 for the last, and no day")
	}
	h.Weekday = day
	return h, nil
}

func (l clockLine) rule() (candor.ClockRule, error) {
	c := candor.ClockRule{ID: l.ID, Name: "law.clock." + l.ID, Start: l.Start, Restart: l.Restart, N: l.N, Unit: l.Unit,
		SatisfiedBy: l.SatisfiedBy, Cite: l.Cite, Source: l.Source, Reviewed: l.Reviewed, Main: l.Main}
	if !idForm.MatchString(l.ID) {
		return c, fmt.Errorf("id must be like tx.ag_request")
	}
	if l.Consequence != "" {
		if !idForm.MatchString(l.Consequence) {
			return c, fmt.Errorf("consequence must be like presumed_public")
		}
		c.Consequence = "law.consequence." + l.Consequence
	}
	switch {
	case len(l.Start) == 0:
		return c, fmt.Errorf("start is missing: name the event that starts it")
	case l.N < 1 || l.N > 400:
		return c, fmt.Errorf("n %d must be 1 to 400 days", l.N)
	case l.Unit != "business" && l.Unit != "calendar":
		return c, fmt.Errorf("unit %q must be business or calendar", l.Unit)
	case l.Cite == "":
		return c, fmt.Errorf("cite is missing: say where the law says so")
	}
	for _, list := range [][]candor.EventKind{l.Start, l.Restart, l.SatisfiedBy} {
		for _, k := range list {
			if !knownEvent(k) {
				return c, fmt.Errorf("there is no event %q", k)
			}
		}
	}
	return c, nil
}

func knownEvent(k candor.EventKind) bool {
	for _, t := range candor.Transitions {
		if t.Event == k {
			return true
		}
	}
	return false
}
