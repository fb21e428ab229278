package crawler

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-archive/candor"
)

func memoryScene(t *testing.T) (*scene, *fake) {
	g := newGraph(t)
	opening(g)
	var f *fake
	s := newScene(t, g, func(src candor.Source, _ func() time.Time) archive {
		f = newFake(t, src, graphToken)
		return f
	})
	return s, f
}

// Whatever of the archive fails, nothing is applied, the error is told, and the
// next try brings exactly what the first would have.
func TestPollsSurviveFailuresOfTheArchive(t *testing.T) {
	for _, what := range []string{"source", "token", "state", "known", "unseen", "object", "apply"} {
		t.Run(what, func(t *testing.T) {
			s, f := memoryScene(t)
			broken := errors.New("disk on fire")
			f.fail = func(w string) error {
				if w == what {
					return broken
				}
				return nil
			}
			if err := s.crawler.Poll(t.Context(), s.src); !errors.Is(err, broken) {
				t.Errorf("error is %v", err)
			}
			if len(f.sweeps) != 0 || f.src.LastError != "" {
				t.Errorf("%d sweeps were applied, the source has trouble %q", len(f.sweeps), f.src.LastError)
			}
			f.fail = func(string) error { return nil }
			s.quietly()
			if len(f.views) != 6 {
				t.Errorf("%d records, want 6", len(f.views))
			}
		})
	}
}

// The sweep is applied but the job does not learn of it, and runs again.
func TestPollMayRunTwice(t *testing.T) {
	s, f := memoryScene(t)
	f.fail = func(w string) error {
		if w == "applied" {
			return errors.New("connection lost")
		}
		return nil
	}
	if err := s.crawler.Poll(t.Context(), s.src); err == nil {
		t.Error("no error")
	}
	f.fail = func(string) error { return nil }
	s.graph.do(func() { s.graph.thing("1_12").gone = true })
	for range 5 { // within seconds: one fault of a moment, seen five times
		s.now = s.now.Add(time.Second)
		if err := s.crawler.Poll(t.Context(), s.src); err != nil {
			t.Fatal(err)
		}
	}
	s.want("1_12", candor.Live, 1, 0, 0)
	s.wantCaptures("100_1 new", "100_2 new")
	if len(f.views) != 6 {
		t.Errorf("%d records, want 6", len(f.views))
	}
}

