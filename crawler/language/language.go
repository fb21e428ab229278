// Package language guesses whether a short text is English or Spanish by
// counting the small words that every sentence of one has and the other has
// not. It says nothing rather than guess on too little.
package language

import (
	"strings"
	"unicode"
)

// words that are common in one language and no word, or a rare one, in the
// other. "a", "no", "me", "he" and the like are in both and tell nothing.
var (
	english = set(`the and of to is are was were be been being for with on at by from this that these those it its we you your our they
		their his her she him who what when where why how will would can could should have has had do does did not don't doesn't
		isn't please thank thanks if or but about out up all there here more new today tomorrow tonight our us my i i'm we're
		you're an as any just get got road closed street police call`)
	spanish = set(`el la los las un una unos unas de del y en que es son fue era ser estar está están estamos por para con su sus se lo
		al como más pero si sí ya hay este esta estos estas ese esa eso esto nos nuestro nuestra nuestros nuestras ustedes usted
		ellos muy también cuando donde dónde cómo qué quién cuál porque hoy mañana gracias favor hola buenas buenos días tarde noche le les mi
		tu han ha hasta desde sin sobre todo todos toda todas calle policía cerrada cerrado ciudad llame hago`)
)

func set(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

// Guess gives "en", "es", or "" when the text does not tell.
func Guess(text string) string {
	var en, es int
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' && r != '’' }) {
		w = strings.ReplaceAll(w, "’", "'")
		if english[w] {
			en += 2
		}
		if spanish[w] {
			es += 2
		}
		if strings.ContainsAny(w, "ñáéíóú") {
			es++
		}
	}
	es += 2 * strings.Count(text, "¿") // no other language near here opens a question so
	es += 2 * strings.Count(text, "¡")
	switch {
	case en >= 2 && en > es:
		return "en"
	case es >= 2 && es > en:
		return "es"
	}
	return ""
}
