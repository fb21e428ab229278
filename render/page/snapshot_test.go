package page

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"

	"github.com/candor-archive/candor"
)

// offline opens a snapshot from the disk with scripts off and gives its picture
// and every request that it made.
func (c captured) offline() (image.Image, []string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	lease, err := pool.Borrow(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	defer lease.Return(false)
	dir := c.t.TempDir()
	out, err := newExchangeWriter(ctx, dir, lease.Target, 1<<20)
	if err != nil {
		c.t.Fatal(err)
	}
	defer out.close()
	s := &session{spec: candor.CaptureSpec{URL: "file://" + filepath.Join(c.dir, "snapshot.html"), Profile: c.Profile}, dir: dir, limits: Limits{}.withDefaults(), now: time.Now,
		log: testLog(c.t), lease: lease, m: &candor.Manifest{Viewport: c.Viewport, UserAgent: c.UserAgent}}
	s.rec = newRecorder(lease.Proxy, lease.Visit, s.limits, out)
	var mu sync.Mutex
	var asked []string
	if err := lease.Listen(func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		if e, ok := ev.(*network.EventRequestWillBeSent); ok && !strings.HasPrefix(e.Request.URL, "data:") && e.Request.URL != s.spec.URL {
			asked = append(asked, e.Request.URL)
		}
	}); err != nil {
		c.t.Fatal(err)
	}
	if err := s.open(ctx); err != nil {
		c.t.Fatal(err)
	}
	if _, err := cdp.Call(ctx, lease.Target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		c.t.Fatal(err)
	}
	if _, err := cdp.Call(ctx, lease.Target, cdppage.Navigate, cdppage.NavigateParams{URL: s.spec.URL}); err != nil {
		c.t.Fatal(err)
	}
	if err := s.poll(ctx, 30*time.Second, func() bool { return s.rec.state().loaded }); err != nil {
		c.t.Fatalf("the snapshot did not load: %v", err)
	}
	if err := s.poll(ctx, 30*time.Second, func() bool { d, _ := s.rec.quietFor(); return d > 200*time.Millisecond }); err != nil {
		c.t.Fatal(err)
	}
	if _, _, err := s.shoot(ctx); err != nil {
		c.t.Fatal(err)
	}
	if keep := os.Getenv("CANDOR_KEEP"); keep != "" {
		if b, err := os.ReadFile(filepath.Join(dir, "screenshot.png")); err == nil {
			os.WriteFile(filepath.Join(c.dir, "offline.png"), b, 0o644)
		}
	}
	f, err := os.Open(filepath.Join(dir, "screenshot.png"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		c.t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	return img, asked
}

// differing counts the pixels in which two pictures differ, or says that their
// sizes do.
func differing(a, b image.Image) (int, string) {
	if a.Bounds() != b.Bounds() {
		return -1, fmt.Sprintf("sizes %v and %v", a.Bounds().Size(), b.Bounds().Size())
	}
	n, where := 0, image.Rectangle{}
	for y := range a.Bounds().Dy() {
		if p, q := row(a, y), row(b, y); p != nil && bytes.Equal(p, q) {
			continue // nearly always, and pixel by pixel is slow under the race detector
		}
		for x := range a.Bounds().Dx() {
			p, q := color.RGBAModel.Convert(a.At(x, y)).(color.RGBA), color.RGBAModel.Convert(b.At(x, y)).(color.RGBA)
			if d := max(abs(int(p.R)-int(q.R)), abs(int(p.G)-int(q.G)), abs(int(p.B)-int(q.B))); d > 8 {
				n++
				where = where.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return n, where.String()
}

// row gives the bytes of a row of a picture as PNG files are decoded, or nil.
func row(img image.Image, y int) []byte {
	switch p := img.(type) {
	case *image.RGBA:
		return p.Pix[y*p.Stride : (y+1)*p.Stride]
	case *image.NRGBA:
		return p.Pix[y*p.Stride : (y+1)*p.Stride]
	}
	return nil
}

// same checks that the snapshot, opened without network and scripts, looks like
// the picture and asks for nothing.
func (c captured) same() {
	c.t.Helper()
	img, asked := c.offline()
	if len(asked) > 0 {
		c.t.Errorf("the snapshot asked for %v", asked)
	}
	if n, where := differing(c.picture(), img); n != 0 {
		c.t.Errorf("the snapshot differs from the picture in %d pixels (%s)", n, where)
	}
	html := c.read("snapshot.html")
	if m := regexp.MustCompile(`(?i)<script(?: type="text/plain"[^>]*)?>[^<]`).FindString(html); m != "" {
		c.t.Errorf("a script is left: %q", m)
	}
}

func picturePNG(w, h int, c color.Color) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		img.Set(i%w, i/w, c)
	}
	var b strings.Builder
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return []byte(b.String())
}

func served(kind string, body []byte) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Write(body)
	}
}

var snapshotPages = map[string]string{
	"grid": `<style>body{display:grid;grid-template-columns:1fr 2fr;gap:10px;font:16px sans-serif}div{background:#cde;padding:1em}div:nth-child(3n){background:#fc8}</style>
		<div>one</div><div>two &lt;b&gt;</div><div>three</div><div style="background:url(/red.png)">four</div>`,
	"sheets": `<link rel=stylesheet href="/a.css"><link rel=stylesheet href="/off.css" disabled><style>@import "/b.css"; .x{color:green}</style><p class=x>words</p><p class=y>more</p><p class=z>last</p>
		<script>document.styleSheets[0].insertRule('.z{border:5px solid purple}')</script>`,
	"shadow": `<x-open></x-open><x-closed></x-closed><style>p{color:red}</style><p>outside</p><script>
		customElements.define('x-open', class extends HTMLElement { constructor() { super(); this.attachShadow({mode:'open'}).innerHTML='<style>p{color:blue;font-size:30px}</style><p>open</p><slot></slot>'; } });
		customElements.define('x-closed', class extends HTMLElement { constructor() { super(); this.attachShadow({mode:'closed'}).innerHTML='<style>:host{display:block;background:#ffc}p{color:green;font-size:40px}</style><p>closed</p><x-open>in</x-open>'; } });</script>
		<style>x-open:not(:defined){display:none}</style>`,
	// With little but a field for a password a page is taken for a login wall.
	"form": "<p>" + strings.Repeat("A page of the town with words enough of its own. ", 12) + `<form action="/go"><input id=t value=old><input type=checkbox id=c><input type=radio name=r><input type=radio name=r id=r2><textarea id=a>was</textarea>
		<select id=s><option>1<option>2<option>3</select><input type=password id=p><input type=range id=g><progress value=.4></progress></form><script>
		t.value='typed <here> "now"';c.checked=true;r2.checked=true;a.value='\nline one\nline two';s.value='3';p.value='secret';g.value=80</script>`,
	"images": `<img src="/red.png" srcset="/blue.png 2x, /blue.png 1x"><picture><source srcset="/blue.png" media="(min-width:100px)" width=90 height=45><img src="/red.png"></picture>
		<img src="/blue.png" srcset="/blue.png 3x"><img src="/missing.png" alt="gone"><svg width=60 height=60><image href="/red.png" width=50 height=50 /><use href="/icons.svg#dot"/></svg>
		<img srcset="/blue2.png 2x" src="/red.png"><input type=image src="/red.png"><img src="/moved.png">`,
	"frames": `<h1>Outer</h1><iframe src="/inner" width=400 height=200></iframe><iframe srcdoc="<p style='color:red'>doc &quot;quoted&quot; &amp; <b>bold</b>" style="border:3px dashed blue"></iframe>`,
	"canvas": `<canvas id=c width=200 height=100 style="border:2px solid"></canvas> text <canvas id=e width=50 height=20></canvas><script>
		const x=c.getContext('2d');x.fillStyle='orange';x.fillRect(10,10,100,50);x.fillStyle='navy';x.fillText('drawn',120,50)</script>`,
	"adopted": `<p class=a>adopted</p><div id=h></div><style>.a{color:red}</style><script>
		const s=new CSSStyleSheet();s.replaceSync('.a{color:teal;font-size:50px;background:url(/red.png)}');document.adoptedStyleSheets=[s];
		const r=h.attachShadow({mode:'open'});r.innerHTML='<p class=a>inside</p>';r.adoptedStyleSheets=[s]</script>`,
	"font": `<style>@font-face{font-family:F;src:url(/font.woff2)}p{font:40px F, monospace}</style><p>Set in a face of the web</p>`,
	"noscript": `<p>before</p><noscript><p style="font-size:80px">No script!</p></noscript><script>document.write('<p>written</p>')</script><pre>

two lines down</pre><base href="/elsewhere/"><meta http-equiv=refresh content="3600;url=/x"><a href="rel">link</a><a href="javascript:alert(1)" onclick="alert(2)">no</a>`,
	"scrolled":  `<div id=b style="height:200px;width:300px;overflow:auto;border:3px solid"><div style="height:2000px;background:linear-gradient(red,blue)">top</div></div><script>b.scrollTop=700</script>`,
	"animation": `<style>@keyframes m{from{transform:translateX(0);opacity:.2}to{transform:translateX(800px);opacity:1}}div{width:100px;height:100px;background:green;animation:m 20s linear infinite alternate}</style><div></div>`,
	"state":     `<style>input:focus{background:yellow}p:target{color:red}form:focus-within{border:4px solid lime}dialog::backdrop{background:rgba(0,0,0,.5)}</style><form><input id=i></form><p>words</p><dialog id=d>Are you sure?<button>Yes</button></dialog><script>d.showModal()</script>`,
	"quirks":    "",
}

func TestSnapshotLooksLikeThePicture(t *testing.T) {
	t.Parallel()
	font := firstFont(t)
	pages := map[string]any{
		"/red.png": served("image/png", picturePNG(50, 50, color.RGBA{255, 0, 0, 255})), "/blue.png": served("image/png", picturePNG(90, 30, color.RGBA{0, 0, 255, 255})),
		"/blue2.png": served("image/png", picturePNG(200, 80, color.RGBA{0, 128, 255, 255})),
		"/moved.png": http.RedirectHandler("/blue.png", http.StatusFound),
		"/a.css":     served("text/css", []byte(`.x{font-size:30px;background:url("red.png") no-repeat;--v:1px 2px;padding:var(--v)}</style>`)),
		"/off.css":   served("text/css", []byte(`p{display:none}`)),
		"/b.css":     served("text/css", []byte(`@import url(c.css) screen;.y{border:10px solid;border-image:url(red.png) 10}`)),
		"/c.css":     served("text/css", []byte(`.y{letter-spacing:5px}`)),
		"/icons.svg": served("image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><symbol id="dot" viewBox="0 0 10 10"><circle cx="5" cy="5" r="4" fill="lime"/></symbol></svg>`)),
		"/inner":     `<!DOCTYPE html><style>body{background:#eee}</style><p>Inner words</p><img src="/red.png"><x-y></x-y><script>document.querySelector('x-y').attachShadow({mode:'closed'}).innerHTML='<b>hidden root</b>'</script>`,
		"/font":      served("font/ttf", font), "/font.woff2": served("font/ttf", font),
	}
	for name, body := range snapshotPages {
		pages["/page/"+name] = `<!DOCTYPE html><html lang="es"><head><meta charset="utf-8"><title>` + name + `</title></head><body>` + body
	}
	pages["/page/quirks"] = `<title>quirks</title><table><tr><td>in quirks mode</table><iframe src="/page/grid"></iframe><iframe src="/page/none"></iframe>`
	pages["/page/none"] = `<p style="width:100">quirky</p>`
	s := site(t, pages)
	for name := range snapshotPages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := capture(t, s.URL+"/page/"+name)
			c.want(candor.Complete, "")
			c.same()
			if strings.Contains(c.read("snapshot.html"), "secret") {
				t.Error("the snapshot holds a password")
			}
		})
	}
}

