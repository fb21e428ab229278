package facebook

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/candor-archive/candor/crawler/connector"
)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func client(t testing.TB) *Client {
	t.Helper()
	c, err := New(Config{SiteURL: "https://www.facebook.com/FacebookforDevelopers"})
	if err != nil {
		t.Fatal(err)
	}
	c.pageID = "19292868552"
	return c
}

func TestRealListingOfPosts(t *testing.T) {
	l, err := decodeListing(sample(t, "posts__feeds_default_fields_p1.json"))
	if err != nil || len(l.nodes) == 0 || l.skipped != 0 {
		t.Fatalf("%d posts, %d skipped, %v", len(l.nodes), l.skipped, err)
	}
	p, ok := client(t).post(l.nodes[0], "sha", "listed")
	if !ok || p.UID != "19292868552_10158349356748553" || p.Text == "" || p.PostedAt.IsZero() {
		t.Errorf("first post is %+v", p)
	}
	if len(p.Attachments) != 1 || p.Attachments[0].Type != "photo" {
		t.Fatalf("attachments are %+v", p.Attachments)
	}
	a := p.Attachments[0]
	if a.URL != "https://scontent.xx.fbcdn.net/v/t1.6435-9/p720x720/211801276_10158349355018553_2104693261473191589_n.jpg" {
		t.Errorf("the address kept is %s", a.URL)
	}
	if from := p.Fetch[0]; from[:37] != "https://scontent-ssn1-1.xx.fbcdn.net/" || from == a.URL {
		t.Errorf("the address fetched is %s", from)
	}
}

func TestRealListingWithoutCursorsPagesByItsOwnParameters(t *testing.T) {
	l, err := decodeListing(sample(t, "posts__feed_fields_p1.json"))
	if err != nil || len(l.nodes) != 5 || !l.more {
		t.Fatalf("%d posts, more %v, %v", len(l.nodes), l.more, err)
	}
	if got := l.next.Encode(); got != "__paging_token=__paging_token&until=1624385168" {
		t.Errorf("next page by %s", got)
	}
	if got := l.nodes[0]; got.Message != "Happy July 4th! 🇺🇸" || !parseTime(got.Created).Equal(time.Date(2021, 7, 4, 19, 50, 58, 0, time.UTC)) {
		t.Errorf("first post is %+v", got)
	}
}

func TestRealCommentsWithoutIdsAreNoCompleteListing(t *testing.T) {
	l, err := decodeListing(sample(t, "comments__comments_p1.json"))
	if err != nil || l.skipped != 10 || !l.more || l.next.Get("after") != "after" {
		t.Errorf("%+v, %v", l, err)
	}
	if l, err = decodeListing(sample(t, "comments__comments_p2.json")); err != nil || l.more {
		t.Errorf("the last page says there is more: %+v, %v", l, err)
	}
}

func TestRealObjects(t *testing.T) {
	n, err := decodeNode(sample(t, "comments__comment_info.json"))
	if err != nil || n.Message != "This is really nice" {
		t.Fatalf("%+v, %v", n, err)
	}
	it, ok := client(t).comment(n, "19292868552_10158371815748553", "sha", "lookup")
	if !ok || it.URL != "https://www.facebook.com/19292868552/posts/10158371815748553/?comment_id=10158371930463553" {
		t.Errorf("%+v", it)
	}
	n, err = decodeNode(sample(t, "posts__single_post_data_fields.json"))
	if err != nil || n.Message != "我测试一下 MyLife" {
		t.Errorf("%+v, %v", n, err)
	}
	p, err := decodeProfile(sample(t, "pages__single_fields_page.json"))
	if err != nil || p != (connector.Profile{ID: "20531316728", Name: "Facebook", Username: "facebookapp"}) {
		t.Errorf("%+v, %v", p, err)
	}
}

