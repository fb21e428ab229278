package x

import (
	"bytes"
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
	"github.com/candor-archive/candor/crawler/platform/platformtest"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
	"github.com/candor-archive/candor/fixtures/world"
	fake "github.com/candor-archive/candor/fixtures/x"
)

// scene is an account on a pretend X.
type scene struct {
	t       *testing.T
	now     time.Time
	world   *world.World
	server  *fake.Server
	url     string
	http    *http.Client
	answer  func(http.ResponseWriter, *http.Request) bool // answers in place of the server
	objects platformtest.Objects
	visit   *transport.Visit // of the last client
}

func newScene(t *testing.T) *scene {
	s := &scene{t: t, now: time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC), objects: platformtest.Objects{}}
	s.world = fake.Network(func() time.Time { return s.now })
	s.server = fake.New(s.world).(*fake.Server)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.answer == nil || !s.answer(w, r) {
			s.server.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	s.url, s.http = srv.URL, srv.Client()
	return s
}

// client makes the connector of a new poll. It has not read the profile.
func (s *scene) client(token string, change func(*Config)) *Client {
	s.t.Helper()
	s.visit = transport.New(transport.Config{
		HTTP: s.http, PerHost: rate.Inf, Now: func() time.Time { return s.now },
		Sleep: func(context.Context, time.Duration) error { return nil },
	}).Visit("source", token)
	cfg := Config{Visit: s.visit, Objects: s.objects, Base: s.url, Token: token}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// poll makes the connector of a new poll, whose profile is read.
func (s *scene) poll() *Client {
	s.t.Helper()
	return s.changed(nil)
}

func (s *scene) changed(change func(*Config)) *Client {
	s.t.Helper()
	c := s.client(fake.Token, change)
	if p, err := c.Profile(context.Background(), fake.AccountID); err != nil || p.ID != fake.AccountID {
		s.t.Fatalf("profile is %+v, %v", p, err)
	}
	return c
}

func (s *scene) posts(c *Client) connector.Listing[connector.Post] {
	s.t.Helper()
	l, err := c.Posts(context.Background(), fake.AccountID)
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

func (s *scene) comments(c *Client, id string) connector.Listing[sighting.Item] {
	s.t.Helper()
	l, err := c.Comments(context.Background(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

func (s *scene) answerTo(w *world.World, id string, by world.Person, text string) string {
	s.t.Helper()
	s.now = s.now.Add(time.Second)
	out, err := w.Answer(id, by, text)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) look(c *Client, uid, root string) (sighting.Standing, *sighting.Item) {
	s.t.Helper()
	how, it, sha, err := c.Look(context.Background(), uid, candor.Post, root)
	if err != nil || s.objects[sha] == nil {
		s.t.Fatalf("look at %s: %v, answer %q", uid, err, sha)
	}
	return how, it
}

// class gives how an error is sorted.
func class(err error) connector.Class {
	var e *connector.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Class
}

func find[T any](list []T, want func(T) bool) (out T) {
	if i := slices.IndexFunc(list, want); i >= 0 {
		return list[i]
	}
	return out
}

var (
	denise = world.Person{ID: "63046977", Handle: "denise_o", Name: "Denise Okafor"}
	county = world.Person{ID: "17200003", Handle: "larkcounty", Name: "Larkspur County"}
	self   = world.Person{ID: fake.AccountID, Handle: fake.Username, Name: "Larkspur Police"}
)

func TestTheAccountIsFoundByNameAndNumber(t *testing.T) {
	s := newScene(t)
	for _, ref := range []string{"@larkspurpd", "LarkspurPD", fake.AccountID} {
		p, err := s.client(fake.Token, nil).Profile(context.Background(), ref)
		want := connector.Profile{ID: fake.AccountID, Name: "Larkspur Police", Username: "larkspurpd", Link: "https://x.com/larkspurpd", Extra: "0"}
		if err != nil || p != want {
			t.Errorf("%s: %+v, %v", ref, p, err)
		}
	}
	for ref, want := range map[string]connector.Class{"": connector.Permission, "@nobody": connector.Vanished, "5": connector.Vanished, "no such name": connector.Refused} {
		if _, err := s.client(fake.Token, nil).Profile(context.Background(), ref); class(err) != want {
			t.Errorf("%q: %v, want %s", ref, err, want)
		}
	}
}

func TestAllPostsAreListedOverSeveralPages(t *testing.T) {
	s := newScene(t)
	var want []string
	for i := range 230 {
		s.now = s.now.Add(time.Minute)
		want = append(want, s.world.Publish(fmt.Sprintf("Post %d <b> & more", i)))
	}
	slices.Reverse(want)
	c := s.poll()
	l := s.posts(c)
	var got []string
	for _, p := range l.Items {
		got = append(got, p.UID)
		if p.Kind != candor.Post || p.RootUID != p.UID || p.ParentUID != "" || !p.ByAgency || p.Comments != 0 || s.objects[p.AnswerSHA] == nil ||
			p.How != sighting.Listed || p.State != "" || p.Author != "Larkspur Police" || p.URL != "https://x.com/larkspurpd/status/"+p.UID {
			t.Fatalf("%+v", p)
		}
	}
	if !l.Complete || !slices.Equal(got, want) || l.Gap.Reason != "" {
		t.Errorf("%d of %d, complete %v, %+v", len(got), len(want), l.Complete, l.Gap)
	}
	if p := l.Items[0]; p.Text != "Post 229 <b> & more" || !p.PostedAt.Equal(s.now) || !p.UpdatedAt.IsZero() || p.Language != "en" {
		t.Errorf("%+v", p)
	}
	if c.Cost() != 230*5_000+10_000 {
		t.Errorf("it costs %d", c.Cost())
	}
	s.posts(c)
	if c.Cost() != 230*5_000+10_000 {
		t.Errorf("what was read twice is charged twice: %d", c.Cost())
	}
	owned := s.changed(func(cfg *Config) { cfg.OwnedReads = true })
	s.posts(owned)
	if owned.Cost() != 230*1_000+10_000 {
		t.Errorf("the account's own posts cost %d", owned.Cost())
	}
	if used := c.Used(); used != 0 { // of 10,000 calls in a quarter of an hour
		t.Errorf("%d percent used", used)
	}
}

func TestLongTextsLinksAndPicturesAreReadWhole(t *testing.T) {
	s := newScene(t)
	long := "Road work & detours <map> at https://larkspur.example/detour?a=1&b=2 until Friday. " + strings.Repeat("Drive with care. ", 20) + "End"
	s.world.Publish(long)
	s.now = s.now.Add(time.Second)
	s.world.Publish("See https://larkspur.example/storm now", world.Photo{Name: "storm", Alt: "Dark clouds"}, world.Photo{Name: "patrol"})
	c := s.poll()
	l := s.posts(c)
	if len(l.Items) != 2 || l.Items[1].Text != long {
		t.Fatalf("%+v", l.Items)
	}
	p := l.Items[0]
	if p.Text != "See https://larkspur.example/storm now" || len(p.Attachments) != 2 {
		t.Fatalf("%+v", p)
	}
	if a := p.Attachments[0]; a.Type != "photo" || a.N != 1 || a.Alt != "Dark clouds" || a.URL != s.url+"/media/storm" || p.Fetch[0] != a.URL {
		t.Errorf("%+v", a)
	}
	if err := c.Media(context.Background(), &p.Attachments[0], p.Fetch[0]); err != nil || p.Attachments[0].MediaType != "image/jpeg" ||
		!bytes.HasPrefix(s.objects[p.Attachments[0].SHA], []byte("\xff\xd8")) {
		t.Errorf("%+v, %v", p.Attachments[0], err)
	}
}

func TestRepliesOfAllLevelsAreRead(t *testing.T) {
	s := newScene(t)
	post := s.world.Publish("Flood warning")
	want := map[string]string{} // id -> parent
	for i := range 120 {
		want[s.answerTo(s.world, post, denise, fmt.Sprintf("Comment %d", i))] = post
	}
	top := s.answerTo(s.world, post, denise, "Is 5th open?")
	ours := s.answerTo(s.world, top, world.Person{}, "It is closed.")
	deep := s.answerTo(s.world, ours, denise, "Thanks")
	want[top], want[ours], want[deep] = post, top, ours
	c := s.poll()
	s.posts(c)
	l := s.comments(c, post)
	if !l.Complete || len(l.Items) != len(want) || l.Gap.Reason != "" {
		t.Fatalf("%d of %d, complete %v, %+v", len(l.Items), len(want), l.Complete, l.Gap)
	}
	for _, it := range l.Items {
		kind := candor.Reply
		if want[it.UID] == post {
			kind = candor.Comment
		}
		if it.Kind != kind || it.ParentUID != want[it.UID] || it.RootUID != post || it.ByAgency != (it.UID == ours) || s.objects[it.AnswerSHA] == nil {
			t.Errorf("%+v", it)
		}
	}
	if it := find(l.Items, func(x sighting.Item) bool { return x.UID == top }); it.Author != denise.Name || it.AuthorID != denise.ID || it.URL != "https://x.com/denise_o/status/"+top {
		t.Errorf("%+v", it)
	}
}

func TestAReplyOfTheAccountHasTheSameThreadInEveryListing(t *testing.T) {
	s := newScene(t)
	post := s.world.Publish("Flood warning")
	question := s.answerTo(s.world, post, denise, "Is 5th open?")
	ours := s.answerTo(s.world, question, world.Person{}, "It is closed.")
	more := s.answerTo(s.world, post, world.Person{}, "Update: 6th, too.")
	c := s.poll()
	inPosts := map[string]sighting.Item{}
	l := s.posts(c)
	for _, p := range l.Items {
		inPosts[p.UID] = p.Item
	}
	if !l.Complete || len(inPosts) != 3 {
		t.Fatalf("%+v", l)
	}
	inThread := map[string]sighting.Item{}
	for _, it := range s.comments(c, post).Items {
		inThread[it.UID] = it
	}
	for uid, parent := range map[string]string{ours: question, more: post} {
		_, looked := s.look(c, uid, post)
		for name, it := range map[string]sighting.Item{"posts": inPosts[uid], "thread": inThread[uid], "look": *looked} {
			if it.RootUID != post || it.ParentUID != parent || it.Kind != inPosts[uid].Kind || it.Text != inPosts[uid].Text || it.URL != inPosts[uid].URL || !it.ByAgency {
				t.Errorf("in %s: %+v", name, it)
			}
		}
	}
	if inPosts[ours].Kind != candor.Reply || inPosts[more].Kind != candor.Comment {
		t.Errorf("%s and %s", inPosts[ours].Kind, inPosts[more].Kind)
	}
	before := s.world.Calls()
	if l := s.comments(c, ours); !l.Complete || len(l.Items) != 0 || s.world.Calls() != before {
		t.Errorf("the thread is read once more for a reply in it: %+v", l)
	}

	// The thread stays the same when its beginning is gone, or cannot be told.
	s.must(s.world.Delete(post))
	c = s.poll()
	l = s.posts(c)
	if p := find(l.Items, func(p connector.Post) bool { return p.UID == more }); p.RootUID != post || p.Kind != candor.Comment {
		t.Errorf("%+v", p)
	}
	for _, p := range l.Items {
		if p.UID == ours && p.RootUID != post {
			t.Errorf("%+v", p)
		}
	}
	if how, it := s.look(c, ours, post); how != sighting.Here || it.RootUID != post {
		t.Errorf("%s %+v", how, it)
	}
}

func TestWhatTheAccountWritesElsewhereIsAThreadOfItsOwn(t *testing.T) {
	s := newScene(t)
	other := fake.Elsewhere(func() time.Time { return s.now }, county)
	s.server.Join(other)
	theirs := other.Publish("County news")
	direct := s.answerTo(other, theirs, self, "We are there, too.")
	question := s.answerTo(other, theirs, denise, "Who is in charge?")
	deep := s.answerTo(other, question, self, "The county is.")
	hidden := other.Publish("For friends")
	s.must(other.Stand(hidden, candor.Private))
	deeper := s.answerTo(other, s.answerTo(other, hidden, denise, "Well"), self, "Well, well")
	lost := other.Publish("Soon gone")
	unplaced := s.answerTo(other, s.answerTo(other, s.answerTo(other, lost, denise, "One"), denise, "Two"), self, "Three")
	s.must(other.Delete(lost))
	c := s.poll()
	l := s.posts(c)
	got := map[string]connector.Post{}
	for _, p := range l.Items {
		got[p.UID] = p
	}
	for uid, parent := range map[string]string{direct: theirs, deep: question, deeper: got[deeper].ParentUID} {
		if p := got[uid]; p.RootUID != uid || p.Kind != candor.Reply || p.ParentUID != parent || !p.ByAgency {
			t.Errorf("%+v", p)
		}
	}
	// Whose thread the last one is in can no longer be told, so it is not guessed.
	if _, guessed := got[unplaced]; guessed || !l.Complete || l.Gap.Reason != candor.GapPlatform {
		t.Errorf("%+v, complete %v, %+v", got[unplaced], l.Complete, l.Gap)
	}
	if how, it := s.look(c, deep, deep); how != sighting.Here || it.RootUID != deep || it.Kind != candor.Reply {
		t.Errorf("%s %+v", how, it)
	}
	s.answerTo(other, deep, denise, "Are they?")
	c = s.poll()
	s.posts(c)
	if l := s.comments(c, deep); l.Complete || len(l.Items) != 0 || l.Gap.Reason != candor.GapLimit {
		t.Errorf("%+v", l)
	}
}

func TestABeginningThatIsNoLongerListedIsReadByItsID(t *testing.T) {
	s := newScene(t)
	post := s.world.Publish("First of all")
	s.must(s.world.Edit(post, "First of everything"))
	for i := range 30 {
		s.world.Publish(fmt.Sprintf("Post %d", i))
	}
	reply := s.answerTo(s.world, post, world.Person{}, "Still so")
	s.server.List(20)
	c := s.poll()
	c.tweeted = newestOnly + 1
	l := s.posts(c)
	if !l.Complete || len(l.Items) != 20+1 || l.Gap.Reason != candor.GapLimit {
		t.Errorf("%d posts, complete %v, %+v", len(l.Items), l.Complete, l.Gap)
	}
	root := find(l.Items, func(p connector.Post) bool { return p.UID == post })
	if root.Text != "First of everything" || root.How != sighting.Direct || root.Kind != candor.Post {
		t.Errorf("%+v", root)
	}
	if p := find(l.Items, func(p connector.Post) bool { return p.UID == reply }); p.RootUID != post {
		t.Errorf("%+v", p)
	}
}

func TestEveryWordingOfAnEditedPostIsTold(t *testing.T) {
	s := newScene(t)
	post := s.world.Publish("Closed until 6", world.Photo{Name: "road-closure"})
	posted := s.now
	s.now = s.now.Add(5 * time.Minute)
	s.must(s.world.Edit(post, "Closed until 7"))
	second := s.now
	s.now = s.now.Add(5 * time.Minute)
	s.must(s.world.Edit(post, "Closed until 8"))
	reply := s.answerTo(s.world, post, denise, "Which is it?") // below the third wording
	c := s.poll()
	it := s.posts(c).Items[0].Item
	if it.UID != post || it.Text != "Closed until 8" || !it.PostedAt.Equal(posted) || !it.UpdatedAt.Equal(s.now.Add(-time.Second)) || !strings.HasSuffix(it.URL, post) {
		t.Fatalf("%+v", it)
	}
	check := func(all []sighting.Item) {
		t.Helper()
		if len(all) != 3 || all[0].Text != "Closed until 6" || all[1].Text != "Closed until 7" || all[2].Text != "Closed until 8" {
			t.Fatalf("%+v", all)
		}
		for i, x := range all {
			if x.UID != post || x.RootUID != post || x.Kind != candor.Post || len(x.Attachments) != 1 || x.URL != it.URL || !x.PostedAt.Equal(posted) ||
				s.objects[x.AnswerSHA] == nil || (x.How == sighting.Told) != (i < 2) {
				t.Errorf("wording %d: %+v", i, x)
			}
		}
		if !all[0].UpdatedAt.IsZero() || !all[1].UpdatedAt.Equal(second) {
			t.Errorf("written at %s and %s", all[0].UpdatedAt, all[1].UpdatedAt)
		}
	}
	all, err := c.History(context.Background(), it)
	s.must(err)
	check(all)
	all, err = s.poll().History(context.Background(), it) // knows nothing of the chain
	s.must(err)
	check(all)
	if how, looked := s.look(s.poll(), post, post); how != sighting.Here || looked.Text != "Closed until 8" || looked.UID != post {
		t.Errorf("%s %+v", how, looked)
	}
	l := s.comments(c, post)
	if !l.Complete || len(l.Items) != 1 || l.Items[0].UID != reply || l.Items[0].ParentUID != post || l.Items[0].Kind != candor.Comment {
		t.Errorf("%+v", l)
	}
}

func TestThePresentWordingIsFetchedWhenAnAnswerHasAnEarlierOneOnly(t *testing.T) {
	s := newScene(t)
	c := s.poll()
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		text := map[string]string{"1": "Old", "2": "New"}[r.URL.Query().Get("ids")]
		fmt.Fprintf(w, `{"data":[{"id":%q,"text":%q,"author_id":"5","edit_history_tweet_ids":["1","2"]}]}`, r.URL.Query().Get("ids"), text)
		return true
	}
	if how, it := s.look(c, "1", ""); how != sighting.Here || it.Text != "New" || it.UID != "1" {
		t.Errorf("%s %+v", how, it)
	}
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		io.WriteString(w, `{"data":[{"id":"1","text":"Old","author_id":"5","edit_history_tweet_ids":["1","2"]}]}`)
		return true
	}
	if how, _ := s.look(c, "1", ""); how != sighting.Unclear {
		t.Errorf("%s", how)
	}
}

func TestDeletionsAreStated(t *testing.T) {
	s := newScene(t)
	kept, gone := s.world.Publish("Kept"), s.world.Publish("Gone")
	s.must(s.world.Edit(gone, "Soon gone"))
	top := s.answerTo(s.world, kept, denise, "Top")
	orphan := s.answerTo(s.world, top, denise, "Orphan")
	s.must(s.world.Delete(top))
	s.must(s.world.Delete(gone))
	c := s.poll()
	if l := s.posts(c); !l.Complete || len(l.Items) != 1 {
		t.Errorf("%+v", l)
	}
	// The orphan is still in its thread. That what it answers is gone is told in
	// an error beside it, which takes nothing from the listing.
	if l := s.comments(c, kept); !l.Complete || len(l.Items) != 1 || l.Items[0].UID != orphan || l.Items[0].ParentUID != top || l.Items[0].RootUID != kept {
		t.Errorf("%+v", l)
	}
	for _, uid := range []string{gone, top, "1"} {
		if how, it := s.look(c, uid, kept); how != sighting.Gone || it != nil {
			t.Errorf("%s is %s", uid, how)
		}
	}
	if how, it := s.look(c, orphan, kept); how != sighting.Here || it.Text != "Orphan" {
		t.Errorf("%s", how)
	}
	s.must(s.world.Restore(gone))
	if how, it := s.look(c, gone, ""); how != sighting.Here || it.Text != "Soon gone" {
		t.Errorf("%s", how)
	}
}

func TestWhatMayNotBeReadIsNotGone(t *testing.T) {
	s := newScene(t)
	post := s.world.Publish("Post")
	id := s.answerTo(s.world, post, denise, "Mine alone")
	s.must(s.world.Stand(id, candor.Private))
	c := s.poll()
	s.posts(c)
	if l := s.comments(c, post); !l.Complete || len(l.Items) != 0 {
		t.Errorf("%+v", l)
	}
	if how, _ := s.look(c, id, post); how != sighting.Denied {
		t.Errorf("%s", how)
	}
}

func TestRepliesAreOutOfReachAfterSevenDays(t *testing.T) {
	s := newScene(t)
	post := s.world.Publish("Old")
	quiet := s.world.Publish("Old and quiet")
	s.answerTo(s.world, post, denise, "Early")
	s.now = s.now.Add(8 * 24 * time.Hour)
	recent := s.answerTo(s.world, post, denise, "Late")
	c := s.poll()
	s.posts(c)
	if l := s.comments(c, post); l.Complete || len(l.Items) != 1 || l.Items[0].UID != recent || l.Gap.Reason != candor.GapWindow {
		t.Errorf("%+v", l)
	}
	before := s.world.Calls()
	if l := s.comments(c, quiet); l.Complete || len(l.Items) != 0 || l.Gap.Reason != candor.GapWindow || s.world.Calls() != before {
		t.Errorf("%+v", l)
	}
	s.now = s.now.Add(30 * 24 * time.Hour)
	c = s.poll()
	s.posts(c)
	before = s.world.Calls()
	if l := s.comments(c, post); l.Complete || len(l.Items) != 0 || l.Gap.Reason != candor.GapWindow || s.world.Calls() != before {
		t.Errorf("%+v", l)
	}
}

func TestAnswersWithErrorsBesideTheDataAreNotComplete(t *testing.T) {
	s := newScene(t)
	for i := range 10 {
		s.world.Publish(fmt.Sprintf("Post %d", i))
	}
	c := s.poll()
	s.world.Trouble(func(t *world.Troubles) { t.Partial = 1 })
	l := s.posts(c)
	if l.Complete || len(l.Items) != 5 {
		t.Errorf("%d posts, complete %v", len(l.Items), l.Complete)
	}
	s.world.Trouble(func(t *world.Troubles) { t.Partial = 1 })
	if how, _ := s.look(c, l.Items[0].UID, ""); how != sighting.Unclear {
		t.Errorf("%s", how)
	}
}

// Without its picture a post would read as another wording of itself.
func TestAPictureKeptBackByAnErrorIsNoEdit(t *testing.T) {
	const post = `{"id":"2123717988971446272","text":"Look","author_id":"` + fake.AccountID + `","attachments":{"media_keys":["3_1"]}}`
	for name, c := range map[string]struct {
		errors   string
		items    int
		complete bool
	}{
		"kept back": {`,"errors":[{"title":"Resource Unavailable","parameter":"attachments.media_keys","resource_id":"3_1"}]`, 0, false},
		"missing":   {``, 1, true},
	} {
		s := newScene(t)
		client := s.poll()
		s.answer = func(w http.ResponseWriter, r *http.Request) bool {
			io.WriteString(w, `{"data":[`+post+`],"meta":{"result_count":1}`+c.errors+`}`)
			return true
		}
		l := s.posts(client)
		if l.Complete != c.complete || len(l.Items) != c.items || (l.Gap.Reason != "") == c.complete {
			t.Errorf("%s: %+v", name, l)
		}
		if len(l.Items) == 1 && (len(l.Items[0].Attachments) != 1 || l.Items[0].Attachments[0].Failure == "") {
			t.Errorf("%+v", l.Items[0])
		}
	}
}

func TestCutListingsAreContradictedByLookingUp(t *testing.T) {
	s := newScene(t)
	first := s.world.Publish("First")
	for i := range 9 {
		s.world.Publish(fmt.Sprintf("Post %d", i))
	}
	c := s.poll()
	s.world.Trouble(func(t *world.Troubles) { t.Cut = 1 })
	if l := s.posts(c); len(l.Items) != 5 {
		t.Fatalf("%d posts", len(l.Items))
	}
	if how, _ := s.look(c, first, ""); how != sighting.Here {
		t.Errorf("%s", how)
	}
}

func TestAnEarlierWordingAloneIsNotTaken(t *testing.T) {
	s := newScene(t)
	c := s.poll()
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		io.WriteString(w, `{"data":[{"id":"1","text":"Old","edit_history_tweet_ids":["1","2"]}],"meta":{"result_count":1}}`)
		return true
	}
	if l := s.posts(c); l.Complete || len(l.Items) != 0 {
		t.Errorf("%+v", l)
	}
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		io.WriteString(w, `{"data":[{"id":"1","text":"Old","edit_history_tweet_ids":["1","2"]},{"id":"2","text":"New","edit_history_tweet_ids":["1","2"]}],"meta":{"result_count":2}}`)
		return true
	}
	if l := s.posts(c); !l.Complete || len(l.Items) != 1 || l.Items[0].Text != "New" || l.Items[0].UID != "1" {
		t.Errorf("%+v", l)
	}
}

func TestListingsInAnotherOrderAreTheSame(t *testing.T) {
	s := newScene(t)
	for i := range 150 {
		s.world.Publish(fmt.Sprintf("Post %d", i))
	}
	s.world.Trouble(func(t *world.Troubles) { t.Shuffle = true })
	if l := s.posts(s.poll()); !l.Complete || len(l.Items) != 150 {
		t.Errorf("%d posts, complete %v", len(l.Items), l.Complete)
	}
}

func TestAUsedUpAllowanceIsWaitedFor(t *testing.T) {
	s := newScene(t)
	s.now = s.now.Add(10 * time.Minute) // the window ends in five
	post := s.world.Publish("Post")
	c := s.poll()
	s.server.Spend("search", 449)
	s.comments(c, post) // the last call that is let through
	if c.Used() != 100 {
		t.Errorf("%d percent used", c.Used())
	}
	before := s.world.Calls()
	_, err := c.Comments(context.Background(), post)
	var e *connector.Error
	if !errors.As(err, &e) || e.Class != connector.Throttled || e.After != 5*time.Minute || s.world.Calls() != before {
		t.Errorf("%+v after %d calls", err, s.world.Calls()-before)
	}

	s.server.Spend("timeline", 10_000)
	_, err = c.Posts(context.Background(), fake.AccountID)
	if !errors.As(err, &e) || e.Class != connector.Throttled || e.After != 5*time.Minute || e.Status != 429 || s.objects[e.AnswerSHA] == nil || !e.Hopeless() {
		t.Errorf("%+v", err)
	}
	s.now = s.now.Add(e.After)
	c = s.poll()
	s.posts(c)

	s.server.Cap(true)
	_, err = s.client(fake.Token, nil).Profile(context.Background(), "@larkspurpd")
	if !errors.As(err, &e) || e.Class != connector.Throttled || e.After != time.Hour || !strings.Contains(e.Message, "Monthly product cap") {
		t.Errorf("%+v", err)
	}
}

func TestABadTokenIsKnownAsSuchAndNeverKept(t *testing.T) {
	s := newScene(t)
	s.world.Publish("Post")
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.String(), "Token") {
			t.Errorf("the token is in the address: %s", r.URL)
		}
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		return false
	}
	s.posts(s.poll())
	s.world.Trouble(func(t *world.Troubles) { t.Expired = true })
	for _, token := range []string{fake.Token, "AAAAAWrongTokenForTests"} {
		_, err := s.client(token, nil).Profile(context.Background(), "@larkspurpd")
		if class(err) != connector.BadToken {
			t.Errorf("%v", err)
		}
		kept := fmt.Sprintf("%+v %v", s.visit.Answers(), err)
		for _, b := range s.objects {
			kept += string(b)
		}
		if strings.Contains(kept, token) {
			t.Errorf("the token is kept in %s", kept)
		}
	}
}

