package browser

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

const profilePrefix = "candor-chrome-"

// profile is a throw-away profile directory. Its lock is held as long as the
// program runs, so that another start can tell a directory in use from one that
// a killed program left behind.
type profile struct {
	path string
	lock *os.File
}

func newProfile(base string) (*profile, error) {
	path, err := os.MkdirTemp(base, profilePrefix)
	if err != nil {
		return nil, fmt.Errorf("make a browser profile: %w", err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = hold(lock)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock a browser profile: %w", err), os.RemoveAll(path), os.Remove(path+".lock"))
	}
	return &profile{path, lock}, nil
}

// remove deletes the directory. A dying child may still write into it, so it
// is tried for a few seconds.
func (p *profile) remove() error {
	deadline := time.Now().Add(5 * time.Second)
	for {
		err := os.RemoveAll(p.path)
		if err == nil || time.Now().After(deadline) {
			return errors.Join(err, os.Remove(p.path+".lock"), p.lock.Close())
		}
		killUsing(p.path)
		time.Sleep(20 * time.Millisecond) // between tries; there is no event for a process letting go
	}
}

// removeStale ends what is left of browsers whose program was killed.
func removeStale(base string, log *slog.Logger) {
	if !canLock {
		return
	}
	if base == "" {
		base = os.TempDir()
	}
	locks, err := filepath.Glob(filepath.Join(base, profilePrefix+"*.lock"))
	if err != nil {
		log.Error("look for old browser profiles", "error", err)
	}
	for _, name := range locks {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue // another user's, or gone meanwhile
		}
		if hold(f) == nil {
			path := name[:len(name)-len(".lock")]
			killUsing(path)
			if err := errors.Join(os.RemoveAll(path), os.Remove(name)); err != nil {
				log.Warn("remove an old browser profile", "path", path, "error", err)
			}
		}
		f.Close()
	}
}
