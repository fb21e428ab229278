package fidelity

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/candor-archive/candor/fixtures/pages"
	"github.com/candor-archive/candor/render/page"
)

// BenchmarkFidelity judges one capture of every page against visits of the
// judge's own and prints what must be reached and what was. It runs once,
// whatever b.N is.
func BenchmarkFidelity(b *testing.B) {
	s, list, j := theSite(b), benchPages(b), theJudge(b)
	r := &page.Renderer{Pool: thePool(b), Software: "candor/bench"}
	dir := b.TempDir()
	var mu sync.Mutex
	var all []*judged
	err := eachOf(2, list, func(p pages.Page) error {
		d, err := judge(context.Background(), j, r, s, p, dir, true)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, d)
		progress("fidelity: %d of %d, %s: %s", len(all), len(list), p.Name, d.brief())
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	slices.SortFunc(all, func(x, y *judged) int { return cmp.Compare(x.page.Name, y.page.Name) })
	var out strings.Builder
	lines := figures(all)
	table(&out, all, lines)
	for _, l := range lines {
		b.ReportMetric(l.value, l.short)
	}
	worst(b, &out, all)
	publish(b, "fidelity.md", out.String())
	b.ReportMetric(0, "ns/op")
}

// brief is what is wrong with a page, in a line.
func (d *judged) brief() string {
	if d.lost != "" {
		return "LOST: " + d.lost
	}
	var out []string
	add := func(name string, l Likeness) {
		if l.Kind() != Exact {
			out = append(out, name+" "+l.String())
		}
	}
	add("snapshot against another visit:", d.other)
	add("snapshot against our picture:", d.own)
	add("our picture against another visit:", d.shot)
	if d.twice && d.visits.Kind() != Exact {
		out = append(out, "two visits of the judge differ too: "+d.visits.String())
	}
	if d.text != "" {
		out = append(out, "text: "+d.text)
	}
	if len(d.requests) > 0 {
		out = append(out, fmt.Sprintf("requests: %v", d.requests))
	}
	if len(out) == 0 {
		return "exact"
	}
	return strings.Join(out, "; ")
}

// figure is one line of the table.
type figure struct {
	name, short string
	value       float64
	must, aim   float64
	atLeast     bool
	format      string
}

func (f figure) reached(limit float64) bool {
	if f.atLeast {
		return f.value >= limit
	}
	return f.value <= limit
}

func (f figure) verdict() string {
	switch {
	case f.reached(f.aim):
		return "aim reached"
	case f.reached(f.must):
		return "reached"
	}
	return "**NOT REACHED**"
}

// figures are those of the table, over all pages; a lost page counts as wrong.
func figures(all []*judged) []figure {
	n := float64(len(all))
	share := func(ok func(*judged) bool) float64 {
		sum := 0.0
		for _, d := range all {
			if d.lost == "" && ok(d) {
				sum++
			}
		}
		return 100 * sum / n
	}
	var mean, requests, lost float64
	for _, d := range all {
		if d.lost != "" {
			lost++
			mean += 100 / n
			continue
		}
		mean += 100 * d.other.Share / n
		requests += float64(len(d.requests))
	}
	return []figure{
		{"snapshot against another visit: no pixel differs", "exact-%", share(func(d *judged) bool { return d.other.Kind() == Exact }), 90, 94, true, "%.1f %%"},
		{"… fewer than 0.1 % of pixels differ", "near-%", share(func(d *judged) bool { return d.other.Kind() != Far }), 97, 99, true, "%.1f %%"},
		{"… mean share of pixels differing", "mean-%", mean, 0.05, 0.007, false, "%.4f %%"},
		{"… visible text equal", "text-%", share(func(d *judged) bool { return d.text == "" }), 97, 99, true, "%.1f %%"},
		{"… no pixel differs from our own picture of the same moment", "own-%", share(func(d *judged) bool { return d.own.Kind() == Exact }), 96, 99, true, "%.1f %%"},
		{"requests a snapshot makes when opened", "requests", requests, 0, 0, false, "%.0f"},
		{"screenshot equal to an independent reference", "shot-%", share(func(d *judged) bool { return d.shot.Kind() == Exact }), 97, 98, true, "%.1f %%"},
		{"pages lost", "lost", lost, 0, 0, false, "%.0f"},
	}
}

func table(out *strings.Builder, all []*judged, lines []figure) {
	fmt.Fprintf(out, "### Fidelity: %d pages\n\n| figure | must reach | aim | measured | verdict |\n|---|---|---|---|---|\n", len(all))
	for _, l := range lines {
		sign := "≤ "
		if l.atLeast {
			sign = "≥ "
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", l.name, sign+fmt.Sprintf(l.format, l.must), sign+fmt.Sprintf(l.format, l.aim), fmt.Sprintf(l.format, l.value), l.verdict())
	}
	fmt.Fprint(out, "\nPages with something that is not exact:\n\n")
	none := true
	for _, d := range all {
		if b := d.brief(); b != "exact" {
			fmt.Fprintf(out, "- %s: %s\n", d.page.Name, b)
			none = false
		}
	}
	if none {
		fmt.Fprintln(out, "- none")
	}
	fmt.Fprintln(out)
}

// worst writes pictures of the five pages whose snapshot is least like the
// live page: live, snapshot and difference side by side.
func worst(b *testing.B, out *strings.Builder, all []*judged) {
	bad := slices.DeleteFunc(slices.Clone(all), func(d *judged) bool {
		return d.lost != "" || d.other.Kind() == Exact && d.own.Kind() == Exact && d.shot.Kind() == Exact
	})
	rank := func(d *judged) float64 { return 4*d.own.Share + 2*d.other.Share + d.shot.Share }
	slices.SortStableFunc(bad, func(x, y *judged) int { return cmp.Compare(rank(y), rank(x)) })
	dir := filepath.Join(outDir(b), "worst")
	if err := os.RemoveAll(dir); err != nil {
		b.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	for i, d := range bad[:min(5, len(bad))] {
		live, other := d.reference, d.snapshot
		if d.other.Kind() == Exact { // then it is our own picture that differs
			live, other = d.picture, d.snapshot
		}
		path := filepath.Join(dir, fmt.Sprintf("%d-%s.png", i+1, d.page.Name))
		if err := Beside(live, other, path); err != nil {
			b.Fatal(err)
		}
		fmt.Fprintf(out, "Worst %d: %s, live beside snapshot beside difference: %s\n", i+1, d.page.Name, path)
	}
}