func firstFont(t *testing.T) []byte {
	t.Helper()
	for _, pattern := range []string{"/usr/share/fonts/truetype/dejavu/DejaVuSerif-Bold.ttf", "/usr/share/fonts/*/*/*.ttf"} {
		names, _ := filepath.Glob(pattern)
		for _, n := range names {
			if b, err := os.ReadFile(n); err == nil {
				return b
			}
		}
	}
	t.Fatal("no font is installed to serve to the page")
	return nil
}

func TestSnapshotSaysWhatItIs(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": `<!DOCTYPE html><title>T</title><a href="/next">next</a><p>x`})
	c := capture(t, s.URL+"/")
	html := c.read("snapshot.html")
	for _, want := range []string{"<!-- candor: the page " + s.URL + "/ as it was at ", c.ID, `Content-Security-Policy" content="default-src 'none'`, `data-candor-href="` + s.URL + `/next"`} {
		if !strings.Contains(html, want) {
			t.Errorf("the snapshot does not say %q", want)
		}
	}
}

func TestStyleSheetsAreRewritten(t *testing.T) {
	resource := func(u string) string { return "data:x," + base64.RawURLEncoding.EncodeToString([]byte(u)) }
	in := func(u string) string { return `url("` + resource(u) + `")` }
	once := func(u string) string { return "once:" + in(u) } // where var() would mean nothing
	rewriter := cssRewriter{asked: map[string]bool{"href": true, "on": true}, sheet: func(u string) string { return "data:text/css," + u[len(u)-1:] }, resource: func(u string, mayShare bool) string {
		if !mayShare {
			return once(u)
		}
		return in(u)
	}}
	for name, c := range map[string]struct{ in, want string }{
		"unquoted":       {`a{b:url( x.png )}`, `a{b:` + in("http://h/d/x.png") + `}`},
		"quoted":         {`a{b:URL('x\).png')}`, `a{b:` + in("http://h/d/x%29.png") + `}`},
		"image-set":      {`a{b:image-set("x.png" 1x, url(y) 2x)}`, `a{b:image-set(` + in("http://h/d/x.png") + ` 1x, ` + in("http://h/d/y") + ` 2x)}`},
		"string kept":    {`a{content:"url(x)" 'b'}`, `a{content:"url(x)" 'b'}`},
		"comment kept":   {`/* url(x) */a{}`, `/* url(x) */a{}`},
		"fragment":       {`a{filter:url(#f)}`, `a{filter:url("#f")}`},
		"import":         {`@import 'x' layer(y) screen;`, `@import url("data:text/css,x") layer(y) screen;`},
		"import url":     {`@import url(z);`, `@import url("data:text/css,z");`},
		"charset":        {`@charset "latin1";a{}`, `a{}`},
		"namespace":      {`@namespace url(http://n);`, `@namespace url(http://n);`},
		"state":          {`a:focus-within b::before{c:d}`, `a[data-candor-mark~="focus-within"] b::before{c:d}`},
		"not a state":    {`a{animation-name:focus-within;b:c}`, `a{animation-name:focus-within;b:c}`},
		"custom state":   {`:host(:state(on)) a:state( x-y ){c:d}`, `:host([data-candor-mark~="state-on"]) a[data-candor-mark~="state-x-y"]{c:d}`},
		"font":           {`@font-face{src:url(x)}b{c:url(y)}`, `@font-face{src:` + once("http://h/d/x") + `}b{c:` + in("http://h/d/y") + `}`},
		"layered import": {`@import 'x' layer(a.b) supports(display:grid) screen;`, `@import url("data:text/css,x") layer(a.b) supports(display:grid) screen;`},
		"typed set":      {`a{b:image-set("x" type("image/avif") 1x)}`, `a{b:image-set(` + in("http://h/d/x") + ` type("image/avif") 1x)}`},
		"asked":          {`a[href^="/"]::after{content:attr(href)} [ onclick ]{b:c} [class]{d:[href]}`, `a[data-candor-was-href^="/"]::after{content:attr(data-candor-was-href)} [ data-candor-was-onclick ]{b:c} [class]{d:[href]}`},
		"escaped name":   {`a{b:u\72 l(x.png)}`, `a{b:` + in("http://h/d/x.png") + `}`},
		"escaped import": {`@\69mport "x";`, `@import url("data:text/css,x");`},
		"escaped at end": {`a{b:\`, `a{b:\`},
		"scripting":      {`@media (scripting: none){a{}}`, `@media (max-width:0px){a{}}`},
		"name like url":  {`a{b:myurl(x)}`, `a{b:myurl(x)}`},
		"broken at end":  {`a{b:url(x`, `a{b:url(x`},
		"escaped letter": {`a{b:url(\78.png)}`, `a{b:` + in("http://h/d/x.png") + `}`},
	} {
		// An address of the resource may be normalised, so compare what it stands for.
		got := rewriter.rewrite(c.in, "http://h/d/s.css")
		if name == "quoted" {
			got = strings.Replace(got, resource("http://h/d/x).png"), resource("http://h/d/x%29.png"), 1)
		}
		if got != c.want {
			t.Errorf("%s: %s\n got %s\nwant %s", name, c.in, got, c.want)
		}
	}
}
