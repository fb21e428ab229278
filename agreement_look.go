package candor

import (
	"html"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

const (
	shortWords   = 3  // a text of fewer words is only looked for beside its author
	rootShare    = 60 // percent of a post's words that make it the same post in another wording
	commentShare = 75 // of a comment's words, since short texts resemble each other
	nearWords    = 15 // how far after the author's name a text begins at most, in words
	unnamedWords = 12 // so many words prove that it is the text, when its author's name is not known
)

// spot is where a text was found, and how.
type spot struct {
	match      Match
	share      int    // percent of its words, in order
	start, end int    // on the page, in words; end is 0 when it is nowhere
	data       string // what was wanted, where the two differ
	screen     string // what is there
}

// look looks for the words of a record. least is the share of them that makes
// it the same text in another wording.
func (c *comparing) look(t Told, least int) spot {
	if len(t.Wordings) == 0 {
		return spot{match: MatchUnknown}
	}
	text := t.Wordings[0]
	plain := html.UnescapeString(text)
	at := c.lookFor(c.page.want(text), t, least)
	if plain != text && at.match != MatchFound {
		if raw := c.lookFor(c.page.wantRaw(text), t, least); raw.match == MatchFound {
			at = raw // someone wrote about entities
		}
	}
	if at.end > 0 && (at.match != MatchPart || t.ID == c.root.ID) {
		c.spans = append(c.spans, [2]int{at.start, at.end})
	}
	return at
}

func (c *comparing) lookFor(w wanted, t Told, least int) spot {
	at := c.place(w, t, least)
	if c.page.work < 0 && at.match != MatchFound {
		return spot{match: MatchUnknown}
	}
	return at
}

func (c *comparing) place(w wanted, t Told, least int) spot {
	p := c.page
	switch {
	case len(w.ids) == 0, p.work < 0:
		return spot{match: MatchUnknown}
	case len(w.ids) < shortWords:
		if at, ok := c.beside(w, t); ok {
			return spot{match: MatchFound, share: 100, start: at, end: at + len(w.ids)}
		}
		return spot{match: MatchUnknown}
	}
	if start, end, ok := c.stands(w, t); ok {
		if at, ok := c.shortened(w, t); ok {
			return at
		}
		return spot{match: MatchFound, share: 100, start: start, end: end}
	}
	head, seeds := p.seeds(w)
	top := p.begins(w, head)
	if top.cut {
		return spot{match: MatchCut, share: top.n * 100 / len(w.ids), start: top.start, end: top.end}
	}
	pairs := p.nearest(w, seeds)
	if at, ok := c.earlier(w, t); ok {
		at.data, at.screen = p.difference(w, pairs, at.end-1)
		return at
	}
	at := spot{match: MatchAbsent, share: len(pairs) * 100 / len(w.ids), data: w.quote(0, len(w.ids)-1)}
	if top.n > 0 && strings.Contains(p.between(top.end-1), "\n") && len(pairs)-top.n < (len(w.ids)-top.n)/2 {
		// Where its line ends there may be a limit on how many lines are drawn.
		return spot{match: MatchUnknown, share: at.share, start: top.start, end: top.end}
	}
	// Comments resemble each other: only its author's name shows whose it is.
	if at.share < least || t.ID != c.root.ID && (t.Author == "" || !c.near(t, pairs[0][1])) {
		return at
	}
	first, last := pairs[0], pairs[len(pairs)-1]
	at.match, at.start, at.end = MatchPart, first[1], last[1]+1
	at.data, at.screen = p.difference(w, pairs, last[1]+len(w.ids)-1-last[0])
	return at
}

// stands finds a text in full, after its author's name rather than anywhere.
func (c *comparing) stands(w wanted, t Told) (start, end int, ok bool) {
	tries := 0
	c.page.occurrences(w, func(from, to int) bool {
		beside := c.near(t, from)
		if !ok || beside {
			start, end, ok = from, to, true
		}
		tries++
		return !beside && tries < seedPlaces
	})
	return start, end, ok
}

// surely is stands without doubt: the text follows its author's name or, when
// that is not known, is long.
func (c *comparing) surely(w wanted, t Told) (start int, ok bool) {
	if len(w.ids) < shortWords {
		return 0, false
	}
	start, _, ok = c.stands(w, t)
	if t.Author == "" {
		return start, ok && len(w.ids) >= unnamedWords
	}
	return start, ok && c.near(t, start)
}

// earlier finds an earlier wording of a text whose present one is w.
func (c *comparing) earlier(w wanted, t Told) (spot, bool) {
	for _, text := range t.Wordings[1:] {
		old := c.page.want(text)
		if slices.Equal(old.words, w.words) {
			continue // only marks or emoji differ
		}
		if start, ok := c.surely(old, t); ok && !c.explained(old, t) {
			return spot{match: MatchOld, start: start, end: start + len(old.ids)}, true
		}
	}
	return spot{}, false
}

// shortened finds an earlier wording around the present one, wherever that stands:
// the page still has what was taken out.
func (c *comparing) shortened(w wanted, t Told) (spot, bool) {
	for _, text := range t.Wordings[1:] {
		old := c.page.want(text)
		if len(old.ids) < len(w.ids)+2 {
			continue
		}
		start, ok := c.surely(old, t)
		if !ok || c.explained(old, t) {
			continue
		}
		n, end := c.page.follow(old, start)
		inside := n == len(old.ids)
		c.page.occurrences(w, func(from, to int) bool {
			inside = inside && from >= start && to <= end
			return inside
		})
		if inside {
			return spot{match: MatchOld, start: start, end: end, data: w.quote(0, len(w.ids)-1), screen: c.page.quote(start, end-1)}, true
		}
	}
	return spot{}, false
}

// explained reports whether words belong to another record that the data does
// not call withdrawn, as a quotation does or a comment posted again.
func (c *comparing) explained(w wanted, t Told) bool {
	others := append([]Told{c.root}, c.comments...)
	if c.joined == nil {
		c.joined = make([]string, len(others))
		for i, x := range others {
			var b strings.Builder
			for _, text := range x.Wordings {
				eachWord(html.UnescapeString(text), func(word []byte, _, _ int) { b.WriteByte(' '); b.Write(word) })
				b.WriteString(" \n")
			}
			c.joined[i] = b.String()
		}
	}
	words := " " + strings.Join(w.words, " ") + " "
	for i, x := range others {
		if !c.page.spend(len(c.joined[i]) / 8) {
			return true // not known, so not held against anyone
		}
		if x.ID != t.ID && !x.State.Withdrawn() && strings.Contains(c.joined[i], words) {
			return true
		}
	}
	return false
}

// named gives the places just after a name, in order.
func (c *comparing) named(name string) []int {
	ends, ok := c.names[name]
	if !ok {
		c.page.occurrences(c.page.want(name), func(_, end int) bool {
			ends = append(ends, end)
			return true
		})
		c.names[name] = ends
	}
	return ends
}

// near reports whether a place follows the author's name closely.
func (c *comparing) near(t Told, start int) bool {
	_, ok := c.nameBefore(t, start, nearWords)
	return ok
}

// nameBefore gives the place after the last mention of a record's author before
// another place.
func (c *comparing) nameBefore(t Told, start, most int) (at int, ok bool) {
	for _, name := range append([]string{t.Author}, t.Also...) {
		ends := c.named(name)
		i := sort.SearchInts(ends, start+1) - 1
		if i >= 0 && start-ends[i] <= most && (!ok || ends[i] > at) {
			at, ok = ends[i], true
		}
	}
	return at, ok
}

// beside finds a short text just after its author's name.
func (c *comparing) beside(w wanted, t Told) (int, bool) {
	if slices.Contains(w.ids, noWord) {
		return 0, false
	}
	for _, name := range append([]string{t.Author}, t.Also...) {
		ends := c.named(name)
		for _, end := range ends[:min(len(ends), seedPlaces)] {
			for at := end; at <= end+nearWords; at++ {
				if n, _ := c.page.follow(w, at); n == len(w.ids) {
					return at, true
				}
			}
		}
	}
	return 0, false
}

// difference quotes both sides around the first place where they differ, the
// page no further than to its last word.
func (p *pageWords) difference(w wanted, pairs [][2]int, last int) (data, screen string) {
	const before, after = 6, 24
	if len(pairs) == 0 {
		return w.quote(0, len(w.ids)-1), ""
	}
	k := 0
	for k+1 < len(pairs) && pairs[k+1][0] == pairs[k][0]+1 && (pairs[k+1][1] == pairs[k][1]+1 || w.gap[pairs[k+1][0]]) {
		k++
	}
	if pairs[0][0] > 0 {
		k = 0 // the beginning differs
	}
	i, j := pairs[k][0], pairs[k][1]
	return w.quote(i-before, i+after), p.quote(max(j-before, pairs[0][1]-pairs[0][0]), max(min(j+after, last), j))
}

// folded reports whether a button for more stands just after an author's name: the
// words may be behind a warning.
func (c *comparing) folded(t Told) bool {
	for _, name := range append([]string{t.Author}, t.Also...) {
		for _, end := range c.named(name) {
			for at := end; at < end+gapWords; at++ {
				if slices.ContainsFunc(seeMore, func(phrase string) bool { return c.page.says(at, strings.Fields(phrase)) }) {
					return true
				}
			}
		}
	}
	return false
}

// author looks for the name of the root's author, whose words stand at a place.
func (c *comparing) author(at spot) {
	t := c.root
	if t.Author == "" {
		return
	}
	for _, name := range append([]string{t.Author}, t.Also...) {
		if len(c.named(name)) > 0 {
			c.out.Author = MatchFound
			return
		}
	}
	if at.end == 0 || c.screen.Cut {
		return
	}
	// A name may be cut, or carry a title: a part of it leaves doubt.
	const around = 25
	for _, word := range c.page.want(t.Author).words {
		for i := max(0, at.start-around); i < min(len(c.page.ids), at.end+around); i++ {
			if len(word) > 3 && c.page.word(i) == word {
				return
			}
		}
	}
	c.out.Author = MatchAbsent
	c.find(FoundAuthor, t, t.Author, c.page.quote(at.start-12, at.start-1), 0)
}

// counted is a number of comments as a page gives it: from low to high, since
// "1.2K" is many.
type counted struct {
	low, high int
	text      string
}

var (
	countBefore = regexp.MustCompile(`(?i)(?:^|[^\d.,])((\d{1,3}(?:[.,\x{a0}\x{202f}]\d{3})+)|\d+(?:[.,]\d)?)[ \x{a0}\x{202f}]?(k|m|mil|mill\.?|thousand|million|millones)?\s*$`)
	countAfter  = regexp.MustCompile(`^ ?\((\d[\d.,]*)\)`)
	notDigits   = regexp.MustCompile(`\D`)
)

// counts finds what a page says of how many comments there are.
func (c *comparing) counts() []counted {
	var out []counted
	add := func(x counted) {
		if !slices.ContainsFunc(out, func(y counted) bool { return x.low == y.low && x.high == y.high }) {
			out = append(out, x)
		}
	}
	p := c.page
	for _, word := range []string{"comments", "comment", "comentarios", "comentario"} {
		id, ok := p.known[word]
		if !ok {
			continue
		}
		for _, at := range p.where[id] {
			if c.inRecord(int(at)) {
				continue
			}
			start, end := int(p.at[at][0]), int(p.at[at][1])
			if m := countAfter.FindStringSubmatch(p.text[end:min(len(p.text), end+24)]); m != nil {
				if n, err := strconv.Atoi(notDigits.ReplaceAllString(m[1], "")); err == nil {
					add(counted{n, n, p.text[start:end] + m[0]})
				}
				continue
			}
			switch p.word(int(at) + 1) {
			case "más", "mas", "more", "anteriores", "previous", "restantes":
				continue // so many that are not shown
			}
			if x, ok := countOf(p.text[max(0, start-32):start]); ok {
				x.text += " " + p.text[start:end]
				add(x)
			}
		}
	}
	return out
}

// countOf reads the number at the end of a text.
func countOf(s string) (counted, bool) {
	m := countBefore.FindStringSubmatch(s)
	if m == nil {
		return counted{}, false
	}
	text := strings.TrimSpace(strings.TrimLeft(m[0], " \n\t·|()"))
	unit := 0
	switch strings.ToLower(strings.TrimSuffix(m[3], ".")) {
	case "k", "mil", "thousand":
		unit = 1000
	case "m", "mill", "million", "millones":
		unit = 1_000_000
	}
	if unit == 0 {
		if m[2] == "" && strings.ContainsAny(m[1], ".,") {
			return counted{}, false
		}
		n, err := strconv.Atoi(notDigits.ReplaceAllString(m[1], ""))
		return counted{n, n, text}, err == nil
	}
	f, err := strconv.ParseFloat(strings.Replace(m[1], ",", ".", 1), 64)
	if err != nil || f > 1000 {
		return counted{}, false
	}
	step := float64(unit)
	if strings.ContainsAny(m[1], ".,") {
		step /= 10
	}
	// Some platforms round and some cut off.
	return counted{int(f*float64(unit) - step/2), int(f*float64(unit) + step), text}, true
}

// count compares how many comments the page counts with how many are known to be
// shown to everyone. Platforms count replies or leave them out, and may count
// what they do not show.
func (c *comparing) count() {
	tops, besides := 0, 0
	for _, x := range c.comments {
		switch {
		case x.State.Shown() && x.Kind != Reply:
			tops++
		case !x.State.Shown() && x.State != Deleted:
			besides++
		}
	}
	all := c.counts()
	if len(all) == 0 {
		c.out.Comments = MatchNotShown
		return
	}
	known := c.out.Known
	for _, x := range all {
		if x.low <= known+besides && known <= x.high || x.low <= tops && tops <= x.high {
			c.out.Comments, c.out.Counted = MatchFound, x.text
			return
		}
	}
	if len(all) > 1 {
		return // one of them may belong to something else on the page
	}
	x := all[0]
	c.out.Counted = x.text
	switch {
	case x.low > known+besides:
		c.out.Comments = MatchMore
		c.find(FoundMore, c.root, strconv.Itoa(known), x.text, 0)
	case x.high < tops:
		c.out.Comments = MatchFewer
		c.find(FoundFewer, c.root, strconv.Itoa(known), x.text, 0)
	}
}

// whole gives how many comments there are by the page's own account; false when
// it does not show as many, or does not say.
func (c *comparing) whole() (int, bool) {
	if c.screen.Cut || c.screen.Partial || c.page.has(longer) {
		return 0, false
	}
	n, ok := 0, false
	for _, s := range c.screen.Shown {
		if s.What == "posts" {
			continue
		}
		if s.Of == 0 || s.Shown < s.Of {
			return 0, false
		}
		if s.What == "comments" {
			n, ok = s.Of, true
		}
	}
	if all := c.counts(); len(all) > 0 {
		n, ok = all[0].low, len(all) == 1 && all[0].low == all[0].high
	}
	return n, ok
}

// inRecord reports whether a place of the page is within the words of a record.
func (c *comparing) inRecord(at int) bool {
	if c.said == nil {
		c.said = make([]bool, len(c.page.ids)+1)
		for _, s := range c.spans {
			for i := s[0]; i < s[1]; i++ {
				c.said[i] = true
			}
		}
	}
	return c.said[at]
}
