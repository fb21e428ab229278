package mastodon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/platform/platformtest"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
	fixture "github.com/candor-archive/candor/fixtures/mastodon"
	"github.com/candor-archive/candor/fixtures/world"
)

var ctx = context.Background()

// town is a server with a network and a clock.
type town struct {
	*world.World
	t       *testing.T
	srv     *httptest.Server
	mu      sync.Mutex
	now     time.Time
	objects platformtest.Objects
	visit   *transport.Visit
}

func newTown(t *testing.T) *town {
	x := &town{t: t, now: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), objects: platformtest.Objects{}}
	x.World = fixture.Network(x.clock)
	x.srv = httptest.NewServer(fixture.New(x.World))
	t.Cleanup(x.srv.Close)
	return x
}

func (x *town) clock() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.now = x.now.Add(time.Second)
	return x.now
}

func (x *town) pass(d time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.now = x.now.Add(d)
}

// poll begins a poll, with the account's token or with none.
func (x *town) poll(token string) *Client {
	x.t.Helper()
	return open(x.t, x.srv, x.objects, &x.visit, token, x.clock)
}

func open(t *testing.T, srv *httptest.Server, objects platformtest.Objects, visit **transport.Visit, token string, now func() time.Time) *Client {
	t.Helper()
	fetch := transport.New(transport.Config{
		HTTP: srv.Client(), PerHost: rate.Inf, Now: now, Random: func() float64 { return 0.5 },
		Sleep: func(context.Context, time.Duration) error { return nil },
	})
	v := fetch.Visit("source", token)
	if visit != nil {
		*visit = v
	}
	c, err := New(Config{Visit: v, Objects: objects, Token: token, SiteURL: srv.URL + "/@cityoflarkspur"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (x *town) posts(c *Client) connector.Listing[connector.Post] {
	x.t.Helper()
	p := must[connector.Profile](x.t)(c.Profile(ctx, "@cityoflarkspur"))
	return must[connector.Listing[connector.Post]](x.t)(c.Posts(ctx, p.ID))
}

func (x *town) comments(c *Client, post string) connector.Listing[sighting.Item] {
	x.t.Helper()
	return must[connector.Listing[sighting.Item]](x.t)(c.Comments(ctx, post))
}

func (x *town) answer(to string, by world.Person, text string) string {
	x.t.Helper()
	return must[string](x.t)(x.Answer(to, by, text))
}

var (
	denise = world.Person{ID: "p1", Handle: "denise", Name: "Denise Okafor"}
	rick   = world.Person{ID: "p3", Handle: "rick", Name: "Rick Dalrymple"}
)

func class(err error) connector.Class {
	var e *connector.Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

func TestProfileByNameIdAndToken(t *testing.T) {
	x := newTown(t)
	want := connector.Profile{ID: "109348012345678901", Name: "City of Larkspur", Username: "cityoflarkspur", Link: x.srv.URL + "/@cityoflarkspur"}
	for _, ref := range []string{"@cityoflarkspur", "109348012345678901", ""} {
		if p, err := x.poll(fixture.Token).Profile(ctx, ref); err != nil || p != want {
			t.Errorf("%q: %+v, %v", ref, p, err)
		}
	}
	if _, err := x.poll("").Profile(ctx, "@nobody"); class(err) != connector.Vanished {
		t.Errorf("%v", err)
	}
	if _, err := x.poll("").Profile(ctx, "../../admin"); err == nil {
		t.Error("read an account by a path")
	}
}

func TestAllPostsAreListedOverPages(t *testing.T) {
	x := newTown(t)
	var want []string
	for i := range 95 {
		want = append(want, x.Publish(fmt.Sprintf("Post %d: <b> & \"quotes\"\nsecond line\n\nnew paragraph https://city.example/a/very/long/address/that/is/cut?x=1&y=2", i)))
	}
	slices.Reverse(want)
	for _, token := range []string{"", fixture.Token} {
		list := x.posts(x.poll(token))
		var got []string
		for _, p := range list.Items {
			got = append(got, p.UID)
		}
		if !list.Complete || list.Gap.Reason != "" || !slices.Equal(got, want) {
			t.Fatalf("complete %v, gap %v, %d posts", list.Complete, list.Gap, len(got))
		}
		p := list.Items[94]
		if p.Text != "Post 0: <b> & \"quotes\"\nsecond line\n\nnew paragraph https://city.example/a/very/long/address/that/is/cut?x=1&y=2" ||
			p.Kind != candor.Post || p.RootUID != p.UID || !p.ByAgency || p.Author != "City of Larkspur" || p.Comments != 0 || len(p.Attachments) != 0 {
			t.Errorf("%+v", p)
		}
		if x.objects[p.AnswerSHA] == nil {
			t.Error("the answer was not kept")
		}
	}
}

func TestThreadsAreListedWithAllLevels(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	a := x.answer(post, denise, "First")
	b := x.answer(a, world.Person{}, "The city answers")
	d := x.answer(b, denise, "Thanks")
	e := x.answer(post, world.Person{}, "The city adds")
	c := x.poll("")
	roots := map[string]string{}
	list := x.posts(c)
	for _, p := range list.Items {
		roots[p.UID] = p.RootUID
		if p.UID == post && p.Comments != 2 {
			t.Errorf("%d answers counted", p.Comments)
		}
	}
	if want := map[string]string{post: post, b: post, e: post}; !list.Complete || fmt.Sprint(roots) != fmt.Sprint(want) {
		t.Fatalf("complete %v, roots %v, want %v", list.Complete, roots, want)
	}
	below := x.comments(c, post)
	got := map[string]string{}
	for _, it := range below.Items {
		got[it.UID] = fmt.Sprint(it.Kind, " ", it.ParentUID, " ", it.RootUID, " ", it.ByAgency, " ", it.Text)
	}
	want := map[string]string{
		a: "comment " + post + " " + post + " false First",
		b: "reply " + a + " " + post + " true The city answers",
		d: "reply " + b + " " + post + " false Thanks",
		e: "comment " + post + " " + post + " true The city adds",
	}
	if !below.Complete || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("complete %v, got %v", below.Complete, got)
	}
	// What the account wrote is told alike by both listings.
	for _, p := range list.Items {
		for _, it := range below.Items {
			if it.UID == p.UID && (it.Kind != p.Kind || it.ParentUID != p.ParentUID || it.Text != p.Text || it.URL != p.URL || !it.PostedAt.Equal(p.PostedAt)) {
				t.Errorf("%+v\n%+v", it, p.Item)
			}
		}
	}
	calls := x.Calls()
	if again := x.comments(c, b); !again.Complete || len(again.Items) != 0 || x.Calls() != calls {
		t.Errorf("a thread was read again for an answer within it: %+v", again)
	}
}

func TestLongThreadsAreReadFromTheirLeaves(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	n := 0
	last := post
	for range 45 { // deeper than is shown to everyone
		last = x.answer(last, denise, fmt.Sprint("Deep ", n))
		n++
	}
	for range 3 { // and more than is shown to everyone
		branch := x.answer(post, denise, "Branch")
		n++
		for range 18 {
			x.answer(branch, denise, fmt.Sprint("Wide ", n))
			n++
		}
	}
	for _, token := range []string{"", fixture.Token} {
		c := x.poll(token)
		x.posts(c)
		before := x.Calls()
		list := x.comments(c, post)
		if !list.Complete || len(list.Items) != n {
			t.Errorf("%d of %d, complete %v, %v", len(list.Items), n, list.Complete, list.Gap)
		}
		if calls := x.Calls() - before; (calls == 1) != (token != "") {
			t.Errorf("%d calls with the token %q", calls, token)
		}
	}
}

func TestDeepThreadsAreWholeWithoutAToken(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	last := post
	for i := range 50 {
		last = x.answer(last, denise, fmt.Sprint("Deep ", i))
	}
	c := x.poll("")
	x.posts(c)
	if list := x.comments(c, post); !list.Complete || len(list.Items) != 50 || list.Items[49].UID != last {
		t.Errorf("%d of 50, complete %v, %v", len(list.Items), list.Complete, list.Gap)
	}
}

func TestThreadsWithMoreAnswersThanAreShownAreNotComplete(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	for i := range 75 {
		x.answer(post, denise, fmt.Sprint("Answer ", i))
	}
	c := x.poll("")
	x.posts(c)
	if list := x.comments(c, post); list.Complete || len(list.Items) != 60 || list.Gap.Reason != candor.GapLimit {
		t.Errorf("%d, complete %v, %v", len(list.Items), list.Complete, list.Gap)
	}
	c = x.poll(fixture.Token)
	x.posts(c)
	if list := x.comments(c, post); !list.Complete || len(list.Items) != 75 {
		t.Errorf("%d, complete %v, %v", len(list.Items), list.Complete, list.Gap)
	}
}

func TestEditsAreToldWithTheirHistory(t *testing.T) {
	x := newTown(t)
	post := x.Publish("First wording", world.Photo{Name: "storm", Alt: "A storm"})
	x.pass(time.Hour)
	for _, text := range []string{"Second wording", "Third wording"} {
		if err := x.Edit(post, text); err != nil {
			t.Fatal(err)
		}
		x.pass(time.Hour)
	}
	c := x.poll("")
	p := x.posts(c).Items[0]
	if p.Text != "Third wording" || p.UpdatedAt.IsZero() {
		t.Fatalf("%+v", p)
	}
	all, err := c.History(ctx, p.Item)
	if err != nil || len(all) != 3 {
		t.Fatalf("%d wordings, %v", len(all), err)
	}
	for i, want := range []string{"First wording", "Second wording", "Third wording"} {
		if all[i].Text != want || all[i].How != sighting.Told || all[i].UID != post || len(all[i].Attachments) != 1 || x.objects[all[i].AnswerSHA] == nil {
			t.Errorf("%+v", all[i])
		}
	}
	if !all[0].UpdatedAt.IsZero() || !all[2].UpdatedAt.Equal(p.UpdatedAt) || !all[1].UpdatedAt.Before(p.UpdatedAt) {
		t.Errorf("written %v, %v, %v", all[0].UpdatedAt, all[1].UpdatedAt, all[2].UpdatedAt)
	}
	if candor.HashContent(all[2].Text, all[2].Attachments) != candor.HashContent(p.Text, p.Attachments) {
		t.Error("the last of the history is not the present wording")
	}
	if all, err := c.History(ctx, sighting.Item{UID: post}); err != nil || all != nil {
		t.Errorf("the history of what was not edited: %v, %v", all, err)
	}
	if all, err := c.History(ctx, sighting.Item{UID: "1", UpdatedAt: p.UpdatedAt}); err != nil || all != nil {
		t.Errorf("a server that tells no history: %v, %v", all, err)
	}
}

func TestLookSaysHowAStatusStands(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	answer := x.answer(post, denise, "Answer")
	c := x.poll("")
	x.posts(c)
	how, it, sha, err := c.Look(ctx, answer, candor.Comment, post)
	if err != nil || how != sighting.Here || it.Text != "Answer" || it.RootUID != post || it.Kind != candor.Comment || it.How != sighting.Direct || x.objects[sha] == nil {
		t.Errorf("%s %+v %v", how, it, err)
	}
	if err := x.Delete(answer); err != nil {
		t.Fatal(err)
	}
	how, _, sha, err = c.Look(ctx, answer, candor.Comment, post)
	if err != nil || how != sighting.Gone || !strings.Contains(string(x.objects[sha]), "Record not found") {
		t.Errorf("%s %q %v", how, x.objects[sha], err)
	}
	if how, _, _, err := c.Look(ctx, "../accounts/1", candor.Comment, post); err != nil || how != sighting.Unclear {
		t.Errorf("%s %v", how, err)
	}
	if how, _, _, err := c.Look(ctx, post, candor.Post, ""); err != nil || how != sighting.Here {
		t.Errorf("%s %v", how, err)
	}
}

func TestAnswersOutliveWhatTheyAnswer(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	a := x.answer(post, denise, "First")
	b := x.answer(a, world.Person{}, "The city answers")
	d := x.answer(b, denise, "Thanks")
	if err := x.Delete(a); err != nil {
		t.Fatal(err)
	}
	c := x.poll("")
	list := x.posts(c)
	if len(list.Items) != 2 || !list.Complete {
		t.Fatalf("%+v", list)
	}
	if it := list.Items[1]; it.UID != b || it.RootUID != b || it.Kind != candor.Reply || it.ParentUID != a {
		t.Errorf("an answer whose way up is cut is %+v", it)
	}
	if below := x.comments(c, post); len(below.Items) != 0 || !below.Complete {
		t.Errorf("%+v", below)
	}
	if how, it, _, err := c.Look(ctx, d, candor.Reply, post); err != nil || how != sighting.Here || it.RootUID != post {
		t.Errorf("%s %+v %v", how, it, err)
	}
}

func TestWhatIsNotForEveryoneIsPrivate(t *testing.T) {
	x := newTown(t)
	post := x.Publish("For followers")
	if err := x.Stand(post, candor.Private); err != nil {
		t.Fatal(err)
	}
	if list := x.posts(x.poll("")); len(list.Items) != 0 || !list.Complete {
		t.Errorf("%+v", list)
	}
	if list := x.posts(x.poll(fixture.Token)); len(list.Items) != 1 || list.Items[0].State != candor.Private {
		t.Errorf("%+v", list)
	}
}

func TestThrottlingSaysWhenToComeBack(t *testing.T) {
	x := newTown(t)
	x.Publish("Post")
	c := x.poll("")
	x.posts(c)
	x.Trouble(func(tr *world.Troubles) { tr.Throttle = 100 })
	_, err := c.Posts(ctx, "109348012345678901")
	var e *connector.Error
	if !errors.As(err, &e) || e.Class != connector.Throttled || e.After <= 0 || e.After > 5*time.Minute || e.AnswerSHA == "" {
		t.Fatalf("%+v", err)
	}
	if c.Used() != 100 {
		t.Errorf("%d percent used", c.Used())
	}
	calls := x.Calls()
	if _, _, _, err := c.Look(ctx, "1", candor.Post, ""); class(err) != connector.Throttled || x.Calls() != calls {
		t.Errorf("a call was made although none is left: %v", err)
	}
}

func TestThreadsLeaveCallsForWhatFollows(t *testing.T) {
	x := newTown(t)
	var posts []string
	for i := range 300 {
		posts = append(posts, x.Publish(fmt.Sprint("Post ", i)))
	}
	x.now = x.now.Truncate(5 * time.Minute)
	now := x.now
	c := open(t, x.srv, x.objects, nil, "", func() time.Time { return now })
	x.posts(c)
	waits := 0
	for _, p := range posts {
		x.mu.Lock()
		x.now = now // all within one window
		x.mu.Unlock()
		list, err := c.Comments(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		if !list.Complete {
			waits++
		}
	}
	if waits < 50 || c.left.left < reserve-1 {
		t.Errorf("%d threads wait, %d calls are left", waits, c.left.left)
	}
}

func TestTroublesAreNoAbsences(t *testing.T) {
	for _, k := range []struct {
		name    string
		trouble func(*world.Troubles)
		want    connector.Class
	}{
		{"expired token", func(tr *world.Troubles) { tr.Expired = true }, connector.BadToken},
		{"gateway", func(tr *world.Troubles) { tr.Fail, tr.Status = 100, 502 }, connector.Transient},
		{"fault", func(tr *world.Troubles) { tr.Fail, tr.Status = 100, 500 }, connector.Transient},
		{"down", func(tr *world.Troubles) { tr.Down = true }, connector.Transient},
	} {
		t.Run(k.name, func(t *testing.T) {
			x := newTown(t)
			post := x.Publish("Post")
			c := x.poll(fixture.Token)
			x.posts(c)
			x.Trouble(k.trouble)
			if _, err := c.Profile(ctx, "@cityoflarkspur"); class(err) != k.want {
				t.Errorf("profile: %v", err)
			}
			if list, err := c.Posts(ctx, "109348012345678901"); class(err) != k.want || list.Complete {
				t.Errorf("posts: %v", err)
			}
			if list, err := c.Comments(ctx, post); class(err) != k.want || list.Complete {
				t.Errorf("comments: %v", err)
			}
			if _, err := c.History(ctx, sighting.Item{UID: post, UpdatedAt: time.Now()}); class(err) != k.want {
				t.Errorf("history: %v", err)
			}
			if _, _, _, err := c.Look(ctx, post, candor.Post, post); class(err) != k.want {
				t.Errorf("look: %v", err)
			}
		})
	}
}

func TestAPageThatIsShortIsNotTheLast(t *testing.T) {
	x := newTown(t)
	for i := range 60 {
		x.Publish(fmt.Sprint("Post ", i))
	}
	x.Trouble(func(tr *world.Troubles) { tr.Cut = 2 })
	if list := x.posts(x.poll("")); len(list.Items) != 60 || !list.Complete {
		t.Errorf("%d of 60, complete %v", len(list.Items), list.Complete)
	}
}

func TestAThreadThatIsCutIsReadFromItsLeaves(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	last := post
	for i := range 8 {
		last = x.answer(last, []world.Person{denise, rick}[i%2], fmt.Sprint("Answer ", i))
	}
	c := x.poll("")
	x.posts(c)
	x.Trouble(func(tr *world.Troubles) { tr.Cut = 1 })
	if list := x.comments(c, post); len(list.Items) != 8 || !list.Complete {
		t.Errorf("%d of 8, complete %v", len(list.Items), list.Complete)
	}
}

func TestOrderOfAListingDoesNotMatter(t *testing.T) {
	x := newTown(t)
	for i := range 50 {
		last := x.Publish(fmt.Sprint("Post ", i))
		for range 3 {
			last = x.answer(last, world.Person{}, "And more")
		}
	}
	x.Trouble(func(tr *world.Troubles) { tr.Shuffle = true })
	c := x.poll("")
	list := x.posts(c)
	if len(list.Items) != 200 || !list.Complete {
		t.Fatalf("%d of 200, complete %v", len(list.Items), list.Complete)
	}
	met := map[string]bool{}
	for _, p := range list.Items {
		if p.ParentUID != "" && !met[p.ParentUID] {
			t.Errorf("%s comes before what it answers", p.UID)
		}
		met[p.UID] = true
	}
	below := x.comments(c, list.Items[0].UID)
	for i, it := range below.Items {
		if i > 0 && it.ParentUID != below.Items[i-1].UID {
			t.Errorf("%s comes before what it answers", it.UID)
		}
	}
}

func TestListingLongerThanAPollReadsIsNotComplete(t *testing.T) {
	x := newTown(t)
	for i := range 9 {
		x.Publish(fmt.Sprint("Post ", i))
	}
	c := x.poll("")
	c.cfg.Limit, c.cfg.Pages = 2, 2
	if list := x.posts(c); list.Complete || len(list.Items) != 4 || list.Gap.Reason != candor.GapLimit {
		t.Errorf("%+v", list)
	}
}

func TestMediaIsFetchedWithItsDescription(t *testing.T) {
	x := newTown(t)
	x.Publish("Post", world.Photo{Name: "storm", Alt: "A storm"})
	c := x.poll(fixture.Token)
	p := x.posts(c).Items[0]
	if len(p.Attachments) != 1 || p.Attachments[0].Type != "photo" || p.Attachments[0].Alt != "A storm" || p.Attachments[0].N != 1 {
		t.Fatalf("%+v", p.Attachments)
	}
	a := p.Attachments[0]
	if err := c.Media(ctx, &a, p.Fetch[0]); err != nil || a.Failure != "" || a.MediaType != "image/jpeg" || int64(len(x.objects[a.SHA])) != a.Size || a.Size == 0 {
		t.Errorf("%+v, %v", a, err)
	}
	if err := c.Media(ctx, &a, x.srv.URL+"/media/none"); err != nil || a.Failure == "" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestTokenIsInNothingThatIsKept(t *testing.T) {
	x := newTown(t)
	x.Publish("They wrote " + fixture.Token + " here")
	c := x.poll(fixture.Token)
	p := x.posts(c).Items[0]
	everything := fmt.Sprintf("%+v %+v", x.visit.Answers(), p)
	for _, b := range x.objects {
		everything += string(b)
	}
	if strings.Contains(everything, fixture.Token) {
		t.Error("the token is kept")
	}
	if len(x.visit.Answers()) < 2 {
		t.Error("answers are not kept")
	}
}

// scripted is a server that gives fixed answers by path and counts them.
type scripted struct {
	t       *testing.T
	answers map[string]string // by path and query, else by path
	asked   []string
	limit   string // calls left, when the server says so
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.URL.RequestURI())
	body, ok := s.answers[r.URL.RequestURI()]
	if !ok {
		body, ok = s.answers[r.URL.Path]
	}
	w.Header().Set("Content-Type", "application/json")
	if s.limit != "" {
		w.Header().Set("X-RateLimit-Limit", "300")
		w.Header().Set("X-RateLimit-Remaining", s.limit)
	}
	if !ok {
		w.WriteHeader(404)
		body = `{"error":"Record not found"}`
	}
	if link, rest, found := strings.Cut(body, "\n"); found && strings.HasPrefix(link, "Link: ") {
		w.Header().Set("Link", strings.TrimPrefix(link, "Link: "))
		body = rest
	}
	io.WriteString(w, body)
}

func (s *scripted) poll(listing ...string) *Client {
	s.t.Helper()
	srv := httptest.NewServer(s)
	s.t.Cleanup(srv.Close)
	s.answers["/api/v1/accounts/me"] = `{"id":"me","acct":"city"}`
	if len(listing) > 0 {
		s.answers["/api/v1/accounts/me/statuses"] = `[]`
		s.answers["/api/v1/accounts/me/statuses?exclude_reblogs=true&limit=40"] = "[" + strings.Join(listing, ",") + "]"
	}
	c := open(s.t, srv, platformtest.Objects{}, nil, "", time.Now)
	if _, err := c.Profile(ctx, "me"); err != nil {
		s.t.Fatal(err)
	}
	return c
}

func node(id, parent, by string) string {
	if parent == "" {
		return fmt.Sprintf(`{"id":%q,"in_reply_to_id":null,"account":{"id":%q},"replies_count":0}`, id, by)
	}
	return fmt.Sprintf(`{"id":%q,"in_reply_to_id":%q,"account":{"id":%q},"replies_count":0}`, id, parent, by)
}

// In a stranger's thread 10 the account answers (20), a stranger answers that
// (25), the account answers again (30); elsewhere it answers in its own thread
// below a stranger (50 to 45 to 40), and answers what cannot be read (60).
func TestThreadsOfStrangersAndOurOwn(t *testing.T) {
	listing := []string{node("60", "59", "me"), node("50", "45", "me"), node("40", "", "me"), node("30", "25", "me"), node("20", "10", "me")}
	others := []string{node("10", "", "bo"), node("25", "20", "bo"), node("45", "40", "bo")}
	want := "20>20 reply, 30>20 reply, 40>40 post, 50>40 reply, 60>60 reply"
	check := func(t *testing.T, c *Client) {
		t.Helper()
		list, err := c.Posts(ctx, "me")
		if err != nil || !list.Complete {
			t.Fatal(list.Complete, err)
		}
		var got []string
		for _, p := range list.Items {
			got = append(got, fmt.Sprintf("%s>%s %s", p.UID, p.RootUID, p.Kind))
		}
		slices.Sort(got)
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("got %s, want %s", s, want)
		}
	}
	t.Run("many at once", func(t *testing.T) {
		s := &scripted{t: t, answers: map[string]string{"/api/v1/statuses": "[" + strings.Join(others, ",") + "]"}}
		check(t, s.poll(listing...))
		if n := len(s.asked); n != 4 {
			t.Errorf("%d calls: %q", n, s.asked)
		}
	})
	t.Run("one by one", func(t *testing.T) {
		s := &scripted{t: t, answers: map[string]string{"/api/v1/statuses/10": others[0], "/api/v1/statuses/25": others[1], "/api/v1/statuses/45": others[2]}}
		check(t, s.poll(listing...))
	})
	t.Run("a server that takes the ids for nothing", func(t *testing.T) {
		s := &scripted{t: t, answers: map[string]string{"/api/v1/statuses": "[]", "/api/v1/statuses/10": others[0], "/api/v1/statuses/25": others[1], "/api/v1/statuses/45": others[2]}}
		check(t, s.poll(listing...))
	})
	t.Run("the same in the thread", func(t *testing.T) {
		s := &scripted{t: t, answers: map[string]string{
			"/api/v1/statuses":            "[" + strings.Join(others, ",") + "]",
			"/api/v1/statuses/20/context": `{"ancestors":[],"descendants":[` + node("30", "25", "me") + "," + others[1] + "," + node("31", "30", "bo") + `]}`,
		}}
		c := s.poll(listing...)
		check(t, c)
		list, err := c.Comments(ctx, "20")
		if err != nil || !list.Complete || len(list.Items) != 3 {
			t.Fatal(list, err)
		}
		for _, it := range list.Items {
			if it.RootUID != "20" {
				t.Errorf("%s belongs to %s", it.UID, it.RootUID)
			}
		}
	})
}

func TestTheNewestAreReadWithFewCalls(t *testing.T) {
	x := newTown(t)
	old := x.Publish("Old post")
	for i := range 60 {
		x.Publish(fmt.Sprint("Post ", i))
	}
	a := x.answer(old, denise, "Late answer")
	b := x.answer(a, world.Person{}, "Thanks")
	c := x.poll("")
	c.Resume(connector.Profile{ID: "109348012345678901"})
	list, err := c.Newest(ctx, "109348012345678901")
	if err != nil || list.Complete || len(list.Items) != 40 || x.Calls() != 3 {
		t.Fatalf("%d statuses, complete %v, %d calls, %v", len(list.Items), list.Complete, x.Calls(), err)
	}
	// The post it belongs to is too old for this listing, and the archive knows it.
	if it := list.Items[39]; it.UID != b || it.RootUID != old || !it.ByAgency {
		t.Errorf("%+v", it)
	}
	all, err := c.Posts(ctx, "109348012345678901")
	if err != nil || !all.Complete || len(all.Items) != 62 {
		t.Errorf("%d statuses, complete %v, %v", len(all.Items), all.Complete, err)
	}
	// Asked for without a listing, an answer still belongs to its thread.
	c = x.poll("")
	c.Resume(connector.Profile{ID: "109348012345678901"})
	d := x.answer(b, denise, "You're welcome")
	if below := x.comments(c, b); !below.Complete || len(below.Items) != 1 || below.Items[0].UID != d || below.Items[0].RootUID != old || below.Items[0].Kind != candor.Reply {
		t.Errorf("%+v", below)
	}
	if below := x.comments(c, old); !below.Complete || len(below.Items) != 3 {
		t.Errorf("%+v", below)
	}
}

func TestAnswersWhoseThreadIsNotReadYetWait(t *testing.T) {
	s := &scripted{t: t, answers: map[string]string{}}
	c := s.poll()
	// The listing fails before it comes to the root of the thread of 50.
	s.answers["/api/v1/accounts/me/statuses?exclude_reblogs=true&limit=40"] = "[" + node("60", "", "me") + "," + node("50", "40", "me") + "]"
	list, err := c.Posts(ctx, "me")
	if class(err) != connector.Vanished || list.Complete || len(list.Items) != 1 || list.Items[0].UID != "60" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestAnswersWaitForTheirThreadWhenCallsAreScarce(t *testing.T) {
	s := &scripted{t: t, answers: map[string]string{}}
	c := s.poll(node("60", "", "me"), node("50", "45", "me"))
	c.left = allowance{limit: 300, left: 5, known: true}
	s.limit = "5"
	if list, err := c.Posts(ctx, "me"); err != nil || list.Complete || len(list.Items) != 1 || list.Items[0].UID != "60" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestACursorThatRepeatsIsAnError(t *testing.T) {
	s := &scripted{t: t, answers: map[string]string{}}
	c := s.poll()
	page := "[" + node("60", "", "me") + "]"
	s.answers["/api/v1/accounts/me/statuses"] = `Link: <https://x.example/?max_id=60>; rel="next"` + "\n" + page
	list, err := c.Posts(ctx, "me")
	if class(err) != connector.Transient || list.Complete || len(list.Items) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestAnEntryThatIsNotUnderstoodMakesAListingIncomplete(t *testing.T) {
	s := &scripted{t: t, answers: map[string]string{"/api/v1/statuses/60/context": `{"descendants":[{"id":61}]}`}}
	c := s.poll(node("60", "", "me"), `{"id":59}`)
	if list, err := c.Posts(ctx, "me"); err != nil || list.Complete || len(list.Items) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := c.Comments(ctx, "60"); err != nil || list.Complete || len(list.Items) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestWhatOthersWroteAndIsPassedOnIsNotListed(t *testing.T) {
	s := &scripted{t: t, answers: map[string]string{}}
	c := s.poll(`{"id":"60","account":{"id":"me"},"reblog":{"id":"1"}}`, node("59", "", "me"))
	if list, err := c.Posts(ctx, "me"); err != nil || !list.Complete || len(list.Items) != 1 || list.Items[0].UID != "59" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestAnotherStatusThanAskedForSettlesNothing(t *testing.T) {
	s := &scripted{t: t, answers: map[string]string{"/api/v1/statuses/60": node("61", "", "me"), "/api/v1/statuses/62": `{}`, "/api/v1/statuses/63": `<html>`}}
	c := s.poll()
	for _, uid := range []string{"60", "62"} {
		if how, it, _, err := c.Look(ctx, uid, candor.Post, uid); err != nil || how != sighting.Unclear || it != nil {
			t.Errorf("%s: %s %+v %v", uid, how, it, err)
		}
	}
	if _, _, _, err := c.Look(ctx, "63", candor.Post, "63"); class(err) != connector.Transient {
		t.Errorf("%v", err)
	}
}

// GoToSocial answers 401 to all who show no token.
func TestServersThatShowNothingWithoutATokenSayBadToken(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(401)
		io.WriteString(w, `{"error":"Unauthorized: token not supplied"}`)
	}))
	defer srv.Close()
	c := open(t, srv, platformtest.Objects{}, nil, "", time.Now)
	if _, err := c.Profile(ctx, "@city"); class(err) != connector.BadToken || !strings.Contains(err.Error(), "token not supplied") {
		t.Errorf("%v", err)
	}
}
