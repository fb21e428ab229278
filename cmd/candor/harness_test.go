package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the real program, built once for the tests of this package.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "candor-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "candor")
	args := []string{"build", "-o", binary}
	if raceEnabled {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, ".")...)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the program under test:", err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// command runs the program to its end.
func command(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &out, &errs
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("run candor %v: %v", args, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// server is a running `candor serve`.
type server struct {
	t    *testing.T
	cmd  *exec.Cmd
	dir  string // the archive
	url  string // of the portal
	done chan struct{}

	mu  sync.Mutex
	out strings.Builder
	log strings.Builder
}

// launch starts the program without waiting for it to be ready.
func launch(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{t: t, done: make(chan struct{})}
	s.cmd = exec.Command(binary, args...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Add(2)
	go s.read(&reading, stdout, &s.out)
	go s.read(&reading, stderr, &s.log)
	go func() {
		reading.Wait()
		s.cmd.Wait() // the exit code is in ProcessState
		close(s.done)
	}()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("candor %s said:\n%s\n%s", args[0], s.said(), tail(s.logged(), 60))
		}
	})
	return s
}

// serve starts the program on free ports and waits until it is ready.
func serve(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	s := launch(t, append([]string{"serve", "--data", dir, "--addr", "127.0.0.1:0"}, args...)...)
	s.dir = dir
	portal := regexp.MustCompile(`Public portal:\s+(http://\S+?)/\n`)
	s.until(90*time.Second, "the portal is ready", func() bool {
		if s.url == "" {
			if found := portal.FindStringSubmatch(s.said()); found != nil {
				s.url = found[1]
			}
			return false
		}
		res, err := http.Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return s
}

func (s *server) read(wg *sync.WaitGroup, from io.Reader, to *strings.Builder) {
	defer wg.Done()
	r := bufio.NewReader(from)
	for {
		line, err := r.ReadString('\n')
		s.mu.Lock()
		to.WriteString(line)
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *server) said() string   { s.mu.Lock(); defer s.mu.Unlock(); return s.out.String() }
func (s *server) logged() string { s.mu.Lock(); defer s.mu.Unlock(); return s.log.String() }

// until waits for something to become true, or fails the test.
func (s *server) until(most time.Duration, what string, ok func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(most)
	for !ok() {
		select {
		case <-s.done:
			if !ok() {
				s.t.Fatalf("candor ended while waiting: %s", what)
			}
			return
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("not within %s: %s", most, what)
		}
	}
}

// kill ends the program and its browsers as a power cut would.
func (s *server) kill() {
	select {
	case <-s.done:
		return
	default:
	}
	s.cmd.Process.Kill()
	<-s.done
}

// stop asks the program to end, and wants it to end cleanly.
func (s *server) stop() {
	s.t.Helper()
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(60 * time.Second):
		s.t.Fatal("candor did not stop within a minute of SIGTERM")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Fatalf("candor ended with %d after SIGTERM", code)
	}
}

// get reads a page as a browser with a language would.
func (s *server) get(path string) (status int, body string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(b)
}

func tail(s string, lines int) string {
	all := strings.Split(s, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
