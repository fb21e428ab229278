package page

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"path/filepath"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"

	"github.com/candor-archive/candor/render/picture"
)

// Chrome takes pictures of any size without complaint, but beyond a certain area
// it silently leaves parts of them white: 115 million pixels were always whole,
// 166 million were not. Strips keep far below that, and so the browser's memory
// with them.
const (
	maxStrip  = 8000        // CSS pixels
	stripRows = 16_000      // pixels
	stripArea = 2560 * 8000 // pixels
	// smallArea is for strips that are taken again because something in them was
	// blank.
	smallArea = 1 << 20
)

// maxWidths bounds how far to the right a page may reach, in viewports.
const maxWidths = 4

// extent is how much of the page the picture shows, in CSS pixels.
type extent struct {
	width, height int
	full          int // height of the whole page
	cut           bool
}

func (s *session) measure(ctx context.Context) (extent, error) {
	m, err := call(ctx, s, quick, cdppage.GetLayoutMetrics, cdp.Empty{})
	if err != nil {
		return extent{}, err
	}
	e := extent{width: s.m.Viewport.Width, height: s.m.Viewport.Height}
	if c := m.CSSContentSize; c != nil {
		e.width, e.height = max(e.width, int(math.Ceil(c.Width))), max(e.height, int(math.Ceil(c.Height)))
	}
	e.full = e.height
	if e.height > s.limits.Height {
		e.height, e.cut = s.limits.Height, true
	}
	if w := maxWidths * s.m.Viewport.Width; e.width > w {
		e.width, e.cut = w, true
	}
	return e, nil
}

// shoot takes the picture of the whole page into screenshot.png. The viewport
// is never enlarged and the page never scrolled: either would change it. Even so
// the view is resized inside the browser while it paints what lies beyond the
// viewport: boxes that lose how far they are scrolled get it back before they are
// painted, and pages react to it, so that a picture that moved the page is taken
// again, once.
func (s *session) shoot(ctx context.Context) (extent, string, error) {
	before, err := s.measure(ctx)
	if err != nil {
		return extent{}, "", err
	}
	watched := s.watch(ctx, before)
	detail := ""
	for try := 0; ; try++ {
		if err := s.take(ctx, before, stripArea); err != nil {
			return before, "", err
		}
		after, err := s.measure(ctx)
		if err != nil {
			return before, "", err
		}
		why := ""
		if after != before {
			why = fmt.Sprintf("the page changed from %d×%d to %d×%d while its picture was taken", before.width, before.full, after.width, after.full)
		} else if watched {
			why = s.moved(ctx)
		}
		if detail = join(detail, why); why == "" || try == 1 {
			break
		}
		detail += " and was taken again"
		before = after
	}
	return before, detail, nil
}

// take photographs the extent strip by strip, each of at most area pixels, joins
// the strips as they come, and surveys the picture.
func (s *session) take(ctx context.Context, e extent, area int) error {
	path := filepath.Join(s.dir, screenshotName)
	scale := s.m.Viewport.Scale
	w, h := px(e.width, scale), px(e.height, scale)
	survey := picture.NewSurvey(w, h, image.Pt(px(cellWidth, scale), px(cellHeight, scale)), image.Pt(thumbWidth, thumbHeight))
	strip := stripHeight(w, scale, area)
	s.survey = nil
	if e.height <= strip {
		b, err := s.strip(ctx, e, 0, e.height)
		if err != nil {
			return err
		}
		if err := survey.Look(b); err != nil {
			return err
		}
		s.survey = survey
		return writeFile(path, b)
	}
	err := writeTo(path, func(f io.Writer) error {
		buf := bufio.NewWriterSize(f, 64<<10)
		j := picture.NewJoiner(buf, w, h, survey)
		for y, next := 0, 0; y < e.height; y = next {
			next = y + s.portion(e, y, strip)
			b, err := s.strip(ctx, e, y, next-y)
			if err == nil {
				err = j.Add(b)
			}
			if err != nil {
				return fmt.Errorf("strip at %d: %w", y, err)
			}
		}
		return errors.Join(j.Close(), buf.Flush())
	})
	if err == nil {
		s.survey = survey
	}
	return err
}

// stripHeight is how much of a picture that is w pixels wide is taken at once, in
// CSS pixels.
func stripHeight(w int, scale float64, area int) int {
	return max(1, min(maxStrip, int(float64(min(stripRows, area/w))/scale)))
}

// portion is how much of the page is taken next. A part beyond the view never
// has the view's own size, since Chrome then moves what runs from right to left.
func (s *session) portion(e extent, y, strip int) int {
	n := min(strip, e.height-y)
	if v := s.m.Viewport; n == v.Height && n > 1 && e.width == v.Width {
		n--
	}
	return n
}

// px is a length in pixels of the picture.
func px(css int, scale float64) int { return int(math.Round(float64(css) * scale)) }

// strip takes one strip and makes sure that it has the size it must have.
func (s *session) strip(ctx context.Context, e extent, y, height int) ([]byte, error) {
	b, err := s.clip(ctx, cdppage.Viewport{Y: float64(y), Width: float64(e.width), Height: float64(height), Scale: 1})
	if err != nil {
		return nil, err
	}
	w, h, err := picture.Header(b)
	if err != nil {
		return nil, err
	}
	if want, tall := px(e.width, s.m.Viewport.Scale), px(height, s.m.Viewport.Scale); w != want || h != tall {
		return nil, fmt.Errorf("the picture is %d×%d pixels instead of %d×%d", w, h, want, tall)
	}
	return b, nil
}

// clip photographs a part of the page.
func (s *session) clip(ctx context.Context, at cdppage.Viewport) ([]byte, error) {
	// A page that runs from right to left is moved when what is asked for beyond
	// the view is just of the view's size; see portion for other parts of a page.
	// Others are taken this way also when all of them is in view: without it three
	// pages of the page list had letters drawn otherwise than in their snapshots.
	v := s.m.Viewport
	beyond := !s.leftward || at.X != 0 || at.Y != 0 || at.Width != float64(v.Width) || at.Height != float64(v.Height)
	res, err := call(ctx, s, s.limits.Picture, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{
		Format: cdppage.CaptureScreenshotFormatPng, CaptureBeyondViewport: new(beyond), OptimizeForSpeed: new(true), Clip: &at})
	return res.Data, err
}

const (
	thumbWidth  = 320
	thumbHeight = 400
)

// thumbnail writes the small picture of the top and reports whether the whole
// picture is of one colour.
func (s *session) thumbnail() (uniform bool, err error) {
	if s.survey == nil {
		return false, errors.New("there is no picture")
	}
	return s.survey.OneColour(), writeTo(filepath.Join(s.dir, thumbnailName), s.survey.WriteSmall)
}
