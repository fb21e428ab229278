package portal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal"
	"github.com/candor-archive/candor/portal/auth"
	"github.com/candor-archive/candor/portal/desk"
	"github.com/candor-archive/candor/portal/law"
	"github.com/candor-archive/candor/storage"
)

// world is a portal over a real archive in a temporary directory, holding a
// little of a city's life.
type world struct {
	t        *testing.T
	store    *storage.Store
	site     *httptest.Server
	exhibits *httptest.Server
	source   candor.Source
	secret   []byte
	desk     *desk.Desk

	post    candor.Record // live, edited once, with comments
	capture candor.Capture
	spanish candor.Record
	comment candor.Record
	hidden  candor.Record // a comment that was public and was then hidden
	private candor.Record // of a source that was never public
	closed  candor.Capture
}

var epoch = time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, secret: []byte(candor.NewSecret())}
	ctx := context.Background()
	var err error
	if w.store, err = storage.Open(ctx, storage.Config{Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	w.must(w.store.SaveAgency(ctx, candor.Agency{Name: "City of Larkspur", Short: "LPD", Email: "records@larkspur.example",
		Phone: "(713) 555-0142", Address: "1 Main Street, Larkspur, Texas", TimeZone: "America/Chicago", Jurisdiction: "us-tx", CreatedAt: epoch}, "test"))
	w.source = w.addSource("Larkspur Police Department", true)
	w.fill()
	w.serve()
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) addSource(name string, public bool) candor.Source {
	s := candor.Source{ID: candor.NewID(), Kind: candor.SourceFacebook, Name: name, URL: "https://social.example/" + candor.NewID()[:6], Language: "en",
		Public: public, Every: time.Hour, CreatedAt: epoch}
	w.must(w.store.AddSource(context.Background(), s, "", "test"))
	return s
}

func (w *world) record(source candor.Source, kind candor.RecordKind, author, lang string, thread string) candor.Record {
	r := candor.Record{ID: candor.NewID(), SourceID: source.ID, UID: candor.NewID(), Kind: kind, ThreadID: thread, Author: author, ByAgency: kind == candor.Post,
		URL: source.URL + "/posts/1", Language: lang, State: candor.Live, Visibility: candor.Public, PostedAt: epoch, FirstSeen: epoch.Add(time.Minute), LastSeen: epoch.Add(time.Hour)}
	if thread == "" {
		r.ThreadID = r.ID
	} else {
		r.ParentID = thread
	}
	return r
}

func revision(r candor.Record, n int, text string) *candor.Revision {
	return &candor.Revision{ID: candor.NewID(), RecordID: r.ID, N: n, Text: text, ContentHash: candor.HashContent(text, nil), SeenAt: epoch.Add(time.Duration(n) * time.Minute), How: "listed"}
}

func (w *world) sweep(source candor.Source, at time.Time, changes ...candor.Change) {
	w.t.Helper()
	w.must(w.store.ApplySweep(context.Background(), candor.Sweep{SourceID: source.ID, At: at, NextAt: at.Add(time.Hour), Changes: changes,
		Account: &candor.Account{ID: "acc-" + source.ID, Platform: "facebook", PlatformID: "1", Name: source.Name, URL: source.URL, FirstSeen: epoch}}))
}

func (w *world) fill() {
	w.post = w.record(w.source, candor.Post, "Larkspur Police Department", "en", "")
	w.spanish = w.record(w.source, candor.Post, "Larkspur Police Department", "es", "")
	w.comment = w.record(w.source, candor.Comment, "Dana Whitfield", "en", w.post.ID)
	w.hidden = w.record(w.source, candor.Comment, "Someone Cross", "en", w.spanish.ID)
	w.sweep(w.source, epoch.Add(time.Minute),
		candor.Change{Record: w.post, Revision: revision(w.post, 1, "Elm Street is closed between 3rd and 5th for a water main repair until Friday.")},
		candor.Change{Record: w.spanish, Revision: revision(w.spanish, 1, "La calle Elm está cerrada por una reparación de la tubería de agua.")},
		candor.Change{Record: w.comment, Revision: revision(w.comment, 1, "Thank you for the heads-up. <script>alert(1)</script>")},
		candor.Change{Record: w.hidden, Revision: revision(w.hidden, 1, "unprintable words nobody should find")},
	)
	edited := w.post
	edited.State = candor.Edited
	w.sweep(w.source, epoch.Add(2*time.Hour), candor.Change{Record: edited, Revision: revision(w.post, 2, "Elm Street is closed between 3rd and 6th for a water main repair until Monday.")})
	w.commit(w.source, w.post, "Elm Street is closed", candor.Partial)
	gone := w.hidden
	gone.State = candor.Hidden
	w.sweep(w.source, epoch.Add(3*time.Hour), candor.Change{Record: gone})
	w.capture = w.commit(w.source, w.post, "Elm Street is closed", candor.Complete)

	staff := w.addSource("Internal page", false)
	w.private = w.record(staff, candor.Post, "Someone", "en", "")
	w.sweep(staff, epoch.Add(time.Minute), candor.Change{Record: w.private, Revision: revision(w.private, 1, "confidential words about the budget")})
	w.closed = w.commit(staff, w.private, "confidential title", candor.Complete)
}

// picture draws a page nobody would take for anything else.
func picture(width, height int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{0xff, 0xff, 0xff, 0xff}
			if y < height/8 {
				c = color.RGBA{0x24, 0x4b, 0x7a, 0xff}
			} else if y%40 < 12 && x > width/8 && x < width*7/8 {
				c = color.RGBA{0xc9, 0xcd, 0xd2, 0xff}
			}
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // into memory
	}
	return b.Bytes()
}

