package nextdoor

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/candor-archive/candor"
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

func offline(t testing.TB) *Client {
	t.Helper()
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	c.who = connector.Profile{ID: "FzPk", Name: "Larkspur Police Department"}
	c.self["90071992547409931"] = true
	return c
}

func TestDocumentedPosts(t *testing.T) {
	l, err := decodeListing(sample(t, "posts.json"))
	if err != nil || len(l.posts) != 2 || l.count != 2 || !l.whole {
		t.Fatalf("%+v, %v", l, err)
	}
	c := offline(t)
	p := c.post(l.posts[0], "sha", sighting.Listed)
	if p.UID != "349115502" || p.AuthorID != "90071992547409931" || !p.ByAgency || p.URL != "https://nextdoor.com/p/abC9" {
		t.Errorf("post is %+v", p)
	}
	if p.Text != "Boil water notice for Cedar Creek until Friday.\nCall 555-0140 with questions." {
		t.Errorf("text is %q", p.Text)
	}
	if want := time.Date(2025, 11, 23, 23, 0, 0, 0, time.UTC); !p.PostedAt.Equal(want) || !p.UpdatedAt.IsZero() {
		t.Errorf("posted %s, updated %s", p.PostedAt, p.UpdatedAt)
	}
	if len(p.Attachments) != 2 || p.Attachments[0].Type != "photo" || p.Fetch[0] != p.Attachments[0].URL || p.Attachments[0].Failure != "" {
		t.Fatalf("attachments are %+v", p.Attachments)
	}
	if v := p.Attachments[1]; v.Type != "video" || v.N != 2 || p.Fetch[1] != "" || !strings.Contains(v.Failure, "does not give videos") {
		t.Errorf("the video is %+v", v)
	}
}

func TestABlankPostSaysWhyItIsBlank(t *testing.T) {
	l, err := decodeListing(sample(t, "posts.json"))
	if err != nil {
		t.Fatal(err)
	}
	p := offline(t).post(l.posts[1], "sha", sighting.Listed)
	if len(p.Attachments) != 1 || !strings.Contains(p.Attachments[0].Failure, "polls") || p.Text != "" {
		t.Errorf("%+v", p)
	}
}

func TestDocumentedCommentsFlatOrNested(t *testing.T) {
	for _, c := range []struct {
		file string
		want []string
	}{
		{"posts.json", []string{
			"349115502/1189402211 comment 349115502 55120034 false Is Elm Street in it? 1763942400",
			"349115502/1189402212 reply 349115502/1189402211 90071992547409931 true Yes, all of it.  1763942460",
			"349115502/1189402213 comment 349115502 55120035 false  1763942520",
		}},
		{"content.json", []string{
			"349115600/71 comment 349115600  false See you there 1763996400",
			"349115600/72 reply 349115600/71  false Me too 1763996460",
			"349115600/73 reply 349115600/72  false ¿A qué hora? 1763996400",
		}},
	} {
		l, err := decodeListing(sample(t, c.file))
		if err != nil || !l.whole {
			t.Fatalf("%s: %+v, %v", c.file, l, err)
		}
		p := l.posts[0]
		list, whole := flatten(p, 100)
		if len(list) != len(c.want) || !whole {
			t.Fatalf("%s: %d comments, whole %v", c.file, len(list), whole)
		}
		for i, x := range list {
			it := offline(t).comment(x, string(p.ID), "sha", sighting.Listed)
			got := fmt.Sprint(it.UID, " ", it.Kind, " ", it.ParentUID, " ", it.AuthorID, " ", it.ByAgency, " ", it.Text, " ", it.PostedAt.Unix())
			if got != c.want[i] {
				t.Errorf("%s comment %d:\n got %q\nwant %q", c.file, i, got, c.want[i])
			}
		}
	}
}

func TestACommentThatIsOnlyAPictureSaysSo(t *testing.T) {
	it := offline(t).comment(comment{ID: "5"}, "1", "", sighting.Listed)
	if len(it.Attachments) != 1 || it.Attachments[0].Failure == "" || len(it.Fetch) != 1 {
		t.Errorf("%+v", it)
	}
}

