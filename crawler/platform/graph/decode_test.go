package graph

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRealListingWithoutCursorsPagesByItsOwnParameters(t *testing.T) {
	l, err := DecodePage(sample(t, "posts__feed_fields_p1.json"))
	if err != nil || len(l.Entries) != 5 || !l.More {
		t.Fatalf("%d posts, more %v, %v", len(l.Entries), l.More, err)
	}
	if got := l.Next.Encode(); got != "__paging_token=__paging_token&until=1624385168" {
		t.Errorf("next page by %s", got)
	}
}

func TestRealListingsEndWhereNoNextPageIsNamed(t *testing.T) {
	for name, want := range map[string]Page{
		"comments__comments_p1.json":      {More: true, After: "after"},
		"comments__comments_p2.json":      {After: "after"},
		"users__medias_p2.json":           {After: "after"}, // a cursor, and no next page
		"stories__stories_fields_p1.json": {More: true, After: "after"},
		"posts__feed_fields_p1.json":      {More: true},
	} {
		l, err := DecodePage(sample(t, name))
		if err != nil || l.More != want.More || l.After != want.After || len(l.Entries) == 0 {
			t.Errorf("%s: more %v, after %q, %d entries, %v", name, l.More, l.After, len(l.Entries), err)
		}
	}
}