const hostile = `<!DOCTYPE html><title>x</title><script>document.title="owned"</script><p>Elm Street is closed</p>`

// file is one file of a capture with its bytes.
type file struct {
	candor.File
	body []byte
}

func (w *world) commit(source candor.Source, r candor.Record, title string, outcome candor.Outcome, change ...func(m *candor.Manifest, files []file) []file) candor.Capture {
	w.t.Helper()
	dir := w.t.TempDir()
	spec := candor.CaptureSpec{ID: candor.NewID(), URL: r.URL, Profile: candor.Desktop, Policy: candor.PolicyLoad, SourceID: source.ID, RecordID: r.ID, Why: "new", ScheduledAt: epoch}
	m := candor.Manifest{Version: 1, ID: spec.ID, URL: spec.URL, FinalURL: spec.URL, Title: title, Outcome: outcome, HTTPStatus: 200, Profile: spec.Profile, Policy: spec.Policy,
		Viewport: candor.Viewport{Width: 1280, Height: 800, Scale: 1}, PageHeight: 960, Scheduled: epoch, Started: epoch.Add(time.Minute), Navigated: epoch.Add(time.Minute),
		Settled: epoch.Add(time.Minute), Shot: epoch.Add(time.Minute), Finished: epoch.Add(2 * time.Minute), Browser: "Chromium 156", Software: "candor/0.1",
		Steps: []candor.Step{{Name: "navigate", Outcome: candor.StepDone, Duration: 830 * time.Millisecond}, {Name: "settle", Outcome: candor.StepDone, Duration: time.Second}}, Requests: 12}
	files := []file{
		{candor.File{Kind: candor.Screenshot, Path: "screenshot.png", MediaType: "image/png", Width: 640, Height: 480}, picture(640, 480)},
		{candor.File{Kind: candor.Thumbnail, Path: "thumbnail.png", MediaType: "image/png", Width: 320, Height: 240}, picture(320, 240)},
		{candor.File{Kind: candor.Snapshot, Path: "snapshot.html", MediaType: "text/html"}, []byte(hostile)},
		{candor.File{Kind: candor.Text, Path: "text.txt", MediaType: "text/plain"}, []byte("Elm Street is closed\nThank you for the heads-up.")},
		{candor.File{Kind: candor.Exchanges, Path: "exchanges.jsonl", MediaType: "application/x-ndjson"}, []byte(`{"url":"https://social.example/","secretish":"exchange words"}`)},
	}
	for _, c := range change {
		files = c(&m, files)
	}
	for _, f := range files {
		at := filepath.Join(dir, filepath.FromSlash(f.Path))
		w.must(os.MkdirAll(filepath.Dir(at), 0o700))
		w.must(os.WriteFile(at, f.body, 0o600))
		f.SHA256, f.Size = candor.SHA256(f.body), int64(len(f.body))
		m.Files = append(m.Files, f.File)
	}
	b, err := json.Marshal(m)
	w.must(err)
	w.must(os.WriteFile(filepath.Join(dir, "manifest.json"), b, 0o600))
	c, err := w.store.CommitCapture(context.Background(), spec, m, dir)
	w.must(err)
	return c
}

