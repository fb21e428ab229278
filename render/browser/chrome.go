package browser

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"github.com/candor-archive/candor/render/proxy"
)

const startTimeout = 45 * time.Second

// chrome is one running browser.
type chrome struct {
	log     *slog.Logger
	proxy   *proxy.Proxy
	dir     *profile
	ctx     context.Context // of the browser; done when it is gone
	cancel  context.CancelFunc
	wait    context.CancelFunc // cancels the allocator and waits for the process
	cmd     *exec.Cmd
	product string
	agent   string
	used    int
	once    sync.Once

	mu  sync.Mutex
	own map[string]bool // targets that we opened; every other page is a pop-up
}

func getenv(name string) string { return os.Getenv(name) }

// start launches a browser and waits until it answers.
func start(ctx context.Context, cfg Config) (*chrome, error) {
	px, err := proxy.Start(cfg.Guard, cfg.Limits, cfg.Log)
	if err != nil {
		return nil, err
	}
	dir, err := newProfile(cfg.Dir)
	if err != nil {
		px.Close()
		return nil, err
	}
	c := &chrome{log: cfg.Log, proxy: px, dir: dir, own: map[string]bool{}}
	var output tail
	opts := append(flags(px.Addr(), dir.path), chromedp.ExecPath(cfg.Chrome), chromedp.CombinedOutput(&output),
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) { c.cmd = cmd; group(cmd) }),
		chromedp.NoInheritEnv, chromedp.Env(environment(dir.path)...))
	alloc, wait := chromedp.NewExecAllocator(context.Background(), opts...)
	c.wait = wait
	c.ctx, c.cancel = chromedp.NewContext(alloc,
		chromedp.WithErrorf(func(f string, a ...any) { cfg.Log.Debug("browser protocol", "message", fmt.Sprintf(f, a...)) }),
		chromedp.WithLogf(func(f string, a ...any) { cfg.Log.Debug("browser", "message", fmt.Sprintf(f, a...)) }))

	up := make(chan error, 1)
	go func() { // the first Do binds the browser's life to its context, so the limit on starting must be outside
		up <- chromedp.Do(c.ctx)
	}()
	timer := time.NewTimer(startTimeout)
	defer timer.Stop()
	select {
	case err = <-up:
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = fmt.Errorf("Chrome did not answer within %s", startTimeout)
	}
	if err == nil {
		err = c.introduce(ctx)
	}
	if err != nil {
		c.stop()
		if last := output.String(); last != "" && ctx.Err() == nil {
			return nil, fmt.Errorf("%w; Chrome said: %s", err, last)
		}
		return nil, err
	}
	cfg.Log.Debug("browser started", "product", c.product, "proxy", px.Addr())
	return c, nil
}

// introduce asks the browser who it is and refuses downloads and pop-ups.
func (c *chrome) introduce(ctx context.Context) error {
	tctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	b := chromedp.FromContext(c.ctx).Browser
	v, err := cdp.Call(tctx, b, browser.GetVersion, cdp.Empty{})
	if err != nil {
		return err
	}
	c.product, c.agent = v.Product, strings.Replace(v.UserAgent, "HeadlessChrome", "Chrome", 1)
	return c.closePopUps()
}

// environment is all of ours that Chrome gets to see: no secret of the
// program is among it.
func environment(home string) []string {
	env := []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_CACHE_HOME=" + home}
	for _, k := range []string{"PATH", "LANG", "LC_ALL", "TZ", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "LD_LIBRARY_PATH", "TMPDIR", "XDG_RUNTIME_DIR"} {
		if v, ok := os.LookupEnv(k); ok {
			env = append(env, k+"="+v)
		}
	}
	return env
}

// dead reports whether the browser is gone.
func (c *chrome) dead() bool { return c.ctx.Err() != nil }

// kill ends every process of the browser.
func (c *chrome) kill() {
	if c.cmd != nil && c.cmd.Process != nil {
		killGroup(c.cmd.Process.Pid)
	}
	killUsing(c.dir.path)
}

// stop kills the browser and returns when its processes, its profile and its
// proxy are gone. There is nothing in a throw-away profile worth a polite end.
func (c *chrome) stop() {
	c.once.Do(func() {
		c.kill()
		c.cancel()
		c.wait()
		killUsing(c.dir.path) // a child may have been born while its parent died
		if err := c.dir.remove(); err != nil {
			c.log.Error("remove a browser's profile", "error", err)
		}
		if err := c.proxy.Close(); err != nil {
			c.log.Error("close a browser's proxy", "error", err)
		}
	})
}

// tail keeps the last of what Chrome prints, for the error when it won't start.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > 2000 {
		t.b = append([]byte(nil), t.b[len(t.b)-2000:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(strings.Fields(string(t.b)), " ")
}