func TestTroubleOfTheServerIsPassing(t *testing.T) {
	for _, status := range []int{500, 502, 503} {
		s := newScene(t)
		id := s.world.Publish("Post")
		c := s.poll()
		s.world.Trouble(func(t *world.Troubles) { t.Fail, t.Status = 100, status })
		if l, err := c.Posts(context.Background(), fake.AccountID); class(err) != connector.Transient || l.Complete {
			t.Errorf("%d: %v", status, err)
		}
		if l, err := c.Comments(context.Background(), id); class(err) != connector.Transient || l.Complete {
			t.Errorf("%d: %v", status, err)
		}
		if how, _, _, err := c.Look(context.Background(), id, candor.Post, ""); class(err) != connector.Transient || how == sighting.Gone {
			t.Errorf("%d: %s, %v", status, how, err)
		}
	}
}

func TestStrangeAnswersAreNeverEmptyListings(t *testing.T) {
	for name, body := range map[string]string{
		"a gateway's page":   "<html><h1>Please sign in</h1></html>",
		"nothing":            "",
		"half an answer":     `{"data":[{"id":`,
		"an empty object":    `{}`,
		"data without meta":  `{"data":[]}`,
		"errors alone":       `{"errors":[{"title":"Authorization Error","detail":"Sorry","type":"https://api.twitter.com/2/problems/not-authorized-for-resource"}]}`,
		"a problem":          `{"title":"Service Unavailable","type":"about:blank","status":503}`,
		"a wrong count":      `{"meta":{"result_count":3}}`,
		"an entry we do not": `{"data":[{"id":5}],"meta":{"result_count":1}}`,
	} {
		s := newScene(t)
		c := s.poll()
		s.answer = func(w http.ResponseWriter, r *http.Request) bool { io.WriteString(w, body); return true }
		if l, err := c.Posts(context.Background(), fake.AccountID); l.Complete {
			t.Errorf("%s reads as a complete listing, %v", name, err)
		}
		if l, err := c.Comments(context.Background(), "2123717988971446272"); l.Complete {
			t.Errorf("%s reads as a complete thread, %v", name, err)
		}
		if how, _, _, _ := c.Look(context.Background(), "5", candor.Post, ""); how == sighting.Gone || how == sighting.Here {
			t.Errorf("%s reads as %s", name, how)
		}
	}
}

func TestARepeatedTokenIsTrouble(t *testing.T) {
	s := newScene(t)
	c := s.poll()
	calls := 0
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		calls++
		io.WriteString(w, `{"meta":{"result_count":0,"next_token":"same"}}`)
		return true
	}
	if l, err := c.Posts(context.Background(), fake.AccountID); class(err) != connector.Transient || l.Complete || calls != 2 {
		t.Errorf("%+v, %v after %d calls", l, err, calls)
	}
}

func TestWorkIsBounded(t *testing.T) {
	s := newScene(t)
	for i := range 30 {
		s.world.Publish(fmt.Sprintf("Post %d", i))
	}
	c := s.changed(func(cfg *Config) { cfg.Limit, cfg.Pages = 5, 3 })
	if l := s.posts(c); l.Complete || len(l.Items) != 15 || l.Gap.Reason != candor.GapLimit {
		t.Errorf("%d posts, complete %v, %+v", len(l.Items), l.Complete, l.Gap)
	}
}
