package durable

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestOneOfManyCreatorsWins(t *testing.T) {
	name := filepath.Join(t.TempDir(), "key")
	var won sync.Map
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			err := CreateFile(name, []byte{byte('a' + i)}, 0o600)
			if err == nil {
				won.Store(i, true)
			} else if !errors.Is(err, fs.ErrExist) {
				t.Errorf("create: %v", err)
			}
		})
	}
	wg.Wait()
	winners := 0
	won.Range(func(k, _ any) bool {
		winners++
		got, err := os.ReadFile(name)
		if err != nil || string(got) != string(rune('a'+k.(int))) {
			t.Errorf("winner %v, file holds %q (%v)", k, got, err)
		}
		return true
	})
	if winners != 1 {
		t.Errorf("%d creators believe they won", winners)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(name), ".tmp-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAllKeepersGetTheSame(t *testing.T) {
	name := filepath.Join(t.TempDir(), "key")
	var got [8]string
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			b, err := Keep(name, 0o600, func() ([]byte, error) { return []byte{byte('a' + i)}, nil })
			if err != nil {
				t.Errorf("keep: %v", err)
			}
			got[i] = string(b)
		})
	}
	wg.Wait()
	for i, g := range got {
		if g == "" || g != got[0] {
			t.Errorf("keeper %d got %q, the first %q", i, g, got[0])
		}
	}
	again, err := Keep(name, 0o600, func() ([]byte, error) {
		t.Error("what exists is made anew")
		return nil, nil
	})
	if err != nil || string(again) != got[0] {
		t.Errorf("later it reads %q (%v), want %q", again, err, got[0])
	}
	full := errors.New("no randomness")
	if _, err := Keep(name+"2", 0o600, func() ([]byte, error) { return nil, full }); !errors.Is(err, full) {
		t.Errorf("trouble of fresh: %v", err)
	}
	if st, err := os.Stat(name); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v %v", st.Mode(), err)
	}
}

func TestAppendGivesTheLastWholeLine(t *testing.T) {
	long := strings.Repeat("x", 9000)
	for _, c := range []struct{ have, last, want string }{
		{"", "", "new\n"},
		{"one\n", "one", "one\nnew\n"},
		{"one\ntwo\n", "two", "one\ntwo\nnew\n"},
		{"one\ntwo\nthr", "two", "one\ntwo\nnew\n"},
		{"torn", "", "new\n"},
		{"one\n" + long + "\n", long, "one\n" + long + "\nnew\n"},
		{"one\n" + long, "one", "one\nnew\n"},
		{long + "\n" + long, long, long + "\nnew\n"},
	} {
		name := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(name, []byte(c.have), 0o600); err != nil {
			t.Fatal(err)
		}
		err := Append(name, 0o600, func(last []byte) ([]byte, error) {
			if string(last) != c.last {
				t.Errorf("%.20q: last line is %.20q, want %.20q", c.have, last, c.last)
			}
			return []byte("new"), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(name); string(got) != c.want {
			t.Errorf("%.20q became %.40q, want %.40q", c.have, got, c.want)
		}
	}
}

func TestConcurrentAppendsLoseNothing(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := Append(name, 0o600, func(last []byte) ([]byte, error) { return append(bytes.Clone(last), 'x'), nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, _ := os.ReadFile(name)
	lines := strings.Split(strings.TrimSuffix(string(got), "\n"), "\n")
	if len(lines) != 20 || lines[19] != strings.Repeat("x", 20) {
		t.Errorf("got %d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}
