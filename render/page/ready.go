package page

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"

	"github.com/candor-archive/candor"
)

//go:embed settle.js
var settleJS string

// ready is what settle.js tells. Times are in milliseconds.
type ready struct {
	Outside int // frames that it could not look into
	Fonts   struct {
		Late   bool
		Failed int
		MS     float64
	}
	Images struct {
		Late                       bool
		All, Broken, Missing, Lazy int
		MS                         float64
	}
	Height struct {
		From, To, MS float64
		Stable       bool
	}
	Drawn    bool
	Leftward bool // the page may run from right to left
	FramesMS float64
}

// settle waits until what has been asked for is there and shown. All but the
// network's quiet is asked of the page at once, since every question costs, and
// recorded as the steps it is made of.
func (s *session) settle(ctx context.Context, suffix string) {
	s.step(ctx, "network_quiet"+suffix, s.quiet)
	var got ready
	answered := false
	asked := s.step(ctx, "fonts"+suffix, s.again(func(ctx context.Context) (string, error) {
		got, answered = ready{}, false
		if err := s.ask(ctx, 2*s.limits.Settle+8*time.Second, &got, settleJS, s.limits.Settle.Milliseconds(), "all"); err != nil {
			return "", err
		}
		answered = true
		s.inside(ctx, &got)
		return s.fontsDone(got)
	}))
	if !answered {
		if asked == candor.StepFailed {
			s.doubts.partial(candor.GapOther, "settle", "whether the page's fonts and images were there could not be told ("+s.m.Steps[len(s.m.Steps)-1].Detail+")")
		}
		for _, name := range []string{"images", "height", "frames"} {
			s.step(ctx, name+suffix, func(context.Context) (string, error) { return "fonts were " + string(asked), errSkipped })
		}
		return
	}
	s.leftward = got.Leftward
	s.took(got.Fonts.MS)
	s.step(ctx, "images"+suffix, func(context.Context) (string, error) { return s.imagesDone(got) })
	s.took(got.Images.MS)
	s.step(ctx, "height"+suffix, func(context.Context) (string, error) { return s.heightDone(got) })
	s.took(got.Height.MS)
	s.step(ctx, "frames"+suffix, func(context.Context) (string, error) { return framesDone(got) })
	s.took(got.FramesMS)
}

// took corrects the time of the last step, which went by in the page.
func (s *session) took(ms float64) {
	s.m.Steps[len(s.m.Steps)-1].Duration = time.Duration(ms * float64(time.Millisecond))
}

func (s *session) fontsDone(got ready) (detail string, err error) {
	if got.Fonts.Failed > 0 {
		detail = fmt.Sprintf("%d fonts failed", got.Fonts.Failed)
	}
	if got.Fonts.Late {
		s.doubts.partial(candor.GapSlow, "fonts", "fonts were not ready in time")
		return detail, errSlow
	}
	return detail, nil
}

func (s *session) imagesDone(got ready) (string, error) {
	detail := fmt.Sprintf("%d images", got.Images.All)
	for _, d := range []struct {
		n    int
		word string
	}{{got.Images.Broken, "broken"}, {got.Images.Missing, "not there yet"}, {got.Images.Lazy, "lazy and not asked for"}} {
		if d.n > 0 {
			detail += fmt.Sprintf(", %d %s", d.n, d.word)
		}
	}
	if got.Images.Late {
		s.doubts.partial(candor.GapSlow, "images", "images were not ready in time")
		return detail, errSlow
	}
	return detail, nil
}

// heightDone does not doubt a capture whose page goes on growing: what it shows
// is what there was.
func (s *session) heightDone(got ready) (string, error) {
	switch h := got.Height; {
	case !h.Stable:
		return fmt.Sprintf("from %.0f to %.0f and still changing", h.From, h.To), errSlow
	case h.From != h.To:
		return fmt.Sprintf("from %.0f to %.0f", h.From, h.To), nil
	}
	return "", nil
}

func framesDone(got ready) (string, error) {
	if !got.Drawn {
		return "no frame was drawn", nil
	}
	return "", nil
}

// frames lets two frames be drawn, so that what was decided last is shown.
func (s *session) frames(ctx context.Context) (string, error) {
	var got ready
	if err := s.ask(ctx, 10*time.Second, &got, settleJS, 0, "frames"); err != nil {
		return "", err
	}
	return framesDone(got)
}

const (
	// maxInside is how many frames of other sites are asked whether they are
	// ready, and insideLimit how long all of them may take.
	maxInside   = 20
	insideLimit = 5 * time.Second
)

// inside asks those frames that the page's own world cannot look into. What
// does not answer is passed over: the picture shows what is there.
func (s *session) inside(ctx context.Context, got *ready) {
	if got.Outside == 0 {
		return
	}
	ictx, cancel := context.WithTimeout(ctx, insideLimit)
	defer cancel()
	tree, err := cdp.Call(ictx, s.lease.Target, cdppage.GetFrameTree, cdp.Empty{})
	if err != nil {
		s.log.Debug("list the frames", "url", s.spec.URL, "error", err)
		return
	}
	var far []cdp.FrameID
	var walk func(t *cdppage.FrameTree)
	walk = func(t *cdppage.FrameTree) {
		for _, c := range t.ChildFrames {
			if c.Frame.SecurityOrigin != t.Frame.SecurityOrigin && c.Frame.UnreachableURL == "" && len(far) < maxInside {
				far = append(far, c.Frame.ID)
			}
			walk(c)
		}
	}
	walk(tree.FrameTree)
	answers := make(chan ready, len(far))
	for _, id := range far {
		go func() {
			var one ready
			w, err := cdp.Call(ictx, s.lease.Target, cdppage.CreateIsolatedWorld, cdppage.CreateIsolatedWorldParams{FrameID: id, WorldName: "candor"})
			if err == nil {
				err = s.askIn(ictx, w.ExecutionContextID, insideLimit, &one, settleJS, min(s.limits.Settle, insideLimit-time.Second).Milliseconds(), "inside")
			}
			if err != nil && !errors.Is(err, context.Canceled) {
				s.log.Debug("ask a frame whether it is ready", "url", s.spec.URL, "error", err)
			}
			answers <- one
		}()
	}
	for range far {
		one := <-answers
		got.Fonts.Late = got.Fonts.Late || one.Fonts.Late
		got.Fonts.Failed += one.Fonts.Failed
		got.Images.Late = got.Images.Late || one.Images.Late
		got.Images.All += one.Images.All
		got.Images.Broken += one.Images.Broken
		got.Images.Missing += one.Images.Missing
		got.Images.Lazy += one.Images.Lazy
	}
}
