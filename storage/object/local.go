package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/candor-archive/candor/storage/durable"
	"github.com/candor-archive/candor/storage/layout"
)

// local keeps objects as read-only files below a data directory. Whoever owns
// the directory can still change them: that is noticed by checking the hashes,
// not prevented.
type local struct{ dir string }

// leftover is how old a temporary file must be before a new start removes it;
// a younger one may belong to another process that is still writing.
const leftover = 24 * time.Hour

func openLocal(dir string) (Store, error) {
	if dir == "" {
		return nil, errors.New("open object store: no directory given")
	}
	tmp := layout.ObjectsTemp(dir)
	if err := durable.MkdirAll(tmp); err != nil {
		return nil, fmt.Errorf("open object store: %w", err)
	}
	old, err := os.ReadDir(tmp)
	if err != nil {
		return nil, fmt.Errorf("open object store: %w", err)
	}
	for _, e := range old {
		info, err := e.Info()
		if err != nil || time.Since(info.ModTime()) < leftover {
			continue // gone meanwhile, or in use
		}
		if err := os.Remove(filepath.Join(tmp, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("open object store: %w", err)
		}
	}
	return &local{dir}, nil
}

func (l *local) Put(ctx context.Context, r io.Reader) (string, int64, error) {
	return l.put(ctx, "", r)
}

func (l *local) PutExpect(ctx context.Context, sha string, r io.Reader) (int64, error) {
	if err := checkSHA(sha); err != nil {
		return 0, err
	}
	_, size, err := l.put(ctx, sha, r)
	return size, err
}

func (l *local) put(ctx context.Context, want string, r io.Reader) (sha string, size int64, err error) {
	defer func() {
		if err != nil {
			sha, size, err = "", 0, fmt.Errorf("put object: %w", err)
		}
	}()
	tmp := layout.ObjectsTemp(l.dir)
	s, err := spool(ctx, tmp, r)
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, s.drop()) }()
	if want != "" {
		if err := s.expect(want); err != nil {
			return "", 0, err
		}
	}
	name := layout.Object(l.dir, s.sha)
	switch st, err := os.Stat(name); {
	case err == nil && st.Size() == s.size:
		// Whoever wrote it may have died between naming it and syncing the name.
		return s.sha, s.size, durable.SyncDir(filepath.Dir(name))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", 0, err
	}
	// Absent; or there and damaged, in which case the right bytes replace it.
	file, err := s.seal(tmp)
	if err != nil {
		return "", 0, err
	}
	return s.sha, s.size, durable.Name(file, name)
}

func (l *local) Open(_ context.Context, sha string) (io.ReadSeekCloser, error) {
	if err := checkSHA(sha); err != nil {
		return nil, err
	}
	f, err := os.Open(layout.Object(l.dir, sha))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound(sha)
	}
	if err != nil {
		return nil, fmt.Errorf("open object %s: %w", sha, err)
	}
	return f, nil
}

func (l *local) Stat(_ context.Context, sha string) (int64, error) {
	if err := checkSHA(sha); err != nil {
		return 0, err
	}
	st, err := os.Stat(layout.Object(l.dir, sha))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, notFound(sha)
	}
	if err != nil {
		return 0, fmt.Errorf("look at object %s: %w", sha, err)
	}
	return st.Size(), nil
}

func (l *local) Each(ctx context.Context, f func(string, int64) error) error {
	return filepath.WalkDir(layout.Objects(l.dir), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("list objects: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.IsDir() {
			if path == layout.ObjectsTemp(l.dir) {
				return fs.SkipDir
			}
			return nil
		}
		if !layout.ValidSHA(e.Name()) || path != layout.Object(l.dir, e.Name()) {
			return nil // someone else's file; nothing refers to it
		}
		info, err := e.Info()
		if err != nil {
			return fmt.Errorf("list objects: %w", err)
		}
		return f(e.Name(), info.Size())
	})
}
