package youtube

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
	fake "github.com/candor-archive/candor/fixtures/youtube"
)

// scene is a channel on a pretend YouTube.
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
func (s *scene) poll(token string) *Client {
	s.t.Helper()
	c := s.client(token, nil)
	s.profile(c)
	return c
}

func (s *scene) profile(c *Client) {
	s.t.Helper()
	if p, err := c.Profile(context.Background(), fake.Handle); err != nil || p.ID != fake.ChannelID {
		s.t.Fatalf("profile is %+v, %v", p, err)
	}
}

func (s *scene) posts(c *Client) connector.Listing[connector.Post] {
	s.t.Helper()
	l, err := c.Posts(context.Background(), fake.ChannelID)
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

func (s *scene) answerTo(id string, by world.Person, text string) string {
	s.t.Helper()
	s.now = s.now.Add(time.Second)
	out, err := s.world.Answer(id, by, text)
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

func (s *scene) look(c *Client, uid string, kind candor.RecordKind, root string) (sighting.Standing, *sighting.Item) {
	s.t.Helper()
	how, it, sha, err := c.Look(context.Background(), uid, kind, root)
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

var denise = world.Person{ID: "UCDeniseOkafor000000000w", Handle: "denise", Name: "Denise Okafor"}

func TestTheChannelIsFoundByEveryNameTheAPIKnows(t *testing.T) {
	s := newScene(t)
	for _, ref := range []string{fake.Handle, fake.ChannelID, "user/larkspurpd"} {
		for _, token := range []string{fake.Key, fake.OwnerToken} {
			p, err := s.client(token, nil).Profile(context.Background(), ref)
			want := connector.Profile{ID: fake.ChannelID, Name: "Larkspur Police Department", Username: "larkspurpd", Link: "https://www.youtube.com/channel/" + fake.ChannelID,
				Extra: "UU" + strings.TrimPrefix(fake.ChannelID, "UC")}
			if err != nil || p != want {
				t.Errorf("%s: %+v, %v", ref, p, err)
			}
		}
	}
	if p, err := s.client(fake.OwnerToken, nil).Profile(context.Background(), ""); err != nil || p.ID != fake.ChannelID {
		t.Errorf("the owner's channel is %+v, %v", p, err)
	}
	for ref, want := range map[string]connector.Class{"": connector.Refused, "c/larkspurpd": connector.Refused, "@nobody": connector.Vanished, "UC0000000000000000000000": connector.Vanished} {
		if _, err := s.client(fake.Key, nil).Profile(context.Background(), ref); class(err) != want {
			t.Errorf("%q: %v, want %s", ref, err, want)
		}
	}
}

func TestAllUploadsAreListedOverSeveralPages(t *testing.T) {
	s := newScene(t)
	var want []string
	for i := range 123 {
		want = append(want, s.world.Publish(fmt.Sprintf("Council meeting %d\n\nAgenda and minutes", i)))
	}
	slices.Reverse(want)
	c := s.poll(fake.Key)
	l := s.posts(c)
	var got []string
	for _, p := range l.Items {
		got = append(got, p.UID)
		if !p.ByAgency || p.Comments != 0 || p.AnswerSHA == "" || s.objects[p.AnswerSHA] == nil || p.How != sighting.Listed || p.State != "" {
			t.Fatalf("%+v", p)
		}
	}
	if !l.Complete || !slices.Equal(got, want) || l.Gap.Reason != "" {
		t.Errorf("%d of %d, complete %v, %+v", len(got), len(want), l.Complete, l.Gap)
	}
	if p := l.Items[0]; p.Text != "Council meeting 122\n\nAgenda and minutes" || !p.PostedAt.Equal(s.now) {
		t.Errorf("%+v", p)
	}
	if c.Units() != 1+3+3 || c.Used() != 0 {
		t.Errorf("%d units, %d percent", c.Units(), c.Used())
	}
}

func TestThreadsAreReadWithAllTheirReplies(t *testing.T) {
	s := newScene(t)
	post := s.world.Publish("Flood warning")
	want := map[string]string{} // id -> parent
	first := s.answerTo(post, denise, "Is <b>Main & 5th</b> open?\nThanks")
	want[first] = post
	for i := range 130 {
		want[s.answerTo(first, world.Person{}, fmt.Sprintf("Reply %d", i))] = first
	}
	for i := range 110 {
		want[s.answerTo(post, denise, fmt.Sprintf("Comment %d", i))] = post
	}
	deep := s.answerTo(s.answerTo(first, denise, "To whom?"), denise, "To you")
	c := s.poll(fake.Key)
	s.posts(c)
	l := s.comments(c, post)
	if !l.Complete || len(l.Items) != len(want)+2 {
		t.Fatalf("%d of %d, complete %v", len(l.Items), len(want)+2, l.Complete)
	}
	for _, it := range l.Items {
		if parent, known := want[it.UID]; known && it.ParentUID != parent || it.RootUID != post || it.AnswerSHA == "" || it.State != "" {
			t.Errorf("%+v", it)
		}
		switch {
		case it.UID == first && (it.Kind != candor.Comment || it.Text != "Is <b>Main & 5th</b> open?\nThanks" || it.ByAgency || it.AuthorID != denise.ID || it.Author != denise.Name):
			t.Errorf("%+v", it)
		case it.Text == "Reply 3" && (it.Kind != candor.Reply || !it.ByAgency):
			t.Errorf("%+v", it)
		case it.UID == deep && it.ParentUID != first:
			t.Errorf("%+v", it)
		}
	}
}

func TestHeldCommentsAreReadWithTheOwnersAccessOnly(t *testing.T) {
	s := newScene(t)
	post := s.world.Publish("Budget hearing")
	shown := s.answerTo(post, denise, "Fine")
	heldReply := s.answerTo(shown, denise, "Not fine")
	held := s.answerTo(post, denise, "Buy now")
	s.must(s.world.Stand(held, candor.Held))
	s.must(s.world.Stand(heldReply, candor.Held))

	owner := s.poll(fake.OwnerToken)
	states := map[string]candor.RecordState{}
	l := s.comments(owner, post)
	for _, it := range l.Items {
		states[it.UID] = it.State
	}
	if !l.Complete || len(states) != 3 || states[shown] != "" || states[held] != candor.Held || states[heldReply] != candor.Held {
		t.Errorf("the owner sees %v, complete %v", states, l.Complete)
	}
	if how, it := s.look(owner, held, candor.Comment, post); how != sighting.Here || it.State != candor.Held {
		t.Errorf("%s %+v", how, it)
	}

	public := s.poll(fake.Key)
	before := public.Units()
	if l := s.comments(public, post); !l.Complete || len(l.Items) != 1 || l.Items[0].UID != shown || public.Units() != before+1 {
		t.Errorf("the public sees %+v for %d units", l, public.Units()-before)
	}
	if strings.Contains(owner.Denial(), "public") || !strings.Contains(public.Denial(), "public") {
		t.Error("the denials are the same")
	}
}

func TestATokenThatIsNotTheOwnersStillReadsWhatIsPublic(t *testing.T) {
	s := newScene(t)
	post := s.world.Publish("Budget hearing")
	s.answerTo(post, denise, "Fine")
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if !r.URL.Query().Has("moderationStatus") {
			return false
		}
		w.WriteHeader(403)
		io.WriteString(w, `{"error":{"code":403,"message":"Request had insufficient authentication scopes.","errors":[{"domain":"global","reason":"insufficientPermissions"}],"status":"PERMISSION_DENIED"}}`)
		return true
	}
	c := s.poll(fake.OwnerToken)
	for range 2 {
		l := s.comments(c, post)
		if !l.Complete || len(l.Items) != 1 || l.Gap.Reason != candor.GapAccess {
			t.Errorf("%+v", l)
		}
	}
	if !strings.Contains(c.Denial(), "public") {
		t.Error("the denial promises too much")
	}
}

func TestEditsOfCommentsComeWithTheirTime(t *testing.T) {
	s := newScene(t)
	post := s.world.Publish("Lost dog")
	id := s.answerTo(post, denise, "That is my cat")
	c := s.poll(fake.Key)
	if it := s.comments(c, post).Items[0]; !it.UpdatedAt.IsZero() {
		t.Errorf("never edited, but at %s", it.UpdatedAt)
	}
	s.now = s.now.Add(time.Hour)
	s.must(s.world.Edit(id, "That is my dog"))
	s.must(s.world.Edit(post, "Found dog"))
	if it := s.comments(c, post).Items[0]; it.Text != "That is my dog" || !it.UpdatedAt.Equal(s.now) {
		t.Errorf("%+v", it)
	}
	if p := s.posts(c).Items[0]; p.Text != "Found dog" || !p.UpdatedAt.IsZero() {
		t.Errorf("%+v", p)
	}
}

func TestDeletionsAreStatedByAnAnswerWithoutEntries(t *testing.T) {
	s := newScene(t)
	kept, gone := s.world.Publish("Kept"), s.world.Publish("Gone")
	top := s.answerTo(kept, denise, "Top")
	reply := s.answerTo(top, denise, "Reply")
	s.must(s.world.Delete(top)) // its replies go with it
	s.must(s.world.Delete(gone))
	for _, token := range []string{fake.Key, fake.OwnerToken} {
		c := s.poll(token)
		// The list of uploads shows the deleted video for a while, and says so.
		if l := s.posts(c); !l.Complete || len(l.Items) != 1 || l.Items[0].UID != kept {
			t.Errorf("%+v", l)
		}
		if l := s.comments(c, kept); !l.Complete || len(l.Items) != 0 {
			t.Errorf("%+v", l)
		}
		for uid, kind := range map[string]candor.RecordKind{gone: candor.Post, top: candor.Comment, reply: candor.Reply} {
			if how, it := s.look(c, uid, kind, kept); how != sighting.Gone || it != nil {
				t.Errorf("%s is %s", uid, how)
			}
		}
		if how, it := s.look(c, kept, candor.Post, ""); how != sighting.Here || it.UID != kept || it.How != sighting.Direct {
			t.Errorf("%s %+v", how, it)
		}
		if _, err := c.Comments(context.Background(), gone); class(err) != connector.Vanished {
			t.Errorf("comments of a deleted video: %v", err)
		}
	}
	s.must(s.world.Restore(gone))
	if how, _ := s.look(s.poll(fake.Key), gone, candor.Post, ""); how != sighting.Here {
		t.Errorf("it is back, but %s", how)
	}
}

func TestPrivateVideosAreNotDeletedOnes(t *testing.T) {
	s := newScene(t)
	id := s.world.Publish("Not yet for the public")
	s.must(s.world.Stand(id, candor.Private))
	owner := s.poll(fake.OwnerToken)
	if l := s.posts(owner); !l.Complete || len(l.Items) != 1 || l.Items[0].State != candor.Private {
		t.Errorf("the owner sees %+v", l)
	}
	public := s.poll(fake.Key)
	if l := s.posts(public); !l.Complete || len(l.Items) != 0 {
		t.Errorf("the public sees %+v", l)
	}
	if how, _ := s.look(public, id, candor.Post, ""); how != sighting.Private {
		t.Errorf("to the public it is %s", how)
	}
}

func TestAnEntryWithoutAVideoLeavesTheListingIncomplete(t *testing.T) {
	s := newScene(t)
	s.world.Publish("One")
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/videos") {
			return false
		}
		io.WriteString(w, `{"kind":"youtube#videoListResponse","items":[],"pageInfo":{"totalResults":0,"resultsPerPage":0}}`)
		return true
	}
	if l := s.posts(s.poll(fake.Key)); l.Complete || len(l.Items) != 0 {
		t.Errorf("%+v", l)
	}
}

