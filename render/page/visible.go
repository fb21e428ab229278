package page

import "math"

// What counts as visible: what a sighted person can find on the page. Words
// clipped to nothing, moved off the page or made fully transparent are there for
// screen readers only; they go into the twin, marked, and not into the text.
// Words in a part that has to be scrolled to are in the text, since a visitor
// could read them, but the layout says that the picture does not show them.
// Whatever is in doubt counts as visible.

// look is what can be seen of some words.
type look int

const (
	seen   look = iota
	out         // seen by whoever scrolls the part they are in
	unseen      // read aloud by screen readers only
	gone        // for nobody
)

// edges are left, top, right, bottom.
type edges [4]float64

var everywhere = edges{math.Inf(-1), math.Inf(-1), math.Inf(1), math.Inf(1)}

// clip is how far what an element holds can be seen: nothing outside hard ever,
// what is outside soft by scrolling.
type clip struct{ hard, soft edges }

// sight is what bears on what an element holds, by how that is positioned.
type sight struct {
	flow, abs, fixed clip
	faint            bool // an opacity of 0, here or above
	never            bool // not painted at all
}

// narrow is the sight into a box. Overflow of one direction says nothing about
// the other.
func (c clip) narrow(b Box, overflowX, overflowY string) clip {
	for axis, overflow := range [2]string{overflowX, overflowY} {
		lo, hi := axis, axis+2
		from, to := b[axis], b[axis]+b[axis+2]
		switch overflow {
		case "", "visible":
			continue
		case "auto", "scroll":
			l, h := max(c.hard[lo], from), min(c.hard[hi], to)
			if h-l > 1 { // a box that shows nothing cannot be scrolled either
				c.soft[lo], c.soft[hi] = max(c.soft[lo], l), min(c.soft[hi], h)
				c.hard[lo], c.hard[hi] = everywhere[lo], everywhere[hi]
				continue
			}
		}
		c.hard[lo], c.hard[hi] = max(c.hard[lo], from), min(c.hard[hi], to)
	}
	return c
}

// cut is the part of a box inside edges.
func (e edges) cut(b Box) Box {
	l, t := max(e[0], b[0]), max(e[1], b[1])
	return Box{l, t, min(e[2], b[0]+b[2]) - l, min(e[3], b[1]+b[3]) - t}
}

// bare reports whether so little is left of a box that it cannot be read.
func bare(left, b Box) bool {
	return left[2] <= min(1, b[2]/2) || left[3] <= min(1, b[3]/2)
}

// of says what can be seen of a box, and which part of it.
func (c clip) of(b Box) (Box, look) {
	left := c.hard.cut(b)
	if bare(left, b) {
		return b, unseen
	}
	in := c.soft.cut(left)
	if bare(in, b) {
		return left, out
	}
	return in, seen
}
