package page

import (
	"fmt"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/candor-archive/candor"
)

func (c captured) rendition(name string) candor.RenditionAccount {
	c.t.Helper()
	for _, a := range c.Renditions {
		if a.Name == name {
			return a
		}
	}
	c.t.Fatalf("no rendition %s among %+v", name, c.Renditions)
	return candor.RenditionAccount{}
}

func (c captured) of(rendition string, kind candor.ArtefactKind) candor.File {
	c.t.Helper()
	for _, f := range c.Files {
		if f.Rendition == rendition && f.Kind == kind {
			return f
		}
	}
	c.t.Errorf("the rendition %q has no %s", rendition, kind)
	return candor.File{}
}

func (c captured) colour(path string, x, y int) string {
	c.t.Helper()
	f, err := os.Open(filepath.Join(c.dir, path))
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		c.t.Fatal(err)
	}
	r, g, b, _ := img.At(x, y).RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

func phone(r *http.Request) bool { return strings.Contains(r.UserAgent(), "Mobile") }

func TestFurtherRenditionIsOneMoreVisitOfTheSameCapture(t *testing.T) {
	t.Parallel()
	var visits atomic.Int64
	s := site(t, map[string]any{
		"/{$}": func(w http.ResponseWriter, r *http.Request) {
			visits.Add(1)
			w.Header().Set("Content-Type", "text/html")
			seen, own := "desktop", ""
			if _, err := r.Cookie("seen"); err == nil {
				seen = "again"
			}
			if phone(r) {
				own = `<link rel="stylesheet" href="/phone.css">`
				seen = strings.Replace(seen, "desktop", "phone", 1)
			}
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
			fmt.Fprintf(w, `<!DOCTYPE html><meta name="viewport" content="width=device-width"><title>T</title><link rel="stylesheet" href="/all.css">%s<p>Seen on a %s`, own, seen)
		},
		"/all.css": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/css")
			fmt.Fprint(w, "body{margin:0;background:#112233;color:#fff}")
		},
		"/phone.css": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/css")
			fmt.Fprint(w, "body{background:#445566}")
		},
	})
	c := captureWith(t, renderer(checkAll), candor.CaptureSpec{URL: s.URL, Also: []candor.Profile{candor.Mobile, candor.Desktop, candor.Mobile}})
	c.want(candor.Complete, "")
	if n := visits.Load(); n != 2 {
		t.Errorf("%d visits, want 2: a profile named twice is one rendition", n)
	}
	if text := c.read(textName); !strings.Contains(text, "Seen on a desktop") || c.colour(screenshotName, 5, 700) != "#112233" {
		t.Errorf("the capture proper says %q", text)
	}
	if text := c.read("mobile/text.txt"); !strings.Contains(text, "Seen on a phone") {
		t.Errorf("the mobile rendition says %q", text)
	}
	if got := c.colour("mobile/screenshot.png", 5, 700); got != "#445566" {
		t.Errorf("the mobile picture is %s", got)
	}
	shot := c.of("mobile", candor.Screenshot)
	if shot.Width != 780 || shot.Path != "mobile/screenshot.png" {
		t.Errorf("the mobile picture is %+v", shot)
	}
	for _, kind := range []candor.ArtefactKind{candor.Snapshot, candor.Text, candor.Layout, candor.Thumbnail, candor.Exchanges} {
		c.of("mobile", kind)
	}
	if f, ok := c.File(candor.Screenshot); !ok || f.Width != 1280 {
		t.Errorf("the capture proper's picture is %+v", f)
	}
	a := c.rendition("mobile")
	if a.Outcome != candor.Complete || a.Profile != candor.Mobile || !a.Viewport.Mobile || !strings.Contains(a.UserAgent, "Mobile") || a.HTTPStatus != 200 || len(a.Steps) < 5 || a.Shot.IsZero() {
		t.Errorf("account %+v", a)
	}
	bodies := map[string]int{}
	for i, f := range c.Files {
		if f.Kind == candor.Body {
			bodies[f.Path]++
			if !strings.HasPrefix(f.Path, "bodies/") || bodies[f.Path] > 1 {
				t.Errorf("body %+v", f)
			}
		}
		if f.Rendition == "" && i > 0 && c.Files[i-1].Rendition != "" {
			t.Errorf("%s of the capture proper comes after files of renditions", f.Path)
		}
	}
	for line := range strings.Lines(c.read("mobile/exchanges.jsonl")) {
		if _, after, ok := strings.Cut(line, `"sha256":"`); ok {
			if sha, _, _ := strings.Cut(after, `"`); bodies["bodies/"+sha] != 1 {
				t.Errorf("the body of a mobile exchange is not kept: %s", line)
			}
		}
	}
	if c.Check == nil || c.Check.Differing != 0 {
		t.Errorf("check %+v", c.Check)
	}
}

