package browser

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	cdpruntime "github.com/chromedp/cdproto/runtime"

	"github.com/candor-archive/candor"
)

// running lists the processes that use a profile below dir.
func running(dir string) (n int) {
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range names {
		if b, err := os.ReadFile(name); err == nil && strings.Contains(string(b), "--user-data-dir="+dir) {
			n++
		}
	}
	return n
}

func open(t *testing.T, change func(*Config)) *Pool {
	t.Helper()
	chrome, err := Find(os.Getenv)
	if err != nil {
		t.Skip("Chrome is not installed:", err)
	}
	cfg := Config{Chrome: chrome, Dir: t.TempDir()}
	if change != nil {
		change(&cfg)
	}
	p, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Close()
		if n := running(cfg.Dir); n != 0 {
			t.Errorf("%d processes are left", n)
		}
		left, _ := filepath.Glob(filepath.Join(cfg.Dir, "*"))
		if len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return p
}

func borrow(t *testing.T, p *Pool) *Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	l, err := p.Borrow(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// works checks that a page of the lease still answers.
func works(t *testing.T, l *Lease) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	res, err := cdp.Call(ctx, l.Target, cdpruntime.Evaluate, cdpruntime.EvaluateParams{Expression: "6*7", ReturnByValue: new(true)})
	if err != nil || string(res.Result.Value) != "42" {
		t.Errorf("the page does not answer: %v", err)
	}
}

func TestBrowserIsKeptThenReplacedWhenOldOrDead(t *testing.T) {
	p := open(t, func(c *Config) { c.Recycle = 2 })
	a := borrow(t, p)
	first := a.slot.chrome
	if n := running(p.cfg.Dir); n == 0 {
		t.Error("no process runs on the profile")
	}
	a.Return(false)
	b := borrow(t, p)
	if b.slot.chrome != first {
		t.Error("the browser was not kept warm")
	}
	b.Return(false)
	c := borrow(t, p)
	second := c.slot.chrome
	if second == first {
		t.Error("the browser was not replaced after its captures")
	}
	c.Kill()
	select {
	case <-c.Gone():
	case <-time.After(20 * time.Second):
		t.Fatal("the death of the browser was not noticed")
	}
	c.Return(false)
	d := borrow(t, p)
	if d.slot.chrome == second {
		t.Error("a dead browser was lent")
	}
	if _, err := os.Stat(second.dir.path); err == nil {
		t.Error("the profile of the dead browser is still there")
	}
	d.Return(false)
}

func TestCapturesInOneBrowserDoNotMeet(t *testing.T) {
	p := open(t, func(c *Config) { c.Tabs = 2 })
	a, b := borrow(t, p), borrow(t, p)
	if a.slot.chrome != b.slot.chrome {
		t.Error("the second capture is not in the same browser")
	}
	if a.Tab.context == b.Tab.context || a.Proxy == b.Proxy {
		t.Error("two captures share a context or a proxy")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if l, err := p.Borrow(ctx); err == nil {
		t.Error("more captures at once than there are places")
		l.Return(false)
	}

	// A page that hangs, and is known to, costs its neighbour nothing.
	hang, stop := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer stop()
	if _, err := cdp.Call(hang, a.Target, cdpruntime.Evaluate, cdpruntime.EvaluateParams{Expression: "while(true);"}); err == nil {
		t.Fatal("the page did not hang")
	}
	began := time.Now()
	a.Return(true)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("ending a page that hangs took %s", took)
	}
	works(t, b)
	c := borrow(t, p)
	if c.slot.chrome != b.slot.chrome {
		t.Error("the browser was replaced for the sake of one page")
	}
	works(t, c)

	// One that crashes does not either.
	crash, stop2 := context.WithTimeout(context.Background(), time.Second)
	defer stop2()
	_, err := cdp.Call(crash, b.Target, page.Navigate, page.NavigateParams{URL: "chrome://crash"})
	t.Log("navigated to a crash:", err)
	b.Return(true)
	works(t, c)
	c.Return(false)
}

