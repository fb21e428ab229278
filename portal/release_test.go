package portal_test

import (
	"archive/zip"
	"bytes"
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/candor-archive/candor"
)

// What is released comes out to the one who asked, and to nobody else; and not
// a moment before.
func TestReleasedFilesComeOutOnlyToTheirRequester(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	ask := func(email string) *browser {
		b := w.browser("es")
		b.post("/requests/new", with(b.get("/requests/new").fields(), "text", "palabras sobre el presupuesto", "email", email, "go", "send")).want(t, 200, "Su solicitud está en camino")
		return b
	}
	ana, other := ask("ana@example.com"), ask("otro@example.com")
	list, err := w.store.Requests(ctx, candor.RequestFilter{})
	w.must(err)
	var id string
	for _, r := range list {
		if r.Email == "ana@example.com" {
			id = r.ID
		}
	}

	clerk := w.person("clerk@larkspur.example", candor.Clerk)
	officer := w.person("officer@larkspur.example", candor.Officer)
	w.must(w.desk.Accept(ctx, clerk, id))
	w.must(w.desk.Mark(ctx, clerk, id, []string{w.private.ID}))
	w.must(w.desk.Propose(ctx, clerk, id, ""))
	file, err := w.store.RequestFile(ctx, id)
	w.must(err)
	production := file.Productions[0]
	paths := []string{"/my-request/bundles/" + production.ID}
	for _, it := range file.Items {
		paths = append(paths, "/my-request/files/"+it.ID)
	}
	refused := func(b *browser, when string) {
		t.Helper()
		for _, path := range paths {
			if a := b.get(path); a.StatusCode == http.StatusOK || strings.Contains(a.body, "confidential") {
				t.Errorf("%s: %s answers %d", when, path, a.StatusCode)
			}
		}
	}
	refused(ana, "proposed, not approved")
	w.must(w.desk.Approve(ctx, officer, id, production.ID))
	refused(ana, "approved, not released")
	w.must(w.desk.Release(ctx, clerk, id, production.ID))

	page := ana.get("/my-request").want(t, 200, "Descargar todo", "Registros entregados")
	for _, path := range paths {
		if path != paths[0] && !strings.Contains(page.body, path) {
			t.Errorf("%s is not offered", path)
		}
		a := ana.get(path).want(t, 200)
		if d := a.Header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment;") {
			t.Errorf("%s is not sent as a file to keep: %q", path, d)
		}
		if csp := a.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox") || a.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
	bundle := ana.get(paths[0])
	z, err := zip.NewReader(bytes.NewReader([]byte(bundle.body)), int64(len(bundle.body)))
	w.must(err)
	if len(z.File) < 3 {
		t.Errorf("the bundle holds %d files", len(z.File))
	}
	refused(other, "another requester")
	refused(w.browser("es"), "a visitor")
	// Released to one person is not public.
	w.browser("en").get("/archive/"+w.private.ID).want(t, 404)
	w.browser("en").get(w.captureURL(w.closed)+"/screenshot.png").want(t, 404)
}

// The agency's own summary is all that a request's public page shows.
func TestPublicPageOfARequestShowsTheSummaryOnly(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	b := w.browser("en")
	b.post("/requests/new", with(b.get("/requests/new").fields(), "text", "my own private words", "email", "ana@example.com", "name", "Ana", "go", "send")).want(t, 200)
	list, err := w.store.Requests(ctx, candor.RequestFilter{})
	w.must(err)
	w.must(w.desk.SetSummary(ctx, w.person("clerk@larkspur.example", candor.Clerk), list[0].ID, "Posts about street closures"))
	w.browser("en").get("/requests/"+list[0].Number).want(t, 200, "Posts about street closures", "Received").
		without(t, "private words", "ana@example.com", "Ana<", list[0].ID)
}

var reLeakedID = regexp.MustCompile(`>\s*[a-z_]+(?:\.[a-z0-9_]+)+\s*<`)

func TestEveryPublicPageSpeaksBothLanguages(t *testing.T) {
	w := newWorld(t)
	paths := []string{"/", "/archive", "/archive?q=zzzz", "/archive/" + w.post.ID, "/archive/" + w.spanish.ID, "/archive/" + w.comment.ID, "/archive/" + w.hidden.ID,
		w.captureURL(w.capture), w.captureURL(w.capture) + "/snapshot", "/requests/new", "/requests/LPD-2026-000001", "/track", "/verify", "/about",
		"/accessibility", "/security", "/r/nothing", "/nowhere", "/my-request/dates", "/staff/sign-in"}
	bodies := map[string]string{}
	for _, lang := range []string{"en", "es"} {
		b := w.browser(lang)
		for _, path := range paths {
			a := b.get(path)
			if a.StatusCode >= 500 {
				t.Errorf("%s in %s: %d", path, lang, a.StatusCode)
			}
			if !strings.Contains(a.body, `<html lang="`+lang+`"`) || a.Header.Get("Content-Language") != lang {
				t.Errorf("%s is not in %s", path, lang)
			}
			if m := reLeakedID.FindString(strings.ReplaceAll(a.body, ">social.example<", "><")); m != "" {
				t.Errorf("%s in %s shows the bare id %s", path, lang, m)
			}
			_, main, _ := strings.Cut(a.body, "<main")
			if bodies[path] == main {
				t.Errorf("%s says the same in both languages", path)
			}
			bodies[path] = main
		}
	}
}
