package index

import (
	"sync"

	"github.com/kljensen/snowball"
)

// languages are those we can stem.
var languages = map[string]string{"en": "english", "es": "spanish"}

var stemCache = struct {
	sync.Mutex
	m map[[2]string]string
}{m: map[[2]string]string{}}

// stemCacheSize bounds the cache; when it is full it begins anew.
const stemCacheSize = 1 << 17

// stem brings a word in its own spelling to its stem, folded. Stemming comes
// first, since the rules need the accents: vacunación gives vacun, vacunacion
// stays whole. A word of another language is its own stem.
func stem(raw, language string) string {
	full, ok := languages[language]
	if !ok {
		return fold(raw)
	}
	key := [2]string{raw, language}
	stemCache.Lock()
	s, ok := stemCache.m[key]
	stemCache.Unlock()
	if ok {
		return s
	}
	s, err := snowball.Stem(raw, full, true)
	if err != nil { // only for a language it does not know
		s = raw
	}
	if s = fold(s); s == "" {
		s = fold(raw) // never empty: a word has a letter or digit
	}
	stemCache.Lock()
	if len(stemCache.m) >= stemCacheSize {
		clear(stemCache.m)
	}
	stemCache.m[key] = s
	stemCache.Unlock()
	return s
}

// stems gives the stems a word has in a language; in all of ours when the
// language is not known.
func stems(raw, language string) []string {
	if _, ok := languages[language]; ok {
		return []string{stem(raw, language)}
	}
	if language != "" {
		return []string{fold(raw)}
	}
	a, b := stem(raw, "en"), stem(raw, "es")
	if a == b {
		return []string{a}
	}
	return []string{a, b}
}