// Both real answers say 100 without 33: they must not pass for a deletion.
func TestRealErrorsAreNoDeletions(t *testing.T) {
	for _, name := range []string{"error.json", "base__error_data.json"} {
		e := DecodeError(http.StatusBadRequest, sample(t, name))
		if e == nil || e.Code != 100 || e.Class != connector.Refused || NotOffered(e) || !Closed(e) {
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
		e := DecodeError(c.status, []byte(c.body))
		if e == nil || e.Class != c.want {
			t.Errorf("%d %s: %+v, want %s", c.status, c.body, e, c.want)
		}
	}
	if e := DecodeError(200, []byte(`{"data":[]}`)); e != nil {
		t.Errorf("a listing is an error: %+v", e)
	}
}

func TestWhatIsNoListingIsNoEmptyListing(t *testing.T) {
	for _, body := range []string{`{}`, `{"data":null}`, `[]`, `null`, ``, `{"data":[`, `{"data":{}}`, `{"success":true}`} {
		if l, err := DecodePage([]byte(body)); err == nil {
			t.Errorf("%q read as %+v", body, l)
		}
	}
}

func TestUsage(t *testing.T) {
	h := http.Header{}
	h.Set("X-App-Usage", `{"call_count":28,"total_time":25,"total_cputime":71}`)
	if u := ParseUsage(h); u.Percent != 71 || u.Exhausted() {
		t.Errorf("%+v", u)
	}
	h.Set("X-Business-Use-Case-Usage", `{"1":[{"type":"pages","call_count":103,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":5}]}`)
	if u := ParseUsage(h); u.Percent != 103 || u.Regain != 5*time.Minute || !u.Exhausted() {
		t.Errorf("%+v", u)
	}
	h.Set("X-App-Usage", `nonsense`)
	if u := ParseUsage(h); u.Percent != 103 {
		t.Errorf("%+v", u)
	}
}

func TestWhatARefusalSaysOfOneObject(t *testing.T) {
	for body, want := range map[string]sighting.Standing{
		`{"error":{"code":100,"error_subcode":33}}`: sighting.Gone,
		`{"error":{"code":10}}`:                     sighting.Denied,
		`{"error":{"code":200}}`:                    sighting.Denied,
		`{"error":{"code":100}}`:                    sighting.Unclear,
		`{"error":{"code":803}}`:                    sighting.Unclear,
		`{"error":{"code":190}}`:                    "",
		`{"error":{"code":4}}`:                      "",
		`{"error":{"code":2}}`:                      "",
	} {
		s, _, ok := Standing(DecodeError(400, []byte(body)))
		if ok != (want != "") || ok && s != want {
			t.Errorf("%s: %s %v, want %q", body, s, ok, want)
		}
	}
}

func TestAnEdgeThatIsNotThereIsToldFromOneThatIsRefused(t *testing.T) {
	for body, want := range map[string]bool{
		`{"error":{"code":100,"message":"(#100) Tried accessing nonexisting field (stories) on node type (Page)"}}`: true,
		`{"error":{"code":2500,"message":"Unknown path components: /stories"}}`:                                     true,
		`{"error":{"code":100,"message":"(#100) Requires the pages_read_user_content permission"}}`:                 false,
		`{"error":{"code":100,"error_subcode":33,"message":"Unsupported get request."}}`:                            false,
		`{"error":{"code":10}}`: false,
		`{"error":{"code":2}}`:  false,
	} {
		if got := NotOffered(DecodeError(400, []byte(body))); got != want {
			t.Errorf("%s: %v", body, got)
		}
	}
	if NotOffered(nil) || Closed(nil) {
		t.Error("no error is a refusal")
	}
}

func TestTimes(t *testing.T) {
	want := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, s := range []string{"2026-11-22T10:00:00+0000", "2026-11-22T12:00:00+0200", "2026-11-22T10:00:00Z", "1795341600"} {
		if got := Time(s); !got.Equal(want) {
			t.Errorf("%s is %v", s, got)
		}
	}
	for _, s := range []string{"", "soon", "0001-01-01T00:00:00+0000", "10000-01-01T00:00:00+0000", "9999-12-31T23:59:59-0800", "-5", "99999999999999"} {
		if got := Time(s); !got.IsZero() {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestMediaAddressesAreTheSameFromEveryHost(t *testing.T) {
	for address, want := range map[string]string{
		"https://scontent-ssn1-1.xx.fbcdn.net/v/1_n.jpg?oh=1":         "https://scontent.xx.fbcdn.net/v/1_n.jpg",
		"https://scontent.fdad3-4.fna.fbcdn.net/v/1_n.jpg?oh=2":       "https://scontent.xx.fbcdn.net/v/1_n.jpg",
		"https://video-ams4-1.xx.fbcdn.net/v/2_n.mp4?x#y":             "https://video.xx.fbcdn.net/v/2_n.mp4",
		"https://scontent-lax3-1.cdninstagram.com/v/3_n.jpg?oe=1":     "https://scontent.cdninstagram.com/v/3_n.jpg",
		"https://video-gmp1-1.cdninstagram.com/v/3_n.mp4?oe=1":        "https://scontent.cdninstagram.com/v/3_n.mp4",
		"https://instagram.fdad3-5.fna.fbcdn.net/v/3_n.jpg?oe=2":      "https://scontent.cdninstagram.com/v/3_n.jpg",
		"https://external-ssn1-1.xx.fbcdn.net/safe_image.php?d=AQGoi": "https://external-ssn1-1.xx.fbcdn.net/safe_image.php?d=AQGoi",
		"https://scontent.example/4.jpg?oh=1":                         "https://scontent.example/4.jpg?oh=1",
		"https://city.example/x?id=1":                                 "https://city.example/x?id=1",
		"":                                                            "",
	} {
		if got := StableURL(address); got != want {
			t.Errorf("%s is kept as %s, want %s", address, got, want)
		}
	}
}

func TestFieldsAreTakenOutOfASelection(t *testing.T) {
	for _, c := range [][3]string{
		{"id,alt_text,children{id,alt_text}", "alt_text", "id,children{id}"},
		{"alt_text,id", "alt_text", "id"},
		{"id,children{alt_text,id},x", "alt_text", "id,children{id},x"},
		{"id,alt_text", "alt_text", "id"},
		{"id,alt_text_custom,my_alt_text", "alt_text", "id,alt_text_custom,my_alt_text"},
		{"children{alt_text}", "alt_text", "children{}"},
		{"", "alt_text", ""},
	} {
		if got := withoutField(c[0], c[1]); got != c[2] {
			t.Errorf("%s without %s is %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

func TestIdsMayBeNumbers(t *testing.T) {
	var r Ref
	for body, want := range map[string]ID{`{"id":"178414"}`: "178414", `{"id":17841400000000001}`: "17841400000000001", `{"id":null}`: "", `{}`: ""} {
		r = Ref{}
		if err := Decode([]byte(body), &r); err != nil || r.ID != want {
			t.Errorf("%s is %q, %v", body, r.ID, err)
		}
	}
	for _, body := range []string{`{"id":true}`, `{"id":{}}`, `{"id":[1]}`} {
		if err := Decode([]byte(body), &r); err == nil {
			t.Errorf("%s is an id", body)
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
	f.Fuzz(func(t *testing.T, body []byte) {
		if p, err := DecodePage(body); err == nil && p.More && len(p.Next) > len(pagingParams) {
			t.Errorf("%+v", p)
		}
		NotOffered(DecodeError(400, body))
		if e := DecodeError(400, body); e == nil || e.Class == "" {
			t.Errorf("a refusal without a class: %+v", e)
		}
		DecodeError(200, body)
		Time(string(body))
		StableURL(string(body))
		withoutField(string(body), "alt_text")
		ParseUsage(http.Header{"X-App-Usage": {string(body)}, "X-Business-Use-Case-Usage": {string(body)}})
	})
}
