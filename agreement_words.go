package candor

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pageWords are the words of a page as they are compared, each as a number, and
// where each stands. They are made once for all that is looked for.
type pageWords struct {
	text  string
	ids   []int32
	at    [][2]int32 // first and past last byte of each word
	known map[string]int32
	words []string  // by number
	where [][]int32 // positions of each word, by number
	work  int       // that is left: see mostWork
}

// mostWork bounds what one comparison does, in words looked at. Comments are
// written by anyone, and some could be made to be hard to look for; when it is
// used up, what was not found by then is not known. A thread of 5,000 comments
// needs a third of it.
const mostWork = 100_000_000

// spend uses up work, and reports whether there was enough.
func (p *pageWords) spend(work int) bool {
	p.work -= work
	return p.work >= 0
}

func readPage(text string) *pageWords {
	p := &pageWords{text: strings.ToValidUTF8(text, "\uFFFD"), known: map[string]int32{}, work: mostWork}
	eachWord(p.text, func(word []byte, start, end int) {
		id, ok := p.known[string(word)]
		if !ok {
			id = int32(len(p.words))
			p.words = append(p.words, string(word))
			p.known[p.words[id]] = id
		}
		p.ids = append(p.ids, id)
		p.at = append(p.at, [2]int32{int32(start), int32(end)})
	})
	counts := make([]int, len(p.words))
	for _, id := range p.ids {
		counts[id]++
	}
	p.where = make([][]int32, len(p.words))
	room := make([]int32, len(p.ids))
	for id, n := range counts {
		p.where[id], room = room[:0:n], room[n:]
	}
	for i, id := range p.ids {
		p.where[id] = append(p.where[id], int32(i))
	}
	return p
}

// word is the i-th word of the page; empty beyond its ends.
func (p *pageWords) word(i int) string {
	if i < 0 || i >= len(p.ids) {
		return ""
	}
	return p.words[p.ids[i]]
}

// between is what stands between the i-th word and the next.
func (p *pageWords) between(i int) string {
	if i < 0 || i >= len(p.at) {
		return ""
	}
	if i+1 == len(p.at) {
		return p.text[p.at[i][1]:]
	}
	return p.text[p.at[i][1]:p.at[i+1][0]]
}

// has reports whether one of some phrases, given in lower case, stands on the
// page.
func (p *pageWords) has(phrases []string) bool {
	for _, phrase := range phrases {
		words := strings.Fields(phrase)
		if id, ok := p.known[words[0]]; ok {
			for _, at := range p.where[id] {
				if p.says(int(at), words) {
					return true
				}
			}
		}
	}
	return false
}

func (p *pageWords) says(at int, words []string) bool {
	for i, w := range words {
		if p.word(at+i) != w {
			return false
		}
	}
	return true
}

// quoteLength bounds what is quoted of either side, in runes.
const quoteLength = 240

// quote is what the page says from one word to another.
func (p *pageWords) quote(from, to int) string { return quote(p.text, p.at, from, to) }

func quote(text string, at [][2]int32, from, to int) string {
	from, to = max(from, 0), min(to, len(at)-1)
	if from > to {
		return ""
	}
	start, end := int(at[from][0]), int(at[to][1])
	for _, r := range text[end:] { // with the mark that ends the sentence
		if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSpace(r) {
			break
		}
		end += utf8.RuneLen(r)
	}
	said := []rune(strings.Join(strings.Fields(text[start:end]), " "))
	tail := to < len(at)-1
	if len(said) > quoteLength {
		said, tail = said[:quoteLength], true
	}
	out := string(said)
	if from > 0 {
		out = "… " + out
	}
	if tail {
		out += " …"
	}
	return out
}

// wanted are words to look for, as the page's own numbers them.
type wanted struct {
	text  string
	words []string
	ids   []int32 // none: the page has no such word
	at    [][2]int32
	gap   []bool // other words may stand before the word: see wantRaw
	gaps  int
}

const noWord int32 = -1

// links finds addresses: screens shorten them or leave them out.
var links = regexp.MustCompile(`(?i)\bhttps?://\S+|\bwww\.\S+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}/\S*`)

// want prepares words to be looked for. Platforms may write them with entities.
func (p *pageWords) want(text string) wanted { return p.wantRaw(html.UnescapeString(text)) }

