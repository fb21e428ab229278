package crawler

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/schedule"
	"github.com/candor-archive/candor/crawler/transport"
)

const every = 10 * time.Minute

// scene is a crawler, an archive and a platform, with a clock.
type scene struct {
	t       *testing.T
	now     time.Time
	graph   *graph
	archive archive
	crawler *Crawler
	src     string
}

func facebookSource(g *graph) candor.Source {
	return candor.Source{
		ID: candor.NewID(), Kind: candor.SourceFacebook, Name: "Larkspur PD", URL: g.URL + "/larkspurpd", APIURL: g.URL,
		Language: "en", Public: true, Every: every,
	}
}

func newScene(t *testing.T, g *graph, open func(src candor.Source, now func() time.Time) archive) *scene {
	s := &scene{t: t, graph: g, now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
	src := facebookSource(g)
	s.src = src.ID
	s.archive = open(src, func() time.Time { return s.now })
	s.crawler = quick(Config{Store: s.archive, HTTP: g.Client(), Now: func() time.Time { return s.now }})
	return s
}

// quick makes a crawler that does not wait.
func quick(cfg Config) *Crawler {
	cfg.Random = func() float64 { return 0.5 }
	if cfg.Schedule.Version == 0 { // the comments of every post at every visit
		cfg.Schedule = schedule.Default()
		cfg.Schedule.Threads = schedule.Steps{{}}
	}
	cfg.Transport = transport.Config{PerHost: rate.Inf, Sleep: func(context.Context, time.Duration) error { return nil }}
	return New(cfg)
}

// poll lets the interval pass and polls. It gives the trouble that was noted.
func (s *scene) poll() string {
	s.t.Helper()
	s.now = s.now.Add(every)
	if err := s.crawler.Poll(context.Background(), s.src); err != nil {
		s.t.Fatalf("poll: %v", err)
	}
	return s.archive.source().LastError
}

func (s *scene) quietly() {
	s.t.Helper()
	if trouble := s.poll(); trouble != "" {
		s.t.Fatalf("poll had trouble: %s", trouble)
	}
}

// want checks one record: its state, how many wordings it has, how many
// tombstones and how many of those stand.
func (s *scene) want(uid string, state candor.RecordState, revisions, tombs, standing int) candor.RecordView {
	s.t.Helper()
	v, ok := s.archive.view(uid)
	if !ok {
		s.t.Fatalf("%s is not known", uid)
	}
	open := 0
	for _, x := range v.Tombstones {
		if x.ClosedAt.IsZero() {
			open++
		}
	}
	if v.Record.State != state || len(v.Revisions) != revisions || v.Record.Revisions != revisions || len(v.Tombstones) != tombs || open != standing {
		s.t.Errorf("%s is %s with %d revisions (%d counted), %d tombstones, %d standing; want %s, %d, %d, %d",
			uid, v.Record.State, len(v.Revisions), v.Record.Revisions, len(v.Tombstones), open, state, revisions, tombs, standing)
	}
	if want := candor.PublicNow(state, true); v.Record.Visibility != want {
		s.t.Errorf("%s is visible to %s, want %s", uid, v.Record.Visibility, want)
	}
	return v
}

// wantCaptures checks which pages were asked for since the last time, as
// "uid why" of the root.
func (s *scene) wantCaptures(want ...string) {
	s.t.Helper()
	var got []string
	for _, c := range s.archive.captures() {
		for _, uid := range []string{"100_1", "100_2", "100_3"} {
			if v, ok := s.archive.view(uid); ok && v.Record.ID == c.RecordID {
				got = append(got, uid+" "+c.Why)
				if c.URL != v.Record.URL || c.Policy != candor.PolicyScroll || c.Profile != candor.Desktop || c.SourceID != s.src || c.ID == "" {
					s.t.Errorf("capture is %+v", c)
				}
			}
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		s.t.Errorf("captures asked for: %q, want %q", got, want)
	}
}

func (s *scene) wantAsked(want ...string) {
	s.t.Helper()
	if got := s.graph.asked(); !slices.Equal(got, want) {
		s.t.Errorf("the platform was asked\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// opening is the platform before anything happens.
func opening(g *graph) {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	g.posts = []*thing{
		{id: "100_2", text: "La calle Main está cerrada hasta las 6.", created: at.Add(time.Hour), updated: at.Add(time.Hour)},
		{id: "100_1", text: "Lost dog found near the park. Please call us.", photo: "dog.jpg", created: at, updated: at},
	}
	g.comments = []*thing{
		{id: "1_11", post: "100_1", text: "That is my dog!", created: at.Add(time.Minute)},
		{id: "1_12", post: "100_1", text: "So cute", created: at.Add(2 * time.Minute)},
		{id: "1_13", post: "100_1", parent: "1_11", text: "Great to hear", created: at.Add(3 * time.Minute)},
		{id: "2_21", post: "100_2", text: "Gracias", created: at.Add(2 * time.Hour)},
	}
}

func TestStoryInMemory(t *testing.T) {
	g := newGraph(t)
	playStory(t, newScene(t, g, func(src candor.Source, _ func() time.Time) archive { return newFake(t, src, graphToken) }))
}

// playStory plays everything that happens to a page and checks the archive
// after every poll.
func playStory(t *testing.T, s *scene) {
	g := s.graph
	opening(g)

	// Everything is new.
	s.quietly()
	dog := s.want("100_1", candor.Live, 1, 0, 0)
	s.want("100_2", candor.Live, 1, 0, 0)
	first := s.want("1_11", candor.Live, 1, 0, 0)
	reply := s.want("1_13", candor.Live, 1, 0, 0)
	if first.Record.Kind != candor.Comment || first.Record.ParentID != dog.Record.ID || first.Record.ThreadID != dog.Record.ID {
		t.Errorf("comment is %+v", first.Record)
	}
	if reply.Record.Kind != candor.Reply || reply.Record.ParentID != first.Record.ID || reply.Record.ThreadID != dog.Record.ID {
		t.Errorf("reply is %+v", reply.Record)
	}
	if v, _ := s.archive.view("100_2"); v.Record.Language != "es" || !v.Record.ByAgency || dog.Record.Language != "en" {
		t.Errorf("posts are %+v and %+v", v.Record, dog.Record)
	}
	s.wantCaptures("100_1 new", "100_2 new")
	g.asked()

	// Nothing happens but likes: the listings are read, nothing else.
	g.do(func() { g.likes = 7 })
	pictures := g.media
	s.quietly()
	s.wantAsked("100", "100/published_posts", "100/video_reels", "100/stories", "100/visitor_posts", "100_2/comments", "100_1/comments", "100_1/comments")
	s.wantCaptures()
	if v := s.want("100_1", candor.Live, 1, 0, 0); !v.Record.LastSeen.Equal(s.now) {
		t.Errorf("last seen %v, polled %v", v.Record.LastSeen, s.now)
	}
	if g.media != pictures {
		t.Error("a picture that did not change was fetched again")
	}

	// A comment and a post are edited, and edited back.
	g.do(func() {
		g.thing("1_12").text = "So cute!!"
		g.thing("100_2").text, g.thing("100_2").updated = "La calle Main ya está abierta.", s.now
	})
	s.quietly()
	s.want("1_12", candor.Edited, 2, 0, 0)
	s.want("100_2", candor.Edited, 2, 0, 0)
	s.wantCaptures("100_1 edited", "100_2 edited")
	g.do(func() { g.thing("1_12").text = "So cute" })
	s.quietly()
	s.want("1_12", candor.Edited, 3, 0, 0)
	s.wantCaptures("100_1 edited")

	// Hidden, and shown again.
	g.do(func() { g.thing("1_12").hidden = true })
	s.quietly()
	s.want("1_12", candor.Hidden, 3, 0, 0)
	s.wantCaptures("100_1 hidden")
	g.do(func() { g.thing("1_12").text = "So cute, edited in hiding" })
	s.quietly()
	s.want("1_12", candor.Hidden, 4, 0, 0)
	s.wantCaptures() // nobody saw that
	g.do(func() { g.thing("1_12").hidden = false })
	s.quietly()
	s.want("1_12", candor.Edited, 4, 0, 0)
	s.wantCaptures("100_1 hidden")

	// A comment is deleted: one poll suspects, the second concludes. Its reply is
	// no longer listed but lives.
	lastSeen := s.now
	g.do(func() { g.thing("1_11").gone = true })
	s.quietly()
	firstMissed := s.now
	s.want("1_11", candor.Live, 1, 0, 0)
	s.wantCaptures()
	s.quietly()
	v := s.want("1_11", candor.Deleted, 1, 1, 1)
	tomb := v.Tombstones[0]
	if !tomb.NotBefore.Equal(lastSeen) || !tomb.NotAfter.Equal(firstMissed) || !tomb.NoticedAt.Equal(s.now) || tomb.AnswerSHA == "" || !strings.Contains(tomb.How, "100/33") {
		t.Errorf("tombstone is %+v; last seen %v, first missed %v", tomb, lastSeen, firstMissed)
	}
	orphan := s.want("1_13", candor.Live, 1, 0, 0)
	if !orphan.Record.LastSeen.Equal(s.now) {
		t.Errorf("the orphaned reply was last seen %v", orphan.Record.LastSeen)
	}
	s.wantCaptures("100_1 deleted")
	s.quietly()
	s.want("1_11", candor.Deleted, 1, 1, 1)
	s.wantCaptures()

	// It comes back.
	g.do(func() { g.thing("1_11").gone = false })
	s.quietly()
	s.want("1_11", candor.Live, 1, 1, 0)
	s.wantCaptures("100_1 new")

	playTrouble(s)
	playDeletedPost(s)
}

// playTrouble lets everything go wrong that looks like a deletion.
func playTrouble(s *scene) {
	t, g := s.t, s.graph

	// The token expires in the middle of a poll that has just found a new post;
	// a comment is gone at the same time.
	g.do(func() {
		g.posts = append([]*thing{{id: "100_3", text: "New patrol cars for the city", created: s.now, updated: s.now}}, g.posts...)
		g.thing("2_21").gone = true
		g.fault = func(path string) (int, string) {
			if strings.HasSuffix(path, "/comments") || strings.HasPrefix(path, "2_") {
				return 400, envelope(190, 463)
			}
			return 0, ""
		}
	})
	for i := range 3 {
		trouble := s.poll()
		src := s.archive.source()
		if !strings.Contains(trouble, "190/463") || src.NextPollAt.Sub(s.now) < every {
			t.Errorf("expired token, poll %d: trouble %q, next in %v", i, trouble, src.NextPollAt.Sub(s.now))
		}
	}
	if next := s.archive.source().NextPollAt.Sub(s.now); next < 4*every {
		t.Errorf("after three failures the next poll is in %v", next)
	}
	s.want("100_3", candor.Live, 1, 0, 0)
	s.want("2_21", candor.Live, 1, 0, 0)
	s.wantCaptures("100_3 new")

	// Throttled: one call finds out, and no further one is made.
	g.do(func() {
		g.fault = func(path string) (int, string) {
			if strings.HasSuffix(path, "/published_posts") {
				return 403, envelope(80001, 0)
			}
			return 0, ""
		}
		g.header.Set("X-Business-Use-Case-Usage", `{"100":[{"type":"pages","call_count":104,"estimated_time_to_regain_access":300}]}`)
	})
	g.asked()
	s.poll()
	s.wantAsked("100")
	if next := s.archive.source().NextPollAt.Sub(s.now); next < 5*time.Hour {
		t.Errorf("throttled for five hours, polled again in %v", next)
	}
	g.do(func() { g.header = http.Header{} })
	if trouble := s.poll(); !strings.Contains(trouble, "80001") {
		t.Errorf("trouble is %q", trouble)
	}

	// Listings that are cut short, fail, or are no listings.
	for _, fault := range []struct {
		status int
		body   string
	}{{200, `{"data":[`}, {200, `{}`}, {500, `{"error":{"code":1}}`}, {502, `<html>`}, {200, `{"data":[],"paging":{"next":"x"}}`}, {400, envelope(100, 33)}, {400, envelope(10, 0)}} {
		g.do(func() {
			g.fault = func(path string) (int, string) {
				if strings.HasSuffix(path, "_2/comments") {
					return fault.status, fault.body
				}
				return 0, ""
			}
		})
		for range 2 {
			if trouble := s.poll(); trouble == "" {
				t.Errorf("a listing that answered %d %s was no trouble", fault.status, fault.body)
			}
		}
	}
	s.want("2_21", candor.Live, 1, 0, 0)

	// Entries that are not understood: one of them may be the one that is missed.
	g.do(func() {
		g.fault = func(path string) (int, string) {
			if strings.HasSuffix(path, "_2/comments") {
				return 200, `{"data":[{"message":"no id"}]}`
			}
			return 0, ""
		}
	})
	for range 3 {
		s.poll()
	}
	s.want("2_21", candor.Live, 1, 0, 0)

	// Another thread fails: nothing is concluded about this one either.
	g.do(func() {
		g.fault = func(path string) (int, string) {
			if strings.HasSuffix(path, "_1/comments") {
				return 500, envelope(1, 0)
			}
			return 0, ""
		}
	})
	for range 3 {
		if trouble := s.poll(); trouble == "" {
			t.Error("a thread that failed was no trouble")
		}
	}
	s.want("2_21", candor.Live, 1, 0, 0)

	// The listing is empty and the look-up says gone, but the token reads nothing
	// else either: permission was lost.
	g.do(func() {
		g.fault = func(path string) (int, string) {
			if strings.HasSuffix(path, "/comments") {
				return 200, `{"data":[]}`
			}
			if path == "100" || strings.HasSuffix(path, "/published_posts") {
				return 0, ""
			}
			return 400, envelope(100, 33)
		}
	})
	for range 3 {
		s.poll()
	}
	for _, uid := range []string{"2_21", "1_13"} {
		s.want(uid, candor.Live, 1, 0, 0)
	}
	s.want("1_12", candor.Edited, 4, 0, 0)
	s.wantCaptures()

	// All is well again: twice missed is gone.
	g.do(func() { g.fault = nil })
	s.quietly()
	s.want("2_21", candor.Live, 1, 0, 0)
	s.quietly()
	s.want("2_21", candor.Deleted, 1, 1, 1)
	s.wantCaptures("100_2 deleted")
}

func playDeletedPost(s *scene) {
	t, g := s.t, s.graph
	g.do(func() {
		g.thing("100_1").gone = true
		for _, id := range []string{"1_11", "1_12"} {
			g.thing(id).gone = true
		}
		// 1_13 can still be read by its id.
	})
	s.quietly()
	s.want("100_1", candor.Live, 1, 0, 0)
	s.quietly()
	s.want("100_1", candor.Deleted, 1, 1, 1)
	s.want("1_12", candor.Edited, 4, 0, 0)
	s.quietly()
	s.want("1_11", candor.Unknown, 1, 1, 0)
	s.want("1_12", candor.Unknown, 4, 0, 0)
	if v := s.want("1_13", candor.Live, 1, 0, 0); !v.Record.LastSeen.Equal(s.now) {
		t.Errorf("a comment that can be read was last seen %v", v.Record.LastSeen)
	}
	s.wantCaptures() // nothing is left to look at

	// The whole thread comes back.
	g.do(func() {
		for _, id := range []string{"100_1", "1_11", "1_12"} {
			g.thing(id).gone = false
		}
	})
	s.quietly()
	s.want("100_1", candor.Live, 1, 1, 0)
	s.want("1_11", candor.Live, 1, 1, 0)
	s.want("1_12", candor.Edited, 4, 0, 0)
	s.wantCaptures("100_1 new")

	// A post that is no longer listed but can be read was not deleted.
	g.do(func() { g.thing("100_2").unlisted = true })
	for range 3 {
		s.quietly()
	}
	s.want("100_2", candor.Edited, 2, 0, 0)
	s.wantCaptures()
}
