package public

import (
	"net/http"
	"time"

	"github.com/candor-archive/candor"
)

// artefacts are the files of a capture that this origin serves, with the one
// media type each may have. The snapshot is not among them: it is shown on the
// exhibits' origin only.
var artefacts = map[string]struct {
	kind      candor.ArtefactKind
	mediaType string
}{
	"screenshot.png": {candor.Screenshot, "image/png"},
	"thumbnail.png":  {candor.Thumbnail, "image/png"},
	"text.txt":       {candor.Text, "text/plain; charset=utf-8"},
	"manifest.json":  {candor.ManifestF, "application/json"},
}

// Artefact serves one file of a capture. It asks for permission each time: an
// address is never a right.
func (s *Pages) Artefact(w http.ResponseWriter, r *http.Request) error {
	a, ok := artefacts[r.PathValue("file")]
	if !ok {
		return candor.Errorf(candor.NotFound, "captures have no file %q", r.PathValue("file"))
	}
	cv, err := s.capture(r)
	if err != nil {
		return err
	}
	body, artefact, err := s.Archive.OpenArtefact(r.Context(), cv.Capture.ID, a.kind)
	if err != nil {
		return err
	}
	defer body.Close()
	h := w.Header()
	h.Set("Content-Type", a.mediaType)
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	// What is public today may be withdrawn tomorrow, so browsers ask each time;
	// unchanged bytes cost them nothing.
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", `"`+artefact.SHA+`"`)
	http.ServeContent(w, r, "", time.Time{}, body)
	return nil
}
