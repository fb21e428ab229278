package picture

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
)

// Joiner makes one PNG of strips, each a PNG of its own, one below the other.
//
// A strip's data are taken over as they are: the mark that its last block is
// the last is taken away, and an empty block brings it to a whole byte, where
// the next strip's data begin. The strip's first row must not depend on the row
// above it, of which the strip knew nothing. Chrome writes it as what is added
// to that row, which is then all zeros: that is the row itself, and only the
// filter's number is wrong. It is the first byte, so the strip's first block is
// packed anew with another and the blocks after it are kept. Strips that cannot
// be treated so are packed anew as a whole.
type Joiner struct {
	w             io.Writer
	width, height int
	survey        *Survey
	r             Reader
	data          []byte
	bpp           int // of the picture, once the first strip is known
	y             int
	sum           uint32 // of all filtered rows so far, as zlib ends with
	recoded       int    // strips that had to be packed anew
}

// NewJoiner begins a picture of the given size. The survey, when there is one,
// sees every row.
func NewJoiner(w io.Writer, width, height int, survey *Survey) *Joiner {
	return &Joiner{w: w, width: width, height: height, survey: survey, sum: 1}
}

// Add puts the next strip below the ones before.
func (j *Joiner) Add(strip []byte) error {
	r := &j.r
	var err error
	if j.data, err = r.openBytes(strip, j.data[:0]); err != nil {
		return err
	}
	if r.Width != j.width || j.y+r.Height > j.height {
		return fmt.Errorf("png: a strip of %d×%d does not fit at %d of %d×%d", r.Width, r.Height, j.y, j.width, j.height)
	}
	if j.bpp == 0 {
		j.bpp = r.bpp
		if err := begin(j.w, j.width, j.height, j.bpp); err != nil {
			return err
		}
		if err := chunk(j.w, "IDAT", []byte{0x78, 0x01}); err != nil {
			return err
		}
	}
	kept := r.bpp == j.bpp
	first := byte(0)
	for y := range r.Height {
		row, err := r.next()
		if err != nil {
			return err
		}
		if y == 0 {
			first = r.filter
		}
		if j.survey != nil {
			j.survey.add(row, r.bpp, y > 0 && r.same())
		}
	}
	if err := r.finish(); err != io.EOF {
		return err
	}
	up := first == 2 && j.y > 0
	switch {
	case !kept || j.y > 0 && first > 2 || up && (r.z.blocks < 2 || r.z.begun):
		err = j.recode(strip)
	default:
		err = j.splice(up)
	}
	j.y += r.Height
	return err
}

// splice takes over the data of a strip that has been read to its end. up says
// that the first row is filtered by a row of zeros.
func (j *Joiner) splice(up bool) error {
	z, data := &j.r.z, j.data
	whole := int(z.end+7) >> 3
	if len(data) < whole+4 {
		return io.ErrUnexpectedEOF
	}
	sum := binary.BigEndian.Uint32(data[whole:])
	data[z.last>>3] &^= 1 << (z.last & 7)
	empty := []byte{0, 0, 0, 0xff, 0xff} // three bits, up to the next byte, then the length 0
	if used := z.end & 7; used > 0 {
		data[whole-1] &= 1<<used - 1
		if used <= 5 {
			empty = empty[1:]
		}
	}
	n := int64(j.r.Height) * int64(j.width*j.bpp+1)
	if !up {
		j.sum = combine(j.sum, sum, n)
		return chunk(j.w, "IDAT", data[2:whole], empty)
	}
	second := z.second
	block, err := j.firstBlock(z.secondy)
	if err != nil {
		return err
	}
	if used := uint(second & 7); used > 0 {
		block = pad(block, used)
		block[len(block)-1] |= data[second>>3] &^ (1<<used - 1)
		second += 8
	}
	j.sum = combine(j.sum, lessFirst(sum, 2, n), n)
	return chunk(j.w, "IDAT", block, data[second>>3:whole], empty)
}

// firstBlock packs the first n bytes of the strip anew, with 0 for the first
// filter. It ends on a whole byte.
func (j *Joiner) firstBlock(n int64) ([]byte, error) {
	z := &j.r.z
	row := len(j.r.cur) + 1
	if err := z.openBytes(j.data, row); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	for first := true; n > 0; first = false {
		b, err := z.take(int(min(n, int64(row))))
		if err != nil {
			return nil, err
		}
		n -= int64(len(b))
		if first {
			b = append([]byte{0}, b[1:]...)
		}
		if _, err := w.Write(b); err != nil {
			return nil, err
		}
	}
	err = w.Flush()
	return out.Bytes(), err
}

