package public

import (
	"net/http"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/view"
)

// Home is the front page: what this is, a search box, the two doors, and what
// was captured lately.
func (s *Pages) Home(w http.ResponseWriter, r *http.Request) error {
	counts, err := s.Archive.Counts(r.Context())
	if err != nil {
		return err
	}
	recent, err := s.Archive.Recent(r.Context(), 8)
	if err != nil {
		return err
	}
	page := view.HomePage{Page: view.For(r, "home.title"), Counts: counts}
	names, err := s.sourceNames(r)
	if err != nil {
		return err
	}
	for _, c := range recent {
		if c.RecordID == "" || !readable(r, c) {
			continue
		}
		cv, err := s.Archive.Capture(r.Context(), c.ID)
		if candor.IsKind(err, candor.NotFound) {
			continue // withdrawn a moment ago
		}
		if err != nil {
			return err
		}
		shot := view.Shot{Href: recordHref(c.RecordID), Title: c.Title, Lang: cv.Record.Language, Name: names[c.SourceID], At: c.FinishedAt, State: c.Outcome}
		if _, ok := cv.Artefact(candor.Thumbnail); ok {
			shot.Thumb = captureHref(c) + "/thumbnail.png"
		}
		if shot.Title == "" {
			shot.Title = c.URL
		}
		page.Recent = append(page.Recent, shot)
	}
	return view.Render(w, r, http.StatusOK, "home", page)
}

// readable asks the one authorisation function about a capture.
func readable(r *http.Request, c candor.Capture) bool {
	return candor.Allow(view.FrameOf(r.Context()).Principal, candor.MayRead, candor.Target{Visibility: c.Visibility})
}

func recordHref(id string) string { return "/archive/" + id }

func captureHref(c candor.Capture) string { return "/archive/" + c.RecordID + "/captures/" + c.ID }

// sourceNames are the names of public sources by id.
func (s *Pages) sourceNames(r *http.Request) (map[string]string, error) {
	sources, err := s.Archive.Sources(r.Context())
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, x := range sources {
		names[x.ID] = x.Name
	}
	return names, nil
}
