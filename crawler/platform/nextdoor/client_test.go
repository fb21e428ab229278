package nextdoor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/platform/nextdoor"
	"github.com/candor-archive/candor/crawler/platform/platformtest"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
	served "github.com/candor-archive/candor/fixtures/nextdoor"
	"github.com/candor-archive/candor/fixtures/world"
)

// net is a network, its clock, and what was kept of it.
type net struct {
	*testing.T
	*world.World
	now     time.Time
	srv     *httptest.Server
	objects platformtest.Objects
	visit   *transport.Visit
}

func start(t *testing.T) *net {
	t.Helper()
	n := &net{T: t, now: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC), objects: platformtest.Objects{}}
	n.World = served.Network(func() time.Time { return n.now })
	n.serve(served.New(n.World))
	return n
}

func (n *net) serve(h http.Handler) {
	n.srv = httptest.NewServer(h)
	n.Cleanup(n.srv.Close)
}

// client begins a poll.
func (n *net) client() *nextdoor.Client {
	n.Helper()
	n.visit = transport.New(transport.Config{
		HTTP: n.srv.Client(), PerHost: rate.Inf, Sleep: func(context.Context, time.Duration) error { return nil },
	}).Visit("source", n.Token())
	c, err := nextdoor.New(nextdoor.Config{
		Visit: n.visit, Objects: n.objects, Base: n.srv.URL, Token: n.Token(), SiteURL: "https://nextdoor.com/agency-detail/tx/larkspur/",
	})
	if err != nil {
		n.Fatal(err)
	}
	return c
}

// introduced is a client that has read its profile.
func (n *net) introduced() *nextdoor.Client {
	n.Helper()
	c := n.client()
	if _, err := c.Profile(n.Context(), ""); err != nil {
		n.Fatal(err)
	}
	return c
}

func (n *net) id(uid string, err error) string {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
	return uid
}

func (n *net) must(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

func (n *net) posts(c *nextdoor.Client) connector.Listing[connector.Post] {
	n.Helper()
	l, err := c.Posts(n.Context(), "")
	if err != nil {
		n.Fatal(err)
	}
	return l
}

func class(t *testing.T, err error) *connector.Error {
	t.Helper()
	var e *connector.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no refusal", err)
	}
	return e
}

var neighbor = world.Person{ID: "p1", Handle: "denise", Name: "Denise Okafor"}

