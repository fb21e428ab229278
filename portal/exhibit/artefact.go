package exhibit

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/candor-archive/candor"
)

// File is a file of a capture that the portal's own origin serves.
type File struct {
	Kind      candor.ArtefactKind
	MediaType string // the only one it may have
}

// Files are the files of a capture that pages show or link, by the last part of
// their address. The snapshot is not among them: it is other people's HTML and is
// shown on the exhibits' own origin only. The twin is HTML too, but written by
// us, and sandboxed like the rest.
var Files = map[string]File{
	"screenshot.png": {candor.Screenshot, "image/png"},
	"thumbnail.png":  {candor.Thumbnail, "image/png"},
	"text.txt":       {candor.Text, "text/plain; charset=utf-8"},
	"twin.html":      {candor.TextTwin, "text/html; charset=utf-8"},
	"manifest.json":  {candor.ManifestF, "application/json"},
	"original":       {candor.Original, "application/octet-stream"},
}

// StaffFiles are those only staff see.
var StaffFiles = map[string]File{
	"difference.png": {candor.Difference, "image/png"},
}

// extensions are those of files that are asked for by their own address.
var extensions = map[string]string{"application/pdf": ".pdf", "video/mp4": ".mp4", "video/webm": ".webm", "audio/mpeg": ".mp3",
	"application/zip": ".zip", "text/csv": ".csv", "application/json": ".json", "text/plain": ".txt", "image/png": ".png", "image/jpeg": ".jpg",
	"image/gif": ".gif", "image/webp": ".webp"}

// Address is the last part of a file's address: its name, below that of its
// rendition when it belongs to a further one.
func Address(rendition, name string) string {
	if rendition == "" {
		return name
	}
	return rendition + "/" + name
}

// Send answers with one file of a capture. Whoever calls it has asked for
// permission: an address is never a right.
func Send(w http.ResponseWriter, r *http.Request, f File, a candor.Artefact, body io.ReadSeeker) {
	h := w.Header()
	h.Set("Content-Type", f.MediaType)
	h.Set("X-Content-Type-Options", "nosniff")
	policy := "sandbox; default-src 'none'; frame-ancestors 'none'"
	if f.Kind == candor.TextTwin {
		policy += "; style-src 'unsafe-inline'"
	}
	h.Set("Content-Security-Policy", policy)
	if f.Kind == candor.Original { // a stranger's file is handed over, never opened here
		h.Set("Content-Disposition", `attachment; filename="`+a.SHA[:min(12, len(a.SHA))]+extensions[a.MediaType]+`"`)
	}
	// What is public today may be withdrawn tomorrow, so browsers ask each time;
	// unchanged bytes cost them nothing.
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", strconv.Quote(a.SHA))
	http.ServeContent(w, r, "", time.Time{}, body)
}
