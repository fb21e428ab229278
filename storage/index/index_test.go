package index

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/candor-archive/candor"
)

func TestWordsAreSplitAndFolded(t *testing.T) {
	for in, want := range map[string]string{
		"":                           "",
		"Hello, World!":              "hello world",
		"¿Dónde está la VACUNACIÓN?": "donde esta la vacunacion",
		"e\u0301t\u0301e\u0301 año":  "ete ano",
		"ﬁre № ½ 1º Ａｂｃ１２":           "fire no 1 2 1o abc12",
		"don't 713-555-0100 a_b":     "don t 713 555 0100 a b",
		"Straße ŁÓDŹ Привет 東京都 ٣٤":             "straße łodz привет 東京都 ٣٤",
		"हिन्दी":                                "हिनदी",
		"bad\xff\xfebytes\x00nul":               "bad bytes nul",
		strings.Repeat("é", longest+10) + "x y": strings.Repeat("e", longest) + " y",
	} {
		if got := strings.Join(words(in), " "); got != want {
			t.Errorf("words of %q: %q, want %q", in, got, want)
		}
	}
}

func TestStemsJoinTheFormsOfAWord(t *testing.T) {
	for _, c := range []struct{ language, a, b string }{
		{"en", "closing", "closed"}, {"en", "parks", "park"}, {"es", "vacunación", "vacunar"}, {"es", "calles", "calle"},
	} {
		if x, y := stem(c.a, c.language), stem(c.b, c.language); x != y {
			t.Errorf("%s: %s gives %s, %s gives %s", c.language, c.a, x, c.b, y)
		}
	}
	if got := stem("vacunación", "es"); got != "vacun" {
		t.Errorf("stem first, fold after: %s", got)
	}
}

func TestQueriesAreReadAsTheyAreMeant(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"road closed":               "road closed",
		`"road closed" today`:       `"road closed" today`,
		`-spam "x y" -"not this"`:   `-spam "x y" -"not this"`,
		`"unfinished phrase`:        "unfinished phrase",
		`say "one" word`:            `say "one" word`,
		"- alone":                   "alone",
		"713-555-0100 e-mail":       `"713 555 0100" "e mail"`,
		"«entre comillas» “curly”":  `"entre comillas" "curly"`,
		`""  -"" !!! -?`:            "",
		"AND OR NOT NEAR(a b) w:x*": `and or not "near a" b "w x"`,
		"it's":                      `"it s"`,
	} {
		var got []string
		for _, q := range parse(in) {
			s := strings.Join(q.words, " ")
			if q.exact || len(q.words) > 1 {
				s = `"` + s + `"`
			}
			if q.exclude {
				s = "-" + s
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is read as %s, want %s", in, strings.Join(got, " "), want)
		}
	}
	if n := len(parse(strings.Repeat("word ", 500))); n != maxTerms {
		t.Errorf("%d terms", n)
	}
}

func TestOneSlipIsNear(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"council", "concil", true}, {"council", "councill", true}, {"council", "counsil", true}, {"council", "cuoncil", true},
		{"council", "xouncil", true}, {"council", "ouncil", true}, {"council", "council", false}, {"council", "conucli", false},
		{"council", "counsel", false}, {"ab", "ba", true}, {"a", "", true}, {"", "", false}, {"niño", "nino", true},
	} {
		if near([]rune(c.a), []rune(c.b)) != c.want || near([]rune(c.b), []rune(c.a)) != c.want {
			t.Errorf("near(%s, %s) is not %v", c.a, c.b, c.want)
		}
	}
}

func TestSnippetShowsTheBestPlace(t *testing.T) {
	filler := strings.Repeat("nothing to see here ", 40)
	m := matcher{groups: []group{{words: map[string]bool{"bridge": true}, stems: map[string]bool{"bridg": true}}, {phrase: []string{"main", "street"}}}}
	got := m.snippet("bridge "+filler+"the bridges at\n\n  Main Street <b>collapsed\u2402\u2403 "+filler, "en")
	want := "the \u2402bridges\u2403 at \u2402Main\u2403 \u2402Street\u2403 <b>collapsed nothing"
	if !strings.Contains(got, want) || !strings.HasPrefix(got, "… ") || !strings.HasSuffix(got, " …") {
		t.Errorf("snippet %q lacks %q", got, want)
	}
	if got := new(matcher).snippet("  Short\ttext. ", "en"); got != "Short text." {
		t.Errorf("without words: %q", got)
	}
}

func FuzzTokens(f *testing.F) {
	for _, s := range []string{"Dónde está?", "e\u0301\u0301 ½ ﬁ \xff", "हिन्दी 東京", "\u1100\u1161\u11a8 İstanbul ǅ", "a\u034fb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at := 0
		for tok := range seq(text) {
			if tok.start < at || tok.end < tok.start || tok.end > len(text) {
				t.Fatalf("%q: token %+v after %d", text, tok, at)
			}
			at = tok.start
			if tok.word == "" || !utf8.ValidString(tok.word) {
				t.Fatalf("%q: token %q", text, tok.word)
			}
			// Both engines are given words in quotes, unescaped.
			if strings.ContainsFunc(tok.word, func(r rune) bool {
				return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mc, r)
			}) {
				t.Fatalf("%q: token %q holds more than letters and digits", text, tok.word)
			}
			for _, lang := range []string{"en", "es", "", "de"} {
				for _, s := range stems(raw(text, tok), lang) {
					if s == "" || strings.ContainsAny(s, "'\"\\ ") {
						t.Fatalf("%q: stem %q", text, s)
					}
				}
			}
		}
		m := matcher{groups: []group{{words: map[string]bool{"a": true}}}}
		s := m.snippet(text, "en")
		open, shut := strings.Count(s, string(candor.SnippetOpen)), strings.Count(s, string(candor.SnippetClose))
		if open != shut || utf8.ValidString(text) && !utf8.ValidString(s) {
			t.Fatalf("snippet of %q: %q", text, s)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`a "b c" -d -"e f`, "--", `"`, "-\"", "«x”", "\xff-\"\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list := parse(text)
		if len(list) > maxTerms {
			t.Fatalf("%d terms", len(list))
		}
		all := words(text)
		for _, q := range list {
			for _, w := range q.words {
				if !slices.Contains(all, w) && utf8.RuneCountInString(w) < longest {
					t.Fatalf("%q asks for %q, which is not in it: %q", text, w, all)
				}
			}
		}
	})
}