func TestTheAccountOfTheTokenIsRead(t *testing.T) {
	n := start(t)
	p, err := n.client().Profile(t.Context(), "")
	if err != nil || p.ID != "FzPk2cWn9sQ7m4Yb" || p.Name != "Larkspur Police Department" ||
		p.Link != "https://nextdoor.com/agency-detail/tx/larkspur/larkspur-police-department/" {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := n.client().Profile(t.Context(), p.ID); err != nil {
		t.Errorf("the same account again: %v", err)
	}
}

func TestATokenOfAnotherAccountIsRefused(t *testing.T) {
	n := start(t)
	_, err := n.client().Profile(t.Context(), "somebody-else")
	if e := class(t, err); e.Class != connector.BadToken || !strings.Contains(e.Message, "another account") || e.AnswerSHA == "" {
		t.Errorf("%+v", e)
	}
}

func TestATokenOfAPrivateProfileIsRefused(t *testing.T) {
	n := start(t)
	n.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"id":"x","first_name":"Ann","last_name":"Bo","is_agency_profile":"false","is_neighbor_profile":"true"}`)
	}))
	_, err := n.client().Profile(t.Context(), "")
	if e := class(t, err); e.Class != connector.BadToken || !strings.Contains(e.Message, "private profile") {
		t.Errorf("%+v", e)
	}
}

func TestPostsAndAllTheirCommentsAreRead(t *testing.T) {
	n := start(t)
	first := n.Publish("Boil water notice for Cedar Creek until Friday, all of Elm Street.", world.Photo{Name: "water-main"})
	n.now = n.now.Add(time.Hour)
	n.Publish("Second")
	q := n.id(n.Answer(first, neighbor, "Is Elm Street in it?"))
	a := n.id(n.Answer(q, world.Person{}, "Yes."))
	n.id(n.Answer(a, neighbor, "Thanks"))

	c := n.introduced()
	l := n.posts(c)
	if len(l.Items) != 2 || !l.Complete || l.Gap.Reason != "" || l.Items[0].Text != "Second" || l.Items[1].UID != first {
		t.Fatalf("%+v", l)
	}
	p := l.Items[1]
	if p.Kind != candor.Post || p.RootUID != first || p.ParentUID != "" || !p.ByAgency || p.Author != "Larkspur Police Department" ||
		p.Comments != -1 || p.How != sighting.Listed || p.State != "" || p.URL != "https://nextdoor.com/p/"+first ||
		!p.PostedAt.Equal(n.now.Add(-time.Hour)) || !p.UpdatedAt.IsZero() || n.objects[p.AnswerSHA] == nil {
		t.Errorf("%+v", p)
	}
	if p.Text != "Boil water notice for Cedar Creek until Friday, all of Elm Street." {
		t.Errorf("the platform's title is in the text: %q", p.Text)
	}
	calls := n.Calls()
	thread, err := c.Comments(t.Context(), first)
	if err != nil || !thread.Complete || len(thread.Items) != 3 {
		t.Fatalf("%+v, %v", thread, err)
	}
	if n.Calls() != calls {
		t.Error("comments that came with the posts were asked for again")
	}
	q1, a1, t1 := thread.Items[0], thread.Items[1], thread.Items[2]
	if q1.UID != q || q1.Kind != candor.Comment || q1.ParentUID != first || q1.RootUID != first || q1.ByAgency || q1.Author != "" || q1.AuthorID == "" || q1.URL != p.URL {
		t.Errorf("question is %+v", q1)
	}
	if a1.UID != a || a1.Kind != candor.Reply || a1.ParentUID != q || !a1.ByAgency || a1.AuthorID != p.AuthorID || a1.Author != p.Author {
		t.Errorf("answer is %+v", a1)
	}
	if t1.ParentUID != a || t1.AuthorID != q1.AuthorID || t1.Text != "Thanks" || t1.How != sighting.Listed {
		t.Errorf("thanks is %+v", t1)
	}
}

func TestAListingAsLongAsTheLimitSaysSo(t *testing.T) {
	n := start(t)
	for i := range served.Listed - 1 {
		n.Publish(fmt.Sprint("Post ", i))
		n.now = n.now.Add(time.Minute)
	}
	if l := n.posts(n.introduced()); len(l.Items) != served.Listed-1 || !l.Complete || l.Gap.Reason != "" {
		t.Fatalf("below the limit: %d posts, %v, %+v", len(l.Items), l.Complete, l.Gap)
	}
	n.Publish("The fiftieth")
	if l := n.posts(n.introduced()); len(l.Items) != served.Listed || !l.Complete || l.Gap.Reason != candor.GapLimit || l.Gap.Detail == "" {
		t.Fatalf("at the limit: %d posts, %v, %+v", len(l.Items), l.Complete, l.Gap)
	}
	n.Publish("One more")
	l := n.posts(n.introduced())
	if l.Gap.Reason != candor.GapLimit || slices.ContainsFunc(l.Items, func(p connector.Post) bool { return p.Text == "Post 0" }) {
		t.Errorf("beyond the limit: %+v", l.Gap)
	}
}

func TestAPostThatIsNoLongerListedIsStillThere(t *testing.T) {
	n := start(t)
	old := n.Publish("Oldest")
	reply := n.id(n.Answer(old, neighbor, "Hello"))
	for i := range served.Listed + 3 {
		n.Publish(fmt.Sprint("Post ", i))
	}
	c := n.introduced()
	n.posts(c)
	how, it, sha, err := c.Look(t.Context(), old, candor.Post, "")
	if err != nil || how != sighting.Here || it.UID != old || it.Text != "Oldest" || it.How != sighting.Direct || it.AnswerSHA != sha || n.objects[sha] == nil {
		t.Errorf("%s, %+v, %s, %v", how, it, sha, err)
	}
	thread, err := c.Comments(t.Context(), old)
	if err != nil || !thread.Complete || len(thread.Items) != 2 || thread.Items[0].UID != old || thread.Items[1].UID != reply {
		t.Errorf("%+v, %v", thread, err)
	}
}

func TestAnEditIsANewWordingUnderTheSameId(t *testing.T) {
	n := start(t)
	p := n.Publish("Before", world.Photo{Name: "storm"})
	q := n.id(n.Answer(p, neighbor, "Early"))
	hash := func() (a, b string) {
		c := n.introduced()
		l := n.posts(c)
		thread, err := c.Comments(t.Context(), p)
		n.must(err)
		return candor.HashContent(l.Items[0].Text, l.Items[0].Attachments), candor.HashContent(thread.Items[0].Text, thread.Items[0].Attachments)
	}
	p1, q1 := hash()
	n.now = n.now.Add(3 * time.Hour) // the pictures are signed anew
	n.must(n.Like(p))
	if p2, q2 := hash(); p1 != p2 || q1 != q2 {
		t.Error("a new signature or a like counts as an edit")
	}
	n.must(n.Edit(p, "After"))
	n.must(n.Edit(q, "Late"))
	if p2, q2 := hash(); p1 == p2 || q1 == q2 {
		t.Error("an edit went unseen")
	}
}

func TestOnlyThePlatformsOwn404IsGone(t *testing.T) {
	n := start(t)
	p, kept := n.Publish("Gone soon"), n.Publish("Kept")
	q := n.id(n.Answer(kept, neighbor, "Gone too"))
	n.must(n.Delete(p))
	n.must(n.Delete(q))
	c := n.introduced()
	if l := n.posts(c); len(l.Items) != 1 || !l.Complete {
		t.Fatalf("%+v", l)
	}
	if thread, err := c.Comments(t.Context(), kept); err != nil || len(thread.Items) != 0 || !thread.Complete {
		t.Fatalf("%+v, %v", thread, err)
	}
	for uid, kind := range map[string]candor.RecordKind{p: candor.Post, q: candor.Comment} {
		how, it, sha, err := c.Look(t.Context(), uid, kind, kept)
		if err != nil || how != sighting.Gone || it != nil || !strings.Contains(string(n.objects[sha]), "not_found") {
			t.Errorf("%s: %s, %+v, %v", uid, how, it, err)
		}
	}
	n.must(n.Restore(p))
	if how, _, _, err := c.Look(t.Context(), p, candor.Post, ""); err != nil || how != sighting.Here {
		t.Errorf("restored, it is %s, %v", how, err)
	}
}

func TestWhatWasDeletedTakesItsRepliesAlong(t *testing.T) {
	n := start(t)
	p := n.Publish("Post")
	q := n.id(n.Answer(p, neighbor, "Question"))
	a := n.id(n.Answer(q, world.Person{}, "Answer"))
	n.must(n.Delete(q))
	if how, _, _, err := n.introduced().Look(t.Context(), a, candor.Reply, p); err != nil || how != sighting.Gone {
		t.Errorf("%s, %v", how, err)
	}
}

func TestAnOrphanedReplyIsFoundByItsId(t *testing.T) {
	n := start(t)
	n.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("id") == "7" && strings.HasSuffix(r.URL.Path, "/comment/") {
			io.WriteString(w, `{"comment":{"id":7,"body":"Answer","parent_comment_id":6}}`)
			return
		}
		io.WriteString(w, `{"posts":[{"id":"1","body":"Post","url":"https://nextdoor.com/p/1","comments":[]}]}`)
	}))
	c := n.client()
	n.posts(c)
	if thread, err := c.Comments(t.Context(), "1"); err != nil || len(thread.Items) != 0 || !thread.Complete {
		t.Fatalf("%+v, %v", thread, err)
	}
	how, it, _, err := c.Look(t.Context(), "1/7", candor.Reply, "")
	if err != nil || how != sighting.Here || it.UID != "1/7" || it.ParentUID != "1/6" || it.RootUID != "1" || it.Text != "Answer" || it.URL != "https://nextdoor.com/p/1" {
		t.Errorf("%s, %+v, %v", how, it, err)
	}
}

func TestWhatWeMayNotReadIsDenied(t *testing.T) {
	n := start(t)
	p := n.Publish("Post")
	n.must(n.Stand(p, candor.Withheld))
	if how, _, sha, err := n.introduced().Look(t.Context(), p, candor.Post, ""); err != nil || how != sighting.Denied || sha == "" {
		t.Errorf("%s, %v", how, err)
	}
}

func TestALookUpThatIsNotUnderstoodSettlesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"the id was ignored":         {200, `{"posts":[{"id":1,"body":"another"}],"posts_length":1}`},
		"another record":             {200, `{"id":"5","body":"x"}`},
		"no such address":            {404, `{"detail":"Not found."}`},
		"the method is not allowed":  {405, `{"detail":"Method \"GET\" not allowed."}`},
		"the input is not liked":     {400, `{"error":"invalid_input","invalid_parameters":["id"]}`},
		"an error with status 200":   {200, `{"error":"not_found"}`},
		"a redirect to another page": {302, ``},
	} {
		n := start(t)
		n.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}))
		for uid, kind := range map[string]candor.RecordKind{"7": candor.Post, "7/8": candor.Comment} {
			if how, it, _, err := n.client().Look(t.Context(), uid, kind, ""); err != nil || how != sighting.Unclear || it != nil {
				t.Errorf("%s, %s: %s, %+v, %v", name, kind, how, it, err)
			}
		}
	}
	if how, _, _, err := start(t).client().Look(t.Context(), "no-comment", candor.Comment, ""); err != nil || how != sighting.Unclear {
		t.Errorf("an id that is none: %s, %v", how, err)
	}
}

func TestACutListingAccusesNobody(t *testing.T) {
	n := start(t)
	old := n.Publish("Old")
	n.Publish("New")
	n.Trouble(func(t *world.Troubles) { t.Cut = 1 })
	c := n.introduced()
	if l := n.posts(c); len(l.Items) != 1 {
		t.Fatalf("%+v", l)
	}
	// Nothing in the answer tells that it was cut: what it lacks is asked for.
	if how, _, _, err := c.Look(t.Context(), old, candor.Post, ""); err != nil || how != sighting.Here {
		t.Errorf("%s, %v", how, err)
	}
}

func TestAListingShorterThanItSaysIsNotComplete(t *testing.T) {
	n := start(t)
	n.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"posts":[{"id":"1","body":"x","comments":[]}],"posts_length":3}`)
	}))
	if l := n.posts(n.client()); len(l.Items) != 1 || l.Complete || l.Gap.Reason != "" {
		t.Errorf("%+v", l)
	}
}

