package page

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures/pages"
	"github.com/candor-archive/candor/render/browser"
	"github.com/candor-archive/candor/render/proxy"
)

// impatient shortens the limits for pages that never end.
func impatient(_ *candor.CaptureSpec, l *Limits) {
	l.Total, l.Navigate, l.Load, l.Quiet, l.Settle, l.Scroll, l.Picture = 15*time.Second, 3*time.Second, 3*time.Second, time.Second, time.Second, 2*time.Second, 6*time.Second
	l.Answer, l.Height, l.Body, l.SnapshotMB = 3*time.Second, 20_000, 1<<20, 50
}

// healthy checks that the worker still captures an ordinary page.
func healthy(t *testing.T) {
	t.Helper()
	s := site(t, map[string]any{"/": `<!DOCTYPE html><title>Fine</title><p>fine`})
	capture(t, s.URL+"/").want(candor.Complete, "")
}

// bound is the longest a hostile page may take: the limit on the whole, and
// what ending a page that does not answer takes.
const bound = 45 * time.Second

// greedy are the pages that keep a core or the memory busy for long.
var greedy = []string{
	"hostile-while", "hostile-while-loading", "hostile-memory", "hostile-memory-buffers", "hostile-huge-dom", "hostile-growth-always",
	"hostile-sheets", "hostile-deep", "hostile-push", "hostile-frames-storm", "hostile-layout", "hostile-uses", "hostile-picture",
	"hostile-frames", "hostile-requests", "hostile-workers", "hostile-mutates", "hostile-dialogs-forever", "hostile-endless",
	"hostile-refresh", // which a neighbour can slow down until it seems to stand still
}

// long are the pages that come to an end, on a busy machine a late one.
var long = []string{"hostile-requests", "hostile-dialogs", "hostile-sheets", "hostile-workers"}

func TestHostilePagesEndWithAnOutcome(t *testing.T) {
	server, err := pages.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() }) // of a server that has nothing to lose
	permit(t, server.Hosts()...)
	var all []pages.Page
	for _, p := range pages.All() {
		if p.Group == pages.Hostile && (os.Getenv("CANDOR_PAGE") == "" || os.Getenv("CANDOR_PAGE") == p.Name) {
			all = append(all, p)
		}
	}
	type ended struct {
		m    candor.Manifest
		err  error
		took time.Duration
	}
	many, err := browser.Open(t.Context(), browser.Config{Chrome: chromePath, Size: 1, Tabs: 6, Guard: guard, Dir: base,
		Limits: proxy.Limits{Bytes: 64 << 20}, Log: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer many.Close()
	dirs, results := t.TempDir(), make([]ended, len(all))
	visit := func(i int) {
		p := all[i]
		l, err := many.Borrow(t.Context()) // may start a browser, which is not the page's time
		if err != nil {
			results[i].err = err
			return
		}
		spec := candor.CaptureSpec{ID: candor.NewID(), URL: server.URL(p), Profile: p.Profile, Policy: p.Policy, ScheduledAt: time.Now()}
		var limits Limits
		impatient(&spec, &limits)
		if slices.Contains(long, p.Name) {
			limits.Total, limits.Load, limits.Answer = 35*time.Second, 12*time.Second, 12*time.Second
		}
		began := time.Now()
		r := &Renderer{Pool: lent{l}, Limits: limits}
		results[i].m, results[i].err = r.Capture(t.Context(), spec, filepath.Join(dirs, p.Name))
		results[i].took = time.Since(began)
	}
	// Those that only make us wait go at once: that they leave each other alone
	// is part of what is tested. Those that keep a core busy follow two by two, so
	// that the limits measure the page and not its neighbours.
	var greedyOnes, others []int
	for i, p := range all {
		if slices.Contains(greedy, p.Name) {
			greedyOnes = append(greedyOnes, i)
		} else {
			others = append(others, i)
		}
	}
	inTurn := func(list []int, atOnce int) {
		var running sync.WaitGroup
		next := make(chan int)
		for range atOnce {
			running.Go(func() {
				for i := range next {
					visit(i)
				}
			})
		}
		for _, i := range list {
			next <- i
		}
		close(next)
		running.Wait()
	}
	inTurn(others, 5)
	inTurn(greedyOnes, 2)
	late := 0
	for i, p := range all {
		t.Run(p.Name, func(t *testing.T) {
			r := results[i]
			t.Logf("%s, %s (%s)", r.took.Round(time.Millisecond), r.m.Outcome, r.m.Reason)
			if r.err != nil {
				t.Fatal(r.err)
			}
			if r.took > bound {
				t.Errorf("it took %s", r.took)
			}
			got := captured{r.m, t, filepath.Join(dirs, p.Name)}
			got.check()
			// What a page must come to holds where there was time enough for it. On a
			// busy machine the limits may come first, and the capture must say so.
			if slices.ContainsFunc(got.Gaps, func(g candor.Gap) bool {
				return g.Code == candor.GapSlow || g.Code == candor.GapScript || g.Code == candor.GapCrashed
			}) && (slices.Contains(greedy, p.Name) || slices.Contains(long, p.Name) || p.Want.Gap != candor.GapSlow) {
				if got.Outcome == candor.Complete {
					t.Errorf("complete with the gaps %+v", got.Gaps)
				}
				if !slices.Contains(greedy, p.Name) {
					late++
				}
				return
			}
			if w := p.Want; w.Outcome != "" && got.Outcome != w.Outcome {
				t.Errorf("outcome %s (%s), want %s; steps %+v", got.Outcome, got.Reason, w.Outcome, got.Steps)
			}
			if w := p.Want.Gap; w != "" && !slices.ContainsFunc(got.Gaps, func(g candor.Gap) bool { return g.Code == w }) {
				t.Errorf("gaps %+v, want one of %s", got.Gaps, w)
			}
			for _, words := range p.Want.Text {
				if !strings.Contains(got.read("text.txt"), words) {
					t.Errorf("the text lacks %q", words)
				}
			}
		})
	}
	if late > len(others)/3 {
		t.Errorf("%d of %d pages that cost little ran out of time", late, len(others))
	}
	if n := server.Trespasses(); n != 0 {
		t.Errorf("the inside was reached %d times", n)
	}
	healthy(t)
}

// lent hands out a place that was borrowed before.
type lent struct{ lease *browser.Lease }

func (l lent) Borrow(context.Context) (*browser.Lease, error) { return l.lease, nil }

func TestPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		fmt.Fprint(w, "the inside")
	}))
	defer inside.Close()
	s := site(t, map[string]any{
		"/redirect": http.RedirectHandler(inside.URL, http.StatusFound),
		"/parts": `<!DOCTYPE html><title>P</title><p>words</p><img src="` + inside.URL + `/i.png"><iframe src="` + inside.URL + `/f"></iframe><script>
			fetch('` + inside.URL + `/x').catch(()=>{});new WebSocket('` + strings.Replace(inside.URL, "http", "ws", 1) + `/w');fetch('` + strings.Replace(inside.URL, "http", "https", 1) + `/s').catch(()=>{})</script>`,
	})
	direct := capture(t, inside.URL+"/")
	direct.want(candor.Failed, "address refused: "+strings.TrimPrefix(inside.URL, "http://"))
	if direct.HTTPStatus != 0 || direct.RemoteAddr != "" {
		t.Errorf("status %d, address %s of a page that was not reached", direct.HTTPStatus, direct.RemoteAddr)
	}
	if _, ok := direct.File(candor.Screenshot); ok {
		t.Error("a picture of our refusal passes for one of the page")
	}
	tls := capture(t, strings.Replace(inside.URL, "http", "https", 1)+"/")
	tls.want(candor.Failed, "address refused: ")
	capture(t, s.URL+"/redirect").want(candor.Failed, "address refused: ")
	parts := capture(t, s.URL+"/parts")
	parts.want(candor.Partial, "refused")
	for _, part := range []string{"/i.png", "/f", "/x"} {
		found := false
		for _, r := range parts.Refused {
			found = found || r.URL == inside.URL+part && strings.Contains(r.Reason, "loopback")
		}
		if !found {
			t.Errorf("the manifest does not list %s: %+v", part, parts.Refused)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the inside was reached %d times", n)
	}
}

