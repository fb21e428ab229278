package fidelity

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor/fixtures/pages"
	"github.com/candor-archive/candor/render/page"
)

// number is a setting from the environment.
func number(tb testing.TB, name string, otherwise int) int {
	tb.Helper()
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		tb.Fatalf("%s=%q is not a number", name, v)
	}
	return n
}

// stretch is how many pages one arm visits before the next has its turn: so
// few that drift of the machine hits all alike, so many that the tail of one
// visit belongs to the same arm.
const stretch = 8

// tail is how long browsers are given to clean up before they are read.
const tail = 250 * time.Millisecond

// spent is what one arm used for one pass over the pages.
type spent struct {
	browser, own, wall time.Duration
	pages              int
	byPage             map[string]time.Duration
}

func (s spent) cpu() time.Duration { return s.browser + s.own }

func (s spent) each(d time.Duration) float64 {
	return float64(d) / float64(time.Millisecond) / float64(max(1, s.pages))
}

// BenchmarkCost measures what a page costs: the bare loop, our renderer for the
// picture alone, with all artefacts, and with the self-check; and beside them a
// bare loop with a browser context for every page, and one in the whole browser
// where ours is the headless shell. It runs every arm for itself, whatever b.N is.
// $CANDOR_BENCH_REPEATS is how often (2).
func BenchmarkCost(b *testing.B) {
	s, list := theSite(b), thinned(b, benchPages(b))
	arms := []*arm{
		bareArm(b, s, 1),
		rendererArm(b, s, "picture only", "picture", 1, 1<<30, pictureOnly),
		rendererArm(b, s, "all artefacts", "all", 1, 1<<30, nil),
		rendererArm(b, s, "all artefacts and self-check", "check", 1, 1<<30, selfCheck),
	}
	arms = append(arms, freshArm(b, s))
	if whole, err := exec.LookPath("chromium"); err == nil && filepath.Base(findChrome(b)) != "chromium" {
		arms = append(arms, bareArmIn(b, s, 1, whole, "bare loop in Chromium itself", "whole"))
	}
	all := measure(b, arms, list, number(b, "CANDOR_BENCH_REPEATS", 2))
	var out strings.Builder
	kindTable(&out, arms, all)
	for _, a := range arms {
		a.close()
	}
	costTable(&out, arms, all, len(list))
	ratio := func(i int) float64 { return median(ratios(all, i)) }
	b.ReportMetric(ratio(1), "picture/bare")
	b.ReportMetric(ratio(2), "all/bare")
	b.ReportMetric(ratio(3)-ratio(2), "check/bare")

	two := []*arm{
		bareArm(b, s, 2),
		rendererArm(b, s, "picture only", "picture", 2, 1<<30, pictureOnly),
		rendererArm(b, s, "all artefacts", "all", 2, 1<<30, nil),
	}
	speeds := race(b, two, list, number(b, "CANDOR_BENCH_REPEATS", 2))
	for _, a := range two {
		a.close()
	}
	speedTable(&out, two, speeds)
	b.ReportMetric(median(speedRatios(speeds, 1)), "picture-speed/bare")
	b.ReportMetric(median(speedRatios(speeds, 2)), "all-speed/bare")
	b.ReportMetric(0, "ns/op") // one run of all that has no meaning of its own

	stepTable(&out, arms[2])
	dearest(&out, all)
	publish(b, "cost.md", out.String())
}

func pictureOnly(r *page.Renderer) { r.PictureOnly = true }
func selfCheck(r *page.Renderer)   { r.Check = 1 }

