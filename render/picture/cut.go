package picture

import (
	"image"
	"os"
)

// maxCut bounds the pixels that are cut out of one picture.
const maxCut = 64 << 20

// Cut cuts rectangles out of a PNG file in one pass that ends with the lowest of
// them. A rectangle that reaches over the edge is cut at it. Of one that lies
// outside, or is beyond what may be cut out at once (64 million pixels), the
// picture is nil.
func Cut(path string, want []image.Rectangle) ([]*image.NRGBA, error) {
	out := make([]*image.NRGBA, len(want))
	if len(want) == 0 {
		return out, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	r, err := NewReader(f)
	if err != nil {
		return nil, err
	}
	all := image.Rect(0, 0, r.Width, r.Height)
	bottom, total := 0, 0
	at := make([]image.Rectangle, len(want))
	for i, box := range want {
		box = box.Intersect(all)
		if box.Empty() || total+box.Dx()*box.Dy() > maxCut {
			continue
		}
		total += box.Dx() * box.Dy()
		at[i], out[i] = box, image.NewNRGBA(image.Rect(0, 0, box.Dx(), box.Dy()))
		bottom = max(bottom, box.Max.Y)
	}
	for y := range bottom {
		row, err := r.next()
		if err != nil {
			return nil, err
		}
		for i, box := range at {
			if y < box.Min.Y || y >= box.Max.Y {
				continue
			}
			line := out[i].Pix[(y-box.Min.Y)*out[i].Stride:]
			src := row[box.Min.X*r.bpp : box.Max.X*r.bpp]
			for x := 0; len(src) >= r.bpp; x, src = x+4, src[r.bpp:] {
				line[x], line[x+1], line[x+2], line[x+3] = src[0], src[1], src[2], 255
			}
		}
	}
	return out, nil
}
