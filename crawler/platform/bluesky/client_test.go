package bluesky

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
	fixture "github.com/candor-archive/candor/fixtures/bluesky"
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
	did     string
	between func(http.ResponseWriter, *http.Request) bool // answers in place of the network, if it wants
}

func newTown(t *testing.T) *town {
	x := &town{t: t, now: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), objects: platformtest.Objects{}}
	x.World = fixture.Network(x.clock)
	x.did = x.Account().ID
	h := fixture.New(x.World)
	x.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if x.between == nil || !x.between(w, r) {
			h.ServeHTTP(w, r)
		}
	}))
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

// poll begins a poll, with everything at one address or with a directory.
func (x *town) poll(directory bool) *Client {
	x.t.Helper()
	fetch := transport.New(transport.Config{
		HTTP: x.srv.Client(), PerHost: rate.Inf, Now: x.clock, Random: func() float64 { return 0.5 },
		Sleep: func(context.Context, time.Duration) error { return nil },
	})
	x.visit = fetch.Visit("source", "a-token-nobody-needs")
	cfg := Config{Visit: x.visit, Objects: x.objects, Base: x.srv.URL, SiteURL: "https://bsky.app/profile/larkspur.example.gov"}
	if directory {
		cfg.Directory = x.srv.URL
	}
	c, err := New(cfg)
	if err != nil {
		x.t.Fatal(err)
	}
	return c
}

func (x *town) posts(c *Client) connector.Listing[connector.Post] {
	x.t.Helper()
	p, err := c.Profile(ctx, "larkspur.example.gov")
	if err != nil {
		x.t.Fatal(err)
	}
	list, err := c.Posts(ctx, p.ID)
	if err != nil {
		x.t.Fatal(err)
	}
	return list
}

func (x *town) comments(c *Client, post string) connector.Listing[sighting.Item] {
	x.t.Helper()
	list, err := c.Comments(ctx, post)
	if err != nil {
		x.t.Fatal(err)
	}
	return list
}

func (x *town) answer(to string, by world.Person, text string) string {
	x.t.Helper()
	id, err := x.Answer(to, by, text)
	if err != nil {
		x.t.Fatal(err)
	}
	return id
}

func (x *town) stand(id string, state candor.RecordState) {
	x.t.Helper()
	if err := x.Stand(id, state); err != nil {
		x.t.Fatal(err)
	}
}

var denise = world.Person{ID: "p1", Handle: "denise", Name: "Denise Okafor"}

