package storage

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/internal/pgtest"
	"github.com/candor-archive/candor/storage/queue"
)

// handleCaptures works capture jobs like a worker: it makes the files, commits
// them and acknowledges.
func handleCaptures(t *testing.T, s *Store, acknowledge func(id string)) {
	queue.Handle(s.Jobs(), queue.Options{Workers: 3, Timeout: 30 * time.Second}, func(ctx context.Context, j candor.CaptureJob, _ queue.Attempt) error {
		m, dir := made(t, j.Spec, "words of "+j.Spec.ID)
		if _, err := s.CommitCapture(ctx, j.Spec, m, dir); err != nil {
			return err
		}
		acknowledge(j.Spec.ID)
		return nil
	})
}

// TestNothingAcknowledgedIsLostWhenTheProcessIsKilled kills a process that
// commits captures, several times over, and then finishes its work.
func TestNothingAcknowledgedIsLostWhenTheProcessIsKilled(t *testing.T) {
	if dir := os.Getenv("CANDOR_KILL_DIR"); dir != "" {
		s := open(t, Config{Dir: dir, Database: os.Getenv("CANDOR_KILL_DATABASE")})
		var mu sync.Mutex
		handleCaptures(t, s, func(id string) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Println("acknowledged", id)
		})
		must(t, s.Jobs().Start(context.Background()))
		select {} // until killed
	}
	engines := map[string]func(t *testing.T) string{
		"sqlite":   func(*testing.T) string { return "" },
		"postgres": func(t *testing.T) string { return pgtest.Start(t) },
	}
	for name, database := range engines {
		t.Run(name, func(t *testing.T) { killAndFinish(t, Config{Dir: t.TempDir(), Database: database(t)}) })
	}
}

func killAndFinish(t *testing.T, c Config) {
	ctx := t.Context()
	s := open(t, c)
	src := source(t, s, true)
	post, _ := addThread(t, s, src)
	const total = 60
	for range total {
		must(t, s.EnqueueCapture(ctx, specFor(post)))
	}
	asked := waitingCaptures(t, s)
	must(t, s.Close())

	var acknowledged []string
	for _, after := range []int{1, 4, 9} { // killed with the work at hand, each time
		child := exec.Command(os.Args[0], "-test.run=^TestNothingAcknowledgedIsLostWhenTheProcessIsKilled$")
		child.Env = append(os.Environ(), "CANDOR_KILL_DIR="+c.Dir, "CANDOR_KILL_DATABASE="+c.Database)
		var trouble bytes.Buffer
		child.Stderr = &trouble
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		deadline := time.AfterFunc(60*time.Second, func() { child.Process.Kill() })
		lines, n := bufio.NewScanner(out), 0
		for lines.Scan() {
			if id, ok := strings.CutPrefix(lines.Text(), "acknowledged "); ok {
				acknowledged = append(acknowledged, id)
				if n++; n == after {
					must(t, child.Process.Kill())
				}
			}
		}
		child.Wait() // killed, as wanted
		if !deadline.Stop() {
			t.Fatalf("the child acknowledged only %d captures: %s", n, trouble.String())
		}
	}

	s = open(t, c)
	sound(t, s, c.Dir)
	for _, id := range acknowledged {
		checkCapture(t, s, id)
	}
	handleCaptures(t, s, func(string) {})
	must(t, s.Jobs().Start(ctx))
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for done := 0; done < total; {
		select {
		case <-deadline:
			t.Fatalf("only %d of %d captures after the restart", done, total)
		case <-tick.C:
		}
		list, err := s.RecentCaptures(ctx, total+1)
		must(t, err)
		done = len(list)
	}
	for _, j := range asked {
		checkCapture(t, s, j.Spec.ID)
	}
	captures := 0
	for n := range logSize(t, s) {
		e, err := s.EvidenceEntry(ctx, n)
		must(t, err)
		if e.Kind == candor.EvidenceCapture {
			captures++
		}
	}
	if captures != total {
		t.Errorf("the log covers %d captures, want %d, each once", captures, total)
	}
	sound(t, s, c.Dir)
}

// sound checks the whole archive against its log.
func sound(t *testing.T, s *Store, dir string) {
	t.Helper()
	report, err := s.Verify(t.Context(), dir, nil)
	must(t, err)
	for _, fault := range report.Faults {
		t.Errorf("the archive is not sound: %s", fault)
	}
}

// checkCapture reads a capture whole and compares it with the log.
func checkCapture(t *testing.T, s *Store, id string) {
	t.Helper()
	v, err := s.Capture(t.Context(), id)
	if err != nil {
		t.Errorf("capture %s was acknowledged and is lost: %v", id, err)
		return
	}
	if !bytes.Equal(v.Entry.Body, v.Capture.EvidenceBody(v.Artefacts)) {
		t.Errorf("capture %s is not what the log covers", id)
	}
	for _, a := range v.Artefacts {
		if size, err := s.objects.Stat(t.Context(), a.SHA); err != nil || size != a.Size {
			t.Errorf("capture %s: %s: %d bytes, %v", id, a.Name, size, err)
		}
	}
}
