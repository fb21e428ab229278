package fidelity

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// browsers are the process trees of the browsers that we started on profiles
// below one directory, or of one by its process.
type browsers struct {
	profiles string
	pid      int
}

// entry is what /proc says of one process.
type entry struct {
	parent int
	cpu    time.Duration // its own and that of the children it has waited for
}

// processes reads every process of the machine.
func processes() map[int]entry {
	out := map[int]entry{}
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		panic(err) // the pattern is constant
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it ended meanwhile
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name))) // the pattern lets only digits through
		_, rest, ok := strings.Cut(string(b), ") ")
		f := strings.Fields(rest) // from field 3 on
		if !ok || len(f) < 15 {
			continue
		}
		e := entry{}
		e.parent, _ = strconv.Atoi(f[1]) // the kernel writes numbers
		for _, s := range f[11:15] {
			n, _ := strconv.ParseInt(s, 10, 64) // as above
			e.cpu += time.Duration(n) * (time.Second / 100)
		}
		out[pid] = e
	}
	return out
}

// tree lists the live processes.
func (b browsers) tree(all map[int]entry) []int {
	var roots []int
	if b.pid != 0 {
		roots = append(roots, b.pid)
	} else {
		want := []byte("--user-data-dir=" + b.profiles)
		for pid, e := range all {
			if e.parent != os.Getpid() {
				continue
			}
			if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && bytes.Contains(line, want) {
				roots = append(roots, pid)
			}
		}
	}
	children := map[int][]int{}
	for pid, e := range all {
		children[e.parent] = append(children[e.parent], pid)
	}
	out := roots
	for i := 0; i < len(out); i++ {
		out = append(out, children[out[i]]...)
	}
	return out
}

// cpu is what they have used, user and system, since they began; what ended
// children used is in their parents' account.
func (b browsers) cpu() (sum time.Duration) {
	all := processes()
	for _, pid := range b.tree(all) {
		sum += all[pid].cpu
	}
	return sum
}

// kinds is the same by the kind of process. What ended renderers used is in
// the account of the zygote they came from.
func (b browsers) kinds() map[string]time.Duration {
	all, out := processes(), map[string]time.Duration{}
	for _, pid := range b.tree(all) {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			continue // it ended meanwhile
		}
		kind := "browser"
		for _, arg := range strings.FieldsFunc(string(line), func(r rune) bool { return r == 0 || r == ' ' }) {
			if v, ok := strings.CutPrefix(arg, "--type="); ok {
				kind = v
			}
			if v, ok := strings.CutPrefix(arg, "--utility-sub-type="); ok {
				kind = v
			}
		}
		out[kind] += all[pid].cpu
	}
	return out
}

// memory is the proportional share of memory of them and of our own process.
func (b browsers) memory() (tree, own int64) {
	for _, pid := range b.tree(processes()) {
		tree += pss(pid)
	}
	return tree, pss(os.Getpid())
}

func pss(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0 // it ended meanwhile
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "Pss:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(v)[0], 10, 64) // the kernel writes numbers
			return n << 10
		}
	}
	return 0
}

// ownCPU is what our own process has used so far, user and system.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the arguments are constant
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestProcessTreeKeepsWhatEndedChildrenUsed(t *testing.T) {
	dir := t.TempDir()
	c, err := StartChrome(t.Context(), findChrome(t), "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b := browsers{pid: c.PID()}
	busy := filepath.Join(dir, "busy.html")
	if err := os.WriteFile(busy, []byte("<script>let n = 1; for (let i = 0; i < 3e7; i++) n = n * 16807 % 2147483647; document.write(n)</script>"), 0o600); err != nil {
		t.Fatal(err)
	}
	last := b.cpu()
	for i := range 3 { // a browser context each, and so a process that ends
		if _, err := look(t.Context(), c, desktop, true, "file://"+busy, filepath.Join(dir, "p.png"), func(context.Context, *tab) error { return nil }); err != nil {
			t.Fatal(err)
		}
		now := b.cpu()
		if used := now - last; used < 50*time.Millisecond {
			t.Errorf("visit %d: the tree's account grew by %s, far less than the page's own work", i, used)
		}
		last = now
	}
}
