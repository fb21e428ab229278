package page

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/inspector"
	cdplog "github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
)

// reopening follows what happens in a tab that shows a snapshot.
type reopening struct {
	url  string
	icon string
	pass func(id fetch.RequestID, on bool)
	done chan struct{}

	mu      sync.Mutex
	begun   bool
	ended   bool
	loader  cdp.LoaderID // of the snapshot
	crashed bool
	asked   int // requests that the snapshot made or tried

	refusals func() int // by the proxy, of this tab
	before   int        // those that were the page's
}

func (w *reopening) on(ev any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	switch e := ev.(type) {
	case *cdppage.EventFrameNavigated:
		if e.Frame.ParentID == "" && e.Frame.URL == w.url {
			w.loader = e.Frame.LoaderID
			w.before = w.refusals()
		}
	case *cdppage.EventLifecycleEvent:
		if e.Name == "load" && w.loader != "" && e.LoaderID == w.loader {
			w.finish()
		}
	case *inspector.EventTargetCrashed:
		w.crashed = true
		w.finish()
	case *cdplog.EventEntryAdded:
		if w.loader != "" && e.Entry != nil && strings.Contains(e.Entry.Text, "violates the following Content Security Policy") {
			w.asked++
		}
	case *fetch.EventRequestPaused:
		on := w.begun && e.Request.URL == w.url && w.loader == ""
		if !on && w.loader != "" && e.Request.URL != w.icon { // which the browser asks for by itself
			w.asked++
		}
		w.pass(e.RequestID, on)
	}
}

func (w *reopening) finish() {
	select {
	case <-w.done:
	default:
		close(w.done)
	}
}

// begin says that the snapshot is about to be asked for: what was under way
// before is the page's.
func (w *reopening) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun = true
}

func (w *reopening) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

func (w *reopening) requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.loader == "" {
		return w.asked
	}
	return w.asked + w.refusals() - w.before
}

// readyJS says whether everything a snapshot holds has been read. It awaits
// nothing, since callbacks do not run where scripts are off, and nothing of the
// document by its plain name, which an image may have taken.
const readyJS = `() => {
	const of = name => Object.getOwnPropertyDescriptor(Document.prototype, name).get.call(document);
	return of('fonts').status === 'loaded' && [...of('images')].every(i => i.complete);
}`

// wait returns when the snapshot is loaded and drawn.
func (w *reopening) wait(ctx context.Context, s *session) error {
	limit := time.NewTimer(s.limits.Load)
	defer limit.Stop()
	select {
	case <-w.done:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.lease.Gone():
		return errors.New("the browser died")
	case <-limit.C:
		return fmt.Errorf("the snapshot did not load within %s: %w", s.limits.Load, errSlow)
	}
	w.mu.Lock()
	crashed := w.crashed
	w.mu.Unlock()
	if crashed {
		return errors.New("the snapshot crashed the browser's tab")
	}
	world, err := s.world(ctx, s.frame)
	if err != nil {
		return err
	}
	var asked error
	err = s.poll(ctx, s.limits.Settle, func() bool {
		var ready bool
		asked = s.askIn(ctx, world, quick, &ready, readyJS)
		return ready || asked != nil
	})
	if errors.Is(err, errSlow) {
		err = nil // the picture will tell
	}
	return errors.Join(asked, err)
}
