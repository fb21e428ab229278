package browser

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"

	"github.com/candor-archive/candor/render/proxy"
)

// Tab is a page in a browser context of its own, behind a proxy of its own.
type Tab struct {
	// Target takes protocol commands for the page.
	Target *Session

	chrome  *chrome
	proxy   *proxy.Proxy
	context cdp.BrowserContextID
	target  target.ID
}

const tabTimeout = 20 * time.Second

// newTab opens a page in a context whose every connection goes through px.
func (c *chrome) newTab(ctx context.Context, px *proxy.Proxy) (t *Tab, err error) {
	tctx, cancel := context.WithTimeout(ctx, tabTimeout)
	defer cancel()
	own, err := cdp.Call(tctx, c.browser, target.CreateBrowserContext, target.CreateBrowserContextParams{
		DisposeOnDetach: new(true), ProxyServer: "http://" + px.Addr(), ProxyBypassList: bypass})
	if err != nil {
		return nil, fmt.Errorf("make a browser context: %w", c.slow(ctx, tctx, err))
	}
	t = &Tab{chrome: c, proxy: px, context: own.BrowserContextID}
	begun := t // a return with an error clears t
	defer func() {
		if err != nil && !begun.dispose(closeTimeout) {
			c.log.Debug("a browser context that was never used stays")
		}
	}()
	refused := make(chan error, 1)
	go func() {
		_, err := cdp.Call(tctx, c.browser, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
			Behavior: browser.SetDownloadBehaviorBehaviorDeny, BrowserContextID: t.context})
		refused <- err
	}()
	// The window is small, since Chrome draws it; a page has the size it is told.
	made, err := cdp.Call(tctx, c.browser, target.CreateTarget, target.CreateTargetParams{URL: "about:blank", BrowserContextID: t.context,
		NewWindow: new(true), Width: 100, Height: 100})
	if err != nil {
		return nil, fmt.Errorf("open a tab: %w", c.slow(ctx, tctx, err))
	}
	t.target = made.TargetID
	if err := t.attach(tctx); err != nil {
		return nil, c.slow(ctx, tctx, err)
	}
	if err := <-refused; err != nil {
		return nil, fmt.Errorf("refuse downloads: %w", c.slow(ctx, tctx, err))
	}
	return t, nil
}

// attach begins a session with the page. What an earlier session had switched on
// or overridden ends with that one.
func (t *Tab) attach(ctx context.Context) error {
	at, err := cdp.Call(ctx, t.chrome.browser, target.AttachToTarget, target.AttachToTargetParams{TargetID: t.target, Flatten: new(true)})
	if err != nil {
		return fmt.Errorf("attach to a tab: %w", err)
	}
	s, ok := t.chrome.wire.session(at.SessionID)
	if !ok {
		return errors.New("attach to a tab: it is gone")
	}
	t.Target = s
	cmds := []Command{Cmd(page.Enable, page.EnableParams{}, nil), Cmd(inspector.Enable, cdp.Empty{}, nil),
		Cmd(page.SetLifecycleEventsEnabled, page.SetLifecycleEventsEnabledParams{Enabled: true}, nil),
		// Pages side by side must not take the focus from one another.
		Cmd(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}, nil)}
	if t.chrome.shell { // whose own choice of a fixed-width font is not the browser's
		cmds = append(cmds, Cmd(page.SetFontFamilies, page.SetFontFamiliesParams{FontFamilies: &page.FontFamilies{Fixed: "Monospace"}}, nil))
	}
	if err := s.Batch(ctx, cmds...); err != nil {
		return fmt.Errorf("prepare a tab: %w", err)
	}
	return nil
}

// slow words a limit that ran out.
func (c *chrome) slow(ctx, limited context.Context, err error) error {
	if ctx.Err() == nil && limited.Err() != nil {
		return fmt.Errorf("not within %s", tabTimeout)
	}
	return err
}

// Listen calls fn for every event of the page, in order. It must be quick and
// must not run commands.
func (t *Tab) Listen(fn func(ev any)) error {
	t.Target.Listen(fn)
	return nil
}

// Gone is closed when the tab's browser is gone, before any command fails for it.
func (t *Tab) Gone() <-chan struct{} { return t.chrome.wire.lost }

// dispose closes the page with everything in its context. It reports whether
// the browser did so in time.
func (t *Tab) dispose(limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(t.chrome.ctx, limit)
	defer cancel()
	_, err := cdp.Call(ctx, t.chrome.browser, target.DisposeBrowserContext, target.DisposeBrowserContextParams{BrowserContextID: t.context})
	if err != nil {
		t.chrome.log.Debug("close a browser context", "error", err)
		return false
	}
	if t.Target != nil {
		t.chrome.wire.forget(t.Target.ID)
	}
	return true
}

// end is dispose for a page that does not answer: its process is ended first,
// by a command that needs no help of the page.
func (t *Tab) end(limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(t.chrome.ctx, time.Second)
	defer cancel()
	if _, err := cdp.Call(ctx, t.Target, page.Crash, cdp.Empty{}); err != nil {
		t.chrome.log.Debug("end a page's process", "error", err) // its answer seldom gets out
	}
	return t.dispose(limit)
}
