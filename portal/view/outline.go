package view

import (
	"context"
	"net/http"
	"sort"
	"strconv"
	"strings"
)

// Outline is a set of places on a picture that are marked, in the units of its
// view box. It is drawn over the picture without script or style of its own.
type Outline struct {
	Width, Height float64
	Marks         []Mark
	Query         string // the words that were looked for; empty for other marks
	More          int    // places beyond those listed
	Cut           bool   // only the beginning of the page was looked through
}

// Mark is one place.
type Mark struct {
	N    int
	ID   string
	Box  [4]float64
	Text string // what stands there, for who cannot see it
}

// maxMarks bounds what one page outlines.
const maxMarks = 60

// margin is how far an outline stands off the words.
const margin = 3

// longestFind is how much of what is looked for counts.
const longestFind = 400

// LookedFor is what the reader searched for.
func LookedFor(r *http.Request) string {
	q := strings.TrimSpace(strings.ToValidUTF8(r.URL.Query().Get("q"), ""))
	if c := []rune(q); len(c) > longestFind {
		q = string(c[:longestFind])
	}
	return q
}

// Find outlines where the words of a search stand. Words are compared as the
// search compares them: without case and accents, and by their stems in English
// and Spanish; what is in quotes has to stand there as it is. It gives nil when
// there is nothing to look for or nowhere to look, or when ctx ends.
func (l Layout) Find(ctx context.Context, query string) *Outline {
	terms := readTerms(query)
	if len(terms) == 0 || l.Width <= 0 || l.Height <= 0 {
		return nil
	}
	out := &Outline{Width: float64(l.Width), Height: float64(l.Height), Query: strings.TrimSpace(query), Cut: l.Cut}
	if len(l.Runs) > maxRuns {
		l.Runs, out.Cut = l.Runs[:maxRuns], true
	}
	// A word may be in several runs, as where its type changes or a line ends
	// within it, so they are put together as they were read.
	var b strings.Builder
	runAt := make([]int, 0, len(l.Runs)) // where each run begins in b
	end := -1
	for _, r := range l.Runs {
		if r.Start != end {
			b.WriteByte(' ')
		}
		end = r.Start + len(r.Text)
		runAt = append(runAt, b.Len())
		b.WriteString(r.Text)
	}
	found, cut, err := places(ctx, b.String(), terms)
	if err != nil {
		return nil // nobody waits for it any more
	}
	out.Cut = out.Cut || cut
	hit := make([]bool, len(l.Runs))
	for _, w := range found {
		for run := sort.SearchInts(runAt, w.from+1) - 1; run >= 0 && run < len(runAt) && runAt[run] < w.to; run++ {
			hit[run] = true
		}
	}
	for i, r := range l.Runs {
		if !hit[i] || r.Out || r.Box[1] >= out.Height || r.Box[0] >= out.Width || r.Box[2] <= 0 || r.Box[3] <= 0 {
			continue
		}
		if len(out.Marks) == maxMarks {
			out.More++
			continue
		}
		n := len(out.Marks) + 1
		out.Marks = append(out.Marks, Mark{N: n, ID: "found-" + strconv.Itoa(n), Text: r.Text,
			Box: [4]float64{r.Box[0] - margin, r.Box[1] - margin, r.Box[2] + 2*margin, r.Box[3] + 2*margin}})
	}
	return out
}

// Places outlines the regions of a self-check.
func (a *CheckAccount) Places(width, height int) *Outline {
	if a == nil || len(a.Regions) == 0 || width <= 0 || height <= 0 {
		return nil
	}
	out := &Outline{Width: float64(width), Height: float64(height)}
	for _, r := range a.Regions {
		out.Marks = append(out.Marks, Mark{N: r.N, ID: "differs-" + strconv.Itoa(r.N), Box: r.Box, Text: r.Text})
	}
	return out
}
