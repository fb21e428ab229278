package browser

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/cdproto/target"
)

// Where Config.Keep says so, a context serves several captures in a row, which
// spares the whole browser a window each. It is off unless told: see decision
// 0010. Two conditions hold. They are all of one origin, which could tell itself whatever a
// trace in the browser could; no other origin's capture ever shares a context or
// a process with it. And each capture finds it empty: cookies, storage, caches,
// workers, history and the page itself are gone. Whatever else happened in it,
// a frame of another origin, a pop-up, a page that failed or does not answer,
// ends it.

type originKey struct{}

// ForPage tells Borrow which address the lease is for, so that it may lend a
// context that another capture of the same origin has left, emptied.
func ForPage(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, originKey{}, originOf(address))
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Host)
}

// note remembers whose documents the tab showed.
func (t *Tab) note(ev any) {
	e, ok := ev.(*page.EventFrameNavigated)
	if !ok {
		return
	}
	origin := originOf(e.Frame.URL)
	switch {
	case e.Frame.UnreachableURL != "":
		origin = "unreachable"
	case e.Frame.URL == "about:blank", e.Frame.URL == "about:srcdoc", strings.HasPrefix(e.Frame.URL, "data:"):
		return // a frame of the page's own making, or one that can store nothing
	case strings.HasPrefix(e.Frame.URL, "blob:"):
		origin = originOf(strings.TrimPrefix(e.Frame.URL, "blob:"))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == nil {
		t.seen = map[string]bool{}
	}
	t.seen[origin] = true
}

// pure reports whether the tab showed nothing but documents of its origin.
func (t *Tab) pure() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for o := range t.seen {
		if o != t.origin && !offline(o) {
			return false
		}
	}
	if _, opened := t.chrome.opened.Load(t.context); opened {
		return false
	}
	return t.origin != ""
}

// offline says that an origin is one a visit without a network made up, for
// something of our own that runs no scripts. No server can have such a name.
func offline(origin string) bool {
	return strings.HasPrefix(origin, "http://snapshot-") && strings.HasSuffix(origin, ".invalid")
}

const emptyTimeout = 5 * time.Second

// emptyJS clears what belongs to the tab rather than to the context.
const emptyJS = `() => { name = ''; try { sessionStorage.clear(); localStorage.clear(); } catch {} return location.origin; }`

// empty makes the tab as good as new, or fails.
func (t *Tab) empty(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, emptyTimeout)
	defer cancel()
	if !t.pure() {
		return errors.New("it showed more than its origin")
	}
	b := t.chrome.browser
	if _, err := cdp.Call(ctx, b, target.DetachFromTarget, target.DetachFromTargetParams{SessionID: t.Target.ID}); err != nil {
		return err
	}
	t.chrome.wire.forget(t.Target.ID)
	t.proxy.Begin() // and with the visit before end its connections
	if err := t.attach(ctx); err != nil {
		return err
	}
	world, err := cdp.Call(ctx, t.Target, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: cdp.FrameID(t.target), WorldName: "candor"})
	if err != nil {
		return err
	}
	at, err := cdp.Call(ctx, t.Target, runtime.CallFunctionOn, runtime.CallFunctionOnParams{ExecutionContextID: world.ExecutionContextID,
		FunctionDeclaration: emptyJS, ReturnByValue: new(true)})
	if err != nil {
		return err
	}
	shown := ""
	if at.Result != nil {
		shown = strings.Trim(string(at.Result.Value), `"`)
	}
	if shown != t.origin && !offline(shown) {
		return errors.New("it shows another origin")
	}
	left, stop := t.Target.Subscribe(page.LoadEventFired.Method)
	defer stop()
	nav, err := cdp.Call(ctx, t.Target, page.Navigate, page.NavigateParams{URL: "about:blank"})
	if err != nil || nav.ErrorText != "" {
		return fmt.Errorf("leave the page: %w", errors.Join(err, errorText(nav.ErrorText)))
	}
	select { // the blank page is in place
	case <-left:
	case <-ctx.Done():
		return ctx.Err()
	}
	wiped := make(chan error, 1)
	go func() {
		_, err := cdp.Call(ctx, b, storage.ClearCookies, storage.ClearCookiesParams{BrowserContextID: t.context})
		wiped <- err
	}()
	err = t.Target.Batch(ctx,
		Cmd(network.Enable, network.EnableParams{}, nil),
		Cmd(network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}, nil), // forgets what the process itself holds
		Cmd(network.ClearBrowserCache, cdp.Empty{}, nil),
		Cmd(storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: t.origin, StorageTypes: "all"}, nil),
		Cmd(page.ResetNavigationHistory, cdp.Empty{}, nil),
		Cmd(network.SetCacheDisabled, network.SetCacheDisabledParams{}, nil),
		Cmd(network.Disable, cdp.Empty{}, nil))
	if err := errors.Join(err, <-wiped); err != nil {
		return err
	}
	if !t.pure() { // it may have gone on meanwhile
		return errors.New("it showed more than its origin")
	}
	t.mu.Lock()
	clear(t.seen)
	t.mu.Unlock()
	return nil
}
