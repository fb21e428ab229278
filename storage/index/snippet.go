package index

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/candor-archive/candor"
)

// matcher knows the words a query turned out to mean. It serves one search.
type matcher struct {
	groups []group
	seen   map[string]map[string]hit // by language and spelling
}

// A group is one positive term of a query with everything it may match.
type group struct {
	phrase []string        // when it is a phrase
	words  map[string]bool // the word itself, or the words it may be a slip of
	stems  map[string]bool // other forms
}

// hit says which groups a word matches, as bit sets: as it stands, or in
// another form.
type hit struct{ exact, form uint64 }

func (h hit) any() bool { return h.exact|h.form != 0 }

// hits takes a text apart and says what each of its words matches.
func (m *matcher) hits(text, language string) ([]token, []hit) {
	var toks []token
	for t := range seq(text) {
		toks = append(toks, t)
	}
	hits := make([]hit, len(toks))
	if len(m.groups) == 0 {
		return toks, hits
	}
	for i, t := range toks {
		hits[i] = m.hit(text, t, language)
	}
	for g, grp := range m.groups {
		for i := 0; len(grp.phrase) > 0 && i+len(grp.phrase) <= len(toks); i++ {
			if !begins(toks[i:], grp.phrase) {
				continue
			}
			for k := range grp.phrase {
				hits[i+k].exact |= 1 << g
			}
		}
	}
	return toks, hits
}

// hit looks one word up; a spelling is taken apart once a search.
func (m *matcher) hit(text string, t token, language string) hit {
	spelling := text[t.start:t.end]
	if h, ok := m.seen[language][spelling]; ok {
		return h
	}
	forms := stems(raw(text, t), language)
	var h hit
	for g, grp := range m.groups {
		if grp.words[t.word] {
			h.exact |= 1 << g
			continue
		}
		for _, s := range forms {
			if grp.stems[s] {
				h.form |= 1 << g
			}
		}
	}
	if m.seen == nil {
		m.seen = map[string]map[string]hit{}
	}
	if m.seen[language] == nil {
		m.seen[language] = map[string]hit{}
	}
	m.seen[language][spelling] = h
	return h
}

func begins(toks []token, phrase []string) bool {
	for i, w := range phrase {
		if toks[i].word != w {
			return false
		}
	}
	return true
}

// score says how well a text answers: BM25's saturation and length norm over
// the terms, each counted in full when the word itself stands there and by half
// for another form. Every text scored holds all terms, so their rarity would
// move all scores alike and is left out.
func (m *matcher) score(text, language string) float64 {
	const k1, b, usual = 1.2, 0.75, 40
	toks, hits := m.hits(text, language)
	count := make([]float64, len(m.groups))
	for _, h := range hits {
		if !h.any() {
			continue
		}
		for g := range m.groups {
			if h.exact&(1<<g) != 0 {
				count[g]++
			} else if h.form&(1<<g) != 0 {
				count[g] += 0.5
			}
		}
	}
	length := k1 * (1 - b + b*float64(len(toks))/usual)
	sum := 0.0
	for _, n := range count {
		sum += n * (k1 + 1) / (n + length)
	}
	return sum
}

// window is how many words a snippet shows.
const window = 36

// snippet shows the part of a text where the most of the query's terms stand
// together, with the words found between SnippetOpen and SnippetClose. Without
// any it shows the beginning. White space is one space; the marking runes
// themselves never come from the text.
func (m *matcher) snippet(text, language string) string {
	toks, hits := m.hits(text, language)
	if len(toks) == 0 {
		return clean(cut(text, 200))
	}
	best, bestCount := 0, 0
	for i := range toks {
		if !hits[i].any() {
			continue
		}
		seen, count := uint64(0), 0
		for _, h := range hits[i:min(len(toks), i+window-6)] {
			if bits := h.exact | h.form; bits&^seen != 0 {
				seen |= bits
				count++
			}
		}
		if count > bestCount {
			best, bestCount = i, count
		}
	}
	first := max(0, best-6)
	last := min(len(toks), first+window)
	var out strings.Builder
	at := toks[first].start
	if first == 0 {
		at = 0
	} else {
		out.WriteString("… ")
	}
	for i := first; i < last; i++ {
		// Two words can stand at one place, as in a fraction sign.
		start, end := max(at, toks[i].start), max(at, toks[i].end)
		between := clean(text[at:start])
		if hits[i].any() && end > start {
			out.WriteString(between + string(candor.SnippetOpen) + clean(text[start:end]) + string(candor.SnippetClose))
		} else {
			out.WriteString(between + clean(text[start:end]))
		}
		at = end
	}
	if last < len(toks) {
		out.WriteString(" …")
	} else {
		out.WriteString(clean(cut(text[at:], 80)))
	}
	return strings.TrimSpace(out.String())
}

// clean makes runs of white space one space, and drops what could be taken for
// our marks or would not be seen.
func clean(s string) string {
	var out strings.Builder
	space := false
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			space = true
			continue
		}
		if r == candor.SnippetOpen || r == candor.SnippetClose {
			continue
		}
		if space {
			out.WriteByte(' ')
			space = false
		}
		out.WriteRune(r)
	}
	if space {
		out.WriteByte(' ')
	}
	return out.String()
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
