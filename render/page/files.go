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

	"golang.org/x/sync/errgroup"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/picture"
)

// The names of a capture's files.
const (
	screenshotName = "screenshot.png"
	snapshotName   = "snapshot.html"
	textName       = "text.txt"
	layoutName     = "layout.json"
	exchangesName  = "exchanges.jsonl"
	thumbnailName  = "thumbnail.png"
	differenceName = "difference.png"
	manifestName   = "manifest.json"
)

// artefacts are the files that a visit may leave, in the manifest's order.
var artefacts = []candor.File{
	{Kind: candor.Screenshot, Path: screenshotName, MediaType: "image/png"},
	{Kind: candor.Snapshot, Path: snapshotName, MediaType: "text/html; charset=utf-8"},
	{Kind: candor.Text, Path: textName, MediaType: "text/plain; charset=utf-8"},
	{Kind: candor.Layout, Path: layoutName, MediaType: "application/json"},
	{Kind: candor.TextTwin, Path: twinName, MediaType: "text/html; charset=utf-8"},
	{Kind: candor.Thumbnail, Path: thumbnailName, MediaType: "image/png"},
	{Kind: candor.Exchanges, Path: exchangesName, MediaType: "application/jsonl"},
}

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
	old := []string{manifestName, manifestName + ".tmp", differenceName, "bodies", checkDir, candor.RenditionCleaned, string(candor.Desktop), string(candor.Mobile)}
	for _, f := range artefacts {
		old = append(old, f.Path)
	}
	for _, n := range old {
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
	return f.Close() // seal makes it last
}

// list hashes the artefacts that exist and enters them in the manifest.
func list(dir string, m *candor.Manifest, bodies []candor.File) error {
	for _, f := range artefacts {
		f, err := measured(dir, f)
		if errors.Is(err, os.ErrNotExist) {
			continue // its step says why
		}
		if err != nil {
			return err
		}
		m.Files = append(m.Files, f)
	}
	slices.SortFunc(bodies, func(a, b candor.File) int { return strings.Compare(a.Path, b.Path) })
	m.Files = append(m.Files, bodies...)
	return nil
}

// measured completes a file's entry with its hash, its size and, for a picture,
// its width and height.
func measured(dir string, f candor.File) (candor.File, error) {
	path := filepath.Join(dir, filepath.FromSlash(f.Path))
	var err error
	if f.SHA256, f.Size, err = hashFile(path); err != nil {
		return f, err
	}
	if f.MediaType == "image/png" {
		if f.Width, f.Height, err = picture.Size(path); err != nil {
			return f, fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return f, nil
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
	if err := syncFiles(dir, m.Files); err != nil {
		return err
	}
	tmp := filepath.Join(dir, manifestName+".tmp")
	if err := writeFile(tmp, append(b, '\n')); err != nil {
		return err
	}
	if err := sync1(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(dir, manifestName)); err != nil {
		return err
	}
	return sync1(dir)
}

// syncFiles puts the files and their folders on the disk. Several are asked for
// at once, so that the file system can write them down together.
func syncFiles(dir string, files []candor.File) error {
	paths := map[string]bool{dir: true}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		paths[path], paths[filepath.Dir(path)] = true, true
	}
	var all errgroup.Group
	all.SetLimit(8)
	for path := range paths {
		all.Go(func() error { return sync1(path) })
	}
	return all.Wait()
}

// sync1 puts one file or folder on the disk.
func sync1(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
