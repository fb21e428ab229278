package picture

import (
	"bytes"
	"image"
	"io"
)

// CompareOptions says how two pictures are compared.
type CompareOptions struct {
	// Threshold is the least difference that counts, from 0 to 1; 0.1 when zero.
	Threshold float64
	// Picture, when set, gets a PNG that shows where they differ: the first
	// picture faded, and every pixel that differs in red.
	Picture io.Writer
}

// Difference is what comparing two pictures came to.
type Difference struct {
	Pixels    int64 // of the rectangle that holds both pictures
	Differing int64 // of them: those that differ, and those that one picture lacks
	SizeWrong bool
	// Regions hold all pixels that differ within what the pictures have in
	// common, clustered, from the top, at most 50.
	Regions []image.Rectangle
	// Counts are the pixels that differ in each of Regions.
	Counts []int64
}

// Share is the part of the pixels that differ, from 0 to 1.
func (d Difference) Share() float64 {
	if d.Pixels == 0 {
		return 0
	}
	return float64(d.Differing) / float64(d.Pixels)
}

// equal is bytes.Equal under the name the rest reads by.
func equal(a, b []byte) bool { return bytes.Equal(a, b) }

// Compare compares two PNGs pixel by pixel. Colours are measured in YIQ space as
// Kotsarenko and Ramos propose, weighted by how well an eye tells them apart, in
// the same way as the program pixelmatch does; pixels of softened edges count as
// all others do. It holds a few rows of each at a time.
func Compare(a, b io.Reader, o CompareOptions) (Difference, error) {
	if o.Threshold == 0 {
		o.Threshold = 0.1
	}
	ra, err := NewReader(a)
	if err != nil {
		return Difference{}, err
	}
	rb, err := NewReader(b)
	if err != nil {
		return Difference{}, err
	}
	d := Difference{SizeWrong: ra.Width != rb.Width || ra.Height != rb.Height}
	d.Pixels = int64(max(ra.Width, rb.Width)) * int64(max(ra.Height, rb.Height))
	w, h := min(ra.Width, rb.Width), min(ra.Height, rb.Height)
	d.Differing = d.Pixels - int64(w)*int64(h)
	var mark *marker
	if o.Picture != nil {
		if mark, err = newMarker(o.Picture, ra.Width, ra.Height); err != nil {
			return d, err
		}
	}
	most := maxYIQ * o.Threshold * o.Threshold
	var c clusters
	for y := range h {
		p, err := ra.next()
		if err != nil {
			return d, err
		}
		q, err := rb.next()
		if err != nil {
			return d, err
		}
		if mark != nil {
			mark.begin(p, ra.bpp)
		}
		if ra.bpp != rb.bpp || !equal(p[:w*ra.bpp], q[:w*rb.bpp]) {
			for x := range w {
				s, t := p[x*ra.bpp:x*ra.bpp+3], q[x*rb.bpp:x*rb.bpp+3]
				if s[0] == t[0] && s[1] == t[1] && s[2] == t[2] {
					continue
				}
				if distance(s, t) > most {
					d.Differing++
					c.add(x, y)
					if mark != nil {
						mark.pixel(x)
					}
				}
			}
			c.endRow(y)
		}
		if mark != nil {
			if err := mark.end(); err != nil {
				return d, err
			}
		}
	}
	if mark != nil {
		for y := h; y < ra.Height; y++ {
			p, err := ra.next()
			if err != nil {
				return d, err
			}
			mark.begin(p, ra.bpp)
			if err := mark.end(); err != nil {
				return d, err
			}
		}
		if err := mark.w.Close(); err != nil {
			return d, err
		}
	}
	d.Regions, d.Counts = c.result()
	return d, nil
}

// maxYIQ is the greatest distance two colours can have.
const maxYIQ = 35215

// distance is the square of the distance of two colours, from 0 to maxYIQ.
func distance(s, t []byte) float64 {
	r, g, b := float64(s[0])-float64(t[0]), float64(s[1])-float64(t[1]), float64(s[2])-float64(t[2])
	y := r*0.29889531 + g*0.58662247 + b*0.11448223
	i := r*0.59597799 - g*0.27417610 - b*0.32180189
	q := r*0.21147017 - g*0.52261711 + b*0.31114694
	return 0.5053*y*y + 0.299*i*i + 0.1957*q*q
}

// marker writes the picture of a comparison.
type marker struct {
	w   *Writer
	row []byte
}

func newMarker(w io.Writer, width, height int) (*marker, error) {
	p, err := NewWriter(w, width, height)
	return &marker{p, make([]byte, width*3)}, err
}

// begin takes over a row, faded to a light grey.
func (m *marker) begin(row []byte, bpp int) {
	for i, j := 0, 0; i+2 < len(m.row) && j+2 < len(row); i, j = i+3, j+bpp {
		y := (int(row[j])*77 + int(row[j+1])*150 + int(row[j+2])*29) >> 8
		v := byte(255 - (255-y)/8)
		m.row[i], m.row[i+1], m.row[i+2] = v, v, v
	}
}

func (m *marker) pixel(x int) {
	if x*3+2 < len(m.row) {
		m.row[x*3], m.row[x*3+1], m.row[x*3+2] = 255, 0, 0
	}
}

func (m *marker) end() error { return m.w.Row(m.row) }
