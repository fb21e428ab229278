package picture

import (
	"image"
	"slices"
)

const (
	maxRegions  = 50
	maxClusters = 128
	// nearBy is how far apart pixels of one cluster may lie.
	nearBy = 16
)

// clusters gathers pixels, given in reading order, into rectangles.
type clusters struct {
	list   []cluster
	from   int // the run under way: first pixel, last pixel, how many of them count
	to     int
	count  int64
	active bool
}

type cluster struct {
	box image.Rectangle
	n   int64
}

func (c *clusters) add(x, y int) {
	if c.active && x-c.to > nearBy {
		c.endRow(y)
	}
	if !c.active {
		c.active, c.from, c.count = true, x, 0
	}
	c.to = x
	c.count++
}

// endRow puts the run under way where it belongs.
func (c *clusters) endRow(y int) {
	if !c.active {
		return
	}
	c.active = false
	run := cluster{image.Rect(c.from, y, c.to+1, y+1), c.count}
	for i := len(c.list) - 1; i >= 0; i-- { // the last are the nearest
		if c.list[i].box.Inset(-nearBy).Overlaps(run.box) {
			c.list[i] = c.list[i].with(run)
			return
		}
	}
	c.list = append(c.list, run)
	if len(c.list) > maxClusters {
		c.list = reduce(c.list, maxClusters/2)
	}
}

func (c cluster) with(o cluster) cluster { return cluster{c.box.Union(o.box), c.n + o.n} }

// result gives the rectangles, from the top, with the pixels in each.
func (c *clusters) result() ([]image.Rectangle, []int64) {
	list := c.list
	for again := true; again; { // clusters that grew into one another are one
		again = false
		for i := 0; i < len(list); i++ {
			for j := i + 1; j < len(list); j++ {
				if list[i].box.Inset(-nearBy).Overlaps(list[j].box) {
					list[i] = list[i].with(list[j])
					list = slices.Delete(list, j, j+1)
					j--
					again = true
				}
			}
		}
	}
	list = reduce(list, maxRegions)
	slices.SortFunc(list, func(a, b cluster) int {
		if a.box.Min.Y != b.box.Min.Y {
			return a.box.Min.Y - b.box.Min.Y
		}
		return a.box.Min.X - b.box.Min.X
	})
	var boxes []image.Rectangle
	var counts []int64
	for _, l := range list {
		boxes, counts = append(boxes, l.box), append(counts, l.n)
	}
	return boxes, counts
}

// reduce joins those clusters whose joining covers the least more, until there
// are at most n.
func reduce(list []cluster, n int) []cluster {
	area := func(r image.Rectangle) int64 { return int64(r.Dx()) * int64(r.Dy()) }
	for len(list) > n {
		a, b, least := 0, 1, int64(-1)
		for i := range list {
			for j := i + 1; j < len(list); j++ {
				if more := area(list[i].box.Union(list[j].box)) - area(list[i].box) - area(list[j].box); least < 0 || more < least {
					a, b, least = i, j, max(more, 0)
				}
			}
		}
		list[a] = list[a].with(list[b])
		list = slices.Delete(list, b, b+1)
	}
	return list
}
