package threads

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/platform/graph"
	"github.com/candor-archive/candor/crawler/sighting"
)

// No real answers were to be had. These follow the examples and lists of fields
// in the platform's documentation.
var published = map[string]string{
	"profile": `{"id":"26103200000000001","username":"larkspurpd","name":"Larkspur PD","threads_profile_picture_url":"https://scontent-lax3-1.cdninstagram.com/p.jpg","threads_biography":"Hi"}`,
	"text":    `{"id":"1","media_product_type":"THREADS","media_type":"TEXT_POST","permalink":"https://www.threads.net/@larkspurpd/post/abc","owner":{"id":"26103200000000001"},"username":"larkspurpd","text":"Road closed","timestamp":"2026-01-01T18:20:00+0000","shortcode":"abc","is_quote_post":false,"has_replies":false,"link_attachment_url":"https://city.example/roads?id=4"}`,
	"carousel": `{"id":"2","media_type":"CAROUSEL_ALBUM","permalink":"https://www.threads.net/@larkspurpd/post/def","username":"larkspurpd","has_replies":true,"children":{"data":[
		{"id":"21","media_type":"IMAGE","media_url":"https://scontent-lax3-2.cdninstagram.com/v/21_n.jpg?oh=1","alt_text":"A car"},
		{"id":"22","media_type":"VIDEO","media_url":"https://video-lax3-2.cdninstagram.com/v/22_n.mp4?oh=1"},{"id":"23","media_type":"IMAGE"}]}}`,
	"poll":    `{"id":"3","media_type":"TEXT_POST","username":"larkspurpd","text":"When?","poll_attachment":{"option_a":"Monday","option_b":"Friday","option_a_votes_percentage":0.5,"total_votes":9,"expiration_timestamp":"2026-01-02T18:20:00+0000"}}`,
	"long":    `{"id":"4","media_type":"TEXT_POST","username":"larkspurpd","text":"In short","text_attachment":{"plaintext":"At length.","link_attachment_url":"https://city.example/long","text_with_styling_info":[{"offset":0,"length":2,"styling_info":["bold"]}]}}`,
	"quote":   `{"id":"5","media_type":"TEXT_POST","username":"larkspurpd","text":"Look","is_quote_post":true,"quoted_post":{"id":"88","permalink":"https://www.threads.net/@another/post/xyz"}}`,
	"gif":     `{"id":"6","media_type":"TEXT_POST","username":"larkspurpd","gif_url":"https://media.tenor.com/x.gif"}`,
	"audio":   `{"id":"7","media_type":"AUDIO","username":"larkspurpd","media_url":"https://video-lax3-2.cdninstagram.com/v/7.mp4"}`,
	"repost":  `{"id":"8","media_type":"REPOST_FACADE","username":"larkspurpd","reposted_post":{"id":"88"}}`,
	"ghost":   `{"id":"9","media_type":"TEXT_POST","username":"larkspurpd","text":"For a day","ghost_post_status":"active"}`,
	"reply":   `{"id":"10","text":"First Reply","username":"denise","timestamp":"2024-01-01T18:20:00+0000","media_product_type":"THREADS","media_type":"TEXT_POST","shortcode":"abcdefg","has_replies":true,"root_post":{"id":"1"},"replied_to":{"id":"1"},"is_reply":true,"is_reply_owned_by_me":false,"hide_status":"NOT_HUSHED"}`,
	"nested":  `{"id":"11","text":"Nested Reply","username":"LarkspurPD","timestamp":"2024-01-01T18:20:00+0000","media_type":"TEXT_POST","root_post":{"id":"1"},"replied_to":{"id":"10"},"is_reply":true,"is_reply_owned_by_me":true,"hide_status":"HIDDEN"}`,
	"listing": `{"data":[{"id":"1"},{"id":"2"}],"paging":{"cursors":{"before":"BEFORE_CURSOR","after":"AFTER_CURSOR"}}}`,
}

func reader(t testing.TB) *Client {
	t.Helper()
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	c.id, c.username = "26103200000000001", "larkspurpd"
	return c
}

