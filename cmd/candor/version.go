package main

import (
	"fmt"
	"runtime"
)

// VersionCmd prints the version.
type VersionCmd struct{}

// Run prints the version, the Go it was built with and the platform.
func (VersionCmd) Run(s streams) error {
	_, err := fmt.Fprintf(s.out, "candor %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
