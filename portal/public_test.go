package portal_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/exhibit"
)

func TestPublicPagesShowTheArchive(t *testing.T) {
	w := newWorld(t)
	en, es := w.browser("en"), w.browser("es")

	en.get("/").want(t, 200, `<html lang="en">`, "City of Larkspur", "Ask for a record", "thumbnail.png", "captures today").without(t, "confidential")
	es.get("/").want(t, 200, `<html lang="es">`, "Pedir un registro")

	en.get("/archive?q=water").want(t, 200, "<mark>", w.post.ID).without(t, "confidential")
	es.get("/archive?q=tubería").want(t, 200, w.spanish.ID, "1 registro")
	en.get("/archive?q=nothingmatchesthis").want(t, 200, "Nothing public matches", "/requests/new?text=nothingmatchesthis")
	en.get("/archive?from=yesterday").want(t, 200, "is not a date like")
	en.get("/archive?q=%22unclosed").want(t, 200)
	en.get("/archive?page=notanumber&kind=bogus").want(t, 200)

	page := en.get("/archive/"+w.post.ID).want(t, 200, "As it looked", "screenshot.png", "Dana Whitfield", "<ins>", "<del>", "CST",
		"&lt;script&gt;alert(1)&lt;/script&gt;", "/requests/new?about="+w.post.ID, w.site.URL+"/archive/"+w.post.ID)
	page.without(t, "<script", "unprintable words", "Someone Cross")

	en.get(w.captureURL(w.capture)).want(t, 200, "Integrity", "Completeness", "Fidelity", "covers exactly this capture", "No outside authority", "Chromium 156").
		without(t, "does not match what is stored")
}

func TestWhatIsNotPublicNeverComesOut(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")

	// Once public, now hidden: a page that says so, and not a word of it.
	b.get("/archive/"+w.hidden.ID).want(t, http.StatusGone, "no longer public", "Hidden", "/requests/new?about="+w.hidden.ID).
		without(t, "unprintable", "Someone Cross")
	// Never public, or never there: the same page.
	b.get("/archive/"+w.private.ID).want(t, 404, "find that page").without(t, "confidential")
	b.get("/archive/"+candor.NewID()).want(t, 404, "find that page")

	secret := []string{"confidential", "unprintable", "exchange words"}
	for _, path := range []string{
		"/archive?q=unprintable", "/archive?q=confidential", "/archive?q=confidential&visibility=staff",
		w.captureURL(w.closed), w.captureURL(w.closed) + "/screenshot.png", w.captureURL(w.closed) + "/thumbnail.png",
		w.captureURL(w.closed) + "/text.txt", w.captureURL(w.closed) + "/manifest.json", w.captureURL(w.closed) + "/snapshot",
		// A private capture under a public record's address.
		"/archive/" + w.post.ID + "/captures/" + w.closed.ID, "/archive/" + w.post.ID + "/captures/" + w.closed.ID + "/screenshot.png",
		// Kinds this origin never serves.
		w.captureURL(w.capture) + "/snapshot.html", w.captureURL(w.capture) + "/exchanges.jsonl", w.captureURL(w.capture) + "/body",
	} {
		a := b.get(path)
		if a.StatusCode == 200 && !strings.HasPrefix(path, "/archive?") {
			t.Errorf("%s answers 200", path)
		}
		for _, word := range secret {
			if strings.Contains(strings.ReplaceAll(a.body, path, ""), word+" words") || strings.Contains(a.body, "\x89PNG") {
				t.Errorf("%s gives away %q", path, word)
			}
		}
		// Its own address stands on the page once, in the language switch.
		if rest := strings.ReplaceAll(a.body, path, ""); strings.Contains(rest, w.closed.ID) || strings.Contains(rest, w.private.ID) {
			t.Errorf("%s names what is not public", path)
		}
	}
}

func TestArtefactsAreServedSafely(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	for name, kind := range map[string]string{"screenshot.png": "image/png", "thumbnail.png": "image/png", "text.txt": "text/plain; charset=utf-8", "manifest.json": "application/json"} {
		a := b.get(w.captureURL(w.capture)+"/"+name).want(t, 200)
		if got := a.Header.Get("Content-Type"); got != kind {
			t.Errorf("%s is sent as %q, want %q", name, got, kind)
		}
		if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s has the policy %q", name, csp)
		}
		if got := a.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options %q", name, got)
		}
		again, err := http.NewRequest(http.MethodGet, w.site.URL+w.captureURL(w.capture)+"/"+name, nil)
		w.must(err)
		again.Header.Set("If-None-Match", a.Header.Get("ETag"))
		b.do(again).want(t, http.StatusNotModified)
	}
}

