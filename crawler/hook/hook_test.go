package hook

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
	"sync"
	"testing"
	"time"

	"github.com/candor-archive/candor"
)

// desk is a handler with what it is joined to.
type desk struct {
	*testing.T
	http.Handler
	mu       sync.Mutex
	now      time.Time
	sources  []candor.Source
	secrets  map[string]string
	accounts map[string]string
	failing  error // of the store
	full     error // of the queue
	asked    int   // times the store was asked
	polled   []string
	later    []func()
	waits    []time.Duration
}

func open(t *testing.T) *desk {
	d := &desk{T: t, now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), secrets: map[string]string{}, accounts: map[string]string{}}
	for id, kind := range map[string]candor.SourceKind{
		"page": candor.SourceFacebook, "page2": candor.SourceFacebook, "foreign": candor.SourceFacebook, "gram": candor.SourceInstagram,
		"x": candor.SourceX, "tube": candor.SourceYouTube, "masto": candor.SourceMastodon, "site": candor.SourceWebsite, "quiet": candor.SourceFacebook,
	} {
		d.sources = append(d.sources, candor.Source{ID: id, Kind: kind})
		d.secrets[id] = secret
	}
	d.secrets["foreign"] = "of another app"
	d.secrets["quiet"] = ""
	d.accounts = map[string]string{"page": "1234567890321", "page2": "222", "foreign": "333", "tube": "UCabc", "masto": "7"}
	get := func(from map[string]string) func(context.Context, string) (string, error) {
		return func(_ context.Context, id string) (string, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.asked++
			return from[id], d.failing
		}
	}
	d.Handler = New(Config{
		Sources: func(context.Context) ([]candor.Source, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.asked++
			return d.sources, d.failing
		},
		Secret: get(d.secrets), Account: get(d.accounts),
		Poll: func(_ context.Context, id string) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.full == nil {
				d.polled = append(d.polled, id)
			}
			return d.full
		},
		Now: func() time.Time { d.mu.Lock(); defer d.mu.Unlock(); return d.now },
		After: func(wait time.Duration, f func()) {
			d.waits = append(d.waits, wait)
			d.later = append(d.later, f)
		},
	})
	return d
}

// send sends a request to a source's hook.
func (d *desk) send(id string, r Request) *httptest.ResponseRecorder {
	d.Helper()
	req := httptest.NewRequestWithContext(d.Context(), r.Method, Prefix+id+"?"+r.Query, bytes.NewReader(r.Body))
	req.Header = r.Header
	w := httptest.NewRecorder()
	d.ServeHTTP(w, req)
	return w
}

func (d *desk) notice(id, body string) int {
	d.Helper()
	return d.send(id, signed(candor.SourceFacebook, secret, []byte(body))).Code
}

// expect compares which polls were queued since the last time.
func (d *desk) expect(want ...string) {
	d.Helper()
	slices.Sort(d.polled)
	if !slices.Equal(d.polled, want) {
		d.Errorf("polled %q, want %q", d.polled, want)
	}
	d.polled = nil
}

// pass lets time pass and what was put off happen.
func (d *desk) pass(by time.Duration) {
	d.mu.Lock()
	d.now = d.now.Add(by)
	d.mu.Unlock()
	due := d.later
	d.later = nil
	for _, f := range due {
		f()
	}
}

func page(n int) string {
	return fmt.Sprintf(`{"object":"page","entry":[{"id":"1234567890321","time":%d}]}`, n)
}

func TestARealNoticeQueuesOnePoll(t *testing.T) {
	for _, name := range samples(t) {
		d := open(t)
		w := d.send("page", signed(candor.SourceFacebook, secret, sample(t, strings.TrimPrefix(name, "testdata/"))))
		if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
		d.expect("page")
	}
}

func TestEveryRefusalLooksTheSame(t *testing.T) {
	d := open(t)
	good := signed(candor.SourceFacebook, secret, []byte(page(1)))
	wrong := signed(candor.SourceFacebook, "wrong", []byte(page(1)))
	bare := Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(page(1))}
	large := signed(candor.SourceFacebook, secret, []byte(`{"object":"page","x":"`+strings.Repeat("x", MaxBody)+`"}`))
	put := good
	put.Method = http.MethodPut
	head := Request{Method: http.MethodHead, Header: http.Header{}}
	get := Request{Method: http.MethodGet, Header: http.Header{}, Query: "hub.mode=subscribe&hub.challenge=1&hub.verify_token=guess"}
	seen := map[string]bool{}
	for name, c := range map[string]struct {
		id string
		r  Request
	}{
		"unknown source": {"nobody", good}, "no source": {"", good}, "below a source": {"page/x", good}, "source without a secret": {"quiet", good},
		"platform without notices": {"site", good}, "wrong signature": {"page", wrong}, "no signature": {"page", bare}, "too large": {"page", large},
		"another method": {"page", put}, "another method, unknown source": {"nobody", put}, "wrong word": {"page", get}, "wrong word, unknown source": {"nobody", get},
		"head": {"page", head}, "signed by another platform's rules": {"x", good}, "another app's secret": {"foreign", good},
	} {
		w := d.send(c.id, c.r)
		seen[fmt.Sprint(w.Code, " ", w.Body, " ", w.Header())] = true
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if len(seen) != 1 {
		t.Errorf("refusals can be told apart: %v", seen)
	}
	d.expect()
}

