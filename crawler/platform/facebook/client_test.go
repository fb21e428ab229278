package facebook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/platform/platformtest"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
)

const (
	gone        = `{"error":{"message":"Unsupported get request. Object does not exist","code":100,"error_subcode":33}}`
	nonexisting = `{"error":{"message":"(#100) Tried accessing nonexisting field (x) on node type (Page)","code":100}}`
	forbidden   = `{"error":{"message":"(#200) Requires pages_read_user_content","code":200}}`
	passing     = `{"error":{"message":"try again","code":2,"is_transient":true}}`
)

// page is a Page with one post, one reel, one story and one post by a visitor,
// by path below the version.
func page() map[string]string {
	return map[string]string{
		"me":                  `{"id":"100","name":"Larkspur PD","username":"larkspurpd"}`,
		"100/published_posts": `{"data":[{"id":"100_1","message":"Road closed","created_time":"2026-11-20T10:00:00+0000"}]}`,
		"100/video_reels": `{"data":[{"id":"501","description":"New patrol cars","created_time":"2026-11-20T11:00:00+0000","permalink_url":"/reel/501/",
			"source":"https://video-ams4-1.xx.fbcdn.net/v/501_n.mp4?oh=1","published":true,"comments":{"data":[],"summary":{"total_count":4}}}]}`,
		"100/stories": `{"data":[{"post_id":"701","status":"PUBLISHED","creation_time":"1795341600","media_type":"photo","media_id":"801","url":"https://www.facebook.com/stories/1/x/?view_single=1"},
			{"post_id":"700","status":"ARCHIVED","creation_time":"1795141600","media_type":"video","media_id":"800"}]}`,
		"801":               `{"id":"801","images":[{"width":320,"source":"https://scontent-a.xx.fbcdn.net/v/s.jpg"},{"width":1080,"source":"https://scontent-a.xx.fbcdn.net/v/l.jpg?oh=1"}]}`,
		"100/visitor_posts": `{"data":[{"id":"100_9","message":"Thank you","from":{"id":"77","name":"A resident"},"created_time":"2026-11-21T10:00:00+0000"},{"id":"100_8","message":"No name"}]}`,
		"501/comments":      `{"data":[{"id":"501_1","message":"Nice","from":{"id":"78","name":"B"}}]}`,
	}
}

type scene struct {
	*Client
	asked []string
}