func class(err error) connector.Class {
	var e *connector.Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

func TestProfileByHandleAndDID(t *testing.T) {
	x := newTown(t)
	want := connector.Profile{ID: x.did, Name: "City of Larkspur", Username: "larkspur.example.gov", Link: "https://bsky.app/profile/" + x.did, Extra: x.srv.URL}
	for _, ref := range []string{"larkspur.example.gov", x.did} {
		for _, directory := range []bool{false, true} {
			c := x.poll(directory)
			if p, err := c.Profile(ctx, ref); err != nil || p != want || c.pds != x.srv.URL {
				t.Errorf("%q: %+v, %v", ref, p, err)
			}
		}
	}
	if _, err := x.poll(false).Profile(ctx, "nobody.example"); class(err) != connector.Refused || !strings.Contains(err.Error(), "Unable to resolve handle") {
		t.Errorf("%v", err)
	}
	if _, err := x.poll(false).Profile(ctx, ""); err == nil {
		t.Error("read the account of no name")
	}
}

func TestAllPostsAreListedOverPages(t *testing.T) {
	x := newTown(t)
	var want []string
	for i := range 230 {
		want = append(want, x.Publish(fmt.Sprintf("Post %d: <b> & \"quotes\"\n\nhttps://city.example/a/very/long/address?x=1&y=2 and https://city.example 🚧", i)))
	}
	slices.Reverse(want)
	for _, directory := range []bool{false, true} {
		list := x.posts(x.poll(directory))
		var got []string
		for _, p := range list.Items {
			got = append(got, p.UID)
		}
		if !list.Complete || list.Gap.Reason != "" || !slices.Equal(got, want) {
			t.Fatalf("complete %v, gap %v, %d posts", list.Complete, list.Gap, len(got))
		}
		p := list.Items[229]
		if p.Text != "Post 0: <b> & \"quotes\"\n\nhttps://city.example/a/very/long/address?x=1&y=2 and city.example 🚧" || p.Kind != candor.Post ||
			p.RootUID != p.UID || !p.ByAgency || p.Author != "City of Larkspur" || p.Comments != 0 || len(p.Attachments) != 0 || p.State != "" || x.objects[p.AnswerSHA] == nil {
			t.Errorf("%+v", p)
		}
	}
}

func TestThreadsAreListedWithAllLevels(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	a := x.answer(post, denise, "First")
	b := x.answer(a, world.Person{}, "The city answers")
	last := b
	want := map[string]string{a: "comment " + post + " false First", b: "reply " + a + " true The city answers"}
	for i := range 35 { // much deeper than the AppView shows at once
		up := last
		last = x.answer(up, denise, fmt.Sprint("Deep ", i))
		want[last] = fmt.Sprintf("reply %s false Deep %d", up, i)
	}
	c := x.poll(true)
	list := x.posts(c)
	if len(list.Items) != 2 || list.Items[0].Comments != 1 || list.Items[1].UID != b || list.Items[1].RootUID != post {
		t.Fatalf("%+v", list)
	}
	below := x.comments(c, post)
	got := map[string]string{}
	met := map[string]bool{post: true}
	for _, it := range below.Items {
		got[it.UID] = fmt.Sprint(it.Kind, " ", it.ParentUID, " ", it.ByAgency, " ", it.Text)
		if it.RootUID != post || !met[it.ParentUID] {
			t.Errorf("%+v", it)
		}
		met[it.UID] = true
	}
	if !below.Complete || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("complete %v, %d of %d: %v", below.Complete, len(got), len(want), got)
	}
	calls := x.Calls()
	if again := x.comments(c, b); !again.Complete || len(again.Items) != 0 || x.Calls() != calls {
		t.Errorf("a thread was read again for an answer within it: %+v", again)
	}
	c = x.poll(true)
	c.cfg.Walks = 2
	x.posts(c)
	if below := x.comments(c, post); below.Complete || below.Gap.Reason != candor.GapLimit {
		t.Errorf("complete %v, %v", below.Complete, below.Gap)
	}
}

func TestAnswersToStrangersAreRootsOfTheirOwn(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	a := x.answer(post, denise, "First")
	b := x.answer(a, world.Person{}, "The city answers")
	d := x.answer(b, denise, "Thanks")
	// Seen from another account, the city's thread is a stranger's.
	x.between = func(w http.ResponseWriter, r *http.Request) bool { return false }
	c := x.poll(false)
	p, err := c.Profile(ctx, "denise.bsky.social")
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.Posts(ctx, p.ID)
	if err != nil || !list.Complete || len(list.Items) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, it := range list.Items {
		if it.RootUID != it.UID || it.Kind != candor.Reply {
			t.Errorf("%+v", it)
		}
	}
	for _, uid := range []string{a, d} { // one of them is below the other
		for _, it := range x.comments(c, uid).Items {
			if want := map[string]string{b: a, d: d}[it.UID]; it.RootUID != want {
				t.Errorf("below %s, %s belongs to %s", uid, it.UID, it.RootUID)
			}
		}
	}
}

