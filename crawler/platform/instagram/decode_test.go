package instagram

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/platform/graph"
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

// reader is a client that makes no calls.
func reader(t testing.TB) *Client {
	t.Helper()
	c, err := New(Config{SiteURL: "https://www.instagram.com/ikroskun/"})
	if err != nil {
		t.Fatal(err)
	}
	c.id, c.username = "17841406338772941", "ikroskun"
	return c
}

func (c *Client) read(t testing.TB, body []byte, kind candor.RecordKind) connector.Post {
	t.Helper()
	m, err := decodeMedia(body)
	if err != nil {
		t.Fatal(err)
	}
	p, ok, err := c.post(context.Background(), m, kind, "sha", sighting.Listed)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return p
}

func TestRealCarouselIsItsPicturesAndVideos(t *testing.T) {
	p := reader(t).read(t, sample(t, "medias__media_default.json"), candor.Post)
	if p.UID != "17896129349106152" || p.Text != "ALBUM" || p.URL != "https://www.instagram.com/p/CRyZpmrjYC4/" || !p.ByAgency || p.AuthorID != "17841406338772941" ||
		p.Comments != 0 || !p.PostedAt.Equal(time.Date(2021, 7, 26, 10, 45, 20, 0, time.UTC)) || !p.UpdatedAt.IsZero() {
		t.Errorf("post is %+v", p)
	}
	want := []string{
		"photo https://scontent.cdninstagram.com/v/t51.29350-15/223646625_250720926614889_6557630912345090634_n.jpg",
		"photo https://scontent.cdninstagram.com/v/t51.29350-15/223792850_4185486154879355_5499910575994647858_n.jpg",
		"video https://scontent.cdninstagram.com/v/t50.2886-16/223134763_874765663125519_5500383597745008488_n.mp4",
	}
	if len(p.Attachments) != len(want) {
		t.Fatalf("attachments are %+v", p.Attachments)
	}
	for i, a := range p.Attachments {
		if a.Type+" "+a.URL != want[i] || a.N != i+1 || a.Failure != "" || connector.WebURL(p.Fetch[i]) == "" || p.Fetch[i] == a.URL {
			t.Errorf("attachment %d is %+v, fetched from %s", i, a, p.Fetch[i])
		}
	}
}

func TestRealListingOfMedia(t *testing.T) {
	page, err := graph.DecodePage(sample(t, "users__medias_p1.json"))
	if err != nil || len(page.Entries) != 2 || !page.More || page.Next.Get("after") != "after" {
		t.Fatalf("%+v, %v", page, err)
	}
	c := reader(t)
	first, second := c.read(t, page.Entries[0], candor.Post), c.read(t, page.Entries[1], candor.Post)
	if first.UID != "17895731045244887" || first.Text != "" || first.Attachments[0].Type != "photo" || second.Comments != 6 {
		t.Errorf("%+v\n%+v", first, second)
	}
	if page, err = graph.DecodePage(sample(t, "users__medias_p2.json")); err != nil || page.More {
		t.Errorf("the last page says there is more: %+v, %v", page, err)
	}
}

func TestRealStories(t *testing.T) {
	page, err := graph.DecodePage(sample(t, "stories__stories_default.json"))
	if err != nil || len(page.Entries) != 3 || page.More {
		t.Fatalf("%+v, %v", page, err)
	}
	p := reader(t).read(t, page.Entries[1], candor.Story)
	if p.UID != "17876166859931045" || p.Kind != candor.Story || p.Text != "厉害了" || p.URL != "https://instagram.com/stories/ikroskun/2421224614649404224" || !p.ByAgency {
		t.Errorf("story is %+v", p)
	}
	if again := reader(t).read(t, sample(t, "stories__story_info.json"), candor.Story); again.UID != p.UID || again.Attachments[0].URL != p.Attachments[0].URL {
		t.Errorf("looked up it is %+v", again)
	}
}

