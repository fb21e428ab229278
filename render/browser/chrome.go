package browser

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/candor-archive/candor/internal/netguard"
	"github.com/candor-archive/candor/render/proxy"
)

const startTimeout = 45 * time.Second

// chrome is one running browser.
type chrome struct {
	log     *slog.Logger
	nowhere *proxy.Proxy // for what the browser itself might want to fetch
	dir     *profile
	wire    *wire
	browser *chromedp.Browser
	ctx     context.Context // done when the browser is gone
	cancel  context.CancelFunc
	cmd     *exec.Cmd
	exited  chan struct{} // closed when the process has been waited for
	product string
	agent   string
	shell   bool // the headless shell rather than the whole browser
	once    sync.Once
}

func getenv(name string) string { return os.Getenv(name) }

// refuser lets nothing through: pages have proxies of their own, and the
// browser has no business on the network.
type refuser struct{}

func (refuser) DialContext(_ context.Context, _, addr string) (c net.Conn, err error) {
	return nil, &netguard.RefusedError{Addr: addr, Reason: "asked for by the browser itself"}
}

// start launches a browser and waits until it answers.
func start(ctx context.Context, cfg Config) (*chrome, error) {
	nowhere, err := proxy.Start(refuser{}, proxy.Limits{}, cfg.Log)
	if err != nil {
		return nil, err
	}
	dir, err := newProfile(cfg.Dir)
	if err != nil {
		return nil, errors.Join(err, nowhere.Close())
	}
	c := &chrome{log: cfg.Log, nowhere: nowhere, dir: dir, exited: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	var output tail
	if err := c.launch(cfg.Chrome, &output); err != nil {
		c.stop()
		return nil, err
	}
	err = c.introduce(ctx)
	if err != nil {
		c.stop() // and with the process its last words are complete
		if said := output.String(); ctx.Err() == nil {
			return nil, explain(err, said)
		}
		return nil, err
	}
	cfg.Log.Debug("browser started", "product", c.product, "pid", c.cmd.Process.Pid)
	return c, nil
}

// launch starts the process with a pipe to it.
func (c *chrome) launch(path string, output *tail) error {
	cmd := exec.Command(path, flags(c.nowhere.Addr(), c.dir.path)...)
	cmd.Env = environment(c.dir.path)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.WaitDelay = time.Second // a child that outlives the browser may hold its output open
	group(cmd)
	theirR, ourW, err := os.Pipe()
	if err != nil {
		close(c.exited)
		return fmt.Errorf("make a pipe to the browser: %w", err)
	}
	ourR, theirW, err := os.Pipe()
	if err != nil {
		close(c.exited)
		return errors.Join(fmt.Errorf("make a pipe to the browser: %w", err), theirR.Close(), ourW.Close())
	}
	widen(ourR)
	cmd.ExtraFiles = []*os.File{theirR, theirW} // descriptors 3 and 4, as Chrome expects
	started := make(chan error, 1)
	go func() {
		// The kernel ends the browser when the thread that started it ends, so
		// this one waits with it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		if err := cmd.Wait(); err != nil {
			c.log.Debug("browser ended", "error", err)
		}
		close(c.exited)
		c.cancel()
	}()
	err = <-started
	if err != nil {
		close(c.exited)
	} else {
		c.cmd = cmd
	}
	if err = errors.Join(err, theirR.Close(), theirW.Close()); err != nil {
		return errors.Join(fmt.Errorf("start %s: %w", path, err), ourR.Close(), ourW.Close())
	}
	c.wire = newWire(ourR, ourW)
	go func() {
		<-c.wire.lost
		c.cancel()
	}()
	c.browser, err = chromedp.NewBrowserTransport(c.ctx, c.wire,
		chromedp.WithBrowserErrorf(func(f string, a ...any) { c.log.Debug("browser protocol", "message", fmt.Sprintf(f, a...)) }),
		chromedp.WithBrowserLogf(func(f string, a ...any) { c.log.Debug("browser", "message", fmt.Sprintf(f, a...)) }))
	return err
}

// introduce asks the browser who it is and sees to pop-ups.
func (c *chrome) introduce(ctx context.Context) error {
	tctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	v, err := cdp.Call(tctx, c.browser, browser.GetVersion, cdp.Empty{})
	if err != nil {
		if ctx.Err() == nil && tctx.Err() != nil {
			return fmt.Errorf("Chrome did not answer within %s", startTimeout)
		}
		return err
	}
	c.shell = strings.HasPrefix(v.Product, "HeadlessChrome/")
	c.product, c.agent = v.Product, strings.Replace(v.UserAgent, "HeadlessChrome", "Chrome", 1)
	return c.closePopUps(tctx)
}

// closePopUps closes every page that a page opened and Chrome did not block.
func (c *chrome) closePopUps(ctx context.Context) error {
	created := cdp.Events(c.ctx, c.browser, target.TargetCreated)
	go func() {
		for e, err := range created {
			if err != nil {
				return // the browser is gone
			}
			if e.TargetInfo.Type != "page" || e.TargetInfo.OpenerID == "" {
				continue
			}
			go func() {
				ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
				defer cancel()
				_, err := cdp.Call(ctx, c.browser, target.CloseTarget, target.CloseTargetParams{TargetID: e.TargetInfo.TargetID})
				if err != nil && c.ctx.Err() == nil {
					c.log.Debug("close a pop-up", "error", err)
				}
			}()
		}
	}()
	_, err := cdp.Call(ctx, c.browser, target.SetDiscoverTargets, target.SetDiscoverTargetsParams{Discover: true,
		Filter: target.Filter{{Type: "page"}, {Exclude: true}}})
	return err
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
func (c *chrome) dead() bool {
	select {
	case <-c.wire.lost:
		return true
	default:
		return c.ctx.Err() != nil
	}
}

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
		if c.wire != nil {
			c.wire.Close() // the pipe of a process that is gone: an error has nothing to tell
		}
		<-c.exited
		killUsing(c.dir.path) // a child may have been born while its parent died
		if err := c.dir.remove(); err != nil {
			c.log.Error("remove a browser's profile", "error", err)
		}
		if err := c.nowhere.Close(); err != nil {
			c.log.Error("close a browser's proxy", "error", err)
		}
	})
}

// explain says what can be done about a browser that does not start.
func explain(err error, said string) error {
	switch {
	case strings.Contains(said, "No usable sandbox"):
		return fmt.Errorf("Chrome cannot make its sandbox: this system does not let an ordinary user make user namespaces%s. "+
			"Allow them (see the operator's guide, The browser's sandbox), or install Chrome's set-user-id helper (Debian: chromium-sandbox): %w", namespaces(), err)
	case said != "":
		return fmt.Errorf("%w; Chrome said: %s", err, said)
	}
	return err
}

// namespaces names the setting of the kernel that forbids user namespaces, if
// it is one that can be read.
func namespaces() string {
	for _, s := range [][2]string{{"/proc/sys/kernel/unprivileged_userns_clone", "0"}, {"/proc/sys/user/max_user_namespaces", "0"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"}} {
		if b, err := os.ReadFile(s[0]); err == nil && strings.TrimSpace(string(b)) == s[1] {
			return " (" + s[0] + " is " + s[1] + ")"
		}
	}
	return ""
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
	if len(t.b) > 4000 {
		t.b = append([]byte(nil), t.b[len(t.b)-2000:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(strings.Fields(string(t.b)), " ")
}
