package fidelity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/candor-archive/candor"
)

// tab is one page in a browser context of its own.
type tab struct {
	target *chromedp.Target
	close  context.CancelFunc
	frame  cdp.FrameID

	mu       sync.Mutex
	loaded   bool
	started  bool // a navigation was asked for
	waiting  map[network.RequestID]bool
	quietAt  time.Time // when the last request ended
	requests []string  // addresses asked for over the network or from the disk
}

// errSlow says that a wait reached its limit. What is there is then judged.
var errSlow = errors.New("not in time")

func (c *Chrome) newTab(ctx context.Context, v candor.Viewport, scripts bool) (*tab, error) {
	t := &tab{waiting: map[network.RequestID]bool{}, quietAt: time.Now()}
	tctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(t.on))
	t.close = cancel
	up := make(chan error, 1)
	go func() { up <- chromedp.Do(tctx) }() // as for the browser: no limit inside
	timer := time.NewTimer(startLimit)
	defer timer.Stop()
	var err error
	select {
	case err = <-up:
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = errSlow
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open a tab: %w", err)
	}
	t.target = chromedp.FromContext(tctx).Target
	if err := t.prepare(ctx, c.Agent, v, scripts); err != nil {
		cancel()
		return nil, fmt.Errorf("prepare a tab: %w", err)
	}
	return t, nil
}

// prepare makes the tab look as the capture's did.
func (t *tab) prepare(ctx context.Context, agent string, v candor.Viewport, scripts bool) error {
	tree, err := cdp.Call(ctx, t.target, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return err
	}
	t.frame = tree.FrameTree.Frame.ID
	platform, nav := "Linux", "Linux x86_64"
	_, major, _ := strings.Cut(agent, "Chrome/")
	version, _, _ := strings.Cut(major, " ")
	major, _, _ = strings.Cut(major, ".")
	if v.Mobile {
		platform, nav = "Android", "Linux armv81"
		agent = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/" + version + " Mobile Safari/537.36"
	}
	if _, err = cdp.Call(ctx, t.target, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(v.Width), Height: int64(v.Height), DeviceScaleFactor: v.Scale, Mobile: v.Mobile,
		ScreenWidth: int64(v.Width), ScreenHeight: int64(v.Height)}); err != nil {
		return err
	}
	if _, err = cdp.Call(ctx, t.target, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: v.Mobile, MaxTouchPoints: 5}); err != nil {
		return err
	}
	if _, err = cdp.Call(ctx, t.target, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent: agent, AcceptLanguage: "en-US,en", Platform: nav, UserAgentMetadata: &emulation.UserAgentMetadata{
			Brands:   []*emulation.UserAgentBrandVersion{{Brand: "Chromium", Version: major}, {Brand: "Not_A Brand", Version: "24"}},
			Platform: platform, Mobile: v.Mobile}}); err != nil {
		return err
	}
	if _, err = cdp.Call(ctx, t.target, emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: true}); err != nil {
		return err
	}
	if _, err = cdp.Call(ctx, t.target, emulation.SetDefaultBackgroundColorOverride, emulation.SetDefaultBackgroundColorOverrideParams{
		Color: &cdp.RGBA{R: 255, G: 255, B: 255, A: 1}}); err != nil {
		return err
	}
	_, err = cdp.Call(ctx, t.target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts})
	return err
}

// on notes what the page's events say. It runs no command.
func (t *tab) on(ev any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch ev := ev.(type) {
	case *page.EventLoadEventFired:
		t.loaded = t.started
	case *network.EventRequestWillBeSent:
		t.waiting[ev.RequestID] = true
		if u, err := url.Parse(ev.Request.URL); err != nil || u.Scheme != "data" && u.Scheme != "about" && u.Scheme != "blob" {
			t.requests = append(t.requests, ev.Request.URL)
		}
	case *network.EventLoadingFinished:
		t.done(ev.RequestID)
	case *network.EventLoadingFailed:
		t.done(ev.RequestID)
	case *network.EventWebSocketCreated:
		t.requests = append(t.requests, ev.URL)
	case *page.EventJavascriptDialogOpening:
		go func() { // the page stands still until it is answered
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			_, _ = cdp.Call(ctx, t.target, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{}) // a tab that is gone needs no answer
		}()
	}
}

