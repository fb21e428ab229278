package page

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"math"
	"os"

	"github.com/candor-archive/candor/render/picture"
)

// crops cuts boxes, given in CSS pixels, out of a picture in one pass.
func crops(path string, scale float64, want map[Box]bool) (map[Box][]byte, error) {
	out := map[Box][]byte{}
	if len(want) == 0 {
		return out, nil
	}
	boxes := make([]Box, 0, len(want))
	at := make([]image.Rectangle, 0, len(want))
	for b := range want {
		boxes = append(boxes, b)
		at = append(at, image.Rect(round(b[0]*scale), round(b[1]*scale), round((b[0]+b[2])*scale), round((b[1]+b[3])*scale)))
	}
	cuts, err := picture.Cut(path, at)
	if errors.Is(err, os.ErrNotExist) {
		return out, nil // there is no picture, which its step says
	}
	if err != nil {
		return nil, err
	}
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	for i, img := range cuts {
		if img == nil {
			continue
		}
		var b bytes.Buffer
		if err := enc.Encode(&b, img); err != nil {
			return nil, err
		}
		out[boxes[i]] = b.Bytes()
	}
	return out, nil
}

func round(f float64) int { return int(math.Round(f)) }
