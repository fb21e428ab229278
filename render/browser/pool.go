package browser

import (
	"context"
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
	Size   int    // browsers at most, and so captures at once; 1 when zero
	Guard  *netguard.Guard
	Limits proxy.Limits
	Log    *slog.Logger
	// Recycle is how many captures one browser makes before it is replaced;
	// 100 when zero.
	Recycle int
	// Dir is where profiles are kept while browsers run; the system's temporary
	// directory when empty.
	Dir string
}

// Pool lends browsers. It is safe for use by several goroutines.
type Pool struct {
	cfg    Config
	slots  chan *slot // every slot not lent
	closed chan struct{}
	once   sync.Once
}

// slot is one place in the pool: a browser, or nil before it is started.
type slot struct{ chrome *chrome }

// Find gives the Chrome to use: $CANDOR_CHROME when set, else the first of the
// usual names on the path. Without one it fails with Unavailable and says what
// to install.
func Find(getenv func(string) string) (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
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

// Open makes a pool. No browser is started before the first is borrowed, but a
// missing Chrome is found out here. Profiles that a killed program left behind
// are removed.
func Open(ctx context.Context, cfg Config) (*Pool, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Guard == nil {
		cfg.Guard = &netguard.Guard{}
	}
	cfg.Size = max(cfg.Size, 1)
	if cfg.Recycle == 0 {
		cfg.Recycle = 100
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
	p := &Pool{cfg: cfg, slots: make(chan *slot, cfg.Size), closed: make(chan struct{})}
	for range cfg.Size {
		p.slots <- &slot{}
	}
	return p, ctx.Err()
}

// Close waits for the browsers that are lent to come back, then ends them all.
// It returns once their processes and profiles are gone.
func (p *Pool) Close() error {
	p.once.Do(func() {
		close(p.closed)
		for range p.cfg.Size {
			s := <-p.slots
			s.stop()
		}
	})
	return nil
}

// Lease is one browser lent for one capture, with a fresh browser context: no
// cookie, cache or storage of another capture is in it.
type Lease struct {
	*Tab
	Visit *proxy.Visit
	Proxy *proxy.Proxy

	pool *Pool
	slot *slot
}

// Borrow waits for a free browser, starts it if need be, and opens a fresh
// context in it. An error is trouble of ours, not of a page: trying again may
// help. Give every lease back.
func (p *Pool) Borrow(ctx context.Context) (*Lease, error) {
	var s *slot
	select {
	case <-p.closed:
		return nil, candor.Errorf(candor.Unavailable, "borrow a browser: the pool is closed")
	default:
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closed:
		return nil, candor.Errorf(candor.Unavailable, "borrow a browser: the pool is closed")
	case s = <-p.slots:
	}
	var last error
	for range 2 { // a browser that died since its last capture is replaced once
		if s.chrome != nil && (s.chrome.used >= p.cfg.Recycle || s.chrome.dead()) {
			s.stop()
		}
		if s.chrome == nil {
			c, err := start(ctx, p.cfg)
			if err != nil {
				last = err
				break
			}
			s.chrome = c
		}
		visit := s.chrome.proxy.Begin()
		tab, err := s.chrome.newTab(ctx)
		if err == nil {
			s.chrome.used++
			return &Lease{Tab: tab, Visit: visit, Proxy: s.chrome.proxy, pool: p, slot: s}, nil
		}
		last = err
		s.stop()
		if ctx.Err() != nil {
			break
		}
	}
	p.slots <- s
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, candor.Errorf(candor.Unavailable, "start a browser: %w", last)
}

// Return gives the browser back. A broken one, which hangs or has crashed, is
// ended at once; its successor starts with the next capture.
func (l *Lease) Return(broken bool) {
	c := l.slot.chrome
	if broken || c.dead() {
		l.slot.stop()
	} else if !l.Tab.close(closeTimeout) {
		c.log.Warn("a tab did not close, so its browser is replaced")
		l.slot.stop()
	}
	l.pool.slots <- l.slot
}

// Kill ends the browser's processes without any ceremony, as a crash would.
func (l *Lease) Kill() { l.slot.chrome.kill() }

// Product is the browser's own name and build.
func (l *Lease) Product() string { return l.slot.chrome.product }

// Agent is the browser's user agent without the word that says it is headless.
func (l *Lease) Agent() string { return l.slot.chrome.agent }

const closeTimeout = 4 * time.Second

func (s *slot) stop() {
	if s.chrome != nil {
		s.chrome.stop()
		s.chrome = nil
	}
}
