package page

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/behaviour"
)

// subject is the session's page as a behaviour sees it.
type subject struct {
	s     *session
	world runtime.ExecutionContextID
}

// questionLimit is how long one question of a behaviour may take.
const questionLimit = 5 * time.Second

func (s *session) subject(ctx context.Context) (*subject, error) {
	w, err := s.world(ctx, s.frame)
	return &subject{s, w}, err
}

func (p *subject) Ask(ctx context.Context, out any, fn string, args ...any) error {
	return p.s.askIn(ctx, p.world, questionLimit, out, fn, args...)
}

// restFor is how long nothing may load before a behaviour goes on.
const restFor = 150 * time.Millisecond

func (p *subject) Quiet(ctx context.Context, limit time.Duration) error {
	began := time.Now()
	err := p.s.poll(ctx, limit, func() bool {
		d, _ := p.s.rec.quietFor()
		return d >= restFor && time.Since(began) >= restFor
	})
	if errors.Is(err, errSlow) {
		return nil
	}
	return err
}

func (p *subject) Address() string { return p.s.rec.state().url }

func (s *session) known() *behaviour.Set {
	if s.behaviours == nil {
		return behaviour.Default()
	}
	return s.behaviours
}

// reserve is the part of a capture's time that is kept for what comes after the
// behaviours.
const reserve = 25 * time.Second

// behave does to the page what is known of its site, so that all of a thread is
// on show. Whatever comes of it, the capture goes on.
func (s *session) behave(ctx context.Context) {
	candidates := s.known().Candidates(s.rec.state().url)
	if len(candidates) == 0 {
		return
	}
	s.step(ctx, "behaviours", func(ctx context.Context) (string, error) {
		p, err := s.subject(ctx)
		if err != nil {
			return "", err
		}
		has, err := behaviour.Has(ctx, p, candidates)
		if err != nil {
			return "", err
		}
		f := behaviour.Choose(candidates, has)
		if f == nil || len(f.Steps) == 0 {
			return "none is for this page", errSkipped
		}
		budget := time.Minute
		if end, ok := ctx.Deadline(); ok {
			budget = time.Until(end) - min(reserve, s.limits.Total/2)
		}
		if budget < time.Second {
			s.doubts.partial(candor.GapSlow, "behaviours", "there was no time left to show more of the page")
			return f.Name, errSlow
		}
		if err := s.hold(ctx); err != nil {
			return f.Name, err
		}
		run, gaps, err := f.Run(ctx, p, budget)
		s.m.Behaviours = append(s.m.Behaviours, run)
		for _, g := range gaps {
			s.doubts.add(g)
		}
		return fmt.Sprintf("%s, version %d", run.Name, run.Version), err
	})
}

// hold keeps the page where it is: from now on what would lead its main frame
// elsewhere is refused.
func (s *session) hold(ctx context.Context) error {
	s.rec.mu.Lock()
	s.rec.held = func(id fetch.RequestID, frame cdp.FrameID) {
		go func() {
			var err error
			if frame == s.frame {
				_, err = call(ctx, s, quick, fetch.FailRequest, fetch.FailRequestParams{RequestID: id, ErrorReason: network.ErrorReasonAborted})
			} else {
				_, err = call(ctx, s, quick, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: id})
			}
			if err != nil {
				s.log.Debug("hold a navigation", "url", s.spec.URL, "error", err)
			}
		}()
	}
	s.rec.mu.Unlock()
	_, err := call(ctx, s, quick, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: "*", ResourceType: network.ResourceTypeDocument}}})
	return err
}

// look reads, at the moment of the picture, what tells an obstacle from content
// and how much of a thread is shown. It touches nothing.
func (s *session) look(ctx context.Context) {
	looked := s.step(ctx, "look", func(ctx context.Context) (string, error) {
		p, err := s.subject(ctx)
		if err != nil {
			return "", err
		}
		at := s.rec.state().url
		seen, err := behaviour.Look(ctx, p, s.known().Selectors(at))
		if err != nil {
			return "", err
		}
		s.seen = seen
		f := behaviour.Choose(s.known().Candidates(at), seen.Has)
		if f == nil {
			return "", nil
		}
		shown, gaps, err := f.Tally(ctx, p)
		if err != nil {
			return "", err
		}
		s.m.Shown = shown
		for _, g := range gaps {
			s.doubts.add(g)
		}
		return "", nil
	})
	if looked == candor.StepFailed {
		s.doubts.partial(candor.GapOther, "look", "whether something stands in the place of the page could not be told ("+s.m.Steps[len(s.m.Steps)-1].Detail+")")
	}
}