func TestAChannelWithoutUploadsIsEmptyWhenItSaysSoTwice(t *testing.T) {
	s := newScene(t)
	c := s.poll(fake.Key)
	if l := s.posts(c); !l.Complete || len(l.Items) != 0 {
		t.Errorf("%+v", l)
	}
	s.world.Publish("One")
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/playlistItems") {
			return false
		}
		w.WriteHeader(404)
		io.WriteString(w, `{"error":{"code":404,"message":"m","errors":[{"reason":"playlistNotFound"}]}}`)
		return true
	}
	if l, err := c.Posts(context.Background(), fake.ChannelID); l.Complete || class(err) != connector.Vanished {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestCommentsTurnedOffAreAStateAndNotAFailure(t *testing.T) {
	s := newScene(t)
	var ids []string
	for i := range closedAsked + 5 {
		ids = append(ids, s.world.Publish(fmt.Sprintf("Meeting %d", i)))
		s.server.CloseComments(ids[i], true)
	}
	c := s.poll(fake.OwnerToken)
	for _, p := range s.posts(c).Items {
		if p.Comments != -1 {
			t.Errorf("%s has %d comments", p.UID, p.Comments)
		}
	}
	before := c.Units()
	for _, id := range ids {
		if l := s.comments(c, id); l.Complete || len(l.Items) != 0 || l.Gap.Reason != candor.GapClosed {
			t.Errorf("%+v", l)
		}
	}
	if spent := c.Units() - before; spent != closedAsked {
		t.Errorf("%d units spent on videos with comments turned off, want %d", spent, closedAsked)
	}
}

func TestASpentAllowanceEndsThePollUntilMidnight(t *testing.T) {
	s := newScene(t)
	id := s.world.Publish("One")
	c := s.poll(fake.OwnerToken)
	s.server.Spend(10_000)
	_, err := c.Posts(context.Background(), fake.ChannelID)
	var e *connector.Error
	// It is noon in California.
	if !errors.As(err, &e) || e.Class != connector.Throttled || e.After != 12*time.Hour || e.Status != 403 || s.objects[e.AnswerSHA] == nil || !e.Hopeless() {
		t.Fatalf("%+v", err)
	}
	before := s.world.Calls()
	if _, err := c.Comments(context.Background(), id); class(err) != connector.Throttled {
		t.Errorf("%v", err)
	}
	if _, _, _, err := c.Look(context.Background(), id, candor.Post, ""); class(err) != connector.Throttled {
		t.Errorf("%v", err)
	}
	if s.world.Calls() != before || c.Used() != 100 {
		t.Errorf("%d calls after the refusal, %d percent used", s.world.Calls()-before, c.Used())
	}
	s.now = s.now.Add(e.After)
	s.posts(s.poll(fake.OwnerToken))
}

func TestUseIsToldForTheWholeDay(t *testing.T) {
	s := newScene(t)
	c := s.client(fake.Key, func(cfg *Config) { cfg.Every = time.Minute })
	for range 7 {
		s.profile(c)
	}
	if c.Used() != 100 { // 7 units, 1,440 times a day
		t.Errorf("%d percent", c.Used())
	}
}

func TestBadCredentialsAreKnownAsSuchAndNeverKept(t *testing.T) {
	s := newScene(t)
	for _, c := range []struct {
		token   string
		expired bool
		want    connector.Class
	}{
		{"ya29.wrong-token-for-tests", false, connector.BadToken},
		{fake.OwnerToken, true, connector.BadToken},
		{"AIzaWrongKeyForTests", false, connector.BadToken},
		{fake.Key, true, connector.BadToken},
	} {
		s.world.Trouble(func(t *world.Troubles) { t.Expired = c.expired })
		_, err := s.client(c.token, nil).Profile(context.Background(), fake.Handle)
		if class(err) != c.want {
			t.Errorf("%s: %v", c.token, err)
		}
		kept := fmt.Sprintf("%+v %v", s.visit.Answers(), err)
		for _, b := range s.objects {
			kept += string(b)
		}
		if strings.Contains(kept, c.token) {
			t.Errorf("%s is kept", c.token)
		}
	}
	s.world.Trouble(func(t *world.Troubles) { t.Expired = false })
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.RawQuery, "AIza") || strings.Contains(r.URL.RawQuery, "ya29") {
			t.Errorf("the credential is in the address: %s", r.URL)
		}
		return false
	}
	s.poll(fake.Key)
	s.poll(fake.OwnerToken)
}