func read(t testing.TB, name string) node {
	t.Helper()
	n, err := decodeNode([]byte(published[name]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPosts(t *testing.T) {
	c := reader(t)
	for name, want := range map[string]struct {
		kind        candor.RecordKind
		text        string
		comments    int
		attachments []string
	}{
		"text":     {candor.Post, "Road closed", 0, []string{"link https://city.example/roads?id=4 "}},
		"carousel": {candor.Post, "", -1, []string{"photo https://scontent.cdninstagram.com/v/21_n.jpg A car", "video https://scontent.cdninstagram.com/v/22_n.mp4 ", "photo https://www.threads.net/@larkspurpd/post/def  (no bytes)"}},
		"poll":     {candor.Post, "When?\n\nPoll:\n- Monday\n- Friday", -1, nil},
		"long":     {candor.Post, "In short\n\nAt length.", -1, []string{"link https://city.example/long "}},
		"quote":    {candor.Post, "Look", -1, []string{"link https://www.threads.net/@another/post/xyz Quoted post 88"}},
		"gif":      {candor.Post, "", -1, []string{"photo https://media.tenor.com/x.gif "}},
		"audio":    {candor.Post, "", -1, []string{"file https://scontent.cdninstagram.com/v/7.mp4 "}},
		"ghost":    {candor.Story, "For a day", -1, nil},
	} {
		p := c.post(read(t, name), candor.Post, "sha", sighting.Listed)
		if p.Kind != want.kind || p.Text != want.text || p.Comments != want.comments || p.RootUID != p.UID || !p.ByAgency || p.AuthorID != c.id || !p.UpdatedAt.IsZero() {
			t.Errorf("%s is %+v", name, p)
		}
		if len(p.Attachments) != len(want.attachments) {
			t.Errorf("%s: attachments are %+v", name, p.Attachments)
			continue
		}
		for i, a := range p.Attachments {
			got := a.Type + " " + a.URL + " " + a.Alt
			if a.Failure != "" {
				got += " (no bytes)"
			}
			if got != want.attachments[i] || a.N != i+1 || (p.Fetch[i] == "") != (a.Type == "link" || a.Failure != "") {
				t.Errorf("%s: attachment %q from %q, want %q", name, got, p.Fetch[i], want.attachments[i])
			}
		}
	}
	if p := c.post(read(t, "text"), candor.Post, "", ""); p.URL != "https://www.threads.net/@larkspurpd/post/abc" || !p.PostedAt.Equal(time.Date(2026, 1, 1, 18, 20, 0, 0, time.UTC)) {
		t.Errorf("%+v", p)
	}
}

func TestVotesAreNoContent(t *testing.T) {
	var more map[string]any
	if err := json.Unmarshal([]byte(published["poll"]), &more); err != nil {
		t.Fatal(err)
	}
	more["poll_attachment"].(map[string]any)["total_votes"] = 5000
	body, err := json.Marshal(more)
	if err != nil {
		t.Fatal(err)
	}
	n, err := decodeNode(body)
	if err != nil || n.words() != read(t, "poll").words() {
		t.Errorf("%q, %v", n.words(), err)
	}
}

func TestReplies(t *testing.T) {
	c := reader(t)
	first, nested := c.reply(read(t, "reply"), "1", "", ""), c.reply(read(t, "nested"), "1", "", "")
	if first.Kind != candor.Comment || first.ParentUID != "1" || first.RootUID != "1" || first.ByAgency || first.Author != "denise" || first.State != "" {
		t.Errorf("%+v", first)
	}
	if nested.Kind != candor.Reply || nested.ParentUID != "10" || nested.RootUID != "1" || !nested.ByAgency || nested.AuthorID != c.id || nested.State != candor.Hidden {
		t.Errorf("%+v", nested)
	}
	for status, want := range map[string]candor.RecordState{
		"": "", "NOT_HUSHED": "", "UNHUSHED": "", "HIDDEN": candor.Hidden, "COVERED": candor.Hidden, "BLOCKED": candor.Withheld, "RESTRICTED": candor.Withheld,
		"SOMETHING_NEW": candor.Hidden,
	} {
		if it := c.reply(node{ID: "1", HideStatus: status}, "2", "", ""); it.State != want {
			t.Errorf("%s is %q, want %q", status, it.State, want)
		}
	}
}

func TestAProfileHasAnIdAndAName(t *testing.T) {
	p, err := decodeProfile([]byte(published["profile"]))
	if err != nil || p != (connector.Profile{ID: "26103200000000001", Name: "Larkspur PD", Username: "larkspurpd"}) {
		t.Errorf("%+v, %v", p, err)
	}
	for _, body := range []string{`{}`, `{"id":"1"}`, `{"username":"x"}`, `[]`, ``} {
		if p, err := decodeProfile([]byte(body)); err == nil {
			t.Errorf("%q reads as %+v", body, p)
		}
	}
}

func TestAccountNamedByItsAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://www.threads.com/@larkspurpd":              "larkspurpd",
		"https://www.threads.net/@larkspur.pd/":            "larkspur.pd",
		"https://www.threads.com/@larkspurpd/post/abc?x=1": "larkspurpd",
		"https://www.threads.com/search?q=@larkspurpd":     "",
		"https://www.threads.com/":                         "",
		"":                                                 "",
		"::":                                               "",
	} {
		if got := Ref(address); got != want {
			t.Errorf("Ref(%q) = %q, want %q", address, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, body := range published {
		f.Add([]byte(body))
	}
	f.Add([]byte(`{"data":[{"id":1,"replied_to":{"id":1},"children":{"data":[{"children":{"data":[{}]}}]}}]}`))
	c := reader(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		entries := []json.RawMessage{body}
		if page, err := graph.DecodePage(body); err == nil {
			entries = append(entries, page.Entries...)
		}
		for _, entry := range entries {
			n, err := decodeNode(entry)
			if err != nil {
				continue
			}
			for _, p := range []connector.Post{c.post(n, candor.Post, "", "listed"), c.elsewhere(n, "", "listed")} {
				if p.UID == "" || p.RootUID != p.UID || len(p.Attachments) != len(p.Fetch) {
					t.Errorf("%+v", p)
				}
			}
			if it := c.reply(n, "1", "", "listed"); it.UID == "" || it.RootUID != "1" || it.ParentUID == "" || it.ParentUID == it.UID && it.UID != "1" {
				t.Errorf("%+v", it)
			}
		}
		decodeProfile(body)
	})
}
