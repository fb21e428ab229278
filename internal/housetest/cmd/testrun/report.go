package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
	"time"
)

// event is one line of go test -json (go doc test2json).
type event struct {
	Action      string
	Package     string
	ImportPath  string // of a build event
	Test        string
	Elapsed     float64 // seconds
	Output      string
	FailedBuild string
}

type key struct{ pkg, test string }

type testState struct {
	output  strings.Builder
	started time.Time
	paused  bool
}

type packageState struct {
	passed, failed, skipped int
	elapsed                 time.Duration
	output                  strings.Builder // outside any test
	ended                   bool
}

// report gathers events and writes what a person wants to read. Its methods
// may be called from several goroutines.
type report struct {
	mu       sync.Mutex
	out      io.Writer
	now      func() time.Time
	running  map[key]*testState
	packages map[string]*packageState
	order    []string
	failures []string
	skips    []string
	building []string // compiler output, until a package fails for it
}

func newReport(out io.Writer, now func() time.Time) *report {
	return &report{out: out, now: now, running: map[key]*testState{}, packages: map[string]*packageState{}}
}

// read takes events until the stream ends. What is no event is shown as it is.
func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				fmt.Fprintf(r.out, "%s", line)
			} else {
				r.take(e)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read from go test: %w", err)
		}
	}
}

func (r *report) take(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Action == "build-output" {
		r.building = append(r.building, e.Output)
		return
	}
	if e.Package == "" {
		return
	}
	p := r.packages[e.Package]
	if p == nil {
		p = &packageState{}
		r.packages[e.Package] = p
		r.order = append(r.order, e.Package)
	}
	if e.Test == "" {
		r.takePackage(p, e)
		return
	}
	k := key{e.Package, e.Test}
	switch e.Action {
	case "run":
		r.running[k] = &testState{started: r.now()}
	case "pause", "cont": // of a parallel test's life, only its turn counts
		if t := r.running[k]; t != nil {
			t.started, t.paused = r.now(), e.Action == "pause"
		}
	case "output":
		if t := r.running[k]; t != nil {
			t.output.WriteString(e.Output)
		}
	case "pass":
		p.passed++
		delete(r.running, k)
	case "skip":
		p.skipped++
		r.skips = append(r.skips, short(e.Package)+" "+e.Test+": "+r.reason(k))
		delete(r.running, k)
	case "fail":
		p.failed++
		r.failures = append(r.failures, short(e.Package)+" "+e.Test)
		r.show(k)
		delete(r.running, k)
	}
}

func (r *report) takePackage(p *packageState, e event) {
	switch e.Action {
	case "output":
		p.output.WriteString(e.Output)
	case "skip": // it has no tests
		p.ended = true
	case "pass", "fail":
		p.ended = true
		p.elapsed = time.Duration(e.Elapsed * float64(time.Second))
		if e.Action == "fail" {
			r.endUnfinished(e.Package, p)
			if p.failed == 0 {
				p.failed++
				why := "failed outside its tests"
				if e.FailedBuild != "" {
					why = "does not compile"
					fmt.Fprint(r.out, strings.Join(r.building, ""))
					r.building = nil
				}
				r.failures = append(r.failures, short(e.Package)+" "+why)
				fmt.Fprint(r.out, p.output.String())
			}
		}
		if p.passed+p.failed+p.skipped > 0 {
			word := "ok  "
			if p.failed > 0 {
				word = "FAIL"
			} else if p.skipped > 0 {
				word = "skip"
			}
			fmt.Fprintf(r.out, "%s %-44s %7.1fs  %d tests\n", word, short(e.Package), p.elapsed.Seconds(), p.passed+p.failed+p.skipped)
		}
	}
}

