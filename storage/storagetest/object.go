// Package storagetest holds the contract suites of storage: one for each
// contract, run for every implementation, so that a bucket keeps the promises a
// directory keeps and PostgreSQL those of SQLite. Each suite takes a function
// that opens a fresh, empty instance.
package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/object"
)

// Objects checks the contract of object.Store.
func Objects(t *testing.T, open func(t *testing.T) object.Store) {
	ctx := context.Background()
	big := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // more than is kept in memory

	t.Run("what was put is read back under its hash", func(t *testing.T) {
		s := open(t)
		for _, content := range [][]byte{nil, []byte("hello"), big, big[:1<<20], big[:1<<20-1], big[:1<<20+1]} {
			sha, size, err := s.Put(ctx, iotest.OneByteReader(bytes.NewReader(content[:min(len(content), 5)])))
			if err != nil || sha != candor.SHA256(content[:min(len(content), 5)]) || size != int64(min(len(content), 5)) {
				t.Fatalf("put a slow reader: %s %d %v", sha, size, err)
			}
			sha, size, err = s.Put(ctx, bytes.NewReader(content))
			if err != nil {
				t.Fatal(err)
			}
			if sha != candor.SHA256(content) || size != int64(len(content)) {
				t.Errorf("put %d bytes: got %s, %d", len(content), sha, size)
			}
			if n, err := s.Stat(ctx, sha); err != nil || n != int64(len(content)) {
				t.Errorf("stat: %d, %v", n, err)
			}
			if got := ReadObject(t, s, sha); !bytes.Equal(got, content) {
				t.Errorf("read back %d bytes that differ from the %d put", len(got), len(content))
			}
		}
	})
	t.Run("a reader can jump", func(t *testing.T) {
		s := open(t)
		sha, _, err := s.Put(ctx, strings.NewReader("one two three"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Open(ctx, sha)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for _, c := range []struct {
			off    int64
			whence int
			want   string
		}{{4, io.SeekStart, "two three"}, {-5, io.SeekEnd, "three"}, {0, io.SeekStart, "one two three"}} {
			if _, err := r.Seek(c.off, c.whence); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || string(got) != c.want {
				t.Errorf("after seek %d,%d: %q (%v), want %q", c.off, c.whence, got, err, c.want)
			}
		}
	})
	t.Run("an absent object is NotFound, a bad name Invalid", func(t *testing.T) {
		s := open(t)
		absent := candor.SHA256([]byte("nobody stored this"))
		if _, err := s.Stat(ctx, absent); !candor.IsKind(err, candor.NotFound) {
			t.Errorf("stat: %v", err)
		}
		if _, err := s.Open(ctx, absent); !candor.IsKind(err, candor.NotFound) {
			t.Errorf("open: %v", err)
		}
		for _, bad := range []string{"", "abc", "../../etc/passwd", strings.ToUpper(absent)} {
			if _, err := s.Open(ctx, bad); !candor.IsKind(err, candor.Invalid) {
				t.Errorf("open %q: %v", bad, err)
			}
			if _, err := s.PutExpect(ctx, bad, strings.NewReader("x")); !candor.IsKind(err, candor.Invalid) {
				t.Errorf("put %q: %v", bad, err)
			}
		}
	})
	t.Run("other bytes than expected are refused and not kept", func(t *testing.T) {
		s := open(t)
		want := candor.SHA256([]byte("right"))
		if _, err := s.PutExpect(ctx, want, strings.NewReader("wrong")); !candor.IsKind(err, candor.Invalid) {
			t.Errorf("wrong bytes: %v", err)
		}
		if all := listObjects(t, s); len(all) != 0 {
			t.Errorf("left behind: %v", all)
		}
		if n, err := s.PutExpect(ctx, want, strings.NewReader("right")); err != nil || n != 5 {
			t.Errorf("right bytes: %d, %v", n, err)
		}
	})
	t.Run("a reader that fails leaves nothing", func(t *testing.T) {
		s := open(t)
		broken := errors.New("the line dropped")
		for _, n := range []int{0, 10, len(big)} {
			_, _, err := s.Put(ctx, io.MultiReader(bytes.NewReader(big[:n]), iotest.ErrReader(broken)))
			if !errors.Is(err, broken) {
				t.Errorf("after %d bytes: %v", n, err)
			}
		}
		if all := listObjects(t, s); len(all) != 0 {
			t.Errorf("left behind: %v", all)
		}
	})
	t.Run("a context that ends leaves nothing", func(t *testing.T) {
		s := open(t)
		ctx, cancel := context.WithCancel(ctx)
		r := io.MultiReader(bytes.NewReader(big), readerFunc(func([]byte) (int, error) { cancel(); return 0, nil }), bytes.NewReader(big))
		if _, _, err := s.Put(ctx, r); !errors.Is(err, context.Canceled) {
			t.Errorf("put: %v", err)
		}
		if all := listObjects(t, s); len(all) != 0 {
			t.Errorf("left behind: %v", all)
		}
	})
	t.Run("the same bytes from many at once are one object", func(t *testing.T) {
		s := open(t)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, _, err := s.Put(ctx, bytes.NewReader(big)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if all := listObjects(t, s); len(all) != 1 {
			t.Errorf("%d objects", len(all))
		}
		if got := ReadObject(t, s, candor.SHA256(big)); !bytes.Equal(got, big) {
			t.Error("the object is not what was put")
		}
	})
	t.Run("each lists every object once, in order, and stops when told", func(t *testing.T) {
		s := open(t)
		var want []string
		for i := range 20 {
			sha, _, err := s.Put(ctx, strings.NewReader(fmt.Sprint(i)))
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, sha)
		}
		slices.Sort(want)
		if got := listObjects(t, s); !slices.Equal(got, want) {
			t.Errorf("listed %v, want %v", got, want)
		}
		enough, n := errors.New("enough"), 0
		err := s.Each(ctx, func(string, int64) error {
			if n++; n == 3 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || n != 3 {
			t.Errorf("stopped after %d with %v", n, err)
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// ReadObject reads one object to its end.
func ReadObject(t *testing.T, s object.Store, sha string) []byte {
	t.Helper()
	r, err := s.Open(context.Background(), sha)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func listObjects(t *testing.T, s object.Store) (all []string) {
	t.Helper()
	err := s.Each(context.Background(), func(sha string, _ int64) error { all = append(all, sha); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return all
}
