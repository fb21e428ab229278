package threads

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
	fixture "github.com/candor-archive/candor/fixtures/threads"
	"github.com/candor-archive/candor/fixtures/world"
)

var resident = world.Person{ID: "26105555555555555", Handle: "denise", Name: "Denise"}

const (
	forbidden   = `{"error":{"code":10,"message":"(#10) Application does not have permission for this action"}}`
	nonexisting = `{"error":{"code":100,"message":"(#100) Tried accessing nonexisting field (x) on node type (ThreadsUser)"}}`
	passing     = `{"error":{"code":2,"message":"later","is_transient":true}}`
	gone        = `{"error":{"code":100,"error_subcode":33,"message":"Unsupported get request."}}`
)

// network is a pretend network and who reads it.
type network struct {
	*testing.T
	*world.World
	now    time.Time
	server *fixture.Server
	edges  map[string]string // by the end of a path: answered in place of the server
	paths  []string
	kept   platformtest.Objects
	visit  *transport.Visit
}

func start(t *testing.T) *network {
	n := &network{T: t, now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), kept: platformtest.Objects{}, edges: map[string]string{}}
	n.World = fixture.Network(func() time.Time { return n.now })
	n.server = fixture.NewServer(n.World)
	return n
}

func (n *network) login(cfg Config) *Client {
	n.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.paths = append(n.paths, strings.TrimPrefix(r.URL.Path, "/v1.0/"))
		for end, body := range n.edges {
			if strings.HasSuffix(r.URL.Path, end) {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, body)
				return
			}
		}
		n.server.ServeHTTP(w, r)
	}))
	n.Cleanup(srv.Close)
	client := transport.New(transport.Config{HTTP: srv.Client(), PerHost: rate.Inf, Sleep: func(context.Context, time.Duration) error { return nil }, Now: func() time.Time { return n.now }})
	n.visit = client.Visit("source", fixture.Token)
	cfg.Visit, cfg.Objects, cfg.Base = n.visit, n.kept, srv.URL
	if cfg.Token == "" {
		cfg.Token = fixture.Token
	}
	c, err := New(cfg)
	if err != nil {
		n.Fatal(err)
	}
	return c
}

func (n *network) reader(cfg Config) *Client {
	n.Helper()
	c := n.login(cfg)
	if _, err := c.Profile(context.Background(), "larkspurpd"); err != nil {
		n.Fatal(err)
	}
	return c
}