func TestBrowserToBeReplacedLetsOtherCapturesFinish(t *testing.T) {
	p := open(t, func(c *Config) { c.Tabs, c.Memory = 2, 1 })
	a, b := borrow(t, p), borrow(t, p)
	old := b.slot.chrome
	if n := memoryOf(old.cmd.Process.Pid); n < 50<<20 || n > 4<<30 {
		t.Errorf("the browser's memory is said to be %d bytes", n)
	}
	p.mu.Lock()
	a.slot.checked = time.Time{}
	p.mu.Unlock()
	a.Return(false)
	works(t, b)
	done := make(chan *Lease)
	go func() {
		l, err := p.Borrow(t.Context())
		if err != nil {
			t.Error(err)
		}
		done <- l
	}()
	select {
	case <-done:
		t.Error("a browser to be replaced was lent")
	case <-time.After(100 * time.Millisecond):
	}
	works(t, b)
	b.Return(false)
	c := <-done
	if c == nil {
		return
	}
	if c.slot.chrome == old {
		t.Error("the browser was not replaced")
	}
	c.Return(false)
}

func TestWaitingForOtherCapturesIsLimited(t *testing.T) {
	p := open(t, func(c *Config) { c.Tabs, c.Drain = 2, 50*time.Millisecond })
	a, b := borrow(t, p), borrow(t, p)
	p.release(a.slot, true) // as for a page that cannot be closed
	select {
	case <-b.Gone():
	case <-time.After(20 * time.Second):
		t.Fatal("the browser that cannot close a page lives on")
	}
	b.Return(false)
	if err := a.Proxy.Close(); err != nil {
		t.Error(err)
	}
}

func TestBrowsersThatCannotDoTheWorkAreRefused(t *testing.T) {
	for product, want := range map[string]string{"Chrome/90.0.1.2": "older", "Firefox": "older"} {
		if err := (&chrome{product: product}).sing(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", product, err)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 64, 256))); err != nil {
		t.Fatal(err)
	}
	if err := canaryPicture(b.Bytes()); err == nil || !strings.Contains(err.Error(), "colour") {
		t.Errorf("a black picture: %v", err)
	}
	if err := canaryPicture(nil); err == nil {
		t.Error("no picture passes")
	}
}

func TestWarmPoolHasItsBrowsersRunning(t *testing.T) {
	p := open(t, nil)
	if err := p.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p.slots[0].chrome == nil {
		t.Error("no browser runs")
	}
	if _, ok := proven.Load(p.cfg.Chrome + " " + p.slots[0].chrome.product); !ok {
		t.Error("the browser was not tried")
	}
}

func TestMissingChromeIsExplained(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Find(func(string) string { return "" })
	if !candor.IsKind(err, candor.Unavailable) || !strings.Contains(err.Error(), "apt-get install chromium") {
		t.Errorf("got %v", err)
	}
	_, err = Find(func(string) string { return "/nowhere/chrome" })
	if !candor.IsKind(err, candor.Unavailable) || !strings.Contains(err.Error(), "/nowhere/chrome") {
		t.Errorf("got %v", err)
	}
}

func TestBrowserThatCannotStartIsAnError(t *testing.T) {
	fake := filepath.Join(t.TempDir(), "chrome")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\necho no display >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := open(t, func(c *Config) { c.Chrome = fake })
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := p.Borrow(ctx); !candor.IsKind(err, candor.Unavailable) || !strings.Contains(err.Error(), "no display") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(fake, []byte("#!/bin/sh\necho FATAL: No usable sandbox! >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := p.Warm(ctx); !candor.IsKind(err, candor.Unavailable) || !strings.Contains(err.Error(), "user namespaces") {
		t.Errorf("got %v", err)
	}
}

func TestProfilesOfAKilledProgramAreRemoved(t *testing.T) {
	dir := t.TempDir()
	inUse, err := newProfile(dir)
	if err != nil {
		t.Fatal(err)
	}
	left, err := newProfile(dir)
	if err != nil {
		t.Fatal(err)
	}
	left.lock.Close() // as a kill does
	orphan := exec.Command("sh", "-c", "read x", "sh", "--user-data-dir="+left.path)
	if _, err := orphan.StdinPipe(); err != nil { // it reads without end
		t.Fatal(err)
	}
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- orphan.Wait() }()
	open(t, func(c *Config) { c.Dir = dir })
	if _, err := os.Stat(left.path); err == nil {
		t.Error("the old profile is still there")
	}
	if _, err := os.Stat(inUse.path); err != nil {
		t.Error("a profile in use was removed")
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("what ran on the old profile still runs")
		orphan.Process.Kill()
	}
	if err := inUse.remove(); err != nil {
		t.Error(err)
	}
}
