package candor

import (
	"strconv"
	"strings"
	"time"
)

// fit says how a time on the page goes with the one that is looked for.
type fit int

const (
	against fit = iota
	doubtful
	fits
)

// posted compares when the root was posted with the times on the page. Only a
// time between the author's name and the words is surely the post's own, so only
// there can one contradict.
func (c *comparing) posted(at spot) {
	if c.root.PostedAt.IsZero() {
		return
	}
	c.out.Posted = MatchNotShown
	anywhere := c.times(0, len(c.page.ids))
	if len(anywhere) == 0 {
		return
	}
	c.out.Posted = MatchUnknown
	if at.end == 0 {
		return
	}
	const before, after = 25, 30
	from, named := c.nameBefore(c.root, at.start, before)
	if !named {
		from = at.start - before
	}
	best, own := against, []timeForm(nil)
	for _, f := range anywhere {
		if f.from >= from && f.to <= at.start {
			own = append(own, f)
			best = max(best, f.fit)
		}
		if f.from >= at.end && f.to <= at.end+after && f.fit == fits {
			best = fits
		}
	}
	switch {
	case best == fits:
		c.out.Posted = MatchFound
	case best == against && named && len(own) > 0:
		for _, f := range anywhere {
			if f.fit == fits {
				return // it may be the post's after all
			}
		}
		c.out.Posted = MatchAbsent
		c.find(FoundTime, c.root, c.root.PostedAt.UTC().Format(time.RFC3339), c.page.quote(own[0].from, own[0].to-1), 0)
	}
}

// timeForm is a time as a page gives it, and where.
type timeForm struct {
	from, to int // in words
	fit      fit
}

// times finds what reads as a time between two places of the page, outside the
// words of records, and holds it against when the root was posted.
func (c *comparing) times(from, to int) []timeForm {
	var out []timeForm
	for i := max(from, 0); i < min(to, len(c.page.ids)); {
		if c.inRecord(i) {
			i++
			continue
		}
		end, f, ok := c.timeAt(i)
		if !ok {
			i++
			continue
		}
		for _, near := range []string{c.page.word(i - 1), c.page.word(end)} {
			if edited[near] && f == against {
				f = doubtful // when it was edited, perhaps
			}
		}
		out = append(out, timeForm{i, end, f})
		i = end
	}
	return out
}

var edited = map[string]bool{"edited": true, "updated": true, "editado": true, "editada": true, "actualizado": true, "actualizada": true}

// monthWords are the months in English and Spanish, in full and cut short.
var monthWords = func() map[string]time.Month {
	out := map[string]time.Month{}
	for i, names := range []string{"january jan enero ene", "february feb febrero", "march mar marzo", "april apr abril abr", "may mayo", "june jun junio",
		"july jul julio", "august aug agosto ago", "september sep sept septiembre setiembre", "october oct octubre", "november nov noviembre",
		"december dec diciembre dic"} {
		for _, name := range strings.Fields(names) {
			out[name] = time.Month(i + 1)
		}
	}
	return out
}()

const day = 24 * time.Hour

// unitWords are the units of times that are told as passed.
var unitWords = func() map[string]time.Duration {
	out := map[string]time.Duration{}
	for unit, names := range map[time.Duration]string{
		time.Second: "s sec secs second seconds seg segundo segundos", time.Minute: "m min mins minute minutes minuto minutos",
		time.Hour: "h hr hrs hour hours hora horas", day: "d day days día días dia dias", 7 * day: "w wk wks week weeks sem semana semanas",
		30 * day: "mo mos month months mes meses", 365 * day: "y yr yrs year years año años",
	} {
		for _, name := range strings.Fields(names) {
			out[name] = unit
		}
	}
	return out
}()

