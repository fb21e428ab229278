package x

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

func decoder(t testing.TB) *Client {
	t.Helper()
	c, err := New(Config{SiteURL: "https://x.com/TwitterDev"})
	if err != nil {
		t.Fatal(err)
	}
	c.account = "2244994945"
	return c
}

// taken decodes an answer and takes in what it tells.
func taken(t *testing.T, c *Client, body []byte) page {
	t.Helper()
	p, err := decodePage(body)
	if err != nil {
		t.Fatal(err)
	}
	c.charge(p, false)
	c.learn(p)
	return p
}

func decoded(t *testing.T, body string) tweet {
	t.Helper()
	var out tweet
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRealPost(t *testing.T) {
	c := decoder(t)
	p := decoded(t, string(sample(t, "models__tweet.json")))
	it, ok := c.item(p, "1212092626247110657", "sha", sighting.Listed)
	if !ok || it.UID != "1212092628029698048" || it.ParentUID != "1212092627178287104" || it.Kind != candor.Reply || !it.ByAgency {
		t.Fatalf("%+v", it)
	}
	// The short link at its end is that of its picture.
	if !strings.HasSuffix(it.Text, "everyone who builds on the Twitter platform. We can’t wait to continue working with you in the new year.") {
		t.Errorf("text is %q", it.Text)
	}
	if !it.PostedAt.Equal(time.Date(2019, 12, 31, 19, 26, 16, 0, time.UTC)) || !it.PostedAt.Equal(born(it.UID)) || !it.UpdatedAt.IsZero() || it.Language != "en" {
		t.Errorf("%+v, born %s", it, born(it.UID))
	}
	// The key of its picture says what it is, though nothing else of it is known.
	if len(it.Attachments) != 1 || it.Attachments[0].Type != "video" || it.Attachments[0].Failure == "" || it.Fetch[0] != "" {
		t.Errorf("%+v", it.Attachments)
	}
	if it.URL != "https://x.com/i/status/1212092628029698048" {
		t.Errorf("link is %s", it.URL)
	}
}

func TestRealTimeline(t *testing.T) {
	c := decoder(t)
	p := taken(t, c, sample(t, "timeline__timeline_tweets.json"))
	if len(p.tweets) != 5 || !p.whole() || p.next != "7140dibdnow9c7btw3w3itbygz8uu5pbs45oy6erjc2ls" {
		t.Fatalf("%d posts, whole %v, next %q", len(p.tweets), p.whole(), p.next)
	}
	if got := p.tweets[0]; got.ID != "1364275610764201984" || *got.Metrics.Replies != 2 || got.uid() != got.ID {
		t.Errorf("%+v", got)
	}
	if c.Cost() != 5*5_000 {
		t.Errorf("it costs %d", c.Cost())
	}
}

func TestRealSearch(t *testing.T) {
	c := decoder(t)
	p := taken(t, c, sample(t, "searches__search_tweets_query.json"))
	if len(p.tweets) != 4 || !p.whole() || p.next != "" || len(p.mentioned) != 3 {
		t.Fatalf("%+v", p)
	}
	it, ok := c.item(p.tweets[0], "1275653067283759104", "sha", sighting.Listed)
	if !ok || it.Author != "Emily Waligoske 🏕" || it.AuthorID != "63046977" || it.Kind != candor.Comment || it.ByAgency ||
		it.URL != "https://x.com/happycamper/status/1276035977375477760" {
		t.Errorf("%+v", it)
	}
	if it.Text != "@snowman Ooo, thanks error message, public_metircs are not the metrics you’re looking for" {
		t.Errorf("text is %q", it.Text)
	}
	// Three people, the four posts found, and two of the three that they mention:
	// the third is one of the four.
	if c.Cost() != 3*10_000+6*5_000 {
		t.Errorf("it costs %d", c.Cost())
	}
}

func TestRealTextsAreWhatAPersonReads(t *testing.T) {
	c := decoder(t)
	p := taken(t, c, sample(t, "searches__search_tweets_for_nyc.json"))
	for _, x := range p.tweets {
		if x.ID == "1275840891014561796" {
			if got := c.text(x); !strings.Contains(got, "(not a worry in this setting) & kids from MD, NYC, and Zambia! Very cool to see the positives & the kids") {
				t.Errorf("%q", got)
			}
			return
		}
	}
	t.Error("the sample has changed")
}

func TestRealLookUps(t *testing.T) {
	p, err := decodePage(sample(t, "tweet__tweets_resp.json"))
	if err != nil || len(p.tweets) != 2 || len(p.users) != 2 || p.listing || p.whole() {
		t.Errorf("%+v, %v", p, err)
	}
	u, err := decodeUser(sample(t, "user__user_resp.json"))
	if err != nil || u.ID != "2244994945" || u.Username != "TwitterDev" || u.Name != "Twitter Dev" || u.Metrics.Tweets != 3639 {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestRealMediaWithoutAFileAreNamedByTheirStill(t *testing.T) {
	var m media
	if err := json.Unmarshal(sample(t, "models__media.json"), &m); err != nil {
		t.Fatal(err)
	}
	if a, from := m.attachment(); a.Type != "video" || a.URL != "https://pbs.twimg.com/media/EYeX7akWsAIP1_1.jpg" || a.Failure == "" || from != "" {
		t.Errorf("%+v from %q", a, from)
	}
}

func TestTheBestFileOfAVideoIsTaken(t *testing.T) {
	var m media
	if err := json.Unmarshal([]byte(`{"media_key":"7_1","type":"video","alt_text":"A siren","preview_image_url":"https://pbs.twimg.com/p.jpg","variants":[
		{"content_type":"application/x-mpegURL","url":"https://video.twimg.com/1.m3u8"},
		{"content_type":"video/mp4","bit_rate":256000,"url":"https://video.twimg.com/small.mp4?tag=12"},
		{"content_type":"video/mp4","bit_rate":2176000,"url":"https://video.twimg.com/large.mp4?tag=12"},
		{"content_type":"video/mp4","bit_rate":9999999,"url":"ftp://video.twimg.com/odd.mp4"}]}`), &m); err != nil {
		t.Fatal(err)
	}
	if a, from := m.attachment(); a.Type != "video" || a.URL != "https://video.twimg.com/large.mp4?tag=12" || from != a.URL || a.Alt != "A siren" || a.Failure != "" {
		t.Errorf("%+v from %q", a, from)
	}
}

func TestTexts(t *testing.T) {
	c := decoder(t)
	c.polls["9"] = poll{ID: "9", Options: []struct {
		Label string `json:"label"`
	}{{"Yes"}, {"No"}}}
	for name, x := range map[string]struct{ body, want string }{
		"short links are where they lead to": {`{"id":"5","text":"See https://t.co/aaaaaaaaaa &amp; https://t.co/bbbbbbbbbb","entities":{"urls":[
			{"url":"https://t.co/aaaaaaaaaa","expanded_url":"https://city.example/?a=1&b=2"},{"url":"https://t.co/bbbbbbbbbb","expanded_url":"https://t.co/aaaaaaaaaa"}]}}`,
			"See https://city.example/?a=1&b=2 & https://t.co/aaaaaaaaaa"},
		"an address that is none stays short": {`{"id":"5","text":"See https://t.co/aaaaaaaaaa","entities":{"urls":[{"url":"https://t.co/aaaaaaaaaa","expanded_url":"javascript:alert(1)"}]}}`,
			"See https://t.co/aaaaaaaaaa"},
		"a long post is read whole": {`{"id":"5","text":"Long… https://t.co/aaaaaaaaaa","note_tweet":{"text":"Long &lt;indeed&gt; https://t.co/bbbbbbbbbb","entities":{"urls":[
			{"url":"https://t.co/bbbbbbbbbb","expanded_url":"https://city.example/b"}]}}}`, "Long <indeed> https://city.example/b"},
		"escapes are undone once":         {`{"id":"5","text":"&amp;lt; &copy; &quot;"}`, "&lt; &copy; &quot;"},
		"two pictures share a link":       {`{"id":"5","text":"Look https://t.co/aaaaaaaaaa","attachments":{"media_keys":["3_1","3_2"]},"entities":{"urls":[{"url":"https://t.co/aaaaaaaaaa","media_key":"3_1"},{"url":"https://t.co/aaaaaaaaaa","media_key":"3_2"}]}}`, "Look"},
		"another's picture is a link":     {`{"id":"5","text":"Look https://t.co/aaaaaaaaaa","entities":{"urls":[{"url":"https://t.co/aaaaaaaaaa","expanded_url":"https://x.com/a/status/1/photo/1"}]}}`, "Look https://x.com/a/status/1/photo/1"},
		"the choices of a poll are words": {`{"id":"5","text":"Shall we?","attachments":{"poll_ids":["9"]}}`, "Shall we?\n☐ Yes\n☐ No"},
	} {
		if got := c.text(decoded(t, x.body)); got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
}

func TestARecordIsTheWholeChainOfItsWordings(t *testing.T) {
	c := decoder(t)
	const first, second = "2059540000000000000", "2059543000000000000"
	p := decoded(t, `{"id":"`+second+`","text":"Better","created_at":"2026-11-20T10:20:00.000Z","edit_history_tweet_ids":["`+first+`","`+second+`"]}`)
	it, ok := c.item(p, first, "", sighting.Listed)
	if !ok || it.UID != first || !it.PostedAt.Equal(born(first)) || !it.UpdatedAt.Equal(time.Date(2026, 11, 20, 10, 20, 0, 0, time.UTC)) || !strings.HasSuffix(it.URL, "/status/"+first) {
		t.Errorf("%+v", it)
	}
}

func TestOnlyWhatIsBlockedEverywhereIsWithheld(t *testing.T) {
	for body, want := range map[string]candor.RecordState{
		`{"country_codes":["DE","FR"]}`:                 "",
		`{"copyright":false,"country_codes":["XX"]}`:    candor.Withheld,
		`{"copyright":true,"country_codes":["XY"]}`:     candor.Withheld,
		`{"copyright":true,"country_codes":[]}`:         candor.Withheld,
		`{"scope":"tweet","country_codes":["DE","XY"]}`: candor.Withheld,
	} {
		it, _ := decoder(t).item(decoded(t, `{"id":"5","withheld":`+body+`}`), "5", "", "")
		if it.State != want {
			t.Errorf("%s is %q", body, it.State)
		}
	}
}

func TestErrorClasses(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	soon := http.Header{"X-Rate-Limit-Reset": {"1795435500"}} // 12:05
	for _, c := range []struct {
		status int
		header http.Header
		body   string
		want   connector.Class
		after  time.Duration
	}{
		{429, soon, `{"title":"Too Many Requests","detail":"Too Many Requests","type":"about:blank","status":429}`, connector.Throttled, 5 * time.Minute},
		{429, nil, `{"errors":[{"code":88,"message":"Rate limit exceeded"}]}`, connector.Throttled, 15 * time.Minute},
		{429, soon, `<html>`, connector.Throttled, 5 * time.Minute},
		{429, nil, `{"title":"UsageCapExceeded","type":"https://api.twitter.com/2/problems/usage-capped","period":"Monthly","scope":"Product"}`, connector.Throttled, time.Hour},
		{403, nil, `{"title":"UsageCapExceeded","type":"https://api.x.com/2/problems/usage-capped"}`, connector.Throttled, time.Hour},
		{402, nil, `{"title":"Payment Required","type":"about:blank"}`, connector.Throttled, time.Hour},
		{401, nil, `{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}`, connector.BadToken, 0},
		{401, nil, ``, connector.BadToken, 0},
		{401, nil, `{"errors":[{"code":89,"message":"Invalid or expired token."}]}`, connector.BadToken, 0},
		{403, nil, `{"client_id":"1","reason":"client-not-enrolled","type":"https://api.twitter.com/2/problems/client-forbidden","title":"Client Forbidden"}`, connector.Permission, 0},
		{403, nil, `{"title":"Unsupported Authentication","type":"https://api.twitter.com/2/problems/unsupported-authentication","status":403}`, connector.Permission, 0},
		{400, nil, `{"errors":[{"parameters":{"max_results":["500"]},"message":"bad"}],"title":"Invalid Request","type":"https://api.twitter.com/2/problems/invalid-request"}`, connector.Refused, 0},
		{404, nil, `{"title":"Not Found","type":"about:blank","status":404}`, connector.Refused, 0},
		{503, nil, `{"title":"Service Unavailable","type":"about:blank","status":503}`, connector.Transient, 0},
		{200, nil, `{"title":"Service Unavailable","type":"about:blank","status":503}`, connector.Transient, 0},
		{502, nil, `<html>`, connector.Transient, 0},
		{401, nil, `<html>`, connector.Transient, 0},
		{200, nil, `<html>`, connector.Transient, 0},
		{200, nil, ``, connector.Transient, 0},
	} {
		e := decodeError(c.status, c.header, []byte(c.body), at)
		if e == nil || e.Class != c.want || e.After != c.after {
			t.Errorf("%d %s: %+v, want %s after %s", c.status, c.body, e, c.want, c.after)
		}
	}
	for _, body := range []string{`{"meta":{"result_count":0}}`, `{"data":[],"errors":[{"title":"Not Found Error"}]}`, `{"errors":[{"title":"Not Found Error"}]}`} {
		if e := decodeError(200, nil, []byte(body), at); e != nil {
			t.Errorf("%s is refused: %+v", body, e)
		}
	}
}

func TestStandingsFollowTheWordsOfAnError(t *testing.T) {
	const notFound, forbidden = "https://api.twitter.com/2/problems/resource-not-found", "https://api.x.com/2/problems/not-authorized-for-resource"
	for _, c := range []struct {
		e    problem
		want sighting.Standing
	}{
		{problem{Title: "Not Found Error", Type: notFound, Detail: "Could not find tweet with ids: [5]."}, sighting.Gone},
		{problem{Title: "Authorization Error", Type: forbidden, Detail: "Sorry, you are not authorized to see the Tweet with ids: [5]."}, sighting.Denied},
		{problem{Title: "Authorization Error", Type: forbidden, Detail: "This account is protected."}, sighting.Private},
		{problem{Title: "Authorization Error", Type: forbidden, Detail: "User has been suspended: [a]."}, sighting.Withheld},
		{problem{Title: "Forbidden", Type: notFound, Detail: "User has been suspended: [a]."}, sighting.Withheld},
		{problem{Title: "Forbidden", Type: notFound}, sighting.Unclear},
		{problem{Title: "Not Found Error", Type: "about:blank"}, sighting.Unclear},
		{problem{Title: "Resource Unavailable"}, sighting.Unclear},
	} {
		if got := standing(c.e); got != c.want {
			t.Errorf("%+v is %s, want %s", c.e, got, c.want)
		}
	}
}

func TestAllowances(t *testing.T) {
	at := time.Unix(1000, 0)
	h := func(limit, left, reset string) http.Header {
		return http.Header{"X-Rate-Limit-Limit": {limit}, "X-Rate-Limit-Remaining": {left}, "X-Rate-Limit-Reset": {reset}}
	}
	for _, c := range []struct {
		h    http.Header
		want allowance
	}{
		{h("900", "225", "1500"), allowance{percent: 75}},
		{h("900", "0", "1500"), allowance{100, 500 * time.Second}},
		{h("900", "0", "nonsense"), allowance{100, shortStay}},
		{h("0", "0", "1"), allowance{}},
		{h("900", "901", "1"), allowance{}},
		{h("900", "-1", "1"), allowance{}},
		{http.Header{}, allowance{}},
	} {
		if got := parseAllowance(c.h, at); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.h, got, c.want)
		}
	}
}

func TestWhatIsNoAnswerIsNoEmptyListing(t *testing.T) {
	for _, body := range []string{`{}`, `[]`, `null`, ``, `{"data":[`, `{"data":{}}`, `{"errors":[]}`, `{"includes":{}}`} {
		if p, err := decodePage([]byte(body)); err == nil {
			t.Errorf("%q read as %+v", body, p)
		}
	}
	for _, body := range []string{`{"data":[]}`, `{"errors":[{}]}`, `{"errors":"odd"}`, `{"data":[{"id":5}],"meta":{"result_count":1}}`, `{"meta":{"result_count":1}}`,
		`{"meta":{}}`, `{"data":[{"id":"5"}],"errors":[{"value":5,"status":"odd"}],"meta":{"result_count":1}}`} {
		if p, err := decodePage([]byte(body)); err != nil || p.whole() {
			t.Errorf("%q is a whole page: %v", body, err)
		}
	}
}

func TestTimesFarOffAreNotBelieved(t *testing.T) {
	for _, s := range []string{"", "0001-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "yesterday"} {
		if got := connector.Time(s); !got.IsZero() {
			t.Errorf("%q read as %s", s, got)
		}
	}
	for _, id := range []string{"", "20", "-5", "x", "99999999999999999999"} {
		if got := born(id); !got.IsZero() {
			t.Errorf("%q was born %s", id, got)
		}
	}
}

func TestAccountNamedByItsAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://x.com/larkspurpd":                      "@larkspurpd",
		"https://x.com/@larkspurpd":                     "@larkspurpd",
		"https://twitter.com/larkspurpd/status/5?s=20":  "@larkspurpd",
		"https://x.com/911":                             "@911",
		"https://x.com/i/user/2244994945":               "2244994945",
		"https://x.com/i/status/5":                      "",
		"https://x.com/home":                            "",
		"https://x.com/much_too_long_for_a_handle_here": "",
		"https://x.com/":                                "",
		"":                                              "",
	} {
		if got := Ref(address); got != want {
			t.Errorf("Ref(%q) = %q, want %q", address, got, want)
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
	f.Add([]byte(`{"data":[{"id":"5","edit_history_tweet_ids":["","5"],"referenced_tweets":[{"type":"replied_to","id":"5"}]},null,{"id":""}],"errors":[null],"meta":{"result_count":3}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c := decoder(t)
		if p, err := decodePage(body); err == nil {
			c.charge(p, true)
			c.learn(p)
			for _, x := range append(p.tweets, p.mentioned...) {
				root, known := c.root(x)
				if it, ok := c.item(x, root, "", ""); ok && x.ID != "" && (it.UID == "" || known && it.Kind == "" || known && it.RootUID == "" || len(it.Fetch) != len(it.Attachments)) {
					t.Errorf("%+v", it)
				}
			}
			for _, e := range p.problems {
				standing(e)
				e.about("5")
			}
		}
		for _, status := range []int{200, 400} {
			if e := decodeError(status, http.Header{"X-Rate-Limit-Reset": {string(body)}}, body, time.Unix(0, 0)); e != nil && e.Class == "" {
				t.Errorf("%+v has no class", e)
			}
		}
		if u, err := decodeUser(body); err == nil && u.ID == "" {
			t.Errorf("%+v", u)
		}
	})
}