func (n *network) do(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

func (n *network) answer(to string, by world.Person, text string) string {
	n.Helper()
	n.now = n.now.Add(time.Minute)
	id, err := n.Answer(to, by, text)
	n.do(err)
	return id
}

func (n *network) posts(c *Client) connector.Listing[connector.Post] {
	n.Helper()
	l, err := c.Posts(context.Background(), n.Account().ID)
	n.do(err)
	return l
}

func (n *network) comments(c *Client, post string) connector.Listing[sighting.Item] {
	n.Helper()
	l, err := c.Comments(context.Background(), post)
	n.do(err)
	return l
}

func (n *network) look(c *Client, uid string, kind candor.RecordKind, root string) (sighting.Standing, *sighting.Item) {
	n.Helper()
	how, it, sha, err := c.Look(context.Background(), uid, kind, root)
	n.do(err)
	if n.kept[sha] == nil {
		n.Fatalf("the answer about %s was not kept", uid)
	}
	return how, it
}

func refusal(err error) *connector.Error {
	var e *connector.Error
	errors.As(err, &e)
	return e
}

func uids[T any](list []T, uid func(T) string) string {
	var out []string
	for _, x := range list {
		out = append(out, uid(x))
	}
	return sorted(out...)
}

func postUID(p connector.Post) string { return p.UID }
func itemUID(i sighting.Item) string  { return i.UID }

func sorted(ids ...string) string { slices.Sort(ids); return strings.Join(ids, " ") }

func TestTheAccountIsTheTokensOwn(t *testing.T) {
	n := start(t)
	want := connector.Profile{ID: "26103200000000001", Name: "Larkspur Police Department", Username: "larkspurpd", Link: "https://www.threads.com/@larkspurpd"}
	for _, ref := range []string{"", "larkspurpd", "LarkspurPD", want.ID} {
		if p, err := n.login(Config{}).Profile(context.Background(), ref); err != nil || p != want {
			t.Errorf("by %q: %+v, %v", ref, p, err)
		}
	}
	if _, err := n.login(Config{}).Profile(context.Background(), "someone"); refusal(err) == nil || refusal(err).Class != connector.Permission {
		t.Errorf("another account was read: %v", err)
	}
}

func TestEverythingIsListedToItsEnd(t *testing.T) {
	n := start(t)
	var want []string
	for i := range 6 { // a whole number of pages
		n.now = n.now.Add(time.Minute)
		want = append(want, n.Publish(fmt.Sprintf("Post %d", i)))
	}
	want = append(want, n.Publish("An album", world.Photo{Name: "badge", Alt: "One"}, world.Photo{Name: "park-dusk", Alt: "Two"}))
	one := n.Publish("A picture", world.Photo{Name: "badge", Alt: "A badge"})
	ghost := n.Tell("For a day")
	n.server.Repost()
	c := n.reader(Config{Limit: 2})
	l := n.posts(c)
	if got := uids(l.Items, postUID); got != sorted(append(want, one, ghost)...) || !l.Complete || l.Gap.Reason != "" {
		t.Errorf("listed %s, complete %v, gap %+v", got, l.Complete, l.Gap)
	}
	for _, p := range l.Items {
		switch p.UID {
		case ghost:
			if p.Kind != candor.Story || p.Text != "For a day" || !p.ByAgency {
				t.Errorf("ghost post is %+v", p)
			}
			if l := n.comments(c, ghost); l.Complete || len(l.Items) != 0 {
				t.Errorf("below a ghost post: %+v", l)
			}
		case want[6]:
			if len(p.Attachments) != 2 || p.Attachments[1].Alt != "Two" {
				t.Errorf("album is %+v", p.Attachments)
			}
		case one:
			a := &p.Attachments[0]
			n.do(c.Media(context.Background(), a, p.Fetch[0]))
			if a.Alt != "A badge" || a.SHA == "" || a.MediaType != "image/jpeg" || n.kept[a.SHA] == nil || p.Comments != 0 || n.kept[p.AnswerSHA] == nil {
				t.Errorf("picture is %+v", p)
			}
		}
	}
	before := l.Items
	n.now = n.now.Add(2 * time.Hour)
	for i, p := range n.posts(c).Items {
		if candor.HashContent(p.Text, p.Attachments) != candor.HashContent(before[i].Text, before[i].Attachments) {
			t.Errorf("a new signature is an edit: %+v", p)
		}
	}
}

func TestAConversationIsReadWhole(t *testing.T) {
	n := start(t)
	post := n.Publish("Road closed")
	var all []string
	for i := range 6 {
		all = append(all, n.answer(post, resident, fmt.Sprintf("Reply %d", i)))
	}
	deep := n.answer(all[0], resident, "Deeper")
	deepest := n.answer(deep, world.Person{}, "Deeper still")
	all = append(all, deep, deepest)
	n.do(n.Stand(all[1], candor.Hidden))
	n.do(n.Stand(all[2], candor.Withheld))
	n.do(n.Stand(all[3], candor.Held))
	c := n.reader(Config{Limit: 3})
	n.posts(c)
	l := n.comments(c, post)
	if got := uids(l.Items, itemUID); got != sorted(all...) || !l.Complete {
		t.Fatalf("%d of %d replies, complete %v", len(l.Items), len(all), l.Complete)
	}
	states := map[string]candor.RecordState{all[1]: candor.Hidden, all[2]: candor.Withheld, all[3]: candor.Held}
	for _, it := range l.Items {
		if it.State != states[it.UID] || it.RootUID != post || it.URL == "" || n.kept[it.AnswerSHA] == nil {
			t.Errorf("%+v, want state %q", it, states[it.UID])
		}
		switch it.UID {
		case deepest:
			if it.Kind != candor.Reply || it.ParentUID != deep || !it.ByAgency || it.AuthorID != n.Account().ID {
				t.Errorf("%+v", it)
			}
		case all[0]:
			if it.Kind != candor.Comment || it.ParentUID != post || it.ByAgency || it.Author != "denise" {
				t.Errorf("%+v", it)
			}
		}
		// A look-up gives the same, so that it does not pass for an edit.
		how, again := n.look(c, it.UID, it.Kind, post)
		if how != sighting.Here || again.Text != it.Text || again.State != it.State || again.ParentUID != it.ParentUID || again.Kind != it.Kind {
			t.Errorf("%s %+v, listed as %+v", how, again, it)
		}
	}
	// What waits no more is a reply like others.
	n.do(n.Stand(all[3], ""))
	for _, it := range n.comments(c, post).Items {
		if it.UID == all[3] && it.State != "" {
			t.Errorf("approved, it is %q", it.State)
		}
	}
}

func TestPendingRepliesAreAskedForWhereThereAreAny(t *testing.T) {
	n := start(t)
	one, two := n.Publish("One"), n.Publish("Two")
	ask := func() (pending int) {
		n.Helper()
		c := n.reader(Config{})
		n.posts(c)
		n.paths = nil
		for _, post := range []string{one, two} {
			if l := n.comments(c, post); !l.Complete {
				t.Errorf("%+v", l)
			}
		}
		for _, p := range n.paths {
			if strings.HasSuffix(p, "/pending_replies") {
				pending++
			}
		}
		return pending
	}
	if got := ask(); got != 2 {
		t.Errorf("asked %d times where approvals are off", got)
	}
	n.edges["/pending_replies"] = nonexisting
	if got := ask(); got != 1 {
		t.Errorf("asked %d times where there is no such edge", got)
	}
	n.edges["/pending_replies"] = passing
	c := n.reader(Config{})
	if l, err := c.Comments(context.Background(), one); refusal(err) == nil || l.Complete {
		t.Errorf("a passing failure: %+v, %v", l, err)
	}
}

func TestWhatIsBelowADeletedReplyLives(t *testing.T) {
	n := start(t)
	post := n.Publish("Road closed")
	parent := n.answer(post, resident, "Where?")
	child := n.answer(parent, resident, "On Main")
	n.do(n.Delete(parent))
	c := n.reader(Config{})
	n.posts(c)
	if l := n.comments(c, post); len(l.Items) != 0 || !l.Complete {
		t.Errorf("%+v", l)
	}
	if how, _ := n.look(c, parent, candor.Comment, post); how != sighting.Gone {
		t.Errorf("the deleted reply is %s", how)
	}
	if how, it := n.look(c, child, candor.Reply, post); how != sighting.Here || it.Text != "On Main" || it.RootUID != post {
		t.Errorf("the reply to it is %s %+v", how, it)
	}
	n.do(n.Delete(post))
	if how, _ := n.look(c, post, candor.Post, post); how != sighting.Gone {
		t.Errorf("the deleted post is %s", how)
	}
	n.do(n.Restore(post))
	n.do(n.Edit(post, "Road open"))
	if how, it := n.look(c, post, candor.Post, post); how != sighting.Here || it.Text != "Road open" || !it.UpdatedAt.IsZero() {
		t.Errorf("the post that came back is %s %+v", how, it)
	}
}

func TestRepliesInThreadsOfOthersAreRootsOfTheirOwn(t *testing.T) {
	n := start(t)
	post := n.Publish("Ours")
	n.answer(n.answer(post, resident, "Why?"), world.Person{}, "Because")
	there := n.server.Elsewhere("We are on it")
	below := n.server.Answered(there, "Thank you")
	deeper := n.server.Answered(below, "Indeed")
	c := n.reader(Config{})
	l := n.posts(c)
	if got := uids(l.Items, postUID); got != sorted(post, there) || !l.Complete {
		t.Fatalf("listed %s", got)
	}
	for _, p := range l.Items {
		if p.UID == there && (p.Kind != candor.Reply || p.RootUID != there || p.ParentUID != "" || !p.ByAgency || p.Comments != -1 || p.URL == "") {
			t.Errorf("%+v", p)
		}
	}
	r := n.comments(c, there)
	if got := uids(r.Items, itemUID); got != sorted(below, deeper) || !r.Complete {
		t.Errorf("below it %s, complete %v", got, r.Complete)
	}
	for _, it := range r.Items {
		if it.Kind != candor.Reply || it.RootUID != there || it.ByAgency || (it.ParentUID == there) != (it.UID == below) {
			t.Errorf("%+v", it)
		}
	}
	if how, it := n.look(c, there, candor.Reply, there); how != sighting.Here || it.RootUID != there || it.Text != "We are on it" {
		t.Errorf("%s %+v", how, it)
	}
	if how, _ := n.look(c, "17999999999999990", candor.Reply, "17999999999999990"); how != sighting.Gone {
		t.Errorf("one that is gone is %s", how)
	}

	// What strangers say may be kept from us; that is a gap.
	n.edges[there+"/replies"] = forbidden
	if r := n.comments(c, there); r.Complete || r.Gap.Reason != candor.GapAccess {
		t.Errorf("%+v", r)
	}
}

func TestAListingThatIsRefusedVouchesForNothing(t *testing.T) {
	const reply, ghost, post = "17999999999999990", "17999999999999991", "17999999999999992"
	for body, want := range map[string][2]sighting.Standing{
		"":          {sighting.Gone, sighting.Gone},
		forbidden:   {sighting.Denied, sighting.Denied},
		gone:        {sighting.Denied, sighting.Denied},
		nonexisting: {sighting.Unclear, sighting.Gone}, // without a listing of their own, ghost posts are among the posts
	} {
		n := start(t)
		if body != "" {
			n.edges[n.Account().ID+"/replies"], n.edges["/ghost_posts"] = body, body
		}
		c := n.reader(Config{})
		l := n.posts(c)
		if !l.Complete || (l.Gap.Reason == candor.GapAccess) != (want[0] == sighting.Denied) {
			t.Errorf("%s: complete %v, gap %+v", body, l.Complete, l.Gap)
		}
		if how, _ := n.look(c, reply, candor.Reply, reply); how != want[0] {
			t.Errorf("%s: a reply elsewhere is %s, want %s", body, how, want[0])
		}
		if how, _ := n.look(c, ghost, candor.Story, ghost); how != want[1] {
			t.Errorf("%s: a ghost post is %s, want %s", body, how, want[1])
		}
		if how, _ := n.look(c, post, candor.Post, post); how != sighting.Gone {
			t.Errorf("%s: a post is %s", body, how)
		}
		n.paths = nil
		n.posts(c)
		if again := slices.Contains(n.paths, n.Account().ID+"/replies"); again != (body == "") {
			t.Errorf("%s: asked again for %q", body, n.paths)
		}
	}
}

func TestTroublesOfThePlatform(t *testing.T) {
	n := start(t)
	for i := range 4 {
		n.Publish(fmt.Sprint("Post ", i))
	}
	c := n.reader(Config{})
	n.Trouble(func(x *world.Troubles) { x.Cut = 1 })
	if l := n.posts(c); len(l.Items) > 4 {
		t.Errorf("a cut listing has %d posts", len(l.Items))
	}
	n.Trouble(func(x *world.Troubles) { x.Partial = 1 })
	if l, err := c.Posts(context.Background(), n.Account().ID); refusal(err) == nil || refusal(err).Class != connector.Transient || l.Complete {
		t.Errorf("an error beside data: %+v, %v", l, err)
	}
	n.Trouble(func(x *world.Troubles) { x.Expired = true })
	if _, err := c.Posts(context.Background(), n.Account().ID); refusal(err) == nil || refusal(err).Class != connector.BadToken {
		t.Errorf("an expired token: %v", err)
	}
	n.Trouble(func(x *world.Troubles) { *x = world.Troubles{Fail: 9, Status: 502} })
	if _, err := c.Posts(context.Background(), n.Account().ID); refusal(err) == nil || refusal(err).Class != connector.Transient {
		t.Errorf("a gateway: %v", err)
	}
	n.Trouble(func(x *world.Troubles) { *x = world.Troubles{Throttle: 1} })
	if _, err := c.Posts(context.Background(), n.Account().ID); refusal(err) == nil || refusal(err).Class != connector.Throttled {
		t.Errorf("throttled: %v", err)
	}
	calls := len(n.paths)
	if _, _, _, err := c.Look(context.Background(), "1", candor.Post, "1"); refusal(err) == nil || len(n.paths) != calls {
		t.Errorf("called while throttled: %v", err)
	}
	if _, err := n.login(Config{Token: "THAAwrong0token"}).Profile(context.Background(), ""); refusal(err) == nil || refusal(err).Class != connector.BadToken {
		t.Errorf("a wrong token: %v", err)
	}
}

func TestTheTokenIsKeptNowhere(t *testing.T) {
	n := start(t)
	post := n.Publish("Post")
	n.Publish("Another")
	n.answer(post, resident, "Reply")
	c := n.reader(Config{Limit: 1})
	n.posts(c)
	n.comments(c, post)
	if len(n.visit.Answers()) < 5 {
		t.Fatalf("%d answers", len(n.visit.Answers()))
	}
	for _, a := range n.visit.Answers() {
		if strings.Contains(a.URL+a.Header, fixture.Token) || strings.Contains(string(n.kept[a.SHA]), fixture.Token) || n.kept[a.SHA] == nil {
			t.Errorf("%s holds the token, or was not kept", a.URL)
		}
	}
}

// After a month of everything, what is listed and looked up is what there is.
func TestAMonthIsReadAsItStands(t *testing.T) {
	n := start(t)
	for _, act := range world.Month(7, n.now, world.Life{Posts: 30, Comments: 150, EditPosts: true, EditComments: true, Hide: true, Hold: true, Stories: true, Deep: true}) {
		n.now = act.At
		n.do(act.Do(n.World))
	}
	n.Trouble(func(x *world.Troubles) { *x = world.Troubles{} })
	n.now = n.now.Add(time.Minute)
	c := n.reader(Config{Limit: 7})
	got := map[string]sighting.Item{}
	l := n.posts(c)
	for _, p := range l.Items {
		got[p.UID] = p.Item
	}
	for _, p := range l.Items {
		r := n.comments(c, p.UID)
		if p.Kind == candor.Post && !r.Complete {
			t.Errorf("the thread of %s is not complete", p.UID)
		}
		for _, it := range r.Items {
			got[it.UID] = it
		}
	}
	var things []*world.Thing
	n.View(func(see *world.Reader) { things = see.All() })
	live := 0
	for _, x := range things {
		it, listed := got[x.ID]
		over := x.Story && n.now.Sub(x.Created) >= candor.StoryLife
		whole := true // up to the post
		for y := x; y != nil; y = y.Parent {
			whole = whole && y.Here()
		}
		switch {
		case !x.Here() && listed, over && listed, whole && !over && !listed:
			t.Errorf("%s (here %v, over %v) is listed: %v", x.ID, x.Here(), over, listed)
		case listed && (it.Text != x.Text() || it.State != x.State || it.ByAgency != (x.By == n.Account())):
			t.Errorf("%+v, there is %+v", it, x)
		case listed:
			live++
		}
	}
	if live < 100 || live != len(got) {
		t.Errorf("%d of %d are as they stand", live, len(got))
	}
}
