package instagram

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
	fixture "github.com/candor-archive/candor/fixtures/instagram"
	"github.com/candor-archive/candor/fixtures/world"
)

var resident = world.Person{ID: "17841499999999999", Handle: "denise", Name: "Denise"}

// network is a pretend network and who reads it.
type network struct {
	*testing.T
	*world.World
	now     time.Time
	handler http.Handler
	paths   []string // of the calls
	kept    platformtest.Objects
	visit   *transport.Visit
}

func start(t *testing.T) *network {
	n := &network{T: t, now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), kept: platformtest.Objects{}}
	n.World = fixture.Network(func() time.Time { return n.now })
	n.handler = fixture.New(n.World)
	return n
}

// login makes a client of a new poll. The host is what the API is called as.
func (n *network) login(host string, cfg Config) *Client {
	n.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host != "" {
			r.Host = host
		}
		n.paths = append(n.paths, strings.TrimPrefix(r.URL.Path, "/v26.0/"))
		n.handler.ServeHTTP(w, r)
	}))
	n.Cleanup(srv.Close)
	cfg.Base = srv.URL
	via := srv.Client()
	if host != "" {
		cfg.Base = "http://" + host
		via = &http.Client{Transport: elsewhere{srv}}
	}
	client := transport.New(transport.Config{HTTP: via, PerHost: rate.Inf, Sleep: func(context.Context, time.Duration) error { return nil }, Now: func() time.Time { return n.now }})
	n.visit = client.Visit("source", fixture.Token)
	cfg.Visit, cfg.Objects = n.visit, n.kept
	if cfg.Token == "" {
		cfg.Token = fixture.Token
	}
	c, err := New(cfg)
	if err != nil {
		n.Fatal(err)
	}
	return c
}

// elsewhere sends every call to a server.
type elsewhere struct{ srv *httptest.Server }

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Host = strings.TrimPrefix(e.srv.URL, "http://")
	return http.DefaultTransport.RoundTrip(r)
}

func (n *network) reader(cfg Config) *Client {
	n.Helper()
	c := n.login("", cfg)
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
	slices.Sort(out)
	return strings.Join(out, " ")
}

func postUID(p connector.Post) string { return p.UID }
func itemUID(i sighting.Item) string  { return i.UID }

func sorted(ids ...string) string { slices.Sort(ids); return strings.Join(ids, " ") }