var reFrame = regexp.MustCompile(`<iframe src="([^"]+)" sandbox`)

func TestSnapshotsLiveOnTheirOwnOriginWithScriptsOff(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	page := b.get(w.captureURL(w.capture)+"/snapshot").want(t, 200).without(t, "owned")
	m := reFrame.FindStringSubmatch(page.body)
	if m == nil {
		t.Fatal("there is no sandboxed frame")
	}
	if !strings.HasPrefix(m[1], w.exhibits.URL+"/x/") {
		t.Fatalf("the frame shows %s, which is not on the exhibits' origin", m[1])
	}
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-src "+w.exhibits.URL) {
		t.Errorf("the page's policy does not let the frame in: %s", csp)
	}
	fetch := func(url string) answer {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		w.must(err)
		return b.do(r)
	}
	a := fetch(m[1]).want(t, 200, "Elm Street is closed")
	csp := a.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "sandbox; default-src 'none';") || !strings.Contains(csp, "frame-ancestors "+w.site.URL) {
		t.Errorf("exhibit policy: %s", csp)
	}
	if a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Set-Cookie") != "" {
		t.Errorf("exhibit headers: %v", a.Header)
	}
	// A capability is for one capture, and cannot be changed or made up.
	fetch(strings.Replace(m[1], w.capture.ID, w.closed.ID, 1)).want(t, 404)
	fetch(strings.Replace(m[1], "/x/p.", "/x/s.", 1)).want(t, 404)
	fetch(w.exhibits.URL+"/x/"+w.capture.ID).want(t, 404)
	fetch(w.exhibits.URL+"/").want(t, 404)
	b.get("/x/"+strings.SplitN(m[1], "/x/", 2)[1]).want(t, 404).without(t, "<p>Elm")

	// Its time runs out.
	old := exhibit.Minter{Secret: w.secret, Origin: w.exhibits.URL, Now: func() time.Time { return time.Now().Add(-exhibit.Life - time.Minute) }}
	url, err := old.URL(candor.Principal{Kind: candor.Visitor}, w.capture)
	w.must(err)
	fetch(url).want(t, 404)

	// Nobody mints one for what they may not see; and a public capability does
	// not open what is not public any more.
	now := exhibit.Minter{Secret: w.secret, Origin: w.exhibits.URL, Now: time.Now}
	for _, p := range []candor.Principal{{Kind: candor.Visitor}, {Kind: candor.Requester, RequestID: "x"}, {Kind: candor.Staff}} {
		if _, err := now.URL(p, w.closed); !candor.IsKind(err, candor.Forbidden) {
			t.Errorf("%s got a capability for a private capture: %v", p.Kind, err)
		}
	}
	pretend := w.closed
	pretend.Visibility = candor.Public
	url, err = now.URL(candor.Principal{Kind: candor.Visitor}, pretend)
	w.must(err)
	fetch(url).want(t, 404).without(t, "Elm Street")
	url, err = now.URL(candor.Principal{Kind: candor.Staff, Roles: []candor.Role{candor.Clerk}}, w.closed)
	w.must(err)
	fetch(url).want(t, 200)
}

func TestEveryAnswerHasSafeHeaders(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	for _, path := range []string{"/", "/archive", "/archive/" + w.post.ID, "/requests/new", "/track", "/verify", "/about", "/accessibility", "/security", "/nowhere", "/checkpoint", "/staff/sign-in"} {
		h := b.get(path).Header
		csp := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
		for name, want := range map[string]string{"Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if h.Get("X-Request-Id") == "" {
			t.Errorf("%s has no request id", path)
		}
	}
}

func TestPrivateLinksLeaveNoReferrer(t *testing.T) {
	w := newWorld(t)
	if got := w.browser("en").get("/r/" + candor.NewSecret()).Header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("Referrer-Policy is %q", got)
	}
}

func TestFormsFromOtherSitesAreRefused(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	// A browser on plain HTTP in a local network says only where it comes from.
	own, err := http.NewRequest(http.MethodPost, w.site.URL+"/requests/new", strings.NewReader("text=x&go=1"))
	w.must(err)
	own.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	own.Header.Set("Origin", w.site.URL)
	b.do(own).want(t, http.StatusOK)
	r, err := http.NewRequest(http.MethodPost, w.site.URL+"/requests/new", strings.NewReader("text=x&go=send"))
	w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://elsewhere.example")
	b.do(r).want(t, http.StatusForbidden, "came from another site")
}