// wantRaw is want for words without entities. Screens write links in their own
// way, and put names, buttons or bars between a title, its text and the choices of
// a poll: after a link or the end of a line other words may stand.
func (p *pageWords) wantRaw(text string) wanted {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Replace(text, pollHead, "\n", 1)
	w := wanted{text: text}
	var skip [][]int
	if strings.ContainsAny(text, "/.") {
		skip = links.FindAllStringIndex(text, -1)
	}
	pending, last := false, 0
	eachWord(text, func(word []byte, start, end int) {
		for len(skip) > 0 && skip[0][1] <= start {
			skip = skip[1:]
		}
		if len(skip) > 0 && start >= skip[0][0] {
			pending = true
			return
		}
		id, ok := p.known[string(word)]
		if !ok {
			id = noWord
		}
		w.words = append(w.words, string(word))
		w.ids = append(w.ids, id)
		w.at = append(w.at, [2]int32{int32(start), int32(end)})
		gap := len(w.ids) > 1 && (pending || strings.Contains(text[last:start], "\n"))
		w.gap = append(w.gap, gap)
		if gap {
			w.gaps++
		}
		pending, last = false, end
	})
	return w
}

// quote is what is wanted from one word to another.
func (w wanted) quote(from, to int) string { return quote(w.text, w.at, from, to) }

// pollHead is put before the choices of a poll by us, not by a platform.
const pollHead = "\n\nPoll:\n"

// gapWords is how many words of the page may stand in a gap.
const gapWords = 40

// follow reads wanted words from a place of the page on. It gives how many stand
// there, and the place past the last.
func (p *pageWords) follow(w wanted, from int) (n, end int) {
	at := from
	defer func() { p.spend(n + 1) }()
	for i, id := range w.ids {
		if w.gap[i] {
			for most := min(at+gapWords, len(p.ids)-1); at < most && !p.resumes(w, i, at); {
				at++
			}
		}
		if id == noWord || at >= len(p.ids) || p.ids[at] != id {
			return i, end
		}
		at++
		end = at
	}
	return len(w.ids), end
}

// resumes reports whether the text goes on here after a gap: with two words, where
// there are two.
func (p *pageWords) resumes(w wanted, i, at int) bool {
	if p.ids[at] != w.ids[i] {
		return false
	}
	return i+1 == len(w.ids) || w.gap[i+1] || at+1 < len(p.ids) && p.ids[at+1] == w.ids[i+1]
}

// occurrences calls f with each place where all that is wanted stands, until f
// gives false.
func (p *pageWords) occurrences(w wanted, f func(start, end int) bool) {
	if len(w.ids) == 0 || slices.Contains(w.ids, noWord) {
		return
	}
	rarest := 0
	for i, id := range w.ids {
		if w.gap[i] {
			break // how far it is from the first word is not known
		}
		if len(p.where[id]) < len(p.where[w.ids[rarest]]) {
			rarest = i
		}
	}
	for _, at := range p.where[w.ids[rarest]] {
		start := int(at) - rarest
		if start < 0 {
			continue
		}
		if p.work < 0 {
			return
		}
		if n, end := p.follow(w, start); n == len(w.ids) && !f(start, end) {
			return
		}
	}
}

// Phrases of screens, in lower case.
var (
	seeMore    = []string{"see more", "ver más", "ver mas", "show more", "mostrar más", "read more", "leer más"}
	translated = []string{"see original", "show original", "view original", "rate this translation", "translated from", "ver original", "mostrar original",
		"ver el original", "traducido del", "calificar esta traducción"}
	longer = []string{"more comments", "more replies", "previous comments", "previous replies", "view replies", "most relevant", "top comments",
		"más comentarios", "más respuestas", "ver respuestas", "comentarios anteriores", "respuestas anteriores", "más relevantes", "comentarios destacados"}
)

// isCut reports whether a text of which n words stand before a place is broken
// off there: with an ellipsis, or with a button for the rest.
func (p *pageWords) isCut(w wanted, n, end int) bool {
	ellipsis := func(i int) bool {
		rest := strings.TrimLeft(p.between(i), " \u00a0")
		return strings.HasPrefix(rest, "…") || strings.HasPrefix(rest, "...")
	}
	if ellipsis(end-1) || ellipsis(end) && strings.HasPrefix(w.words[n], p.word(end)) {
		return true
	}
	for _, phrase := range seeMore {
		if p.says(end, strings.Fields(phrase)) {
			return true
		}
	}
	return false
}

