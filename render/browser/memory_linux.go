package browser

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// memoryOf adds up what a process and all its descendants hold in memory that
// no other shares, in bytes. Processes that end meanwhile count for nothing.
func memoryOf(root int) int64 {
	var total int64
	page := int64(os.Getpagesize())
	for _, pid := range descendants(root) {
		b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
		if err != nil {
			continue
		}
		f := bytes.Fields(b)
		if len(f) < 3 {
			continue
		}
		resident, err1 := strconv.ParseInt(string(f[1]), 10, 64)
		shared, err2 := strconv.ParseInt(string(f[2]), 10, 64)
		if err1 == nil && err2 == nil && resident > shared {
			total += (resident - shared) * page
		}
	}
	return total
}

// descendants lists a process and all that it started, directly or not.
func descendants(root int) []int {
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil // the pattern is constant and well-formed
	}
	children := map[int][]int{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		// The name of the program, in brackets, may hold anything.
		_, rest, ok := bytes.Cut(b[max(0, bytes.LastIndexByte(b, ')')):], []byte(") "))
		f := bytes.Fields(rest)
		if !ok || len(f) < 2 {
			continue
		}
		pid, err1 := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		parent, err2 := strconv.Atoi(string(f[1]))
		if err1 == nil && err2 == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	all := []int{root}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}
