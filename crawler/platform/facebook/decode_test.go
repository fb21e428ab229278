package facebook

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/platform/graph"
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

// nodes reads a sample that is a listing, all of it.
func nodes(t testing.TB, name string) (list []node) {
	t.Helper()
	page, err := graph.DecodePage(sample(t, name))
	if err != nil || len(page.Entries) == 0 {
		t.Fatalf("%s: %d entries, %v", name, len(page.Entries), err)
	}
	for _, entry := range page.Entries {
		n, err := decodeNode(entry)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list = append(list, n)
	}
	return list
}

func TestRealListingOfPosts(t *testing.T) {
	list := nodes(t, "posts__feeds_default_fields_p1.json")
	p := client(t).post(list[0], "sha", "listed")
	if p.UID != "19292868552_10158349356748553" || p.Text == "" || p.PostedAt.IsZero() {
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

func TestRealVideosReadAsReels(t *testing.T) {
	p := client(t).reel(nodes(t, "videos__videos_p1.json")[0], "sha", "listed")
	if p.UID != "1002065083862711" || p.Kind != candor.Post || p.RootUID != p.UID || !p.ByAgency || p.Comments != -1 || p.State != "" ||
		p.URL != "https://www.facebook.com/FacebookforDevelopers/videos/1002065083862711/" || !strings.HasPrefix(p.Text, "Boz to the Future\n\nIn the Boz") ||
		!p.PostedAt.Equal(time.Date(2021, 8, 10, 16, 40, 23, 0, time.UTC)) {
		t.Errorf("%+v", p)
	}
	if a := p.Attachments[0]; a.Type != "video" || a.URL != p.URL || a.Failure == "" || p.Fetch[0] != "" {
		t.Errorf("a video without an address is %+v", a)
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
	p := client(t).post(n, "", "listed")
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
		entries := []json.RawMessage{body}
		if l, err := graph.DecodePage(body); err == nil {
			entries = append(entries, l.Entries...)
		}
		for _, entry := range entries {
			if s, err := decodeStory(entry); err == nil && s.PostID == "" {
				t.Errorf("story %+v", s)
			}
			n, err := decodeNode(entry)
			if err != nil {
				continue
			}
			for _, p := range []connector.Post{c.post(n, "", "listed"), c.reel(n, "", "listed")} {
				if p.UID == "" || len(p.Fetch) != len(p.Attachments) {
					t.Errorf("post %+v", p)
				}
			}
			if it, ok := c.comment(n, "1_2", "", "listed"); ok && (it.UID == "" || it.UID == it.ParentUID) {
				t.Errorf("comment %+v", it)
			}
		}
		decodeProfile(body)
		decodeMediaSource(body)
	})
}
