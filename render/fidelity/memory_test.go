package fidelity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/candor-archive/candor/fixtures/pages"
)

// sample is the memory in use at one moment, in megabytes.
type sample struct {
	captures  float64 // done by then
	tree, own float64
}

// memoryRun is what one arm used over many captures.
type memoryRun struct {
	name    string
	n       int
	samples []sample
	took    time.Duration
}

// later are the samples after the first fifth, when caches and pools are full.
func (r memoryRun) later() []sample {
	return slices.DeleteFunc(slices.Clone(r.samples), func(s sample) bool { return s.captures < float64(r.n)/5 })
}

func (r memoryRun) column(f func(sample) float64) (out []float64) {
	for _, s := range r.later() {
		out = append(out, f(s))
	}
	return out
}

func tree(s sample) float64  { return s.tree }
func own(s sample) float64   { return s.own }
func whole(s sample) float64 { return s.tree + s.own }

// slope is the growth in megabytes per 100 captures, by least squares.
func (r memoryRun) slope(f func(sample) float64) float64 {
	var n, sx, sy, sxx, sxy float64
	for _, s := range r.later() {
		x, y := s.captures/100, f(s)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if d := n*sxx - sx*sx; d != 0 {
		return (n*sxy - sx*sy) / d
	}
	return 0
}

// BenchmarkMemory captures the pages again and again with two workers and
// watches the memory of the browsers and of our own process, beside two bare
// loops that do the same. $CANDOR_BENCH_CAPTURES is how often (1000). Our
// browsers are replaced as the pool sees fit, as they are in use.
func BenchmarkMemory(b *testing.B) {
	s, list := theSite(b), thinned(b, benchPages(b))
	n := number(b, "CANDOR_BENCH_CAPTURES", 1000)
	var runs []memoryRun
	for _, start := range []func() *arm{
		func() *arm { return bareArm(b, s, 2) },
		func() *arm { return rendererArm(b, s, "all artefacts", "all", 2, 0, nil) },
	} {
		a := start()
		r := remember(b, a, list, n)
		a.close()
		runs = append(runs, r)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "### Memory: two workers, %d captures in a row (proportional set size, MB)\n\n", n)
	fmt.Fprint(&out, "| arm | median | 95th percentile | max | of the median: browsers | own process | slope per 100 captures: browsers | own process | captures a minute |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range runs {
		all := r.column(whole)
		fmt.Fprintf(&out, "| %s | %.0f | %.0f | %.0f | %.0f | %.0f | %+.1f | %+.1f | %.0f |\n", r.name, median(all), percentile(all, 95), slices.Max(all),
			median(r.column(tree)), median(r.column(own)), r.slope(tree), r.slope(own), float64(r.n)/r.took.Minutes())
	}
	more := median(runs[1].column(whole)) - median(runs[0].column(whole))
	peak := slices.Max(runs[1].column(whole)) - slices.Max(runs[0].column(whole))
	fmt.Fprintf(&out, "\nOurs beyond the bare loop: %+.0f MB in the median, %+.0f MB at the peak. Must be at most 100 MB, and flat.\n", more, peak)
	fmt.Fprint(&out, "\nOur own process holds the benchmark too; the bare loop's is the same process.\n")
	publish(b, "memory.md", out.String())
	b.ReportMetric(more, "MB-beyond-bare")
	b.ReportMetric(runs[1].slope(whole), "MB/100captures")
	b.ReportMetric(0, "ns/op")
}

func percentile(v []float64, p int) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[min(len(s)-1, len(s)*p/100)]
}

// remember runs one arm and samples its memory twice a second.
func remember(b *testing.B, a *arm, list []pages.Page, n int) memoryRun {
	ctx := context.Background()
	r := memoryRun{name: a.name, n: n}
	var done atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				s := sample{captures: float64(done.Load())}
				for i, p := range a.procs {
					t, o := p.memory()
					s.tree += float64(t) / (1 << 20)
					if i == 0 {
						s.own = float64(o) / (1 << 20)
					}
				}
				r.samples = append(r.samples, s)
			}
		}
	}()
	var work []pages.Page
	for len(work) < n {
		work = append(work, list[:min(len(list), n-len(work))]...)
	}
	began := time.Now()
	err := eachOf(a.atOnce, work, func(p pages.Page) error {
		err := a.visit(ctx, p)
		if k := done.Add(1); k%50 == 0 {
			progress("memory: %s, %d of %d captures", a.short, k, n)
		}
		return err
	})
	r.took = time.Since(began)
	close(stop)
	<-stopped
	if err != nil {
		b.Fatalf("%s: %v", a.name, err)
	}
	if len(r.later()) == 0 {
		b.Fatalf("%s: no memory was sampled", a.name)
	}
	return r
}
