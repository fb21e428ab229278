package object

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/candor-archive/candor"
)

// inMemory is up to where bytes wait in memory for their hash instead of in a
// temporary file. Most bodies of a web page are smaller.
const inMemory = 1 << 20

// spooled is content whose hash is known and that has no name yet.
type spooled struct {
	sha  string
	size int64
	mem  []byte   // all of it, when small
	file *os.File // otherwise; written, not synced, positioned anywhere
}

// spool reads r to its end.
func spool(ctx context.Context, dir string, r io.Reader) (_ *spooled, err error) {
	r = ctxReader{ctx, r}
	h := sha256.New()
	s := &spooled{}
	var buf bytes.Buffer
	s.size, err = io.Copy(&buf, io.LimitReader(io.TeeReader(r, h), inMemory))
	if err != nil {
		return nil, err
	}
	s.mem = buf.Bytes()
	if s.size == inMemory {
		if s.file, err = os.CreateTemp(dir, "put-*"); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, s.drop())
			}
		}()
		if _, err = s.file.Write(s.mem); err != nil {
			return nil, err
		}
		s.mem = nil
		var n int64
		if n, err = io.Copy(io.MultiWriter(s.file, h), r); err != nil {
			return nil, err
		}
		s.size += n
	}
	s.sha = hex.EncodeToString(h.Sum(nil))
	return s, nil
}

// expect fails unless the content has the hash it should have.
func (s *spooled) expect(sha string) error {
	if s.sha != sha {
		return candor.Errorf(candor.Invalid, "these bytes hash to %s, not to %s as was said", s.sha, sha)
	}
	return nil
}

// reader reads the content from its start.
func (s *spooled) reader() (io.ReadSeeker, error) {
	if s.file == nil {
		return bytes.NewReader(s.mem), nil
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return s.file, err
}

// seal makes the content a synced, read-only, closed file and gives its name.
func (s *spooled) seal(dir string) (string, error) {
	if s.file == nil {
		f, err := os.CreateTemp(dir, "put-*")
		if err != nil {
			return "", err
		}
		s.file = f
		if _, err := f.Write(s.mem); err != nil {
			return "", err
		}
	}
	if err := s.file.Chmod(0o444); err != nil {
		return "", err
	}
	if err := s.file.Sync(); err != nil {
		return "", err
	}
	return s.file.Name(), s.file.Close()
}

// drop removes the temporary file if there still is one.
func (s *spooled) drop() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	rm := os.Remove(s.file.Name())
	if errors.Is(rm, os.ErrNotExist) {
		rm = nil
	}
	return errors.Join(err, rm)
}

// ctxReader ends with the context.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, fmt.Errorf("stopped: %w", err)
	}
	return r.r.Read(p)
}
