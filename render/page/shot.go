package page

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
)

// stripHeight is how much of a page is taken at once, in CSS pixels at scale 1.
// Chrome takes taller pictures without complaint and silently leaves areas
// white; strips of this height were always whole.
const stripHeight = 8000

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
// is never enlarged and the page never scrolled: either would change it.
func (s *session) shoot(ctx context.Context) (extent, string, error) {
	before, err := s.measure(ctx)
	if err != nil {
		return extent{}, "", err
	}
	detail := ""
	for try := 0; ; try++ {
		if err := s.take(ctx, before); err != nil {
			return before, "", err
		}
		after, err := s.measure(ctx)
		if err != nil {
			return before, "", err
		}
		if after == before {
			break
		}
		detail = fmt.Sprintf("the page changed from %d×%d to %d×%d while its picture was taken", before.width, before.height, after.width, after.height)
		if try == 1 {
			break
		}
		detail += " and was taken again"
		before = after
	}
	return before, detail, nil
}

// take photographs the extent strip by strip and joins the strips as they come.
func (s *session) take(ctx context.Context, e extent) error {
	path := filepath.Join(s.dir, screenshotName)
	scale := s.m.Viewport.Scale
	strip := int(stripHeight / scale)
	if e.height <= strip {
		b, err := s.strip(ctx, e, 0, e.height)
		if err != nil {
			return err
		}
		return writeFile(path, b)
	}
	return writeTo(path, func(f io.Writer) error {
		buf := bufio.NewWriterSize(f, 256<<10)
		w, err := newPNGWriter(buf, px(e.width, scale), px(e.height, scale))
		if err != nil {
			return err
		}
		for y := 0; y < e.height; y += strip {
			b, err := s.strip(ctx, e, y, min(strip, e.height-y))
			if err != nil {
				return fmt.Errorf("strip at %d: %w", y, err)
			}
			r, err := newPNGReader(bytes.NewReader(b))
			if err != nil {
				return err
			}
			for {
				row, err := r.Row()
				if errors.Is(err, io.EOF) {
					break
				}
				if err == nil {
					err = w.Row(row)
				}
				if err != nil {
					return err
				}
			}
		}
		return errors.Join(w.Close(), buf.Flush())
	})
}

// px is a length in pixels of the picture.
func px(css int, scale float64) int { return int(math.Round(float64(css) * scale)) }

// strip takes one strip and makes sure that it has the size it must have.
func (s *session) strip(ctx context.Context, e extent, y, height int) ([]byte, error) {
	res, err := call(ctx, s, s.limits.Picture, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{
		Format: cdppage.CaptureScreenshotFormatPng, CaptureBeyondViewport: new(true), OptimizeForSpeed: new(true),
		Clip: &cdppage.Viewport{Y: float64(y), Width: float64(e.width), Height: float64(height), Scale: 1}})
	if err != nil {
		return nil, err
	}
	w, h, _, err := pngHeader(bytes.NewReader(res.Data))
	if err != nil {
		return nil, err
	}
	if want, tall := px(e.width, s.m.Viewport.Scale), px(height, s.m.Viewport.Scale); w != want || h != tall {
		return nil, fmt.Errorf("the picture is %d×%d pixels instead of %d×%d", w, h, want, tall)
	}
	return res.Data, nil
}

const (
	thumbWidth  = 320
	thumbHeight = 400
)

// thumbnail makes the small picture of the top and reports whether the whole
// picture is of one colour.
func thumbnail(dir string) (uniform bool, err error) {
	f, err := os.Open(filepath.Join(dir, screenshotName))
	if err != nil {
		return false, err
	}
	defer f.Close() // only read
	r, err := newPNGReader(f)
	if err != nil {
		return false, err
	}
	w := min(thumbWidth, r.Width)
	h := max(1, min(thumbHeight, r.Height*w/r.Width))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	sums := make([]int, w*3)
	counts := make([]int, w)
	line, uniform := 0, true
	var first [3]byte
	flush := func() {
		for x := range w {
			n := max(1, counts[x])
			img.SetRGBA(x, line, color.RGBA{uint8(sums[x*3] / n), uint8(sums[x*3+1] / n), uint8(sums[x*3+2] / n), 255})
		}
		clear(sums)
		clear(counts)
	}
	for y := 0; y < r.Height && (line < h || uniform); y++ {
		row, err := r.Row()
		if err != nil {
			return false, err
		}
		if y == 0 {
			first = [3]byte(row)
		}
		for x := 0; uniform && x < len(row); x += 3 {
			uniform = [3]byte(row[x:]) == first
		}
		if line >= h {
			continue
		}
		if at := y * w / r.Width; at != line {
			flush()
			if line = at; line >= h {
				continue
			}
		}
		for x := range r.Width {
			t := x * w / r.Width
			sums[t*3] += int(row[x*3])
			sums[t*3+1] += int(row[x*3+1])
			sums[t*3+2] += int(row[x*3+2])
			counts[t]++
		}
	}
	if line < h {
		flush()
	}
	return uniform, writeTo(filepath.Join(dir, thumbnailName), func(w io.Writer) error { return png.Encode(w, img) })
}
