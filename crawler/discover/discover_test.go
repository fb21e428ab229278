package discover

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/transport"
)

// site is a website whose pages a test decides.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]string // path -> body; "404", "410", "500", "-> /x" and "@type body" are special
	asked []string
	agent string
}

func newSite(t *testing.T, pages map[string]string) *site {
	s := &site{pages: pages}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agent = r.UserAgent()
	body, ok := s.pages[r.URL.RequestURI()]
	tag := `"` + candor.SHA256([]byte(body))[:12] + `"`
	switch {
	case !ok || body == "404":
		s.asked = append(s.asked, r.URL.RequestURI()+" 404")
		http.NotFound(w, r)
		return
	case body == "410" || body == "500" || body == "403":
		s.asked = append(s.asked, r.URL.RequestURI()+" "+body)
		var status int
		fmt.Sscan(body, &status) // always three digits
		w.WriteHeader(status)
		return
	case strings.HasPrefix(body, "-> "):
		s.asked = append(s.asked, r.URL.RequestURI()+" 302")
		http.Redirect(w, r, body[3:], http.StatusFound)
		return
	case r.Header.Get("If-None-Match") == tag:
		s.asked = append(s.asked, r.URL.RequestURI()+" 304")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.asked = append(s.asked, r.URL.RequestURI()+" 200")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if kind, rest, ok := strings.Cut(body, " "); ok && strings.HasPrefix(body, "@") {
		w.Header().Set("Content-Type", kind[1:])
		body = rest
	}
	w.Header().Set("ETag", tag)
	io.WriteString(w, strings.ReplaceAll(body, "BASE", s.URL))
}

type objects map[string][]byte

func (o objects) PutObject(_ context.Context, r io.Reader) (string, int64, error) {
	b, err := io.ReadAll(r)
	o[candor.SHA256(b)] = b
	return candor.SHA256(b), int64(len(b)), err
}

type walk struct {
	result Result
	pages  map[string]Page
	asked  []string
}

// run walks the site once, at an hour counted from the first.
func (s *site) run(t *testing.T, m *Memory, hour int, change func(*Config)) walk {
	t.Helper()
	client := transport.New(transport.Config{
		HTTP: s.Client(), PerHost: rate.Inf, Sleep: func(context.Context, time.Duration) error { return nil }, MaxBody: 1 << 16,
	})
	cfg := Config{
		Visit: client.Visit("source"), Objects: objects{}, Start: s.URL + "/", MaxPages: 100, MaxBody: 1 << 16,
		Now: time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC),
	}
	if change != nil {
		change(&cfg)
	}
	out := walk{pages: map[string]Page{}}
	s.asked = nil
	var err error
	out.result, err = Run(t.Context(), cfg, m, func(_ context.Context, p Page) error {
		if _, twice := out.pages[p.URL]; twice {
			t.Errorf("%s was given twice", p.URL)
		}
		out.pages[strings.TrimPrefix(p.URL, s.URL)] = p
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out.asked = slices.Clone(s.asked)
	return out
}

func (w walk) want(t *testing.T, paths ...string) {
	t.Helper()
	var got []string
	for p := range w.pages {
		got = append(got, p)
	}
	slices.Sort(got)
	slices.Sort(paths)
	if !slices.Equal(got, paths) {
		t.Errorf("pages are %q, want %q; refused: %v", got, paths, w.result.Refused)
	}
}

func page(title, body string) string {
	return "<!doctype html><html lang=en><head><title>" + title + "</title></head><body><nav><a href=/>Home</a> noise</nav><main>" + body +
		"</main><footer>© noise</footer></body></html>"
}

func city() map[string]string {
	return map[string]string{
		"/":                page("City", `<a href="/about">About</a> <a href="https://other.example/">x</a> <a href="/private/x">p</a> <a href="/doc.pdf">d</a>`),
		"/about":           page("About", `<p>About us</p><a href="about#team">Team</a> <a href="/deep">Deep</a>`),
		"/deep":            page("Deep", "Deep page"),
		"/private/x":       page("Private", "Private"),
		"/robots.txt":      "@text/plain User-agent: *\nDisallow: /private/\nSitemap: BASE/map-index.xml\n",
		"/map-index.xml":   `@application/xml <sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>BASE/map1.xml</loc></sitemap><sitemap><loc>https://other.example/m.xml</loc></sitemap></sitemapindex>`,
		"/map1.xml":        `@application/xml <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc> BASE/only-in-map </loc></url><url><loc>https://other.example/</loc></url></urlset>`,
		"/only-in-map":     page("Map", "Only in the map"),
		"/feed/":           `@application/rss+xml <rss version="2.0"><channel><title>t</title><item><title>n</title><link>BASE/only-in-feed</link><pubDate>Fri, 20 Nov 2026 10:00:00 +0000</pubDate></item></channel></rss>`,
		"/only-in-feed":    page("Feed", "Only in the feed"),
		"/unlinked-anyway": page("Never", "Never found"),
	}
}

func TestPagesAreFoundByLinksSitemapsAndFeed(t *testing.T) {
	s := newSite(t, city())
	w := s.run(t, &Memory{}, 0, nil)
	w.want(t, "/", "/about", "/deep", "/only-in-map", "/only-in-feed")
	if !w.result.HomeAlive || w.result.Trouble != nil {
		t.Errorf("result is %+v", w.result)
	}
	if got := w.pages["/about"]; got.Title != "About" || got.Text != "About\nAbout us\nTeam Deep" || got.Language != "en" {
		t.Errorf("page is %+v", got)
	}
	if got := w.pages["/only-in-feed"].Posted; !got.Equal(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("posted %v", got)
	}
	if s.agent != "CandorBot/0.1" {
		t.Errorf("user agent is %q", s.agent)
	}
	for address, reason := range map[string]string{"https://other.example/": "other-host", s.URL + "/doc.pdf": "binary", "https://other.example/m.xml": "other-host"} {
		if w.result.Refused[address] != reason {
			t.Errorf("%s refused for %q, want %q", address, w.result.Refused[address], reason)
		}
	}
	if !strings.Contains(w.result.Refused[s.URL+"/private/x"], "robots") {
		t.Errorf("the private page was refused for %q", w.result.Refused[s.URL+"/private/x"])
	}
	for _, a := range w.asked {
		if strings.HasPrefix(a, "/private") || strings.HasPrefix(a, "/doc") {
			t.Errorf("asked for %s", a)
		}
	}
}

func TestUnchangedSiteIsOnlyAskedWhetherItChanged(t *testing.T) {
	s := newSite(t, city())
	m := &Memory{}
	s.run(t, m, 0, nil)
	w := s.run(t, m, 1, nil)
	w.want(t, "/", "/about", "/deep", "/only-in-map", "/only-in-feed")
	for path, p := range w.pages {
		if !p.Unchanged {
			t.Errorf("%s was read again", path)
		}
	}
	for _, a := range w.asked {
		if !strings.HasSuffix(a, " 304") && a != "/robots.txt 200" {
			t.Errorf("asked %s", a)
		}
	}
}

func TestNamesOfOnePageAreOnePage(t *testing.T) {
	s := newSite(t, map[string]string{
		"/":            page("Home", `<a href="/short">s</a> <a href="/copy?view=1">c</a> <a href="/out">o</a> <a href="/wrong">w</a>`),
		"/short":       "-> /long",
		"/long":        page("Long", "The page"),
		"/copy?view=1": strings.Replace(page("Copy", "A copy"), "</head>", `<link rel=canonical href="/copy"></head>`, 1),
		"/copy":        page("Copy", "A copy"),
		"/out":         "-> https://other.example/",
		"/wrong":       strings.Replace(page("Wrong", "Its own words"), "</head>", `<link rel=canonical href="/"></head>`, 1),
	})
	w := s.run(t, &Memory{}, 0, nil)
	w.want(t, "/", "/long", "/copy", "/wrong")
}

func TestGoneIsReportedAndOtherTroubleIsNot(t *testing.T) {
	pages := map[string]string{"/": page("Home", `<a href=/a>a</a> <a href=/b>b</a> <a href=/c>c</a> <a href=/d>d</a>`), "/a": page("a", "a"), "/b": page("b", "b"), "/c": page("c", "c"), "/d": page("d", "d")}
	s := newSite(t, pages)
	m := &Memory{}
	s.run(t, m, 0, nil)
	pages["/a"], pages["/b"], pages["/c"], pages["/d"] = "404", "410", "403", "500"
	w := s.run(t, m, 1, nil)
	var gone []string
	for _, g := range w.result.Gone {
		gone = append(gone, strings.TrimPrefix(g.URL, s.URL))
	}
	slices.Sort(gone)
	if !slices.Equal(gone, []string{"/a", "/b"}) || !w.result.HomeAlive {
		t.Errorf("gone: %q, result %+v", gone, w.result)
	}
	pages["/"] = "500"
	if w = s.run(t, m, 2, nil); w.result.HomeAlive || w.result.Trouble == nil || len(w.result.Gone) != 0 {
		t.Errorf("without a home page: %+v", w.result)
	}
}

func TestAWalkStaysWithinItsBudgetAndGoesOnNextTime(t *testing.T) {
	pages := map[string]string{"/": ""}
	for i := range 20 {
		path := fmt.Sprintf("/p%02d", i)
		pages["/"] += `<a href="` + path + `">x</a> `
		pages[path] = page(path, "words "+path)
	}
	pages["/"] = page("Home", pages["/"])
	s := newSite(t, pages)
	m := &Memory{}
	seen := map[string]bool{}
	small := func(c *Config) { c.MaxPages = 8 }
	for hour := range 3 {
		w := s.run(t, m, hour, small)
		if len(w.pages) > 8 {
			t.Errorf("%d pages in one walk", len(w.pages))
		}
		for p := range w.pages {
			seen[p] = true
		}
	}
	if len(seen) != 21 {
		t.Errorf("%d of 21 pages after three walks", len(seen))
	}
}

func TestRobotsThatFailForbidEverything(t *testing.T) {
	pages := city()
	pages["/robots.txt"] = "500"
	s := newSite(t, pages)
	w := s.run(t, &Memory{}, 0, nil)
	if len(w.pages) != 0 || w.result.Trouble == nil {
		t.Errorf("pages %v, trouble %v", w.pages, w.result.Trouble)
	}
}

func TestLongPagesAreMarked(t *testing.T) {
	s := newSite(t, map[string]string{"/": page("Home", strings.Repeat("word ", 1<<15))})
	w := s.run(t, &Memory{}, 0, nil)
	if p := w.pages["/"]; !p.Truncated || p.Reply.Answer.Size != 1<<16 {
		t.Errorf("truncated %v at %d", p.Truncated, p.Reply.Answer.Size)
	}
}

func TestOldEncodingsAreRead(t *testing.T) {
	s := newSite(t, map[string]string{"/": "@text/html;charset=iso-8859-1 <html lang=es-MX><title>A\xf1o</title><body><p>Polic\xeda de la ciudad</p></body></html>"})
	p := s.run(t, &Memory{}, 0, nil).pages["/"]
	if p.Text != "Año\nPolicía de la ciudad" || p.Language != "es" {
		t.Errorf("read as %q, %q", p.Text, p.Language)
	}
}

func TestTextLeavesOutWhatIsNotThePage(t *testing.T) {
	doc, err := read([]byte(`<html><head><title> The  title </title><style>x{}</style></head><body><header>Menu</header>
		<div>First <b>bold</b>&nbsp;words<br>second line</div><script>var x</script><form><input value=secret>Search</form>
		<p hidden>unseen</p><p><img src=x alt="A map"></p><template><p>t</p></template><footer>Visitors: 12345</footer></body></html>`), "text/html; charset=utf-8")
	if err != nil || doc.text != "The title\nFirst bold words\nsecond line\nA map" {
		t.Errorf("%q, %v", doc.text, err)
	}
}

func TestWordsOfNeighbouringElementsStayApart(t *testing.T) {
	for in, want := range map[string]string{
		`<a href=p><strong>Police</strong><span>Report, ask, visit</span></a><a href=r><strong>Public records</strong><span>Ask</span></a>`: "Police Report, ask, visit Public records Ask",
		`<b>Pol</b><i>ice</i> of the <b>city</b>`:           "Police of the city",
		`<span>10</span><span>11</span><em></em><b>May</b>`: "10 11 May",
	} {
		doc, err := read([]byte("<body><div>"+in+"</div></body>"), "text/html")
		if err != nil || doc.text != want {
			t.Errorf("%s gives %q, %v; want %q", in, doc.text, err, want)
		}
	}
}

func TestRealFeeds(t *testing.T) {
	for name, want := range map[string]int{"reddit-atom.rss": 24, "gulp-atom.atom": 10, "encoding.rss": 40, "missing-fields.atom": 0, "unrecognized.rss": -1} {
		body, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		entries, err := parseFeed(body)
		if want == -1 {
			if err == nil {
				t.Errorf("%s is a feed: %v", name, entries)
			}
			continue
		}
		if err != nil || len(entries) != want {
			t.Errorf("%s: %d entries, %v; want %d", name, len(entries), err, want)
		}
		for _, e := range entries {
			if e.address == "" || strings.ContainsAny(e.address, " \n") {
				t.Errorf("%s: entry %+v", name, e)
			}
		}
	}
}

func TestPackedSitemaps(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, `<?xml version="1.0" encoding="UTF-8"?><urlset><url><loc>https://city.example/a</loc></url></urlset>`)
	z.Close()
	pages, _, err := parseSitemap(b.Bytes())
	if err != nil || len(pages) != 1 || pages[0].address != "https://city.example/a" {
		t.Errorf("%v, %v", pages, err)
	}
	for _, bad := range []string{"", "<html><body>Not found</body></html>", "\x1f\x8b\x08broken", `{"a":1}`} {
		if pages, maps, err := parseSitemap([]byte(bad)); err == nil {
			t.Errorf("%q is a sitemap: %v %v", bad, pages, maps)
		}
	}
}

func FuzzReaders(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(page("x", "<p>y<table><tr><td>z")))
	f.Fuzz(func(t *testing.T, body []byte) {
		parseFeed(body)
		parseSitemap(body)
		sitemapLines(body)
		if doc, err := read(body, "text/html"); err == nil && strings.Contains(doc.text, "\n\n") {
			t.Errorf("empty line in %q", doc.text)
		}
	})
}
