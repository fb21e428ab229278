package view

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"github.com/candor-archive/candor/portal/i18n"
)

var reAction = regexp.MustCompile(`(?s)\{\{.*?\}\}`)

// Words in templates would be missing in the other language.
func TestTemplatesHoldNoWords(t *testing.T) {
	shown := map[string]bool{"alt": true, "title": true, "placeholder": true, "aria-label": true, "label": true, "data-label": true}
	err := fs.WalkDir(templateFiles, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := templateFiles.ReadFile(name)
		if err != nil {
			return err
		}
		z := html.NewTokenizer(strings.NewReader(reAction.ReplaceAllString(string(b), "")))
		raw := false
		for {
			kind := z.Next()
			if kind == html.ErrorToken {
				return nil
			}
			tok := z.Token()
			switch kind {
			case html.StartTagToken, html.SelfClosingTagToken:
				raw = kind == html.StartTagToken && tok.Data == "style"
				for _, a := range tok.Attr {
					if (shown[a.Key] || a.Key == "value" && tok.Data == "input" && strings.Contains(tok.String(), `type="submit"`)) && wordy(a.Val) && !allowed[a.Val] {
						t.Errorf("%s: %s=%q stands in <%s>", name, a.Key, a.Val, tok.Data)
					}
				}
			case html.EndTagToken:
				raw = false
			case html.TextToken:
				if s := strings.TrimSpace(tok.Data); !raw && wordy(s) && !allowed[s] {
					t.Errorf("%s holds the words %q", name, s)
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// allowed are names that are the same in every language.
var allowed = map[string]bool{"SHA-256": true, "SHA-256:": true, "candor verify": true}

func wordy(s string) bool {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n > 1
}

func TestEveryTemplateParsesInEveryLanguage(t *testing.T) {
	for _, lang := range i18n.Languages {
		set, err := load(lang, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range Names() {
			if set[name] == nil || set[name].Lookup("main") == nil {
				t.Errorf("page %s has no main part", name)
			}
		}
	}
}

func TestDiffTellsWhatCameAndWhatWent(t *testing.T) {
	parts := Diff("closed between 3rd and 5th until Friday", "closed between 3rd and 6th until Monday")
	var got strings.Builder
	for _, p := range parts {
		got.WriteString(p.Op + "[" + strings.TrimSpace(p.Text) + "]")
	}
	if want := "[closed between 3rd and]del[5th]ins[6th][until]del[Friday]ins[Monday]"; got.String() != want {
		t.Errorf("got %s\nwant %s", got.String(), want)
	}
	join := func(parts []DiffPart, drop string) string {
		s := ""
		for _, p := range parts {
			if p.Op != drop {
				s += p.Text
			}
		}
		return s
	}
	for _, c := range [][2]string{{"", ""}, {"", "a b"}, {"a b", ""}, {"ñandú  vuela\nlejos", "ñandú corre\n\nlejos "}} {
		parts := Diff(c[0], c[1])
		if strings.TrimSpace(join(parts, "ins")) != strings.TrimSpace(c[0]) || strings.TrimSpace(join(parts, "del")) != strings.TrimSpace(c[1]) {
			t.Errorf("Diff(%q, %q) loses words: %v", c[0], c[1], parts)
		}
	}
}

func TestSnippetsMarkWordsAndNothingElse(t *testing.T) {
	got := string(snippet("a <b>␂word␃ & ␂cut"))
	if want := "a &lt;b&gt;<mark>word</mark> &amp; <mark>cut</mark>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestStaticNamesCarryTheirHash(t *testing.T) {
	if got := Asset("candor.css"); !regexp.MustCompile(`^/static/candor\.[0-9a-f]{10}\.css$`).MatchString(got) {
		t.Errorf("candor.css is served as %s", got)
	}
	body := string(byHashed[strings.TrimPrefix(Asset("candor.css"), StaticPrefix)].body)
	for _, m := range reURL.FindAllStringSubmatch(body+string(byHashed[strings.TrimPrefix(Asset("uswds/uswds.css"), StaticPrefix)].body), -1) {
		if _, ok := byHashed[strings.TrimPrefix(m[1], StaticPrefix)]; !ok {
			t.Errorf("a style sheet names %s, which is not served", m[1])
		}
	}
}
