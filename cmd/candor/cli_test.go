package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrongUseIsOneLineAndChangesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "archive")
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"unknown command":      {[]string{"sevre"}, "--help"},
		"unknown flag":         {[]string{"serve", "--colour"}, "--help"},
		"not an address":       {[]string{"source", "add", "website", "larkspur", "--data", dir}, "must start with https://"},
		"unknown kind":         {[]string{"source", "add", "fax", "https://x.example", "--data", dir}, "website"},
		"no token":             {[]string{"source", "add", "facebook", "https://x.example/page", "--data", dir}, "--token-file"},
		"not an email":         {[]string{"user", "add", "ana", "--name", "Ana", "--data", dir}, "not an email address"},
		"nothing to verify":    {[]string{"verify", "--data", dir}, "candor serve"},
		"nothing to list":      {[]string{"source", "list", "--data", dir}, "candor serve"},
		"wrong database":       {[]string{"serve", "--data", dir, "--database", "mysql://x/y"}, "CANDOR_DATABASE"},
		"wrong bucket":         {[]string{"serve", "--data", dir, "--objects", "/somewhere"}, "CANDOR_OBJECTS"},
		"wrong listen address": {[]string{"serve", "--data", dir, "--addr", "8080"}, "--addr"},
		"wrong portal address": {[]string{"serve", "--data", dir, "--url", "records.example"}, "--url"},
		"too many workers":     {[]string{"serve", "--data", dir, "--capture-workers", "1000"}, "--capture-workers"},
		"idle worker":          {[]string{"worker", "--data", dir, "--capture-workers", "0"}, "nothing to do"},
		"nothing to capture":   {[]string{"capture"}, "nothing to capture"},
		"password in address":  {[]string{"source", "add", "page", "https://me:pw@x.example/", "--data", dir}, "take it out"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := command(t, c.args...)
			if code != 2 {
				t.Errorf("exit code %d, want 2", code)
			}
			if !strings.Contains(stderr, c.says) {
				t.Errorf("said %q, which does not tell %q", stderr, c.says)
			}
			if lines := strings.Count(strings.TrimSpace(stderr), "\n"); lines > 0 || strings.TrimSpace(stderr) == "" {
				t.Errorf("said more or less than one line: %q (standard output: %q)", stderr, stdout)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("the archive folder was made")
			}
		})
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "database")
	if err := os.WriteFile(file, []byte("postgres://db/candor\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	set := func(k, v string) error { got[k] = v; return nil }
	if err := secretsFromFiles([]string{"CANDOR_DATABASE_FILE=" + file, "OTHER_FILE=/none", "CANDOR_ADDR=:1"}, set); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got["CANDOR_DATABASE"] != "postgres://db/candor" {
		t.Errorf("got %v", got)
	}
	if err := secretsFromFiles([]string{"CANDOR_SMTP_FILE=/no/such/file"}, set); err == nil || !strings.Contains(err.Error(), "CANDOR_SMTP_FILE") {
		t.Errorf("a missing secret file: %v", err)
	}
}

func TestHelpTeaches(t *testing.T) {
	stdout, _, code := command(t, "--help")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, word := range []string{"serve", "capture", "source", "user", "verify", "version", "--sample", "CANDOR_"} {
		if !strings.Contains(stdout, word) {
			t.Errorf("help does not mention %s", word)
		}
	}
	if out, _, code := command(t, "version"); code != 0 || !strings.HasPrefix(out, "candor ") {
		t.Errorf("version: %q, exit %d", out, code)
	}
}