func TestAnErrorBesidePostsIsAnErrorBesidePosts(t *testing.T) {
	n := start(t)
	n.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"posts":[{"id":"1","body":"x","comments":[]}],"error":"partial","error_description":"comments timed out"}`)
	}))
	l, err := n.client().Posts(t.Context(), "")
	if len(l.Items) != 1 || l.Complete {
		t.Errorf("%+v", l)
	}
	if e := class(t, err); e.Class != connector.Transient || !strings.Contains(e.Message, "comments timed out") {
		t.Errorf("%+v", e)
	}
}

func TestCommentsThatDidNotComeAreNotComplete(t *testing.T) {
	n := start(t)
	n.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"posts":[{"id":"1","body":"x"}],"posts_length":1}`)
	}))
	c := n.client()
	n.posts(c)
	if thread, err := c.Comments(t.Context(), "1"); err != nil || thread.Complete || len(thread.Items) != 0 {
		t.Errorf("%+v, %v", thread, err)
	}
}

func TestShuffledListingsAreRead(t *testing.T) {
	n := start(t)
	for i := range 5 {
		n.Publish(fmt.Sprint("Post ", i))
	}
	n.Trouble(func(t *world.Troubles) { t.Shuffle = true })
	if l := n.posts(n.introduced()); len(l.Items) != 5 || !l.Complete {
		t.Errorf("%+v", l)
	}
}

