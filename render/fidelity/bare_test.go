package fidelity

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures/pages"
)

var (
	desktop = candor.Viewport{Width: 1280, Height: 800, Scale: 1}
	mobile  = candor.Viewport{Width: 390, Height: 844, Scale: 2, Mobile: true}
)

func viewOf(p candor.Profile) candor.Viewport {
	if p == candor.Mobile {
		return mobile
	}
	return desktop
}

// bareLoop is what everything is measured against: one warm browser with the
// switches of ours and no proxy, one tab that goes from page to page, waits for
// the load event and takes one PNG of the whole page with the fast coder. No
// domain of the protocol is on but Page.
type bareLoop struct {
	chrome *Chrome
	target *chromedp.Target
	loaded chan struct{}
	view   candor.Viewport
	path   string
}

func startBare(ctx context.Context, chrome, dir string) (*bareLoop, error) {
	c, err := StartChrome(ctx, chrome, "")
	if err != nil {
		return nil, err
	}
	l := &bareLoop{chrome: c, loaded: make(chan struct{}, 64), path: filepath.Join(dir, "bare-"+candor.NewID()+".png")}
	l.target = chromedp.FromContext(c.ctx).Target
	if err := l.prepare(ctx, c.ctx); err != nil {
		c.Close()
		return nil, err
	}
	return l, nil
}

// prepare switches off what the library switches on, and listens for loads.
func (l *bareLoop) prepare(ctx, tab context.Context) error {
	for _, off := range []string{css.CommandDisable, dom.CommandDisable, network.CommandDisable, log.CommandDisable, runtime.CommandDisable} {
		if err := l.target.Call(ctx, off, cdp.Empty{}, nil); err != nil {
			return err
		}
	}
	if _, err := cdp.Call(ctx, l.target, cdppage.SetLifecycleEventsEnabled, cdppage.SetLifecycleEventsEnabledParams{}); err != nil {
		return err
	}
	if _, err := cdp.Call(ctx, l.target, emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: true}); err != nil {
		return err
	}
	return chromedp.Listen(tab, func(ev any) {
		if _, ok := ev.(*cdppage.EventLoadEventFired); ok {
			select {
			case l.loaded <- struct{}{}:
			default: // nobody waits
			}
		}
	})
}

func (l *bareLoop) visit(ctx context.Context, url string, v candor.Viewport) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	if v != l.view {
		if _, err := cdp.Call(ctx, l.target, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: int64(v.Width), Height: int64(v.Height), DeviceScaleFactor: v.Scale, Mobile: v.Mobile}); err != nil {
			return err
		}
		l.view = v
	}
	for len(l.loaded) > 0 {
		<-l.loaded
	}
	if err := l.navigate(ctx, url); err != nil {
		return err
	}
	m, err := cdp.Call(ctx, l.target, cdppage.GetLayoutMetrics, cdp.Empty{})
	if err != nil {
		return err
	}
	w, h := math.Max(float64(v.Width), m.CSSContentSize.Width), math.Max(float64(v.Height), m.CSSContentSize.Height)
	res, err := cdp.Call(ctx, l.target, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{
		Format: cdppage.CaptureScreenshotFormatPng, CaptureBeyondViewport: new(true), OptimizeForSpeed: new(true),
		Clip: &cdppage.Viewport{Width: math.Ceil(w), Height: math.Ceil(h), Scale: 1}})
	if err != nil {
		return err
	}
	return os.WriteFile(l.path, res.Data, 0o600)
}

func (l *bareLoop) navigate(ctx context.Context, url string) error {
	res, err := cdp.Call(ctx, l.target, cdppage.Navigate, cdppage.NavigateParams{URL: url})
	if err != nil {
		return err
	}
	if res.ErrorText != "" {
		return errors.New(res.ErrorText)
	}
	timer := time.NewTimer(20 * time.Second)
	defer timer.Stop()
	select {
	case <-l.loaded:
		return nil
	case <-timer.C:
		return nil // a page that never ends loading is pictured as it is, as our captures do
	case <-ctx.Done():
		return ctx.Err()
	}
}

// blank leaves the last page, so that it does not go on working while others
// are measured.
func (l *bareLoop) blank(ctx context.Context) error {
	if err := l.navigate(ctx, "about:blank"); err != nil {
		return fmt.Errorf("leave the last page: %w", err)
	}
	return nil
}

// bareFleet is as many bare loops as there are workers.
type bareFleet struct{ free chan *bareLoop }

func startFleet(ctx context.Context, n int, chrome, dir string) (*bareFleet, error) {
	f := &bareFleet{free: make(chan *bareLoop, n)}
	for range n {
		l, err := startBare(ctx, chrome, dir)
		if err != nil {
			f.close()
			return nil, err
		}
		f.free <- l
	}
	return f, nil
}

func (f *bareFleet) visit(ctx context.Context, s *site, p pages.Page) error {
	l := <-f.free
	defer func() { f.free <- l }()
	if err := l.visit(ctx, s.URLs[p.Name], viewOf(p.Profile)); err != nil {
		return fmt.Errorf("bare visit of %s: %w", p.Name, err)
	}
	return nil
}

// all is every loop; call it only while none is at work.
func (f *bareFleet) all() []*bareLoop {
	var out []*bareLoop
	for n := len(f.free); n > 0; n-- {
		l := <-f.free
		out = append(out, l)
		f.free <- l
	}
	return out
}

func (f *bareFleet) close() {
	for _, l := range f.all() {
		l.chrome.Close()
	}
}
