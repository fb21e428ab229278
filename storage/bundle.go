package storage

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/candor-archive/candor"
)

// bundleTime is the date of every file in a bundle, the earliest a ZIP knows.
// When something happened stands in the files, not on them.
var bundleTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// SealBundle makes one ZIP of files and stores it as an object. The same files
// give the same bytes whenever and wherever: they are sorted by name, dated
// alike and not compressed, because compressors change over the years.
func (s *Store) SealBundle(ctx context.Context, files []candor.BundleFile) (sha string, size int64, err error) {
	if len(files) == 0 {
		return "", 0, candor.Errorf(candor.Invalid, "a bundle needs at least one file")
	}
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b candor.BundleFile) int { return strings.Compare(a.Name, b.Name) })
	for i, f := range files {
		if !fs.ValidPath(f.Name) || f.Name == "." || strings.ContainsAny(f.Name, "\\:\x00") || path.Clean(f.Name) != f.Name {
			return "", 0, candor.Errorf(candor.Invalid, "%q can't be a file's name in a bundle", f.Name)
		}
		if i > 0 && files[i-1].Name == f.Name {
			return "", 0, candor.Errorf(candor.Invalid, "the bundle has two files named %s", f.Name)
		}
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(s.zip(ctx, w, files)) }()
	sha, size, err = s.objects.Put(ctx, r)
	r.CloseWithError(err) // ends the writer when the store gave up first
	return sha, size, wrap(err, "seal a bundle")
}

func (s *Store) zip(ctx context.Context, w io.Writer, files []candor.BundleFile) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		if err := s.zipOne(ctx, z, f); err != nil {
			return wrap(err, f.Name)
		}
	}
	return z.Close()
}

func (s *Store) zipOne(ctx context.Context, z *zip.Writer, f candor.BundleFile) error {
	var content io.Reader = bytes.NewReader(f.Data)
	if f.SHA != "" {
		object, err := s.objects.Open(ctx, f.SHA)
		if err != nil {
			return err
		}
		defer object.Close()
		content = object
	}
	out, err := z.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Store, Modified: bundleTime})
	if err != nil {
		return err
	}
	_, err = io.Copy(out, content)
	return err
}
