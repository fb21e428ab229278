package browser

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	if _, err := os.Stat(second.dir.path); err == nil {
		t.Error("the profile of the dead browser is still there")
	}
	d := borrow(t, p)
	if d.slot.chrome == second {
		t.Error("a dead browser was lent")
	}
	d.Return(true)
	if n := running(p.cfg.Dir); n != 0 {
		t.Errorf("%d processes are left of a broken browser", n)
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
	if _, err := p.Borrow(ctx); !candor.IsKind(err, candor.Unavailable) {
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
	open(t, func(c *Config) { c.Dir = dir })
	if _, err := os.Stat(left.path); err == nil {
		t.Error("the old profile is still there")
	}
	if _, err := os.Stat(inUse.path); err != nil {
		t.Error("a profile in use was removed")
	}
	if err := inUse.remove(); err != nil {
		t.Error(err)
	}
}
