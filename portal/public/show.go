package public

import (
	"net/http"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/exhibit"
	"github.com/candor-archive/candor/portal/view"
)

// exhibitOf gives the picture of a capture, or of a further rendition of it, to
// show large; nil when there is none. What was looked for is outlined on it.
func (s *Pages) exhibitOf(r *http.Request, p view.Page, cv candor.CaptureView, rendition, find string) *view.Exhibit {
	shot, ok := cv.Rendition(rendition, candor.Screenshot)
	if !ok {
		return nil
	}
	at := captureHref(cv.Capture) + "/"
	e := &view.Exhibit{Capture: cv.Capture, Href: captureHref(cv.Capture), Screenshot: at + exhibit.Address(rendition, "screenshot.png"),
		Width: shot.Width, Height: shot.Height, Phone: view.OnPhone(cv.Capture, rendition), Alt: p.T("exhibit.alt", "Title", firstOf(cv.Capture.Title, cv.Capture.URL))}
	if _, ok := cv.Rendition(rendition, candor.Text); ok {
		e.Text = at + exhibit.Address(rendition, "text.txt")
	}
	if _, ok := cv.Rendition(rendition, candor.TextTwin); ok {
		e.Twin = at + exhibit.Address(rendition, "twin.html")
	}
	if _, ok := cv.Rendition(rendition, candor.Layout); ok && find != "" {
		e.Outline = s.layout(r, cv.Capture.ID, rendition).Find(r.Context(), find)
	}
	return e
}

// layout reads where the words of a capture stand. One that cannot be read is
// empty: the page is complete without outlines.
func (s *Pages) layout(r *http.Request, captureID, rendition string) view.Layout {
	var l view.Layout
	body, _, err := s.Archive.OpenRendition(r.Context(), captureID, rendition, candor.Layout)
	if err == nil {
		defer body.Close()
		l, err = view.ReadLayout(r.Context(), body)
	}
	if err != nil {
		s.Log.Warn("read layout of capture", "capture", captureID, "err", err)
		return view.Layout{}
	}
	return l
}
