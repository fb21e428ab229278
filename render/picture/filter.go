package picture

import (
	"encoding/binary"
	"errors"
)

// unfilter undoes a row's filter: src is the filter's number and the filtered
// bytes, prev the row above. src is left as it is, since the bytes that follow
// may be copies of it.
func unfilter(dst, prev, src []byte, bpp int) error {
	kind, src := src[0], src[1:]
	dst, prev, src = dst[:len(src)], prev[:len(src)], src[:len(src):len(src)]
	switch kind {
	case 0:
		copy(dst, src)
	case 1:
		if bpp == 4 {
			sub4(dst, src)
		} else {
			sub3(dst, src)
		}
	case 2:
		up(dst, prev, src)
	case 3:
		for i := range bpp {
			dst[i] = src[i] + prev[i]/2
		}
		for i := bpp; i < len(src); i++ {
			dst[i] = src[i] + byte((int(dst[i-bpp])+int(prev[i]))/2)
		}
	case 4:
		for i := range bpp {
			dst[i] = src[i] + prev[i]
		}
		for i := bpp; i < len(src); i++ {
			dst[i] = src[i] + paeth(int(dst[i-bpp]), int(prev[i]), int(prev[i-bpp]))
		}
	default:
		return errors.New("unknown filter")
	}
	return nil
}

const (
	low7  = 0x7f7f7f7f7f7f7f7f
	high1 = 0x8080808080808080
)

// add8 adds eight bytes to eight bytes, each by itself.
func add8(a, b uint64) uint64 { return (a&low7 + b&low7) ^ ((a ^ b) & high1) }

func add4(a, b uint32) uint32 {
	return (a&(low7&0xffffffff) + b&(low7&0xffffffff)) ^ ((a ^ b) & (high1 & 0xffffffff))
}

func up(dst, prev, src []byte) {
	i := 0
	for ; i+16 <= len(src); i += 16 {
		d, p, s := dst[i:i+16:i+16], prev[i:i+16:i+16], src[i:i+16:i+16]
		binary.LittleEndian.PutUint64(d, add8(binary.LittleEndian.Uint64(s), binary.LittleEndian.Uint64(p)))
		binary.LittleEndian.PutUint64(d[8:], add8(binary.LittleEndian.Uint64(s[8:]), binary.LittleEndian.Uint64(p[8:])))
	}
	for ; i < len(src); i++ {
		dst[i] = src[i] + prev[i]
	}
}

func sub4(dst, src []byte) {
	var left uint32
	for len(src) >= 8 && len(dst) >= 8 {
		two := binary.LittleEndian.Uint64(src)
		if two == 0 { // most of a page is flat
			binary.LittleEndian.PutUint64(dst, uint64(left)|uint64(left)<<32)
		} else {
			first := add4(left, uint32(two))
			left = add4(first, uint32(two>>32))
			binary.LittleEndian.PutUint64(dst, uint64(first)|uint64(left)<<32)
		}
		dst, src = dst[8:], src[8:]
	}
	if len(src) >= 4 && len(dst) >= 4 {
		binary.LittleEndian.PutUint32(dst, add4(left, binary.LittleEndian.Uint32(src)))
	}
}

func sub3(dst, src []byte) {
	var r, g, b byte
	for len(src) >= 3 && len(dst) >= 3 {
		r, g, b = r+src[0], g+src[1], b+src[2]
		dst[0], dst[1], dst[2] = r, g, b
		dst, src = dst[3:], src[3:]
	}
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
