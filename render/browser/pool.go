package browser

import (
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"sync"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/internal/netguard"
	"github.com/candor-archive/candor/render/proxy"
)

// Config says how browsers are started.
type Config struct {
	Chrome string // path or name; found by Find when empty
	Size   int    // browsers at most; 1 when zero
	// Tabs is how many captures one browser makes at once, so that another goes
	// on while a page is waited for; DefaultTabs when zero.
	Tabs   int
	Guard  *netguard.Guard
	Limits proxy.Limits
	Log    *slog.Logger
	// Recycle is how many captures one browser makes before it is replaced;
	// 100 when zero.
	Recycle int
	// Memory is how many bytes of their own a browser's processes may hold
	// together, between captures, before it is replaced; 1 GiB when zero.
	Memory int64
	// Drain is how long the other captures of a browser that must be replaced
	// have to finish; 90 s when zero.
	Drain time.Duration
	// Dir is where profiles are kept while browsers run; the system's temporary
	// directory when empty.
	Dir string
}

// DefaultTabs is how many captures a browser makes at once unless told.
const DefaultTabs = 3

// Pool lends browsers. It is safe for use by several goroutines.
type Pool struct {
	cfg Config

	mu      sync.Mutex
	slots   []*slot
	changed chan struct{} // closed, and made anew, when a borrower may have better luck
	closed  bool
	done    chan struct{}
}

// slot is one place in the pool: a browser, or nil before it is started.
type slot struct {
	chrome   *chrome
	starting bool
	draining bool // lends no more, and is emptied when the last lease is back
	leases   int
	used     int
	checked  time.Time // when its memory was last looked at
	kill     *time.Timer
}

// Find gives the Chrome to use: $CANDOR_CHROME when set, else the first of the
// usual names on the path. The headless shell comes first: it is the same engine
// without the windows, whose price is a good part of a capture's. Without one it fails with Unavailable and says what
// to install.
func Find(getenv func(string) string) (string, error) {
	names := []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	if own := getenv("CANDOR_CHROME"); own != "" {
		names = []string{own}
	}
	for _, n := range names {
		if path, err := exec.LookPath(n); err == nil {
			return path, nil
		}
	}
	if own := getenv("CANDOR_CHROME"); own != "" {
		return "", candor.Errorf(candor.Unavailable, "CANDOR_CHROME names %s, which cannot be run: correct it, or unset it and install chromium", own)
	}
	return "", candor.Errorf(candor.Unavailable, "no Chrome found: install it (Debian: apt-get install chromium), or set CANDOR_CHROME to its path")
}

// Open makes a pool. No browser is started before the first is borrowed, or
// Warm is called, but a missing Chrome is found out here. Profiles that a killed
// program left behind are removed, and the browsers that ran on them ended.
func Open(ctx context.Context, cfg Config) (*Pool, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Guard == nil {
		cfg.Guard = &netguard.Guard{}
	}
	cfg.Size = max(cfg.Size, 1)
	if cfg.Tabs <= 0 {
		cfg.Tabs = DefaultTabs
	}
	if cfg.Recycle == 0 {
		cfg.Recycle = 100
	}
	if cfg.Memory == 0 {
		cfg.Memory = 1 << 30
	}
	if cfg.Drain == 0 {
		cfg.Drain = 90 * time.Second
	}
	if cfg.Chrome == "" {
		path, err := Find(getenv)
		if err != nil {
			return nil, err
		}
		cfg.Chrome = path
	} else if path, err := exec.LookPath(cfg.Chrome); err != nil {
		return nil, candor.Errorf(candor.Unavailable, "no Chrome at %s: install it (Debian: apt-get install chromium), or name another: %w", cfg.Chrome, err)
	} else {
		cfg.Chrome = path
	}
	removeStale(cfg.Dir, cfg.Log)
	p := &Pool{cfg: cfg, changed: make(chan struct{}), done: make(chan struct{})}
	for range cfg.Size {
		p.slots = append(p.slots, &slot{})
	}
	return p, ctx.Err()
}

// Captures is how many captures the pool can have under way at once.
func (p *Pool) Captures() int { return p.cfg.Size * p.cfg.Tabs }

// Warm starts a browser ahead of the first capture and fails when it does not
// start or, tried with a small page, is none that captures can be made with. The
// others start when one is not enough.
func (p *Pool) Warm(ctx context.Context) error {
	l, err := p.Borrow(ctx)
	if err == nil {
		l.Return(false)
	}
	return err
}

// Close waits for the browsers that are lent to come back, then ends them all.
// It returns once their processes and profiles are gone.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		<-p.done
		return nil
	}
	p.closed = true
	p.notify()
	for p.busy() {
		changed := p.changed
		p.mu.Unlock()
		<-changed
		p.mu.Lock()
	}
	var all sync.WaitGroup
	for _, s := range p.slots {
		if c := s.chrome; c != nil {
			s.chrome = nil
			all.Go(c.stop)
		}
	}
	p.mu.Unlock()
	all.Wait()
	close(p.done)
	return nil
}

