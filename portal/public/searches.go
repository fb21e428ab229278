package public

import (
	"strings"
	"unicode"
)

// fillers are words of a request that say nothing about what is sought.
var fillers = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`a about all an and any are as at be been by can could copies copy did do does documents for from give have
		he her his how i i'd if in information into is it its like me my need no not of on or our out page pages please post posts posted
		public record records relating request see send she show so some than that the their them there these they this to
		was we were what when where which who will with would you your facebook website social media
		a al algo algún alguna cada como con copia copias cual cuando cualquier de del desde donde el ella en entre era es esa ese eso esta
		este esto favor fue fueron ha han hasta hay información la las le les lo los más me mi mis muy necesito no nos o para pero por
		publicación publicaciones publicado que qué quiero quisiera quién registro registros se ser si sin sobre solicito solicitud su sus
		también tiene toda todas todo todos un una unos y ya yo ver página`) {
		m[w] = true
	}
	return m
}()

// searches gives the queries to try for a request in somebody's own words,
// narrowest first.
func searches(text string) []string {
	var words []string
	seen := map[string]bool{}
	for _, w := range strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’'
	}) {
		low := strings.ToLower(strings.Trim(w, "'’"))
		if len([]rune(low)) < 3 || fillers[low] || seen[low] {
			continue
		}
		seen[low] = true
		words = append(words, low)
	}
	if len(words) > 12 {
		words = words[:12]
	}
	var out []string
	for n := len(words); n > 1; n = n * 2 / 3 {
		out = append(out, strings.Join(words[:n], " "))
		if n <= 2 {
			break
		}
	}
	// Then single words, the longest first: they are the most telling.
	for range 3 {
		longest := -1
		for i, w := range words {
			if w != "" && (longest < 0 || len(w) > len(words[longest])) {
				longest = i
			}
		}
		if longest < 0 {
			break
		}
		if len([]rune(words[longest])) >= 4 {
			out = append(out, words[longest])
		}
		words[longest] = ""
	}
	return out
}