// serve starts both origins. Their addresses have to be known before the portal
// is made, so each server begins with a handler that asks for the real one.
func (w *world) serve() {
	var site, exhibits http.Handler
	w.site = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { site.ServeHTTP(rw, r) }))
	w.exhibits = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { exhibits.ServeHTTP(rw, r) }))
	w.t.Cleanup(w.site.Close)
	w.t.Cleanup(w.exhibits.Close)
	log := slog.New(slog.NewTextHandler(testWriter{w.t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	w.desk = desk.New(desk.Config{Store: w.store, Law: law.Load, BaseURL: w.site.URL, Log: log, LinkFloor: time.Millisecond})
	server, err := portal.New(portal.Config{
		Store: w.store, Public: w.store.Public(),
		Desk:     w.desk,
		Sessions: auth.NewSessions(auth.Config{Store: w.store, BaseURL: w.site.URL, Log: log}),
		BaseURL:  w.site.URL, ExhibitURL: w.exhibits.URL, Secret: w.secret, Now: time.Now, Log: log,
	})
	w.must(err)
	site, exhibits = server.Site, server.Exhibits
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// browser is a person's browser: it keeps cookies and follows redirects.
type browser struct {
	*world
	client *http.Client
	lang   string
}

func (w *world) browser(lang string) *browser {
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &browser{world: w, client: &http.Client{Jar: jar, Timeout: 30 * time.Second}, lang: lang}
}

// answer is a page as it came.
type answer struct {
	*http.Response
	body string
}

func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	r.Header.Set("Accept-Language", b.lang)
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(res.Body); err != nil {
		b.t.Fatal(err)
	}
	return answer{res, buf.String()}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, b.site.URL+path, nil)
	b.must(err)
	return b.do(r)
}

func (b *browser) post(path string, form url.Values) answer {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.site.URL+path, strings.NewReader(form.Encode()))
	b.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.site.URL)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

func (a answer) want(t *testing.T, status int, words ...string) answer {
	t.Helper()
	if a.StatusCode != status {
		_, main, _ := strings.Cut(a.body, "<main")
		t.Fatalf("%s %s: status %d, want %d\n%.600s", a.Request.Method, a.Request.URL, a.StatusCode, status, main)
	}
	for _, s := range words {
		if !strings.Contains(a.body, s) {
			t.Errorf("%s %s: %q is not on the page", a.Request.Method, a.Request.URL, s)
		}
	}
	return a
}

func (a answer) without(t *testing.T, words ...string) answer {
	t.Helper()
	for _, s := range words {
		if strings.Contains(a.body, s) {
			t.Errorf("%s %s: %q must not be there", a.Request.Method, a.Request.URL, s)
		}
	}
	return a
}

func (w *world) captureURL(c candor.Capture) string {
	return fmt.Sprintf("/archive/%s/captures/%s", c.RecordID, c.ID)
}

func (w *world) person(email string, role candor.Role) candor.Principal {
	u := candor.User{ID: candor.NewID(), Email: email, Name: email, Roles: []candor.Role{role}, PasswordHash: "x", Language: "en", CreatedAt: epoch}
	w.must(w.store.CreateUser(context.Background(), u, "test"))
	return u.Principal()
}
