package page

import (
	"context"
	"encoding/json"
	"fmt"
	"image/color"
	"net/http"
	"strings"
	"testing"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/browser"
)

// killingPool lends from the shared pool and kills the browser once the page's
// server was asked.
type killingPool struct{ asked <-chan struct{} }

func (p *killingPool) Borrow(ctx context.Context) (*browser.Lease, error) {
	l, err := pool.Borrow(ctx)
	if err == nil {
		go func() {
			<-p.asked
			l.Kill()
		}()
	}
	return l, err
}

func TestLazyImagesComeWithTheScrollPolicy(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><title>Lazy</title><style>*{margin:0}img,p{display:block;height:400px;width:400px}</style>`)
	for i := range 9 {
		fmt.Fprintf(&b, `<p>%d</p><img loading=lazy src="/i.png?%d">`, i, i)
	}
	b.WriteString(`<div id=end></div><script>let n=0;new IntersectionObserver(e=>{if(e[0].isIntersecting&&n++<3){const p=document.createElement('p');p.textContent='appended '+n;document.body.insertBefore(p,document.getElementById('end'))}}).observe(document.getElementById('end'))</script>`)
	s := site(t, map[string]any{"/": b.String(), "/i.png": served("image/png", picturePNG(10, 10, color.RGBA{255, 0, 0, 255}))})
	c := capture(t, s.URL+"/", scrolling)
	c.want(candor.Complete, "")
	img := c.picture()
	for i := range 9 {
		if r, g, _, _ := img.At(200, i*800+600).RGBA(); r != 0xffff || g != 0 {
			t.Errorf("image %d is not there", i)
		}
	}
	if !strings.Contains(c.read("text.txt"), "appended 1") {
		t.Error("what comes at the end of the page is not there")
	}
	c.same()
}

func TestTextAndLayoutSayWhatIsShownAndWhere(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": `<!DOCTYPE html><html lang="es"><title>  Aviso
		público </title><style>*{margin:0;font:20px/30px monospace}</style><h1>Junta de la ciudad</h1><p>El <b>martes</b> a las <i>6</i>, en la <a href="/sala">sala 2</a>.
		<p hidden>nunca<p style="visibility:hidden">jamás</p><img alt="Mapa" src="/m.png" width=40 height=40><div>línea uno<br>línea dos</div><x-c></x-c><iframe style="border:0;display:block" srcdoc="<p style='margin:0'>dentro"></iframe>
		<script>document.querySelector('x-c').attachShadow({mode:'closed'}).innerHTML='<p>raíz cerrada</p>'</script>`})
	for _, phone := range []bool{false, true} {
		var change []func(*candor.CaptureSpec, *Limits)
		if phone {
			change = append(change, onPhone)
		}
		c := capture(t, s.URL+"/", change...)
		text := c.read("text.txt")
		want := "Junta de la ciudad\nEl martes a las 6, en la sala 2.\nlínea uno\nlínea dos\nraíz cerrada\ndentro\n"
		if !phone && text != want {
			t.Errorf("the text is %q, want %q", text, want)
		}
		if c.Title != "Aviso público" || c.Language != "es" {
			t.Errorf("title %q, language %q", c.Title, c.Language)
		}
		var l Layout
		if err := json.Unmarshal([]byte(c.read("layout.json")), &l); err != nil {
			t.Fatal(err)
		}
		if len(l.Runs) == 0 || len(l.Links) != 1 || l.Links[0].URL != s.URL+"/sala" || len(l.Images) != 1 || l.Images[0].Alt != "Mapa" || l.Language != "es" {
			t.Fatalf("layout %+v", l)
		}
		for _, r := range l.Runs {
			if text[r.Start:r.End] != r.Text {
				t.Errorf("run %q is not at its place in the text", r.Text)
			}
		}
		if first := l.Runs[0].Box; first[0] != 0 || first[1] < 0 || first[1] > 10 || first[2] < 100 || first[3] > 40 {
			t.Errorf("the heading is at %v", first)
		}
		if l.Width != c.Viewport.Width && !phone {
			t.Errorf("width %d", l.Width)
		}
	}
}

func TestExchangesTellWhatWasExchangedWithoutSecrets(t *testing.T) {
	t.Parallel()
	body := "<!DOCTYPE html><title>X</title><p>x</p><img src=/a.png><img src='/a.png?again'><script src=/s.js></script>"
	s := site(t, map[string]any{
		"/start": func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "verysecret", Path: "/"})
			http.Redirect(w, r, "/page", http.StatusFound)
		},
		"/page":    body,
		"/a.png":   served("image/png", picturePNG(5, 5, color.RGBA{9, 9, 9, 255})),
		"/s.js":    served("text/javascript", []byte("fetch('/api',{headers:{Authorization:'Bearer verysecret'}})")),
		"/api":     served("application/json", []byte(`{"n":1}`)),
		"/big":     `<!DOCTYPE html><title>B</title><p>big</p><script>fetch('/big.bin').then(r=>r.arrayBuffer())</script>`,
		"/big.bin": served("application/octet-stream", []byte(strings.Repeat("x", 11<<20))),
	})
	c := capture(t, s.URL+"/start")
	c.want(candor.Complete, "")
	if c.FinalURL != s.URL+"/page" || c.HTTPStatus != 200 || c.RemoteAddr != strings.TrimPrefix(s.URL, "http://") {
		t.Errorf("final %s, status %d, address %s", c.FinalURL, c.HTTPStatus, c.RemoteAddr)
	}
	lines := c.exchanges()
	byURL := map[string]Exchange{}
	for _, x := range lines {
		byURL[strings.TrimPrefix(x.URL, s.URL)] = x
	}
	if x := byURL["/start"]; x.Status != 302 || x.RedirectTo != s.URL+"/page" {
		t.Errorf("the redirect is %+v", x)
	}
	if x := byURL["/page"]; x.Body == nil || x.Body.SHA256 != candor.SHA256([]byte(body)) || x.Body.Size != int64(len(body)) {
		t.Errorf("the page is %+v", x)
	}
	if x := byURL["/api"]; x.Status != 200 || x.Body == nil || c.read("bodies/"+x.Body.SHA256) != `{"n":1}` {
		t.Errorf("the fetch is %+v", x)
	}
	if a, b := byURL["/a.png"], byURL["/a.png?again"]; a.Body == nil || b.Body == nil || a.Body.SHA256 != b.Body.SHA256 {
		t.Errorf("the same image is %+v and %+v", a.Body, b.Body)
	}
	if c.Requests != len(lines) || len(lines) < 6 || len(byURL) > 7 { // Chrome may ask for an icon
		t.Errorf("%d requests, %d lines: %v", c.Requests, len(lines), byURL)
	}
	if strings.Contains(c.read("exchanges.jsonl"), "verysecret") {
		// The script that sends it is a body of its own; the headers must not hold it.
		t.Error("a credential is in the exchanges")
	}
	big := capture(t, s.URL+"/big")
	for _, x := range big.exchanges() {
		if !strings.HasSuffix(x.URL, "/big.bin") {
			continue
		}
		if x.Body == nil || !x.Body.Truncated || x.Body.Size != 10<<20 {
			t.Errorf("the big answer is %+v", x.Body)
		}
	}
}

func TestOtherThanHTMLIsCapturedAsChromeShowsIt(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{
		"/i.png":  served("image/png", picturePNG(300, 200, color.RGBA{0, 128, 0, 255})),
		"/t.txt":  served("text/plain; charset=utf-8", []byte("plain words\nsecond line")),
		"/j.json": served("application/json", []byte(`{"key":"value"}`)),
		"/v.svg":  served("image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100"><rect width="200" height="100" fill="red"/><text y="50">drawn</text></svg>`)),
	})
	for path, words := range map[string]string{"/i.png": "", "/t.txt": "second line", "/j.json": "value", "/v.svg": "drawn"} {
		c := capture(t, s.URL+path)
		c.want(candor.Complete, "")
		if !strings.Contains(c.read("text.txt"), words) {
			t.Errorf("%s: the text is %q", path, c.read("text.txt"))
		}
		c.same()
	}
}

func TestPartsThatServersFailToGiveMakeAPartialCapture(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": `<!DOCTYPE html><title>P</title><link rel=stylesheet href=/s.css><p>x`,
		"/s.css": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }})
	capture(t, s.URL+"/").want(candor.Partial, "could not be loaded")
}
