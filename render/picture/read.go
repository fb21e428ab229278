package picture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

var magic = []byte("\x89PNG\r\n\x1a\n")

// headerSize is the length of the signature and the header chunk.
const headerSize = 33

// header reads the signature and the header chunk. bpp is 0 when the picture is
// of a kind that is not read here.
func header(r io.Reader) (w, h, bpp int, err error) {
	var b [headerSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, 0, 0, fmt.Errorf("png: %w", err)
	}
	if !bytes.Equal(b[:8], magic) || string(b[12:16]) != "IHDR" {
		return 0, 0, 0, errors.New("png: not a PNG")
	}
	w, h = int(binary.BigEndian.Uint32(b[16:])), int(binary.BigEndian.Uint32(b[20:]))
	if w <= 0 || h <= 0 || w > 1<<20 || h > 1<<24 {
		return 0, 0, 0, fmt.Errorf("png: impossible size %d×%d", w, h)
	}
	if b[24] == 8 && b[28] == 0 {
		bpp = map[byte]int{2: 3, 6: 4}[b[25]]
	}
	return w, h, bpp, nil
}

// Size gives the width and height of a PNG file of any kind, in pixels.
func Size(path string) (w, h int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close() // only read
	w, h, _, err = header(f)
	return w, h, err
}

// Header gives the width and height that the first bytes of a PNG state.
func Header(b []byte) (w, h int, err error) {
	w, h, _, err = header(bytes.NewReader(b))
	return w, h, err
}

// Reader gives the rows of a PNG one after another.
type Reader struct {
	Width, Height int

	z         inflater
	bpp       int
	prev, cur []byte // the last row and the one before, as they are in the file
	zero      []byte // a row of nothing
	filter    byte   // of the last row
	again     bool   // the last row is the one before, which then is in cur alone
	rgb       []byte
	y         int
	ended     bool
}

// NewReader reads a PNG's header. The chunks' check sums are checked as the rows
// are read.
func NewReader(r io.Reader) (*Reader, error) {
	br, ok := r.(*bufio.Reader)
	if !ok {
		br = bufio.NewReaderSize(r, 64<<10)
	}
	w, h, bpp, err := header(br)
	if err != nil {
		return nil, err
	}
	if bpp == 0 {
		return nil, errors.New("png: not 8-bit RGB or RGBA")
	}
	p := new(Reader)
	p.begin(w, h, bpp)
	if err := p.z.open(&idat{r: br}, w*bpp+1); err != nil {
		return nil, fmt.Errorf("png: %w", err)
	}
	return p, nil
}

// begin makes ready for a picture. What an earlier one needed is used again.
func (p *Reader) begin(w, h, bpp int) {
	p.Width, p.Height, p.bpp, p.y, p.ended = w, h, bpp, 0, false
	if len(p.cur) == w*bpp {
		clear(p.cur) // the row above the first
		return
	}
	p.prev, p.cur, p.zero, p.rgb = make([]byte, w*bpp), make([]byte, w*bpp), make([]byte, w*bpp), nil
}

// same reports whether the last row is equal to the one before.
func (p *Reader) same() bool { return p.again || equal(p.cur, p.prev) }

// next gives the next row as it is in the file, bpp bytes a pixel.
func (p *Reader) next() ([]byte, error) {
	if p.y == p.Height {
		return nil, p.finish()
	}
	src, err := p.z.take(len(p.cur) + 1)
	if err != nil {
		return nil, fmt.Errorf("png: row %d: %w", p.y, err)
	}
	p.filter = src[0]
	if p.again = p.filter == 2 && equal(src[1:], p.zero); !p.again { // nearly half the rows of a page are
		p.prev, p.cur = p.cur, p.prev
		if err := unfilter(p.cur, p.prev, src, p.bpp); err != nil {
			return nil, fmt.Errorf("png: row %d: %w", p.y, err)
		}
	}
	p.y++
	return p.cur, nil
}

// finish is io.EOF when the image data end with the last row.
func (p *Reader) finish() error {
	if p.ended {
		return io.EOF
	}
	more, err := p.z.finish()
	if err == nil && more > 0 {
		err = errCorrupt
	}
	if err != nil {
		return fmt.Errorf("png: after the last row: %w", err)
	}
	p.ended = true
	return io.EOF
}

// Row gives the next row as RGB, valid until the call after, and io.EOF after
// the last.
func (p *Reader) Row() ([]byte, error) {
	row, err := p.next()
	if err != nil || p.bpp == 3 {
		return row, err
	}
	if p.rgb == nil {
		p.rgb = make([]byte, p.Width*3)
	}
	opaque(p.rgb, row)
	return p.rgb, nil
}

// opaque leaves out the alpha of a row of RGBA.
func opaque(rgb, rgba []byte) {
	for len(rgba) >= 4 && len(rgb) >= 3 {
		rgb[0], rgb[1], rgb[2] = rgba[0], rgba[1], rgba[2]
		rgb, rgba = rgb[3:], rgba[4:]
	}
}