// endUnfinished counts as failed what a panic, a time-out or a kill cut off.
// Only the innermost tests are named: their parents stopped because of them.
func (r *report) endUnfinished(pkg string, p *packageState) {
	var left []key
	for k := range r.running {
		if k.pkg == pkg {
			left = append(left, k)
		}
	}
	sort.Slice(left, func(i, j int) bool { return left[i].test < left[j].test })
	shown := false
	for i, k := range left {
		if i+1 < len(left) && strings.HasPrefix(left[i+1].test, k.test+"/") {
			r.carry(k, left[i+1])
			continue
		}
		p.failed++
		r.failures = append(r.failures, short(k.pkg)+" "+k.test+" did not finish")
		r.show(k)
		shown = true
	}
	for _, k := range left {
		delete(r.running, k)
	}
	if shown { // a panic's or time-out's stack is printed outside the tests
		fmt.Fprint(r.out, p.output.String())
	}
}

// carry moves a parent's output to its child, where a panic may have left it.
func (r *report) carry(from, to key) {
	r.running[to].output.WriteString(r.running[from].output.String())
}

func (r *report) show(k key) {
	if t := r.running[k]; t != nil {
		fmt.Fprintf(r.out, "\n%s %s\n%s\n", short(k.pkg), k.test, strings.TrimRight(t.output.String(), "\n"))
	}
}

// reason is what a test said when it skipped itself.
func (r *report) reason(k key) string {
	t := r.running[k]
	if t == nil {
		return "no reason was given"
	}
	var said []string
	for line := range strings.Lines(t.output.String()) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			said = append(said, line)
		}
	}
	if len(said) == 0 {
		return "no reason was given"
	}
	return strings.Join(said, " ")
}

// stillRunning names what has been running for long, so that a quiet minute
// can be told from a hang.
func (r *report) stillRunning() {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	for k, t := range r.running {
		if lasted := r.now().Sub(t.started); lasted >= 30*time.Second && !t.paused {
			lines = append(lines, fmt.Sprintf("     running for %3.0fs: %s %s\n", lasted.Seconds(), short(k.pkg), k.test))
		}
	}
	sort.Strings(lines)
	fmt.Fprint(r.out, strings.Join(lines, ""))
}

// trouble records a failure that belongs to no package.
func (r *report) trouble(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, what)
}

func (r *report) failedYet() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.failures) > 0
}

// finish writes the summary, ending with the one line that counts, and tells
// whether all is well: tests ran, none failed and none was skipped.
func (r *report) finish() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range r.order {
		if p := r.packages[name]; !p.ended {
			before := p.failed
			r.endUnfinished(name, p)
			if p.failed == before {
				p.failed++
				r.failures = append(r.failures, short(name)+" was cut off")
			}
		}
	}
	passed, failed, skipped := 0, 0, 0
	fmt.Fprintf(r.out, "\n%-44s %8s %6s %6s %6s\n", "package", "seconds", "passed", "failed", "skipped")
	for _, name := range r.order {
		p := r.packages[name]
		if p.passed+p.failed+p.skipped == 0 {
			continue
		}
		fmt.Fprintf(r.out, "%-44s %8.1f %6d %6d %6d\n", short(name), p.elapsed.Seconds(), p.passed, p.failed, p.skipped)
		passed, skipped = passed+p.passed, skipped+p.skipped
	}
	failed = len(r.failures)
	list(r.out, "failed", r.failures)
	list(r.out, "skipped, which counts as failed: make test installs what tests need", r.skips)
	if len(r.building) > 0 {
		fmt.Fprint(r.out, "\n"+strings.Join(r.building, ""))
	}
	fmt.Fprintf(r.out, "\n%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	return passed > 0 && failed == 0 && skipped == 0
}

func list(out io.Writer, title string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s:\n", title)
	for _, x := range items {
		fmt.Fprintln(out, "  "+x)
	}
}

// short drops the module's path from a package's.
func short(pkg string) string {
	const module = "github.com/candor-archive/candor"
	if pkg == module {
		return "."
	}
	return strings.TrimPrefix(pkg, module+"/")
}
