package browser

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"

	"github.com/candor-archive/candor/internal/netguard"
)

// shown borrows for an address, shows a page and waits for its load.
func shown(t *testing.T, p *Pool, origin, url string) *Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := p.Borrow(ForPage(ctx, origin+"/"))
	if err != nil {
		t.Fatal(err)
	}
	loads, stop := l.Target.Subscribe(page.LoadEventFired.Method)
	defer stop()
	nav, err := cdp.Call(ctx, l.Target, page.Navigate, page.NavigateParams{URL: url})
	if err != nil || nav.ErrorText != "" {
		t.Fatal(err, nav.ErrorText)
	}
	select {
	case <-loads:
	case <-ctx.Done():
		t.Fatal("the page did not load")
	}
	return l
}

func TestContextIsKeptForOneOriginAlone(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if to := r.URL.Query().Get("frame"); to != "" {
			fmt.Fprintf(w, `<!DOCTYPE html><p>words<iframe src=%q></iframe>`, to)
			return
		}
		fmt.Fprint(w, "<!DOCTYPE html><p>words")
	}))
	defer s.Close()
	other := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	p := open(t, func(c *Config) {
		c.Guard, c.Tabs, c.Keep = &netguard.Guard{AllowPrivate: true}, 2, 3
		c.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	last := cdp.BrowserContextID("")
	for _, c := range []struct {
		what, origin, path string
		kept               bool // the context is the one before
	}{
		{"the first", s.URL, "/", false},
		{"the same origin", s.URL, "/again", true},
		{"the same origin, with a frame of another", s.URL, "/?frame=" + other + "/", true},
		{"after a frame of another origin", s.URL, "/", false},
		{"another origin", other, "/", false},
		{"that one again", other, "/", true},
		{"and again", other, "/", true},
		{"more than a context is kept for", other, "/", false},
	} {
		began := time.Now()
		l := shown(t, p, c.origin, c.origin+c.path)
		ready := time.Since(began)
		if kept := l.Tab.context == last; kept != c.kept {
			t.Errorf("%s: the context is that of the capture before: %v, want %v", c.what, kept, c.kept)
		}
		last = l.Tab.context
		began = time.Now()
		l.Return(false)
		t.Logf("%s: %s to load, %s to return", c.what, ready.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.slots[0].idle); n > p.cfg.Tabs {
		t.Errorf("%d tabs are put by", n)
	}
}
