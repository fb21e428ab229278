// Package durable writes files so that a power cut leaves either the old state
// or the new one. When a function here returns without error the bytes and the
// name are on disk: the file was synced, then named, then its directory synced.
// It does not protect against a disk that lies about syncing.
package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// WriteFile replaces a file by new content, whole or not at all.
func WriteFile(name string, data []byte, mode fs.FileMode) error {
	tmp, err := temp(name, data, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, name); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return SyncDir(filepath.Dir(name))
}

// CreateFile writes a file that must not exist yet. When it does, the error is
// fs.ErrExist and the file is left as it was: of several who try, one wins.
func CreateFile(name string, data []byte, mode fs.FileMode) error {
	tmp, err := temp(name, data, mode)
	if err != nil {
		return err
	}
	err = os.Link(tmp, name)
	if rm := os.Remove(tmp); err == nil {
		err = rm
	}
	if err != nil {
		return err
	}
	return SyncDir(filepath.Dir(name))
}

// Keep reads a file, made first from what fresh gives when it does not exist.
// Of several processes that start at once all get the content of the one that
// was first.
func Keep(name string, mode fs.FileMode, fresh func() ([]byte, error)) ([]byte, error) {
	have, err := os.ReadFile(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return have, err
	}
	data, err := fresh()
	if err != nil {
		return nil, err
	}
	if err := CreateFile(name, data, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(name)
}

func temp(name string, data []byte, mode fs.FileMode) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// Name gives a written temporary file its final name in place of whatever
// bears it. The file must have been synced; on return its name is on disk.
func Name(tmp, name string) error {
	dir := filepath.Dir(name)
	if err := MkdirAll(dir); err != nil {
		return err
	}
	if err := os.Rename(tmp, name); err != nil {
		return err
	}
	return SyncDir(dir)
}

// MkdirAll makes a directory and those above it, for the owner only, and syncs
// every directory that gained a name.
func MkdirAll(dir string) error {
	if st, err := os.Stat(dir); err == nil && st.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return SyncDir(parent)
}

// SyncDir makes the names in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

// Append adds lines to a file of lines. Under an exclusive lock, which other
// processes respect too, next is given the last whole line ("" when there is
// none, without its newline) and says what to add; nil adds nothing. The lines
// are on disk when Append returns. What a crash left of an unfinished line was
// never acknowledged and is cut off first.
func Append(name string, mode fs.FileMode, next func(last []byte) ([]byte, error)) (err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	last, end, err := lastLine(f)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	add, err := next(last)
	if err != nil || len(add) == 0 {
		return err
	}
	if add[len(add)-1] != '\n' {
		add = append(bytes.Clone(add), '\n')
	}
	if err := f.Truncate(end); err != nil {
		return err
	}
	if _, err := f.WriteAt(add, end); err != nil {
		// Take back what was written, so that readers see whole lines only; if
		// that fails too, the next Append cuts it off.
		return errors.Join(err, f.Truncate(end))
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if end == 0 {
		return SyncDir(filepath.Dir(name))
	}
	return nil
}

// lastLine finds the last line that ends in a newline, and where it ends.
func lastLine(f *os.File) (line []byte, end int64, err error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, err
	}
	const block = 4096
	var tail []byte // the file from position at
	for at := size; at > 0; {
		n := min(at, block)
		at -= n
		buf := make([]byte, n, n+int64(len(tail)))
		if _, err := f.ReadAt(buf, at); err != nil {
			return nil, 0, err
		}
		tail = append(buf, tail...)
		stop := bytes.LastIndexByte(tail, '\n')
		if stop < 0 {
			continue
		}
		start := bytes.LastIndexByte(tail[:stop], '\n')
		if start >= 0 || at == 0 {
			return tail[start+1 : stop], at + int64(stop) + 1, nil
		}
	}
	return nil, 0, nil
}