func TestHiddenAnswersAreToldAsHidden(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	a := x.answer(post, denise, "Rude")
	b := x.answer(post, denise, "Kind")
	x.stand(a, candor.Hidden)
	for _, directory := range []bool{false, true} {
		c := x.poll(directory)
		x.posts(c)
		list := x.comments(c, post)
		states := map[string]candor.RecordState{}
		for _, it := range list.Items {
			states[it.UID] = it.State
		}
		if !list.Complete || len(states) != 2 || states[a] != candor.Hidden || states[b] != "" {
			t.Errorf("%v", states)
		}
		c = x.poll(directory)
		x.posts(c)
		if how, it, _, err := c.Look(ctx, a, candor.Comment, post); err != nil || how != sighting.Here || it.State != candor.Hidden {
			t.Errorf("%s %+v %v", how, it, err)
		}
	}
	// Where the thread leaves hidden answers out, they are asked for.
	x.between = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "getPostThread") {
			return false
		}
		fmt.Fprintf(w, `{"thread":{"post":{"uri":%q,"author":{"did":%q},"record":{"text":"Post"},"replyCount":0},"replies":[]}}`, post, x.did)
		return true
	}
	c := x.poll(true)
	x.posts(c)
	if list := x.comments(c, post); !list.Complete || len(list.Items) != 1 || list.Items[0].UID != a || list.Items[0].State != candor.Hidden {
		t.Errorf("%+v", list)
	}
	x.stand(a, "")
	x.between = nil
	c = x.poll(true)
	x.posts(c)
	for _, it := range x.comments(c, post).Items {
		if it.State != "" {
			t.Errorf("%+v", it)
		}
	}
}

func TestTheAccountsOwnAnswersAreHiddenToo(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	a := x.answer(post, world.Person{}, "Never mind")
	x.stand(a, candor.Hidden)
	c := x.poll(true)
	if list := x.posts(c); len(list.Items) != 2 || list.Items[1].UID != a || list.Items[1].State != candor.Hidden {
		t.Errorf("%+v", list)
	}
	// What is hidden cannot be told while the account's server does not answer.
	x.between = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "listRecords") {
			return false
		}
		w.WriteHeader(502)
		return true
	}
	c = x.poll(true)
	if _, err := c.Profile(ctx, x.did); err != nil {
		t.Fatal(err)
	}
	if list, err := c.Posts(ctx, x.did); class(err) != connector.Transient || list.Complete || len(list.Items) != 1 || list.Items[0].UID != post {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestTheNewestAreReadWithFewCalls(t *testing.T) {
	x := newTown(t)
	old := x.Publish("Old post")
	for i := range 120 {
		x.Publish(fmt.Sprint("Post ", i))
	}
	a := x.answer(old, denise, "Late answer")
	b := x.answer(a, world.Person{}, "Thanks")
	x.stand(b, candor.Hidden)
	who, err := x.poll(true).Profile(ctx, x.did)
	if err != nil {
		t.Fatal(err)
	}
	c := x.poll(true)
	c.Resume(who)
	before := x.Calls()
	list, err := c.Newest(ctx, x.did)
	if err != nil || list.Complete || list.Gap.Reason != "" || len(list.Items) != 100 || x.Calls() != before+3 {
		t.Fatalf("%d posts, complete %v, %d calls, %v", len(list.Items), list.Complete, x.Calls()-before, err)
	}
	// The post it belongs to is too old for this listing, and the archive knows it.
	if it := list.Items[99]; it.UID != b || it.RootUID != old || !it.ByAgency || it.State != candor.Hidden {
		t.Errorf("%+v", it)
	}
	if all, err := c.Posts(ctx, x.did); err != nil || !all.Complete || len(all.Items) != 122 {
		t.Errorf("%d posts, complete %v, %v", len(all.Items), all.Complete, err)
	}
	// Asked for without a listing, an answer still belongs to its thread.
	c = x.poll(true)
	c.Resume(who)
	d := x.answer(b, denise, "You're welcome")
	if below := x.comments(c, b); !below.Complete || len(below.Items) != 1 || below.Items[0].UID != d || below.Items[0].RootUID != old || below.Items[0].Kind != candor.Reply {
		t.Errorf("%+v", below)
	}
	// When nobody knew its server last time, it is asked for again.
	who.Extra = ""
	c = x.poll(true)
	c.Resume(who)
	if list, err := c.Posts(ctx, x.did); err != nil || !list.Complete || c.pds != x.srv.URL {
		t.Errorf("complete %v, %v", list.Complete, err)
	}
}

func TestBlockedAnswersAreReadByThemselves(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	a := x.answer(post, denise, "Blocked")
	x.between = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "getPostThread") {
			return false
		}
		fmt.Fprintf(w, `{"thread":{"post":{"uri":%q,"author":{"did":%q},"record":{"text":"Post"},"replyCount":1},"replies":[
			{"$type":"app.bsky.feed.defs#blockedPost","uri":%q,"blocked":true,"author":{"did":"x"}}]}}`, post, x.did, a)
		return true
	}
	c := x.poll(true)
	x.posts(c)
	if list := x.comments(c, post); !list.Complete || len(list.Items) != 1 || list.Items[0].UID != a || list.Items[0].Text != "Blocked" || list.Items[0].RootUID != post {
		t.Errorf("%+v", list)
	}
}

