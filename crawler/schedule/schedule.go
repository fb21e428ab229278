// Package schedule says how often what is looked at. It is data that the
// agency may change: dense while a post is young, sparse when it is old.
package schedule

import (
	"bytes"
	_ "embed"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/candor-archive/candor"
)

//go:embed default.yaml
var defaultFile []byte

// Policy is a schedule.
type Policy struct {
	Version int    `yaml:"version"`
	Threads Steps  `yaml:"threads"` // between two readings of a post's comments, by its age
	Sweep   Period `yaml:"sweep"`   // between two complete listings of an account
	Profile Period `yaml:"profile"` // between two readings of who the account is
	Proof   Steps  `yaml:"proof"`   // between two captures of what did not change, by its age
}

// Steps are periods by age; the last one is for every greater age.
type Steps []Step

// Step is the period up to an age.
type Step struct {
	Until Period `yaml:"until"` // zero in the last step
	Every Period `yaml:"every"`
}

// Every is the period for an age.
func (s Steps) Every(age time.Duration) time.Duration {
	for _, x := range s {
		if x.Until == 0 || age < time.Duration(x.Until) {
			return time.Duration(x.Every)
		}
	}
	return 0
}

// Period is a time span that may be written in days: 30m, 6h, 14d.
type Period time.Duration

// UnmarshalYAML reads a Period.
func (p *Period) UnmarshalYAML(n *yaml.Node) error {
	v := strings.TrimSpace(n.Value)
	if days, ok := strings.CutSuffix(v, "d"); ok {
		d, err := strconv.Atoi(days)
		if err != nil || d < 0 || d > 36500 {
			return candor.Errorf(candor.Invalid, "line %d: %q is no time span; write 30m, 6h or 14d", n.Line, v)
		}
		*p = Period(time.Duration(d) * 24 * time.Hour)
		return nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		return candor.Errorf(candor.Invalid, "line %d: %q is no time span; write 30m, 6h or 14d", n.Line, v)
	}
	*p = Period(d)
	return nil
}

// Parse reads a policy. The error says what is wrong with it and where.
func Parse(data []byte) (Policy, error) {
	var p Policy
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true) // a misspelt name must not silently mean "never"
	if err := dec.Decode(&p); err != nil {
		return Policy{}, candor.Errorf(candor.Invalid, "read the schedule: %w", err)
	}
	if p.Version != 1 {
		return Policy{}, candor.Errorf(candor.Invalid, "read the schedule: version %d is not known; this program reads version 1", p.Version)
	}
	for name, steps := range map[string]Steps{"threads": p.Threads, "proof": p.Proof} {
		if len(steps) == 0 || steps[len(steps)-1].Until != 0 {
			return Policy{}, candor.Errorf(candor.Invalid, "read the schedule: the last step of %s must have no \"until\"", name)
		}
		for i, s := range steps[:len(steps)-1] {
			if s.Until == 0 || i > 0 && s.Until <= steps[i-1].Until {
				return Policy{}, candor.Errorf(candor.Invalid, "read the schedule: the steps of %s must grow in age", name)
			}
		}
	}
	if p.Sweep <= 0 || p.Profile <= 0 {
		return Policy{}, candor.Errorf(candor.Invalid, "read the schedule: sweep and profile must be set")
	}
	return p, nil
}

// Default is the policy that Candor comes with.
func Default() Policy {
	p, err := Parse(defaultFile)
	if err != nil {
		panic(err) // our own file; a test reads it
	}
	return p
}

// DefaultFile is the text of the default policy, to be copied and changed.
func DefaultFile() []byte { return bytes.Clone(defaultFile) }
