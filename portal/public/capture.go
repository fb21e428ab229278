package public

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/view"
)

// capture finds the capture of an address, which must belong to the record
// named there.
func (s *Pages) capture(r *http.Request) (candor.CaptureView, error) {
	cv, err := s.Archive.Capture(r.Context(), r.PathValue("capture"))
	if err != nil {
		return cv, err
	}
	if cv.Capture.RecordID != r.PathValue("record") || !readable(r, cv.Capture) {
		return candor.CaptureView{}, candor.Errorf(candor.NotFound, "no such capture of record %s", r.PathValue("record"))
	}
	return cv, nil
}

// Capture shows one capture with the four claims it makes.
func (s *Pages) Capture(w http.ResponseWriter, r *http.Request) error {
	cv, err := s.capture(r)
	if err != nil {
		return err
	}
	c := cv.Capture
	find, rendition := view.LookedFor(r), r.URL.Query().Get("rendition")
	page := view.CapturePage{
		Page: view.For(r, "capture.title", "Title", firstOf(c.Title, c.URL)), Capture: c, Record: cv.Record, Source: cv.Source, Find: find,
		RecordHref: recordHref(c.RecordID), Artefacts: cv.Artefacts, Entry: cv.Entry, Permanent: s.BaseURL + captureHref(c),
	}
	page.Section, page.Wide = "archive", true
	if _, ok := cv.Artefact(candor.Snapshot); ok {
		page.Snapshot = captureHref(c) + "/snapshot"
	}
	if _, ok := cv.Artefact(candor.Text); ok {
		page.TextAt = captureHref(c) + "/text.txt"
		page.Words = s.words(r, c.ID, 20_000)
		page.WordsCut = len(page.Words) >= 19_990
	}
	manifestSound := false
	if _, ok := cv.Artefact(candor.ManifestF); ok {
		page.ManifestAt = captureHref(c) + "/manifest.json"
		if page.Manifest, manifestSound, err = s.manifest(r, c); err != nil {
			return err
		}
	}
	if page.Rendition = view.RenditionOf(page.Page, page.Manifest, rendition); page.Rendition == nil {
		rendition = ""
	}
	page.RenditionID = rendition
	if page.Screenshot = s.exhibitOf(r, page.Page, cv, rendition, find); page.Screenshot == nil {
		page.NoPicture = view.NoPicture(c, page.Rendition)
	}
	if page.Original = view.OriginalOf(page.Page, cv); page.Original != nil {
		page.Original.Href = captureHref(c) + "/original"
	}
	page.Tabs = view.Tabs(page.Page, page.Manifest, c, captureHref(c), rendition, find)
	page.Account = view.NewAccount(page.Page, page.Manifest, c)
	page.TitleLang = firstOf(cv.Record.Language, page.Manifest.Language)
	page.Claims = claims(cv, manifestSound, page.Manifest.Check)
	return view.Render(w, r, http.StatusOK, "capture", page)
}

// manifest reads a capture's manifest and says whether its bytes are those the
// evidence log covers.
func (s *Pages) manifest(r *http.Request, c candor.Capture) (candor.Manifest, bool, error) {
	var m candor.Manifest
	body, _, err := s.Archive.OpenArtefact(r.Context(), c.ID, candor.ManifestF)
	if err != nil {
		return m, false, err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, 16<<20))
	if err != nil {
		return m, false, candor.Errorf(candor.Unavailable, "read manifest of capture %s: %w", c.ID, err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return candor.Manifest{}, false, nil // shown as a failed claim; the rest of the page still helps
	}
	return m, candor.SHA256(b) == c.ManifestSHA, nil
}

// claims says what is shown of each claim. A claim is shown only by something
// checked here and now.
func claims(cv candor.CaptureView, manifestSound bool, check *candor.SelfCheck) []view.Claim {
	c := cv.Capture
	integrity := view.Claim{ID: "integrity", State: "failed", Reason: "claim.integrity.failed", Data: map[string]any{"Seq": c.EvidenceSeq}}
	if manifestSound && covered(cv) {
		integrity.State, integrity.Reason = "shown", "claim.integrity.shown"
	}
	when := view.Claim{ID: "time", State: "not_shown", Reason: "claim.time.not_shown"}
	complete := view.Claim{ID: "completeness", State: "shown", Reason: "claim.completeness.shown"}
	switch c.Outcome {
	case candor.Partial:
		complete.State, complete.Reason = "not_shown", "claim.completeness.not_shown"
	case candor.Failed:
		complete.State, complete.Reason = "failed", "claim.completeness.failed"
	}
	fidelity := view.Claim{ID: "fidelity", State: "not_shown", Reason: "claim.fidelity.not_shown"}
	switch {
	case check == nil || !manifestSound:
	case check.SizeWrong || check.Share() > candor.CheckShare:
		fidelity.State, fidelity.Reason = "failed", "claim.fidelity.failed"
	default:
		fidelity.State, fidelity.Reason = "shown", "claim.fidelity.shown"
	}
	return []view.Claim{integrity, when, complete, fidelity}
}

// covered reports whether the entry of the evidence log is about exactly this
// row, and its list of files holds every file shown here with the same hash.
// The list is longer than what is public: it also covers the exchanges.
func covered(cv candor.CaptureView) bool {
	e := cv.Entry
	if e.Kind != candor.EvidenceCapture || e.Subject != cv.Capture.ID || e.Seq != cv.Capture.EvidenceSeq {
		return false
	}
	var body struct {
		Data struct {
			Files []struct {
				N    int                 `json:"n"`
				Kind candor.ArtefactKind `json:"kind"`
				Name string              `json:"name"`
				SHA  string              `json:"sha256"`
				Size int64               `json:"size"`
			} `json:"files"`
		} `json:"data"`
	}
	if json.Unmarshal(e.Body, &body) != nil {
		return false
	}
	logged := make([]candor.Artefact, len(body.Data.Files))
	byN := map[int]candor.Artefact{}
	for i, f := range body.Data.Files {
		logged[i] = candor.Artefact{N: f.N, Kind: f.Kind, Name: f.Name, SHA: f.SHA, Size: f.Size}
		byN[f.N] = logged[i]
	}
	for _, a := range cv.Artefacts {
		if l := byN[a.N]; l.SHA != a.SHA || l.Size != a.Size || l.Kind != a.Kind {
			return false
		}
	}
	return bytes.Equal(e.Body, cv.Capture.EvidenceBody(logged))
}

// Snapshot shows the captured page itself, in a sandboxed frame of another
// origin.
func (s *Pages) Snapshot(w http.ResponseWriter, r *http.Request) error {
	cv, err := s.capture(r)
	if err != nil {
		return err
	}
	if _, ok := cv.Artefact(candor.Snapshot); !ok {
		return candor.Errorf(candor.NotFound, "capture %s has no snapshot", cv.Capture.ID)
	}
	frame, err := s.Exhibits.URL(view.FrameOf(r.Context()).Principal, cv.Capture)
	if err != nil {
		return err
	}
	page := view.SnapshotPage{Page: view.For(r, "snapshot.title", "Title", firstOf(cv.Capture.Title, cv.Capture.URL)),
		Capture: cv.Capture, Source: cv.Source, CaptureHref: captureHref(cv.Capture), Frame: frame}
	page.Section, page.Wide, page.NoIndex = "archive", true, true
	return view.Render(w, r, http.StatusOK, "snapshot", page)
}
