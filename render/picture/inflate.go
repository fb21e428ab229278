package picture

import (
	"encoding/binary"
	"errors"
	"io"
)

// inflater undoes deflate (RFC 1951) in its zlib wrapping (RFC 1950). The
// library's own does not tell where blocks lie, which joining needs, and takes
// several times as long over what pages are made of: it is most of what looking
// at a picture costs. The zlib check sum is passed over, since the sums of a
// PNG's chunks cover the same bytes.
type inflater struct {
	r    io.Reader // more input; nil when there is none
	in   []byte    // what r is read into
	src  []byte    // input: src[pos:] is not used yet
	pos  int
	base int64 // bytes of input before src
	past int   // bytes at the end of src that are only padding

	bits uint64 // input taken from src but not used yet, from the lowest bit
	n    uint   // how many bits of it count

	out    []byte // what came out: a window of history, then out[lo:hi] for the taking
	lo, hi int

	state  blockState
	final  bool // the block is the last
	stored int  // bytes left of a stored block
	lit    *litTable
	dist   *distTable
	own    litTable
	ownd   distTable

	slid    int64 // bytes that came out and have left out
	blocks  int
	second  int64 // bit at which the header of the second block begins
	secondy int64 // bytes that had come out by then
	begun   bool  // a copy in a later block reaches back to the very first byte
	last    int64 // bit at which the header of the last block begins
	end     int64 // bit after the last block
}

type blockState uint8

const (
	atHeader blockState = iota
	inStored
	inCodes
	atEnd
)

const (
	window  = 32 << 10
	maxCopy = 258
	// room is what one round of the inner loop may write at most, and slack for
	// copies made eight bytes at a time.
	room = 2*maxCopy + 16
	// ahead is what one round of the inner loop may read at most.
	ahead = 16
)

var errCorrupt = errors.New("corrupt image data")

// open begins to read from r. No take may ask for more than most.
func (f *inflater) open(r io.Reader, most int) error {
	f.r, f.in = r, make([]byte, 64<<10)
	f.src, f.pos = f.in[:0], 0
	return f.start(most)
}

// openBytes begins to read b.
func (f *inflater) openBytes(b []byte, most int) error {
	f.r, f.src, f.pos = nil, b, 0
	return f.start(most)
}

func (f *inflater) start(most int) error {
	if size := window + most + room + 128<<10; len(f.out) < size {
		f.out = make([]byte, size)
	}
	f.lo, f.hi, f.bits, f.n, f.base, f.past = 0, 0, 0, 0, 0, 0
	f.state, f.final = atHeader, false
	f.slid, f.blocks, f.second, f.begun = 0, 0, 0, false
	if err := f.need(16); err != nil {
		return err
	}
	head := f.get(16)
	if head&0xf != 8 || head>>4&0xf > 7 || (head<<8|head>>8)&0xffff%31 != 0 || head&0x2000 != 0 {
		return errors.New("not zlib data")
	}
	return nil
}

// take gives the next n bytes, valid until the next take.
func (f *inflater) take(n int) ([]byte, error) {
	for f.hi-f.lo < n {
		if f.hi > len(f.out)-room {
			f.slide()
		}
		if err := f.step(); err != nil {
			return nil, err
		}
	}
	b := f.out[f.lo : f.lo+n : f.lo+n]
	f.lo += n
	return b, nil
}

// finish goes to the end of the data and tells how much more there was.
func (f *inflater) finish() (more int, err error) {
	for f.state != atEnd {
		more += f.hi - f.lo
		f.lo = f.hi
		if f.hi > len(f.out)-room {
			f.slide()
		}
		if err := f.step(); err != nil {
			return more, err
		}
	}
	more += f.hi - f.lo
	if f.r != nil {
		_, err = io.Copy(io.Discard, f.r) // for the sums of the chunks
	}
	return more, err
}

// slide makes room, keeping the history that copies may reach back to.
func (f *inflater) slide() {
	keep := min(f.lo, f.hi-window)
	if keep <= 0 {
		return
	}
	copy(f.out, f.out[keep:f.hi])
	f.slid += int64(keep)
	f.lo -= keep
	f.hi -= keep
}

// step goes on until the output is full or a block ends.
func (f *inflater) step() error {
	switch f.state {
	case atHeader:
		return f.header()
	case inStored:
		return f.copyStored()
	case inCodes:
		return f.codes()
	}
	return io.ErrUnexpectedEOF
}

