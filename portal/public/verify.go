package public

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/view"
)

// maxChecked is the largest file that can be checked here.
const maxChecked = 512 << 20

// Verify explains how the archive can be checked.
func (s *Pages) Verify(w http.ResponseWriter, r *http.Request) error {
	return s.verifyPage(w, r, http.StatusOK, view.VerifyPage{Capture: strings.TrimSpace(r.URL.Query().Get("capture"))})
}

func (s *Pages) verifyPage(w http.ResponseWriter, r *http.Request, status int, page view.VerifyPage) error {
	page.Page = view.For(r, "verify.title")
	page.Section, page.MaxBytes = "verify", maxChecked
	note, err := s.Store.Checkpoint(r.Context())
	switch {
	case err == nil:
		page.Checkpoint = string(note)
	case !candor.IsKind(err, candor.NotFound): // nothing is in the log yet
		return err
	}
	if page.Key, err = s.Store.Verifier(r.Context()); err != nil {
		return err
	}
	return view.Render(w, r, status, "verify", page)
}

var reCapture = regexp.MustCompile(`(?:^|/captures/)([a-z0-9]{26})(?:$|[/?#])`)

// CheckFile compares a file with what the archive recorded of one capture. The
// file is hashed while it arrives and kept nowhere.
func (s *Pages) CheckFile(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxChecked+64<<10)
	parts, err := r.MultipartReader()
	if err != nil {
		return candor.Errorf(candor.Invalid, "read upload: %w", err)
	}
	var page view.VerifyPage
	lang := view.FrameOf(r.Context()).Lang
	file := view.Checked{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = readPart(part, &page, &file)
		}
		if err != nil {
			return candor.Errorf(candor.Invalid, "read upload: %w", err)
		}
	}
	t := view.Page{Frame: view.Frame{Lang: lang}}
	id := ""
	if m := reCapture.FindStringSubmatch(page.Capture); m != nil {
		id = m[1]
	} else {
		page.Errors.Add("capture", t.T("verify.error.capture"))
	}
	if file.Name == "" || file.Size == 0 {
		page.Errors.Add("file", t.T("verify.error.file"))
	}
	if len(page.Errors) > 0 {
		return s.verifyPage(w, r, http.StatusUnprocessableEntity, page)
	}
	if err := s.compare(r, id, &file); err != nil {
		return err
	}
	page.Result = &file
	return s.verifyPage(w, r, http.StatusOK, page)
}

func readPart(part *multipart.Part, page *view.VerifyPage, file *view.Checked) error {
	defer part.Close()
	switch part.FormName() {
	case "capture":
		b, err := io.ReadAll(io.LimitReader(part, 2000))
		page.Capture = strings.TrimSpace(strings.ToValidUTF8(string(b), ""))
		return err
	case "file":
		h := sha256.New()
		n, err := io.Copy(h, part)
		file.Name, file.Size, file.SHA = path.Base(part.FileName()), n, hex.EncodeToString(h.Sum(nil))
		return err
	}
	return nil
}

// compare looks the hash up among the files of a public capture.
func (s *Pages) compare(r *http.Request, id string, file *view.Checked) error {
	cv, err := s.Archive.Capture(r.Context(), id)
	if candor.IsKind(err, candor.NotFound) || err == nil && !readable(r, cv.Capture) {
		return nil // not found, for a capture that is not public as for one that never was
	}
	if err != nil {
		return err
	}
	file.Asked, file.Capture = true, cv.Capture
	if cv.Capture.RecordID != "" {
		file.Href = captureHref(cv.Capture)
	}
	for _, a := range cv.Artefacts {
		if a.SHA == file.SHA {
			file.Found, file.Artefact, file.Sound = true, a, covered(cv)
			return nil
		}
	}
	return nil
}
