package crawler

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/schedule"
	"github.com/candor-archive/candor/fixtures/world"
)

// stage is a platform for the month test.
type stage struct {
	kind    candor.SourceKind
	network func(now func() time.Time) *world.World
	serve   func(*world.World) http.Handler
	life    world.Life
	url     string                                       // of the account's page; its host is replaced by the server's when it begins with "/"
	text    func(v world.Version, x *world.Thing) string // how the connector words it; nil: as it was written
	gaps    []candor.GapReason                           // that the platform's own limits leave in every poll
	// lost reports records of whose end nothing can be known, or which the
	// platform never gives.
	lost func(x *world.Thing) bool
}

const (
	monthEvery = 12 * time.Hour
	monthKills = 20
)

// A month in the life of a network (twelve posts and a hundred and twenty
// comments; with make month, five hundred and five thousand), with outages of every sort and the crawler
// killed twenty times, ends with exactly what happened: nothing is missing and
// nothing is invented.
func TestAMonthIsArchivedExactly(t *testing.T) {
	for _, s := range stages {
		t.Run(string(s.kind), func(t *testing.T) {
			t.Parallel()
			playMonth(t, s)
		})
	}
}

func playMonth(t *testing.T, s stage) {
	s.life.Posts, s.life.Comments = 12, 120
	if os.Getenv("CANDOR_MONTH") == "full" {
		s.life.Posts, s.life.Comments = 500, 5000
	}
	start := time.Date(2026, 10, 1, 5, 0, 0, 0, time.UTC)
	now := start
	var clock atomic.Int64 // the same for the server's goroutines
	clock.Store(start.UnixNano())
	net := s.network(func() time.Time { return time.Unix(0, clock.Load()).UTC() })
	var calls, kill atomic.Int64
	var stop context.CancelFunc
	var dying sync.Mutex // guards stop
	handler := s.serve(net)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == kill.Load() {
			dying.Lock()
			stop() // the process dies here: what it learnt in this poll is lost
			dying.Unlock()
		}
		handler.ServeHTTP(w, r)
	}))
	defer server.Close()

	src := candor.Source{ID: candor.NewID(), Kind: s.kind, Name: "Larkspur", URL: s.url, APIURL: server.URL, Public: true, Every: monthEvery}
	if s.url[0] == '/' {
		src.URL = server.URL + s.url
	}
	archive := newFake(t, src, net.Token())
	archive.thin = true
	begin := func() *Crawler {
		return quick(Config{Store: archive, HTTP: server.Client(), Now: func() time.Time { return now }, Schedule: schedule.Default()})
	}
	crawler := begin()
	rnd := rand.New(rand.NewPCG(7, 7))
	acts := world.Month(11, start, s.life)
	var outage string
	kills, polls, usual := 0, 0, int64(20)
	gaps := map[string]map[candor.GapReason]bool{}
	// The next visit comes when the crawler wants it, and never later than usual.
	next := func() time.Time {
		usual := now.Add(monthEvery)
		if at := archive.src.NextPollAt; at.After(now) && at.Before(usual) {
			return at
		}
		return usual
	}
	for ; now.Before(world.MonthEnds(start).Add(8 * 24 * time.Hour)); now = next() {
		for len(acts) > 0 && !acts[0].At.After(now) {
			// The network's clock stands where the act belongs.
			clock.Store(acts[0].At.UnixNano())
			if err := acts[0].Do(net); err != nil {
				t.Fatalf("%s at %s: %v", acts[0].What, acts[0].At, err)
			}
			outage = during(acts[0].What, outage)
			acts = acts[1:]
		}
		clock.Store(now.UnixNano())
		if polls++; polls%2 == 1 && kills < monthKills {
			ctx, cancel := context.WithCancel(t.Context())
			dying.Lock()
			stop = cancel
			dying.Unlock()
			kill.Store(calls.Load() + 1 + rnd.Int64N(max(1, min(20, usual))))
			if err := crawler.Poll(ctx, src.ID); err != nil {
				kills++
				crawler = begin()
			}
			kill.Store(0)
			cancel()
			if archive.src.LastPollAt.Equal(now) {
				continue // it was over before the blow
			}
		}
		before := calls.Load()
		if err := crawler.Poll(t.Context(), src.ID); err != nil {
			t.Fatalf("poll at %s: %v", now, err)
		}
		usual = calls.Load() - before
		for _, g := range archive.sweeps[len(archive.sweeps)-1].Gaps {
			if gaps[outage] == nil {
				gaps[outage] = map[candor.GapReason]bool{}
			}
			gaps[outage][g.Reason] = true
			if outage == "" && !slices.Contains(s.gaps, g.Reason) {
				t.Errorf("at %s, when all was well: gap %s: %s", now, g.Reason, g.Detail)
			}
		}
	}
	if len(acts) > 0 {
		t.Fatalf("%d acts were not played", len(acts))
	}
	if kills < monthKills {
		t.Errorf("killed %d times only", kills)
	}
	for outage, reason := range map[string]candor.GapReason{"down": candor.GapPlatform, "throttled": candor.GapThrottled, "token lost": candor.GapToken} {
		if !gaps[outage][reason] && (outage != "token lost" || net.Token() != "") {
			t.Errorf("while the network was %s, the gaps say %v", outage, gaps[outage])
		}
	}
	checkMonth(t, s, net, archive)
	t.Logf("%d polls, %d kills, %d calls, %d records", polls, kills, calls.Load(), len(archive.views))
}

