package portal

import (
	"compress/gzip"
	"net/http"
	"strings"
	"sync"
)

var gzips = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// compressed sends text compressed to those who can read it so.
func compressed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") || r.Header.Get("Range") != "" {
			next.ServeHTTP(w, r)
			return
		}
		z := &zipped{ResponseWriter: w}
		defer z.close()
		next.ServeHTTP(z, r)
	})
}

// zipped decides at the first byte whether the answer is worth compressing.
type zipped struct {
	http.ResponseWriter
	zw     *gzip.Writer
	status bool
}

func (z *zipped) WriteHeader(code int) {
	if z.status {
		return
	}
	z.status = true
	h := z.Header()
	kind := h.Get("Content-Type")
	// ServeContent knows ranges and sizes of the plain bytes: leave those alone.
	if (strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "text/plain")) && h.Get("Content-Encoding") == "" &&
		h.Get("Accept-Ranges") == "" && code != http.StatusNoContent && code != http.StatusNotModified {
		h.Set("Content-Encoding", "gzip")
		h.Add("Vary", "Accept-Encoding")
		h.Del("Content-Length")
		z.zw = gzips.Get().(*gzip.Writer)
		z.zw.Reset(z.ResponseWriter)
	}
	z.ResponseWriter.WriteHeader(code)
}

func (z *zipped) Write(b []byte) (int, error) {
	if !z.status {
		if z.Header().Get("Content-Type") == "" {
			z.Header().Set("Content-Type", http.DetectContentType(b))
		}
		z.WriteHeader(http.StatusOK)
	}
	if z.zw != nil {
		return z.zw.Write(b)
	}
	return z.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (z *zipped) Unwrap() http.ResponseWriter { return z.ResponseWriter }

func (z *zipped) close() {
	if z.zw == nil {
		return
	}
	z.zw.Close() // the reader may have gone
	gzips.Put(z.zw)
}