func TestTroublesAreSorted(t *testing.T) {
	for name, c := range map[string]struct {
		trouble func(*world.Troubles)
		class   connector.Class
		after   time.Duration
	}{
		"throttled": {func(t *world.Troubles) { t.Throttle = 1 << 30 }, connector.Throttled, 2 * time.Minute},
		"expired":   {func(t *world.Troubles) { t.Expired = true }, connector.BadToken, 0},
		"down":      {func(t *world.Troubles) { t.Down = true }, connector.Transient, 0},
		"failing":   {func(t *world.Troubles) { t.Fail, t.Status = 1<<30, 500 }, connector.Transient, 0},
		"gateway":   {func(t *world.Troubles) { t.Fail, t.Status = 1<<30, 502 }, connector.Transient, 0},
	} {
		n := start(t)
		n.Publish("Post")
		n.Trouble(c.trouble)
		_, err := n.client().Profile(t.Context(), "")
		if e := class(t, err); e.Class != c.class || e.After != c.after || e.AnswerSHA == "" || e.Status == 0 {
			t.Errorf("%s, profile: %+v", name, e)
		}
		l, err := n.client().Posts(t.Context(), "")
		if e := class(t, err); e.Class != c.class || l.Complete {
			t.Errorf("%s, posts: %+v", name, e)
		}
		how, _, _, err := n.client().Look(t.Context(), "1/2", candor.Comment, "1")
		if e := class(t, err); e.Class != c.class || how != sighting.Unclear {
			t.Errorf("%s, look: %s, %+v", name, how, e)
		}
	}
}

