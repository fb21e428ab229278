package staff

import (
	"net/http"
	"strconv"
	"time"

	"github.com/candor-archive/candor"
)

// shown are the files of a capture that staff pages embed, by the last part of
// their address. Snapshots are not among them: they are other people's HTML and
// are shown on the exhibits' own origin.
var shown = map[string]struct {
	kind      candor.ArtefactKind
	mediaType string
}{
	"thumbnail.png":  {candor.Thumbnail, "image/png"},
	"screenshot.png": {candor.Screenshot, "image/png"},
	"text.txt":       {candor.Text, "text/plain; charset=utf-8"},
	"manifest.json":  {candor.ManifestF, "application/json"},
}

func (s *Pages) artefact(w http.ResponseWriter, r *http.Request) error {
	want, ok := shown[r.PathValue("file")]
	if !ok {
		return candor.Errorf(candor.NotFound, "no such file of a capture")
	}
	if err := need(r, candor.MayRead); err != nil {
		return err
	}
	c, err := s.Store.Capture(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	a, ok := c.Artefact(want.kind)
	if !ok {
		return candor.Errorf(candor.NotFound, "the capture has no %s", want.kind)
	}
	o, err := s.Store.OpenObject(r.Context(), a.SHA)
	if err != nil {
		return err
	}
	defer o.Close()
	h := w.Header()
	h.Set("Content-Type", want.mediaType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", strconv.Quote(a.SHA))
	http.ServeContent(w, r, "", time.Time{}, o)
	return nil
}

// snapshot leads to the page as it was, on the exhibits' own origin.
func (s *Pages) snapshot(w http.ResponseWriter, r *http.Request) error {
	if err := need(r, candor.MayRead); err != nil {
		return err
	}
	c, err := s.Store.Capture(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	to, err := s.Exhibits.URL(principal(r), c.Capture)
	if err != nil {
		return err
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// item sends one file of a production to staff. Pictures and plain text are
// shown; everything else is handed over as a file that runs nowhere.
func (s *Pages) item(w http.ResponseWriter, r *http.Request) error {
	o, it, err := s.Desk.OpenItem(r.Context(), principal(r), r.PathValue("id"), r.PathValue("item"))
	if err != nil {
		return err
	}
	defer o.Close()
	h := w.Header()
	mediaType, disposition := "application/octet-stream", "attachment"
	switch {
	case it.Kind == candor.Screenshot && it.MediaType == "image/png":
		mediaType, disposition = "image/png", "inline"
	case it.MediaType == "image/jpeg", it.MediaType == "image/gif", it.MediaType == "image/webp":
		mediaType, disposition = it.MediaType, "inline"
	case it.MediaType == "text/plain; charset=utf-8", it.MediaType == "text/plain", it.MediaType == "application/json":
		mediaType, disposition = "text/plain; charset=utf-8", "inline"
	case it.CaptureID == "" && it.Name == "index.html":
		// Written by us, every word of others escaped; the policy keeps it still.
		mediaType, disposition = "text/html; charset=utf-8", "inline"
	}
	h.Set("Content-Type", mediaType)
	// Names are made of letters, digits, dots and hyphens by the desk.
	h.Set("Content-Disposition", disposition+`; filename="`+it.Name+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	h.Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, o)
	return nil
}