func TestLanguageSwitchKeepsTheAddress(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	a := b.get("/archive?q=water&lang=es").want(t, 200, `<html lang="es">`)
	if got := a.Request.URL.RequestURI(); got != "/archive?q=water" {
		t.Errorf("led to %s", got)
	}
	b.get("/about").want(t, 200, `<html lang="es">`, "Acerca de este archivo")
	b.get("/about?lang=tlh").want(t, 200, `<html lang="es">`)
	// Never to another site.
	r, err := http.NewRequest(http.MethodGet, w.site.URL+"//elsewhere.example/?lang=en", nil)
	w.must(err)
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if loc := b.do(r).Header.Get("Location"); strings.HasPrefix(loc, "//") || strings.Contains(loc, "://") {
		t.Errorf("redirects to %q", loc)
	}
}

func TestCheckedFilesAreComparedWithTheLog(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	send := func(capture, name string, body []byte) answer {
		var buf bytes.Buffer
		m := multipart.NewWriter(&buf)
		w.must(m.WriteField("capture", capture))
		if name != "" {
			f, err := m.CreateFormFile("file", name)
			w.must(err)
			_, err = f.Write(body)
			w.must(err)
		}
		w.must(m.Close())
		r, err := http.NewRequest(http.MethodPost, w.site.URL+"/verify", &buf)
		w.must(err)
		r.Header.Set("Content-Type", m.FormDataContentType())
		r.Header.Set("Origin", w.site.URL)
		return b.do(r)
	}
	res, err := http.Get(w.site.URL + w.captureURL(w.capture) + "/screenshot.png")
	w.must(err)
	shot, err := io.ReadAll(res.Body)
	w.must(err)
	res.Body.Close()
	send(w.site.URL+w.captureURL(w.capture), "shot.png", shot).want(t, 200, "This file is unchanged", "Screenshot", candor.SHA256(shot))
	send(w.capture.ID, "shot.png", append(bytes.Clone(shot), 0)).want(t, 200, "not part of that capture")
	send(w.closed.ID, "shot.png", shot).want(t, 200, "no such public capture")
	send("nonsense", "", nil).want(t, http.StatusUnprocessableEntity, "Paste the address of a capture", "Choose the file", `href="#file"`)
	b.get("/verify").want(t, 200, "signed checkpoint", "<pre")
	b.get("/checkpoint").want(t, 200, "candor/")
}

func TestPagesAboutTheSite(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	b.get("/.well-known/security.txt").want(t, 200, "Contact: mailto:records@larkspur.example", "Expires: ")
	b.get("/healthz").want(t, 200, "ok")
	b.get("/readyz").want(t, 200, "ready")
	b.get("/accessibility").want(t, 200, "2.1 at level AA")
	home := b.get("/")
	css := regexp.MustCompile(`/static/[^"]+\.css`).FindAllString(home.body, -1)
	if len(css) != 2 {
		t.Fatalf("style sheets: %v", css)
	}
	for _, path := range css {
		a := b.get(path).want(t, 200)
		if !strings.Contains(a.Header.Get("Cache-Control"), "immutable") || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/css") {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
	b.get("/static/nothing.css").want(t, 404)
}

// The first view may weigh 150 KB before images, as it travels.
func TestFirstViewIsLight(t *testing.T) {
	w := newWorld(t)
	get := func(path string) int {
		r, err := http.NewRequest(http.MethodGet, w.site.URL+path, nil)
		w.must(err)
		r.Header.Set("Accept-Encoding", "gzip")
		res, err := (&http.Transport{DisableCompression: true}).RoundTrip(r)
		w.must(err)
		defer res.Body.Close()
		n, err := io.Copy(io.Discard, res.Body)
		w.must(err)
		if strings.HasSuffix(path, ".css") && res.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s is not compressed", path)
		}
		return int(n)
	}
	page := w.browser("en").get("/archive/" + w.post.ID).body
	total := get("/archive/" + w.post.ID)
	seen := map[string]bool{}
	for _, path := range regexp.MustCompile(`/static/[^")]+`).FindAllString(page, -1) {
		if seen[path] {
			continue
		}
		seen[path] = true
		total += get(path)
		if strings.HasSuffix(path, ".css") {
			for _, font := range regexp.MustCompile(`/static/[^")]+\.woff2`).FindAllString(w.browser("en").get(path).body, -1) {
				if !seen[font] {
					seen[font] = true
					total += get(font)
				}
			}
		}
	}
	t.Logf("first view: %d bytes in %d files", total, len(seen)+1)
	if total > 150_000 {
		t.Errorf("the first view weighs %d bytes", total)
	}
}
