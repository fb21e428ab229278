package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestDefaultIsDenseWhileYoung(t *testing.T) {
	p := Default()
	var last time.Duration = -1
	for _, age := range []time.Duration{0, 13 * time.Hour, 4 * 24 * time.Hour, 20 * 24 * time.Hour, 400 * 24 * time.Hour} {
		every := p.Threads.Every(age)
		if every <= last {
			t.Errorf("at the age of %s comments are read every %s, earlier every %s", age, every, last)
		}
		last = every
	}
	if p.Threads.Every(0) != 0 {
		t.Error("a new post is not read at every visit")
	}
	if got := p.Proof.Every(31 * 24 * time.Hour); got != 30*24*time.Hour {
		t.Errorf("after a month a page is captured every %s", got)
	}
}

func TestBadSchedulesAreRefusedWithTheReason(t *testing.T) {
	good := string(DefaultFile())
	for _, c := range []struct{ from, to, says string }{
		{"version: 1", "version: 2", "version 2"},
		{"sweep: 1d", "sweep: often", "no time span"},
		{"sweep: 1d", "sweeps: 1d", "sweeps"},
		{"sweep: 1d", "sweep: 0s", "must be set"},
		{"  - {every: 7d}", "  - {until: 100d, every: 7d}", "no \"until\""},
		{"until: 3d", "until: 3h", "grow in age"},
		{"{until: 12h, every: 0s}", "{until: -12d, every: 0s}", "no time span"},
	} {
		bad := strings.Replace(good, c.from, c.to, 1)
		if bad == good {
			t.Fatalf("%q is not in the default schedule", c.from)
		}
		if _, err := Parse([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("with %q the error is %v, want it to say %q", c.to, err, c.says)
		}
	}
}