func start(t *testing.T, cfg Config, answers map[string]string) *scene {
	s := &scene{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/"+Version+"/")
		s.asked = append(s.asked, path)
		body, ok := answers[path]
		if !ok {
			body = gone
		}
		if strings.HasPrefix(body, `{"error"`) {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	client := transport.New(transport.Config{HTTP: srv.Client(), PerHost: rate.Inf, Sleep: func(context.Context, time.Duration) error { return nil }})
	cfg.Visit, cfg.Objects, cfg.Base, cfg.Token = client.Visit("source", "EAAGtoken0of0the0test"), platformtest.Objects{}, srv.URL, "EAAGtoken0of0the0test"
	var err error
	if s.Client, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Profile(context.Background(), ""); err != nil {
		t.Fatal(err)
	}
	return s
}

// visitors says of which posts the archive knows that visitors wrote them.
func visitorsAre(uids ...string) func(context.Context, string) (bool, error) {
	return func(_ context.Context, uid string) (bool, error) { return slices.Contains(uids, uid), nil }
}

func (s *scene) posts(t *testing.T) (string, connector.Listing[connector.Post]) {
	t.Helper()
	l, err := s.Posts(context.Background(), "100")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range l.Items {
		got = append(got, p.UID)
	}
	return strings.Join(got, " "), l
}

func (s *scene) look(t *testing.T, uid string, kind candor.RecordKind) sighting.Standing {
	t.Helper()
	how, _, _, err := s.Look(context.Background(), uid, kind, uid)
	if err != nil {
		t.Fatal(err)
	}
	return how
}

func TestReelsStoriesAndVisitorsPostsAreReadOnDemand(t *testing.T) {
	s := start(t, Config{}, page())
	if got, l := s.posts(t); got != "100_1" || !l.Complete || len(s.asked) != 2 {
		t.Errorf("without More: %s, asked %q", got, s.asked)
	}
	s = start(t, Config{More: true, Visitor: visitorsAre()}, page())
	got, l := s.posts(t)
	if got != "100_1 501 701 100_9 100_8" || !l.Complete || l.Gap.Reason != "" {
		t.Fatalf("%s, complete %v, gap %+v", got, l.Complete, l.Gap)
	}
	reel, story, visit, unnamed := l.Items[1], l.Items[2], l.Items[3], l.Items[4]
	if reel.Kind != candor.Post || !reel.ByAgency || reel.Text != "New patrol cars" || reel.Comments != 4 || reel.URL != "https://www.facebook.com/reel/501/" ||
		reel.Attachments[0].Type != "video" || reel.Attachments[0].URL != "https://video.xx.fbcdn.net/v/501_n.mp4" || !strings.HasSuffix(reel.Fetch[0], "oh=1") {
		t.Errorf("reel is %+v", reel)
	}
	if story.Kind != candor.Story || story.RootUID != "701" || !story.ByAgency || !story.PostedAt.Equal(time.Unix(1795341600, 0)) ||
		story.Attachments[0].Type != "photo" || story.Attachments[0].URL != "https://www.facebook.com/801" || story.Fetch[0] != "https://scontent-a.xx.fbcdn.net/v/l.jpg?oh=1" {
		t.Errorf("story is %+v", story)
	}
	if visit.Kind != candor.Post || visit.ByAgency || visit.Author != "A resident" || unnamed.ByAgency || unnamed.AuthorID != "" {
		t.Errorf("visitors' posts are %+v and %+v", visit, unnamed)
	}
	c, err := s.Comments(context.Background(), "501")
	if err != nil || !c.Complete || len(c.Items) != 1 || c.Items[0].RootUID != "501" {
		t.Errorf("comments of the reel: %+v, %v", c, err)
	}
	asked := len(s.asked)
	if c, err := s.Comments(context.Background(), "701"); err != nil || c.Complete || len(s.asked) != asked {
		t.Errorf("a story has comments: %+v, %v", c, err)
	}
}

func TestListingsThatAreNotThereAreNothingToReport(t *testing.T) {
	answers := page()
	for _, edge := range []string{"100/video_reels", "100/stories", "100/visitor_posts"} {
		answers[edge] = nonexisting
	}
	s := start(t, Config{More: true, Visitor: visitorsAre()}, answers)
	for range 2 {
		if got, l := s.posts(t); got != "100_1" || !l.Complete || l.Gap.Reason != "" {
			t.Errorf("%s, complete %v, gap %+v", got, l.Complete, l.Gap)
		}
	}
	if want := []string{"me", "100/published_posts", "100/video_reels", "100/stories", "100/visitor_posts", "100/published_posts"}; !slices.Equal(s.asked, want) {
		t.Errorf("asked %q, want %q", s.asked, want)
	}
}

// A permission that is missing for ever must not keep ordinary posts from being
// found gone, and one that was lost must not bury what it hides.
func TestAListingThatIsRefusedVouchesForNothing(t *testing.T) {
	answers := page()
	answers["100/visitor_posts"], answers["100/stories"] = forbidden, gone
	s := start(t, Config{More: true, Visitor: visitorsAre("100_9")}, answers)
	got, l := s.posts(t)
	if got != "100_1 501" || !l.Complete || l.Gap.Reason != candor.GapAccess || !strings.Contains(l.Gap.Detail, "stories") || !strings.Contains(l.Gap.Detail, "visitor_posts") {
		t.Errorf("%s, complete %v, gap %+v", got, l.Complete, l.Gap)
	}
	for _, c := range []struct {
		uid  string
		kind candor.RecordKind
		want sighting.Standing
	}{
		{"100_2", candor.Post, sighting.Gone},
		{"100_9", candor.Post, sighting.Denied},
		{"502", candor.Post, sighting.Gone},
		{"701", candor.Story, sighting.Denied},
		{"1_5", candor.Comment, sighting.Gone},
	} {
		if how := s.look(t, c.uid, c.kind); how != c.want {
			t.Errorf("%s %s is %s, want %s", c.kind, c.uid, how, c.want)
		}
	}
	asked := len(s.asked)
	s.posts(t)
	if len(s.asked) != asked+2 {
		t.Errorf("refused listings were asked for again: %q", s.asked[asked:])
	}
}

func TestAListingThatFailsForAMomentIsTrouble(t *testing.T) {
	answers := page()
	answers["100/stories"] = passing
	s := start(t, Config{More: true}, answers)
	l, err := s.Posts(context.Background(), "100")
	var refused *connector.Error
	if !errors.As(err, &refused) || refused.Class != connector.Transient || len(l.Items) != 2 {
		t.Errorf("%d items, %v", len(l.Items), err)
	}
	answers["100/stories"], answers["801"] = page()["100/stories"], passing
	if _, err := s.Posts(context.Background(), "100"); !errors.As(err, &refused) {
		t.Errorf("the media of a story failed: %v", err)
	}
	answers["801"] = gone
	l, err = s.Posts(context.Background(), "100")
	if err != nil || l.Items[2].Attachments[0].Failure == "" || l.Items[2].Attachments[0].URL != "https://www.facebook.com/801" {
		t.Errorf("%+v, %v", l.Items[2], err)
	}
	// A listing with an entry that is not understood bears out nothing.
	answers["100/video_reels"] = `{"data":[{"description":"no id"}]}`
	if _, err := s.Posts(context.Background(), "100"); err != nil {
		t.Fatal(err)
	}
	fresh := start(t, Config{More: true}, answers)
	fresh.posts(t)
	if how := fresh.look(t, "502", candor.Post); how != sighting.Unclear {
		t.Errorf("a reel that may be the odd one is %s", how)
	}
}

func TestAStoryIsLookedUpAsItWasListed(t *testing.T) {
	answers := page()
	answers["701"], answers["702"] = `{"id":"701"}`, `{"id":"702"}`
	s := start(t, Config{More: true}, answers)
	_, l := s.posts(t)
	how, item, _, err := s.Look(context.Background(), "701", candor.Story, "701")
	if err != nil || how != sighting.Here || candor.HashContent(item.Text, item.Attachments) != candor.HashContent(l.Items[2].Text, l.Items[2].Attachments) {
		t.Errorf("%s %+v, %v", how, item, err)
	}
	if how := s.look(t, "702", candor.Story); how != sighting.Unclear {
		t.Errorf("a story of which only the id is known is %s", how)
	}
	if how := s.look(t, "703", candor.Story); how != sighting.Gone {
		t.Errorf("a story that is gone is %s", how)
	}
}

func TestLookUpsThatAreRefused(t *testing.T) {
	answers := page()
	answers["1_1"], answers["1_2"], answers["1_3"], answers["1_4"] = forbidden, nonexisting, passing, `{"id":"9_9"}`
	s := start(t, Config{}, answers)
	for uid, want := range map[string]sighting.Standing{"1_1": sighting.Denied, "1_2": sighting.Unclear, "1_4": sighting.Unclear, "1_5": sighting.Gone} {
		if how := s.look(t, uid, candor.Comment); how != want {
			t.Errorf("%s is %s, want %s", uid, how, want)
		}
	}
	if _, _, _, err := s.Look(context.Background(), "1_3", candor.Comment, "100_1"); err == nil {
		t.Error("a passing failure says something about a comment")
	}
}
