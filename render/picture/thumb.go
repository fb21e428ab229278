package picture

import (
	"image"
	"io"
)

// thumb makes a small picture of a large one's top by averaging.
type thumb struct {
	from          int // width of the large picture
	width, height int
	sums          []int64
	rows          int64 // in sums
	line          int
	y             int
	part          []int32 // of the last row: what it adds to sums
	again         int64   // how often it is to be added
	stale         bool    // the last row is another
	pix           []byte
	at            []int32 // where each column begins in the large picture
	skip          bool    // every other row is enough
}

func newThumb(width, height int, small image.Point) *thumb {
	t := &thumb{from: width, width: max(1, min(small.X, width))}
	t.height = max(1, min(small.Y, height*t.width/width))
	t.sums, t.part = make([]int64, t.width*3), make([]int32, t.width*3)
	t.pix = make([]byte, 0, t.width*t.height*3)
	t.at = make([]int32, t.width+1)
	for i := range t.at {
		t.at[i] = int32(i * width / t.width)
	}
	t.skip = width/t.width >= 4
	return t
}

func (t *thumb) add(row []byte, bpp int, same bool) {
	if t.line >= t.height {
		return
	}
	if line := t.y * t.width / t.from; line != t.line {
		t.flush()
		if t.line = line; line >= t.height {
			return
		}
	}
	t.y++
	if t.stale = t.stale || !same; t.skip && t.y&1 == 0 {
		return
	}
	if t.stale {
		t.merge()
		t.sum(row, bpp)
		t.stale = false
	}
	t.again++
}

// sum adds up the pixels of each column in one row.
func (t *thumb) sum(row []byte, bpp int) {
	part := t.part
	if t.from == 4*t.width && bpp == 3 { // a page in a window of the usual width
		for p := row; len(p) >= 12 && len(part) >= 3; p, part = p[12:], part[3:] {
			part[0] = int32(p[0]) + int32(p[3]) + int32(p[6]) + int32(p[9])
			part[1] = int32(p[1]) + int32(p[4]) + int32(p[7]) + int32(p[10])
			part[2] = int32(p[2]) + int32(p[5]) + int32(p[8]) + int32(p[11])
		}
		return
	}
	for i := 0; i+1 < len(t.at) && len(part) >= 3; i++ {
		var r, g, b int32
		for p := row[int(t.at[i])*bpp : int(t.at[i+1])*bpp]; len(p) >= 3; p = p[bpp:] {
			r, g, b = r+int32(p[0]), g+int32(p[1]), b+int32(p[2])
		}
		part[0], part[1], part[2] = r, g, b
		part = part[3:]
	}
}

// merge adds the last row as often as it came.
func (t *thumb) merge() {
	if t.again == 0 {
		return
	}
	for i, v := range t.part {
		t.sums[i] += int64(v) * t.again
	}
	t.rows += t.again
	t.again = 0
}

// flush ends a line of the small picture.
func (t *thumb) flush() {
	t.merge()
	n, share := int64(0), int64(0)
	for i := range t.width {
		if k := max(1, t.rows*int64(t.at[i+1]-t.at[i])); k != n { // division is slow, and hardly ever needed
			n, share = k, 1<<32/k+1
		}
		sum := t.sums[i*3 : i*3+3]
		t.pix = append(t.pix, byte(sum[0]*share>>32), byte(sum[1]*share>>32), byte(sum[2]*share>>32))
	}
	clear(t.sums)
	t.rows = 0
}

func (t *thumb) write(w io.Writer) error {
	if t.line < t.height {
		t.flush()
		t.line = t.height
	}
	p, err := NewWriter(w, t.width, t.height)
	if err != nil {
		return err
	}
	for y := range t.height {
		if (y+1)*t.width*3 > len(t.pix) {
			return p.Close() // which says that rows are missing
		}
		if err := p.Row(t.pix[y*t.width*3 : (y+1)*t.width*3]); err != nil {
			return err
		}
	}
	return p.Close()
}
