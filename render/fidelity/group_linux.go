package fidelity

import (
	"os/exec"
	"syscall"
)

// group makes a browser lead a process group of its own, and die with us.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(pid int) {
	syscall.Kill(-pid, syscall.SIGKILL) // an error means that nobody is left in it
}
