package page

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"

	"github.com/candor-archive/candor"
)

// poll waits until ready says so, asking now and then.
func (s *session) poll(ctx context.Context, limit time.Duration, ready func() bool) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ready() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.lease.Gone():
			return errors.New("the browser died")
		case <-deadline.C:
			return errSlow
		case <-tick.C:
		}
	}
}

// navigate asks for the page and returns when the server has answered.
func (s *session) navigate(ctx context.Context) (string, error) {
	cctx, cancel := context.WithTimeout(ctx, s.limits.Navigate)
	defer cancel()
	res, err := cdp.Call(cctx, s.lease.Target, cdppage.Navigate, cdppage.NavigateParams{URL: s.spec.URL})
	switch {
	case err != nil && ctx.Err() == nil && cctx.Err() != nil:
		// The browser answers this one when the server does; silence is the
		// server's, or the script's that redirects without end.
		s.doubts.fail(candor.GapNoAnswer, s.limits.Navigate.String(), fmt.Sprintf("no answer within %s", s.limits.Navigate))
		s.stop(ctx)
		return "", errSlow
	case err != nil:
		s.doubts.fail(candor.GapUnreachable, "", "the browser could not visit the address")
		return "", err
	case res.IsDownload, res.ErrorText == "net::ERR_ABORTED" && s.rec.download():
		s.file = true
		return "", errors.New("it is a file, not a page")
	case res.ErrorText == "net::ERR_ABORTED":
		s.doubts.fail(candor.GapOther, "no content", "the address does not lead to a page (no content)")
		return "", errors.New(res.ErrorText)
	case res.ErrorText != "":
		s.navError = res.ErrorText // judged with the exchange, which may know more
		return "", errors.New(res.ErrorText)
	}
	return "", nil
}

// maxMoves is how many documents the page may go through by itself before that
// counts as going in circles.
const maxMoves = 10

func (s *session) load(ctx context.Context) (string, error) {
	var last state
	err := s.poll(ctx, s.limits.Load, func() bool {
		last = s.rec.state()
		return last.loaded || last.crashed || last.moves > maxMoves
	})
	switch {
	case last.crashed:
		s.hung = true
		s.doubts.fail(candor.GapCrashed, "", "the page crashed the browser's tab")
		return "", errors.New("the page crashed")
	case last.moves > maxMoves:
		return s.halt(ctx, inCircles), errors.New("the page goes in circles")
	case errors.Is(err, errSlow):
		s.doubts.partial(candor.GapSlow, "load", fmt.Sprintf("the page did not finish loading within %s", s.limits.Load))
		s.stop(ctx)
	}
	return "", err
}

var inCircles = fmt.Sprintf("the page went on to another address more than %d times", maxMoves)

// circles reports whether the page goes from address to address and nothing was
// done about it yet.
func (s *session) circles() bool { return !s.halted && s.rec.state().moves > maxMoves }

// halt keeps a page that goes in circles where it is: without scripts, and with
// every further move refused, since markup sends on, too.
func (s *session) halt(ctx context.Context, why string) string {
	s.halted = true
	s.doubts.partial(candor.GapMoved, "", why)
	if _, err := call(ctx, s, quick, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		s.log.Debug("switch scripts off", "url", s.spec.URL, "error", err)
	}
	if err := s.hold(ctx); err != nil {
		s.log.Debug("hold a page that goes in circles", "url", s.spec.URL, "error", err)
	}
	if err := s.poll(ctx, s.limits.Settle, func() bool { return s.rec.state().loaded }); err != nil {
		s.stop(ctx)
	}
	return "its scripts were switched off"
}

// stop ends loading. A page that cannot hear it is woken by the next step.
func (s *session) stop(ctx context.Context) {
	if _, err := call(ctx, s, 3*time.Second, cdppage.StopLoading, cdp.Empty{}); err != nil {
		s.log.Debug("stop loading", "url", s.spec.URL, "error", err)
		s.wake(ctx)
	}
}

const quietFor = 500 * time.Millisecond