// seeds are the wanted words that are rarest on the page, for guessing where the
// text may stand: some of its beginning up to the first gap, and some of all.
func (p *pageWords) seeds(w wanted) (head, all []int) {
	rarest := func(n, most int) []int {
		var all []int
		for i, id := range w.ids[:n] {
			if id != noWord {
				all = append(all, i)
			}
		}
		slices.SortStableFunc(all, func(a, b int) int { return len(p.where[w.ids[a]]) - len(p.where[w.ids[b]]) })
		return all[:min(len(all), most)]
	}
	first := min(len(w.ids), 12)
	if i := slices.Index(w.gap[:first], true); i > 0 {
		first = i
	}
	head = rarest(first, 3)
	all = append(rarest(len(w.ids), 6), head...)
	slices.Sort(all)
	return head, slices.Compact(all)
}

// seedPlaces is how many places of one seed are looked at.
const seedPlaces = 200

// beginning is a place where only the beginning of a text stands.
type beginning struct {
	start, end int // on the page
	n          int // words of the text; 0 when there is no such place
	cut        bool
}

// begins finds where the longest beginning of a text stands, of at least three
// words; one that is cut before any other.
func (p *pageWords) begins(w wanted, head []int) (best beginning) {
	for _, i := range head {
		places := p.where[w.ids[i]]
		for _, at := range places[:min(len(places), seedPlaces)] {
			from := int(at) - i
			if from < 0 {
				continue
			}
			n, end := p.follow(w, from)
			if n < shortWords || n == len(w.ids) || !p.spend(n) {
				continue
			}
			if cut := p.isCut(w, n, end); cut && !best.cut || cut == best.cut && n > best.n {
				best = beginning{from, end, n, cut}
			}
		}
	}
	return best
}

// nearest finds where most words of a text stand in order: pairs of the text's
// words and the page's.
func (p *pageWords) nearest(w wanted, seeds []int) (pairs [][2]int) {
	const bucket, places = 16, 50
	var votes []int // for where the text may begin, one a place of a seed
	for _, i := range seeds {
		for _, at := range p.where[w.ids[i]][:min(len(p.where[w.ids[i]]), places)] {
			votes = append(votes, (int(at)-i+len(w.ids))/bucket)
		}
	}
	slices.Sort(votes)
	type place struct{ bucket, votes int }
	var likely [3]place
	for len(votes) > 0 {
		k := 1
		for k < len(votes) && votes[k] == votes[0] {
			k++
		}
		x := place{votes[0], k}
		for i := range likely {
			if x.votes > likely[i].votes {
				x, likely[i] = likely[i], x
			}
		}
		votes = votes[k:]
	}
	n := len(w.ids)
	for _, x := range likely {
		if x.votes == 0 || x.votes == 1 && len(seeds) > 3 {
			break // one word alone says nothing
		}
		from := x.bucket*bucket - n
		low, high := max(0, from-bucket-n/8), min(len(p.ids), from+3*bucket+n+n/4+w.gaps*gapWords)
		if low >= high {
			continue
		}
		got := p.inOrder(w.ids, p.ids[low:high])
		if len(got) <= len(pairs) {
			continue
		}
		for i := range got {
			got[i][1] += low
		}
		pairs = got
	}
	return pairs
}

// inOrder gives a longest sequence of words that both have in the same order, as
// pairs of places; nil when that is too much work. It is the method of Hunt and
// Szymanski: a longest increasing subsequence of the places that are equal.
func (p *pageWords) inOrder(a, b []int32) [][2]int {
	const costly = 32 // a pair, in words looked at
	p.spend(4 * len(b))
	places := map[int32][]int32{}
	for j, id := range b {
		places[id] = append(places[id], int32(j))
	}
	type node struct{ i, j, before int32 }
	var nodes []node
	var ends []int32 // the node with which the best sequence of each length ends
	for i, id := range a {
		if id == noWord {
			continue
		}
		js := places[id]
		if !p.spend(costly * (len(js) + 1)) {
			return nil
		}
		for k := len(js) - 1; k >= 0; k-- {
			j := js[k]
			length, _ := slices.BinarySearchFunc(ends, j, func(n, j int32) int { return int(nodes[n].j) - int(j) })
			before := int32(-1)
			if length > 0 {
				before = ends[length-1]
			}
			nodes = append(nodes, node{int32(i), j, before})
			if length == len(ends) {
				ends = append(ends, int32(len(nodes)-1))
			} else {
				ends[length] = int32(len(nodes) - 1)
			}
		}
	}
	out := make([][2]int, len(ends))
	if len(ends) == 0 {
		return out
	}
	for n, k := ends[len(ends)-1], len(ends)-1; n >= 0; n, k = nodes[n].before, k-1 {
		out[k] = [2]int{int(nodes[n].i), int(nodes[n].j)}
		if k+1 < len(out) { // as close to the next word as can be: a common word may stand earlier, too
			js := places[a[nodes[n].i]]
			next, _ := slices.BinarySearch(js, int32(out[k+1][1]))
			out[k][1] = int(js[next-1])
		}
	}
	return out
}

