package page

import (
	"context"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	cdppage "github.com/chromedp/cdproto/page"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/picture"
)

const (
	// The picture is surveyed by cells of this size, in CSS pixels.
	cellWidth, cellHeight = 64, 32

	// maxHoles is how many places are looked into at most.
	maxHoles = 12
)

// hole is a place where the picture is of a single colour although the
// layout has something to see.
type hole struct {
	band image.Rectangle // of that colour, in pixels of the picture
	what string          // the text, or empty for an image
	at   Box             // of one such thing, in CSS pixels
	rgb  [3]uint8
}

// blanks compares a survey with the layout.
func blanks(v *picture.Survey, l Layout, scale float64) []hole {
	var out []hole
	look := func(b Box, what string) {
		r := image.Rect(int(math.Floor(b[0]*scale)), int(math.Floor(b[1]*scale)), int(math.Ceil((b[0]+b[2])*scale)), int(math.Ceil((b[1]+b[3])*scale)))
		if !r.In(image.Rect(0, 0, v.Width, v.Height)) {
			return
		}
		colour, blank := v.Blank(r)
		if !blank || slices.ContainsFunc(out, func(h hole) bool { return r.In(h.band) }) || len(out) == maxHoles {
			return
		}
		out = append(out, hole{v.Around(r), what, b, [3]uint8{colour.R, colour.G, colour.B}})
	}
	for _, r := range l.Runs {
		if !r.Out && r.Box[2] >= 8 && r.Box[3] >= 6 && strings.ContainsFunc(r.Text, readable) {
			look(r.Box, r.Text)
		}
	}
	for _, i := range l.Images {
		if i.URL != "" && i.Box[2] >= 32 && i.Box[3] >= 32 {
			look(i.Box, "")
		}
	}
	return out
}

// checkPainted makes sure that the picture shows something wherever the layout
// has something to see. What is blank there is photographed again by itself,
// in small strips. When that is not blank the picture was at fault and is taken
// again; when it is, and the page itself says that it should not be, the
// capture is partial.
func (s *session) checkPainted(ctx context.Context, l Layout) {
	if s.survey == nil {
		return
	}
	list := blanks(s.survey, l, s.m.Viewport.Scale)
	if len(list) == 0 {
		return
	}
	s.step(ctx, "painted", func(ctx context.Context) (string, error) {
		detail := fmt.Sprintf("%d blank places", len(list))
		for _, p := range list {
			still, err := s.blank(ctx, p)
			if err != nil {
				return detail, err
			}
			if still {
				continue
			}
			if err := s.take(ctx, s.extent, smallArea); err != nil {
				return detail, err
			}
			s.m.Shot = candor.Moment(s.now())
			detail += ", the picture was taken again in smaller strips"
			list = blanks(s.survey, l, s.m.Viewport.Scale)
			break
		}
		flagged := 0
		for _, p := range list {
			if !s.shouldShow(ctx, p) {
				continue
			}
			scale := s.m.Viewport.Scale
			region := fmt.Sprintf("%.0f,%.0f,%.0f,%.0f", float64(p.band.Min.X)/scale, float64(p.band.Min.Y)/scale, float64(p.band.Dx())/scale, float64(p.band.Dy())/scale)
			s.doubts.partial(candor.GapBlank, region, fmt.Sprintf("the picture is blank at %s, where the page has something to see", region))
			flagged++
		}
		return detail + fmt.Sprintf(", %d in earnest", flagged), nil
	})
}

// blank photographs a hole alone and reports whether it is still of one
// colour.
func (s *session) blank(ctx context.Context, p hole) (bool, error) {
	at := cdppage.Viewport{X: math.Floor(p.at[0]), Y: math.Floor(p.at[1]), Width: math.Ceil(p.at[2]) + 1, Height: math.Ceil(p.at[3]) + 1, Scale: 1}
	at.Height = math.Max(1, math.Min(at.Height, smallArea/(at.Width*s.m.Viewport.Scale*s.m.Viewport.Scale)))
	b, err := s.clip(ctx, at)
	if err != nil {
		return false, err
	}
	w, h, err := picture.Header(b)
	if err != nil {
		return false, err
	}
	v := picture.NewSurvey(w, h, image.Pt(w, h), image.Pt(1, 1))
	if err := v.Look(b); err != nil {
		return false, err
	}
	return v.OneColour(), nil
}

