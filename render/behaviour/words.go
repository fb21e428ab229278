package behaviour

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// Words are patterns by language: {en: [...], es: [...]}. They are regular
// expressions, case does not matter, and any language's may match.
type Words map[string][]Pattern

// Pattern is one regular expression. Compiling one is dear, and most pages need
// none of them, so it is done at the first use.
type Pattern struct {
	groups   int
	whole    func() *regexp.Regexp // the text from beginning to end
	anywhere func() *regexp.Regexp
}

// UnmarshalYAML reads it and checks its grammar.
func (p *Pattern) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || strings.TrimSpace(n.Value) == "" {
		return &Problem{Line: n.Line, Text: "must be a pattern, not empty and not a list"}
	}
	tree, err := syntax.Parse(n.Value, syntax.Perl)
	if err == nil {
		_, err = syntax.Parse(`(?i)^(?:`+n.Value+`)$`, syntax.Perl) // as it will be compiled
	}
	if err != nil {
		return &Problem{Line: n.Line, Text: quoted(n.Value) + " is not a regular expression: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")}
	}
	if matchesEmpty(tree) {
		return &Problem{Line: n.Line, Text: quoted(n.Value) + " matches the empty text, and so everything"}
	}
	text := n.Value
	p.groups = tree.MaxCap()
	p.whole = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)^(?:` + text + `)$`) })
	p.anywhere = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)` + text) })
	return nil
}

// matchesEmpty reports whether an expression can match without a character.
func matchesEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune) == 0
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return false
	case syntax.OpPlus, syntax.OpCapture:
		return matchesEmpty(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min == 0 || matchesEmpty(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !matchesEmpty(sub) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if matchesEmpty(sub) {
				return true
			}
		}
		return false
	}
	return true
}

// Whole reports whether a pattern matches the whole of a text.
func (w Words) Whole(text string) bool {
	text = plain(text)
	return w.any(func(p Pattern) bool { return p.whole().MatchString(text) })
}

// In reports whether a pattern matches somewhere in a text.
func (w Words) In(text string) bool {
	text = plain(text)
	return w.any(func(p Pattern) bool { return p.anywhere().MatchString(text) })
}

func (w Words) any(match func(Pattern) bool) bool {
	for _, list := range w {
		for _, p := range list {
			if match(p) {
				return true
			}
		}
	}
	return false
}

// number is the first number a pattern's first group finds.
func (w Words) number(text string) (amount, bool) {
	text = plain(text)
	for _, lang := range languages {
		for _, p := range w[lang] {
			if m := p.anywhere().FindStringSubmatch(text); len(m) > 1 {
				if a, ok := parseAmount(m[1]); ok {
					return a, true
				}
			}
		}
	}
	return amount{}, false
}

// languages are those a file may have patterns in, in the order they are tried.
var languages = []string{"en", "es"}

var typography = strings.NewReplacer("\u2019", "'", "\u2018", "'", "\u201c", `"`, "\u201d", `"`, "\u2026", "...", "\u00a0", " ", "\u202f", " ", "\u200b", "", "\u200e", "", "\u200f", "")

// plain is a text as patterns see it: one space between words, quotes and dots
// as typed.
func plain(s string) string { return strings.Join(strings.Fields(typography.Replace(s)), " ") }

// amount is a number as a page gives it. One that is rounded, like 1.2K, stands
// for anything from low on.
type amount struct{ value, low int }

var amountForm = regexp.MustCompile(`(?i)^([0-9][0-9.,' ]*)\s*(k|m|mil|mill\.?|millones|thousand|million|tsd)?$`)

var thousands = regexp.MustCompile(`^[0-9]{1,3}([.,' ][0-9]{3})+$`)

// parseAmount reads 1,234 and 1.234 alike, and 1.2K, 3 mil, 1,5 M.
func parseAmount(s string) (amount, bool) {
	m := amountForm.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return amount{}, false
	}
	digits, unit := strings.TrimSpace(m[1]), strings.ToLower(m[2])
	if unit == "" || thousands.MatchString(digits) && unit != "" && len(digits) > 5 {
		n, err := strconv.Atoi(strings.NewReplacer(",", "", ".", "", "'", "", " ", "").Replace(digits))
		if err != nil || n > 1e9 {
			return amount{}, false
		}
		return amount{n, n}, true
	}
	f, err := strconv.ParseFloat(strings.Replace(digits, ",", ".", 1), 64)
	if err != nil || f > 1e6 {
		return amount{}, false
	}
	scale := 1e3
	if unit != "k" && unit != "mil" && unit != "thousand" && unit != "tsd" {
		scale = 1e6
	}
	step := scale // what the last digit given is worth
	if _, after, ok := strings.Cut(strings.Replace(digits, ",", ".", 1), "."); ok {
		for range after {
			step /= 10
		}
	}
	// Sites cut as often as they round, so anything within the last digit may be meant.
	return amount{int(f*scale + 0.5), int(f*scale - step/2 + 0.5)}, true
}

func quoted(s string) string {
	if len(s) > 60 {
		s = s[:57] + "..."
	}
	return fmt.Sprintf("%q", s)
}
