package housetest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/candor-archive/candor"

// root is the top of the checkout.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatalf("the checkout is not where it was: %v", err)
	}
	return dir
}

// unkept lists the top-level folders that .gitignore keeps out of the tree.
var unkept = []string{".git", ".cache", "bench-out", "bin", "data", "data-sample", "secrets"}

// files lists every file of the tree, by paths with slashes from its top.
func files(t *testing.T) []string {
	t.Helper()
	top := root(t)
	var out []string
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if slices.Contains(unkept, name) && d.IsDir() {
			return fs.SkipDir
		}
		if !d.IsDir() && name != "candor" && !strings.HasSuffix(name, ".test") && !strings.HasSuffix(name, ".out") {
			out = append(out, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// topLevel is what may lie at the top, beside the root package's Go files.
var topLevel = []string{
	"crawler", "portal", "render", "storage", "fixtures", "cmd", "internal", "docs", ".ci",
	"go.mod", "go.sum", "docker-compose.yml", "Dockerfile", "Makefile",
	"README.md", "CHANGELOG.md", "LICENSE",
	".gitignore", ".dockerignore", ".golangci.yml",
}

func TestTopLevelHoldsOnlyWhatBelongsThere(t *testing.T) {
	entries, err := os.ReadDir(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if slices.Contains(unkept, name) || slices.Contains(topLevel, name) || name == "candor" && !e.IsDir() {
			continue // the last is what a plain go build leaves; git ignores it
		}
		if !e.IsDir() && (strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".test") || strings.HasSuffix(name, ".out")) {
			continue
		}
		t.Errorf("%s lies at the top level; its place is inside one of the rooms", name)
	}
	for _, name := range topLevel {
		if _, err := os.Stat(filepath.Join(root(t), name)); err != nil {
			t.Errorf("%s is missing at the top level", name)
		}
	}
	commands, err := os.ReadDir(filepath.Join(root(t), "cmd"))
	if err != nil {
		t.Fatal(err)
	}
	if len(commands) != 1 || commands[0].Name() != "candor" {
		t.Errorf("cmd holds %v; there is one program, candor", commands)
	}
}

func TestUnkeptFoldersAreIgnoredByGit(t *testing.T) {
	ignored := strings.Fields(read(t, ".gitignore"))
	if !slices.Contains(ignored, "/candor") {
		t.Error(".gitignore does not name /candor, which a plain go build leaves")
	}
	for _, name := range unkept[1:] {
		if !slices.Contains(ignored, "/"+name+"/") {
			t.Errorf(".gitignore does not name /%s/", name)
		}
	}
}

// machinePath finds absolute paths of one person's or one machine's folders.
var machinePath = regexp.MustCompile(`(?:^|[\s"'` + "`" + `(=:,])/(?:home|root|work|Users)/[\w.-]`)

// vendored files are others' work, kept byte for byte.
func vendored(name string) bool {
	return name == "go.sum" || name == "LICENSE" || strings.HasPrefix(name, "portal/view/static/uswds/")
}

func isText(b string) bool { return !strings.Contains(b[:min(len(b), 8000)], "\x00") }

func TestNoFileNamesTheMachineItWasWrittenOn(t *testing.T) {
	for _, name := range files(t) {
		if vendored(name) {
			continue
		}
		text := read(t, name)
		if !isText(text) {
			continue
		}
		for n, line := range strings.Split(text, "\n") {
			if m := machinePath.FindString(line); m != "" {
				t.Errorf("%s:%d names a folder of one machine: %s", name, n+1, strings.TrimSpace(m))
			}
		}
	}
}

func TestMachinePathIsFound(t *testing.T) {
	for line, want := range map[string]bool{
		`dir := "/` + `home/ann/candor"`:     true,
		`cd /` + `work/tree`:                 true,
		`https://city.example/` + `home/a`:   false,
		`/usr/lib/postgresql`:                false,
		`the /` + `root package`:             false,
		`GET /` + `work-orders/12 of a site`: false,
	} {
		if got := machinePath.MatchString(line); got != want {
			t.Errorf("%q: found %v, want %v", line, got, want)
		}
	}
}

func TestScriptsCanBeRun(t *testing.T) {
	for _, name := range files(t) {
		if !strings.HasPrefix(read(t, name), "#!") {
			continue
		}
		info, err := os.Stat(filepath.Join(root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode()&0o111 == 0 {
			t.Errorf("%s starts with #! but may not be executed", name)
		}
	}
}