func TestEditsAreTheNewWords(t *testing.T) {
	x := newTown(t)
	post := x.Publish("First wording", world.Photo{Name: "storm", Alt: "A storm"})
	first := x.posts(x.poll(true)).Items[0]
	x.pass(time.Hour)
	if err := x.Edit(post, "Second wording"); err != nil {
		t.Fatal(err)
	}
	second := x.posts(x.poll(true)).Items[0]
	if second.UID != first.UID || second.Text != "Second wording" || !second.UpdatedAt.IsZero() || !second.PostedAt.Equal(first.PostedAt) {
		t.Errorf("%+v", second)
	}
	if err := x.Like(post); err != nil {
		t.Fatal(err)
	}
	third := x.posts(x.poll(true)).Items[0]
	if candor.HashContent(third.Text, third.Attachments) != candor.HashContent(second.Text, second.Attachments) {
		t.Error("a like is an edit")
	}
}

func TestOnlyAStatedAbsenceIsGone(t *testing.T) {
	for _, directory := range []bool{false, true} {
		x := newTown(t)
		post := x.Publish("Post")
		a := x.answer(post, denise, "First")
		c := x.poll(directory)
		x.posts(c)
		look := func() (sighting.Standing, *sighting.Item, string) {
			t.Helper()
			how, it, sha, err := c.Look(ctx, a, candor.Comment, post)
			if err != nil {
				t.Fatal(err)
			}
			return how, it, string(x.objects[sha])
		}
		if how, it, _ := look(); how != sighting.Here || it.Text != "First" || it.RootUID != post || it.Kind != candor.Comment || it.How != sighting.Direct {
			t.Errorf("%s %+v", how, it)
		}
		x.stand(a, candor.Withheld)
		if how, it, said := look(); how != sighting.Withheld || it != nil || !strings.Contains(said, "First") {
			t.Errorf("%s %+v %q", how, it, said)
		}
		x.stand(a, candor.Private)
		if how, _, said := look(); how != sighting.Private || !strings.Contains(said, "RepoDeactivated") {
			t.Errorf("%s %q", how, said)
		}
		x.stand(a, "")
		if err := x.Delete(a); err != nil {
			t.Fatal(err)
		}
		if how, _, said := look(); how != sighting.Gone || !strings.Contains(said, "RecordNotFound") {
			t.Errorf("%s %q", how, said)
		}
		if how, _, _, err := c.Look(ctx, "at://did:plc:unknown234/app.bsky.feed.post/3k2a", candor.Comment, post); err != nil || how != sighting.Unclear {
			t.Errorf("%s %v", how, err)
		}
		if how, _, _, err := c.Look(ctx, "nonsense", candor.Comment, post); err != nil || how != sighting.Unclear {
			t.Errorf("%s %v", how, err)
		}
	}
}