// measure lets the arms take turns over the pages, a stretch each.
func measure(b *testing.B, arms []*arm, list []pages.Page, repeats int) [][]spent {
	ctx := context.Background()
	for _, a := range arms { // the first visit starts the browser
		if err := a.visit(ctx, list[0]); err != nil {
			b.Fatal(err)
		}
	}
	all := make([][]spent, repeats)
	turn := 0
	for rep := range all {
		all[rep] = make([]spent, len(arms))
		for i := range all[rep] {
			all[rep][i].byPage = map[string]time.Duration{}
		}
		for from := 0; from < len(list); from += stretch {
			part := list[from:min(from+stretch, len(list))]
			for k := range arms {
				i := (k + turn) % len(arms)
				if err := run(ctx, arms[i], part, &all[rep][i]); err != nil {
					b.Fatalf("%s: %v", arms[i].name, err)
				}
			}
			turn++
			progress("cost: round %d of %d, %d of %d pages; CPU ms a page so far: %s", rep+1, repeats, from+len(part), len(list), soFar(arms, all[rep]))
		}
	}
	return all
}

// run visits some pages with one arm and adds up what that took.
func run(ctx context.Context, a *arm, part []pages.Page, sum *spent) error {
	first := a.cpu()
	for _, p := range part {
		before := a.cpu()
		own, began := ownCPU(), time.Now()
		if err := a.visit(ctx, p); err != nil {
			return err
		}
		wall, used := time.Since(began), ownCPU()-own
		sum.wall += wall
		sum.own += used
		sum.pages++
		sum.byPage[p.Name] += used + a.cpu() - before
	}
	if err := a.rest(ctx); err != nil {
		return err
	}
	time.Sleep(tail)
	sum.browser += a.cpu() - first
	return nil
}

func soFar(arms []*arm, all []spent) string {
	var out []string
	for i, a := range arms {
		out = append(out, fmt.Sprintf("%s %.0f (%.2f)", a.short, all[i].each(all[i].cpu()), float64(all[i].cpu())/float64(all[0].cpu())))
	}
	return strings.Join(out, ", ")
}