func (s *session) quiet(ctx context.Context) (string, error) {
	waiting, detail := 0, ""
	still := func() bool {
		d, n := s.rec.quietFor()
		waiting = n
		return d >= quietFor
	}
	err := s.poll(ctx, s.limits.Quiet, func() bool { return still() || s.circles() })
	if err == nil && s.circles() {
		detail = s.halt(ctx, inCircles)
		err = s.poll(ctx, s.limits.Quiet, still)
	}
	if errors.Is(err, errSlow) {
		s.doubts.partial(candor.GapSlow, "network_quiet", fmt.Sprintf("the network was not quiet within %s", s.limits.Quiet))
		return join(detail, fmt.Sprintf("%d requests under way", waiting)), err
	}
	return detail, err
}

// again repeats a step when the document was replaced under it. A page that
// leaves a second time is kept where it then is.
func (s *session) again(do func(ctx context.Context) (string, error)) func(ctx context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		for tries := 0; ; tries++ {
			before := s.rec.state().loader
			detail, err := do(ctx)
			if err == nil || errors.Is(err, errHung) || errors.Is(err, errSlow) || s.rec.state().loader == before || tries > 1 {
				return detail, err
			}
			switch {
			case s.halted:
			case s.circles():
				s.halt(ctx, inCircles)
			case tries == 1:
				s.halt(ctx, "the page went on to another address again and again")
			}
			if err := s.poll(ctx, s.limits.Load, func() bool { return s.rec.state().loaded }); err != nil {
				return detail, err
			}
		}
	}
}

const (
	// What watches for its coming into view is told when a frame is drawn; a busy
	// machine may draw none between two steps that are only a time apart.
	scrollDownJS = `async px => { scrollBy({top: px, behavior: 'instant'}); const e = document.scrollingElement || document.documentElement;
		const frame = () => Promise.race([new Promise(r => requestAnimationFrame(r)), new Promise(r => setTimeout(r, 1500))]);
		await frame(); await frame();
		return {y: scrollY, height: e.scrollHeight, view: innerHeight}; }`
	scrollTopJS = `() => { scrollTo({top: 0, left: 0, behavior: 'instant'}); return {y: scrollY}; }`
)

type position struct{ Y, Height, View float64 }

// scroll walks down in steps small enough for lazy content to notice, until the
// height no longer grows, and goes back to the top.
func (s *session) scroll(ctx context.Context) (string, error) {
	sctx, cancel := context.WithTimeout(ctx, s.limits.Scroll)
	defer cancel()
	detail, err := s.walk(sctx)
	if err != nil && sctx.Err() != nil && ctx.Err() == nil {
		s.doubts.partial(candor.GapSlow, "scroll", fmt.Sprintf("the page was still longer after %s of scrolling", s.limits.Scroll))
		err = errSlow
	}
	if topErr := s.ask(ctx, quick, nil, scrollTopJS); topErr != nil {
		return detail, errors.Join(err, topErr)
	}
	return detail, err
}

func (s *session) walk(ctx context.Context) (string, error) {
	w, err := s.world(ctx, s.frame)
	if err != nil {
		return "", err
	}
	steps, stable := 0, 0
	var p position
	for {
		last := p.Height
		if err := s.askIn(ctx, w, quick, &p, scrollDownJS, s.m.Viewport.Height*3/4); err != nil {
			return "", err
		}
		steps++
		detail := fmt.Sprintf("%d steps down to %.0f", steps, p.Y+p.View)
		if int(p.Height) > s.limits.Height {
			return detail + ", higher than is captured", nil // the picture says that it is truncated
		}
		atEnd := p.Y+p.View >= p.Height-2
		if atEnd && p.Height == last {
			stable++
		} else {
			stable = 0
		}
		if stable == 2 {
			return detail, nil
		}
		pause := 60 * time.Millisecond
		if atEnd { // what the end of the page asks for may take the network's time
			if err := s.poll(ctx, 3*time.Second, func() bool { d, _ := s.rec.quietFor(); return d >= 200*time.Millisecond }); err != nil && !errors.Is(err, errSlow) {
				return detail, err
			}
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return detail, ctx.Err()
		case <-t.C:
		}
	}
}

func (s *session) arrange(ctx context.Context) {
	s.settle(ctx, "")
	if s.spec.Policy == candor.PolicyScroll {
		s.behave(ctx)
		s.step(ctx, "scroll", s.again(s.scroll))
		s.settle(ctx, "_after_scroll")
	}
}
