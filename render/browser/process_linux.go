package browser

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// group makes the browser lead a process group of its own, and die with us.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(pid int) {
	syscall.Kill(-pid, syscall.SIGKILL) // an error means that nobody is left in it
}

// killUsing kills the processes that were started on a profile and have left
// the group, as Chrome's helpers may.
func killUsing(profile string) {
	want := []byte("--user-data-dir=" + profile)
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return // the pattern is constant and well-formed
	}
	for _, name := range names {
		line, err := os.ReadFile(name)
		if err != nil {
			continue // it ended meanwhile
		}
		for arg := range bytes.SplitSeq(line, []byte{0}) {
			if bytes.Equal(arg, want) {
				if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil && pid != os.Getpid() {
					syscall.Kill(pid, syscall.SIGKILL) // as above
				}
				break
			}
		}
	}
}

// widen makes room in a pipe for a picture, so that reading one does not take a
// wake-up for every 64 kilobytes. A system that refuses has a slower pipe.
func widen(f *os.File) {
	const setPipeSize = 1031 // F_SETPIPE_SZ
	if c, err := f.SyscallConn(); err == nil {
		c.Control(func(fd uintptr) { syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, 1<<20) })
	}
}

// canLock says that a lock ends with its holder, so that one that can be taken
// was left behind.
const canLock = true

func hold(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