// fill makes at least ahead bytes of input ready, padding what there is when it
// has ended.
func (f *inflater) fill() error {
	for len(f.src)-f.pos < ahead {
		if f.past > 0 {
			return io.ErrUnexpectedEOF
		}
		rest := f.src[f.pos:]
		f.base += int64(f.pos)
		if f.r == nil {
			f.past = 4 * ahead
			f.src = append(append(make([]byte, 0, len(rest)+f.past), rest...), make([]byte, f.past)...)
			f.pos = 0
			return nil
		}
		had := copy(f.in, rest)
		n, err := f.r.Read(f.in[had:])
		f.src, f.pos = f.in[:had+n], 0
		if err == io.EOF {
			f.r = nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// at is the bit that comes next.
func (f *inflater) at() int64 { return (f.base+int64(f.pos))*8 - int64(f.n) }

// overrun reports whether padding was used as if it were data.
func (f *inflater) overrun() bool {
	return f.past > 0 && f.at() > (f.base+int64(len(f.src)-f.past))*8
}

// need makes k bits ready, at most 56.
func (f *inflater) need(k uint) error {
	if f.n >= k {
		return nil
	}
	if err := f.fill(); err != nil {
		return err
	}
	f.bits |= binary.LittleEndian.Uint64(f.src[f.pos:]) << f.n
	f.pos += int(63-f.n) >> 3
	f.n |= 56
	return nil
}

func (f *inflater) get(k uint) uint64 {
	v := f.bits & (1<<k - 1)
	f.bits >>= k
	f.n -= k
	return v
}

func (f *inflater) header() error {
	if f.final {
		f.state = atEnd
		f.end = f.at()
		return nil
	}
	at := f.at()
	if f.blocks++; f.blocks == 2 {
		f.second, f.secondy = at, f.slid+int64(f.hi)
	}
	if err := f.need(3); err != nil {
		return err
	}
	if f.final = f.get(1) == 1; f.final {
		f.last = at
	}
	switch f.get(2) {
	case 0:
		f.get(f.n & 7)
		if err := f.need(32); err != nil {
			return err
		}
		n := f.get(16)
		if f.get(16) != n^0xffff {
			return errCorrupt
		}
		f.stored, f.state = int(n), inStored
	case 1:
		fixed := fixedTables()
		f.lit, f.dist, f.state = &fixed.lit, &fixed.dist, inCodes
	case 2:
		if err := f.dynamic(); err != nil {
			return err
		}
		f.lit, f.dist, f.state = &f.own, &f.ownd, inCodes
	default:
		return errCorrupt
	}
	if f.overrun() {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (f *inflater) copyStored() error {
	for f.stored > 0 && f.hi < len(f.out) {
		if f.n >= 8 {
			f.out[f.hi] = byte(f.get(8))
			f.hi++
			f.stored--
			continue
		}
		f.bits, f.n = 0, 0 // what lies above the bits that count is about to be read again
		if err := f.fill(); err != nil {
			return err
		}
		n := min(f.stored, len(f.src)-f.past-f.pos)
		if n <= 0 {
			return io.ErrUnexpectedEOF
		}
		n = copy(f.out[f.hi:], f.src[f.pos:f.pos+n])
		f.hi += n
		f.pos += n
		f.stored -= n
	}
	if f.overrun() {
		return io.ErrUnexpectedEOF
	}
	if f.stored == 0 {
		f.state = atHeader
	}
	return nil
}

// codes is the inner loop: it decodes symbols until the block ends or the
// output is full.
func (f *inflater) codes() error {
	lit, dist := f.lit, f.dist
	src, pos, bits, n := f.src, f.pos, f.bits, f.n
	out, hi := f.out, f.hi
	limit := len(out) - room
	for {
		if len(src)-pos < ahead {
			f.pos, f.bits, f.n, f.hi = pos, bits, n, hi
			if err := f.fill(); err != nil {
				return err
			}
			src, pos = f.src, f.pos
		}
		if hi > limit {
			break
		}
		bits |= binary.LittleEndian.Uint64(src[pos:]) << (n & 63)
		pos += int(63-n) >> 3
		n |= 56
		e := lit[bits&litMask]
		if e&isLiteral != 0 {
			bits >>= e & 15
			n -= uint(e & 15)
			out[hi] = byte(e >> 16)
			hi++
			e = lit[bits&litMask]
			if e&isLiteral != 0 {
				bits >>= e & 15
				n -= uint(e & 15)
				out[hi] = byte(e >> 16)
				hi++
				e = lit[bits&litMask]
				if e&isLiteral != 0 {
					bits >>= e & 15
					n -= uint(e & 15)
					out[hi] = byte(e >> 16)
					hi++
					continue
				}
			}
			bits |= binary.LittleEndian.Uint64(src[pos:]) << (n & 63)
			pos += int(63-n) >> 3
			n |= 56
		}
		if e&isSub != 0 {
			e = lit[(e>>16+uint32(bits>>litBits)&(1<<(e>>8&15)-1))&(litSize-1)]
			if e&isLiteral != 0 {
				bits >>= e & 15
				n -= uint(e & 15)
				out[hi] = byte(e >> 16)
				hi++
				continue
			}
		}
		if e&isEnd != 0 {
			bits >>= e & 15
			n -= uint(e & 15)
			f.state = atHeader
			break
		}
		if e == 0 {
			return errCorrupt
		}
		length := int(e>>16) + int(bits>>(e&15)&(1<<(e>>8&15)-1))
		used := e&15 + e>>8&15
		bits >>= used
		n -= uint(used)

		e = dist[bits&distMask]
		if e&isSub != 0 {
			e = dist[(e>>16+uint32(bits>>distBits)&(1<<(e>>8&15)-1))&(distSize-1)]
		}
		if e == 0 {
			return errCorrupt
		}
		back := int(e>>16) + int(bits>>(e&15)&(1<<(e>>8&15)-1))
		used = e&15 + e>>8&15
		bits >>= used
		n -= uint(used)
		if back > hi {
			return errCorrupt
		}
		end, from := hi+length, hi-back
		if from == 0 && f.blocks > 1 && f.slid == 0 {
			f.begun = true
		}
		switch {
		case back >= 8 && length <= 32:
			for hi < end { // room leaves space for what is too much
				binary.LittleEndian.PutUint64(out[hi:], binary.LittleEndian.Uint64(out[from:]))
				hi += 8
				from += 8
			}
		case back >= length:
			copy(out[hi:end], out[from:])
		case back == 1 && out[from] == 0:
			clear(out[hi:end])
		default: // what is copied repeats: twice as much each time
			for hi < end {
				hi += copy(out[hi:end], out[from:hi])
			}
		}
		hi = end
	}
	f.pos, f.bits, f.n, f.hi = pos, bits, n, hi
	if f.overrun() {
		return io.ErrUnexpectedEOF
	}
	return nil
}
