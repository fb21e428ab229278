package public

import (
	"net/http"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/exhibit"
)

// Artefact serves one file of a capture, or of one of its further renditions. It
// asks for permission each time.
func (s *Pages) Artefact(w http.ResponseWriter, r *http.Request) error {
	f, ok := exhibit.Files[r.PathValue("file")]
	if !ok {
		return candor.Errorf(candor.NotFound, "captures have no file %q", r.PathValue("file"))
	}
	cv, err := s.capture(r)
	if err != nil {
		return err
	}
	body, a, err := s.Archive.OpenRendition(r.Context(), cv.Capture.ID, r.PathValue("rendition"), f.Kind)
	if err != nil {
		return err
	}
	defer body.Close()
	exhibit.Send(w, r, f, a, body)
	return nil
}
