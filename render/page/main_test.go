package page

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/internal/netguard"
	"github.com/candor-archive/candor/render/browser"
)

// pool is the one pool of browsers all tests share.
var (
	pool  *browser.Pool
	guard = &netguard.Guard{}
	base  string // holds the browsers' profiles

	chromePath string
)

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	chrome, err := browser.Find(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "SKIP: Chrome is not installed, so nothing here can be tested:", err)
		if os.Getenv("CI") != "" {
			return 1
		}
		return 0
	}
	chromePath = chrome
	base, err = os.MkdirTemp("", "candor-page-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(base)
	if err := reserveSites(150); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	pool, err = browser.Open(context.Background(), browser.Config{Chrome: chrome, Size: 1, Guard: guard, Dir: base})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Captures mostly wait, so more of them go at once than there are cores.
	flag.Parse()
	if p := flag.Lookup("test.parallel"); p.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		if err := p.Value.Set(strconv.Itoa(max(browser.DefaultTabs, runtime.GOMAXPROCS(0)))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	code := m.Run()
	pool.Close()
	if left := leftovers(base); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "left behind:", left)
		return 1
	}
	return code
}

// leftovers finds Chrome processes that use a profile below base, and profiles.
func leftovers(base string) []string {
	var left []string
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, n := range lines {
		b, err := os.ReadFile(n)
		if err == nil && bytes.Contains(b, []byte(base)) && bytes.Contains(b, []byte("--type=")) {
			left = append(left, strings.ReplaceAll(string(b[:min(len(b), 200)]), "\x00", " "))
		}
	}
	dirs, _ := filepath.Glob(filepath.Join(base, "candor-chrome-*"))
	return append(left, dirs...)
}

// reserved are the addresses sites will have. The guard passes to them from the
// start, since it must not change while captures are under way, and they are
// never given up, so that no server that must not be reached gets one of them.
var reserved struct {
	all  []net.Listener
	next atomic.Int64
}

func reserveSites(n int) error {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		reserved.all = append(reserved.all, l)
		host := l.Addr().String()
		guard.Allow = append(guard.Allow, host, strings.Replace(host, "127.0.0.1", "localhost", 1))
	}
	return nil
}

// kept is a listener that takes no more when it is closed but keeps its address.
type kept struct {
	net.Listener
	closed atomic.Bool
}

func (k *kept) Accept() (net.Conn, error) {
	c, err := k.Listener.Accept()
	if k.closed.Load() {
		if err == nil {
			c.Close() // nobody is there any more to hear an error
		}
		return nil, net.ErrClosed
	}
	return c, err
}

func (k *kept) Close() error {
	k.closed.Store(true)
	return k.Listener.(*net.TCPListener).SetDeadline(time.Now())
}

// permit lets the guard pass to further addresses for the length of a test. No
// capture may be under way.
func permit(t *testing.T, hosts ...string) {
	t.Helper()
	before := guard.Allow
	guard.Allow = append(before[:len(before):len(before)], hosts...)
	t.Cleanup(func() { guard.Allow = before })
}

// site serves pages on loopback, where the guard lets captures pass.
func site(t *testing.T, pages map[string]any) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	for path, p := range pages {
		switch p := p.(type) {
		case string:
			mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				fmt.Fprint(w, p)
			})
		case func(http.ResponseWriter, *http.Request):
			mux.HandleFunc(path, p)
		case http.Handler:
			mux.Handle(path, p)
		default:
			t.Fatalf("no page can be made of %T", p)
		}
	}
	at := int(reserved.next.Add(1)) - 1
	if at >= len(reserved.all) {
		t.Fatal("more addresses must be reserved")
	}
	s := &httptest.Server{Listener: &kept{Listener: reserved.all[at]}, Config: &http.Server{Handler: mux}}
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// captured is one capture with its pictures and texts read back.
type captured struct {
	candor.Manifest
	t   *testing.T
	dir string
}

func capture(t *testing.T, url string, change ...func(*candor.CaptureSpec, *Limits)) captured {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "capture")
	if keep := os.Getenv("CANDOR_KEEP"); keep != "" {
		dir = filepath.Join(keep, strings.ReplaceAll(t.Name(), "/", "_"))
	}
	spec := candor.CaptureSpec{ID: candor.NewID(), URL: url, Profile: candor.Desktop, Policy: candor.PolicyLoad, ScheduledAt: time.Now()}
	var limits Limits
	for _, c := range change {
		c(&spec, &limits)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	m, err := (&Renderer{Pool: pool, Software: "candor/test", Limits: limits}).Capture(ctx, spec, dir)
	if err != nil {
		t.Fatalf("capture %s: %v", url, err)
	}
	c := captured{m, t, dir}
	c.check()
	return c
}

// check looks at what must hold of every capture.
func (c captured) check() {
	c.t.Helper()
	var stored candor.Manifest
	b, err := os.ReadFile(filepath.Join(c.dir, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(b, &stored)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	if stored.Outcome != c.Outcome || len(stored.Files) != len(c.Files) {
		c.t.Error("the manifest on disk is not the one returned")
	}
	for _, f := range c.Files {
		sha, size, err := hashFile(filepath.Join(c.dir, f.Path))
		if err != nil || sha != f.SHA256 || size != f.Size {
			c.t.Errorf("%s is not what the manifest says: %v", f.Path, err)
		}
	}
	for name, at := range map[string]time.Time{"scheduled": c.Scheduled, "started": c.Started, "navigated": c.Navigated, "settled": c.Settled, "shot": c.Shot, "finished": c.Finished} {
		if at.IsZero() {
			c.t.Errorf("the time %s is not set", name)
		}
	}
	if (c.Reason == "") != (c.Outcome == candor.Complete) {
		c.t.Errorf("outcome %s with the reason %q", c.Outcome, c.Reason)
	}
	if c.Browser == "" || len(c.Steps) == 0 {
		c.t.Error("browser or steps are missing")
	}
}

func (c captured) want(o candor.Outcome, reason string) {
	c.t.Helper()
	if c.Outcome != o || !strings.Contains(c.Reason, reason) {
		c.t.Errorf("outcome %s (%s), want %s (%s); steps %+v", c.Outcome, c.Reason, o, reason, c.Steps)
	}
}

func (c captured) read(name string) string {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

func (c captured) picture() image.Image {
	c.t.Helper()
	img, err := png.Decode(strings.NewReader(c.read("screenshot.png")))
	if err != nil {
		c.t.Fatal(err)
	}
	return img
}

func (c captured) exchanges() []Exchange {
	c.t.Helper()
	var out []Exchange
	for line := range strings.Lines(c.read("exchanges.jsonl")) {
		var x Exchange
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			c.t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

func scrolling(s *candor.CaptureSpec, _ *Limits) { s.Policy = candor.PolicyScroll }
func onPhone(s *candor.CaptureSpec, _ *Limits)   { s.Profile = candor.Mobile }

// testLog writes what the code logs to the test.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}