func TestMediaByBareAddress(t *testing.T) {
	l, err := decodeListing(sample(t, "content.json"))
	if err != nil {
		t.Fatal(err)
	}
	p := offline(t).post(l.posts[0], "", sighting.Listed)
	if p.Text != "Coffee with a cop\n\nSaturday at nine, City Hall." {
		t.Errorf("text is %q", p.Text)
	}
	if len(p.Attachments) != 2 || p.Attachments[0].Type != "photo" || p.Attachments[1].Type != "video" || p.Fetch[1] == "" {
		t.Errorf("attachments are %+v", p.Attachments)
	}
}

func TestASignatureInAMediaAddressIsNoEdit(t *testing.T) {
	a, _ := attachments([]media{{URL: "https://m.example/1.jpg?sig=1"}})
	b, _ := attachments([]media{{URL: "https://m.example/1.jpg?sig=2"}})
	if candor.HashContent("x", a) != candor.HashContent("x", b) {
		t.Error("the hash moved")
	}
}

func TestWording(t *testing.T) {
	for _, c := range []struct{ title, body, want string }{
		{"", "Body", "Body"},
		{"Body of a lon…", "Body of a long post", "Body of a long post"},
		{"Body of...", "Body of a long post", "Body of a long post"},
		{"Notice", "Body", "Notice\n\nBody"},
		{"Notice", "  ", "Notice"},
		{" ", "", ""},
	} {
		if got := wording(c.title, c.body); got != c.want {
			t.Errorf("%q and %q make %q, want %q", c.title, c.body, got, c.want)
		}
	}
}

func TestTimesInEveryDocumentedForm(t *testing.T) {
	for in, want := range map[string]int64{
		`1763938800`: 1763938800, `"1763938800"`: 1763938800, `1763938800.9`: 1763938800,
		`"2025-11-23T23:00:00Z"`: 1763938800, `"2025-11-24T00:00:00+01:00"`: 1763938800, `"2025-11-23T17:00:00.25-0600"`: 1763938800,
		`"2025-11-23T23:00:00"`: 0, // an hour without a zone is a guess
		`null`:                  0, `0`: 0, `-5`: 0, `1e300`: 0, `"NaN"`: 0, `"Inf"`: 0, `"yesterday"`: 0, `{"a":1}`: 0, `"0001-01-01T00:00:00Z"`: 0, `""`: 0,
	} {
		var m moment
		if err := m.UnmarshalJSON([]byte(in)); err != nil {
			t.Errorf("%s: %v", in, err)
		}
		if got := m.Time; want == 0 != got.IsZero() || want != 0 && got.Unix() != want {
			t.Errorf("%s reads as %s", in, got)
		}
	}
}

func TestIdsAreTakenWholeOrNotAtAll(t *testing.T) {
	for in, want := range map[string]id{
		`12345678901234567890`: "12345678901234567890", `"abC_9-x"`: "abC_9-x", `0`: "", `"0"`: "", `null`: "", `1.5`: "", `1e9`: "", `-1`: "", `true`: "",
		`{}`: "", `"a/b"`: "", `"a b"`: "", `"a\nb"`: "", `"` + strings.Repeat("x", 201) + `"`: "",
	} {
		var got id
		if err := got.UnmarshalJSON([]byte(in)); err != nil || got != want {
			t.Errorf("%s reads as %q, %v", in, got, err)
		}
	}
}

func TestWhatIsNotUnderstoodIsNotWhole(t *testing.T) {
	for body, whole := range map[string]bool{
		`{"posts":[]}`: true,
		`{"posts":[{"id":1,"body":"x"}],"posts_length":1}`:               true,
		`{"posts":[{"id":1,"body":"x"}],"posts_length":2}`:               false,
		`{"posts":[{"id":1,"body":7}]}`:                                  false,
		`{"posts":[{"body":"x"}]}`:                                       false,
		`{"posts":[null]}`:                                               false,
		`{"posts":[{"id":1,"media":{"a":1}}]}`:                           false,
		`{"posts":[{"id":1}],"error":"timeout","error_description":"x"}`: false,
	} {
		l, err := decodeListing([]byte(body))
		if err != nil || l.whole != whole {
			t.Errorf("%s: %+v, %v", body, l, err)
		}
	}
	for _, body := range []string{`{}`, `{"posts":null}`, `[]`, `null`, ``, `{"posts":[`, `{"posts":{}}`, `{"result":"success"}`} {
		if l, err := decodeListing([]byte(body)); err == nil {
			t.Errorf("%q read as %+v", body, l)
		}
	}
}

