package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/browser"
)

// fetched finds what a browser would fetch of a page from elsewhere.
var fetched = regexp.MustCompile(`(?i)<(?:script\b[^>]*\bsrc|(?:img|iframe|source|video|audio)\b[^>]*\ssrc|link\b[^>]*\bhref)="?https?:`)

// TestCaptureOfPagesNobodyHereWrote captures documentation from a Debian
// package, with its style sheets and pictures, through the real program.
func TestCaptureOfPagesNobodyHereWrote(t *testing.T) {
	if _, err := browser.Find(os.Getenv); err != nil {
		t.Skip("Chrome is not installed:", err)
	}
	docs := "/usr/share/doc/sqlite3"
	if _, err := os.Stat(filepath.Join(docs, "index.html")); err != nil {
		docs = "../../.cache/doc" + docs // where .ci/setup unpacks it on slim images
	}
	if _, err := os.Stat(filepath.Join(docs, "index.html")); err != nil {
		t.Skip("the documentation package sqlite3-doc is not installed:", err)
	}
	s := httptest.NewServer(http.FileServer(http.Dir(docs)))
	defer s.Close()
	out := filepath.Join(t.TempDir(), "out")
	pages := []string{"/index.html", "/lang_select.html", "/c3ref/intro.html"}
	args := []string{"capture", "--out", out, "--allow-private", "--policy", "scroll"}
	for _, p := range pages {
		args = append(args, s.URL+p)
	}
	if _, errs, code := command(t, args...); code != 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
	list, err := os.ReadFile(filepath.Join(out, "captures.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(list)), "\n")
	if len(lines) != len(pages) {
		t.Fatalf("%d lines for %d pages:\n%s", len(lines), len(pages), list)
	}
	for i, text := range lines {
		var line captureLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		if line.URL != s.URL+pages[i] || line.Outcome != candor.Complete || line.HTTPStatus != http.StatusOK || line.Title == "" {
			t.Errorf("line %d: %s", i+1, text)
		}
		checkManifest(t, filepath.Join(out, line.Dir))
		picture, err := os.Open(filepath.Join(out, line.Screenshot))
		if err != nil {
			t.Fatal(err)
		}
		size, err := png.DecodeConfig(picture)
		picture.Close() // only read
		if err != nil || size.Width != 1280 || size.Height < 800 {
			t.Errorf("%s: a picture of %d×%d (%v), want the whole page, 1280 wide", pages[i], size.Width, size.Height, err)
		}
		words, err := os.ReadFile(filepath.Join(out, line.Text))
		if err != nil || !strings.Contains(string(words), "SQLite") {
			t.Errorf("%s: the text lacks the words of the page (%v)", pages[i], err)
		}
		snapshot, err := os.ReadFile(filepath.Join(out, line.Snapshot))
		if err != nil || len(snapshot) == 0 {
			t.Fatalf("%s: no snapshot: %v", pages[i], err)
		}
		if from := fetched.Find(snapshot); from != nil {
			t.Errorf("%s: the snapshot still fetches: %s", pages[i], from)
		}
	}
}

// checkManifest wants every file of a capture to be in its manifest, with the
// hash it has, and every step with an outcome.
func checkManifest(t *testing.T, dir string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m candor.Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if m.Browser == "" || m.Viewport.Width != 1280 || m.Viewport.Height != 800 || m.Viewport.Scale != 1 || len(m.Steps) == 0 {
		t.Errorf("the manifest says browser %q, viewport %+v, %d steps", m.Browser, m.Viewport, len(m.Steps))
	}
	for _, s := range m.Steps {
		if s.Name == "" || s.Outcome == "" {
			t.Errorf("a step without name or outcome: %+v", s)
		}
	}
	listed := []string{"manifest.json"}
	for _, f := range m.Files {
		listed = append(listed, filepath.FromSlash(f.Path))
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Path)))
		sum := sha256.Sum256(content)
		if err != nil || hex.EncodeToString(sum[:]) != f.SHA256 {
			t.Errorf("%s is not what the manifest says (%v)", f.Path, err)
		}
	}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil && !slices.Contains(listed, name) {
			t.Errorf("%s is not in the manifest", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
