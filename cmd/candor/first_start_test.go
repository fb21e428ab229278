package main

import (
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFirstStart sets a new archive up through its one-time page, by keyboard
// and mouse, and signs in as the administrator it made.
func TestFirstStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "archive")
	s := serve(t, dir, "--capture-workers", "0")
	link := regexp.MustCompile(`http://\S+/setup\?token=\S+`).FindString(s.said())
	if link == "" {
		t.Fatalf("no set-up link was printed: %s", s.said())
	}
	v := newVisitor(t, "operator", s.url, "en")
	v.open(link)
	for field, text := range map[string]string{"agency": "City of Pasadena", "short": "PPD", "person": "Rosa Delgado",
		"person_email": "rosa@pasadena.example", "password": "a long and quiet river", "email": "records@pasadena.example"} {
		v.write("[name="+field+"]", text)
	}
	v.press("main form button")
	v.signIn("rosa@pasadena.example", "a long and quiet river")
	if status, _ := s.get("/setup"); status != http.StatusNotFound {
		t.Errorf("the set-up page answers %d after it was used", status)
	}
	s.stop()

	if out, _, code := command(t, "user", "list", "--data", dir); code != 0 || !strings.Contains(out, "rosa@pasadena.example") {
		t.Errorf("user list: exit %d: %s", code, out)
	}
	if out, errs, code := command(t, "source", "add", "website", "https://www.pasadena.example/", "--name", "City website", "--data", dir); code != 0 {
		t.Errorf("source add: exit %d: %s%s", code, out, errs)
	}
	out, _, code := command(t, "source", "list", "--data", dir)
	id := regexp.MustCompile(`(?m)^([a-z0-9]{26}) .*City website`).FindStringSubmatch(out)
	if code != 0 || id == nil {
		t.Fatalf("source list: exit %d: %s", code, out)
	}
	if out, errs, code := command(t, "source", "pause", id[1], "--data", dir); code != 0 {
		t.Errorf("source pause: exit %d: %s%s", code, out, errs)
	}
	if out, _, _ := command(t, "source", "list", "--data", dir); !strings.Contains(out, "paused") {
		t.Errorf("the source is not shown as paused: %s", out)
	}
	if out, errs, code := command(t, "source", "remove", id[1], "--data", dir); code != 0 {
		t.Errorf("source remove: exit %d: %s%s", code, out, errs)
	}
	if _, errs, code := command(t, "source", "remove", id[1], "--data", dir); code != 2 || !strings.Contains(errs, "no such source") {
		t.Errorf("removing it again: exit %d: %s", code, errs)
	}
	if out, errs, code := command(t, "verify", "--data", dir); code != 0 {
		t.Errorf("verify: exit %d: %s%s", code, out, errs)
	}
	// A sample must not be mixed into a real archive.
	if _, errs, code := command(t, "serve", "--sample", "--data", dir, "--addr", "127.0.0.1:0"); code != 2 || !strings.Contains(errs, "--data") {
		t.Errorf("a sample in a real archive: exit %d: %s", code, errs)
	}
}
