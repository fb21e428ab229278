package picture

import (
	"math/bits"
	"sync"
)

// The tables that codes are looked up in. The lowest bits of the input give an
// entry: bits 0 to 3 are the length of the code, 8 to 11 how many more bits
// follow it, 16 to 31 the value that those are added to. A code that is longer
// than the table is wide leads to a second table within the same array. An entry
// of 0 is no code.
const (
	litBits  = 11
	litMask  = 1<<litBits - 1
	litSize  = 8192
	distBits = 8
	distMask = 1<<distBits - 1
	distSize = 4096

	isLiteral = 1 << 15
	isSub     = 1 << 14
	isEnd     = 1 << 13
)

type (
	litTable  [litSize]uint32
	distTable [distSize]uint32
)

var (
	litEntries  [288]uint32 // without the length of the code
	distEntries [32]uint32
)

func init() {
	for i := range 256 {
		litEntries[i] = uint32(i)<<16 | isLiteral
	}
	litEntries[256] = isEnd
	base := uint32(3)
	for i := range uint32(28) {
		extra := uint32(0)
		if i >= 8 {
			extra = i/4 - 1
		}
		litEntries[257+i] = base<<16 | extra<<8
		base += 1 << extra
	}
	litEntries[285] = 258 << 16
	base = 1
	for i := range uint32(30) {
		extra := uint32(0)
		if i >= 4 {
			extra = i/2 - 1
		}
		distEntries[i] = base<<16 | extra<<8
		base += 1 << extra
	}
}

type tables struct {
	lit  litTable
	dist distTable
}

var fixedTables = sync.OnceValue(func() *tables {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	var d [32]uint8
	for i := range d {
		d[i] = 5
	}
	t := new(tables)
	if !build(t.lit[:], litBits, lengths[:], litEntries[:]) || !build(t.dist[:], distBits, d[:], distEntries[:]) {
		panic("the fixed codes of deflate are sound")
	}
	return t
})

// build fills a table from the lengths of the codes. It reports whether they
// make a code: complete, or of one symbol at most.
func build(table []uint32, width uint, lengths []uint8, entries []uint32) bool {
	var count [16]int
	for _, l := range lengths {
		count[l]++
	}
	used := len(lengths) - count[0]
	count[0] = 0
	var next [16]uint32
	left, code, longest := 1, uint32(0), uint(0)
	for l := 1; l < 16; l++ {
		left = left<<1 - count[l]
		if left < 0 {
			return false
		}
		code = (code + uint32(count[l-1])) << 1
		next[l] = code
		if count[l] > 0 {
			longest = uint(l)
		}
	}
	if left > 0 && used > 1 {
		return false
	}
	if left > 0 {
		clear(table[:1<<width])
	}
	var deepest [1 << litBits]uint8 // the longest code that begins with these bits
	if longest > width {
		seen := next
		for _, l := range lengths {
			if l == 0 {
				continue
			}
			c := reverse(seen[l], uint(l))
			seen[l]++
			if uint(l) > width {
				at := c & (1<<width - 1)
				deepest[at] = max(deepest[at], l)
			}
		}
	}
	free := uint32(1) << width
	for sym, l := range lengths {
		if l == 0 {
			continue
		}
		c := reverse(next[l], uint(l))
		next[l]++
		e := entries[sym]
		if e != 0 {
			e |= uint32(l)
		}
		if uint(l) <= width {
			for i := c; i < 1<<width; i += 1 << l {
				table[i] = e
			}
			continue
		}
		at := c & (1<<width - 1)
		deep := uint(deepest[at]) - width
		if deepest[at]&0x80 == 0 { // its second table is not there yet
			if int(free)+1<<deep > len(table) {
				return false
			}
			clear(table[free : free+1<<deep])
			table[at] = free<<16 | uint32(deep)<<8 | isSub
			free += 1 << deep
			deepest[at] |= 0x80
		} else {
			deep = uint(deepest[at]&0x7f) - width
		}
		sub := table[at] >> 16
		for i := c >> width; i < 1<<deep; i += 1 << (uint(l) - width) {
			table[sub+i] = e
		}
	}
	return true
}

func reverse(code uint32, length uint) uint32 {
	return bits.Reverse32(code) >> (32 - length)
}

// order is how the lengths of the code lengths' codes are written.
var order = [19]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

var lengthEntries = func() (e [19]uint32) {
	for i := range e {
		e[i] = uint32(i)<<16 | isLiteral // so that none is 0
	}
	return e
}()

// dynamic reads the codes of a block that brings its own.
func (f *inflater) dynamic() error {
	if err := f.need(14); err != nil {
		return err
	}
	lits, dists, n := int(f.get(5))+257, int(f.get(5))+1, int(f.get(4))+4
	if lits > 286 || dists > 30 {
		return errCorrupt
	}
	var own [19]uint8
	for i := range n {
		if err := f.need(3); err != nil {
			return err
		}
		own[order[i]] = uint8(f.get(3))
	}
	var table [1 << 7]uint32
	if !build(table[:], 7, own[:], lengthEntries[:]) {
		return errCorrupt
	}
	var lengths [286 + 30]uint8
	for i := 0; i < lits+dists; {
		if err := f.need(14); err != nil {
			return err
		}
		e := table[f.bits&127]
		if e == 0 {
			return errCorrupt
		}
		f.get(uint(e & 15))
		sym := e >> 16
		if sym < 16 {
			lengths[i] = uint8(sym)
			i++
			continue
		}
		again, value := 0, uint8(0)
		switch sym {
		case 16:
			if i == 0 {
				return errCorrupt
			}
			again, value = 3+int(f.get(2)), lengths[i-1]
		case 17:
			again = 3 + int(f.get(3))
		case 18:
			again = 11 + int(f.get(7))
		}
		if i+again > lits+dists {
			return errCorrupt
		}
		for range again {
			lengths[i] = value
			i++
		}
	}
	if lengths[256] == 0 || !build(f.own[:], litBits, lengths[:lits], litEntries[:]) || !build(f.ownd[:], distBits, lengths[lits:lits+dists], distEntries[:]) {
		return errCorrupt
	}
	return nil
}