func TestRealComments(t *testing.T) {
	c := reader(t)
	n, err := decodeComment(sample(t, "comments__comment_fields.json"))
	it := c.comment(n, "17846368219941692", "", "sha", sighting.Direct)
	if err != nil || it.UID != "17892250648466172" || it.Text != "@ikroskun Hey, guys" || !it.ByAgency || it.Kind != candor.Comment || it.ParentUID != "17846368219941692" {
		t.Errorf("%+v, %v", it, err)
	}
	page, err := graph.DecodePage(sample(t, "comments__replies.json"))
	if err != nil || len(page.Entries) != 1 {
		t.Fatal(page, err)
	}
	if n, err = decodeComment(page.Entries[0]); err != nil {
		t.Fatal(err)
	}
	if it = c.comment(n, "1", "2", "sha", sighting.Listed); it.Kind != candor.Reply || it.ParentUID != "2" || it.RootUID != "1" || it.ByAgency {
		t.Errorf("%+v", it)
	}
}

func TestRealAccount(t *testing.T) {
	p, err := decodeProfile(sample(t, "users__user_fields.json"))
	if err != nil || p != (connector.Profile{ID: "17841407673135339", Name: "Facebook for Developers", Username: "facebookfordevelopers"}) {
		t.Errorf("%+v, %v", p, err)
	}
	p, err = decodeProfile([]byte(`{"user_id":17841407673135339,"id":"9164","username":"x"}`))
	if err != nil || p.ID != "17841407673135339" {
		t.Errorf("%+v, %v", p, err)
	}
	if p, ok := decodeConnected([]byte(`{"id":"1","name":"Page","instagram_business_account":{"id":"178","username":"x"}}`)); !ok || p.ID != "178" {
		t.Errorf("%+v, %v", p, ok)
	}
	if p, ok := decodeConnected([]byte(`{"id":"1","name":"Page without an account"}`)); ok {
		t.Errorf("%+v", p)
	}
}

func TestMediaWithoutAnAddressSaysSo(t *testing.T) {
	p := reader(t).read(t, []byte(`{"id":"1","media_type":"VIDEO","media_product_type":"REELS","permalink":"https://www.instagram.com/reel/X/","thumbnail_url":"https://t.example/t.jpg"}`), candor.Post)
	if a := p.Attachments[0]; a.Type != "video" || a.URL != "https://www.instagram.com/reel/X/" || a.Failure == "" || p.Fetch[0] != "" {
		t.Errorf("%+v from %q", a, p.Fetch[0])
	}
}

func TestAccountNamedByItsAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://www.instagram.com/larkspurpd/":                "larkspurpd",
		"https://instagram.com/larkspur.pd?hl=en":              "larkspur.pd",
		"https://www.instagram.com/larkspurpd/p/CRyZpmrjYC4/":  "larkspurpd",
		"https://www.instagram.com/stories/larkspurpd/242122/": "larkspurpd",
		"https://www.instagram.com/p/CRyZpmrjYC4/":             "",
		"https://www.instagram.com/reel/CRyZpmrjYC4/":          "",
		"https://www.instagram.com/stories/":                   "",
		"https://www.instagram.com/":                           "",
		"":                                                     "",
		"::":                                                   "",
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
	f.Add([]byte(`{"data":[{"id":"1","parent_id":"1","replies":{"data":[{"id":"2","replies":{"data":[{}]}}]}}]}`))
	c := reader(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		entries := []json.RawMessage{body}
		if page, err := graph.DecodePage(body); err == nil {
			entries = append(entries, page.Entries...)
		}
		for _, entry := range entries {
			if m, err := decodeMedia(entry); err == nil {
				var children struct {
					Paging struct{ Next string }
				}
				if m.Type == "CAROUSEL_ALBUM" && (json.Unmarshal(m.Children, &children) != nil || children.Paging.Next != "") {
					continue // would be asked for
				}
				if _, err := graph.DecodePage(m.Children); m.Type == "CAROUSEL_ALBUM" && err != nil {
					continue
				}
				p, ok, err := c.post(context.Background(), m, candor.Post, "", sighting.Listed)
				if err != nil || ok && (p.UID == "" || p.RootUID == "" || len(p.Attachments) != len(p.Fetch)) {
					t.Errorf("%+v, %v", p, err)
				}
			}
			if n, err := decodeComment(entry); err == nil {
				if it := c.comment(n, "1", "2", "", sighting.Listed); it.UID == "" || it.UID == it.ParentUID && it.UID != "1" && it.UID != "2" || it.Kind == "" {
					t.Errorf("%+v", it)
				}
			}
		}
		decodeProfile(body)
		decodeConnected(body)
	})
}