// timeAt reads a time that begins with the i-th word, and gives the place past
// it.
func (c *comparing) timeAt(i int) (end int, f fit, ok bool) {
	p, w := c.page, c.page.word(i)
	if w[0] >= '0' && w[0] <= '9' {
		return c.timeOfNumber(i)
	}
	if m := monthWords[w]; m != 0 { // November 22, 2026
		d, ok := p.number(i+1, 1, 31)
		if !ok || !strings.HasPrefix(strings.TrimLeft(p.between(i), "."), " ") {
			return 0, 0, false
		}
		end, y := p.yearAfter(i + 2)
		end, f := c.date(y, m, d, end)
		return end, f, true
	}
	switch w {
	case "yesterday", "ayer":
		end, f := c.daysAgo(1, i+1)
		return end, f, true
	case "today", "hoy":
		end, f := c.daysAgo(0, i+1)
		return end, f, true
	case "just":
		return i + 2, c.passed(0, time.Minute), p.word(i+1) == "now"
	case "ahora":
		return i + 2, c.passed(0, time.Minute), p.word(i+1) == "mismo"
	case "hace": // hace 3 h, hace un día, hace unos segundos
		n, ok := p.number(i+1, 0, 999)
		switch p.word(i + 1) {
		case "un", "una", "unos", "unas":
			n, ok = 1, true
		}
		if unit := unitWords[p.word(i+2)]; ok && unit != 0 {
			return i + 3, c.passed(n, unit), true
		}
	case "a", "an": // an hour ago, a few seconds ago
		if p.word(i+1) == "few" && p.word(i+2) == "seconds" && p.word(i+3) == "ago" {
			return i + 4, c.passed(0, time.Minute), true
		}
		if unit := unitWords[p.word(i+1)]; unit != 0 && p.word(i+2) == "ago" {
			return i + 3, c.passed(1, unit), true
		}
	}
	return 0, 0, false
}

func (c *comparing) timeOfNumber(i int) (end int, f fit, ok bool) {
	p := c.page
	sep := p.between(i)
	switch sep {
	case "-", "/", ".": // 2026-11-22, 11/22/2026, 22.11.2026
		if p.between(i+1) != sep {
			return 0, 0, false
		}
		if y, ok := p.number(i, 1990, 2100); ok {
			m, okM := p.number(i+1, 1, 12)
			d, okD := p.number(i+2, 1, 31)
			if !okM || !okD {
				return 0, 0, false
			}
			end = i + 3
			if p.word(end) == "t" && p.between(end-1) == "" {
				end++
			}
			end, f := c.date(y, time.Month(m), d, end)
			return end, f, true
		}
		a, okA := p.number(i, 1, 31)
		b, okB := p.number(i+1, 1, 31)
		y, okY := p.number(i+2, 1990, 2100)
		if short, ok := p.number(i+2, 0, 99); ok && sep == "/" && len(p.word(i+2)) == 2 {
			y, okY = 2000+short, true
		}
		if !okA || !okB || !okY || a > 12 && b > 12 {
			return 0, 0, false
		}
		end, f = i+3, against
		for _, order := range [][2]int{{a, b}, {b, a}} { // which comes first depends on the country
			if order[0] <= 12 {
				past, g := c.date(y, time.Month(order[0]), order[1], i+3)
				end, f = past, max(f, g)
			}
		}
		return end, f, true
	}
	n, ok := p.number(i, 0, 999)
	if !ok || strings.TrimSpace(sep) != "" && sep != ". " || strings.Contains(sep, "\n") {
		return 0, 0, false
	}
	next := i + 1
	if p.word(next) == "de" { // 22 de noviembre
		next++
	}
	if m := monthWords[p.word(next)]; m != 0 && n >= 1 && n <= 31 {
		past, y := p.yearAfter(next + 1)
		end, f := c.date(y, m, n, past)
		return end, f, true
	}
	if unit := unitWords[p.word(i+1)]; unit != 0 {
		return i + 2, c.passed(n, unit), true
	}
	return 0, 0, false
}

// number reads a word that is a number between two others.
func (p *pageWords) number(i, low, high int) (int, bool) {
	w := p.word(i)
	if w == "" || len(w) > 4 {
		return 0, false
	}
	n, err := strconv.Atoi(w)
	return n, err == nil && n >= low && n <= high
}

