package page

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// Pictures of whole pages are too tall to hold: 1280 by 200,000 pixels are a
// gigabyte. These read and write PNG row by row. Only what Chrome writes is
// read: 8 bits, RGB or RGBA, not interlaced.

var pngMagic = []byte("\x89PNG\r\n\x1a\n")

// pngReader gives the rows of a PNG as RGB.
type pngReader struct {
	Width, Height int
	z             io.ReadCloser
	bpp           int
	prev, cur     []byte
	rgb           []byte
	y             int
}

func newPNGReader(r io.Reader) (*pngReader, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	w, h, bpp, err := pngHeader(br)
	if err != nil {
		return nil, err
	}
	if bpp == 0 {
		return nil, errors.New("png: not 8-bit RGB or RGBA")
	}
	z, err := zlib.NewReader(&idat{r: br})
	if err != nil {
		return nil, fmt.Errorf("png: %w", err)
	}
	return &pngReader{Width: w, Height: h, z: z, bpp: bpp, prev: make([]byte, w*bpp), cur: make([]byte, w*bpp+1), rgb: make([]byte, w*3)}, nil
}

func pngHeader(r io.Reader) (w, h, bpp int, err error) {
	var b [33]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, 0, 0, fmt.Errorf("png: %w", err)
	}
	if !bytes.Equal(b[:8], pngMagic) || string(b[12:16]) != "IHDR" {
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

func pngSize(path string) (w, h int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close() // only read
	w, h, _, err = pngHeader(f)
	return w, h, err
}

// Row gives the next row, valid until the one after, and io.EOF at the end.
func (p *pngReader) Row() ([]byte, error) {
	if p.y == p.Height {
		return nil, io.EOF
	}
	if _, err := io.ReadFull(p.z, p.cur); err != nil {
		return nil, fmt.Errorf("png: row %d: %w", p.y, err)
	}
	p.y++
	row, bpp := p.cur[1:], p.bpp
	switch p.cur[0] {
	case 0:
	case 1:
		for i := bpp; i < len(row); i++ {
			row[i] += row[i-bpp]
		}
	case 2:
		for i := range row {
			row[i] += p.prev[i]
		}
	case 3:
		for i := range row {
			left := 0
			if i >= bpp {
				left = int(row[i-bpp])
			}
			row[i] += byte((left + int(p.prev[i])) / 2)
		}
	case 4:
		for i := range row {
			var a, c int
			if i >= bpp {
				a, c = int(row[i-bpp]), int(p.prev[i-bpp])
			}
			row[i] += paeth(a, int(p.prev[i]), c)
		}
	default:
		return nil, fmt.Errorf("png: row %d: unknown filter", p.y)
	}
	copy(p.prev, row)
	if bpp == 3 {
		return row, nil
	}
	for i, j := 0, 0; i < len(row); i, j = i+4, j+3 {
		p.rgb[j], p.rgb[j+1], p.rgb[j+2] = row[i], row[i+1], row[i+2] // opaque: the background is white
	}
	return p.rgb, nil
}

func paeth(a, b, c int) byte {
	pa, pb, pc := abs(b-c), abs(a-c), abs(a+b-2*c)
	switch {
	case pa <= pb && pa <= pc:
		return byte(a)
	case pb <= pc:
		return byte(b)
	}
	return byte(c)
}

func abs(a int) int {
	if a < 0 {
		return -a
	}
	return a
}

// idat joins the image data of a PNG's chunks, checking their sums.
type idat struct {
	r    io.Reader
	left uint32
	crc  uint32
	open bool
}

func (d *idat) Read(b []byte) (int, error) {
	for d.left == 0 {
		var h [8]byte
		if d.open {
			if _, err := io.ReadFull(d.r, h[:4]); err != nil {
				return 0, err
			}
			if binary.BigEndian.Uint32(h[:4]) != d.crc {
				return 0, errors.New("wrong check sum")
			}
		}
		d.open = false
		if _, err := io.ReadFull(d.r, h[:]); err != nil {
			return 0, err
		}
		n, kind := binary.BigEndian.Uint32(h[:4]), string(h[4:])
		switch kind {
		case "IDAT":
			d.left, d.open = n, true
			d.crc = crc32.ChecksumIEEE(h[4:])
		case "IEND":
			return 0, io.EOF
		default:
			if _, err := io.CopyN(io.Discard, d.r, int64(n)+4); err != nil {
				return 0, err
			}
		}
	}
	if uint32(len(b)) > d.left {
		b = b[:d.left]
	}
	n, err := d.r.Read(b)
	d.crc = crc32.Update(d.crc, crc32.IEEETable, b[:n])
	d.left -= uint32(n)
	return n, err
}

// pngWriter writes RGB rows as a PNG.
type pngWriter struct {
	w         io.Writer
	z         *zlib.Writer
	buf       *bufio.Writer
	prev, out []byte
	up        []byte
	rows      int
}

func newPNGWriter(w io.Writer, width, height int) (*pngWriter, error) {
	var head [13]byte
	binary.BigEndian.PutUint32(head[0:], uint32(width))
	binary.BigEndian.PutUint32(head[4:], uint32(height))
	head[8], head[9] = 8, 2
	if _, err := w.Write(pngMagic); err != nil {
		return nil, err
	}
	if err := chunk(w, "IHDR", head[:]); err != nil {
		return nil, err
	}
	p := &pngWriter{w: w, prev: make([]byte, width*3), out: make([]byte, width*3+1), up: make([]byte, width*3+1), rows: height}
	p.buf = bufio.NewWriterSize(chunks{w}, 64<<10)
	z, err := zlib.NewWriterLevel(p.buf, zlib.BestSpeed)
	p.z = z
	return p, err
}

// Row adds the next row.
func (p *pngWriter) Row(rgb []byte) error {
	if p.rows == 0 || len(rgb) != len(p.prev) {
		return errors.New("png: a row too many or of another width")
	}
	p.rows--
	// The filter whose result is nearest to zero packs best, as a rule.
	p.out[0], p.up[0] = 1, 2
	var sub, up int
	for i, v := range rgb {
		s := v
		if i >= 3 {
			s -= rgb[i-3]
		}
		u := v - p.prev[i]
		p.out[i+1], p.up[i+1] = s, u
		sub += abs(int(int8(s)))
		up += abs(int(int8(u)))
	}
	row := p.out
	if up < sub {
		row = p.up
	}
	copy(p.prev, rgb)
	_, err := p.z.Write(row)
	return err
}

// Close ends the picture. Rows that are missing are an error.
func (p *pngWriter) Close() error {
	if p.rows != 0 {
		return fmt.Errorf("png: %d rows are missing", p.rows)
	}
	if err := errors.Join(p.z.Close(), p.buf.Flush()); err != nil {
		return err
	}
	return chunk(p.w, "IEND", nil)
}

type chunks struct{ w io.Writer }

func (c chunks) Write(b []byte) (int, error) { return len(b), chunk(c.w, "IDAT", b) }

func chunk(w io.Writer, kind string, data []byte) error {
	b := make([]byte, 0, len(data)+12)
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	b = append(append(b, kind...), data...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	_, err := w.Write(b)
	return err
}