func TestTroubleWithAStrangersServerSettlesOnlyTheirPost(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	a := x.answer(post, denise, "First")
	c := x.poll(true)
	x.posts(c)
	if err := x.Delete(a); err != nil {
		t.Fatal(err)
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(502) }))
	defer other.Close()
	did, _ := parts(a)
	c.hosts[did] = other.URL
	if how, _, _, err := c.Look(ctx, a, candor.Comment, post); err != nil || how != sighting.Unclear {
		t.Errorf("%s %v", how, err)
	}
	delete(c.hosts, did)
	x.between = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/did:") {
			w.WriteHeader(503)
			return true
		}
		return false
	}
	if how, _, _, err := c.Look(ctx, a, candor.Comment, post); err != nil || how != sighting.Unclear {
		t.Errorf("%s %v", how, err)
	}
	// Of the account itself nothing is learnt, and that is trouble.
	c = x.poll(true)
	if _, err := c.Profile(ctx, x.did); err != nil {
		t.Fatal(err)
	}
	list, err := c.Posts(ctx, x.did)
	if class(err) != connector.Transient || list.Complete || len(list.Items) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestAnswersOutliveWhatTheyAnswer(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	a := x.answer(post, denise, "First")
	b := x.answer(a, denise, "Second")
	if err := x.Delete(a); err != nil {
		t.Fatal(err)
	}
	c := x.poll(true)
	x.posts(c)
	if list := x.comments(c, post); len(list.Items) != 0 || !list.Complete {
		t.Errorf("%+v", list)
	}
	if how, it, _, err := c.Look(ctx, b, candor.Reply, post); err != nil || how != sighting.Here || it.RootUID != post || it.ParentUID != a || it.Kind != candor.Reply {
		t.Errorf("%s %+v %v", how, it, err)
	}
}

func TestPostsThatTheNetworkWithholdsAreListedAsWithheld(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post", world.Photo{Name: "storm", Alt: "A storm"})
	shown := x.posts(x.poll(true)).Items[0]
	x.stand(post, candor.Withheld)
	c := x.poll(true)
	if list := x.posts(c); list.Complete || len(list.Items) != 0 {
		t.Errorf("what is too new to be shown is withheld: %+v", list)
	}
	x.pass(time.Hour)
	c = x.poll(true)
	list := x.posts(c)
	if !list.Complete || len(list.Items) != 1 || list.Items[0].State != candor.Withheld || list.Items[0].Text != "Post" || list.Items[0].Author != "City of Larkspur" || list.Items[0].Attachments[0].Alt != "A storm" {
		t.Fatalf("%+v", list)
	}
	if len(shown.Attachments) != 1 || shown.Attachments[0].Alt != "A storm" {
		t.Errorf("%+v", shown.Attachments)
	}
	if below := x.comments(c, post); below.Complete || len(below.Items) != 0 {
		t.Errorf("%+v", below)
	}
}

func TestAFeedThatEndsEarlyIsMadeWholeByTheAccountsOwnServer(t *testing.T) {
	x := newTown(t)
	for i := range 150 {
		x.Publish(fmt.Sprint("Post ", i))
	}
	x.Trouble(func(tr *world.Troubles) { tr.Cut = 1 })
	list := x.posts(x.poll(true))
	if !list.Complete || len(list.Items) != 150 {
		t.Errorf("%d of 150, complete %v", len(list.Items), list.Complete)
	}
}

func TestAnAppViewThatListsNoRecordsIsBelieved(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	a := x.answer(post, denise, "Rude")
	x.stand(a, candor.Hidden)
	x.between = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "listRecords") {
			return false
		}
		w.WriteHeader(501)
		io.WriteString(w, `{"error":"MethodNotImplemented","message":"Method Not Implemented"}`)
		return true
	}
	c := x.poll(false)
	if list := x.posts(c); !list.Complete || len(list.Items) != 1 {
		t.Errorf("%+v", list)
	}
	if list := x.comments(c, post); !list.Complete || len(list.Items) != 1 || list.Items[0].State != candor.Hidden {
		t.Errorf("%+v", list)
	}
}

