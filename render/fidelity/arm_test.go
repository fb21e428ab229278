package fidelity

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures/pages"
	"github.com/candor-archive/candor/render/page"
)

// arm is one way to visit pages that is measured against the others.
type arm struct {
	name   string
	short  string
	atOnce int // visits under way when it races
	procs  []browsers
	visit  func(ctx context.Context, p pages.Page) error
	rest   func(ctx context.Context) error // leaves nothing at work
	close  func()

	mu    sync.Mutex
	steps map[string][]time.Duration // from the manifests, by step
}

// cpu is what the arm's browsers have used so far.
func (a *arm) cpu() (sum time.Duration) {
	for _, b := range a.procs {
		sum += b.cpu()
	}
	return sum
}

func bareArm(tb testing.TB, s *site, workers int) *arm {
	tb.Helper()
	return bareArmIn(tb, s, workers, findChrome(tb), "bare loop", "bare")
}

func bareArmIn(tb testing.TB, s *site, workers int, chrome, name, short string) *arm {
	tb.Helper()
	ctx := context.Background()
	f, err := startFleet(ctx, workers, chrome, tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	a := &arm{name: name, short: short, atOnce: workers, close: f.close,
		visit: func(ctx context.Context, p pages.Page) error { return f.visit(ctx, s, p) }}
	for _, l := range f.all() {
		a.procs = append(a.procs, browsers{pid: l.chrome.PID()})
	}
	a.rest = func(ctx context.Context) error {
		for _, l := range f.all() {
			if err := l.blank(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	return a
}

// freshArm is the bare loop with a browser context for every page, as captures
// have: what keeping visits apart costs by itself.
func freshArm(tb testing.TB, s *site) *arm {
	tb.Helper()
	c, err := StartChrome(context.Background(), findChrome(tb), "")
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	return &arm{name: "bare loop, a fresh context each", short: "fresh", close: c.Close, procs: []browsers{{pid: c.PID()}},
		rest: func(context.Context) error { return nil },
		visit: func(ctx context.Context, p pages.Page) error {
			tctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
			defer cancel()
			if err := chromedp.Do(tctx); err != nil {
				return err
			}
			l := &bareLoop{chrome: c, target: chromedp.FromContext(tctx).Target, loaded: make(chan struct{}, 64), path: filepath.Join(dir, "fresh.png")}
			if err := l.prepare(ctx, tctx); err != nil {
				return err
			}
			return l.visit(ctx, s.URLs[p.Name], viewOf(p.Profile))
		}}
}

// rendererArm is our own renderer, changed as told. Its browsers are not
// replaced while they are measured, unless recycle says so: what a browser used
// is known only as long as it lives.
func rendererArm(tb testing.TB, s *site, name, short string, workers, recycle int, change func(*page.Renderer)) *arm {
	tb.Helper()
	profiles, out := tb.TempDir(), tb.TempDir()
	pool := openPool(tb, s, workers, recycle, profiles)
	r := &page.Renderer{Pool: pool, Software: "candor/bench"}
	if change != nil {
		change(r)
	}
	a := &arm{name: name, short: short, atOnce: pool.Captures(), procs: []browsers{{profiles: profiles}}, steps: map[string][]time.Duration{},
		rest: func(context.Context) error { return nil }}
	a.close = func() {
		if err := pool.Close(); err != nil {
			tb.Error(err)
		}
	}
	a.visit = func(ctx context.Context, p pages.Page) error {
		m, dir, err := capture(ctx, r, s, p, out)
		if err != nil {
			return err
		}
		if m.Outcome == candor.Failed {
			return fmt.Errorf("capture %s: %s", p.Name, m.Reason)
		}
		a.mu.Lock()
		for _, st := range m.Steps {
			a.steps[st.Name] = append(a.steps[st.Name], st.Duration)
		}
		a.mu.Unlock()
		return os.RemoveAll(dir)
	}
	return a
}

// outDir is where benchmarks leave tables and pictures: $CANDOR_BENCH_OUT, or
// bench-out at the top of the checkout.
func outDir(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("CANDOR_BENCH_OUT")
	if dir == "" {
		dir = filepath.Join("..", "..", "bench-out")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// publish prints a table and keeps it in a file of outDir.
func publish(tb testing.TB, name, text string) {
	tb.Helper()
	path := filepath.Join(outDir(tb), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
	fmt.Printf("\n%s\n(also in %s)\n", text, path)
}

// progress says on standard error how far a benchmark is.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}