func (t *tab) done(id network.RequestID) {
	delete(t.waiting, id)
	t.quietAt = time.Now()
}

// until polls ready up to a limit.
func until(ctx context.Context, limit time.Duration, ready func() bool) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return errSlow
		case <-tick.C:
		}
	}
	return nil
}

// load navigates and waits for the load event.
func (t *tab) load(ctx context.Context, address string) error {
	t.mu.Lock()
	t.started, t.loaded, t.requests = true, false, nil
	t.mu.Unlock()
	nctx, cancel := context.WithTimeout(ctx, 25*time.Second)
	defer cancel()
	res, err := cdp.Call(nctx, t.target, page.Navigate, page.NavigateParams{URL: address})
	if err != nil {
		return fmt.Errorf("navigate: %w", err)
	}
	if res.ErrorText != "" {
		return fmt.Errorf("navigate: %s", res.ErrorText)
	}
	err = until(ctx, 20*time.Second, func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.loaded
	})
	if errors.Is(err, errSlow) {
		return nil // a page that never ends loading is judged as it is
	}
	return err
}

// idle waits until nothing was asked for or answered for a while.
func (t *tab) idle(ctx context.Context, quiet, limit time.Duration) error {
	began := time.Now()
	err := until(ctx, limit, func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return len(t.waiting) == 0 && time.Since(t.quietAt) >= quiet && time.Since(began) >= quiet
	})
	if errors.Is(err, errSlow) {
		return nil
	}
	return err
}

// ask evaluates an expression in a world of our own and decodes its value.
func (t *tab) ask(ctx context.Context, out any, expression string) error {
	cctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	w, err := cdp.Call(cctx, t.target, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: t.frame, WorldName: "judge"})
	if err != nil {
		return err
	}
	res, err := cdp.Call(cctx, t.target, runtime.Evaluate, runtime.EvaluateParams{Expression: expression, ContextID: w.ExecutionContextID, ReturnByValue: new(true)})
	if err != nil {
		return err
	}
	if res.ExceptionDetails != nil {
		return fmt.Errorf("script: %s", res.ExceptionDetails.Text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(res.Result.Value, out)
}

// fonts waits until no font is on its way.
func (t *tab) fonts(ctx context.Context) error {
	err := until(ctx, 5*time.Second, func() bool {
		var status string
		return t.ask(ctx, &status, "document.fonts.status") != nil || status == "loaded"
	})
	if errors.Is(err, errSlow) {
		return nil
	}
	return err
}

// settle waits as a patient visitor does: fonts, then half a second of rest.
func (t *tab) settle(ctx context.Context) error {
	if err := t.fonts(ctx); err != nil {
		return err
	}
	return t.idle(ctx, 500*time.Millisecond, 8*time.Second)
}

// walk scrolls down until the page grows no more, and back to the top.
func (t *tab) walk(ctx context.Context) error {
	const step = "(() => { scrollBy(0, innerHeight * 0.7); const e = document.scrollingElement || document.documentElement; return [scrollY + innerHeight, e.scrollHeight]; })()"
	deadline := time.Now().Add(20 * time.Second)
	var last float64
	for still := 0; still < 3 && time.Now().Before(deadline); {
		var at [2]float64
		if err := t.ask(ctx, &at, step); err != nil {
			return err
		}
		if still++; at[0] < at[1]-2 || at[1] != last {
			still = 0
		}
		last = at[1]
		rest := 80 * time.Millisecond
		if still > 0 {
			rest = 300 * time.Millisecond
		}
		if err := t.idle(ctx, rest, 3*time.Second); err != nil {
			return err
		}
	}
	return t.ask(ctx, nil, "scrollTo(0, 0)")
}

// asked lists what the page asked for beside itself.
func (t *tab) asked(itself string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	own := false
	for _, r := range t.requests {
		if r == itself && !own {
			own = true
			continue
		}
		out = append(out, r)
	}
	return out
}
