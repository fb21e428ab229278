package fidelity

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures/pages"
	"github.com/candor-archive/candor/internal/netguard"
	"github.com/candor-archive/candor/render/browser"
	"github.com/candor-archive/candor/render/page"
)

// serving is set in the child process that serves the fixture pages, so that
// its work is not counted as the renderer's.
const serving = "CANDOR_FIDELITY_SERVING"

func TestMain(m *testing.M) {
	if os.Getenv(serving) != "" {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, "serve the fixture pages:", err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	shared.close()
	os.Exit(code)
}

// served is what the child says of itself.
type served struct {
	URLs  map[string]string // by the page's name
	Hosts []string
}

// serve serves the fixture pages until standard input ends.
func serve() error {
	s, err := pages.Start(context.Background())
	if err != nil {
		return err
	}
	defer s.Close() // the process ends
	out := served{URLs: map[string]string{}, Hosts: s.Hosts()}
	for _, p := range pages.All() {
		out.URLs[p.Name] = s.URL(p)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// site is the fixture pages, served by another process.
type site struct {
	served
	cmd  *exec.Cmd
	stop io.Closer
}

func startSite() (*site, error) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), serving+"=1")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &site{cmd: cmd, stop: in}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &s.served)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("start the fixture pages: %w", err)
	}
	return s, nil
}

func (s *site) close() {
	s.stop.Close() // it ends by that
	s.cmd.Wait()
}

// share holds what tests and benchmarks of the package have in common: each
// part is started when first asked for and ended by TestMain.
type share struct {
	mu     sync.Mutex
	site   *site
	judge  *Judge
	pool   *browser.Pool
	chrome string
}

var shared share

func (s *share) close() {
	if s.judge != nil {
		s.judge.Close()
	}
	if s.pool != nil {
		s.pool.Close()
	}
	if s.site != nil {
		s.site.close()
	}
}

func findChrome(tb testing.TB) string {
	tb.Helper()
	path, err := browser.Find(os.Getenv)
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

func theSite(tb testing.TB) *site {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.site == nil {
		s, err := startSite()
		if err != nil {
			tb.Fatal(err)
		}
		shared.site = s
	}
	return shared.site
}

func theJudge(tb testing.TB) *Judge {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.judge == nil {
		j, err := NewJudge(context.Background(), findChrome(tb))
		if err != nil {
			tb.Fatal(err)
		}
		shared.judge = j
	}
	return shared.judge
}

// openPool makes a pool whose browsers keep their profiles below dir.
func openPool(tb testing.TB, s *site, size, recycle int, dir string) *browser.Pool {
	tb.Helper()
	p, err := browser.Open(context.Background(), browser.Config{Chrome: findChrome(tb), Size: size, Recycle: recycle,
		Guard: &netguard.Guard{Allow: s.Hosts}, Dir: dir})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// thePool is the pool of two that tests share.
func thePool(tb testing.TB) *browser.Pool {
	tb.Helper()
	s := theSite(tb)
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.pool == nil {
		shared.pool = openPool(tb, s, 2, 0, "")
	}
	return shared.pool
}

// benchPages are the pages figures are taken from. $CANDOR_BENCH_PAGES narrows
// them to those whose name or group contains one of its words.
func benchPages(tb testing.TB) []pages.Page {
	tb.Helper()
	words := strings.FieldsFunc(os.Getenv("CANDOR_BENCH_PAGES"), func(r rune) bool { return r == ',' || r == ' ' })
	var out []pages.Page
	for _, p := range pages.All() {
		wanted := len(words) == 0
		for _, w := range words {
			wanted = wanted || strings.Contains(p.Name, w) || p.Group == w
		}
		if p.Bench && wanted {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		tb.Fatal("no page is left to measure")
	}
	return out
}

// thinned are at most n of the pages, taken evenly from the whole list:
// $CANDOR_BENCH_MOST, or 66. That many tell what a page costs; all of them would
// take most of an hour.
func thinned(tb testing.TB, list []pages.Page) []pages.Page {
	tb.Helper()
	n := number(tb, "CANDOR_BENCH_MOST", 66)
	if len(list) <= n {
		return list
	}
	var out []pages.Page
	for i := range n {
		out = append(out, list[i*len(list)/n])
	}
	return out
}

// capture makes one capture of a page below dir and gives its directory.
func capture(ctx context.Context, r *page.Renderer, s *site, p pages.Page, dir string) (candor.Manifest, string, error) {
	id := candor.NewID()
	at := filepath.Join(dir, p.Name+"-"+id)
	m, err := r.Capture(ctx, candor.CaptureSpec{ID: id, URL: s.URLs[p.Name], Profile: p.Profile, Policy: p.Policy}, at)
	if err != nil {
		return m, at, fmt.Errorf("capture %s: %w", p.Name, err)
	}
	return m, at, nil
}

// file is the path of a capture's file, "" when it has none.
func file(m candor.Manifest, dir string, kind candor.ArtefactKind) string {
	f, ok := m.File(kind)
	if !ok {
		return ""
	}
	return filepath.Join(dir, filepath.FromSlash(f.Path))
}

// eachOf runs do for every page, n at once.
func eachOf(n int, list []pages.Page, do func(p pages.Page) error) error {
	work := make(chan pages.Page)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var all []error
	for range n {
		wg.Go(func() {
			for p := range work {
				if err := do(p); err != nil {
					mu.Lock()
					all = append(all, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, p := range list {
		work <- p
	}
	close(work)
	wg.Wait()
	return errors.Join(all...)
}