func TestTwoPollsAtOnceMakeOneRecordEach(t *testing.T) {
	s, f := memoryScene(t)
	var done sync.WaitGroup
	for range 4 {
		done.Go(func() {
			if err := s.crawler.Poll(t.Context(), s.src); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if len(f.views) != 6 {
		t.Errorf("%d records, want 6", len(f.views))
	}
}

func TestStoppedPollAppliesNothing(t *testing.T) {
	s, f := memoryScene(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.graph.do(func() {
		s.graph.fault = func(path string) (int, string) {
			if strings.HasSuffix(path, "/comments") {
				cancel()
			}
			return 0, ""
		}
	})
	if err := s.crawler.Poll(ctx, s.src); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if len(f.sweeps) != 0 {
		t.Error("a stopped poll was applied")
	}
}

func TestSourcesThatCannotBeReadSayWhy(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*fake)
		want   string
	}{
		{"no token", func(f *fake) { f.token = "" }, "no access token"},
		{"wrong token", func(f *fake) { f.token = "another-token-altogether" }, "190"},
		{"no API there", func(f *fake) { f.src.APIURL = "http://127.0.0.1:1" }, "transient"},
		{"API address is nonsense", func(f *fake) { f.src.APIURL = "larkspur" }, "not a web address"},
		{"unknown kind", func(f *fake) { f.src.Kind = "gopher" }, "cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, f := memoryScene(t)
			c.change(f)
			if trouble := s.poll(); !strings.Contains(trouble, c.want) || strings.Contains(trouble, f.token) && f.token != "" {
				t.Errorf("trouble is %q", trouble)
			}
			if f.src.NextPollAt.Sub(s.now) < every {
				t.Errorf("next poll in %v", f.src.NextPollAt.Sub(s.now))
			}
		})
	}
}

func TestPausedAndRemovedSourcesAreLeftAlone(t *testing.T) {
	s, f := memoryScene(t)
	f.src.Paused = true
	for _, id := range []string{s.src, "removed"} {
		if err := s.crawler.Poll(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if calls := s.graph.asked(); len(calls) != 0 {
		t.Errorf("asked %q", calls)
	}
}

func TestUnreadableMemoryStartsAnew(t *testing.T) {
	for _, state := range []string{"{", `{"v":99}`, `[]`, `{"v":1,"facebook":null}`} {
		s, f := memoryScene(t)
		f.state = []byte(state)
		s.quietly()
		if len(f.views) != 6 {
			t.Errorf("%s: %d records", state, len(f.views))
		}
	}
}

func TestPicturesThatCannotBeHadSayWhy(t *testing.T) {
	s, f := memoryScene(t)
	s.graph.do(func() { s.graph.thing("100_1").photo = "missing.jpg" })
	s.quietly()
	for _, c := range f.sweeps[0].Changes {
		for _, a := range c.Attachments {
			if a.SHA != "" || a.Failure != "the server answered 404" || a.RevisionID != c.Revision.ID {
				t.Errorf("attachment is %+v", a)
			}
		}
	}
	s.want("100_1", candor.Live, 1, 0, 0)
}

func TestBackOff(t *testing.T) {
	for _, c := range []struct {
		fails  int
		random float64
		want   time.Duration
	}{
		{1, 0.5, 20 * time.Minute}, {2, 0.5, 40 * time.Minute}, {3, 0, 60 * time.Minute}, {3, 1, 100 * time.Minute},
		{99, 0.5, 12 * time.Hour}, {1, 0, 15 * time.Minute},
	} {
		if got := backOff(every, c.fails, c.random); got != c.want {
			t.Errorf("backOff(%d, %v) = %v, want %v", c.fails, c.random, got, c.want)
		}
	}
	if got := backOff(24*time.Hour, 5, 0); got != 24*time.Hour {
		t.Errorf("a source polled daily is tried again in %v", got)
	}
}

type queue struct {
	ids  []string
	busy bool // the source is being polled
}

func (q *queue) EnqueuePolls(_ context.Context, ids ...string) ([]string, error) {
	if q.busy {
		return nil, nil
	}
	q.ids = append(q.ids, ids...)
	if len(q.ids) == 1 {
		return nil, errors.New("queue is full")
	}
	return ids, nil
}

func TestTickQueuesWhatIsDue(t *testing.T) {
	s, f := memoryScene(t)
	q := &queue{}
	c := quick(Config{Store: f, Queue: q, HTTP: s.graph.Client(), Now: func() time.Time { return s.now }})
	if err := c.Tick(t.Context()); err == nil {
		t.Error("a failure to queue was not told")
	}
	if err := c.Tick(t.Context()); err != nil {
		t.Error(err)
	}
	for _, step := range []struct {
		due  time.Time
		now  time.Duration
		want int // polls queued so far
	}{
		{f.src.NextPollAt, 0, 2},           // it waits in the queue
		{s.now.Add(time.Second), 0, 2},     // it was polled and is not due
		{s.now, 0, 3},                      // it is due again
		{s.now, askAgain + time.Second, 4}, // it was queued and never came about
		{s.now, askAgain + 2*time.Second, 4},
	} {
		f.src.NextPollAt = step.due
		at := s.now.Add(step.now)
		c.cfg.Now = func() time.Time { return at }
		if err := c.Tick(t.Context()); err != nil {
			t.Error(err)
		}
		if len(q.ids) != step.want {
			t.Errorf("due at %s, now %s: queued %d times, want %d", step.due, at, len(q.ids), step.want)
		}
	}
	// It is due while it is being polled: it is asked for again at the next tick.
	f.src.NextPollAt = s.now.Add(time.Minute)
	at := s.now.Add(askAgain + time.Hour)
	c.cfg.Now = func() time.Time { return at }
	before := len(q.ids)
	for _, busy := range []bool{true, true, false, false} {
		q.busy = busy
		if err := c.Tick(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if len(q.ids) != before+1 {
		t.Errorf("a poll that was over while another was asked for: queued %d times, want once", len(q.ids)-before)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestSinglePageIsCapturedWheneverItIsDue(t *testing.T) {
	var mu sync.Mutex
	status, body := 200, "<title>Policy</title><main>No weapons.</main>"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		w.Write([]byte(body))
	}))
	defer srv.Close()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	f := newFake(t, candor.Source{ID: "s", Kind: candor.SourcePage, URL: srv.URL + "/policy", Public: true, Every: every}, "")
	c := quick(Config{Store: f, HTTP: srv.Client(), Now: func() time.Time { return now }})
	step := func(answer int, words, why string, state candor.RecordState, revisions int, trouble bool) {
		t.Helper()
		mu.Lock()
		status, body = answer, words
		mu.Unlock()
		now = now.Add(every)
		if err := c.Poll(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
		specs := f.captures()
		if len(specs) != 1 || specs[0].Why != why || specs[0].URL != srv.URL+"/policy" {
			t.Errorf("captures are %+v, want one because %s", specs, why)
		}
		v, _ := f.view(srv.URL + "/policy")
		if v.Record.Kind != candor.Page || v.Record.State != state || len(v.Revisions) != revisions || (f.src.LastError != "") != trouble {
			t.Errorf("record is %+v with %d revisions, trouble %q", v.Record, len(v.Revisions), f.src.LastError)
		}
	}
	step(403, "no programs", whyNew, candor.Live, 0, true)
	step(200, "<title>Policy</title><main>No weapons.</main>", whyProof, candor.Live, 1, false)
	step(200, "<title>Policy</title><main>No  weapons.</main><footer>Visit 2</footer>", whyProof, candor.Live, 1, false)
	step(200, "<title>Policy</title><main>No weapons, no dogs.</main>", whyEdited, candor.Edited, 2, false)
	step(404, "gone", whyProof, candor.Edited, 2, true)
}

func TestLanguageOfTheFirstWordsIsKept(t *testing.T) {
	s, _ := memoryScene(t)
	s.quietly()
	if v, _ := s.archive.view("2_21"); v.Record.Language != "es" || v.Record.Author != "A resident" || v.Record.ByAgency {
		t.Errorf("comment is %+v", v.Record)
	}
}