func TestRenditionThatFailsIsAGapAndNoMore(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": func(w http.ResponseWriter, r *http.Request) {
		if phone(r) {
			http.Error(w, "no phones", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, plainPage)
	}})
	c := captureWith(t, renderer(), candor.CaptureSpec{URL: s.URL, Also: []candor.Profile{candor.Mobile}})
	c.want(candor.Partial, "the mobile rendition failed (the server answered 503")
	if len(c.Gaps) != 1 || c.Gaps[0].Code != candor.GapRendition || c.Gaps[0].Detail != "mobile" || c.HTTPStatus != 200 {
		t.Errorf("gaps %+v, status %d", c.Gaps, c.HTTPStatus)
	}
	if a := c.rendition("mobile"); a.Outcome != candor.Failed || a.HTTPStatus != 503 || len(a.Gaps) != 1 {
		t.Errorf("account %+v", a)
	}
	if _, ok := c.File(candor.Snapshot); !ok {
		t.Error("the capture proper lacks its snapshot")
	}
}

func TestRenditionThatHangsIsEndedAndTheBrowserReplaced(t *testing.T) {
	s := site(t, map[string]any{"/": func(w http.ResponseWriter, r *http.Request) {
		if phone(r) {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, plainPage)
	}})
	c := captureWith(t, renderer(checkAll, func(r *Renderer) { r.Limits.Rendition = 1500e6 }), candor.CaptureSpec{URL: s.URL, Also: []candor.Profile{candor.Mobile}})
	c.want(candor.Partial, "the mobile rendition failed")
	if c.Check == nil || c.Check.Differing != 0 {
		t.Errorf("the check after it came to %+v", c.Check)
	}
}

const bannerPage = `<!DOCTYPE html><html lang="es"><title>Banner</title><style>body{margin:0;background:#fff;height:1200px}
	#aviso{position:fixed;left:0;right:0;bottom:0;height:200px;background:#b00020;color:#fff}
	#onetrust-banner-sdk{position:fixed;left:0;top:0;width:300px;height:100px;background:#00b020}
	#login{position:fixed;right:0;top:0;width:300px;height:100px;background:#0020b0;color:#fff}
	@keyframes go{from{transform:none}to{transform:translateX(600px)}} #box{margin-top:300px;width:100px;height:100px;background:#111;animation:go 100s linear forwards}
	@keyframes turn{to{rotate:1turn}} #spin{width:40px;height:40px;background:#999;animation:turn 1s linear infinite}</style>
	<div id="onetrust-banner-sdk">We value your privacy <button id="onetrust-reject-all-handler" onclick="this.parentNode.remove(); document.title='refused'">Reject all</button></div>
	<div id="login">Sign in <button onclick="location='/signed-in'">OK</button></div>
	<div id="aviso">Usamos cookies para mejorar su visita. <a href="/politica">Política</a> <button onclick="document.title='accepted'">Aceptar todas</button></div>
	<div id="box"></div><div id="spin"></div>`

func TestCleanedPictureIsALabelledExtraAndTheEvidenceStays(t *testing.T) {
	t.Parallel()
	var others atomic.Int64
	s := site(t, map[string]any{"/{$}": bannerPage, "/": func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/favicon.ico" {
			others.Add(1)
		}
	}})
	c := captureWith(t, renderer(), candor.CaptureSpec{URL: s.URL, Cleaned: true})
	c.want(candor.Complete, "")
	a := c.rendition(candor.RenditionCleaned)
	said := strings.Join(a.Altered, "; ")
	for _, want := range []string{"clicked “Reject all” of the banner of OneTrust", "hid what asks for consent to cookies (div#aviso)", "ended 1 animation", "stopped 1 endless animation"} {
		if !strings.Contains(said, want) {
			t.Errorf("altered: %s; want %q among it", said, want)
		}
	}
	if len(a.Altered) != 4 || a.Outcome != candor.Complete {
		t.Errorf("account %+v", a)
	}
	shot := c.of(candor.RenditionCleaned, candor.Screenshot)
	c.of(candor.RenditionCleaned, candor.Thumbnail)
	for _, at := range []struct {
		name          string
		x, y          int
		proper, clean string
	}{
		{"the banner in Spanish", 900, 780, "#b00020", "#ffffff"},
		{"the known banner", 250, 90, "#00b020", "#ffffff"},
		{"what asks to sign in", 1200, 90, "#0020b0", "#0020b0"},
		{"the end of the animation", 650, 350, "#ffffff", "#111111"},
	} {
		if got := c.colour(screenshotName, at.x, at.y); got != at.proper {
			t.Errorf("%s: the evidence is %s, want %s", at.name, got, at.proper)
		}
		if got := c.colour(shot.Path, at.x, at.y); got != at.clean {
			t.Errorf("%s: the cleaned picture is %s, want %s", at.name, got, at.clean)
		}
	}
	if c.Title != "Banner" || strings.Contains(c.read(snapshotName), "refused") {
		t.Error("the evidence holds what was done for the cleaned picture")
	}
	if others.Load() != 0 {
		t.Error("a link or another button was followed")
	}
}
