package view

import (
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kljensen/snowball"
	"golang.org/x/text/unicode/norm"
)

// MaxLayout is how many bytes of a layout are read.
const MaxLayout = 32 << 20

// Layout is what pages need of a capture's layout: the words with their places,
// in CSS pixels of the page.
type Layout struct {
	Width  int         `json:"width"`
	Height int         `json:"height"`
	Runs   []LayoutRun `json:"runs"`
}

// LayoutRun is a piece of text on one line.
type LayoutRun struct {
	Text  string     `json:"text"`
	Box   [4]float64 `json:"box"`
	Start int        `json:"start"`
	Out   bool       `json:"out"` // not on the picture
}

// Outline is a set of places on a picture that are marked, in the units of its
// view box. It is drawn over the picture without script or style of its own.
type Outline struct {
	Width, Height float64
	Marks         []Mark
	Query         string // the words that were looked for; empty for other marks
	More          int    // places beyond those listed
}

// Mark is one place.
type Mark struct {
	N    int
	ID   string
	Box  [4]float64
	Text string // what stands there, for who cannot see it
}

// maxMarks bounds what one page outlines.
const maxMarks = 60

// margin is how far an outline stands off the words.
const margin = 3

// longestFind is how much of what is looked for counts.
const longestFind = 400

// LookedFor is what the reader searched for.
func LookedFor(r *http.Request) string {
	q := strings.TrimSpace(strings.ToValidUTF8(r.URL.Query().Get("q"), ""))
	if c := []rune(q); len(c) > longestFind {
		q = string(c[:longestFind])
	}
	return q
}

// Find outlines where the words of a search stand. Words are compared as the
// search compares them: without case and accents, and by their stems in English
// and Spanish; what is in quotes has to stand there as it is. It gives nil when
// there is nothing to look for or nowhere to look.
func (l Layout) Find(query string) *Outline {
	terms := readTerms(query)
	if len(terms) == 0 || l.Width <= 0 || l.Height <= 0 {
		return nil
	}
	out := &Outline{Width: float64(l.Width), Height: float64(l.Height), Query: strings.TrimSpace(query)}
	// A word may be in several runs, as where its type changes or a line ends
	// within it, so they are put together as they were read.
	var b strings.Builder
	var runAt []int // where each run begins in b
	end := -1
	for _, r := range l.Runs {
		if r.Start != end {
			b.WriteByte(' ')
		}
		end = r.Start + len(r.Text)
		runAt = append(runAt, b.Len())
		b.WriteString(r.Text)
	}
	words := splitWords(b.String())
	hit := make([]bool, len(l.Runs))
	for _, t := range terms {
		for i := 0; i+len(t.words) <= len(words); i++ {
			if !t.stands(words[i:]) {
				continue
			}
			for _, w := range words[i : i+len(t.words)] {
				for run := sort.SearchInts(runAt, w.from+1) - 1; run >= 0 && run < len(runAt) && runAt[run] < w.to; run++ {
					hit[run] = true
				}
			}
		}
	}
	for i, r := range l.Runs {
		if !hit[i] || r.Out || r.Box[1] >= out.Height || r.Box[0] >= out.Width || r.Box[2] <= 0 || r.Box[3] <= 0 {
			continue
		}
		if len(out.Marks) == maxMarks {
			out.More++
			continue
		}
		n := len(out.Marks) + 1
		out.Marks = append(out.Marks, Mark{N: n, ID: "found-" + strconv.Itoa(n), Text: r.Text,
			Box: [4]float64{r.Box[0] - margin, r.Box[1] - margin, r.Box[2] + 2*margin, r.Box[3] + 2*margin}})
	}
	return out
}

// Places outlines the regions of a self-check.
func (a *CheckAccount) Places(width, height int) *Outline {
	if a == nil || len(a.Regions) == 0 || width <= 0 || height <= 0 {
		return nil
	}
	out := &Outline{Width: float64(width), Height: float64(height)}
	for _, r := range a.Regions {
		out.Marks = append(out.Marks, Mark{N: r.N, ID: "differs-" + strconv.Itoa(r.N), Box: r.Box, Text: r.Text})
	}
	return out
}

// spelling is one word of a text and where it stands.
type spelling struct {
	folded   string
	raw      string // in lower case, with its accents: stemming needs them
	from, to int
}

// splitWords gives the words of a text in order.
func splitWords(text string) []spelling {
	var out []spelling
	from := -1
	add := func(to int) {
		if from >= 0 {
			raw := strings.ToLower(norm.NFC.String(text[from:to]))
			out = append(out, spelling{foldWord(raw), raw, from, to})
			from = -1
		}
	}
	for i, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) && from >= 0 {
			if from < 0 {
				from = i
			}
			continue
		}
		add(i)
	}
	add(len(text))
	return out
}

func foldWord(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s))
}

// term is one thing a search asks for.
type term struct {
	words []spelling
	stems []string // of a single word that may stand in another form
}

// stands reports whether a term begins here.
func (t term) stands(here []spelling) bool {
	for i, w := range t.words {
		if w.folded == here[i].folded {
			continue
		}
		if len(t.stems) == 0 || w.folded == "" || here[i].folded == "" || w.folded[0] != here[i].folded[0] || !share(t.stems, stemsOf(here[i])) {
			return false
		}
	}
	return true
}

func share(a, b []string) bool {
	for _, x := range a {
		if slices.Contains(b, x) {
			return true
		}
	}
	return false
}

// stemsOf are the stems of a word in the languages we know.
func stemsOf(w spelling) []string {
	var out []string
	for _, language := range []string{"english", "spanish"} {
		if s, err := snowball.Stem(w.raw, language, true); err == nil && s != "" {
			out = append(out, foldWord(s))
		}
	}
	return out
}

// maxTerms is how many terms of a search are outlined.
const maxTerms = 16

// readTerms reads what a person typed: words, phrases in double quotes, and a
// minus before what is not looked for.
func readTerms(query string) []term {
	quote := func(r rune) bool { return strings.ContainsRune("\"“”«»", r) }
	var out []term
	for query != "" && len(out) < maxTerms {
		query = strings.TrimLeftFunc(query, unicode.IsSpace)
		exclude := false
		if rest, found := strings.CutPrefix(query, "-"); found {
			exclude, query = true, rest
		}
		r, n := utf8.DecodeRuneInString(query)
		var part string
		end := -1
		exact := n > 0 && quote(r)
		if exact {
			query = query[n:]
			if end = strings.IndexFunc(query, quote); end >= 0 {
				_, n := utf8.DecodeRuneInString(query[end:])
				part, query = query[:end], query[end+n:]
			} else {
				exact = false
			}
		}
		if !exact {
			if end = strings.IndexFunc(query, func(r rune) bool { return unicode.IsSpace(r) || quote(r) }); end < 0 {
				end = len(query)
			}
			part, query = query[:end], query[end:]
		}
		t := term{words: splitWords(part)}
		if len(t.words) == 0 || exclude {
			continue
		}
		if len(t.words) == 1 && !exact {
			t.stems = stemsOf(t.words[0])
		}
		out = append(out, t)
	}
	return out
}
