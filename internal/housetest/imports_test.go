package housetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// goPackage is what go list says of a package.
type goPackage struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

var rooms = []string{"crawler", "render", "storage", "portal"}

// owners lists modules that only one corner of the tree may name, so that they
// can be replaced there. Tests may use them anywhere.
var owners = map[string][]string{
	"github.com/chromedp/":                  {"render"},
	"github.com/gocolly/colly/":             {"crawler/discover"},
	"github.com/meilisearch/meilisearch-go": {"storage/index"},
	"github.com/gorilla/sessions":           {"portal"},
	"github.com/gorilla/securecookie":       {"portal"},
	"github.com/minio/minio-go/":            {"storage/object"},
	"github.com/uptrace/bun":                {"storage"},
	"github.com/riverqueue/river":           {"storage"},
	"modernc.org/sqlite":                    {"storage"},
	"github.com/jackc/pgx/":                 {"storage", "internal/pgtest"},
	"github.com/pressly/goose/":             {"storage"},
	"golang.org/x/mod/sumdb":                {"storage"},
	"github.com/alecthomas/kong":            {"cmd/candor"},
}

// required modules must be in real use by their owner.
var required = []string{"github.com/chromedp/", "github.com/gocolly/colly/", "github.com/meilisearch/meilisearch-go", "github.com/gorilla/sessions"}

func TestImportsFollowTheHouseRules(t *testing.T) {
	for _, v := range violations(list(t)) {
		t.Error(v)
	}
}

func TestEachChosenLibraryIsInUse(t *testing.T) {
	packages := list(t)
	for _, lib := range required {
		used := slices.ContainsFunc(packages, func(p goPackage) bool {
			return slices.ContainsFunc(p.Imports, func(i string) bool { return strings.HasPrefix(i, lib) })
		})
		if !used {
			t.Errorf("no package of %s imports %s", strings.Join(owners[lib], ", "), lib)
		}
	}
}

// The static binary also runs on machines without zone files, where the
// agency's days would not be known.
func TestTheProgramBringsItsTimeZones(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath == module+"/cmd/candor" && !slices.Contains(p.Imports, "time/tzdata") {
			t.Error("cmd/candor does not import time/tzdata")
		}
	}
}

// list asks the go command for every package of the module.
func list(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 5 {
		t.Fatalf("go list knows only %d packages", len(packages))
	}
	return packages
}

// inside gives a package's path within the module; ok is false for others'.
func inside(path string) (rel string, ok bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

func under(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func roomOf(rel string) string {
	first, _, _ := strings.Cut(rel, "/")
	if slices.Contains(rooms, first) {
		return first
	}
	return ""
}

// violations names every import that goes against the direction of the house.
func violations(packages []goPackage) []string {
	var out []string
	for _, p := range packages {
		from, ok := inside(p.ImportPath)
		if !ok {
			continue
		}
		name := from
		if name == "" {
			name = "the root package"
		}
		bad := func(format string, args ...any) { out = append(out, name+" "+fmt.Sprintf(format, args...)) }
		for _, i := range p.Imports {
			to, ours := inside(i)
			if !ours {
				if why := foreign(from, i); why != "" {
					bad("%s", why)
				}
				continue
			}
			switch {
			case from == "":
				bad("imports %s; it imports none of ours", to)
			case under(to, "cmd"):
				bad("imports %s; nothing imports a command", to)
			case under(to, "fixtures") && !under(from, "cmd/candor") && !under(from, "fixtures"):
				bad("imports %s; only tests and cmd/candor may", to)
			case roomOf(to) != "" && roomOf(from) != "" && roomOf(to) != roomOf(from):
				bad("imports %s; rooms do not know one another", to)
			case roomOf(to) != "" && (under(from, "internal") || under(from, "fixtures")):
				bad("imports %s; it serves every room and knows none", to)
			case to != "" && from != to && under(from, to) && !under(from, "cmd"):
				bad("imports its parent %s", to)
			}
		}
		for _, i := range append(slices.Clone(p.TestImports), p.XTestImports...) {
			to, ours := inside(i)
			if !ours {
				continue
			}
			switch {
			case from == "" && to != "":
				bad("imports %s in a test; it is tested alone", to)
			case under(to, "cmd"):
				bad("imports %s in a test; nothing imports a command", to)
			}
		}
	}
	return out
}

// foreign says why a package may not import one that is not ours, or "".
func foreign(from, path string) string {
	first, _, _ := strings.Cut(path, "/")
	if from == "" && strings.Contains(first, ".") {
		return "imports " + path + "; it imports only the standard library"
	}
	for lib, folders := range owners {
		if !strings.HasPrefix(path, lib) {
			continue
		}
		if !slices.ContainsFunc(folders, func(f string) bool { return under(from, f) }) {
			return "imports " + path + "; only " + strings.Join(folders, " and ") + " may"
		}
	}
	return ""
}

func TestViolationsAreNamed(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"", "net/http", ""},
		{"", "golang.org/x/text/language", "only the standard library"},
		{"", module + "/internal/clock", "none of ours"},
		{"portal/public", module, ""},
		{"portal/public", module + "/portal/view", ""},
		{"portal/public", module + "/portal", "its parent"},
		{"portal/public", module + "/storage", "do not know one another"},
		{"portal/public", module + "/fixtures", "only tests"},
		{"crawler/platform", "github.com/gocolly/colly/v2", "only crawler/discover"},
		{"crawler/discover", "github.com/gocolly/colly/v2", ""},
		{"crawler/discover", "github.com/chromedp/cdproto/page", "only render"},
		{"render/browser", "github.com/chromedp/chromedp", ""},
		{"internal/netguard", module + "/render/browser", "knows none"},
		{"storage/meta", module + "/cmd/candor", "nothing imports a command"},
		{"cmd/candor", module + "/storage", ""},
		{"cmd/candor", module + "/fixtures", ""},
	} {
		path := strings.TrimSuffix(module+"/"+c.from, "/")
		got := violations([]goPackage{{ImportPath: path, Imports: []string{c.to}}})
		switch {
		case c.want == "" && len(got) > 0:
			t.Errorf("%q importing %s: %v, want it allowed", c.from, c.to, got)
		case c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)):
			t.Errorf("%q importing %s: %v, want one that says %q", c.from, c.to, got, c.want)
		}
	}
}
