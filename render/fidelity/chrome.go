package fidelity

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	candorbrowser "github.com/candor-archive/candor/render/browser"
)

// Chrome is one browser of the judge's own. It is safe for use by several
// goroutines, each with a tab of its own.
type Chrome struct {
	Agent string // its user agent, without the word that says it is headless

	dir    string
	ctx    context.Context
	cancel context.CancelFunc
	wait   context.CancelFunc
	cmd    *exec.Cmd
	once   sync.Once
}

const startLimit = 45 * time.Second

// StartChrome starts a browser with the switches captures are made with. Its
// traffic goes to the proxy at the address given, loopback too, or straight to
// the servers when there is none.
func StartChrome(ctx context.Context, path, proxy string) (*Chrome, error) {
	dir, err := os.MkdirTemp("", "candor-judge-")
	if err != nil {
		return nil, err
	}
	c := &Chrome{dir: dir}
	opts := append(candorbrowser.Plain(dir), chromedp.ExecPath(path), chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
		c.cmd = cmd
		group(cmd)
	}))
	if proxy != "" {
		opts = append(opts, chromedp.Flag("proxy-server", "http://"+proxy), chromedp.Flag("proxy-bypass-list", "<-loopback>"))
	}
	alloc, wait := chromedp.NewExecAllocator(context.Background(), opts...)
	c.wait = wait
	quiet := func(string, ...any) {} // events this version of the protocol does not know
	c.ctx, c.cancel = chromedp.NewContext(alloc, chromedp.WithErrorf(quiet), chromedp.WithLogf(quiet))
	up := make(chan error, 1)
	go func() { up <- chromedp.Do(c.ctx) }() // binds the browser's life to its context, so the limit must be outside
	timer := time.NewTimer(startLimit)
	defer timer.Stop()
	select {
	case err = <-up:
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = fmt.Errorf("Chrome did not answer within %s", startLimit)
	}
	if err == nil {
		var v browser.GetVersionResult
		if v, err = cdp.Call(ctx, chromedp.FromContext(c.ctx).Browser, browser.GetVersion, cdp.Empty{}); err == nil {
			c.Agent = strings.Replace(v.UserAgent, "HeadlessChrome", "Chrome", 1)
		}
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("start the judge's browser: %w", err)
	}
	return c, nil
}

// PID is the process every other process of the browser descends from.
func (c *Chrome) PID() int { return c.cmd.Process.Pid }

// Close ends the browser and removes its profile.
func (c *Chrome) Close() {
	c.once.Do(func() {
		if c.cmd != nil && c.cmd.Process != nil {
			killGroup(c.cmd.Process.Pid)
		}
		c.cancel()
		c.wait()
		for range 50 { // children may still be writing while they die
			if os.RemoveAll(c.dir) == nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
}