// Both real answers say 100 without 33: they must not pass for a deletion.
func TestRealErrorsAreNoDeletions(t *testing.T) {
	for _, name := range []string{"error.json", "base__error_data.json"} {
		e := decodeError(http.StatusBadRequest, sample(t, name))
		if e == nil || e.Code != 100 || e.Class != connector.Refused {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestErrorClasses(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   connector.Class
	}{
		{400, `{"error":{"code":4,"is_transient":true}}`, connector.Throttled},
		{403, `{"error":{"code":17}}`, connector.Throttled},
		{400, `{"error":{"code":32}}`, connector.Throttled},
		{400, `{"error":{"code":613}}`, connector.Throttled},
		{400, `{"error":{"code":80001}}`, connector.Throttled},
		{400, `{"error":{"code":190,"error_subcode":463}}`, connector.BadToken},
		{400, `{"error":{"code":102}}`, connector.BadToken},
		{400, `{"error":{"code":10}}`, connector.Permission},
		{403, `{"error":{"code":200}}`, connector.Permission},
		{403, `{"error":{"code":299}}`, connector.Permission},
		{400, `{"error":{"code":100,"error_subcode":33}}`, connector.Vanished},
		{200, `{"error":{"code":100,"error_subcode":33}}`, connector.Vanished},
		{400, `{"error":{"code":100}}`, connector.Refused},
		{500, `{"error":{"code":1}}`, connector.Transient},
		{500, `{"error":{"code":2}}`, connector.Transient},
		{400, `{"error":{"code":368,"is_transient":true}}`, connector.Transient},
		{404, `{"error":{"code":803}}`, connector.Refused},
		{404, `<html>Not found</html>`, connector.Refused},
		{410, ``, connector.Refused},
		{502, `<html>Bad gateway</html>`, connector.Transient},
		{429, ``, connector.Throttled},
	} {
		e := decodeError(c.status, []byte(c.body))
		if e == nil || e.Class != c.want {
			t.Errorf("%d %s: %+v, want %s", c.status, c.body, e, c.want)
		}
	}
	if e := decodeError(200, []byte(`{"data":[]}`)); e != nil {
		t.Errorf("a listing is an error: %+v", e)
	}
}

func TestWhatIsNoListingIsNoEmptyListing(t *testing.T) {
	for _, body := range []string{`{}`, `{"data":null}`, `[]`, `null`, ``, `{"data":[`, `{"data":{}}`, `{"success":true}`} {
		if l, err := decodeListing([]byte(body)); err == nil {
			t.Errorf("%q read as %+v", body, l)
		}
	}
}

func TestUsage(t *testing.T) {
	h := http.Header{}
	h.Set("X-App-Usage", `{"call_count":28,"total_time":25,"total_cputime":71}`)
	if u := parseUsage(h); u.Percent != 71 || u.Exhausted() {
		t.Errorf("%+v", u)
	}
	h.Set("X-Business-Use-Case-Usage", `{"1":[{"type":"pages","call_count":103,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":5}]}`)
	if u := parseUsage(h); u.Percent != 103 || u.Regain != 5*time.Minute || !u.Exhausted() {
		t.Errorf("%+v", u)
	}
	h.Set("X-App-Usage", `nonsense`)
	if u := parseUsage(h); u.Percent != 103 {
		t.Errorf("%+v", u)
	}
}

func TestPageNamedByItsAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://www.facebook.com/larkspurpd":                         "larkspurpd",
		"https://www.facebook.com/larkspurpd/posts/5?x=1":             "larkspurpd",
		"https://www.facebook.com/profile.php?id=1000123":             "1000123",
		"https://www.facebook.com/people/Larkspur-Police/1000123/":    "1000123",
		"https://www.facebook.com/p/Larkspur-Police-Dept-1000123456/": "1000123456",
		"https://www.facebook.com/pages/Larkspur/1000123":             "1000123",
		"https://www.facebook.com/":                                   "",
		"":                                                            "",
	} {
		if got := Ref(address); got != want {
			t.Errorf("Ref(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestAlbumsAreTheirPictures(t *testing.T) {
	n, err := decodeNode([]byte(`{"id":"1_2","attachments":{"data":[{"media_type":"album","type":"album","subattachments":{"data":[
		{"media_type":"photo","type":"photo","description":"One","media":{"image":{"src":"https://m.example/1.jpg?oh=1"}}},
		{"media_type":"video","type":"video","media":{"image":{"src":"https://m.example/2.jpg"},"source":"https://m.example/2.mp4"}}]}},
		{"media_type":"link","type":"share","title":"Title","unshimmed_url":"https://city.example/x","url":"https://l.facebook.com/?u=x"},
		{"type":"photo","media":{"image":{"src":"javascript:alert(1)"}}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	p, _ := client(t).post(n, "", "listed")
	var got []string
	for i, a := range p.Attachments {
		got = append(got, a.Type+" "+a.URL+" "+p.Fetch[i])
	}
	want := []string{
		"photo https://m.example/1.jpg?oh=1 https://m.example/1.jpg?oh=1",
		"video https://m.example/2.mp4 https://m.example/2.mp4",
		"link https://city.example/x ",
	}
	if len(got) != len(want) {
		t.Fatalf("got %q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("attachment %d is %q, want %q", i, got[i], want[i])
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
	f.Add([]byte(`{"data":[{"id":"1","attachments":{"data":[{"subattachments":{"data":[{}]}}]}}],"paging":{"next":"::"}}`))
	c := client(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		if l, err := decodeListing(body); err == nil {
			for _, n := range l.nodes {
				if p, ok := c.post(n, "", "listed"); ok && (p.UID == "" || len(p.Fetch) != len(p.Attachments)) {
					t.Errorf("post %+v", p)
				}
				if it, ok := c.comment(n, "1_2", "", "listed"); ok && (it.UID == "" || it.UID == it.ParentUID) {
					t.Errorf("comment %+v", it)
				}
			}
		}
		decodeError(400, body)
		decodeError(200, body)
		if _, err := decodeProfile(body); err == nil {
			decodeNode(body)
		}
		parseUsage(http.Header{"X-App-Usage": {string(body)}, "X-Business-Use-Case-Usage": {string(body)}})
	})
}
