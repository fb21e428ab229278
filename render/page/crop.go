package page

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io"
	"math"
	"os"
)

// maxCrop bounds the pixels that are cut out of one picture.
const maxCrop = 64 << 20

// crops cuts boxes, given in CSS pixels, out of a picture in one pass.
func crops(path string, scale float64, want map[Box]bool) (map[Box][]byte, error) {
	out := map[Box][]byte{}
	if len(want) == 0 {
		return out, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return out, nil // there is no picture, which its step says
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	r, err := newPNGReader(f)
	if err != nil {
		return nil, err
	}
	type cut struct {
		box Box
		at  image.Rectangle
		img *image.NRGBA
	}
	var cuts []cut
	bottom, total := 0, 0
	for b := range want {
		at := image.Rect(round(b[0]*scale), round(b[1]*scale), round((b[0]+b[2])*scale), round((b[1]+b[3])*scale)).Intersect(image.Rect(0, 0, r.Width, r.Height))
		if total += at.Dx() * at.Dy(); at.Empty() || total > maxCrop {
			continue
		}
		cuts = append(cuts, cut{b, at, image.NewNRGBA(image.Rect(0, 0, at.Dx(), at.Dy()))})
		bottom = max(bottom, at.Max.Y)
	}
	for y := 0; y < bottom; y++ {
		row, err := r.Row()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for _, c := range cuts {
			if y < c.at.Min.Y || y >= c.at.Max.Y {
				continue
			}
			line := c.img.Pix[(y-c.at.Min.Y)*c.img.Stride:]
			for x := range c.at.Dx() {
				copy(line[x*4:], row[(c.at.Min.X+x)*3:(c.at.Min.X+x)*3+3])
				line[x*4+3] = 255
			}
		}
	}
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	for _, c := range cuts {
		var b bytes.Buffer
		if err := enc.Encode(&b, c.img); err != nil {
			return nil, err
		}
		out[c.box] = b.Bytes()
	}
	return out, nil
}

func round(f float64) int { return int(math.Round(f)) }
