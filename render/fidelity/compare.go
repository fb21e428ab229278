package fidelity

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/candor-archive/candor/render/picture"
)

// threshold is the least difference of two colours that counts, in YIQ space.
const threshold = 0.1

// Exact, Near and Far name how alike two pictures are.
const (
	Exact = "exact" // the same size, and no pixel differs
	Near  = "near"  // the same size, and fewer than 0.1 % of the pixels differ
	Far   = "far"
)

// Likeness is what comparing two pictures came to.
type Likeness struct {
	Share     float64 // of the pixels differ; 1 when the sizes do
	Differing int64
	SizeWrong bool
	Where     []string // the first regions that differ
}

// Kind is Exact, Near or Far.
func (l Likeness) Kind() string {
	switch {
	case l.SizeWrong:
		return Far
	case l.Differing == 0:
		return Exact
	case l.Share < 0.001:
		return Near
	}
	return Far
}

func (l Likeness) String() string {
	if l.SizeWrong {
		return "the size is wrong " + strings.Join(l.Where, " ")
	}
	if l.Differing == 0 {
		return Exact
	}
	return fmt.Sprintf("%d px (%.4f %%) at %s", l.Differing, l.Share*100, strings.Join(l.Where, " "))
}

// Compare compares two pictures on the disk.
func Compare(a, b string) (l Likeness, err error) {
	fa, err := os.Open(a)
	if err != nil {
		return l, err
	}
	defer fa.Close() // only read
	fb, err := os.Open(b)
	if err != nil {
		return l, err
	}
	defer fb.Close() // only read
	d, err := picture.Compare(bufio.NewReaderSize(fa, 1<<18), bufio.NewReaderSize(fb, 1<<18), picture.CompareOptions{Threshold: threshold})
	if err != nil {
		return l, fmt.Errorf("compare %s with %s: %w", a, b, err)
	}
	l = Likeness{Share: d.Share(), Differing: d.Differing, SizeWrong: d.SizeWrong}
	if l.SizeWrong {
		l.Share = 1
		aw, ah, errA := picture.Size(a)
		bw, bh, errB := picture.Size(b)
		l.Where = []string{fmt.Sprintf("%d×%d and %d×%d", aw, ah, bw, bh)}
		return l, errors.Join(errA, errB)
	}
	for i, r := range d.Regions {
		if i == 3 {
			l.Where = append(l.Where, fmt.Sprintf("and %d more", len(d.Regions)-i))
			break
		}
		l.Where = append(l.Where, fmt.Sprintf("%d,%d %d×%d", r.Min.X, r.Min.Y, r.Dx(), r.Dy()))
	}
	return l, nil
}

// Apart says where two texts begin to differ, or "" when they are equal.
func Apart(want, got string) string {
	if want == got {
		return ""
	}
	a, b := strings.Fields(want), strings.Fields(got)
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	cut := func(w []string) string { return strings.Join(w[max(0, min(i-2, len(w))):min(len(w), i+6)], " ") }
	return fmt.Sprintf("word %d of %d (the other has %d): %q, but %q", i+1, len(a), len(b), cut(a), cut(b))
}
