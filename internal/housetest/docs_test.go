package housetest

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents lists every Markdown file that is ours.
func documents(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, name := range files(t) {
		if strings.HasSuffix(name, ".md") && !vendored(name) {
			out = append(out, name)
		}
	}
	if len(out) < 5 {
		t.Fatalf("only these documents were found: %v", out)
	}
	return out
}

var (
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	quoted    = regexp.MustCompile("`([^`\n]+)`")
	fenced    = regexp.MustCompile("(?s)```[a-z]*\n(.*?)```")
	pathShape = regexp.MustCompile(`^\.?[A-Za-z][\w.-]*(/[\w.*{},-]+)*/?$`)
	bareGo    = regexp.MustCompile(`^[a-z0-9_]+\.go$`)
	anyVar    = regexp.MustCompile(`\bCANDOR_[A-Z][A-Z_]*[A-Z]\b`)
	makeCall  = regexp.MustCompile(`(?m)(?:^|\s)make ([a-z]+)`)
)

// treePath tells whether a quoted word names something of the tree: a path
// that starts in one of its folders, a Go file by its bare name, or one of the
// top-level files.
func treePath(word string) bool {
	if bareGo.MatchString(word) {
		return true
	}
	if !pathShape.MatchString(word) {
		return false
	}
	first, _, below := strings.Cut(word, "/")
	return slices.Contains(topLevel, first) && (below || strings.Contains(first, ".") || first == "Makefile" || first == "Dockerfile" || first == "LICENSE")
}

// missing names what a text speaks of and the tree does not have.
func missing(text string, exists func(name string) bool) []string {
	var out []string
	for _, m := range quoted.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		word, _, _ := strings.Cut(m[1], " ")
		if treePath(word) && !exists(strings.TrimSuffix(word, "/")) {
			out = append(out, word)
		}
	}
	return out
}

func TestDocumentsNameOnlyFilesThatExist(t *testing.T) {
	top := root(t)
	bare := map[string]bool{}
	for _, name := range files(t) {
		bare[path.Base(name)] = true
	}
	exists := func(name string) bool {
		if bareGo.MatchString(name) {
			return bare[name]
		}
		found, err := filepath.Glob(filepath.Join(top, filepath.FromSlash(name)))
		return err == nil && len(found) > 0
	}
	for _, doc := range documents(t) {
		text := read(t, doc)
		for _, name := range missing(text, exists) {
			t.Errorf("%s speaks of %s, which does not exist", doc, name)
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(top, filepath.FromSlash(path.Join(path.Dir(doc), target)))); err != nil {
				t.Errorf("%s links to %s, which does not exist", doc, m[1])
			}
		}
	}
}

func TestMissingFilesAreFound(t *testing.T) {
	text := "see `storage/meta/gone.go` and `storage/meta`, the `lang` cookie, `text/html`, `Makefile`\n" +
		"```sh\ncat `storage/nothing`\n```\n`go.mod` `cmd/candor/serve.go --help` `gone.go`"
	got := missing(text, func(name string) bool { return name == "storage/meta" || name == "go.mod" })
	if want := []string{"storage/meta/gone.go", "Makefile", "cmd/candor/serve.go", "gone.go"}; !slices.Equal(got, want) {
		t.Errorf("found missing %v, want %v", got, want)
	}
}

// unread are names documents may speak of though the program does not read
// them: what only tests read, and the X that stands for any setting. Those of
// benchmarks begin with CANDOR_BENCH_.
var unread = []string{"CANDOR_MEILI_URL", "CANDOR_MEILI_KEY", "CANDOR_X", "CANDOR_X_FILE"}

func TestDocumentsNameOnlySettingsThatExist(t *testing.T) {
	known := candor(t).allVariables(t)
	for _, doc := range documents(t) {
		for _, name := range anyVar.FindAllString(read(t, doc), -1) {
			if !slices.Contains(known, strings.TrimSuffix(name, "_FILE")) && !slices.Contains(unread, name) && !strings.HasPrefix(name, "CANDOR_BENCH_") {
				t.Errorf("%s speaks of %s, which the program does not read", doc, name)
			}
		}
	}
}

func TestReadmeListsEverySetting(t *testing.T) {
	text := read(t, "README.md")
	for _, name := range candor(t).allVariables(t) {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("README.md does not list %s", name)
		}
	}
}

func TestDocumentsCallOnlyCommandsThatExist(t *testing.T) {
	p := candor(t)
	for _, doc := range documents(t) {
		for _, call := range calls(read(t, doc)) {
			p.checkCall(t, doc, call)
		}
	}
}

// calls finds the calls of the program in a document: quoted ones and lines of
// fenced examples that begin with it.
func calls(text string) [][]string {
	var lines []string
	for _, m := range fenced.FindAllStringSubmatch(text, -1) {
		lines = append(lines, strings.Split(strings.ReplaceAll(m[1], "\\\n", " "), "\n")...)
	}
	for _, m := range quoted.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		lines = append(lines, m[1])
	}
	var out [][]string
	for _, line := range lines {
		line, _, _ = strings.Cut(line, " #")
		words := strings.Fields(line)
		for len(words) > 0 && strings.Contains(words[0], "=") { // VAR=value before it
			words = words[1:]
		}
		if len(words) > 1 && (words[0] == "candor" || words[0] == "bin/candor") {
			out = append(out, words[1:])
		}
	}
	return out
}

func TestDocumentsCallOnlyTargetsThatExist(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, doc := range documents(t) {
		text := read(t, doc)
		var spoken []string
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			spoken = append(spoken, m[1])
		}
		for _, m := range fenced.FindAllStringSubmatch(text, -1) {
			spoken = append(spoken, m[1])
		}
		for _, s := range spoken {
			for _, m := range makeCall.FindAllStringSubmatch(s, -1) {
				if !regexp.MustCompile(`(?m)^` + m[1] + `:`).MatchString(makefile) {
					t.Errorf("%s says `make %s`, which is no target", doc, m[1])
				}
			}
		}
	}
}

func TestMakefileOffersWhatTheHousePromises(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, target := range []string{"run", "demo", "test", "build", "bench", "lint", "clean", "help"} {
		if !regexp.MustCompile(`(?m)^` + target + `:`).MatchString(makefile) {
			t.Errorf("the Makefile has no target %s", target)
		}
	}
	if !strings.Contains(read(t, ".ci/run"), "make test") {
		t.Error(".ci/run does not call make test")
	}
}
