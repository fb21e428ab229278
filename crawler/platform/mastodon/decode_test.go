package mastodon

import (
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

// blind is a client without a server, for decoders.
func blind(t testing.TB, account string) *Client {
	t.Helper()
	c, err := New(Config{SiteURL: "https://mastodon.social/@trwnh"})
	if err != nil {
		t.Fatal(err)
	}
	c.accountID = account
	return c
}

func TestRealStatusWithCard(t *testing.T) {
	s, err := decodeStatus(sample(t, "status_with_previewcard.json"))
	if err != nil {
		t.Fatal(err)
	}
	it := blind(t, "110643428313746763").item(s, s.ID, "sha", sighting.Listed)
	want := "Just a hot take.\n\n" +
		"No matter how 'advanced' governments and peoples believe themselves to be today, they still struggle with the concepts of restraint, dialog and objectivity, which inevitably become pathways to violence, conflict and war.\n\n" +
		"Wouldn't it be interesting for a change to look at someone else and see some resemblance of ourselves - that is our own weaknesses, fears and doubts.\n\n" +
		"https://youtu.be/X_TLztvV4ns?si=uGz-23iyZs0yoe5r"
	if it.Text != want {
		t.Errorf("text is %q", it.Text)
	}
	if it.UID != "111337272989523541" || it.RootUID != it.UID || it.ParentUID != "" || it.Kind != candor.Post || !it.ByAgency ||
		it.Author != "jaxwxboss :linux: :casio:" || it.AuthorID != "110643428313746763" || it.Language != "en" || it.State != "" ||
		it.URL != "https://fosstodon.org/@jaxwxboss/111337272989523541" || it.AnswerSHA != "sha" || it.How != sighting.Listed {
		t.Errorf("%+v", it)
	}
	if !it.PostedAt.Equal(time.Date(2023, 11, 1, 20, 52, 43, 341e6, time.UTC)) || !it.UpdatedAt.IsZero() {
		t.Errorf("posted %v, changed %v", it.PostedAt, it.UpdatedAt)
	}
	if len(it.Attachments) != 0 {
		t.Errorf("what the server makes of a link is no content: %+v", it.Attachments)
	}
}

func TestRealPollIsPartOfTheText(t *testing.T) {
	s, err := decodeStatus(sample(t, "status_with_poll.json"))
	if err != nil {
		t.Fatal(err)
	}
	if it := blind(t, "1").item(s, s.ID, "", ""); it.Text != "Test Status\naccept\ndeny" || it.ByAgency {
		t.Errorf("%+v", it)
	}
}

func TestRealTimelines(t *testing.T) {
	c := blind(t, "1")
	list, n, skipped, err := decodeStatuses(sample(t, "tag_timeline.json"))
	if err != nil || n != 20 || len(list) != 20 || skipped != 0 {
		t.Fatalf("%d of %d, %d skipped, %v", len(list), n, skipped, err)
	}
	it := c.item(list[0], list[0].ID, "", "")
	if !strings.HasPrefix(it.Text, "@alexl @deadsuperhero  Yes, but not only #") {
		t.Errorf("text is %q", it.Text)
	}
	// A copy's address has a version and goes with the copy; the original's stays.
	it = c.item(list[2], list[2].ID, "", "")
	if len(it.Attachments) != 1 || it.Attachments[0].Type != "photo" ||
		it.Attachments[0].URL != "https://social.tchncs.de/system/media_attachments/files/000/072/467/original/db8366db12ccfa06.png" ||
		it.Fetch[0] != "https://d2zoeobnny43zx.cloudfront.net/media_attachments/files/000/046/852/original/db8366db12ccfa06.png?1492786540" {
		t.Errorf("%+v %q", it.Attachments, it.Fetch)
	}
	if !strings.Contains(it.Text, "personnels éduc.\nJe trouve bien qu'on teste des trucs dans l'administration!\n\nBon, il faut") {
		t.Errorf("text is %q", it.Text)
	}
	list, _, _, err = decodeStatuses(sample(t, "public_timeline.json"))
	if err != nil || len(list) != 20 {
		t.Fatal(len(list), err)
	}
	if it := c.item(list[13], "", "", ""); !strings.Contains(it.Text, "http://inforati.jp/apple/mac-tips-techniques/system-hints/how-to-capture-a-specific-window-with-macos-screen-shot-function.html") {
		t.Errorf("an address is not whole in %q", it.Text)
	}
}

func TestRealContext(t *testing.T) {
	above, list, skipped, err := decodeContext(sample(t, "context.json"))
	if err != nil || len(above) != 2 || len(list) != 1 || skipped != 0 {
		t.Fatalf("%d, %d skipped, %v", len(list), skipped, err)
	}
	it := blind(t, "3361").item(list[0], "6886100", "", "")
	if it.Kind != candor.Comment || it.ParentUID != "6886100" || it.RootUID != "6886100" || !it.ByAgency || it.Text != "@test \nくううううううううう" {
		t.Errorf("%+v", it)
	}
	if it := blind(t, "1").item(list[0], "6884492", "", ""); it.Kind != candor.Reply || it.ByAgency {
		t.Errorf("%+v", it)
	}
}

func TestRealHistory(t *testing.T) {
	edits, err := decodeHistory(sample(t, "status_edit_history.json"))
	if err != nil || len(edits) != 5 {
		t.Fatal(len(edits), err)
	}
	var it sighting.Item
	edits[4].into(&it)
	if it.Text != "this is a status that has been edited three times. this time a poll has been added.\ncool\nuncool\nspiderman (this option has been changed)" {
		t.Errorf("%q", it.Text)
	}
}

func TestRealAccount(t *testing.T) {
	p, err := decodeAccount(sample(t, "accounts_verify_credentials_success.json"))
	if want := (connector.Profile{ID: "14715", Name: "infinite love ⴳ", Username: "trwnh", Link: "https://mastodon.social/@trwnh"}); err != nil || p != want {
		t.Errorf("%+v, %v", p, err)
	}
}

func reply(status int, body string) *transport.Reply {
	return &transport.Reply{Answer: candor.Answer{Status: status, SHA: "sha"}, Header: http.Header{}, Body: []byte(body)}
}

func TestErrorClasses(t *testing.T) {
	html := "<html><head><title>nginx</title></head></html>"
	for _, c := range []struct {
		status int
		body   string
		want   connector.Class
	}{
		{401, string(sample(t, "error_401_unauthorized.json")), connector.BadToken},
		{401, `{"error":"Unauthorized: token not supplied"}`, connector.BadToken},
		{403, string(sample(t, "error_403_forbidden.json")), connector.Permission},
		{404, string(sample(t, "error_404.json")), connector.Vanished},
		{410, `{"error":"Gone"}`, connector.Vanished},
		{422, `{"error":"Validation failed"}`, connector.Refused},
		{429, `{"error":"Throttled"}`, connector.Throttled},
		{429, html, connector.Throttled},
		{301, "", connector.Refused},
		{500, `{"error":"500"}`, connector.Transient},
		{502, html, connector.Transient},
		{503, `{"error":"There was a temporary problem serving your request, please try again"}`, connector.Transient},
		{401, html, connector.Transient},
		{403, html, connector.Transient},
		{404, html, connector.Transient},
		{410, "", connector.Transient},
		{404, `{"error":""}`, connector.Transient},
	} {
		e := refusal(reply(c.status, c.body))
		if e == nil || e.Class != c.want || e.Status != c.status || e.AnswerSHA != "sha" || e.Message == "" {
			t.Errorf("%d %.40s: %+v, want %s", c.status, c.body, e, c.want)
		}
	}
	if e := refusal(reply(200, `[]`)); e != nil {
		t.Errorf("a listing is an error: %+v", e)
	}
}

func TestAllowance(t *testing.T) {
	r := reply(429, `{"error":"Throttled"}`)
	r.Answer.FetchedAt = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	r.Header.Set("X-RateLimit-Limit", "300")
	r.Header.Set("X-RateLimit-Remaining", "0")
	r.Header.Set("X-RateLimit-Reset", "2026-11-22T10:04:00.123456Z")
	if a := parseAllowance(r); a.used() != 100 || a.left != 0 || a.wait.Round(time.Second) != 4*time.Minute {
		t.Errorf("%+v", a)
	}
	if e := refusal(r); e.After.Round(time.Second) != 4*time.Minute {
		t.Errorf("come back after %v", e.After)
	}
	r.Header.Set("X-RateLimit-Reset", "9999-12-31T00:00:00Z")
	if a := parseAllowance(r); a.wait != 24*time.Hour {
		t.Errorf("%+v", a)
	}
	r.Header.Set("X-RateLimit-Remaining", "many")
	if a := parseAllowance(r); a.known || a.used() != 0 {
		t.Errorf("%+v", a)
	}
}

func TestWhatIsNoListingIsNoEmptyListing(t *testing.T) {
	for _, body := range []string{`{}`, `null`, ``, `[`, `"x"`, `{"error":"x"}`} {
		if list, _, _, err := decodeStatuses([]byte(body)); err == nil {
			t.Errorf("%q read as %+v", body, list)
		}
		if _, list, _, err := decodeContext([]byte(body)); err == nil {
			t.Errorf("%q read as %+v", body, list)
		}
	}
	if _, _, _, err := decodeContext([]byte(`{"ancestors":[],"descendants":null}`)); err == nil {
		t.Error("a thread without its list was read")
	}
	if list, n, skipped, err := decodeStatuses([]byte(`[{"id":"1"},{"id":2},{"id":"../x"},{"id":""},7,null]`)); err != nil || len(list) != 1 || n != 6 || skipped != 5 {
		t.Errorf("%+v, %d skipped, %v", list, skipped, err)
	}
}

func TestTextIsWhatAPersonWouldCopy(t *testing.T) {
	for _, c := range []struct{ html, want string }{
		{``, ``},
		{`plain`, `plain`},
		{`<p>One<br>two<br/>three</p><p>four</p>`, "One\ntwo\nthree\n\nfour"},
		{"<p>a</p>\n<p>b</p>", "a\n\nb"},
		{`<p>two  blanks</p>`, "two  blanks"},
		{`<p>un<b>split</b>ted <em>words</em></p>`, "unsplitted words"},
		{`<p>&lt;b&gt; &amp;amp; &quot;x&quot; &#39;y&#39;</p>`, `<b> &amp; "x" 'y'`},
		{`<p>&lt;script>alert(1)&lt;/script></p>`, `<script>alert(1)</script>`}, // GoToSocial escapes no ">"
		{`<p>:flag_us: stays</p>`, ":flag_us: stays"},
		{`<p>see <img src="x" alt=":blob:"> it</p>`, "see :blob: it"},
		{`<p><span class="h-card"><a href="https://a.example/@bo" class="u-url mention">@<span>bo</span></a></span> hi</p>`, "@bo hi"},
		{`<p><a href="https://a.example/tags/Flood" class="mention hashtag" rel="tag">#<span>Flood</span></a></p>`, "#Flood"},
		{`<a href="https://www.city.example/x"><span class="invisible">https://www.</span><span class="ellipsis">city</span><span class="invisible">.example/x</span></a>`, "https://www.city.example/x"},
		{`<ul><li>one</li><li><p>two</p></li></ul><p>end</p>`, "- one\n- two\n\nend"},
		{`<ol><li>one<ul><li>in</li></ul></li><li>two</li></ol>`, "1. one\n- in\n2. two"},
		{`<blockquote><p>said</p></blockquote>answer`, "said\n\nanswer"},
		{`<script>var x = "</p>"</script><style>p{}</style>left`, "left"},
		{`<!-- nothing --><p>some</p>`, "some"},
		{`<p>never closed <a href="https://x.example">`, "never closed"},
		{`</a></p></ul></li>`, ""},
	} {
		if got, _ := readable(c.html); got != c.want {
			t.Errorf("%s is read as %q, want %q", c.html, got, c.want)
		}
	}
}

func TestAddressesBehindWordsAreKept(t *testing.T) {
	s, err := decodeStatus([]byte(`{"id":"1","content":"<p>Apply <a href=\"https://city.example/apply\">here</a> or at <a href=\"https://city.example/\"><span class=\"invisible\">https://</span>city.example</a>
		<a href=\"javascript:alert(1)\">no</a> <a href=\"https://a.example/@bo\" class=\"mention\">@bo</a></p>"}`))
	if err == nil {
		t.Fatal("a line break in a string is no JSON")
	}
	s, err = decodeStatus([]byte(`{"id":"1","content":"<p>Apply <a href=\"https://city.example/apply\">here</a> or at <a href=\"https://city.example/\"><span class=\"invisible\">https://</span>city.example</a> <a href=\"javascript:alert(1)\">no</a> <a href=\"https://a.example/@bo\" class=\"mention\">@bo</a></p>"}`))
	if err != nil {
		t.Fatal(err)
	}
	it := blind(t, "").item(s, "1", "", "")
	if len(it.Attachments) != 1 || it.Attachments[0].Type != "link" || it.Attachments[0].URL != "https://city.example/apply" || it.Attachments[0].Alt != "here" || it.Fetch[0] != "" {
		t.Errorf("%+v", it.Attachments)
	}
	if it.Text != "Apply here or at https://city.example no @bo" {
		t.Errorf("%q", it.Text)
	}
}

func TestWordings(t *testing.T) {
	s, err := decodeStatus([]byte(`{"id":"9","in_reply_to_id":null,"in_reply_to_account_id":"5","spoiler_text":"Floods","content":"<p>Road closed</p>","language":"es-MX","url":null,
		"uri":"https://a.example/users/x/statuses/9","edited_at":"2026-01-02T00:00:00Z","created_at":"0000-01-01T00:00:00Z","visibility":"limited","replies_count":3,
		"media_attachments":[{"type":"unknown","url":null,"remote_url":"https://b.example/m/1.MP4","description":null},{"type":"audio","url":"https://a.example/2.ogg"},{"type":"image","url":"ftp://x"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	it := blind(t, "").item(s, "9", "", "")
	if it.Text != "Floods\nRoad closed" || it.Language != "es" || it.URL != "https://a.example/users/x/statuses/9" || !it.PostedAt.IsZero() || it.State != candor.Private {
		t.Errorf("%+v", it)
	}
	if it.Kind != candor.Reply {
		t.Errorf("an answer to what was deleted is a %s", it.Kind)
	}
	var got []string
	for i, a := range it.Attachments {
		got = append(got, a.Type+" "+a.URL+" "+it.Fetch[i])
	}
	if want := []string{"video https://b.example/m/1.MP4 https://b.example/m/1.MP4", "file https://a.example/2.ogg https://a.example/2.ogg"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for visibility, want := range map[string]candor.RecordState{"public": "", "unlisted": "", "private": candor.Private, "direct": candor.Private, "mutuals_only": candor.Private, "": ""} {
		if got := state(visibility); got != want {
			t.Errorf("%q is %q", visibility, got)
		}
	}
}

func TestCursorIsAllThatIsTakenOfALink(t *testing.T) {
	for header, want := range map[string]string{
		`<https://evil.example/steal?max_id=103&token=x>; rel="next", <https://a.example/?min_id=200>; rel="prev"`: "103",
		`<https://a.example/?min_id=200>; rel="prev"`:                                                              "",
		`<https://a.example/?max_id=..%2F..>; rel="next"`:                                                          "",
		`<https://a.example/?max_id=01HCXKZ5XBYQ>; rel=next`:                                                       "01HCXKZ5XBYQ",
		`nonsense`:                            "",
		``:                                    "",
		`<::>; rel="next"`:                    "",
		`<https://a.example/>; rel="next"`:    "",
		`https://a.example/?max_id=1; x=next`: "",
	} {
		if got := nextMaxID(header); got != want {
			t.Errorf("%s goes on at %q, want %q", header, got, want)
		}
	}
}

func TestAccountNamedByItsAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://mastodon.social/@Gargron":              "@Gargron",
		"https://mastodon.social/@Gargron/1":            "@Gargron",
		"https://mastodon.social/@bo@other.example":     "@bo@other.example",
		"https://mastodon.social/web/@Gargron":          "@Gargron",
		"https://social.example/users/city/statuses/12": "@city",
		"https://mastodon.social/about":                 "",
		"https://mastodon.social/@":                     "",
		"":                                              "",
	} {
		if got := Ref(address); got != want {
			t.Errorf("Ref(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestServerIsThatOfThePageWhenNoneIsNamed(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("there is no common server")
	}
	if _, err := New(Config{SiteURL: "javascript:alert(1)"}); err == nil {
		t.Error("took a script for a server")
	}
	if c, err := New(Config{SiteURL: "https://social.example/@city"}); err != nil || c.base.String() != "https://social.example" {
		t.Errorf("%v, %v", c, err)
	}
	if c, err := New(Config{SiteURL: "https://social.example/@city", Base: "https://api.example/sub/"}); err != nil || c.base.String() != "https://api.example/sub" {
		t.Errorf("%v, %v", c, err)
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
	f.Add([]byte(`{"descendants":[{"id":"1","in_reply_to_id":"2"},{"id":"2","in_reply_to_id":"1"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c := blind(t, "14715")
		check := func(it sighting.Item) {
			if it.UID == "" || it.RootUID == "" || it.UID == it.ParentUID || len(it.Fetch) != len(it.Attachments) || it.PostedAt.Year() > 9999 {
				t.Errorf("%+v", it)
			}
		}
		list, _, _, err := decodeStatuses(body)
		if err == nil {
			for _, s := range list {
				check(c.item(s, s.ID, "", ""))
			}
		}
		above, below, _, err := decodeContext(body)
		if err == nil {
			list = append(list, below...)
		}
		if s, err := decodeStatus(body); err == nil {
			list = append(list, s)
			check(c.item(s, s.ID, "", ""))
		}
		th := thread{client: c, top: "6886100", items: map[string]seen{}, shown: map[string]int{}, asked: map[string]bool{}, cut: map[string]bool{}}
		th.place(above)
		th.take(th.top, list, "")
		roots := map[string]string{}
		for _, it := range th.list() {
			check(it)
			if old, have := roots[it.UID]; have && old != it.RootUID {
				t.Errorf("%s has two roots", it.UID)
			}
			roots[it.UID] = it.RootUID
		}
		th.whole()
		for _, s := range list {
			c.climb(s.ID)
		}
		if edits, err := decodeHistory(body); err == nil {
			for _, e := range edits {
				e.into(&sighting.Item{})
			}
		}
		decodeAccount(body)
		refusal(reply(404, string(body)))
		nextMaxID(string(body))
	})
}

func FuzzText(f *testing.F) {
	f.Add(`<p><a href="https://x.example/y"><span class="invisible">https://</span>x</a><ol><li>1<li>2</ol>`)
	f.Add(`<script><a><br><img alt="x">`)
	f.Fuzz(func(t *testing.T, content string) {
		text, links := readable(content)
		if len(text) > 3*len(content)+100 {
			t.Errorf("%d bytes became %d", len(content), len(text))
		}
		if len(links) > len(content) {
			t.Errorf("%d links in %d bytes", len(links), len(content))
		}
	})
}
