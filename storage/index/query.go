package index

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTerms is how many terms of a query count. It is far more than people type
// and keeps a pasted page from becoming a thousand look-ups.
const maxTerms = 32

// A term is one thing a query asks for or excludes: a word, or words that must
// stand one after another.
type term struct {
	words   []string // folded; more than one is a phrase
	raw     string   // the word in its own spelling, for stemming
	exact   bool     // written in quotes: no other forms of the word
	exclude bool
}

// parse reads what a person typed: words that must all occur, phrases in
// double quotes, and a minus before what must not occur. It never fails: what
// cannot be meant (a quote without its partner) is taken as plain words. A
// word with something inside, like 713-555-0100, is looked for as a phrase.
func parse(text string) []term {
	var list []term
	for len(text) > 0 && len(list) < maxTerms {
		r, n := utf8.DecodeRuneInString(text)
		if unicode.IsSpace(r) {
			text = text[n:]
			continue
		}
		var t term
		if r == '-' || r == '−' {
			t.exclude = true
			text = text[n:]
			if r, n = utf8.DecodeRuneInString(text); text == "" || unicode.IsSpace(r) {
				continue
			}
		}
		var part string
		if quote(r) {
			if end := strings.IndexFunc(text[n:], quote); end >= 0 {
				part, t.exact = text[n:n+end], true
				text = text[n+end:]
				_, n = utf8.DecodeRuneInString(text)
				text = text[n:]
			} else {
				text = text[n:]
			}
		}
		if !t.exact {
			end := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || quote(r) })
			if end < 0 {
				end = len(text)
			}
			part, text = text[:end], text[end:]
		}
		for tok := range seq(part) {
			t.words = append(t.words, tok.word)
			t.raw = raw(part, tok)
		}
		if len(t.words) > 0 {
			list = append(list, t)
		}
	}
	return list
}

func quote(r rune) bool { return r == '"' || r == '“' || r == '”' || r == '«' || r == '»' }