// eachWord calls f with every word of a text as it is compared: in lower case, a
// run of letters or a run of digits. Emoji are no words, nor are the marks that
// steer how text is drawn.
func eachWord(text string, f func(word []byte, start, end int)) {
	const (
		none = iota
		letters
		digits
	)
	var buf []byte
	kind, start, end := none, 0, 0
	flush := func() {
		if kind != none {
			f(buf, start, end)
		}
		kind, buf = none, buf[:0]
	}
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		at := i
		i += size
		is := none
		switch {
		case r < utf8.RuneSelf:
			switch {
			case 'a' <= r && r <= 'z':
				is = letters
			case 'A' <= r && r <= 'Z':
				is, r = letters, r+'a'-'A'
			case '0' <= r && r <= '9':
				is = digits
			}
		case invisible(r):
			continue
		case unicode.IsMark(r):
			if kind == letters {
				buf, end = accent(buf, r), i
			}
			continue
		case unicode.IsNumber(r):
			is = digits
		case unicode.IsLetter(r):
			is, r = letters, unicode.ToLower(r)
		}
		if is == none {
			flush()
			continue
		}
		if n := drawn(text[i:]); n > 0 || r == 'ℹ' { // a keycap, or a letter drawn as an emoji
			flush()
			i += n
			continue
		}
		if is != kind {
			flush()
			kind, start = is, at
		}
		switch r {
		case 'ß':
			buf = append(buf, "ss"...)
		case 'ς':
			buf = append(buf, "σ"...)
		case 'ı':
			buf = append(buf, 'i')
		default:
			buf = utf8.AppendRune(buf, r)
		}
		end = i
		if r >= '\u0e00' && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) {
			flush() // written without spaces: each sign counts as a word
		}
	}
	flush()
}

// drawn is the length of the marks that turn the sign before them into an emoji.
func drawn(rest string) int {
	if len(rest) < 3 || rest[0] < 0xe2 {
		return 0
	}
	n := 0
	if strings.HasPrefix(rest, "\ufe0f") {
		n = len("\ufe0f")
	}
	if strings.HasPrefix(rest[n:], "\u20e3") {
		n += len("\u20e3")
	}
	return n
}

// invisible reports whether a sign only steers how text is drawn.
func invisible(r rune) bool {
	return r == '\u00ad' || r >= '\u200b' && r <= '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2060' && r <= '\u2069' ||
		r == '\ufeff' || r == '\ufe0e' || r == '\ufe0f'
}

// composed are the letters of Western European languages that may also be
// written as a letter and a mark.
var composed = func() map[[2]rune]rune {
	out := map[[2]rune]rune{}
	for mark, pairs := range map[rune]string{
		'\u0300': "aàeèiìoòuù", '\u0301': "aáeéiíoóuúyý", '\u0302': "aâeêiîoôuû", '\u0303': "aãnñoõ", '\u0308': "aäeëiïoöuüyÿ", '\u0327': "cç",
	} {
		r := []rune(pairs)
		for i := 0; i < len(r); i += 2 {
			out[[2]rune{r[i], mark}] = r[i+1]
		}
	}
	return out
}()

// accent puts a mark on the last letter of a word.
func accent(word []byte, mark rune) []byte {
	last, size := utf8.DecodeLastRune(word)
	if r, ok := composed[[2]rune{last, mark}]; ok {
		return utf8.AppendRune(word[:len(word)-size], r)
	}
	return utf8.AppendRune(word, mark)
}
