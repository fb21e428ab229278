package fidelity

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/picture"
)

// maxHeight and maxWidths are how much of a page is pictured at most, in CSS
// pixels and in viewports: as much as a capture has.
const (
	maxHeight = 200_000
	maxWidths = 4
)

// atOnce is how many pixels one picture may have. Chrome leaves areas of far
// larger ones white and says nothing.
const atOnce = 32_000_000

// photograph takes the whole page into a PNG.
func (t *tab) photograph(ctx context.Context, v candor.Viewport, path string) (err error) {
	m, err := cdp.Call(ctx, t.target, page.GetLayoutMetrics, cdp.Empty{})
	if err != nil {
		return fmt.Errorf("measure: %w", err)
	}
	w, h := v.Width, v.Height
	if c := m.CSSContentSize; c != nil {
		w, h = max(w, int(math.Ceil(c.Width))), max(h, int(math.Ceil(c.Height)))
	}
	w, h = min(w, maxWidths*v.Width), min(h, maxHeight)
	wide := int(math.Round(float64(w) * v.Scale))
	tall := int(math.Round(float64(h) * v.Scale))
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if wide*tall <= atOnce {
		b, err := t.part(ctx, v, w, 0, h)
		if err == nil {
			_, err = f.Write(b)
		}
		return err
	}
	buf := bufio.NewWriterSize(f, 1<<20)
	out, err := picture.NewWriter(buf, wide, tall)
	if err != nil {
		return err
	}
	strip := int(float64(atOnce/2/wide) / v.Scale)
	for y := 0; y < h; y += strip {
		b, err := t.part(ctx, v, w, y, min(strip, h-y))
		if err != nil {
			return err
		}
		in, err := picture.NewReader(bytes.NewReader(b))
		if err != nil {
			return err
		}
		for {
			row, err := in.Row()
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil {
				err = out.Row(row)
			}
			if err != nil {
				return err
			}
		}
	}
	return errors.Join(out.Close(), buf.Flush())
}

// part takes what may reach beyond the view. What is the view itself is taken as
// such: asked for as a part, Chrome moves pages that run from right to left.
func (t *tab) part(ctx context.Context, v candor.Viewport, w, y, h int) ([]byte, error) {
	cctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	res, err := cdp.Call(cctx, t.target, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: new(w != v.Width || y != 0 || h != v.Height), OptimizeForSpeed: new(true),
		Clip: &page.Viewport{Y: float64(y), Width: float64(w), Height: float64(h), Scale: 1}})
	if err != nil {
		return nil, fmt.Errorf("take the picture: %w", err)
	}
	return res.Data, nil
}

// Look is what the judge saw.
type Look struct {
	Picture  string   // PNG of the whole page
	Text     string   // its visible words, one space between them
	Requests []string // beside the page itself
}
