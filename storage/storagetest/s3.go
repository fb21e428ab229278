package storagetest

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// S3 starts a real S3 server (versitygw over a temporary directory) on loopback
// and gives the URL of a bucket on it, and the directory that holds the bucket.
// The test is skipped, in clear words, where the server is not installed.
func S3(t *testing.T, bucket string) (url, dir string) {
	t.Helper()
	program := versitygw()
	if program == "" {
		t.Skip("versitygw is not installed: `make test` installs it")
	}
	dir = t.TempDir()
	const access, secret = "candor", "loopback-secret"
	var addr string
	for attempt := 0; ; attempt++ {
		addr = freeAddr(t)
		cmd := exec.Command(program, "--port", addr, "--quiet", "posix", dir)
		// Its settings come from here alone, the secret not by the command line.
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "ROOT_ACCESS_KEY=" + access, "ROOT_SECRET_KEY=" + secret}
		out := &tail{}
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }() // its end is what counts, not how
		if answers(addr, ended) {
			t.Cleanup(func() {
				_ = cmd.Process.Kill() // it may have ended by itself
				<-ended
			})
			break
		}
		_ = cmd.Process.Kill()
		<-ended
		if attempt == 2 {
			t.Fatalf("versitygw does not answer: %s", out)
		}
	}
	return fmt.Sprintf("s3://%s:%s@%s/%s?tls=0", access, secret, addr, bucket), filepath.Join(dir, bucket)
}

func versitygw() string {
	_, here, _, _ := runtime.Caller(0)
	repo := filepath.Join(filepath.Dir(here), "..", "..")
	for _, p := range []string{os.Getenv("CANDOR_VERSITYGW"), filepath.Join(repo, ".cache", "bin", "versitygw"), "versitygw"} {
		if p == "" {
			continue
		}
		if found, err := exec.LookPath(p); err == nil {
			return found
		}
	}
	return ""
}

func freeAddr(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func answers(addr string, ended <-chan struct{}) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case <-ended:
			return false
		case <-deadline:
			return false
		case <-tick.C:
			if res, err := http.Get("http://" + addr + "/"); err == nil {
				res.Body.Close()
				return true
			}
		}
	}
}

// tail keeps the end of what a program printed.
type tail struct{ b []byte }

func (w *tail) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	w.b = w.b[max(0, len(w.b)-4096):]
	return len(p), nil
}

func (w *tail) String() string { return string(w.b) }