func TestCommentsNotUnderstoodAreNotWhole(t *testing.T) {
	deep := "" // the ids must differ, or they are one comment
	for n := 1; n < deepest+10; n++ {
		deep += fmt.Sprintf(`{"id":%d,"comments":[`, n)
	}
	deep += strings.Repeat("]}", deepest+9)
	for comments, want := range map[string]struct {
		n     int
		whole bool
	}{
		`[]`:                                 {0, true},
		`null`:                               {0, false},
		`[{"id":1,"body":"a"},{"body":"b"}]`: {1, false},
		`[{"id":1,"body":"a"},{"id":1,"body":"a"}]`:               {1, true},
		`[{"id":1,"body":"a","comments":[{"id":2,"body":{}}]}]`:   {1, false},
		`[{"id":1,"body":"a","comments":[{"id":1,"body":"me"}]}]`: {1, true},
		`[` + deep + `]`: {deepest, false},
		`[{"id":1},{"id":2},{"id":3},{"id":4},{"id":5},{"id":6}]`: {5, false},
	} {
		limit := 5
		if strings.Contains(comments, `{"id":40,`) {
			limit = 1000
		}
		l, err := decodeListing([]byte(`{"posts":[{"id":9,"comments":` + comments + `}]}`))
		if err != nil || len(l.posts) != 1 {
			t.Fatalf("%.60s: %+v, %v", comments, l, err)
		}
		if list, whole := flatten(l.posts[0], limit); len(list) != want.n || whole != want.whole {
			t.Errorf("%.60s: %d comments, whole %v", comments, len(list), whole)
		}
	}
}

func TestErrorClasses(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   connector.Class
		says   string
	}{
		{400, `{"error":"missing_input","error_description":"Missing required input.","invalid_parameters":"publication_url"}`, connector.Refused, `missing_input: Missing required input.: "publication_url"`},
		{400, `{"error":"invalid_input","error_description":"No.","invalid_parameter":["country"]}`, connector.Refused, `["country"]`},
		{400, `{"error":"invalid_grant"}`, connector.BadToken, ""},
		{401, `{"error":"invalid_token"}`, connector.BadToken, ""},
		{401, ``, connector.BadToken, ""},
		{401, `<html>Sign in</html>`, connector.Transient, "web page"},
		{403, `{"error":"insufficient_scope","error_description":"post:read"}`, connector.Permission, "post:read"},
		{403, ` <!doctype html><title>Blocked</title>`, connector.Transient, "web page"},
		{404, `{"error":"not_found"}`, connector.Vanished, ""},
		{404, `{"detail":"Not found."}`, connector.Refused, "without saying why"},
		{404, `<html>Not found</html>`, connector.Transient, ""},
		{404, ``, connector.Refused, ""},
		{410, `{"error":"gone"}`, connector.Refused, ""},
		{405, `Method Not Allowed`, connector.Refused, ""},
		{301, ``, connector.Refused, "redirect"},
		{429, `{"error":"rate_limit_exceeded"}`, connector.Throttled, ""},
		{429, `<html>slow down</html>`, connector.Throttled, ""},
		{500, `{"error":"server_error"}`, connector.Transient, ""},
		{503, `<html></html>`, connector.Transient, ""},
		{200, `{"error":"invalid_token"}`, connector.BadToken, ""},
		{200, `{"error":"not_found"}`, connector.Refused, ""}, // gone only by its own status
	} {
		e := decodeError(c.status, []byte(c.body))
		if e == nil || e.Class != c.want || e.Status != c.status || !strings.Contains(e.Message, c.says) {
			t.Errorf("%d %s: %+v, want %s", c.status, c.body, e, c.want)
		}
	}
	for _, body := range []string{`{"posts":[]}`, `{"posts":[],"error":"timeout"}`, `{"id":"1","error":""}`, `[]`, ``} {
		if e := decodeError(http.StatusOK, []byte(body)); e != nil {
			t.Errorf("%s is an error: %+v", body, e)
		}
	}
	long := decodeError(400, []byte(`{"error":"x","error_description":"`+strings.Repeat("é", 5000)+`"}`))
	if len(long.Message) > 600 {
		t.Errorf("a message of %d bytes", len(long.Message))
	}
}