func TestUnreachableServerIsAFailedCapture(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	permit(t, addr)
	capture(t, "http://"+addr+"/").want(candor.Failed, "could not be reached")
	capture(t, "https://"+addr+"/").want(candor.Failed, "could not be reached")
	capture2 := func(url, reason string) {
		t.Helper()
		m, err := (&Renderer{Pool: pool}).Capture(context.Background(), candor.CaptureSpec{ID: "x", URL: url}, t.TempDir())
		if err != nil || m.Outcome != candor.Failed || !strings.Contains(m.Reason, reason) {
			t.Errorf("%s: %v %+v", url, err, m)
		}
	}
	capture2("file:///etc/passwd", "must begin with http")
	capture2("http://a:b@example.org/", "password")
}

func TestChromeKilledWhileCapturingIsAnErrorAndTheNextCaptureWorks(t *testing.T) {
	asked := make(chan struct{}, 10)
	s := site(t, map[string]any{"/": func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}})
	killer := &killingPool{asked: asked}
	dir := filepath.Join(t.TempDir(), "c")
	_, err := (&Renderer{Pool: killer}).Capture(context.Background(), candor.CaptureSpec{ID: "x", URL: s.URL + "/"}, dir)
	if !candor.IsKind(err, candor.Unavailable) {
		t.Fatalf("got %v, want Unavailable", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err == nil {
		t.Error("there is a manifest of a capture that was not made")
	}
	healthy(t)
}

func TestCallerCanGiveUp(t *testing.T) {
	asked := make(chan struct{}, 10)
	s := site(t, map[string]any{"/": func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-asked; cancel() }()
	_, err := (&Renderer{Pool: pool}).Capture(ctx, candor.CaptureSpec{ID: "x", URL: s.URL + "/"}, t.TempDir())
	if err == nil || ctx.Err() == nil {
		t.Fatalf("got %v", err)
	}
	healthy(t)
}
