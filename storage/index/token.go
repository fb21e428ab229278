package index

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A token is one word of a text as it is compared: compatibility forms
// resolved (NFKC), accents folded away, lower case. Start and end are where it
// stands in the text, in bytes.
type token struct {
	word       string
	start, end int
}

// longest is how many letters of a word count; what is longer (an encoded
// picture, a mistake) is told apart by its beginning only.
const longest = 64

// tokens splits a text into its words: runs of letters and digits of any
// script. It is the only splitter there is; queries, index and snippets agree
// because all use it. Languages written without spaces give one word a run.
func tokens(text string, yield func(token) bool) {
	var it norm.Iter
	var word strings.Builder
	letters, start, end := 0, 0, 0
	flush := func() bool {
		if word.Len() == 0 {
			return true
		}
		t := token{word.String(), start, end}
		word.Reset()
		letters = 0
		return yield(t)
	}
	// NFKD splits a letter from its accents; leaving the accents out then gives
	// what NFKC and folding would.
	it.InitString(norm.NFKD, text)
	for !it.Done() {
		from := it.Pos()
		segment := it.Next()
		to := it.Pos()
		for len(segment) > 0 {
			r, n := utf8.DecodeRune(segment)
			segment = segment[n:]
			switch {
			case unicode.Is(unicode.Mn, r):
				if word.Len() > 0 {
					end = to
				}
			case r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mc, r)):
				if word.Len() == 0 {
					start = from
				}
				if letters++; letters <= longest {
					word.WriteRune(unicode.ToLower(r))
				}
				end = to
			default:
				if !flush() {
					return
				}
			}
		}
	}
	flush()
}

// words gives the words of a text in order.
func words(text string) []string {
	var list []string
	for t := range seq(text) {
		list = append(list, t.word)
	}
	return list
}

func seq(text string) func(func(token) bool) {
	return func(yield func(token) bool) { tokens(text, yield) }
}

// raw is a word as a stemmer wants it: lower case, with its accents. Where the
// text does not spell the word letter by letter (a fraction sign holds two
// numbers, a long word is cut) it is the word itself.
func raw(text string, t token) string {
	spelt := text[t.start:t.end]
	if spelt == t.word {
		return spelt
	}
	s := strings.ToLower(norm.NFKC.String(spelt))
	if fold(s) != t.word {
		return t.word
	}
	return s
}

// fold brings one stem to the form words have.
func fold(s string) string {
	for t := range seq(s) {
		return t.word
	}
	return ""
}
