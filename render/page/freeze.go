package page

import (
	"context"

	"github.com/chromedp/cdproto/animation"
	"github.com/chromedp/cdproto/cdp"
)

// freeze stops animations where they are and holds the page, so that
// picture, snapshot and words are of one moment.
func (s *session) freeze(ctx context.Context) (string, error) {
	if err := s.hold(ctx); err != nil {
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