func TestChallengesAreAnsweredAndPollNothing(t *testing.T) {
	d := open(t)
	for _, c := range []struct{ id, query, want string }{
		{"page", "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=" + VerifyToken(secret), "1158201444"},
		{"x", "crc_token=abc", `{"response_token":"sha256=`},
		{"tube", "hub.mode=subscribe&hub.challenge=77&hub.topic=https%3A%2F%2Fwww.youtube.com%2Fxml%2Ffeeds%2Fvideos.xml%3Fchannel_id%3DUCabc", "77"},
	} {
		w := d.send(c.id, Request{Method: http.MethodGet, Header: http.Header{}, Query: c.query})
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), c.want) || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Content-Type") == "" {
			t.Errorf("%s: %d %q %v", c.id, w.Code, w.Body, w.Header())
		}
	}
	w := d.send("tube", Request{Method: http.MethodGet, Header: http.Header{}, Query: "hub.mode=subscribe&hub.challenge=77&hub.topic=https%3A%2F%2Fwww.youtube.com%2Fxml%2Ffeeds%2Fvideos.xml%3Fchannel_id%3DUCother"})
	if w.Code != http.StatusNotFound {
		t.Errorf("another channel: %d", w.Code)
	}
	d.expect()
}

func TestTheSameNoticeTwiceIsOneHint(t *testing.T) {
	d := open(t)
	for range 3 {
		if code := d.notice("page", page(1)); code != http.StatusOK {
			t.Fatalf("answered %d", code)
		}
	}
	d.pass(replayed - time.Second)
	if code := d.notice("page", page(1)); code != http.StatusOK {
		t.Fatalf("answered %d", code)
	}
	d.expect("page")
	d.pass(2 * time.Second)
	d.notice("page", page(1))
	d.expect("page")
}

func TestAFloodIsTwoPollsAMinute(t *testing.T) {
	d := open(t)
	for i := range 100 {
		d.notice("page", page(i))
	}
	d.expect("page")
	if len(d.later) != 1 || d.waits[0] != pollEvery {
		t.Fatalf("%d polls put off, %v", len(d.later), d.waits)
	}
	d.pass(pollEvery) // what was told in the meantime is looked at then
	d.expect("page")
	for i := range 100 {
		d.notice("page", page(1000+i))
	}
	d.expect()
	d.pass(pollEvery)
	d.expect("page")
	d.pass(pollEvery)
	d.expect()
}

func TestAFloodOfStrangersCostsNothing(t *testing.T) {
	d := open(t)
	for i := range 100 {
		d.send("page", signed(candor.SourceFacebook, "wrong", []byte(page(i))))
		d.send(fmt.Sprint("nobody", i), signed(candor.SourceFacebook, "wrong", []byte(page(i))))
	}
	d.expect()
	if d.asked > 3 {
		t.Errorf("the store was asked %d times", d.asked)
	}
	h := d.Handler.(*handler)
	if w := d.send("nobody", signed(candor.SourceFacebook, "", []byte(page(1)))); w.Code != http.StatusNotFound {
		t.Errorf("what is signed with nothing: %d", w.Code)
	}
	if len(h.seen) != 0 || len(h.last) != 0 {
		t.Errorf("strangers are remembered: %d, %d", len(h.seen), len(h.last))
	}
}

func TestMemoryIsBounded(t *testing.T) {
	d := open(t)
	for i := range remembered + 50 {
		d.notice("page", page(i))
	}
	if n := len(d.Handler.(*handler).seen); n != remembered {
		t.Errorf("%d notices are remembered", n)
	}
}

func TestANoticeIsForTheAccountsItNames(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"its own":                           {page(1), []string{"page"}},
		"another page of the same app":      {`{"object":"page","entry":[{"id":"222"}]}`, []string{"page2"}},
		"both":                              {`{"object":"page","entry":[{"id":"222"},{"id":"1234567890321"}]}`, []string{"page", "page2"}},
		"a page whose app is another":       {`{"object":"page","entry":[{"id":"333"}]}`, []string{"page"}},
		"nobody we know":                    {`{"object":"page","entry":[{"id":"0"}]}`, []string{"page"}},
		"nobody named":                      {`{"object":"page"}`, []string{"page"}},
		"an account of another platform":    {`{"object":"instagram","entry":[{"id":"222"}]}`, []string{"page"}},
		"one known and one a stranger's id": {`{"object":"page","entry":[{"id":"222"},{"id":"9"}]}`, []string{"page2"}},
	} {
		d := open(t)
		if code := d.notice("page", c.body); code != http.StatusOK {
			t.Errorf("%s: %d", name, code)
		}
		d.expect(c.want...)
	}
}