// busy reports whether a browser is lent, starting or being replaced.
func (p *Pool) busy() bool {
	for _, s := range p.slots {
		if s.leases > 0 || s.starting {
			return true
		}
	}
	return false
}

func (p *Pool) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

var errClosed = candor.Errorf(candor.Unavailable, "borrow a browser: the pool is closed")

// Borrow waits for a free place in a browser, starts the browser if need be, and
// opens a fresh context in it. An error is trouble of ours, not of a page: trying
// again may help. Give every lease back.
func (p *Pool) Borrow(ctx context.Context) (*Lease, error) {
	var last error
	for range 2 { // a browser that died since its last capture is replaced once
		s, err := p.seat(ctx)
		if err != nil {
			return nil, err
		}
		l, err := p.open(ctx, s)
		if err == nil {
			return l, nil
		}
		last = err
		p.release(s, ctx.Err() == nil)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, candor.Errorf(candor.Unavailable, "open a page in the browser: %w", last)
}

// seat takes a place in the browser that has the fewest captures under way and
// sees to it that the browser runs.
func (p *Pool) seat(ctx context.Context) (*slot, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.closed {
			return nil, errClosed
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var best *slot
		for _, s := range p.slots {
			if s.chrome != nil && !s.draining && (s.chrome.dead() || s.used >= p.cfg.Recycle) {
				p.drain(s)
			}
			if s.starting || s.draining || s.leases >= p.cfg.Tabs {
				continue
			}
			// An idle place without a browser comes after one with a browser only
			// when that one is idle, too: starting costs more than it gains.
			if best == nil || s.leases < best.leases || s.leases == best.leases && best.chrome == nil && s.chrome != nil {
				best = s
			}
		}
		if best != nil {
			best.leases++
			if best.chrome != nil {
				best.used++
				return best, nil
			}
			best.starting = true
			p.mu.Unlock()
			c, err := p.launch(ctx)
			p.mu.Lock()
			best.starting = false
			p.notify()
			if err != nil {
				best.leases--
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				return nil, candor.Errorf(candor.Unavailable, "start a browser: %w", err)
			}
			best.chrome, best.used, best.checked = c, 1, time.Now()
			return best, nil
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-changed:
		}
		p.mu.Lock()
	}
}

// launch starts a browser and, when it is the first of its build, tries it.
func (p *Pool) launch(ctx context.Context) (*chrome, error) {
	c, err := start(ctx, p.cfg)
	if err != nil {
		return nil, err
	}
	if err := c.canary(ctx, p.cfg.Chrome); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// open makes the lease: a proxy of its own and a page that can reach nothing
// but it.
func (p *Pool) open(ctx context.Context, s *slot) (*Lease, error) {
	px, err := proxy.Start(p.cfg.Guard, p.cfg.Limits, p.cfg.Log)
	if err != nil {
		return nil, err
	}
	visit := px.Begin()
	tab, err := s.chrome.newTab(ctx, px)
	if err != nil {
		return nil, errors.Join(err, px.Close())
	}
	return &Lease{Tab: tab, Visit: visit, Proxy: px, pool: p, slot: s}, nil
}

func (p *Pool) closeProxy(px *proxy.Proxy) {
	if err := px.Close(); err != nil {
		p.cfg.Log.Error("close a page's proxy", "error", err)
	}
}

// drain lets no more captures into a browser. Those under way have a limited
// time; when the last is back, the browser is ended. The caller holds the lock.
func (p *Pool) drain(s *slot) {
	if s.draining {
		return
	}
	s.draining = true
	if s.leases == 0 {
		p.empty(s)
		return
	}
	c := s.chrome
	s.kill = time.AfterFunc(p.cfg.Drain, func() {
		p.cfg.Log.Warn("a browser that is to be replaced is ended in the midst of captures", "after", p.cfg.Drain)
		c.kill()
	})
}

// empty ends a browser nobody has on loan and frees its place. The caller holds
// the lock.
func (p *Pool) empty(s *slot) {
	c := s.chrome
	s.starting = true // nobody else touches it meanwhile
	if s.kill != nil {
		s.kill.Stop()
	}
	go func() {
		c.stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		s.chrome, s.kill, s.starting, s.draining, s.used = nil, nil, false, false, 0
		p.notify()
	}()
}

// lookEvery is how often a browser's memory is looked at, at most: all processes
// of the machine must be read for it.
const lookEvery = 10 * time.Second

// release takes a place back; spent says that the browser cannot go on.
func (p *Pool) release(s *slot, spent bool) {
	c := s.chrome // does not change while it is on loan
	full := false
	if !spent && c != nil && !c.dead() {
		p.mu.Lock()
		look := !s.draining && time.Since(s.checked) > lookEvery
		if look {
			s.checked = time.Now()
		}
		p.mu.Unlock()
		if look {
			if n := memoryOf(c.cmd.Process.Pid); n > p.cfg.Memory {
				full = true
				p.cfg.Log.Info("a browser holds much memory and is replaced", "bytes", n)
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s.leases--
	switch {
	case s.chrome == nil:
	case s.draining && s.leases == 0:
		p.empty(s)
	case spent || full || c.dead():
		p.drain(s)
	}
	p.notify()
}
