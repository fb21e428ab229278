//go:build !linux

package fidelity

import (
	"os"
	"os/exec"
)

func group(*exec.Cmd) {}

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		p.Kill() // an error means that it is gone
	}
}
