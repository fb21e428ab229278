package behaviour

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/candor-archive/candor"
)

func TestEveryShippedFileIsSound(t *testing.T) {
	s, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range s.files {
		names[f.Name] = true
		if f.SHA256() == "" || f.About == "" {
			t.Errorf("%s has no hash or does not say what it is for", f.Name)
		}
		if f.Name+".yaml" != f.from {
			t.Errorf("%s is in %s", f.Name, f.from)
		}
		for _, step := range f.Steps {
			if step.Click != nil && len(step.Click.Text) == 1 {
				t.Errorf("%s, %s: words in one language only", f.Name, step.Name)
			}
		}
	}
	for _, n := range []string{"townsquare", "facebook", "instagram", "x", "youtube", "nextdoor", "linkedin", "tiktok", "generic", "obstacles"} {
		if !names[n] {
			t.Errorf("there is no file for %s", n)
		}
	}
}

const sound = `name: town
version: 3
match:
  hosts: [town.example]
steps:
  - name: more
    click:
      find: button.more
      text: {en: [More]}
`

func TestAWrongFileIsNamedWithLineAndField(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no yaml":          {"name: [", "town.yaml, line 1: "},
		"empty":            {"\n# nothing\n", "town.yaml: is empty"},
		"unknown field":    {strings.Replace(sound, "click:", "clic:", 1), `line 7, steps[0]: there is no field "clic"`},
		"no name":          {strings.Replace(sound, "name: town\n", "", 1), "line 1, name: is missing"},
		"bad name":         {strings.Replace(sound, "name: town", "name: The Town", 1), `line 1, name: "The Town" is no name`},
		"no version":       {strings.Replace(sound, "version: 3", "version: 0", 1), "line 2, version: is missing"},
		"version no word":  {strings.Replace(sound, "version: 3", "version: new", 1), "line 2, version: `new` is not a whole number"},
		"host with scheme": {strings.Replace(sound, "[town.example]", "[a.example, 'https://town.example']", 1), `line 4, match.hosts[1]: "https://town.example" is no host name`},
		"no selector":      {strings.Replace(sound, "find: button.more", "within: main", 1), "line 7, steps[0].click.find: is missing"},
		"open bracket":     {strings.Replace(sound, "button.more", "'button[data-x'", 1), `line 8, steps[0].click.find: "button[data-x" does not close`},
		"bad pattern":      {strings.Replace(sound, "[More]", "['Mo(re']", 1), `line 9, steps[0].click.text.en[0]: "Mo(re" is not a regular expression`},
		"matches all":      {strings.Replace(sound, "[More]", "['x*']", 1), `line 9, steps[0].click.text.en[0]: "x*" matches the empty text`},
		"unknown language": {strings.Replace(sound, "{en:", "{fr:", 1), `line 9, steps[0].click.text.fr: "fr" is no language`},
		"too wide":         {strings.Replace(sound, "button.more\n      text: {en: [More]}", "button", 1), "line 8, steps[0].click.find: is too wide"},
		"two kinds":        {sound + "    wait: 1s\n", "line 6, steps[0]: does not say what to do"},
		"no time span":     {sound + "  - name: rest\n    wait: 10\n", `line 11, steps[1].wait: "10" is not a time span`},
		"too long":         {sound + "limits: {time: 1h}\n", "line 10, limits.time: is more than"},
		"same step twice":  {sound + "  - {name: more, wait: 1s}\n", `line 10, steps[1].name: "more" names an earlier step`},
		"no pages":         {strings.Replace(sound, "match:\n  hosts: [town.example]\n", "", 1), "match: says for no page"},
		"no number":        {sound + "count:\n  - {what: replies, shown: li, stated: {find: h2, text: {en: ['\\d+ replies']}}}\n", "line 11, count[0].stated.text.en[0]: has no group"},
		"unknown gap":      {sound + "obstacles:\n  - {name: x, gap: bored, when: {has: b}}\n", `line 11, obstacles[0].gap: "bored" is none of`},
		"words alone":      {sound + "obstacles:\n  - name: x\n    gap: challenge\n    when: {says: {en: [captcha]}}\n", "line 13, obstacles[0].when: must also say"},
		"two documents":    {sound + "---\n" + sound, "holds more than one document"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "town.yaml")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Load(dir)
			var p *Problem
			if !errors.As(err, &p) || !candor.IsKind(err, candor.Invalid) {
				t.Fatalf("got %v, want a problem", err)
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestAFolderReplacesAndAdds(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"ours.yaml": strings.Replace(sound, "name: town", "name: facebook", 1), "more.yml": sound, "notes.txt": "no behaviour", ".hidden.yaml": "[",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.files) != len(Default().files)+1 {
		t.Errorf("%d files, want one more than the %d shipped", len(s.files), len(Default().files))
	}
	if got := s.Candidates("https://m.facebook.com/x"); len(got) != 0 && got[0].Name == "facebook" {
		t.Error("the replaced file is still in use")
	}
	if got := s.Candidates("https://www.town.example/"); len(got) < 2 || got[0].Version != 3 {
		t.Errorf("the candidates are %v", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "again.yaml"), []byte(sound), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), `"town" is also the name in`) {
		t.Errorf("two files of one name: %v", err)
	}
	if _, err := Load(filepath.Join(dir, "none")); !candor.IsKind(err, candor.Invalid) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestFilesAreChosenByAddressAndPage(t *testing.T) {
	s := Default()
	first := func(address string, has ...string) string {
		m := map[string]bool{}
		for _, h := range has {
			m[h] = true
		}
		if f := Choose(s.Candidates(address), m); f != nil {
			return f.Name
		}
		return ""
	}
	townsquare := `a.brand[aria-label="Townsquare home"]`
	for _, c := range []struct{ got, want string }{
		{first("https://www.facebook.com/PasadenaPD/posts/1"), "facebook"},
		{first("https://m.facebook.com/"), "facebook"},
		{first("https://notfacebook.com/"), ""},
		{first("https://facebook.com.example.org/"), ""},
		{first("https://x.com/a/status/1"), "x"},
		{first("https://netflix.com/"), ""},
		{first("http://127.0.0.1:8080/larkspurpd", townsquare), "townsquare"},
		{first("http://127.0.0.1:8080/larkspurpd", townsquare, Default().named("generic").Match.Page), "townsquare"},
		{first("http://127.0.0.1:8080/larkspurpd", Default().named("generic").Match.Page), "generic"},
		{first("http://127.0.0.1:8080/larkspurpd"), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	for shape, paths := range map[string]string{"/**/login": "/login /a/login /a/b/login/ /LOGIN", "/login/**": "/login /login/a/b", "/*/posts/*": "/a/posts/1", "/a.php": "/a.php"} {
		for p := range strings.FieldsSeq(paths) {
			if !along([]string{shape}, p) {
				t.Errorf("%s does not match %s", shape, p)
			}
		}
		for _, p := range []string{"/loginhelp", "/a/b/posts/1", "/axphp", "/x/logins"} {
			if along([]string{shape}, p) {
				t.Errorf("%s matches %s", shape, p)
			}
		}
	}
}

func TestStatedNumbersAreReadAsPagesWriteThem(t *testing.T) {
	for text, want := range map[string]amount{
		"7": {7, 7}, "1,234": {1234, 1234}, "1.234": {1234, 1234}, "1 234": {1234, 1234}, "12,345,678": {12345678, 12345678},
		"1.2K": {1200, 1150}, "1,2 mil": {1200, 1150}, "3 mil": {3000, 2500}, "12K": {12000, 11500}, "1.5M": {1500000, 1450000},
	} {
		if got, ok := parseAmount(text); !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "many", "K", "1.2.3.x"} {
		if got, ok := parseAmount(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func (s *Set) named(name string) *File {
	for _, f := range s.files {
		if f.Name == name {
			return f
		}
	}
	return nil
}
