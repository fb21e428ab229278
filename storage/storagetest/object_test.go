package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/layout"
	"github.com/candor-archive/candor/storage/object"
)

func openObjects(t *testing.T, url, dir string) object.Store {
	t.Helper()
	s, err := object.Open(url, dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestObjectsInADirectory(t *testing.T) {
	Objects(t, func(t *testing.T) object.Store { return openObjects(t, "", t.TempDir()) })
}

func TestObjectsInABucket(t *testing.T) {
	url, _ := S3(t, "unused")
	n := 0
	Objects(t, func(t *testing.T) object.Store {
		n++
		return openObjects(t, strings.Replace(url, "/unused?", fmt.Sprintf("/bucket-%d?", n), 1), t.TempDir())
	})
}

func TestBucketKeepsWhatItHasAndNothingOnTheWay(t *testing.T) {
	url, dir := S3(t, "larkspur")
	data := t.TempDir()
	s := openObjects(t, url, data)
	sha, _, err := s.Put(context.Background(), bytes.NewReader(make([]byte, 3<<20)))
	if err != nil {
		t.Fatal(err)
	}
	stored := filepath.Join(dir, filepath.FromSlash(layout.ObjectKey(sha)))
	before, err := os.Stat(stored)
	if err != nil {
		t.Fatal(err)
	}
	again := openObjects(t, url, data) // the bucket exists now
	if _, _, err := again.Put(context.Background(), bytes.NewReader(make([]byte, 3<<20))); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(stored); err != nil || !os.SameFile(before, after) {
		t.Errorf("the object was written again (%v)", err)
	}
	if left := files(t, data); len(left) > 0 {
		t.Errorf("left in the data directory: %v", left)
	}
}

func TestAddressOfTheStoreIsCheckedWithoutRepeatingTheSecret(t *testing.T) {
	for _, url := range []string{
		"ftp://a:hidden@h/b", "s3://a:hidden@h", "s3://a@h/b", "s3://a:hid den@h/b", "s3://:hidden@h/b", "s3://a:hidden@h/b/c", "s3://a:hidden%zz@h/b",
	} {
		_, err := object.Open(url, t.TempDir())
		if !candor.IsKind(err, candor.Invalid) {
			t.Errorf("%s: %v", url, err)
		} else if strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "hid den") {
			t.Errorf("%s: the error tells the secret: %v", url, err)
		}
	}
}

func TestStoredFilesAreReadOnlyAndNotWrittenTwice(t *testing.T) {
	dir := t.TempDir()
	s := openObjects(t, "", dir)
	sha, _, err := s.Put(context.Background(), strings.NewReader("once"))
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(layout.Object(dir, sha))
	if err != nil || before.Mode().Perm() != 0o444 {
		t.Fatalf("mode %v, %v", before.Mode(), err)
	}
	if _, _, err := s.Put(context.Background(), strings.NewReader("once")); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(layout.Object(dir, sha)); err != nil || !os.SameFile(before, after) {
		t.Errorf("the file was written again (%v)", err)
	}
	if all := files(t, dir); len(all) != 1 {
		t.Errorf("files: %v", all)
	}
}

func TestAShortenedObjectIsRepairedByPuttingItAgain(t *testing.T) {
	dir := t.TempDir()
	s := openObjects(t, "", dir)
	sha, _, err := s.Put(context.Background(), strings.NewReader("whole"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(layout.Object(dir, sha), 2); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutExpect(context.Background(), sha, strings.NewReader("whole")); err != nil {
		t.Fatal(err)
	}
	if got := ReadObject(t, s, sha); string(got) != "whole" {
		t.Errorf("the object holds %q", got)
	}
}

// A file-size limit makes real writes fail half way, as a full disk does. The
// limit holds for a whole process, so the test runs itself in one of its own.
func TestAFullDiskLeavesNothingHalfThere(t *testing.T) {
	if dir := os.Getenv("CANDOR_TEST_FULL"); dir != "" {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 2 << 20, Max: 2 << 20}); err != nil {
			t.Fatal(err)
		}
		s := openObjects(t, "", dir)
		_, _, err := s.Put(context.Background(), io.LimitReader(zeros{}, 3<<20))
		if !errors.Is(err, syscall.EFBIG) {
			t.Errorf("put beyond the limit: %v", err)
		}
		if _, _, err := s.Put(context.Background(), io.LimitReader(zeros{}, 1<<19)); err != nil {
			t.Errorf("put below the limit: %v", err)
		}
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestAFullDiskLeavesNothingHalfThere$", "-test.v")
	cmd.Env = append(os.Environ(), "CANDOR_TEST_FULL="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := layout.Object(dir, candor.SHA256(make([]byte, 1<<19)))
	if all := files(t, dir); len(all) != 1 || all[0] != want {
		t.Errorf("files %v, want only %s", all, want)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
