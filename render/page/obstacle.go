package page

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/candor-archive/candor"
)

// obstacle says what stands in the place of the page that was asked for, or ok
// false, from what the visit has read.
func (s *session) obstacle() (candor.Gap, bool) {
	if s.seen == nil {
		return candor.Gap{}, false
	}
	seen := *s.seen
	seen.Asked, seen.Final, seen.Status, seen.Count = s.m.URL, s.m.FinalURL, s.m.HTTPStatus, -1
	text, more, err := beginning(filepath.Join(s.dir, textName))
	switch {
	case err == nil:
		seen.Text, seen.Count, seen.Capped = string(text), len(bytes.Fields(text)), seen.Capped || more
	case !errors.Is(err, fs.ErrNotExist): // a capture of the picture alone has none
		s.log.Debug("read the text again", "url", s.spec.URL, "error", err)
	}
	return s.known().Obstacle(&seen)
}

// beginning is as much of a text as an obstacle would say, and whether there is
// more.
func beginning(path string) (text []byte, more bool, err error) {
	const most = 32 << 10
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close() // only read
	text, err = io.ReadAll(io.LimitReader(f, most+1))
	if len(text) > most {
		return text[:most], true, err
	}
	return text, false, err
}
