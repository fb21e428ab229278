// Command testrun runs the whole test suite for make test and says plainly how
// it went: what failed with its output, what took how long, and that nothing
// was skipped. A skipped test is a failure here, because make test installs
// everything the tests need.
//
// Packages whose tests drive Chrome run two at a time, so that browsers do not
// starve one another into time-outs on a small machine; all others run side by
// side before them. What those tests do most is wait for pages, so each package
// may run some more of its parallel tests than there are cores.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// perPackage is how long the tests of one package may take on two slow cores.
const perPackage = 30 * time.Minute

func main() {
	pattern := flag.String("run", "", "run only tests whose name matches `PATTERN`")
	flag.Parse()
	packages := flag.Args()
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := runAll(ctx, *pattern, packages)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testrun:", err)
	}
	if err != nil || !ok {
		stop()
		os.Exit(1)
	}
}

func runAll(ctx context.Context, pattern string, packages []string) (ok bool, err error) {
	light, heavy, err := split(ctx, packages)
	if err != nil {
		return false, err
	}
	// Compile everything first with all cores; what does not compile is
	// reported by go test below, with its reason.
	fmt.Println("compiling with the race detector …")
	warm := exec.CommandContext(ctx, "go", append([]string{"list", "-e", "-race", "-export", "-test", "-deps", "-f", "{{/**/}}"}, packages...)...)
	_ = warm.Run()

	r := newReport(os.Stdout, time.Now)
	for _, part := range []struct {
		packages []string
		parallel int
	}{{light, runtime.NumCPU()}, {heavy, 2}} {
		if len(part.packages) == 0 || ctx.Err() != nil {
			continue
		}
		args := []string{"test", "-json", "-race", "-vet=off", "-count=1", "-timeout", perPackage.String(), "-p", fmt.Sprint(part.parallel),
			"-parallel", fmt.Sprint(runtime.NumCPU() + 1)}
		if pattern != "" {
			args = append(args, "-run", pattern)
		}
		if err := goTest(ctx, r, append(args, part.packages...)); err != nil {
			r.trouble(err.Error())
		}
	}
	if ctx.Err() != nil {
		r.trouble("interrupted")
	}
	return r.finish(), nil
}

// goTest runs go test and feeds its events to the report. A test that fails is
// no error here: the report knows.
func goTest(ctx context.Context, r *report, args []string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	beat := time.NewTicker(30 * time.Second)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-beat.C:
				r.stillRunning()
			case <-ctx.Done():
				return
			}
		}
	}()
	readErr := r.read(out)
	err = cmd.Wait()
	beat.Stop()
	if readErr != nil {
		return readErr
	}
	if err != nil && !r.failedYet() {
		return fmt.Errorf("go test: %w", err)
	}
	return nil
}

// split parts packages into those whose tests do without Chrome and those that
// drive it, told by what their test binaries link.
func split(ctx context.Context, packages []string) (light, heavy []string, err error) {
	const form = `{{if .ForTest}}{{else}}{{.ImportPath}}{{"\t"}}{{range .Deps}}{{if eq . "github.com/chromedp/chromedp"}}chrome{{end}}{{end}}{{end}}`
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-e", "-test", "-f", form}, packages...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("go list: %w", err)
	}
	light, heavy = divide(string(out))
	if len(light)+len(heavy) == 0 {
		return nil, nil, fmt.Errorf("no package matches %s", strings.Join(packages, " "))
	}
	return light, heavy, nil
}

// divide reads split's listing: one package or test binary a line.
func divide(listing string) (light, heavy []string) {
	var all []string
	chrome := map[string]bool{}
	for line := range strings.Lines(listing) {
		path, mark, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if base, isTest := strings.CutSuffix(path, ".test"); isTest {
			chrome[base] = mark != ""
		} else if path != "" {
			all = append(all, path)
		}
	}
	for _, p := range all {
		if chrome[p] {
			heavy = append(heavy, p)
		} else {
			light = append(light, p)
		}
	}
	return light, heavy
}