// pad adds empty blocks to deflated data that end on a whole byte, until the
// last byte holds as many bits as are wanted. One with the fixed codes has ten
// bits; to come to an odd number, one with codes of its own is needed: two
// literals and the end of the block, of one bit each, have ninety-one.
func pad(b []byte, want uint) []byte {
	n := uint(0)
	put := func(v uint64, k uint) {
		for ; k > 0; k-- {
			if n&7 == 0 {
				b = append(b, 0)
			}
			b[len(b)-1] |= byte(v&1) << (n & 7)
			v >>= 1
			n++
		}
	}
	if want%2 == 1 {
		put(2<<1, 3)       // codes of its own, not the last block
		put(0, 5)          // 257 literals
		put(0, 5)          // one distance
		put(18-4, 4)       // eighteen lengths of the codes for lengths:
		put(0, 3*2)        // none for 16 and 17,
		put(1, 3)          // one bit for 18, which stands for many zeros,
		put(0, 3*14)       // none for those between,
		put(1, 3)          // one bit for the length 1
		put(1, 1)          // zeros:
		put(138-11, 7)     // 138 of them,
		put(1, 1)          // and
		put(255-138-11, 7) // up to 255
		put(0, 3)          // the length 1 for the literal 255, the end and the distance
		put(1, 1)          // the end of the block
	}
	for n&7 != want {
		put(1<<1, 10) // the fixed codes; seven zeros end the block
	}
	return b
}

// lessFirst is the Adler-32 of n bytes of which the first is less by v.
func lessFirst(sum uint32, v, n int64) uint32 {
	const mod = 65521
	a := (int64(sum&0xffff) + mod - v) % mod
	b := (int64(sum>>16) + mod - v*(n%mod)%mod) % mod
	return uint32(b<<16 | a)
}

// recode packs a strip anew.
func (j *Joiner) recode(strip []byte) error {
	j.recoded++
	r := &j.r
	var err error
	if j.data, err = r.openBytes(strip, j.data[:0]); err != nil {
		return err
	}
	var out bytes.Buffer
	z, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return err
	}
	row := make([]byte, j.width*j.bpp+1)
	sum := adler32.New()
	for range r.Height {
		src, err := r.next()
		if err != nil {
			return err
		}
		row[0] = 1
		recast(row[1:], j.bpp, src, r.bpp)
		for i := len(row) - 1; i > j.bpp; i-- {
			row[i] -= row[i-j.bpp]
		}
		sum.Write(row) // never fails
		if _, err := z.Write(row); err != nil {
			return err
		}
		if out.Len() > 1<<20 {
			if err := chunk(j.w, "IDAT", out.Bytes()); err != nil {
				return err
			}
			out.Reset()
		}
	}
	if err := z.Flush(); err != nil {
		return err
	}
	j.sum = combine(j.sum, sum.Sum32(), int64(r.Height)*int64(len(row)))
	return chunk(j.w, "IDAT", out.Bytes())
}

// recast copies a row into one of another kind.
func recast(dst []byte, to int, src []byte, from int) {
	for len(dst) >= to && len(src) >= from {
		dst[0], dst[1], dst[2] = src[0], src[1], src[2]
		if to == 4 {
			dst[3] = 255
		}
		dst, src = dst[to:], src[from:]
	}
}

// Close ends the picture. Rows that are missing are an error.
func (j *Joiner) Close() error {
	if j.y != j.height {
		return fmt.Errorf("png: %d rows are missing", j.height-j.y)
	}
	end := binary.BigEndian.AppendUint32([]byte{3, 0}, j.sum) // an empty last block
	return errors.Join(chunk(j.w, "IDAT", end), chunk(j.w, "IEND"))
}

// combine is the Adler-32 of two pieces put together, the second n bytes long.
func combine(a, b uint32, n int64) uint32 {
	const mod = 65521
	rest := uint64(n % mod)
	a1, a2 := uint64(a&0xffff), uint64(a>>16)
	b1, b2 := uint64(b&0xffff), uint64(b>>16)
	s1 := (a1 + b1 + mod - 1) % mod
	s2 := (a2 + b2 + rest*(a1+mod-1)) % mod
	return uint32(s2<<16 | s1)
}

// openBytes begins to read a whole PNG in memory, its image data gathered in
// buf. What an earlier picture needed is used again.
func (p *Reader) openBytes(png, buf []byte) ([]byte, error) {
	w, h, bpp, err := header(bytes.NewReader(png))
	if err != nil {
		return buf, err
	}
	if bpp == 0 {
		return buf, errors.New("png: not 8-bit RGB or RGBA")
	}
	if buf, err = gather(buf, png); err != nil {
		return buf, fmt.Errorf("png: %w", err)
	}
	p.begin(w, h, bpp)
	if err := p.z.openBytes(buf, w*bpp+1); err != nil {
		return buf, fmt.Errorf("png: %w", err)
	}
	return buf, nil
}
