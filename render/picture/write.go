package picture

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Writer writes RGB rows as a PNG.
type Writer struct {
	w     io.Writer
	z     *zlib.Writer
	buf   *bufio.Writer
	prev  []byte
	a, b  []byte
	rows  int
	first bool
}

// NewWriter begins a PNG of the given size.
func NewWriter(w io.Writer, width, height int) (*Writer, error) {
	if err := begin(w, width, height, 3); err != nil {
		return nil, err
	}
	p := &Writer{w: w, prev: make([]byte, width*3), a: make([]byte, width*3+1), b: make([]byte, width*3+1), rows: height, first: true}
	p.buf = bufio.NewWriterSize(chunks{w}, 64<<10)
	if z, ok := packers.Get().(*zlib.Writer); ok {
		z.Reset(p.buf)
		p.z = z
		return p, nil
	}
	z, err := zlib.NewWriterLevel(p.buf, zlib.BestSpeed)
	p.z = z
	return p, err
}

// packers keeps what packing needs, which is large beside a small picture.
var packers sync.Pool

// begin writes the signature and the header chunk.
func begin(w io.Writer, width, height, bpp int) error {
	var head [13]byte
	binary.BigEndian.PutUint32(head[0:], uint32(width))
	binary.BigEndian.PutUint32(head[4:], uint32(height))
	head[8], head[9] = 8, 2
	if bpp == 4 {
		head[9] = 6
	}
	if _, err := w.Write(magic); err != nil {
		return err
	}
	return chunk(w, "IHDR", head[:])
}

// Row adds the next row.
func (p *Writer) Row(rgb []byte) error {
	if p.rows == 0 || len(rgb) != len(p.prev) {
		return errors.New("png: a row too many or of another width")
	}
	p.rows--
	var row []byte
	if !p.first && equal(rgb, p.prev) {
		row = p.b
		row[0] = 2
		clear(row[1:])
	} else {
		row = choose(p.a, p.b, p.prev, rgb)
		if p.first { // so that the picture can be a strip of a larger one
			row = p.a
		}
		copy(p.prev, rgb)
	}
	p.first = false
	_, err := p.z.Write(row)
	return err
}

// choose filters a row by its left and upper neighbours and gives the result
// that is nearer to zero, which packs best as a rule.
func choose(a, b, prev, rgb []byte) []byte {
	a[0], b[0] = 1, 2
	var sub, up int
	s, u := a[1:len(rgb)+1], b[1:len(rgb)+1]
	prev = prev[:len(rgb)]
	var left [3]byte
	for i := 0; i+2 < len(rgb); i += 3 {
		for c := range 3 {
			v := rgb[i+c]
			ds, du := v-left[c], v-prev[i+c]
			left[c] = v
			s[i+c], u[i+c] = ds, du
			sub += abs(int(int8(ds)))
			up += abs(int(int8(du)))
		}
	}
	if up < sub {
		return b
	}
	return a
}

// Close ends the picture. Rows that are missing are an error.
func (p *Writer) Close() error {
	if p.rows != 0 {
		return fmt.Errorf("png: %d rows are missing", p.rows)
	}
	if p.z == nil {
		return errors.New("png: ended twice")
	}
	z := p.z
	p.z = nil
	if err := errors.Join(z.Close(), p.buf.Flush()); err != nil {
		return err
	}
	packers.Put(z)
	return chunk(p.w, "IEND", nil)
}

// chunks writes what it is given as chunks of image data.
type chunks struct{ w io.Writer }

func (c chunks) Write(b []byte) (int, error) { return len(b), chunk(c.w, "IDAT", b) }