func TestAServerTellsOfEverybodyOnIt(t *testing.T) {
	d := open(t)
	tell := func(body string) {
		t.Helper()
		if w := d.send("masto", signed(candor.SourceMastodon, secret, []byte(body))); w.Code != http.StatusOK {
			t.Errorf("%d", w.Code)
		}
	}
	tell(`{"event":"status.created","object":{"id":"1","account":{"id":"99"},"in_reply_to_account_id":"98"}}`)
	d.expect() // strangers among themselves
	tell(`{"event":"status.created","object":{"id":"2","account":{"id":"99"},"in_reply_to_account_id":"7"}}`)
	d.expect("masto")
}

func TestAnAccountNotKnownYetIsPolled(t *testing.T) {
	d := open(t)
	clear(d.accounts)
	d.notice("page", page(1))
	d.send("masto", signed(candor.SourceMastodon, secret, []byte(`{"event":"status.created","object":{"account":{"id":"99"}}}`)))
	d.expect("masto", "page")
}

func TestANoticeThatCouldNotBeQueuedIsWantedAgain(t *testing.T) {
	d := open(t)
	d.full = errors.New("the queue is down")
	if code := d.notice("page", page(1)); code != http.StatusServiceUnavailable {
		t.Errorf("answered %d", code)
	}
	d.full = nil
	if code := d.notice("page", page(1)); code != http.StatusOK {
		t.Errorf("answered %d", code)
	}
	d.expect("page")
}

func TestTroubleOfTheStoreIsNoRefusal(t *testing.T) {
	d := open(t)
	d.failing = errors.New("the database is down")
	for range 50 {
		if code := d.notice("page", page(1)); code != http.StatusServiceUnavailable {
			t.Fatalf("answered %d", code)
		}
	}
	if d.asked != 1 {
		t.Errorf("a store that is down was asked %d times at once", d.asked)
	}
	d.failing = nil
	d.pass(2 * time.Second)
	if code := d.notice("page", page(1)); code != http.StatusOK {
		t.Errorf("answered %d", code)
	}
	d.expect("page")
}

func TestANewSourceHasAHookWithinSeconds(t *testing.T) {
	d := open(t)
	d.notice("page", page(1))
	d.sources = append(d.sources, candor.Source{ID: "new", Kind: candor.SourceFacebook})
	d.secrets["new"] = secret
	d.secrets["page"] = "changed"
	if code := d.notice("new", page(2)); code != http.StatusNotFound {
		t.Errorf("at once: %d", code)
	}
	d.pass(fresh)
	d.polled = nil
	if code := d.notice("new", `{"object":"page","entry":[]}`); code != http.StatusOK {
		t.Errorf("later: %d", code)
	}
	d.expect("new")
	if code := d.notice("page", page(3)); code != http.StatusNotFound {
		t.Errorf("the old secret still opens: %d", code)
	}
}

func TestAClockSetBackDoesNotSilenceASource(t *testing.T) {
	d := open(t)
	d.notice("page", page(1))
	d.pass(-24 * time.Hour)
	d.notice("page", page(2))
	d.expect("page", "page")
}

// slow is a body that comes when it is let.
type slow struct{ let chan struct{} }

func (s slow) Read([]byte) (int, error) { <-s.let; return 0, io.EOF }

func TestTooManyAtOnceAreSentAway(t *testing.T) {
	d := open(t)
	let := make(chan struct{})
	var wait sync.WaitGroup
	for range atOnce {
		wait.Go(func() {
			d.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, Prefix+"page", slow{let}))
		})
	}
	h := d.Handler.(*handler)
	for deadline := time.Now().Add(5 * time.Second); len(h.slots) < atOnce; {
		if time.Now().After(deadline) {
			t.Fatal("the slots did not fill")
		}
		time.Sleep(time.Millisecond)
	}
	if code := d.notice("page", page(1)); code != http.StatusServiceUnavailable {
		t.Errorf("answered %d", code)
	}
	close(let)
	wait.Wait()
	if code := d.notice("page", page(1)); code != http.StatusOK {
		t.Errorf("afterwards: %d", code)
	}
}

func TestHooksAreServedToManyAtOnce(t *testing.T) {
	d := open(t)
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			for i := range 20 {
				for _, id := range []string{"page", "page2"} {
					req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Prefix+id, strings.NewReader(page(i)))
					req.Header = signed(candor.SourceFacebook, secret, []byte(page(i))).Header
					w := httptest.NewRecorder()
					d.ServeHTTP(w, req)
					if w.Code != http.StatusOK {
						t.Errorf("goroutine %d: %d", g, w.Code)
					}
				}
			}
		})
	}
	wait.Wait()
	d.expect("page")
}

func TestTheHandlerServesOverHTTP(t *testing.T) {
	d := open(t)
	srv := httptest.NewServer(d)
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+Prefix+"page", strings.NewReader(page(1)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = signed(candor.SourceFacebook, secret, []byte(page(1))).Header
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("answered %d", res.StatusCode)
	}
	d.expect("page")
}
