package view

import (
	"net/url"
	"strings"

	"github.com/candor-archive/candor"
)

// Tabs leads to the renditions of a capture at an address that keeps what was
// looked for. They are plain links, the capture proper first.
func Tabs(p Page, m candor.Manifest, c candor.Capture, at, current, find string) []Tab {
	if len(m.Renditions) == 0 {
		return nil
	}
	href := func(name string) string {
		q := url.Values{}
		if name != "" {
			q.Set("rendition", name)
		}
		if find != "" {
			q.Set("q", find)
		}
		if len(q) == 0 {
			return at
		}
		return at + "?" + q.Encode()
	}
	tabs := []Tab{{Name: RenditionName(p, string(c.Profile)), Href: href(""), Current: current == ""}}
	for _, r := range m.Renditions {
		tabs = append(tabs, Tab{Name: RenditionName(p, r.Name), Href: href(r.Name), Current: current == r.Name, Altered: altered(r)})
	}
	return tabs
}

// RenditionOf finds a further rendition in a manifest; nil when it has none of
// that name.
func RenditionOf(p Page, m candor.Manifest, name string) *Rendition {
	for _, r := range m.Renditions {
		if name != "" && r.Name == name {
			return &Rendition{ID: name, Name: RenditionName(p, name), Altered: altered(r), Changes: r.Altered, Gaps: GapLines(p, r.Gaps),
				Failed: r.Outcome == candor.Failed}
		}
	}
	return nil
}

// altered reports whether a rendition shows something else than a visitor saw.
func altered(r candor.RenditionAccount) bool {
	return r.Name == candor.RenditionCleaned || len(r.Altered) > 0
}

// Original is a file that was captured as what it is.
type Original struct {
	Href      string
	Type      string // in words
	Size      int64
	Truncated bool
}

// OriginalOf gives the file a capture kept in place of a page; nil when it is of
// a page.
func OriginalOf(p Page, cv candor.CaptureView) *Original {
	a, ok := cv.Artefact(candor.Original)
	if !ok {
		return nil
	}
	kind, _, _ := strings.Cut(a.MediaType, ";")
	id := "filetype.other"
	switch major, _, _ := strings.Cut(kind, "/"); {
	case kind == "application/pdf":
		id = "filetype.pdf"
	case major == "image", major == "video", major == "audio":
		id = "filetype." + major
	}
	return &Original{Type: p.T(id), Size: a.Size, Truncated: a.Truncated}
}

// OnPhone reports whether a picture is one of a phone's.
func OnPhone(c candor.Capture, rendition string) bool {
	return rendition == string(candor.Mobile) || c.Profile == candor.Mobile && rendition != string(candor.Desktop)
}

// NoPicture is the message that says why a capture has no picture.
func NoPicture(c candor.Capture, r *Rendition) string {
	switch {
	case r != nil:
		return "exhibit.no_rendition"
	case c.Outcome == candor.Failed:
		return "exhibit.failed"
	}
	return "exhibit.no_picture"
}