// inkJS reports whether what lies on top at a place should be seen there: text
// of another colour than the picture has, or an image that is not of one colour
// itself.
const inkJS = `(node, text, rgb) => {
	const e = node.nodeType === 1 ? node : node.parentElement;
	if (!e) return false;
	const draw = (what, w, h) => {
		const c = new OffscreenCanvas(w, h), x = c.getContext('2d');
		what(x);
		return x.getImageData(0, 0, w, h).data;
	};
	try {
		if (!text) {
			if (!(e instanceof HTMLImageElement) || !e.complete || e.naturalWidth < 2) return false;
			const d = draw(x => { x.fillStyle = 'rgb(' + rgb + ')'; x.fillRect(0, 0, 16, 16); x.drawImage(e, 0, 0, 16, 16); }, 16, 16);
			for (let i = 0; i < d.length; i++) if (i % 4 < 3 && Math.abs(d[i] - d[i % 4]) > 8) return true;
			return false;
		}
		if (!(e.innerText || e.textContent).includes(text.slice(0, 20))) return false;
		if (!e.checkVisibility({opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true})) return false;
		if (node.nodeType === 1) {
			// The words themselves were not met: what is turned away shows nothing.
			const words = Document.prototype.createTreeWalker.call(document, e, NodeFilter.SHOW_TEXT);
			while (words.nextNode() && !words.currentNode.data.includes(text.trim().slice(0, 20)));
			if (words.currentNode.nodeType === 3 && words.currentNode.data.includes(text.trim().slice(0, 20)))
				for (let up = words.currentNode.parentElement; up && up !== e; up = up.parentElement)
					if (getComputedStyle(up).backfaceVisibility === 'hidden') return false;
		}
		const s = getComputedStyle(e);
		if (parseFloat(s.fontSize) < 4) return false;
		const d = draw(x => { x.fillStyle = 'rgb(' + rgb + ')'; x.fillRect(0, 0, 1, 1); x.fillStyle = s.webkitTextFillColor; x.fillRect(0, 0, 1, 1); }, 1, 1);
		return Math.max(...rgb.map((v, i) => Math.abs(v - d[i]))) > 24;
	} catch (_) {
		return false; // an image of another site may not be looked into
	}
}`

// shouldShow asks the page whether what lies in a hole is really there to be seen. What
// cannot be told does not count: much is laid out that is meant to be unseen.
func (s *session) shouldShow(ctx context.Context, p hole) bool {
	x, y := int64(p.at[0]+p.at[2]/2), int64(p.at[1]+p.at[3]/2)
	hit, err := call(ctx, s, quick, dom.GetNodeForLocation, dom.GetNodeForLocationParams{X: x, Y: y, IncludeUserAgentShadowDOM: new(false), IgnorePointerEventsNone: new(false)})
	if err != nil {
		s.log.Debug("look what lies on top", "url", s.spec.URL, "error", err)
		return false
	}
	frame := hit.FrameID
	if frame == "" {
		frame = s.frame
	}
	w, err := s.world(ctx, frame)
	if err != nil {
		return false // the frame went away
	}
	node, err := call(ctx, s, quick, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: cdp.BackendNodeID(hit.BackendNodeID), ExecutionContextID: w})
	if err != nil {
		return false // the element went away
	}
	var ink bool
	if err := s.askIn(ctx, w, quick, &ink, inkJS, object(node.Object.ObjectID), p.what, []int{int(p.rgb[0]), int(p.rgb[1]), int(p.rgb[2])}); err != nil {
		s.log.Debug("ask whether something should be seen", "url", s.spec.URL, "error", err)
		return false
	}
	return ink
}
