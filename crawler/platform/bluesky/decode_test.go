package bluesky

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const agency = "did:plc:agency234"

// blind is a client without a server, for decoders.
func blind(t testing.TB) *Client {
	t.Helper()
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	c.did = agency
	return c
}

func newThread(c *Client, top string) *thread {
	return &thread{client: c, top: top, met: map[string]bool{top: true}, asked: map[string]bool{}, shown: map[string]int{}, stopped: map[string]bool{}}
}

func attachments(it sighting.Item) (out []string) {
	for i, a := range it.Attachments {
		out = append(out, fmt.Sprint(a.N, " ", a.Type, " ", a.URL, " ", strings.ReplaceAll(a.Alt, "\n", "/"), " <", it.Fetch[i]))
	}
	return out
}

func TestThread(t *testing.T) {
	c := blind(t)
	const root = "at://did:plc:agency234/app.bsky.feed.post/3krootaaaaa2a"
	top, odd, err := decodeThread(sample(t, "thread.json"))
	if err != nil || odd {
		t.Fatal(odd, err)
	}
	th := newThread(c, root)
	th.asked[root] = true
	th.take(top, root, "sha")
	if th.odd || c.claims[root] != 5 || th.shown[root] != 5 {
		t.Errorf("odd %v, %d of %d", th.odd, th.shown[root], c.claims[root])
	}
	// The server stopped below Rick; the blocked answer is read by itself.
	const rick = "at://did:plc:rick234/app.bsky.feed.post/3klabelled2aa"
	if !th.stopped[rick] || th.next() != rick || len(th.apart) != 1 || th.apart[0] != "at://did:plc:blocked234/app.bsky.feed.post/3kblockedaa2a" {
		t.Errorf("stopped %v, apart %v", th.stopped, th.apart)
	}
	list := th.list()
	if len(list) != 3 {
		t.Fatalf("%+v", list)
	}
	hidden, labelled, video := list[0], list[1], list[2]
	if hidden.State != candor.Hidden || hidden.Kind != candor.Comment || hidden.ParentUID != root || hidden.RootUID != root || hidden.Author != "denise.bsky.social" ||
		hidden.ByAgency || hidden.URL != "https://bsky.app/profile/did:plc:denise234/post/3khiddenaaa2a" || !hidden.UpdatedAt.IsZero() || hidden.AnswerSHA != "sha" {
		t.Errorf("%+v", hidden)
	}
	if !hidden.PostedAt.Equal(time.Date(2026, 11, 20, 15, 10, 0, 0, time.UTC)) {
		t.Errorf("a clock ahead of the network's is believed: %v", hidden.PostedAt)
	}
	if labelled.State != candor.Withheld || labelled.Author != "Rick" {
		t.Errorf("%+v", labelled)
	}
	if video.Kind != candor.Reply || video.ParentUID != rick || video.RootUID != root || !video.PostedAt.Equal(time.Date(2026, 11, 20, 14, 12, 0, 5e8, time.UTC)) {
		t.Errorf("%+v", video)
	}
	want := []string{"1 video https://video.bsky.app/watch/did%3Aplc%3Atuan234/bafkreivideo234/playlist.m3u8 Water <https://video.bsky.app/watch/did%3Aplc%3Atuan234/bafkreivideo234/thumbnail.jpg"}
	if got := attachments(video); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestPostWithAllThatHangsOnIt(t *testing.T) {
	c := blind(t)
	top, _, err := decodeThread(sample(t, "thread.json"))
	if err != nil {
		t.Fatal(err)
	}
	v, ok := decodeView(top.Post)
	if !ok {
		t.Fatal("not understood")
	}
	it := c.item(v, v.URI, "sha", sighting.Listed)
	if it.Text != "Ríver Road is closed: https://larkspur.example.gov/roads/river-road-closure?x=1 — details here 🚧" || it.Language != "en" || it.Kind != candor.Post || !it.ByAgency {
		t.Errorf("%+v", it)
	}
	want := []string{
		"1 photo https://cdn.bsky.app/img/feed_fullsize/plain/did:plc:agency234/bafkreipicture234 A flooded road <https://cdn.bsky.app/img/feed_fullsize/plain/did:plc:agency234/bafkreipicture234@jpeg",
		"2 link https://bsky.app/profile/did:plc:county234/post/3kquotedaaa2a at://did:plc:county234/app.bsky.feed.post/3kquotedaaa2a <",
		"3 link https://maps.example/route here <",
	}
	if got := attachments(it); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	// The account's own server tells of the same content.
	v.Embed, c.pds = nil, "https://pds.example"
	kept := c.item(v, v.URI, "sha", sighting.Listed)
	if candor.HashContent(kept.Text, kept.Attachments) != candor.HashContent(it.Text, it.Attachments) {
		t.Errorf("%q", attachments(kept))
	}
	if kept.Fetch[0] != "https://pds.example/xrpc/com.atproto.sync.getBlob?cid=bafkreipicture234&did=did%3Aplc%3Aagency234" {
		t.Errorf("%q", kept.Fetch)
	}
}

func TestFeed(t *testing.T) {
	c := blind(t)
	list, skipped, cursor, err := decodeFeed(sample(t, "feed.json"))
	if err != nil || len(list) != 3 || skipped != 1 || cursor != "2026-11-19T09:00:00Z::bafyrei" {
		t.Fatalf("%d posts, %d skipped, cursor %q, %v", len(list), skipped, cursor, err)
	}
	if it := c.item(list[0], list[0].URI, "", ""); it.Kind != candor.Reply || it.RootUID != it.UID || it.ParentUID != "at://did:plc:stranger234/app.bsky.feed.post/3kother2aaaaa" {
		t.Errorf("%+v", it)
	}
	it := c.item(list[1], list[1].URI, "", "")
	if got := attachments(it); it.Language != "es" || !slices.Equal(got, []string{"1 link https://larkspur.example.gov/agenda Agenda/For Monday <"}) {
		t.Errorf("%q", got)
	}
	if got := attachments(c.item(list[2], list[2].URI, "", "")); !slices.Equal(got, []string{"1 photo https://cdn.bsky.app/f/1 One <https://cdn.bsky.app/f/1", "2 photo https://cdn.bsky.app/f/2  <https://cdn.bsky.app/f/2"}) {
		t.Errorf("%q", got)
	}
}

func TestShortenedAddressesAreGivenWhole(t *testing.T) {
	for _, x := range []struct {
		text, shown, uri, want string
		links                  int
	}{
		{"see city.example/agenda/202... now", "city.example/agenda/202...", "https://city.example/agenda/2026/11", "see https://city.example/agenda/2026/11 now", 0},
		{"see www.city.example/agenda… now", "www.city.example/agenda…", "https://www.city.example/agenda/2026", "see https://www.city.example/agenda/2026 now", 0},
		{"see city.example/x now", "city.example/x", "https://city.example/x", "see city.example/x now", 0},
		{"see https://city.example/x now", "https://city.example/x", "https://city.example/x", "see https://city.example/x now", 0},
		{"see bank.example... now", "bank.example...", "https://evil.example/bank", "see bank.example... now", 1},
		{"press here now", "here", "https://city.example/x", "press here now", 1},
		{"wait ... now", "...", "https://city.example/x", "wait ... now", 1},
		{"press here now", "here", "javascript:alert(1)", "press here now", 0},
	} {
		var f facet
		f.Index.Start = strings.Index(x.text, x.shown)
		f.Index.End = f.Index.Start + len(x.shown)
		f.Features = append(f.Features, struct {
			Type string `json:"$type"`
			URI  string `json:"uri"`
		}{"app.bsky.richtext.facet#link", x.uri})
		text, links := whole(record{Text: x.text, Facets: []facet{f}})
		if text != x.want || len(links) != x.links {
			t.Errorf("%q is read as %q with %v", x.text, text, links)
		}
		// Marks that point anywhere else do no harm.
		for _, i := range [][2]int{{-1, 3}, {3, 2}, {0, 1 << 40}, {5, 5}, {1 << 40, 1<<40 + 1}} {
			f.Index.Start, f.Index.End = i[0], i[1]
			if text, _ := whole(record{Text: x.text, Facets: []facet{f, f}}); text != x.text {
				t.Errorf("%v: %q", i, text)
			}
		}
	}
}

func TestServerOfADID(t *testing.T) {
	if got := server(sample(t, "did.json")); got != "https://morel.us-east.host.bsky.network" {
		t.Errorf("%q", got)
	}
	for _, body := range []string{``, `{}`, `{"service":[{"id":"#atproto_pds","type":"AtprotoPersonalDataServer","serviceEndpoint":"file:///etc/passwd"}]}`, `{"service":[{"id":"#atproto_pds","type":"X","serviceEndpoint":"https://x.example"}]}`} {
		if got := server([]byte(body)); got != "" {
			t.Errorf("%s: %q", body, got)
		}
	}
	if got := server([]byte(`{"service":[{"id":"did:plc:x#atproto_pds","type":"AtprotoPersonalDataServer","serviceEndpoint":"https://u:p@pds.example/path?q=1"}]}`)); got != "https://pds.example" {
		t.Errorf("%q", got)
	}
}

func reply(status int, body string) *transport.Reply {
	return &transport.Reply{Answer: candor.Answer{Status: status, SHA: "sha"}, Header: http.Header{}, Body: []byte(body)}
}

func TestErrorClasses(t *testing.T) {
	html := "<html><body>no server is available</body></html>"
	for _, c := range []struct {
		status int
		body   string
		want   connector.Class
	}{
		{400, `{"error":"RecordNotFound","message":"Could not locate record: at://x"}`, connector.Vanished},
		{400, `{"error":"InvalidRequest","message":"Could not locate record: at://x"}`, connector.Vanished},
		{400, `{"error":"NotFound","message":"Post not found: at://x"}`, connector.Vanished},
		{400, `{"error":"InvalidRequest","message":"Could not find repo: did:plc:x"}`, connector.Refused},
		{400, `{"error":"InvalidRequest","message":"Profile not found"}`, connector.Refused},
		{400, `{"error":"RepoTakendown"}`, connector.Permission},
		{400, `{"error":"RepoDeactivated"}`, connector.Permission},
		{400, `{"error":"ExpiredToken","message":"Token has expired"}`, connector.BadToken},
		{401, `{"error":"AuthMissing"}`, connector.BadToken},
		{401, `{"error":"Odd"}`, connector.BadToken},
		{403, `{"error":"Forbidden"}`, connector.Permission},
		{429, `{"error":"RateLimitExceeded","message":"Rate Limit Exceeded"}`, connector.Throttled},
		{429, html, connector.Throttled},
		{500, `{"error":"InternalServerError"}`, connector.Transient},
		{502, `{"error":"UpstreamFailure"}`, connector.Transient},
		{501, `{"error":"MethodNotImplemented"}`, connector.Refused},
		{503, html, connector.Transient},
		{400, html, connector.Transient},
		{404, html, connector.Transient},
		{404, ``, connector.Transient},
	} {
		e, _ := refused(reply(c.status, c.body))
		if e == nil || e.Class != c.want || e.Status != c.status || e.Message == "" || e.AnswerSHA != "sha" {
			t.Errorf("%d %s: %+v, want %s", c.status, c.body, e, c.want)
		}
	}
	if e, _ := refused(reply(200, `{"feed":[]}`)); e != nil {
		t.Errorf("a feed is an error: %+v", e)
	}
}

func TestAllowance(t *testing.T) {
	r := reply(429, `{"error":"RateLimitExceeded"}`)
	r.Answer.FetchedAt = time.Unix(1_800_000_000, 0)
	r.Header.Set("RateLimit-Limit", "3000")
	r.Header.Set("RateLimit-Remaining", "0")
	r.Header.Set("RateLimit-Reset", "1800000120")
	if a := parseAllowance(r); a.used() != 100 || a.wait != 2*time.Minute {
		t.Errorf("%+v", a)
	}
	if e, _ := refused(r); e.After != 2*time.Minute {
		t.Errorf("come back after %v", e.After)
	}
	for _, odd := range []string{"", "-5", "99999999999999999999", "soon", "1"} {
		r.Header.Set("RateLimit-Reset", odd)
		if a := parseAllowance(r); a.wait != 0 {
			t.Errorf("%q: wait %v", odd, a.wait)
		}
	}
	r.Header.Del("RateLimit-Limit")
	if a := parseAllowance(r); a.known || a.used() != 0 {
		t.Errorf("%+v", a)
	}
}

func TestWhatIsNoListingIsNoEmptyListing(t *testing.T) {
	for _, body := range []string{`{}`, `null`, ``, `[]`, `{"feed":null,"posts":null,"records":null,"thread":null}`, `{"feed":{},"posts":{},"records":{},"thread":[]}`, `{"error":"x"}`} {
		if list, _, _, err := decodeFeed([]byte(body)); err == nil {
			t.Errorf("%q read as %+v", body, list)
		}
		if list, _, err := decodePosts([]byte(body)); err == nil {
			t.Errorf("%q read as %+v", body, list)
		}
		if list, _, err := decodeRecords([]byte(body)); err == nil {
			t.Errorf("%q read as %+v", body, list)
		}
		if top, odd, err := decodeThread([]byte(body)); err == nil && !odd {
			t.Errorf("%q read as %+v", body, top)
		}
	}
	top, odd, err := decodeThread([]byte(`{"thread":{"post":{"uri":"x"},"replies":[{"post":{},"replies":"none"},{"post":{"a":1}}]}}`))
	if err != nil || !odd || len(*top.Replies) != 2 || len((*top.Replies)[1].Post) == 0 {
		t.Errorf("%+v, odd %v, %v", top, odd, err)
	}
}

func TestAddressesOfPosts(t *testing.T) {
	for uri, want := range map[string]string{
		"at://did:plc:abc234/app.bsky.feed.post/3k2a":          "did:plc:abc234 3k2a",
		"at://did:web:city.example/app.bsky.feed.post/self":    "did:web:city.example self",
		"at://did:plc:abc234/app.bsky.feed.like/3k2a":          " ",
		"at://larkspur.example.gov/app.bsky.feed.post/3k2a":    " ",
		"at://did:plc:abc234/app.bsky.feed.post/..":            " ",
		"at://did:plc:abc234/app.bsky.feed.post/3k2a?x=1":      " ",
		"https://bsky.app/profile/did:plc:abc234/post/3k2a":    " ",
		"at://did:plc:abc/../../x/app.bsky.feed.post/3k2a":     " ",
		"at://did:plc:abc234/app.bsky.feed.post/3k2a/and/more": " ",
	} {
		if did, rkey := parts(uri); did+" "+rkey != want {
			t.Errorf("%s: %q %q", uri, did, rkey)
		}
	}
	for address, want := range map[string]string{
		"https://bsky.app/profile/larkspur.example.gov":           "larkspur.example.gov",
		"https://bsky.app/profile/did:plc:abc234/post/3k2a":       "did:plc:abc234",
		"https://bsky.app/profile/@larkspur.example.gov/?x=1#top": "larkspur.example.gov",
		"https://bsky.app/": "", "https://bsky.app/profile": "", "": "",
	} {
		if got := Ref(address); got != want {
			t.Errorf("Ref(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestStates(t *testing.T) {
	c := blind(t)
	mod := "did:plc:ar7c4by46qjdydhdevvrndac"
	for _, x := range []struct {
		post, author []label
		want         candor.RecordState
	}{
		{nil, nil, ""},
		{[]label{{Src: mod, Val: "spam"}}, nil, ""},
		{[]label{{Src: mod, Val: "!hide"}}, nil, candor.Withheld},
		{[]label{{Src: mod, Val: "!hide", Neg: true}}, nil, ""},
		{[]label{{Src: "did:plc:x", Val: "!hide"}}, nil, ""}, // of its own author
		{nil, []label{{Src: mod, Val: "!takedown"}}, candor.Withheld},
		{nil, []label{{Src: "did:plc:x", Val: "!no-unauthenticated"}}, candor.Private},
	} {
		if got := c.state(view{URI: "at://did:plc:x/app.bsky.feed.post/1", Author: author{DID: "did:plc:x", Labels: x.author}, Labels: x.post}); got != x.want {
			t.Errorf("%+v: %q", x, got)
		}
	}
}

func TestServersAreNamedOrThePublicOnes(t *testing.T) {
	c, err := New(Config{})
	if err != nil || c.base.String() != DefaultBase || c.directory.String() != DefaultDirectory {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err = New(Config{Base: "https://view.example/"}); err != nil || c.base.String() != "https://view.example" || c.directory != nil {
		t.Errorf("%+v, %v", c, err)
	}
	for _, cfg := range []Config{{Base: "view.example"}, {Base: "https://view.example", Directory: "file:///x"}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("took %+v", cfg)
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no samples", err)
	}
	for _, name := range files {
		f.Add(sample(f, filepath.Base(name)))
	}
	f.Add([]byte(`{"records":[{"uri":"at://did:plc:agency234/app.bsky.feed.post/1","value":{"text":"a","embed":{"video":{"ref":{"$link":"bafkreivideo234"}}}}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c := blind(t)
		c.pds = "https://pds.example"
		check := func(it sighting.Item) {
			if it.UID == "" || it.RootUID == "" || it.UID == it.ParentUID || len(it.Fetch) != len(it.Attachments) || it.PostedAt.Year() > 9999 || it.Kind == candor.Post && it.ParentUID != "" {
				t.Errorf("%+v", it)
			}
		}
		list, _, _, _ := decodeFeed(body)
		if more, _, err := decodePosts(body); err == nil {
			list = append(list, more...)
		}
		if records, _, err := decodeRecords(body); err == nil {
			for _, r := range records {
				if rec, ok := decodeRecord(r.URI, r.Value); ok {
					if did, _ := parts(r.URI); did != "" {
						list = append(list, view{URI: r.URI, Record: rec})
					}
				}
			}
		}
		for _, v := range list {
			check(c.item(v, v.URI, "", ""))
		}
		if top, _, err := decodeThread(body); err == nil {
			if v, ok := decodeView(top.Post); ok {
				check(c.item(v, v.URI, "", ""))
				th := newThread(c, v.URI)
				th.take(top, v.URI, "")
				met := map[string]bool{}
				for _, it := range th.list() {
					check(it)
					if met[it.UID] {
						t.Errorf("%s twice", it.UID)
					}
					met[it.UID] = true
				}
				for range 1000 {
					if th.next() == "" {
						break
					}
				}
			}
		}
		server(body)
		decodeProfile(body)
		refused(reply(400, string(body)))
	})
}