// during follows which outage there is.
func during(what, outage string) string {
	switch what {
	case "down", "throttled", "token lost", "listings cut short", "answers partly errors", "listings in another order", "failing now and then":
		return what
	case outage + " no more":
		return ""
	}
	return outage
}

func checkMonth(t *testing.T, s stage, net *world.World, archive *fake) {
	wrong := 0
	complain := func(format string, args ...any) {
		t.Helper()
		if wrong++; wrong <= 15 {
			t.Errorf(format, args...)
		}
	}
	kinds := map[candor.RecordState]int{}
	edits, tombs, expected := 0, 0, map[string]bool{}
	net.View(func(r *world.Reader) {
		for _, x := range r.All() {
			expected[x.ID] = true
			v, ok := archive.view(x.ID)
			if !ok {
				if s.lost == nil || !s.lost(x) {
					complain("%s (%q, of %s) is missing", x.ID, x.Text(), x.Created)
				}
				continue
			}
			kinds[v.Record.State]++
			edits += len(v.Revisions) - 1
			tombs += len(v.Tombstones)
			var got, want []string
			for _, rev := range v.Revisions {
				got = append([]string{rev.Text}, got...)
			}
			for _, ver := range x.Versions {
				if s.text != nil {
					want = append(want, s.text(ver, x))
				} else {
					want = append(want, ver.Text)
				}
			}
			if !slices.Equal(got, want) {
				complain("%s has the wordings\n%q\nwant\n%q", x.ID, got, want)
			}
			if allowed := statesOf(x); !slices.Contains(allowed, v.Record.State) && (s.lost == nil || !s.lost(x)) {
				complain("%s (gone %v, root gone %v) is %s, want %v", x.ID, x.Gone, x.Root != nil && !x.Root.Here(), v.Record.State, allowed)
			}
			for _, tomb := range v.Tombstones {
				if !tomb.ClosedAt.IsZero() {
					continue
				}
				if x.Here() {
					complain("%s is there and has a tombstone", x.ID)
				} else if tomb.NotBefore.After(x.Gone) || tomb.NotAfter.Before(x.Gone) {
					complain("%s was deleted at %s, the tombstone says between %s and %s", x.ID, x.Gone, tomb.NotBefore, tomb.NotAfter)
				}
			}
		}
	})
	for uid := range archive.uids {
		if !expected[uid] {
			complain("%s is invented", uid)
		}
	}
	t.Logf("states %v, %d later wordings, %d tombstones", kinds, edits, tombs)
	if edits == 0 && (s.life.EditPosts || s.life.EditComments) || tombs == 0 {
		t.Error("nothing was edited or nothing was deleted: the month proves nothing")
	}
}

// statesOf gives the states that a thing's record may end in.
func statesOf(x *world.Thing) []candor.RecordState {
	switch {
	case x.Story && x.Here():
		return []candor.RecordState{candor.Expired}
	case !x.Here() && x.Root != nil && !x.Root.Here():
		// It went with its post, or before: then there was a listing to prove it.
		return []candor.RecordState{candor.Unknown, candor.Deleted}
	case !x.Here():
		return []candor.RecordState{candor.Deleted}
	case x.State != "":
		return []candor.RecordState{x.State}
	case len(x.Versions) > 1:
		return []candor.RecordState{candor.Edited}
	}
	return []candor.RecordState{candor.Live}
}