func TestCutListingsAreContradictedByLookingUp(t *testing.T) {
	s := newScene(t)
	var ids []string
	for i := range 10 {
		ids = append(ids, s.world.Publish(fmt.Sprintf("Post %d", i)))
	}
	c := s.poll(fake.Key)
	s.world.Trouble(func(t *world.Troubles) { t.Cut = 1 })
	l := s.posts(c)
	if len(l.Items) != 5 {
		t.Fatalf("%d items", len(l.Items))
	}
	// The platform's own total is not reliable enough to notice, so whatever is
	// missing must be found when it is asked for.
	if how, _ := s.look(c, ids[0], candor.Post, ""); how != sighting.Here {
		t.Errorf("%s", how)
	}
}

func TestListingsInAnotherOrderAreTheSame(t *testing.T) {
	s := newScene(t)
	for i := range 60 {
		s.world.Publish(fmt.Sprintf("Post %d", i))
	}
	s.world.Trouble(func(t *world.Troubles) { t.Shuffle = true })
	if l := s.posts(s.poll(fake.Key)); !l.Complete || len(l.Items) != 60 {
		t.Errorf("%d items, complete %v", len(l.Items), l.Complete)
	}
}

func TestTroubleOfTheServerIsPassing(t *testing.T) {
	for _, status := range []int{500, 502, 503} {
		s := newScene(t)
		s.world.Publish("One")
		c := s.poll(fake.Key)
		s.world.Trouble(func(t *world.Troubles) { t.Fail, t.Status = 100, status })
		if l, err := c.Posts(context.Background(), fake.ChannelID); class(err) != connector.Transient || l.Complete {
			t.Errorf("%d: %v", status, err)
		}
		if how, _, _, err := c.Look(context.Background(), "x", candor.Post, ""); class(err) != connector.Transient || how == sighting.Gone {
			t.Errorf("%d: %s, %v", status, how, err)
		}
	}
}