// ratios gives an arm's CPU over the bare loop's, by round.
func ratios(all [][]spent, i int) (out []float64) {
	for _, rep := range all {
		out = append(out, float64(rep[i].cpu())/float64(rep[0].cpu()))
	}
	return out
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

func of(all [][]spent, i int, f func(spent) time.Duration) (out []float64) {
	for _, rep := range all {
		out = append(out, rep[i].each(f(rep[i])))
	}
	return out
}

func costTable(out *strings.Builder, arms []*arm, all [][]spent, n int) {
	fmt.Fprintf(out, "### Cost: %d pages, %d rounds, one worker\n\n", n, len(all))
	fmt.Fprintln(out, "| arm | CPU ms a page: min | median | of it browser | own process | ÷ bare: min | median | wall ms a page |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|")
	for i, a := range arms {
		cpu, r := of(all, i, spent.cpu), ratios(all, i)
		fmt.Fprintf(out, "| %s | %.0f | %.0f | %.0f | %.0f | %.2f | **%.2f** | %.0f |\n", a.name, slices.Min(cpu), median(cpu),
			median(of(all, i, func(s spent) time.Duration { return s.browser })), median(of(all, i, func(s spent) time.Duration { return s.own })),
			slices.Min(r), median(r), median(of(all, i, func(s spent) time.Duration { return s.wall })))
	}
	fmt.Fprintf(out, "\nThe self-check alone: %.2f bare pages.\n\n", median(ratios(all, 3))-median(ratios(all, 2)))
}

// kindTable says which of the browser's processes use the CPU.
func kindTable(out *strings.Builder, arms []*arm, all [][]spent) {
	fmt.Fprint(out, "### Where the browser's CPU goes (ms a page, since it started)\n\n| arm | process: ms |\n|---|---|\n")
	for i, a := range arms {
		n := 1 // the first visit
		for _, rep := range all {
			n += rep[i].pages
		}
		sum := map[string]time.Duration{}
		for _, b := range a.procs {
			for kind, d := range b.kinds() {
				sum[kind] += d
			}
		}
		var parts []string
		for _, kind := range slices.SortedFunc(maps.Keys(sum), func(x, y string) int { return cmp.Compare(sum[y], sum[x]) }) {
			parts = append(parts, fmt.Sprintf("%s: %.0f", kind, float64(sum[kind])/float64(time.Millisecond)/float64(n)))
		}
		fmt.Fprintf(out, "| %s | %s |\n", a.name, strings.Join(parts, ", "))
	}
	fmt.Fprintln(out)
}

// race lets two workers of each arm visit all pages, and takes the time. A worker
// has as many pages under way as it has in use: a bare loop one, a browser of ours
// DefaultTabs, since it waits for each page to come to rest.
func race(b *testing.B, arms []*arm, list []pages.Page, repeats int) [][]float64 {
	ctx := context.Background()
	for _, a := range arms {
		if err := eachOf(a.atOnce, list[:min(2, len(list))], func(p pages.Page) error { return a.visit(ctx, p) }); err != nil {
			b.Fatal(err)
		}
	}
	out := make([][]float64, repeats)
	for rep := range out {
		out[rep] = make([]float64, len(arms))
		for k := range arms {
			i := (k + rep) % len(arms)
			began := time.Now()
			if err := eachOf(arms[i].atOnce, list, func(p pages.Page) error { return arms[i].visit(ctx, p) }); err != nil {
				b.Fatalf("%s: %v", arms[i].name, err)
			}
			out[rep][i] = float64(len(list)) / time.Since(began).Minutes()
			if err := arms[i].rest(ctx); err != nil {
				b.Fatal(err)
			}
			progress("speed: round %d of %d: %s %.0f pages a minute with two workers", rep+1, repeats, arms[i].short, out[rep][i])
		}
	}
	return out
}

func speedRatios(speeds [][]float64, i int) (out []float64) {
	for _, rep := range speeds {
		out = append(out, rep[i]/rep[0])
	}
	return out
}

func speedTable(out *strings.Builder, arms []*arm, speeds [][]float64) {
	fmt.Fprint(out, "### Speed: two workers\n\n| arm | pages a minute: median | max | ÷ bare: median | max |\n|---|---|---|---|---|\n")
	for i, a := range arms {
		var v []float64
		for _, rep := range speeds {
			v = append(v, rep[i])
		}
		r := speedRatios(speeds, i)
		fmt.Fprintf(out, "| %s | %.0f | %.0f | **%.2f** | %.2f |\n", a.name, median(v), slices.Max(v), median(r), slices.Max(r))
	}
	fmt.Fprintln(out)
}

// stepTable says where the time of a capture goes, by its manifest.
func stepTable(out *strings.Builder, a *arm) {
	fmt.Fprintf(out, "### Steps of a capture with %s (time, not CPU)\n\n| step | captures with it | mean ms | median ms | max ms |\n|---|---|---|---|---|\n", a.name)
	type row struct {
		name string
		v    []float64
		sum  float64
	}
	var rows []row
	for name, all := range a.steps {
		r := row{name: name}
		for _, d := range all {
			ms := float64(d) / float64(time.Millisecond)
			r.v, r.sum = append(r.v, ms), r.sum+ms
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(x, y row) int { return cmp.Compare(y.sum, x.sum) })
	for _, r := range rows {
		fmt.Fprintf(out, "| %s | %d | %.0f | %.0f | %.0f |\n", r.name, len(r.v), r.sum/float64(len(r.v)), median(r.v), slices.Max(r.v))
	}
	fmt.Fprintln(out)
}

// dearest lists the pages on which our captures cost most beyond the bare loop.
func dearest(out *strings.Builder, all [][]spent) {
	type row struct {
		name       string
		bare, full float64
	}
	var rows []row
	for name := range all[0][0].byPage {
		var r row
		for _, rep := range all {
			r.bare += float64(rep[0].byPage[name]) / float64(time.Millisecond) / float64(len(all))
			r.full += float64(rep[2].byPage[name]) / float64(time.Millisecond) / float64(len(all))
		}
		r.name = name
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(x, y row) int { return cmp.Compare(y.full-y.bare, x.full-x.bare) })
	fmt.Fprint(out, "### Pages that cost most beyond the bare loop (CPU ms)\n\n| page | bare | all artefacts | beyond |\n|---|---|---|---|\n")
	for _, r := range rows[:min(12, len(rows))] {
		fmt.Fprintf(out, "| %s | %.0f | %.0f | %.0f |\n", r.name, r.bare, r.full, r.full-r.bare)
	}
}
