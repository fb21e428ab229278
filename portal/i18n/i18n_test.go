package i18n

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/candor-archive/candor"
)

// catalogue reads all messages of one language: id to its plural forms.
func catalogue(t *testing.T, lang string) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	names, err := filepath.Glob("*." + lang + ".yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no catalogues of %s: %v", lang, err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := yaml.Unmarshal(b, &m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for id, v := range m {
			if _, twice := out[id]; twice {
				t.Errorf("%s: %q stands in two catalogues", name, id)
			}
			switch v := v.(type) {
			case string:
				out[id] = map[string]string{"other": v}
			case map[string]any:
				out[id] = map[string]string{}
				for form, s := range v {
					out[id][form], _ = s.(string)
				}
			default:
				t.Errorf("%s: %q is %T, not a sentence", name, id, v)
			}
		}
	}
	return out
}

var reField = regexp.MustCompile(`\{\{\s*\.(\w+)`)

func fields(forms map[string]string) []string {
	var out []string
	for _, m := range reField.FindAllStringSubmatch(forms["other"], -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	slices.Sort(out)
	return out
}

func TestLanguagesHoldTheSameMessages(t *testing.T) {
	en, es := catalogue(t, "en"), catalogue(t, "es")
	for id, forms := range en {
		other, ok := es[id]
		if !ok {
			t.Errorf("%q is missing in Spanish", id)
			continue
		}
		if a, b := fields(forms), fields(other); !slices.Equal(a, b) {
			t.Errorf("%q has the fields %v in English and %v in Spanish", id, a, b)
		}
		if (forms["one"] == "") != (other["one"] == "") {
			t.Errorf("%q has a singular in one language only", id)
		}
		for lang, f := range map[string]map[string]string{"en": forms, "es": other} {
			if strings.TrimSpace(f["other"]) == "" {
				t.Errorf("%q is empty in %s", id, lang)
			}
		}
	}
	for id := range es {
		if _, ok := en[id]; !ok {
			t.Errorf("%q is missing in English", id)
		}
	}
}

var (
	reQuoted    = regexp.MustCompile("\"((?:[^\"\\\\\n]|\\\\.)*)\"|`([^`]*)`")
	reUsed      = regexp.MustCompile(`(?:\bt|\btin "?\w*"?) "([a-z0-9_.]+)"|\.T\("([a-z0-9_.]+)"|\bT\([^,()]+, "([a-z0-9_.]+)"|view\.For\(r, "([a-z0-9_.]+)"|Flash\{[^}]*ID: "([a-z0-9_.]+)"`)
	reConcat    = regexp.MustCompile(`concat "([a-z0-9_.]+\.)" \.?[\w.]+ "([a-z0-9_.]+)"`)
	reJoined    = regexp.MustCompile(`"([a-z0-9_.]+\.)" ?\+ ?[\w.()]+ ?\+ ?"([a-z0-9_.]+)"`)
	reSuffixed  = regexp.MustCompile(`"([a-z0-9_]+(?:\.[a-z0-9_]+)*[._])"`)
	reFormatted = regexp.MustCompile(`"%s\.%s\.%d"`)
)

// sources gives the texts of all code and templates of the portal and its
// command, tests left out.
func sources(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, root := range []string{"..", "../../cmd", "../.."} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && root == "../.." && path != root {
				return filepath.SkipDir
			}
			ext := filepath.Ext(path)
			if d.IsDir() || ext != ".go" && ext != ".html" && !(ext == ".yaml" && strings.Contains(path, "law")) || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "../i18n/law") {
				return nil
			}
			b, err := os.ReadFile(path)
			out[path] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestMessagesThatAreAskedForExist(t *testing.T) {
	en := catalogue(t, "en")
	for path, text := range sources(t) {
		for _, m := range reUsed.FindAllStringSubmatch(text, -1) {
			for _, id := range m[1:] {
				if id == "" || strings.HasSuffix(id, ".") {
					continue
				}
				if _, ok := en[id]; !ok {
					t.Errorf("%s asks for %q, which no catalogue has", path, id)
				}
			}
		}
	}
}

func TestEveryMessageIsUsed(t *testing.T) {
	var prefixes []string  // id = prefix + one more word
	var joined [][2]string // id = prefix + one word + suffix
	var all strings.Builder
	literal := map[string]bool{}
	for _, text := range sources(t) {
		all.WriteString(text)
		for _, m := range reQuoted.FindAllStringSubmatch(text, -1) {
			literal[m[1]], literal[m[2]] = true, true
		}
		for _, m := range reUsed.FindAllStringSubmatch(text, -1) {
			for _, id := range m[1:] {
				literal[id] = true // inside an attribute the quotes pair up otherwise
			}
		}
		for _, m := range reSuffixed.FindAllStringSubmatch(text, -1) {
			prefixes = append(prefixes, m[1])
		}
		for _, m := range append(reConcat.FindAllStringSubmatch(text, -1), reJoined.FindAllStringSubmatch(text, -1)...) {
			joined = append(joined, [2]string{m[1], m[2]})
		}
	}
	text := all.String()
	formatted := reFormatted.MatchString(text)
	words := map[string]bool{} // as they stand in the law's data
	for _, m := range regexp.MustCompile(`[ \[]([a-z0-9_.]+)[,\]}\n]`).FindAllStringSubmatch(text, -1) {
		words[m[1]] = true
	}
	for id := range catalogue(t, "en") {
		if literal[id] || words[id] {
			continue
		}
		used := false
		for _, p := range prefixes {
			if rest, ok := strings.CutPrefix(id, p); ok && (!strings.Contains(rest, ".") || words[rest]) {
				used = true
				break
			}
		}
		for _, j := range joined {
			if strings.HasPrefix(id, j[0]) && strings.HasSuffix(id, j[1]) {
				used = true
			}
		}
		// Sections of plain pages and suffixes joined in code: error.<kind>.title.
		parts := strings.Split(id, ".")
		stem := strings.Join(parts[:len(parts)-1], ".")
		if last := parts[len(parts)-1]; !used && (literal[stem] && (literal["."+last+".title"] || literal["."+last] || literal["_"+last])) {
			used = true
		}
		if !used && formatted && len(parts) == 3 && literal[parts[1]] && slices.Contains([]string{"about", "accessibility", "security"}, parts[0]) {
			used = true
		}
		// Mails: "mail." + the template of a transition + ".subject".
		if !used && len(parts) == 3 && parts[0] == "mail" && literal[parts[1]] && literal["."+parts[2]] {
			used = true
		}
		if !used && len(parts) == 2 && slices.Contains([]string{"about", "accessibility", "security"}, parts[0]) && parts[1] == "title" {
			used = true
		}
		if !used {
			t.Errorf("nothing uses %q", id)
		}
	}
}

func TestMessagesFillTheirFields(t *testing.T) {
	for _, c := range []struct{ lang, id, want string }{
		{"en", "search.found", "1,234 records"},
		{"es", "search.found", "1,234 registros"},
	} {
		if got := T(c.lang, c.id, "Count", 1234); got != c.want {
			t.Errorf("T(%s, %s) = %q, want %q", c.lang, c.id, got, c.want)
		}
	}
	if got := T("es", "search.found", Data{"Count": 1}); got != "1 registro" {
		t.Errorf("singular: %q", got)
	}
	if got := T("en", "no.such.message"); got != "no.such.message" {
		t.Errorf("a missing message gives %q, want its id", got)
	}
	if got := T("fr", "layout.archive"); got != "Archive" {
		t.Errorf("an unknown language gives %q, want the first language's words", got)
	}
}

func TestTimesSayTheirZone(t *testing.T) {
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 21, 4, 5, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{DateTime("en", at, zone), "November 22, 2026, 3:04 p.m. CST"},
		{DateTime("es", at, zone), "22 de noviembre de 2026, 3:04 p.\u00a0m. CST"},
		{Exact("en", at, zone), "2026-11-22 15:04:05 CST (-06:00)"},
		{Day("en", candor.Date("2026-11-22")), "Sunday, November 22, 2026"},
		{Day("es", candor.Date("2026-11-22")), "domingo, 22 de noviembre de 2026"},
		{Date("en", time.Time{}, zone), "Not known"},
		{Bytes("en", 1_340_000), "1.3 MB"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestChoosePrefersWhatWasAskedFor(t *testing.T) {
	for _, c := range []struct{ asked, header, want string }{
		{"es", "en-US", "es"},
		{"", "es-MX,es;q=0.9,en;q=0.8", "es"},
		{"", "en-US,en;q=0.9", "en"},
		{"", "de-DE", "en"},
		{"", "", "en"},
		{"fr", "es", "es"},
		{"", ";;;nonsense", "en"},
	} {
		if got := Choose(c.asked, c.header); got != c.want {
			t.Errorf("Choose(%q, %q) = %q, want %q", c.asked, c.header, got, c.want)
		}
	}
}

func TestLengthsOfTimeAreToldInTwoUnits(t *testing.T) {
	for _, c := range []struct {
		d      time.Duration
		en, es string
	}{
		{0, "less than a second", "menos de un segundo"},
		{45 * time.Second, "45 seconds", "45 segundos"},
		{60 * time.Second, "1 minute", "1 minuto"},
		{65*time.Second + 600*time.Millisecond, "1 minute 6 seconds", "1 minuto y 6 segundos"},
		{59*time.Minute + 10*time.Second, "59 minutes 10 seconds", "59 minutos y 10 segundos"},
		{time.Hour - time.Millisecond, "1 hour", "1 hora"},
		{131 * time.Minute, "2 hours 11 minutes", "2 horas y 11 minutos"},
		{24*time.Hour - time.Second, "1 day", "1 día"},
		{25 * time.Hour, "1 day 1 hour", "1 día y 1 hora"},
	} {
		if en, es := Lasting("en", c.d), Lasting("es", c.d); en != c.en || es != c.es {
			t.Errorf("%s: %q and %q, want %q and %q", c.d, en, es, c.en, c.es)
		}
	}
	if got := Dollars("en", 2_950_000); got != "$2.95" {
		t.Errorf("dollars: %s", got)
	}
	if got := Dollars("es", 5_000); got != "US$ 0.0050" {
		t.Errorf("part of a cent: %s", got)
	}
}
