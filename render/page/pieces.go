package page

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The separators between two runs of the text, the stronger the higher.
const (
	joined = iota
	spaced
	nextCell
	nextLine
)

// apart asks for a separator before the next run.
func (w *reader) apart(sep int) {
	w.sep = max(w.sep, sep)
	if sep == nextLine {
		w.wbr = false
	}
}

// words adds the pieces of one text.
func (w *walk) words(node, row int32, from, to int) {
	e := w.top()
	if e.mute {
		return
	}
	s := w.t.str(w.d.words[row])
	marker := false
	if p, ok := w.d.pseudo.get(e.node); ok {
		marker = w.t.str(p) == "marker"
	}
	order := make([]int, 0, 4)
	for i := from; i < to; i++ {
		order = append(order, i)
	}
	// The pieces of a line come as they are seen from the left; they are read
	// as they were written.
	slices.SortStableFunc(order, func(a, b int) int { return int(w.d.start[a] - w.d.start[b]) })
	t := newUnits(s)
	if len(order) > 1 && w.d.kind[node] == 3 && !w.counted(node, s) {
		all := Box{w.d.pieces[4*from] + w.x, w.d.pieces[4*from+1] + w.y, w.d.pieces[4*from+2], w.d.pieces[4*from+3]}
		for _, i := range order[1:] {
			all = all.with(Box{w.d.pieces[4*i] + w.x, w.d.pieces[4*i+1] + w.y, w.d.pieces[4*i+2], w.d.pieces[4*i+3]})
		}
		w.piece(s, all, true, marker)
		return
	}
	end := 0
	for n, i := range order {
		a, b := int(w.d.start[i]), int(w.d.start[i]+w.d.length[i])
		if a < 0 || b > t.len() || a > b {
			continue
		}
		if a > end && hasSpace(t.slice(end, a)) {
			w.apart(spaced)
			w.twin.space()
		}
		p := w.d.pieces[4*i : 4*i+4]
		w.piece(t.slice(a, b), Box{p[0] + w.x, p[1] + w.y, p[2], p[3]}, n == 0, marker)
		end = max(end, b)
	}
	if end < t.len() && hasSpace(t.slice(end, t.len())) {
		w.apart(spaced)
		w.twin.space()
	}
}

// counted reports whether the places of a text's pieces can be told: they count
// what the document says, which may be longer or shorter than what is shown, as
// when capitals are two letters.
func (w *walk) counted(node int32, s string) bool {
	said := w.t.str(w.d.value[node])
	return len(said) == len(s) || strings.HasSuffix(said, s) || utf16Len(said) == utf16Len(s)
}

func utf16Len(s string) (n int) {
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// with is the smallest box around two.
func (b Box) with(o Box) Box {
	l, t := min(b[0], o[0]), min(b[1], o[1])
	return Box{l, t, max(b[0]+b[2], o[0]+o[2]) - l, max(b[1]+b[3], o[1]+o[3]) - t}
}

// piece adds one piece of a line. first says that it begins a text, so that
// nothing but its place tells whether it belongs to the word before.
func (w *walk) piece(raw string, box Box, first, marker bool) {
	words := tidy(raw)
	if words == "" {
		if box[2] == 0 && strings.Contains(raw, "\n") { // a break that is kept, as in preformatted text
			w.apart(nextLine)
			w.twin.line()
		} else if hasSpace(raw) {
			w.apart(spaced)
			w.twin.space()
		}
		return
	}
	e := w.top()
	if e.sight.never || e.hidden {
		return
	}
	if hasSpace(raw[:1]) || strings.HasPrefix(raw, "\u00a0") {
		w.apart(spaced)
		w.twin.space()
	}
	if first && w.sep == joined && !w.wbr && w.text.Len() > 0 && gap(w.last, box) {
		w.apart(spaced)
		w.twin.space()
	}
	box, how := w.see(e, box)
	w.put(words, box, how, marker)
	if last, _ := utf8.DecodeLastRuneInString(raw); unicode.IsSpace(last) {
		w.apart(spaced)
		w.twin.space()
	}
}

// put writes words where they are to be found.
func (w *walk) put(words string, box Box, how look, marker bool) {
	if !marker { // lists have their own in the twin
		w.twin.text(words, how == unseen)
	}
	if how == unseen || marker && !strings.ContainsFunc(words, readable) {
		return
	}
	if w.text.Len() > 0 {
		w.text.WriteString([]string{"", " ", "\t", "\n"}[w.sep])
	}
	w.sep, w.wbr, w.row = joined, false, true
	start := w.text.Len()
	w.text.WriteString(words)
	run := Run{Text: words, Box: box, Start: start, End: w.text.Len(), Out: how == out}
	if lang := w.top().lang; lang != w.layout.Language {
		run.Language = lang
	}
	w.layout.Runs = append(w.layout.Runs, run)
	w.last = box
}

func readable(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// gap reports whether a reader sees two pieces of a line apart, or on two
// lines.
func gap(a, b Box) bool {
	if b[1] >= a[1]+a[3]*0.6 || b[1]+b[3]*0.6 <= a[1] {
		return true
	}
	return max(b[0]-a[0]-a[2], a[0]-b[0]-b[2]) > 0.12*min(a[3], b[3])
}

func hasSpace(s string) bool { return strings.ContainsFunc(s, unicode.IsSpace) }

// tidy is text as it is searched: without characters that are not seen, and
// icons, which fonts draw for characters that mean nothing; spaces are one.
func tidy(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		c := s[i]
		plain = c > ' ' && c < 0x7f || c == ' ' && i > 0 && i < len(s)-1 && s[i-1] != ' '
	}
	if plain {
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\u00ad', r == '\u200b', r == '\u2060', r == '\ufeff', r == '\ufffc':
			return -1
		case r == '\u200e', r == '\u200f', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		case r < ' ' && !unicode.IsSpace(r), unicode.Is(unicode.Co, r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// units is a text as Chrome counts it.
type units struct {
	ascii string
	wide  []uint16
}

func newUnits(s string) units {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return units{wide: utf16.Encode([]rune(s))}
		}
	}
	return units{ascii: s}
}

func (u units) len() int { return len(u.ascii) + len(u.wide) }

func (u units) slice(a, b int) string {
	if u.wide == nil {
		return u.ascii[a:b]
	}
	return string(utf16.Decode(u.wide[a:b]))
}

// language is a language tag that is safe to repeat; empty for what is none.
func language(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 35 || strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII || !readable(r) && r != '-' }) {
		return ""
	}
	return s
}
