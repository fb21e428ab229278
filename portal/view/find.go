package view

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kljensen/snowball"
	"golang.org/x/text/unicode/norm"
)

// maxWords is how many words of a page are looked at, and longestWord how many
// bytes of one may be for its other forms to be found: no word of a language is
// longer, and every visitor's search costs this much at most.
const (
	maxWords    = 400_000
	maxStemmed  = 40_000 // different words that may stand in another form
	longestWord = 80
)

// often is after how many words or runs it is asked whether anyone still waits.
const often = 4096

// spelling is one word as it is written.
type spelling struct {
	folded string // what it is compared by
	raw    string // in lower case, with its accents: stemming needs them
}

// span is a piece of a text, in bytes.
type span struct{ from, to int }

func spell(word string) spelling {
	raw := strings.ToLower(norm.NFC.String(word))
	return spelling{foldWord(raw), raw}
}

// eachWord goes through the words of a text until told to stop.
func eachWord(text string, do func(span) bool) {
	from := -1
	for i, r := range text {
		switch letter := unicode.IsLetter(r) || unicode.IsDigit(r); {
		case letter && from < 0:
			from = i
		case from >= 0 && !letter && !unicode.IsMark(r):
			if !do(span{from, i}) {
				return
			}
			from = -1
		}
	}
	if from >= 0 {
		do(span{from, len(text)})
	}
}

// places gives where the words of the terms stand in a text, in order, and
// whether the text has more words than were looked at. Most words of a page
// return many times, so each spelling is folded and stemmed once.
func places(ctx context.Context, text string, terms []term) (found []span, cut bool, err error) {
	wanted := newWish(terms)
	folds := map[string]int32{} // the number of each folded form
	number := func(folded string) int32 {
		n, ok := folds[folded]
		if !ok {
			n = int32(len(folds))
			folds[folded] = n
		}
		return n
	}
	type known struct {
		fold int32
		hit  bool
	}
	seen := map[string]known{}
	var at []span
	var fold []int32
	var hit []bool
	eachWord(text, func(w span) bool {
		if len(at)%often == 0 {
			err = ctx.Err()
		}
		if cut = len(at) == maxWords; cut || err != nil {
			return false
		}
		k, ok := seen[text[w.from:w.to]]
		if !ok {
			s := spell(text[w.from:w.to])
			k = known{number(s.folded), wanted.has(s)}
			seen[text[w.from:w.to]] = k
		}
		at, fold, hit = append(at, w), append(fold, k.fold), append(hit, k.hit)
		return true
	})
	for _, t := range terms {
		if err != nil {
			return nil, false, err
		}
		if len(t.words) < 2 {
			continue
		}
		phrase := make([]int32, len(t.words))
		for i, w := range t.words {
			phrase[i] = number(w.folded)
		}
		marked := 0 // up to where, so that what repeats is not marked again and again
		for i := 0; i+len(phrase) <= len(fold); i++ {
			if i%often == 0 && ctx.Err() != nil {
				return nil, false, ctx.Err()
			}
			if slices.Equal(fold[i:i+len(phrase)], phrase) {
				for marked = max(marked, i); marked < i+len(phrase); marked++ {
					hit[marked] = true
				}
			}
		}
	}
	for i, w := range at {
		if hit[i] {
			found = append(found, w)
		}
	}
	return found, cut || wanted.stemmed > maxStemmed, err
}

// wish is the single words that are looked for.
type wish struct {
	folded, stems map[string]bool
	first         [256]bool // first bytes of words that may stand in another form
	stemmed       int
}

func newWish(terms []term) *wish {
	w := &wish{folded: map[string]bool{}, stems: map[string]bool{}}
	for _, t := range terms {
		if len(t.words) != 1 || t.words[0].folded == "" {
			continue
		}
		w.folded[t.words[0].folded] = true
		for _, s := range t.stems {
			w.stems[s] = true
			w.first[t.words[0].folded[0]] = true
		}
	}
	return w
}

// has reports whether a word is one of them, or stands for one in another form.
func (w *wish) has(s spelling) bool {
	if w.folded[s.folded] {
		return true
	}
	if s.folded == "" || len(s.raw) > longestWord || !w.first[s.folded[0]] {
		return false
	}
	if w.stemmed++; w.stemmed > maxStemmed {
		return false
	}
	return slices.ContainsFunc(stemsOf(s), func(stem string) bool { return w.stems[stem] })
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
		var t term
		eachWord(part, func(w span) bool {
			t.words = append(t.words, spell(part[w.from:w.to]))
			return true
		})
		if len(t.words) == 0 || exclude {
			continue
		}
		if len(t.words) == 1 && !exact && len(t.words[0].raw) <= longestWord {
			t.stems = stemsOf(t.words[0])
		}
		out = append(out, t)
	}
	return out
}
