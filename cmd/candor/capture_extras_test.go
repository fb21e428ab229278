package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
)

func TestCaptureMakesWhatElseIsAskedForAndListsIt(t *testing.T) {
	s := captureTown(t)
	out := filepath.Join(t.TempDir(), "out")
	var stdout, stderr bytes.Buffer
	args := []string{"capture", "--out", out, "--allow-private", "--profile", "desktop,mobile", "--scale", "2", "--cleaned", "--check", s.URL + "/quick"}
	if code := run(context.Background(), args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	b, err := os.ReadFile(filepath.Join(out, "captures.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var line captureLine
	if err := json.Unmarshal(b, &line); err != nil {
		t.Fatal(err)
	}
	mobile, cleaned := line.Renditions["mobile"], line.Renditions["cleaned"]
	if len(line.Renditions) != 2 || mobile.Outcome != candor.Complete || cleaned.Outcome != candor.Complete {
		t.Fatalf("renditions %+v", line.Renditions)
	}
	for _, path := range []string{line.Screenshot, line.Snapshot, mobile.Screenshot, mobile.Snapshot, mobile.Text, cleaned.Screenshot} {
		if _, err := os.Stat(filepath.Join(out, path)); path == "" || err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
	if line.Check == nil || line.Check.Share != 0 || line.Check.Requests != 0 || !line.Check.TextEqual || line.Check.Difference != "" {
		t.Errorf("check %+v", line.Check)
	}
}

func TestCaptureOfThePictureOnlyMakesNoSnapshot(t *testing.T) {
	s := captureTown(t)
	out := filepath.Join(t.TempDir(), "out")
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), []string{"capture", "--out", out, "--allow-private", "--picture-only", s.URL + "/quick"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	b, err := os.ReadFile(filepath.Join(out, "captures.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var line captureLine
	if err := json.Unmarshal(b, &line); err != nil {
		t.Fatal(err)
	}
	if line.Screenshot == "" || line.Snapshot != "" || line.Text != "" || strings.Contains(string(b), "renditions") || strings.Contains(string(b), "check") {
		t.Errorf("listed: %s", b)
	}
}

func TestScheduledCapturesAreMadeAsTheSettingsSay(t *testing.T) {
	asked := candor.CaptureSpec{ID: "c", URL: "https://a.example/", Profile: candor.Desktop}
	one := WorkSettings{Renditions: []string{"desktop"}, Check: 1}
	if got := one.visited(asked); got.Profile != candor.Desktop || len(got.Also) != 0 {
		t.Errorf("%+v", got)
	}
	two := WorkSettings{Renditions: []string{"mobile", "desktop"}}
	if got := two.visited(asked); got.Profile != candor.Mobile || len(got.Also) != 1 || got.Also[0] != candor.Desktop {
		t.Errorf("%+v", got)
	}
	own := asked
	own.Also = []candor.Profile{candor.Mobile}
	if got := two.visited(own); got.Profile != candor.Desktop || len(got.Also) != 1 {
		t.Errorf("what was asked for was changed: %+v", got)
	}
	if one.timeout() != captureTimeout+checkTimeout || two.timeout() != captureTimeout+renditionTimeout || one.timeout() > 5*time.Minute {
		t.Errorf("timeouts %s and %s", one.timeout(), two.timeout())
	}
	for _, share := range []float64{-0.1, 1.1} {
		if (WorkSettings{Check: share}).check() == nil {
			t.Errorf("a share of %v is taken", share)
		}
	}
}