func TestStrangeAnswersAreNeverEmptyListings(t *testing.T) {
	for name, body := range map[string]string{
		"a gateway's page":   "<html><h1>Please sign in</h1></html>",
		"nothing":            "",
		"half an answer":     `{"kind":"youtube#playlistItemListResponse","items":[{"id":`,
		"another kind":       `{"kind":"youtube#searchListResponse","items":[]}`,
		"an error":           `{"error":{"code":500,"message":"Internal error encountered.","status":"INTERNAL"}}`,
		"an entry we do not": `{"kind":"youtube#playlistItemListResponse","items":[{"id":"1","snippet":{"resourceId":{"kind":"youtube#channel"}}}]}`,
	} {
		s := newScene(t)
		c := s.poll(fake.Key)
		s.answer = func(w http.ResponseWriter, r *http.Request) bool { io.WriteString(w, body); return true }
		if l, err := c.Posts(context.Background(), fake.ChannelID); l.Complete {
			t.Errorf("%s reads as a complete listing, %v", name, err)
		}
		if how, _, _, _ := c.Look(context.Background(), "x", candor.Post, ""); how == sighting.Gone {
			t.Errorf("%s reads as gone", name)
		}
	}
}

func TestARepeatedPageTokenIsTrouble(t *testing.T) {
	s := newScene(t)
	c := s.poll(fake.Key)
	calls := 0
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		calls++
		io.WriteString(w, `{"kind":"youtube#playlistItemListResponse","nextPageToken":"same","items":[]}`)
		return true
	}
	if l, err := c.Posts(context.Background(), fake.ChannelID); class(err) != connector.Transient || l.Complete || calls != 2 {
		t.Errorf("%+v, %v after %d calls", l, err, calls)
	}
}

