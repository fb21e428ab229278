package page

import (
	"context"

	"github.com/chromedp/cdproto/animation"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
)

// freeze stops animations where they are and refuses to go elsewhere, so that
// picture, snapshot and words are of one moment.
func (s *session) freeze(ctx context.Context) (string, error) {
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
	if _, err := call(ctx, s, quick, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: "*", ResourceType: network.ResourceTypeDocument}}}); err != nil {
		return "", err
	}
	if _, err := call(ctx, s, quick, animation.Enable, cdp.Empty{}); err != nil {
		return "", err
	}
	if _, err := call(ctx, s, quick, animation.SetPlaybackRate, animation.SetPlaybackRateParams{PlaybackRate: 0}); err != nil {
		return "", err
	}
	return "", s.ask(ctx, quick, nil, pauseDrawingsJS)
}

// pauseDrawingsJS stops SVG's own animations, which have a clock of their own,
// in every document that the page's can reach.
const pauseDrawingsJS = `() => {
	const find = Document.prototype.querySelectorAll;
	const pause = (doc, depth) => {
		if (find.call(doc, 'animate,animateTransform,animateMotion,set').length) for (const svg of find.call(doc, 'svg')) if (svg.pauseAnimations && !svg.ownerSVGElement) svg.pauseAnimations();
		if (depth < 4) for (const f of find.call(doc, 'iframe,frame,object')) { try { if (f.contentDocument) pause(f.contentDocument, depth + 1); } catch {} } // another origin's
	};
	pause(document, 0);
}`
