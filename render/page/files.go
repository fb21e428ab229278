package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/candor-archive/candor"
)

// The names of a capture's files.
const (
	screenshotName = "screenshot.png"
	snapshotName   = "snapshot.html"
	textName       = "text.txt"
	layoutName     = "layout.json"
	exchangesName  = "exchanges.jsonl"
	thumbnailName  = "thumbnail.png"
	manifestName   = "manifest.json"
)

// mediaType is a type that is safe to repeat, or the general one.
func mediaType(s string) string {
	t, _, err := mime.ParseMediaType(s)
	if err != nil || strings.ContainsAny(t, "\"'<>; ,") || !strings.Contains(t, "/") {
		return "application/octet-stream"
	}
	return t
}

// prepare makes the directory, without what an earlier try left in it.
func prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, n := range []string{screenshotName, snapshotName, textName, layoutName, exchangesName, thumbnailName, manifestName, "bodies"} {
		if err := os.RemoveAll(filepath.Join(dir, n)); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes a file and sees it onto the disk.
func writeFile(path string, b []byte) error {
	return writeTo(path, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(b))
		return err
	})
}

func writeTo(path string, write func(w io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		return errors.Join(err, f.Close(), os.Remove(path))
	}
	return errors.Join(f.Sync(), f.Close())
}

// list hashes the artefacts that exist and enters them in the manifest.
func list(dir string, m *candor.Manifest, bodies []candor.File) error {
	for _, f := range []candor.File{
		{Kind: candor.Screenshot, Path: screenshotName, MediaType: "image/png"},
		{Kind: candor.Snapshot, Path: snapshotName, MediaType: "text/html; charset=utf-8"},
		{Kind: candor.Text, Path: textName, MediaType: "text/plain; charset=utf-8"},
		{Kind: candor.Layout, Path: layoutName, MediaType: "application/json"},
		{Kind: candor.Thumbnail, Path: thumbnailName, MediaType: "image/png"},
		{Kind: candor.Exchanges, Path: exchangesName, MediaType: "application/jsonl"},
	} {
		sum, size, err := hashFile(filepath.Join(dir, f.Path))
		if errors.Is(err, os.ErrNotExist) {
			continue // its step says why
		}
		if err != nil {
			return err
		}
		f.SHA256, f.Size = sum, size
		if f.MediaType == "image/png" {
			if f.Width, f.Height, err = pngSize(filepath.Join(dir, f.Path)); err != nil {
				return fmt.Errorf("%s: %w", f.Path, err)
			}
		}
		m.Files = append(m.Files, f)
	}
	slices.SortFunc(bodies, func(a, b candor.File) int { return strings.Compare(a.Path, b.Path) })
	m.Files = append(m.Files, bodies...)
	return nil
}

func hashFile(path string) (sha string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close() // only read
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

// seal writes the manifest last: where there is one, everything it lists is on
// the disk.
func seal(dir string, m candor.Manifest) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	for _, d := range []string{filepath.Join(dir, "bodies"), dir} {
		if err := syncDir(d); err != nil {
			return err
		}
	}
	tmp := filepath.Join(dir, manifestName+".tmp")
	if err := writeFile(tmp, append(b, '\n')); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(dir, manifestName)); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
