package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor/render/browser"
)

func captureTown(t *testing.T) *httptest.Server {
	t.Helper()
	if _, err := browser.Find(os.Getenv); err != nil {
		t.Skip("Chrome is not installed:", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(time.Second): // so that it ends after those behind it
		case <-r.Context().Done():
		}
		fmt.Fprint(w, "<!DOCTYPE html><title>Slow</title><p>slow")
	})
	mux.HandleFunc("/quick", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "<!DOCTYPE html><title>Quick</title><p>quick")
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestCaptureListsEveryAddressInTheOrderGiven(t *testing.T) {
	s := captureTown(t)
	dir := t.TempDir()
	list := filepath.Join(dir, "list")
	if err := os.WriteFile(list, []byte("# pages of the town\n"+s.URL+"/slow\n\n  "+s.URL+"/quick # the quick one\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), []string{"capture", "--out", out, "--allow-private", "--concurrency", "2", "-f", list, s.URL + "/missing", s.URL + "/quick"}, &stdout, &stderr)
	if code != 3 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	if n := strings.Count(stderr.String(), "\n"); n != 1 {
		t.Errorf("stderr is %q", stderr.String())
	}
	b, err := os.ReadFile(filepath.Join(out, "captures.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	want := []struct{ path, outcome, title string }{{"/slow", "complete", "Slow"}, {"/quick", "complete", "Quick"}, {"/missing", "failed", ""}, {"/quick", "complete", "Quick"}}
	if len(lines) != len(want) {
		t.Fatalf("%d lines:\n%s", len(lines), b)
	}
	for i, w := range want {
		var got map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Fatal(err)
		}
		if got["url"] != s.URL+w.path || got["outcome"] != w.outcome || got["title"] != w.title {
			t.Errorf("line %d is %s", i+1, lines[i])
		}
		for _, f := range []string{"final_url", "outcome", "reason", "http_status", "started", "finished", "title", "dir", "screenshot", "snapshot", "text", "manifest"} {
			if _, ok := got[f]; !ok {
				t.Errorf("line %d lacks %s", i+1, f)
			}
		}
		if _, ok := got["wacz"]; ok {
			t.Errorf("line %d names a file that does not exist", i+1)
		}
		for _, f := range []string{"screenshot", "snapshot", "text", "manifest"} {
			if _, err := os.Stat(filepath.Join(out, got[f].(string))); err != nil {
				t.Errorf("line %d: %v", i+1, err)
			}
		}
	}
}

func TestCaptureExitsCleanlyWhenAllAreComplete(t *testing.T) {
	s := captureTown(t)
	out := filepath.Join(t.TempDir(), "deep", "out")
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), []string{"capture", "--out", out, "--allow-private", s.URL + "/quick"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	// A second run into the same folder must not touch the first.
	before, _ := os.ReadFile(filepath.Join(out, "captures.jsonl"))
	if code := run(context.Background(), []string{"capture", "--out", out, "--allow-private", s.URL + "/quick"}, &stdout, &stderr); code != 2 {
		t.Errorf("exit %d for a folder in use", code)
	}
	if after, _ := os.ReadFile(filepath.Join(out, "captures.jsonl")); !bytes.Equal(before, after) {
		t.Error("the list was changed")
	}
}

func TestCaptureRefusesPrivateAddressesUnlessAllowed(t *testing.T) {
	s := captureTown(t)
	out := filepath.Join(t.TempDir(), "out")
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), []string{"capture", "--out", out, s.URL + "/quick"}, &stdout, &stderr); code != 3 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	b, err := os.ReadFile(filepath.Join(out, "captures.jsonl"))
	if err != nil || !strings.Contains(string(b), "address refused: ") || !strings.Contains(string(b), `"outcome":"failed"`) {
		t.Errorf("%v: %s", err, b)
	}
}

func TestCaptureExplainsWrongUseAndChangesNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("http://example.org/\nnonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	behaviours := filepath.Join(dir, "behaviours")
	if err := os.Mkdir(behaviours, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(behaviours, "town.yaml"), []byte("name: town\nversion: first\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no address":       {[]string{}, "nothing to capture"},
		"not the web":      {[]string{"file:///etc/passwd"}, "http://"},
		"no scheme":        {[]string{"www.example.org"}, "http://"},
		"a password":       {[]string{"http://me:pw@example.org/"}, "password"},
		"bad line":         {[]string{"-f", file}, "line 2"},
		"bad behaviour":    {[]string{"--behaviours", behaviours, "http://example.org/"}, "town.yaml, line 2, version: "},
		"no behaviours":    {[]string{"--behaviours", filepath.Join(dir, "none"), "http://example.org/"}, "none"},
		"no such file":     {[]string{"-f", filepath.Join(dir, "none")}, "none"},
		"unknown flag":     {[]string{"--wrong", "http://example.org/"}, "wrong"},
		"unknown profile":  {[]string{"--profile", "watch", "http://example.org/"}, "profile"},
		"unknown second":   {[]string{"--profile", "desktop,watch", "http://example.org/"}, "profile"},
		"unknown scale":    {[]string{"--scale", "4", "http://example.org/"}, "scale"},
		"nothing to check": {[]string{"--picture-only", "--check", "http://example.org/"}, "--picture-only"},
		"none at once":     {[]string{"--concurrency", "0", "http://example.org/"}, "concurrency"},
		"folder is a file": {[]string{"--out", filepath.Join(file, "x"), "http://example.org/"}, "folder"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := append([]string{"capture", "--out", out}, c.args...)
			if code := run(context.Background(), args, &stdout, &stderr); code != 2 {
				t.Errorf("exit %d", code)
			}
			if !strings.Contains(stderr.String(), c.says) || strings.Count(stderr.String(), "\n") != 1 {
				t.Errorf("it says %q", stderr.String())
			}
			if strings.Contains(stderr.String(), "pw@") {
				t.Error("the password is repeated")
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("the folder was made")
			}
		})
	}
}