func TestAPassingFailureIsTriedAgain(t *testing.T) {
	n := start(t)
	n.Publish("Post")
	n.Trouble(func(t *world.Troubles) { t.Fail, t.Status = 2, 502 })
	if l := n.posts(n.client()); len(l.Items) != 1 {
		t.Errorf("%+v", l)
	}
}

func TestAWebPageInPlaceOfAnAnswerIsPassing(t *testing.T) {
	n := start(t)
	n.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>Please wait</html>") }))
	_, err := n.client().Posts(t.Context(), "")
	if e := class(t, err); e.Class != connector.Transient || e.AnswerSHA == "" {
		t.Errorf("%+v", e)
	}
}

func TestPicturesAreFetchedWithoutTheToken(t *testing.T) {
	n := start(t)
	n.Publish("Post", world.Photo{Name: "storm"}, world.Photo{Name: "no-such-picture"})
	h := n.srv.Config.Handler
	n.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/media/") && r.Header.Get("Authorization") != "" {
			t.Error("the token went to the media host")
		}
		h.ServeHTTP(w, r)
	}))
	c := n.introduced()
	p := n.posts(c).Items[0]
	for i := range p.Attachments {
		n.must(c.Media(t.Context(), &p.Attachments[i], p.Fetch[i]))
	}
	if a := p.Attachments[0]; a.SHA == "" || a.MediaType != "image/jpeg" || a.Size == 0 || n.objects[a.SHA] == nil {
		t.Errorf("%+v", a)
	}
	if a := p.Attachments[1]; a.SHA != "" || a.Failure != "the server answered 404" {
		t.Errorf("%+v", a)
	}
}

func TestTheTokenIsInNothingThatIsKept(t *testing.T) {
	n := start(t)
	n.Publish("Post")
	h := n.srv.Config.Handler
	n.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		if strings.HasSuffix(r.URL.Path, "/me/") {
			fmt.Fprintf(w, `{"id":"1","echo":%q}`, r.Header.Get("Authorization"))
			return
		}
		h.ServeHTTP(w, r)
	}))
	n.posts(n.introduced())
	everything := fmt.Sprintf("%+v", n.visit.Answers())
	for _, b := range n.objects {
		everything += string(b)
	}
	if len(n.visit.Answers()) != 2 || strings.Contains(everything, n.Token()) {
		t.Errorf("the token is in %s", everything)
	}
}

func TestCallsAreASecondApart(t *testing.T) {
	n := start(t)
	c, err := nextdoor.New(nextdoor.Config{
		Visit: transport.New(transport.Config{HTTP: n.srv.Client()}).Visit("source", n.Token()), Objects: n.objects, Base: n.srv.URL, Token: n.Token(), Pace: 1,
	})
	n.must(err)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := c.Profile(ctx, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Posts(ctx, ""); err == nil || n.Calls() != 1 {
		t.Errorf("a second call within half a second: %v, %d calls", err, n.Calls())
	}
}

func TestTheServerRefusesWhatTheRealOneRefuses(t *testing.T) {
	n := start(t)
	get := func(method, path, token string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, n.srv.URL+"/external/api/partner/v1/"+path, nil)
		n.must(err)
		req.Header.Set("Authorization", "Bearer "+token)
		client := *n.srv.Client()
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		res, err := client.Do(req)
		n.must(err)
		res.Body.Close()
		return res.StatusCode
	}
	for _, c := range []struct {
		method, path, token string
		want                int
	}{
		{"GET", "me/", n.Token(), 200}, {"GET", "me/", "wrong", 401}, {"GET", "me/", "", 401}, {"GET", "me/profiles/", n.Token(), 200},
		{"GET", "comment/", n.Token(), 400}, {"GET", "post/?id=", n.Token(), 400}, {"GET", "post/?id=1", n.Token(), 404}, {"POST", "post/", n.Token(), 405},
		{"GET", "posts/", n.Token(), 404},
	} {
		if got := get(c.method, c.path, c.token); got != c.want {
			t.Errorf("%s %s answers %d, want %d", c.method, c.path, got, c.want)
		}
	}
	if got := get("GET", "post", n.Token()); got < 300 || got > 399 {
		t.Errorf("without its slash it answers %d", got)
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, base := range []string{"nextdoor.com", "ftp://nextdoor.com", "://"} {
		if _, err := nextdoor.New(nextdoor.Config{Base: base}); err == nil {
			t.Errorf("%q was taken", base)
		}
	}
	if nextdoor.Ref("https://nextdoor.com/agency-detail/tx/larkspur/lpd/") != "" {
		t.Error("an address names an account")
	}
}
