package staff

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/exhibit"
	"github.com/candor-archive/candor/portal/view"
)

// CapturePage is one capture with all that is known of how it went.
type CapturePage struct {
	view.Page
	View        candor.CaptureView
	Manifest    candor.Manifest
	Broken      bool // the manifest cannot be read
	Account     view.Account
	Agreement   *view.AgreementAccount // nil when nothing was compared
	Exhibit     *view.Exhibit
	NoPicture   string // message id of why there is none
	Original    *view.Original
	Tabs        []view.Tab
	Rendition   *view.Rendition
	RenditionID string // its id; empty for the capture proper
	Find        string
	Diff        string // address of the difference picture
	Snapshot    string
	TitleLang   string
	Public      string // its public page; empty when not everyone may see it
}

// Word is the plain word for one of the archive's own.
func (p CapturePage) Word(prefix, word string) string { return plainWord(p.Page, prefix, word) }

// capture shows one capture. What was looked for is outlined on the picture; when
// nothing was, the places where the saved page differs from it.
func (s *Pages) capture(w http.ResponseWriter, r *http.Request) error {
	if err := need(r, candor.MayRead); err != nil {
		return err
	}
	cv, err := s.Store.Capture(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	c, at := cv.Capture, "/staff/captures/"+cv.Capture.ID
	title := c.Title
	if title == "" {
		title = c.URL
	}
	p := CapturePage{Page: page(r, "archive", "capture.title", "Title", title), View: cv, Find: view.LookedFor(r), TitleLang: cv.Record.Language}
	p.Wide = true
	err = s.decode(r, cv, "", candor.ManifestF, 16<<20, &p.Manifest)
	if candor.IsKind(err, candor.Unavailable) {
		return err
	}
	p.Broken = err != nil
	if p.TitleLang == "" {
		p.TitleLang = p.Manifest.Language
	}
	p.Account = view.NewAccount(p.Page, p.Manifest, c)
	if a, err := s.Store.Agreement(r.Context(), c.ID); err == nil {
		p.Agreement = view.NewAgreement(p.Page, a, c)
	} else if !candor.IsKind(err, candor.NotFound) {
		return err
	}
	rendition := r.URL.Query().Get("rendition")
	if p.Rendition = view.RenditionOf(p.Page, p.Manifest, rendition); p.Rendition == nil {
		rendition = ""
	}
	p.RenditionID = rendition
	p.Tabs = view.Tabs(p.Page, p.Manifest, c, at, rendition, p.Find)
	if p.Exhibit = s.exhibitOf(r, &p, rendition); p.Exhibit == nil {
		p.NoPicture = view.NoPicture(c, p.Rendition)
	}
	if p.Original = view.OriginalOf(p.Page, cv); p.Original != nil {
		p.Original.Href = at + "/original"
	}
	if _, ok := cv.Artefact(candor.Difference); ok {
		p.Diff = at + "/difference.png"
	}
	if _, ok := cv.Artefact(candor.Snapshot); ok {
		p.Snapshot = at + "/page"
	}
	if c.Visibility == candor.Public && cv.Record.Visibility == candor.Public && cv.Source.Public && c.RecordID != "" {
		p.Public = "/archive/" + c.RecordID + "/captures/" + c.ID
	}
	return view.Render(w, r, http.StatusOK, "staff/capture", p)
}

// exhibitOf gives the picture with what is outlined on it; nil when there is
// none.
func (s *Pages) exhibitOf(r *http.Request, p *CapturePage, rendition string) *view.Exhibit {
	cv := p.View
	shot, ok := cv.Rendition(rendition, candor.Screenshot)
	if !ok {
		return nil
	}
	at := "/staff/captures/" + cv.Capture.ID + "/"
	e := &view.Exhibit{Capture: cv.Capture, Screenshot: at + exhibit.Address(rendition, "screenshot.png"), Width: shot.Width, Height: shot.Height,
		Alt: p.T("staff.record.shot_alt"), Phone: view.OnPhone(cv.Capture, rendition)}
	if _, ok := cv.Rendition(rendition, candor.Text); ok {
		e.Text = at + exhibit.Address(rendition, "text.txt")
	}
	if _, ok := cv.Rendition(rendition, candor.TextTwin); ok {
		e.Twin = at + exhibit.Address(rendition, "twin.html")
	}
	if p.Find != "" {
		l, err := s.layout(r, cv, rendition)
		if err != nil {
			s.Log.Warn("read layout of capture", "capture", cv.Capture.ID, "err", err) // shown without outlines
			return e
		}
		e.Outline = l.Find(r.Context(), p.Find)
		return e
	}
	if scale := p.Manifest.Viewport.Scale; rendition == "" && scale > 0 {
		e.Outline = p.Account.Check.Places(int(float64(shot.Width)/scale+0.5), int(float64(shot.Height)/scale+0.5))
	}
	return e
}

// layout reads where the words of a capture stand.
func (s *Pages) layout(r *http.Request, cv candor.CaptureView, rendition string) (view.Layout, error) {
	a, ok := cv.Rendition(rendition, candor.Layout)
	if !ok {
		return view.Layout{}, candor.Errorf(candor.NotFound, "capture %s has no layout", cv.Capture.ID)
	}
	o, err := s.Store.OpenObject(r.Context(), a.SHA)
	if err != nil {
		return view.Layout{}, err
	}
	defer o.Close()
	return view.ReadLayout(r.Context(), o)
}

// decode reads a JSON artefact; NotFound when the capture has none of the kind.
func (s *Pages) decode(r *http.Request, cv candor.CaptureView, rendition string, kind candor.ArtefactKind, most int64, into any) error {
	a, ok := cv.Rendition(rendition, kind)
	if !ok {
		return candor.Errorf(candor.NotFound, "capture %s has no %s", cv.Capture.ID, kind)
	}
	o, err := s.Store.OpenObject(r.Context(), a.SHA)
	if err != nil {
		return err
	}
	defer o.Close()
	if err := json.NewDecoder(io.LimitReader(o, most)).Decode(into); err != nil {
		return candor.Errorf(candor.Invalid, "read %s of capture %s: %w", kind, cv.Capture.ID, err)
	}
	return nil
}

// artefact serves one file of a capture, or of one of its further renditions.
func (s *Pages) artefact(w http.ResponseWriter, r *http.Request) error {
	f, ok := exhibit.Files[r.PathValue("file")]
	if !ok {
		f, ok = exhibit.StaffFiles[r.PathValue("file")]
	}
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
	a, ok := c.Rendition(r.PathValue("rendition"), f.Kind)
	if !ok {
		return candor.Errorf(candor.NotFound, "the capture has no %s", f.Kind)
	}
	o, err := s.Store.OpenObject(r.Context(), a.SHA)
	if err != nil {
		return err
	}
	defer o.Close()
	exhibit.Send(w, r, f, a, o)
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