func TestAPostByItselfInEveryForm(t *testing.T) {
	for body, want := range map[string]bool{
		`{"id":"7","body":"x"}`:                    true,
		`{"post":{"id":7,"body":"x"}}`:             true,
		`{"posts":[{"id":6},{"id":7,"body":"x"}]}`: true,
		`{"posts":[{"id":6}]}`:                     false,
		`{"id":"8","body":"x"}`:                    false,
		`{}`:                                       false,
		`[]`:                                       false,
	} {
		if p, ok := decodePost([]byte(body), "7"); ok != want || ok && p.Body != "x" {
			t.Errorf("%s: %+v, %v", body, p, ok)
		}
	}
}

func TestProfiles(t *testing.T) {
	for _, c := range []struct {
		body    string
		name    string
		private bool
	}{
		{`{"id":"a","first_name":"Ann","last_name":"Bo","agency_name":"Larkspur PD","is_agency_profile":"true","is_neighbor_profile":"false"}`, "Larkspur PD", false},
		{`{"id":"a","first_name":"Ann","last_name":"Bo","business_name":"Mill"}`, "Mill", false},
		{`{"id":12,"first_name":"Ann","last_name":null}`, "Ann", false},
		{`{"id":"a","first_name":"Ann","last_name":"Bo","is_agency_profile":false,"is_neighbor_profile":true}`, "Ann Bo", true},
		{`{"id":"a","is_agency_profile":"False","is_neighbor_profile":"True"}`, "", true},
	} {
		p, private, err := decodeProfile([]byte(c.body))
		if err != nil || p.Name != c.name || private != c.private || p.ID == "" {
			t.Errorf("%s: %+v, %v, %v", c.body, p, private, err)
		}
	}
	for _, body := range []string{`{}`, `[]`, `{"id":""}`, `{"id":{}}`, ``} {
		if p, _, err := decodeProfile([]byte(body)); err == nil {
			t.Errorf("%s read as %+v", body, p)
		}
	}
}

func TestNextdoorsOwnHostsAreCalledOnceASecond(t *testing.T) {
	for base, want := range map[string]rate.Limit{
		"": 1, "https://ca.nextdoor.com": 1, "https://nextdoor.co.uk": 1, "http://127.0.0.1:4444": rate.Inf,
	} {
		if c, err := New(Config{Base: base}); err != nil || c.pace.Limit() != want {
			t.Errorf("%q: %v, %v", base, c.pace.Limit(), err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"posts.json", "content.json"} {
		f.Add(sample(f, name))
	}
	f.Add([]byte(`{"error":"not_found","error_description":"x","invalid_parameters":["id"]}`))
	f.Add([]byte(`{"id":"1","first_name":"A","is_agency_profile":"true","comments":[{"id":2,"parent_comment_id":3,"comments":[{"id":3,"parent_comment_id":2}]}]}`))
	c := offline(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		check := func(p post) {
			it := c.post(p, "", sighting.Listed)
			if it.UID == "" || strings.Contains(it.UID, "/") || len(it.Fetch) != len(it.Attachments) {
				t.Errorf("post %+v", it)
			}
			list, _ := flatten(p, 50)
			if len(list) > 50 {
				t.Errorf("%d comments", len(list))
			}
			for _, x := range list {
				it := c.comment(x, string(p.ID), "", sighting.Listed)
				if it.UID == "" || it.UID == it.ParentUID || it.RootUID != string(p.ID) || len(it.Fetch) != len(it.Attachments) {
					t.Errorf("comment %+v", it)
				}
				if y := it.PostedAt.Year(); !it.PostedAt.IsZero() && (y < 1 || y > 9999) {
					t.Errorf("posted %s", it.PostedAt)
				}
			}
		}
		if l, err := decodeListing(body); err == nil {
			for _, p := range l.posts {
				check(p)
			}
		}
		if p, ok := decodePost(body, "1"); ok {
			check(p)
		}
		decodeComment(body, "1")
		decodeError(200, body)
		decodeError(404, body)
		if p, _, err := decodeProfile(body); err == nil && p.ID == "" {
			t.Error("a profile without an id")
		}
	})
}
