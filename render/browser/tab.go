package browser

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Tab is a page in a browser context of its own.
type Tab struct {
	// Target takes protocol commands for the page.
	Target *chromedp.Target

	ctx    context.Context
	cancel context.CancelFunc
	chrome *chrome
}

const tabTimeout = 20 * time.Second

func (c *chrome) newTab(ctx context.Context) (*Tab, error) {
	t := &Tab{chrome: c}
	t.ctx, t.cancel = chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	up := make(chan error, 1)
	go func() { up <- chromedp.Do(t.ctx) }() // not limited inside: the tab's life is bound to the context given here
	timer := time.NewTimer(tabTimeout)
	defer timer.Stop()
	var err error
	select {
	case err = <-up:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, fmt.Errorf("no new tab within %s", tabTimeout)
	}
	if err != nil {
		return nil, fmt.Errorf("open a tab: %w", err)
	}
	own := chromedp.FromContext(t.ctx)
	t.Target = own.Target
	c.mu.Lock()
	c.own[string(t.Target.TargetID)] = true
	c.mu.Unlock()
	_, err = cdp.Call(ctx, own.Browser, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorDeny, BrowserContextID: own.BrowserContextID})
	if err != nil {
		return nil, fmt.Errorf("refuse downloads: %w", err)
	}
	return t, nil
}

// Listen calls fn for every event of the page, in order. It must be quick and
// must not run commands.
func (t *Tab) Listen(fn func(ev any)) error { return chromedp.Listen(t.ctx, fn) }

// Gone is closed when the tab's browser is gone.
func (t *Tab) Gone() <-chan struct{} { return t.ctx.Done() }

// close closes the page and forgets its context. It reports whether that was
// done in time.
func (t *Tab) close(limit time.Duration) bool {
	done := make(chan struct{})
	go func() {
		t.cancel()
		close(done)
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		t.chrome.mu.Lock()
		delete(t.chrome.own, string(t.Target.TargetID))
		t.chrome.mu.Unlock()
		return true
	case <-timer.C:
		return false
	}
}

// closePopUps closes every page that we did not open. Chrome blocks pop-ups
// nobody clicked for by itself; this is for those that get past it.
func (c *chrome) closePopUps() error {
	b := chromedp.FromContext(c.ctx).Browser
	return chromedp.ListenBrowser(c.ctx, func(ev any) {
		created, ok := ev.(*target.EventTargetCreated)
		if !ok || created.TargetInfo.Type != "page" || created.TargetInfo.OpenerID == "" {
			return
		}
		go func() {
			ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
			defer cancel()
			_, err := cdp.Call(ctx, b, target.CloseTarget, target.CloseTargetParams{TargetID: created.TargetInfo.TargetID})
			if err != nil && !errors.Is(err, context.Canceled) {
				c.log.Debug("close a pop-up", "error", err)
			}
		}()
	})
}