func TestWorkIsBounded(t *testing.T) {
	s := newScene(t)
	var post string
	for i := range 20 {
		post = s.world.Publish(fmt.Sprintf("Post %d", i))
	}
	for range 20 {
		s.answerTo(post, denise, "Comment")
	}
	c := s.client(fake.Key, func(cfg *Config) { cfg.Limit, cfg.Calls = 2, 6 })
	s.profile(c)
	if l := s.posts(c); l.Complete || len(l.Items) != 6 || l.Gap.Reason != candor.GapLimit {
		t.Errorf("%d items, %+v", len(l.Items), l.Gap)
	}
	if l := s.comments(c, post); l.Complete || len(l.Items) != 12 || l.Gap.Reason != candor.GapLimit {
		t.Errorf("%d items, %+v", len(l.Items), l.Gap)
	}
}

func TestPicturesAreFetched(t *testing.T) {
	s := newScene(t)
	post := s.world.Publish("Road closed", world.Photo{Name: "road-closure"})
	id := s.answerTo(post, denise, "Look")
	s.server.Illustrate(id, "storm")
	c := s.poll(fake.Key)
	p := s.posts(c).Items[0]
	it := s.comments(c, post).Items[0]
	for _, x := range []struct {
		a    candor.Attachment
		from string
	}{{p.Attachments[0], p.Fetch[0]}, {it.Attachments[0], it.Fetch[0]}} {
		if err := c.Media(context.Background(), &x.a, x.from); err != nil || x.a.Failure != "" || x.a.MediaType != "image/jpeg" || !bytes.HasPrefix(s.objects[x.a.SHA], []byte("\xff\xd8")) {
			t.Errorf("%+v, %v", x.a, err)
		}
	}
	if x := p.Attachments[1]; x.Type != "video" || x.Failure == "" || p.Fetch[1] != "" {
		t.Errorf("%+v", x)
	}
	missing := candor.Attachment{}
	if err := c.Media(context.Background(), &missing, s.url+"/media/nothing"); err != nil || missing.Failure == "" || missing.SHA != "" {
		t.Errorf("%+v, %v", missing, err)
	}
}
