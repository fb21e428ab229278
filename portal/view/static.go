package view

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// StaticPrefix is where the static files are served.
const StaticPrefix = "/static/"

type static struct {
	body, gz  []byte
	mediaType string
}

var (
	byName   = map[string]string{} // uswds/uswds.css -> uswds/uswds.1a2b3c4d5e.css
	byHashed = map[string]static{}
	reURL    = regexp.MustCompile(`url\(([A-Za-z0-9._/-]+)\)`)
)

// The names carry a hash of the bytes, so a browser may keep them for good.
// Style sheets are read last: the files they name get their hashed names first.
func init() {
	mime.AddExtensionType(".woff2", "font/woff2")
	var sheets []string
	var own []byte // static/css/*.css in the order of their names, served as candor.css
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.HasPrefix(name, "static/css/") {
			b, err := staticFiles.ReadFile(name)
			own = append(own, b...)
			return err
		}
		if path.Ext(name) == ".css" {
			sheets = append(sheets, name)
			return nil
		}
		return addFile(name)
	})
	for _, name := range sheets {
		if err == nil {
			err = addFile(name)
		}
	}
	if err == nil {
		err = addStatic("candor.css", own)
	}
	if err != nil {
		panic("view: static files: " + err.Error()) // embedded, so always readable
	}
}

func addFile(name string) error {
	b, err := staticFiles.ReadFile(name)
	if err != nil {
		return err
	}
	return addStatic(strings.TrimPrefix(name, "static/"), b)
}

func addStatic(name string, b []byte) error {
	ext := path.Ext(name)
	s := static{body: b, mediaType: mime.TypeByExtension(ext)}
	switch ext {
	case ".css":
		s.body = reURL.ReplaceAllFunc(b, func(m []byte) []byte {
			ref := path.Join(path.Dir(name), string(reURL.FindSubmatch(m)[1]))
			if hashed, ok := byName[ref]; ok {
				return []byte("url(" + StaticPrefix + hashed + ")")
			}
			return m
		})
		s.mediaType = "text/css; charset=utf-8"
	case ".svg":
		s.mediaType = "image/svg+xml"
	case ".md", "":
		s.mediaType = "text/plain; charset=utf-8"
	}
	if ext != ".woff2" && ext != ".png" {
		var buf bytes.Buffer
		zw, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := zw.Write(s.body); err != nil {
			return err
		}
		if err := zw.Close(); err != nil {
			return err
		}
		s.gz = buf.Bytes()
	}
	sum := sha256.Sum256(s.body)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext
	byName[name], byHashed[hashed] = hashed, s
	return nil
}

// Asset is the address of a static file, with its hash in the name.
func Asset(name string) string {
	if hashed, ok := byName[name]; ok {
		return StaticPrefix + hashed
	}
	return StaticPrefix + name
}

// Static serves the static files below StaticPrefix.
func Static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, ok := byHashed[strings.TrimPrefix(r.URL.Path, StaticPrefix)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", s.mediaType)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		body := s.body
		if s.gz != nil {
			h.Add("Vary", "Accept-Encoding")
			if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
				h.Set("Content-Encoding", "gzip")
				body = s.gz
			}
		}
		w.WriteHeader(http.StatusOK)
		if r.Method != http.MethodHead {
			w.Write(body) // the reader may have gone
		}
	})
}
