package page

import (
	"slices"
	"strings"

	"github.com/candor-archive/candor"
)

// doubts collects what keeps a capture from being complete, worst first.
type doubts struct {
	failures []string
	gaps     []string
}

func (d *doubts) fail(reason string)    { d.failures = add(d.failures, reason) }
func (d *doubts) partial(reason string) { d.gaps = add(d.gaps, reason) }

func add(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func (d *doubts) outcome() (candor.Outcome, string) {
	reason := strings.Join(append(slices.Clone(d.failures), d.gaps...), "; ")
	switch {
	case len(d.failures) > 0:
		return candor.Failed, reason
	case len(d.gaps) > 0:
		return candor.Partial, reason
	}
	return candor.Complete, ""
}