func TestThrottlingSaysWhenToComeBack(t *testing.T) {
	x := newTown(t)
	x.Publish("Post")
	c := x.poll(true)
	x.posts(c)
	x.Trouble(func(tr *world.Troubles) { tr.Throttle = 100 })
	_, err := c.Posts(ctx, x.did)
	var e *connector.Error
	if !errors.As(err, &e) || e.Class != connector.Throttled || e.After <= 0 || e.After > 5*time.Minute || e.AnswerSHA == "" {
		t.Fatalf("%+v", err)
	}
	if c.Used() != 100 {
		t.Errorf("%d percent used", c.Used())
	}
	calls := x.Calls()
	if _, err := c.Profile(ctx, x.did); class(err) != connector.Throttled || x.Calls() != calls {
		t.Errorf("a call was made although none is left: %v", err)
	}
}

func TestTroublesAreNoAbsences(t *testing.T) {
	for name, trouble := range map[string]func(*world.Troubles){
		"gateway": func(tr *world.Troubles) { tr.Fail, tr.Status = 100, 502 },
		"fault":   func(tr *world.Troubles) { tr.Fail, tr.Status = 100, 500 },
		"down":    func(tr *world.Troubles) { tr.Down = true },
	} {
		t.Run(name, func(t *testing.T) {
			x := newTown(t)
			post := x.Publish("Post")
			c := x.poll(true)
			x.posts(c)
			x.Trouble(trouble)
			if _, err := c.Profile(ctx, "larkspur.example.gov"); class(err) != connector.Transient {
				t.Errorf("profile: %v", err)
			}
			if list, err := c.Posts(ctx, x.did); class(err) != connector.Transient || list.Complete {
				t.Errorf("posts: %v", err)
			}
			if list, err := c.Comments(ctx, post); class(err) != connector.Transient || list.Complete {
				t.Errorf("comments: %v", err)
			}
			if _, _, _, err := c.Look(ctx, post, candor.Post, post); class(err) != connector.Transient {
				t.Errorf("look: %v", err)
			}
		})
	}
}

func TestATokenThatIsNotTakenIsSaidSo(t *testing.T) {
	x := newTown(t)
	c := x.poll(false)
	c.cfg.Token = "a-token-nobody-needs"
	if _, err := c.Profile(ctx, x.did); class(err) != connector.BadToken {
		t.Errorf("%v", err)
	}
	x.Trouble(func(tr *world.Troubles) { tr.Expired = true })
	if _, err := c.Profile(ctx, x.did); class(err) != connector.BadToken || !strings.Contains(err.Error(), "ExpiredToken") {
		t.Errorf("%v", err)
	}
}

func TestTokenGoesToTheAppViewOnlyAndIsKeptNowhere(t *testing.T) {
	x := newTown(t)
	x.Publish("They wrote a-token-nobody-needs here")
	sent := map[string]bool{}
	pds := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent["pds "+r.Header.Get("Authorization")] = true
		io.WriteString(w, `{"records":[]}`)
	}))
	defer pds.Close()
	x.between = func(w http.ResponseWriter, r *http.Request) bool {
		sent["base "+r.Header.Get("Authorization")] = true
		r.Header.Del("Authorization")
		return false
	}
	c := x.poll(true)
	c.cfg.Token = "a-token-nobody-needs"
	if _, err := c.Profile(ctx, x.did); err != nil {
		t.Fatal(err)
	}
	c.pds = pds.URL
	list, err := c.Posts(ctx, x.did)
	if err != nil || !sent["base Bearer a-token-nobody-needs"] || !sent["pds "] || sent["pds Bearer a-token-nobody-needs"] {
		t.Errorf("%v, %v", sent, err)
	}
	everything := fmt.Sprintf("%+v %+v", x.visit.Answers(), list)
	for _, b := range x.objects {
		everything += string(b)
	}
	if strings.Contains(everything, "a-token-nobody-needs") || len(x.visit.Answers()) < 3 {
		t.Error("the token is kept")
	}
}

