package picture

import (
	"fmt"
	"image"
	"image/color"
	"io"
)

// Survey learns, in one pass over a picture's rows, which parts of it are of a
// single colour, and makes a small picture of its top.
type Survey struct {
	Width, Height int

	cell   image.Point // size of a cell of the grid
	cols   int
	grid   []int32 // colour of each cell as 0xRRGGBB; mixed when it has several
	flat   int32   // the row of cells under way: its colour as long as it has one
	y      int
	colour int32 // of the whole picture, as long as it has one
	thumb  *thumb
}

// mixed is the colour of what has several.
const mixed = -1

// NewSurvey makes a survey of a picture of the given size by a grid of cells.
// The small picture is at most as wide and high as thumb says.
func NewSurvey(width, height int, cell, small image.Point) *Survey {
	s := &Survey{Width: width, Height: height, cell: image.Pt(max(1, cell.X), max(1, cell.Y))}
	s.cols = (width + s.cell.X - 1) / s.cell.X
	s.thumb = newThumb(width, height, small)
	return s
}

// Look surveys a whole PNG in memory.
func (s *Survey) Look(png []byte) error {
	var r Reader
	if _, err := r.openBytes(png, nil); err != nil {
		return err
	}
	return s.rows(&r)
}

// Read surveys a PNG that is read from r.
func (s *Survey) Read(r io.Reader) error {
	p, err := NewReader(r)
	if err != nil {
		return err
	}
	return s.rows(p)
}

func (s *Survey) rows(r *Reader) error {
	if r.Width != s.Width || r.Height != s.Height {
		return fmt.Errorf("png: the picture is %d×%d pixels instead of %d×%d", r.Width, r.Height, s.Width, s.Height)
	}
	for y := 0; ; y++ {
		row, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		s.add(row, r.bpp, y > 0 && r.same())
	}
}

// add takes the next row; same says that it is equal to the one before.
func (s *Survey) add(row []byte, bpp int, same bool) {
	fresh := s.y%s.cell.Y == 0
	if s.y == 0 {
		s.colour = rgb(row)
	}
	if !same || fresh {
		one := int32(mixed)
		if equal(row[bpp:], row[:len(row)-bpp]) {
			one = rgb(row)
		}
		if one != s.colour {
			s.colour = mixed
		}
		switch {
		case fresh:
			for range s.cols {
				s.grid = append(s.grid, one)
			}
			if s.flat = one; one == mixed {
				s.measure(row, bpp, true)
			}
		case s.flat == mixed || one != s.flat:
			s.flat = mixed
			s.measure(row, bpp, false)
		}
	}
	s.y++
	s.thumb.add(row, bpp, same)
}

// measure looks at the cells of the row of cells under way.
func (s *Survey) measure(row []byte, bpp int, fresh bool) {
	cells := s.grid[len(s.grid)-s.cols:]
	for i, c := range cells {
		if c == mixed && !fresh {
			continue
		}
		part := row[i*s.cell.X*bpp : min((i+1)*s.cell.X*bpp, len(row))]
		one := rgb(part)
		if !fresh && one != c || !equal(part[bpp:], part[:len(part)-bpp]) {
			one = mixed
		}
		cells[i] = one
	}
}

func rgb(pixel []byte) int32 { return int32(pixel[0])<<16 | int32(pixel[1])<<8 | int32(pixel[2]) }

// Cell is the size of a cell of the grid.
func (s *Survey) Cell() image.Point { return s.cell }

// OneColour reports whether the whole picture is of a single colour.
func (s *Survey) OneColour() bool { return s.y > 0 && s.colour != mixed }

// Blank reports whether every cell that a rectangle touches is of one and the
// same colour, and which.
func (s *Survey) Blank(r image.Rectangle) (color.RGBA, bool) {
	r = r.Intersect(image.Rect(0, 0, s.Width, s.y))
	if r.Empty() {
		return color.RGBA{}, false
	}
	first := s.grid[r.Min.Y/s.cell.Y*s.cols+r.Min.X/s.cell.X]
	if first == mixed {
		return color.RGBA{}, false
	}
	for y := r.Min.Y / s.cell.Y; y <= (r.Max.Y-1)/s.cell.Y; y++ {
		for x := r.Min.X / s.cell.X; x <= (r.Max.X-1)/s.cell.X; x++ {
			if s.grid[y*s.cols+x] != first {
				return color.RGBA{}, false
			}
		}
	}
	return color.RGBA{uint8(first >> 16), uint8(first >> 8), uint8(first), 255}, true
}

// Around gives the largest band of whole rows of cells about a rectangle that is
// of the rectangle's colour between its left and right edge. It is empty when
// the rectangle is not blank.
func (s *Survey) Around(r image.Rectangle) image.Rectangle {
	r = r.Intersect(image.Rect(0, 0, s.Width, s.y))
	colour, ok := s.Blank(r)
	if !ok {
		return image.Rectangle{}
	}
	r.Min.Y = r.Min.Y / s.cell.Y * s.cell.Y
	r.Max.Y = min((r.Max.Y+s.cell.Y-1)/s.cell.Y*s.cell.Y, s.y)
	same := func(y int) bool {
		c, ok := s.Blank(image.Rect(r.Min.X, y, r.Max.X, y+1))
		return ok && c == colour
	}
	for r.Min.Y > 0 && same(r.Min.Y-1) {
		r.Min.Y -= s.cell.Y
	}
	for r.Max.Y < s.y && same(r.Max.Y) {
		r.Max.Y = min(r.Max.Y+s.cell.Y, s.y)
	}
	return r
}

// WriteSmall writes the small picture as a PNG.
func (s *Survey) WriteSmall(w io.Writer) error { return s.thumb.write(w) }
