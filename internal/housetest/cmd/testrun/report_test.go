package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// told feeds events to a report and gives what it wrote and its verdict.
func told(t *testing.T, events ...string) (string, bool) {
	t.Helper()
	var out bytes.Buffer
	r := newReport(&out, time.Now)
	if err := r.read(strings.NewReader(strings.Join(events, "\n") + "\n")); err != nil {
		t.Fatal(err)
	}
	ok := r.finish()
	return out.String(), ok
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

const pkg = `"Package":"github.com/candor-archive/candor/storage"`

func TestPassingTestsAreCountedAndQuiet(t *testing.T) {
	out, ok := told(t,
		`{"Action":"start",`+pkg+`}`,
		`{"Action":"run",`+pkg+`,"Test":"TestA"}`,
		`{"Action":"output",`+pkg+`,"Test":"TestA","Output":"chatter\n"}`,
		`{"Action":"pass",`+pkg+`,"Test":"TestA","Elapsed":0.1}`,
		`{"Action":"pass",`+pkg+`,"Elapsed":0.2}`)
	if !ok || lastLine(out) != "1 passed, 0 failed, 0 skipped" {
		t.Errorf("ok %v, last line %q", ok, lastLine(out))
	}
	if strings.Contains(out, "chatter") {
		t.Error("a passing test's output was shown")
	}
}

func TestFailureShowsItsOutput(t *testing.T) {
	out, ok := told(t,
		`{"Action":"run",`+pkg+`,"Test":"TestA"}`,
		`{"Action":"output",`+pkg+`,"Test":"TestA","Output":"    a_test.go:3: got 1, want 2\n"}`,
		`{"Action":"fail",`+pkg+`,"Test":"TestA"}`,
		`{"Action":"fail",`+pkg+`}`)
	if ok || lastLine(out) != "0 passed, 1 failed, 0 skipped" || !strings.Contains(out, "got 1, want 2") {
		t.Errorf("ok %v, wrote:\n%s", ok, out)
	}
}

func TestSkipFailsTheRunAndGivesItsReason(t *testing.T) {
	out, ok := told(t,
		`{"Action":"run",`+pkg+`,"Test":"TestA"}`,
		`{"Action":"pass",`+pkg+`,"Test":"TestA"}`,
		`{"Action":"run",`+pkg+`,"Test":"TestB"}`,
		`{"Action":"output",`+pkg+`,"Test":"TestB","Output":"=== RUN   TestB\n"}`,
		`{"Action":"output",`+pkg+`,"Test":"TestB","Output":"    b_test.go:9: Chrome is not installed\n"}`,
		`{"Action":"skip",`+pkg+`,"Test":"TestB"}`,
		`{"Action":"pass",`+pkg+`}`)
	if ok {
		t.Error("a run with a skipped test was called good")
	}
	if lastLine(out) != "1 passed, 0 failed, 1 skipped" || !strings.Contains(out, "storage TestB: b_test.go:9: Chrome is not installed") {
		t.Errorf("wrote:\n%s", out)
	}
}

func TestPackageWithoutTestFilesIsNoSkip(t *testing.T) {
	out, ok := told(t,
		`{"Action":"run",`+pkg+`,"Test":"TestA"}`,
		`{"Action":"pass",`+pkg+`,"Test":"TestA"}`,
		`{"Action":"pass",`+pkg+`}`,
		`{"Action":"skip","Package":"github.com/candor-archive/candor/other"}`)
	if !ok {
		// An ended package is one that passed, failed or had nothing to run.
		t.Errorf("wrote:\n%s", out)
	}
}

func TestPanicNamesTheTestThatWasRunning(t *testing.T) {
	out, ok := told(t,
		`{"Action":"run",`+pkg+`,"Test":"TestA"}`,
		`{"Action":"run",`+pkg+`,"Test":"TestA/inner"}`,
		`{"Action":"output",`+pkg+`,"Test":"TestA/inner","Output":"panic: oh\n"}`,
		`{"Action":"fail",`+pkg+`}`)
	if ok || !strings.Contains(out, "storage TestA/inner did not finish") || !strings.Contains(out, "panic: oh") {
		t.Errorf("wrote:\n%s", out)
	}
	if lastLine(out) != "0 passed, 1 failed, 0 skipped" {
		t.Errorf("last line %q", lastLine(out))
	}
}

func TestCompilerErrorsAreShown(t *testing.T) {
	out, ok := told(t,
		`{"ImportPath":"x","Action":"build-output","Output":"a.go:1:1: syntax error\n"}`,
		`{"ImportPath":"x","Action":"build-fail"}`,
		`{"Action":"output",`+pkg+`,"Output":"FAIL storage [build failed]\n"}`,
		`{"Action":"fail",`+pkg+`,"FailedBuild":"x"}`)
	if ok || !strings.Contains(out, "syntax error") || !strings.Contains(out, "storage does not compile") {
		t.Errorf("wrote:\n%s", out)
	}
}

func TestStreamCutOffInTheMiddleIsAFailure(t *testing.T) {
	out, ok := told(t,
		`{"Action":"run",`+pkg+`,"Test":"TestA"}`,
		`{"Action":"pass",`+pkg+`,"Test":"TestA"}`,
		`{"Action":"run",`+pkg+`,"Test":"TestB"}`)
	if ok || !strings.Contains(out, "TestB did not finish") {
		t.Errorf("wrote:\n%s", out)
	}
}

func TestNothingRunIsNotSuccess(t *testing.T) {
	if out, ok := told(t, `{"Action":"skip",`+pkg+`}`); ok {
		t.Errorf("wrote:\n%s", out)
	}
}

func TestPackagesThatDriveChromeAreSetApart(t *testing.T) {
	light, heavy := divide("m/a\t\nm/a.test\t\nm/b\tchrome\nm/b.test\tchrome\nm/c\t\nm/c.test\tchrome\n\t\nm/d\tchrome\n")
	if got := strings.Join(light, " "); got != "m/a m/d" { // m/d has no tests at all
		t.Errorf("light: %s", got)
	}
	if got := strings.Join(heavy, " "); got != "m/b m/c" {
		t.Errorf("heavy: %s", got)
	}
}