// yearAfter reads a year that may follow a day and month; 0 when none does.
func (p *pageWords) yearAfter(i int) (end, year int) {
	at := i
	if w := p.word(at); w == "de" || w == "del" {
		at++
	}
	if strings.Contains(p.between(at-1), "\n") {
		return i, 0
	}
	if y, ok := p.number(at, 1990, 2100); ok {
		return at + 1, y
	}
	return i, 0
}

// clockAfter reads a time of day that may follow a date: minutes since midnight,
// or -1.
func (p *pageWords) clockAfter(i int) (end, minutes int) {
	at := i
	for range 3 {
		switch p.word(at) {
		case "at", "a", "las", "la":
			at++
		}
	}
	h, okH := p.number(at, 0, 23)
	m, okM := p.number(at+1, 0, 59)
	if !okH || !okM || p.between(at) != ":" || strings.Contains(p.between(at-1), "\n") {
		return i, -1
	}
	end = at + 2
	if _, ok := p.number(end, 0, 59); ok && p.between(end-1) == ":" {
		end++
	}
	half := p.word(end)
	if (half == "a" || half == "p") && p.word(end+1) == "m" {
		end, half = end+2, half+"m"
	} else if half == "am" || half == "pm" {
		end++
	}
	switch {
	case half == "pm" && h < 12:
		h += 12
	case half == "am" && h == 12:
		h = 0
	}
	return end, h*60 + m
}

// date holds a day of the calendar, and the time of day that may follow it,
// against the moment that is looked for. A page may be drawn in another time
// zone than the agency's: what fits in some zone is doubtful.
func (c *comparing) date(year int, month time.Month, d, i int) (end int, f fit) {
	end, clock := c.page.clockAfter(i)
	for _, zone := range []*time.Location{c.screen.Zone, time.UTC} {
		at := c.root.PostedAt.In(zone)
		if at.Month() == month && at.Day() == d && (year == 0 || year == at.Year()) &&
			(clock < 0 || apart(clock, at.Hour()*60+at.Minute(), 24*60) <= 2) {
			return end, fits
		}
	}
	posted := c.root.PostedAt.UTC()
	years := []int{year}
	if year == 0 {
		years = []int{posted.Year() - 1, posted.Year(), posted.Year() + 1}
	}
	for _, y := range years {
		at := time.Date(y, month, d, 0, 0, 0, 0, time.UTC)
		if clock < 0 {
			if off := at.Sub(posted); off <= day && off >= -2*day {
				return end, doubtful
			}
			continue
		}
		off := at.Add(time.Duration(clock) * time.Minute).Sub(posted.Truncate(time.Minute))
		if off.Abs() <= 14*time.Hour && apart(int(off.Minutes()), 0, 15) <= 2 {
			return end, doubtful
		}
	}
	return end, against
}

// apart is how far two numbers are apart on a round of some length.
func apart(a, b, round int) int {
	d := ((a-b)%round + round) % round
	return min(d, round-d)
}

// daysAgo is date for a day told by its distance from today.
func (c *comparing) daysAgo(n, i int) (end int, f fit) {
	f = against
	for _, zone := range []*time.Location{c.screen.Zone, time.UTC} {
		y, m, d := c.screen.At.In(zone).AddDate(0, 0, -n).Date()
		past, g := c.date(y, m, d, i)
		end, f = past, max(f, g)
	}
	return end, f
}

// passed holds a time told as passed against the moment that is looked for.
// Platforms round or cut off, and a page may have stood open a while.
func (c *comparing) passed(n int, unit time.Duration) fit {
	age := c.screen.At.Sub(c.root.PostedAt)
	slack := 3*time.Minute + unit/50
	if unit > 7*day {
		slack = unit / 5 // months and years differ in length
	}
	within := func(low, high float64) bool {
		return age >= time.Duration(low*float64(unit))-slack && age <= time.Duration(high*float64(unit))+slack
	}
	switch m := float64(n); {
	case within(m-0.5, m+1):
		return fits
	case within(m-1.5, m+2):
		return doubtful
	}
	return against
}