func TestTheAccountIsFoundByBothLogins(t *testing.T) {
	n := start(t)
	ctx := context.Background()
	want := connector.Profile{ID: "17841406338772941", Name: "Larkspur Police Department", Username: "larkspurpd", Link: "https://www.instagram.com/larkspurpd/"}
	for _, host := range []string{"", "graph.facebook.com"} {
		for _, ref := range []string{"", "larkspurpd", "LarkspurPD", want.ID} {
			if p, err := n.login(host, Config{}).Profile(ctx, ref); err != nil || p != want {
				t.Errorf("as %q by %q: %+v, %v", host, ref, p, err)
			}
		}
		if _, err := n.login(host, Config{}).Profile(ctx, "someone"); refusal(err) == nil || refusal(err).Class != connector.Permission {
			t.Errorf("as %q another account was read: %v", host, err)
		}
	}
	p, err := n.login("", Config{SiteURL: "https://pictures.example/larkspurpd?x=1"}).Profile(ctx, "")
	if err != nil || p.Link != "https://pictures.example/larkspurpd/" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestTheAccountIsFoundAmongThePagesOfAUser(t *testing.T) {
	n := start(t)
	n.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch strings.TrimPrefix(r.URL.Path, "/v26.0/") {
		case "me":
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error":{"message":"(#100) Tried accessing nonexisting field (instagram_business_account) on node type (User)","code":100}}`)
		case "me/accounts":
			fmt.Fprint(w, `{"data":[{"id":"1"},{"id":"2","instagram_business_account":{"id":"17841400000000001","username":"parks"}},{"id":"3","instagram_business_account":{"id":"17841400000000002","username":"police"}}]}`)
		}
	})
	if p, err := n.login("graph.facebook.com", Config{}).Profile(context.Background(), "police"); err != nil || p.ID != "17841400000000002" {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := n.login("graph.facebook.com", Config{}).Profile(context.Background(), ""); refusal(err) == nil || refusal(err).Class != connector.Permission {
		t.Errorf("one of two was taken: %+v, %v", p, err)
	}
}

func TestEverythingIsListedToItsEnd(t *testing.T) {
	n := start(t)
	var ids []string
	for i := range 7 {
		n.now = n.now.Add(time.Minute)
		ids = append(ids, n.Publish(fmt.Sprintf("Post %d", i), world.Photo{Name: "badge", Alt: "A badge"}))
	}
	ids = append(ids, n.Publish("An album", world.Photo{Name: "badge", Alt: "One"}, world.Photo{Name: "park-dusk", Alt: "Two"}))
	story := n.Tell("A story", world.Photo{Name: "badge"})
	c := n.reader(Config{Limit: 2})
	l := n.posts(c)
	if got := uids(l.Items, postUID); got != sorted(append(ids, story)...) || !l.Complete || l.Gap.Reason != "" {
		t.Errorf("listed %s, complete %v", got, l.Complete)
	}
	for _, p := range l.Items {
		switch p.UID {
		case story:
			if p.Kind != candor.Story || p.Text != "A story" || p.RootUID != story || !p.ByAgency {
				t.Errorf("story is %+v", p)
			}
		case ids[7]:
			if len(p.Attachments) != 2 || p.Attachments[1].Alt != "Two" || p.Attachments[1].N != 2 {
				t.Errorf("album is %+v", p.Attachments)
			}
		case ids[0]:
			if p.Attachments[0].Alt != "A badge" || !strings.HasPrefix(p.URL, "http://127.0.0.1") || p.PostedAt.IsZero() || p.AnswerSHA == "" || n.kept[p.AnswerSHA] == nil {
				t.Errorf("post is %+v", p)
			}
		}
	}
	n.now = n.now.Add(25 * time.Hour)
	if l := n.posts(n.reader(Config{})); strings.Contains(uids(l.Items, postUID), story) {
		t.Error("a story is listed after a day")
	}
}

func TestCommentsOfAllLevelsAreRead(t *testing.T) {
	n := start(t)
	post := n.Publish("Road closed")
	var want []string
	for i := range 120 { // more than two pages
		want = append(want, n.answer(post, resident, fmt.Sprintf("Comment %d", i)))
	}
	first := want[0]
	for i := range 60 { // more than come along with the comment
		want = append(want, n.answer(first, world.Person{}, fmt.Sprintf("Answer %d", i)))
	}
	one := n.answer(want[1], resident, "One reply")
	deep := n.answer(one, resident, "A reply to a reply")
	want = append(want, one, deep)
	n.do(n.Stand(want[2], candor.Hidden))
	c := n.reader(Config{})
	n.posts(c)
	l := n.comments(c, post)
	if got := uids(l.Items, itemUID); got != sorted(want...) || !l.Complete {
		t.Fatalf("%d of %d comments, complete %v", len(l.Items), len(want), l.Complete)
	}
	for _, it := range l.Items {
		switch {
		case it.RootUID != post || it.URL == "" || it.PostedAt.IsZero() || n.kept[it.AnswerSHA] == nil || it.How != sighting.Listed:
			t.Fatalf("%+v", it)
		case it.UID == want[2] && it.State != candor.Hidden, it.UID != want[2] && it.State != "":
			t.Errorf("%+v", it)
		case it.UID == deep && (it.Kind != candor.Reply || it.ParentUID != want[1] || it.ByAgency || it.AuthorID != resident.ID):
			t.Errorf("a reply to a reply is %+v", it)
		case strings.HasPrefix(it.Text, "Answer") && (!it.ByAgency || it.Kind != candor.Reply || it.ParentUID != first):
			t.Errorf("an answer of ours is %+v", it)
		}
	}
	if p := slices.Contains(n.paths, first+"/replies"); !p {
		t.Error("the replies that did not come along were not asked for")
	}
}

func TestEditsAndDeletionsAreSeenAsTheyStand(t *testing.T) {
	n := start(t)
	post, other := n.Publish("Road closed"), n.Publish("Found dog")
	said := n.answer(post, resident, "Thanks")
	n.do(n.Edit(post, "Road open again"))
	c := n.reader(Config{})
	for _, p := range n.posts(c).Items {
		if p.UID == post && (p.Text != "Road open again" || !p.UpdatedAt.IsZero() || p.Comments != 1) {
			t.Errorf("%+v", p)
		}
	}
	look := func(uid string, kind candor.RecordKind) (sighting.Standing, *sighting.Item) {
		t.Helper()
		how, it, sha, err := c.Look(context.Background(), uid, kind, post)
		if err != nil || n.kept[sha] == nil {
			t.Fatalf("%s: %v", uid, err)
		}
		return how, it
	}
	listed := n.comments(c, post).Items[0]
	how, it := look(said, candor.Comment)
	if how != sighting.Here || it.Text != listed.Text || it.ParentUID != post || it.Kind != listed.Kind || it.URL != listed.URL {
		t.Errorf("%s %+v, listed as %+v", how, it, listed)
	}
	n.do(n.Delete(said))
	n.do(n.Delete(other))
	if how, _ := look(said, candor.Comment); how != sighting.Gone {
		t.Errorf("a deleted comment is %s", how)
	}
	if how, _ := look(other, candor.Post); how != sighting.Gone {
		t.Errorf("a deleted post is %s", how)
	}
	if got := uids(n.posts(c).Items, postUID); got != post {
		t.Errorf("listed %s", got)
	}
	n.do(n.Restore(other))
	how, it = look(other, candor.Post)
	if how != sighting.Here || it.Text != "Found dog" {
		t.Errorf("%s %+v", how, it)
	}
	for _, p := range n.posts(c).Items {
		if p.UID == other && candor.HashContent(p.Text, p.Attachments) != candor.HashContent(it.Text, it.Attachments) {
			t.Errorf("looked up it is %+v, listed %+v", it, p.Item)
		}
	}
}

func TestAStoryIsGoneOnTheWordOfItsListingOnly(t *testing.T) {
	n := start(t)
	story := n.Tell("A story", world.Photo{Name: "badge"})
	n.do(n.Delete(story))
	edge := ""
	inner := n.handler
	n.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if edge != "" && strings.HasSuffix(r.URL.Path, "/stories") {
			w.WriteHeader(400)
			fmt.Fprint(w, edge)
			return
		}
		inner.ServeHTTP(w, r)
	})
	for body, want := range map[string]sighting.Standing{
		"": sighting.Gone,
		`{"error":{"code":10,"message":"(#10) Application does not have permission for this action"}}`:                      sighting.Denied,
		`{"error":{"code":100,"message":"(#100) Tried accessing nonexisting field (stories) on node type (ShadowIGUser)"}}`: sighting.Unclear,
	} {
		edge = body
		c := n.reader(Config{})
		l := n.posts(c)
		if how, _, _, err := c.Look(context.Background(), story, candor.Story, story); err != nil || how != want {
			t.Errorf("%s: %s, want %s, %v", body, how, want, err)
		}
		if !l.Complete || (l.Gap.Reason != "") != (want == sighting.Denied) {
			t.Errorf("%s: complete %v, gap %+v", body, l.Complete, l.Gap)
		}
	}
}