func TestOrderOfAListingDoesNotMatter(t *testing.T) {
	x := newTown(t)
	for i := range 40 {
		last := x.Publish(fmt.Sprint("Post ", i))
		for range 3 {
			last = x.answer(last, world.Person{}, "And more")
		}
	}
	x.Trouble(func(tr *world.Troubles) { tr.Shuffle = true })
	list := x.posts(x.poll(true))
	if len(list.Items) != 160 || !list.Complete {
		t.Fatalf("%d of 160, complete %v", len(list.Items), list.Complete)
	}
	met := map[string]bool{}
	for _, p := range list.Items {
		if p.ParentUID != "" && (!met[p.ParentUID] || !met[p.RootUID]) {
			t.Errorf("%s comes before what it answers", p.UID)
		}
		met[p.UID] = true
	}
}

func TestListingLongerThanAPollReadsIsNotComplete(t *testing.T) {
	x := newTown(t)
	for i := range 9 {
		x.Publish(fmt.Sprint("Post ", i))
	}
	c := x.poll(true)
	c.cfg.Limit, c.cfg.Pages = 2, 2
	if list := x.posts(c); list.Complete || len(list.Items) != 4 || list.Gap.Reason != candor.GapLimit {
		t.Errorf("%+v", list)
	}
}

func TestACursorThatRepeatsIsAnError(t *testing.T) {
	x := newTown(t)
	x.between = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "getAuthorFeed") {
			return false
		}
		io.WriteString(w, `{"feed":[],"cursor":"same"}`)
		return true
	}
	c := x.poll(false)
	if _, err := c.Profile(ctx, x.did); err != nil {
		t.Fatal(err)
	}
	if list, err := c.Posts(ctx, x.did); class(err) != connector.Transient || list.Complete {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestAnEntryThatIsNotUnderstoodMakesAListingIncomplete(t *testing.T) {
	x := newTown(t)
	post := x.Publish("Post")
	x.between = func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasSuffix(r.URL.Path, "getAuthorFeed"):
			fmt.Fprintf(w, `{"feed":[{"post":{"uri":%q,"author":{"did":%q},"record":{"text":"Post"}}},{"post":{"uri":"at://x"}}]}`, post, x.did)
		case strings.HasSuffix(r.URL.Path, "getPostThread"):
			fmt.Fprintf(w, `{"thread":{"post":{"uri":%q,"author":{"did":%q},"record":{"text":"Post"}},"replies":[{"post":{"uri":"at://x"}}]}}`, post, x.did)
		default:
			return false
		}
		return true
	}
	c := x.poll(true)
	if list := x.posts(c); list.Complete || len(list.Items) != 1 {
		t.Errorf("%+v", list)
	}
	if list := x.comments(c, post); list.Complete || len(list.Items) != 0 {
		t.Errorf("%+v", list)
	}
}

func TestMediaIsFetchedWithItsDescription(t *testing.T) {
	x := newTown(t)
	x.Publish("Post", world.Photo{Name: "storm", Alt: "A storm"})
	c := x.poll(true)
	p := x.posts(c).Items[0]
	if len(p.Attachments) != 1 || p.Attachments[0].Type != "photo" || p.Attachments[0].Alt != "A storm" || strings.HasSuffix(p.Attachments[0].URL, "@jpeg") {
		t.Fatalf("%+v", p.Attachments)
	}
	for _, from := range []string{p.Fetch[0], c.original(x.did, p.Attachments[0].URL[strings.LastIndexByte(p.Attachments[0].URL, '/')+1:])} {
		a := p.Attachments[0]
		if err := c.Media(ctx, &a, from); err != nil || a.Failure != "" || a.MediaType != "image/jpeg" || int64(len(x.objects[a.SHA])) != a.Size || a.Size == 0 {
			t.Errorf("%s: %+v, %v", from, a, err)
		}
	}
}