func TestCommentsThatAreTurnedOffAreNotGone(t *testing.T) {
	n := start(t)
	enabled := false
	n.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch strings.TrimPrefix(r.URL.Path, "/v26.0/") {
		case "me":
			fmt.Fprint(w, `{"id":"1","user_id":"178","username":"larkspurpd"}`)
		case "178/media":
			fmt.Fprintf(w, `{"data":[{"id":"5","media_type":"IMAGE","is_comment_enabled":%v}]}`, enabled)
		default:
			fmt.Fprint(w, `{"data":[]}`)
		}
	})
	for _, enabled = range []bool{false, true} {
		c := n.reader(Config{})
		if _, err := c.Posts(context.Background(), "178"); err != nil {
			t.Fatal(err)
		}
		if l := n.comments(c, "5"); l.Complete != enabled || (l.Gap.Reason == candor.GapClosed) == enabled {
			t.Errorf("comments on %v: %+v", enabled, l)
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
	if l := n.posts(c); len(l.Items) != 2 {
		t.Errorf("a cut listing has %d posts", len(l.Items))
	}
	n.Trouble(func(x *world.Troubles) { x.Partial = 1 })
	if l, err := c.Posts(context.Background(), n.Account().ID); refusal(err) == nil || refusal(err).Class != connector.Transient || l.Complete {
		t.Errorf("an error beside data: %+v, %v", l, err)
	}
	n.Trouble(func(x *world.Troubles) { x.Expired = true })
	if _, err := c.Posts(context.Background(), n.Account().ID); refusal(err) == nil || refusal(err).Class != connector.BadToken || n.kept[refusal(err).AnswerSHA] == nil {
		t.Errorf("an expired token: %v", err)
	}
	if _, _, _, err := c.Look(context.Background(), "1", candor.Comment, "2"); refusal(err) == nil {
		t.Errorf("an expired token says something about a comment: %v", err)
	}
	n.Trouble(func(x *world.Troubles) { *x = world.Troubles{Fail: 9, Status: 502} })
	if _, err := c.Posts(context.Background(), n.Account().ID); refusal(err) == nil || refusal(err).Class != connector.Transient {
		t.Errorf("a gateway: %v", err)
	}
	n.Trouble(func(x *world.Troubles) { *x = world.Troubles{Shuffle: true} })
	if l := n.posts(c); len(l.Items) != 4 || !l.Complete {
		t.Errorf("in another order: %+v", l)
	}
	n.Trouble(func(x *world.Troubles) { *x = world.Troubles{Throttle: 1} })
	if _, err := c.Posts(context.Background(), n.Account().ID); refusal(err) == nil || refusal(err).Class != connector.Throttled || refusal(err).After != 5*time.Minute || c.Used() < 100 {
		t.Errorf("throttled: %v", err)
	}
	calls := len(n.paths)
	if _, err := c.Posts(context.Background(), n.Account().ID); refusal(err) == nil || len(n.paths) != calls {
		t.Errorf("called while throttled: %v", err)
	}
	if _, err := n.login("", Config{Token: "IGAAwrong0token"}).Profile(context.Background(), ""); refusal(err) == nil || refusal(err).Class != connector.BadToken {
		t.Errorf("a wrong token: %v", err)
	}
}

func TestPicturesAreFetchedWithoutTheToken(t *testing.T) {
	n := start(t)
	n.Publish("A badge", world.Photo{Name: "badge", Alt: "A badge"})
	n.Publish("A reel without its video")
	n.Publish("A reel without its video")
	inner := n.handler
	n.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/media/") && r.Header.Get("Authorization") != "" {
			t.Error("a picture was asked for with the token")
		}
		inner.ServeHTTP(w, r)
	})
	c := n.reader(Config{})
	withheld := 0
	for _, p := range n.posts(c).Items {
		for i := range p.Attachments {
			a := &p.Attachments[i]
			if p.Fetch[i] == "" {
				if withheld++; a.Failure == "" || a.URL != p.URL || a.Type != "video" {
					t.Errorf("%+v", a)
				}
				continue
			}
			n.do(c.Media(context.Background(), a, p.Fetch[i]))
			if a.SHA == "" || a.MediaType != "image/jpeg" || n.kept[a.SHA] == nil {
				t.Errorf("%+v", a)
			}
		}
	}
	if withheld != 1 {
		t.Errorf("%d reels without an address", withheld)
	}
	before := n.posts(c).Items
	n.now = n.now.Add(2 * time.Hour)
	after := n.posts(c).Items
	for i := range before {
		a, b := before[i], after[i]
		if candor.HashContent(a.Text, a.Attachments) != candor.HashContent(b.Text, b.Attachments) {
			t.Errorf("a new signature is an edit: %+v, %+v", a.Attachments, b.Attachments)
		}
		if a.Fetch[0] != "" && a.Fetch[0] == b.Fetch[0] {
			t.Error("the signature did not change")
		}
	}
}

func TestTheTokenIsKeptNowhere(t *testing.T) {
	n := start(t)
	post := n.Publish("Post")
	for i := range 3 {
		n.answer(post, resident, fmt.Sprint(i))
	}
	n.Publish("Another")
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
	for _, act := range world.Month(7, n.now, world.Life{Posts: 30, Comments: 150, EditPosts: true, Hide: true, Stories: true}) {
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
