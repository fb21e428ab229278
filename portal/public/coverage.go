package public

import (
	"net/http"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/view"
)

// Coverages lists the public sources, each with its calendar.
func (s *Pages) Coverages(w http.ResponseWriter, r *http.Request) error {
	page := view.CoverageList{Page: view.For(r, "coverage.list.title")}
	all, err := s.Archive.Sources(r.Context())
	if err != nil {
		return err
	}
	for _, x := range all {
		if shown(r, x) {
			page.Sources = append(page.Sources, x)
		}
	}
	return view.Render(w, r, http.StatusOK, "coverages", page)
}

// Coverage shows what was read and captured of a public source in one month,
// and for what reasons something is missing.
func (s *Pages) Coverage(w http.ResponseWriter, r *http.Request) error {
	from, to, err := view.MonthAsked(r, candor.DateOf(s.Now(), view.FrameOf(r.Context()).Zone))
	if err != nil {
		return err
	}
	c, err := s.Archive.Coverage(r.Context(), r.PathValue("source"), from, to)
	if err != nil {
		return err
	}
	if !shown(r, c.Source) {
		return candor.Errorf(candor.NotFound, "there is no such source")
	}
	page, err := view.NewCoverage(view.For(r, "coverage.title", "Name", c.Source.Name), c, "/coverage/"+c.Source.ID)
	if err != nil {
		return err
	}
	page.BackHref = "/coverage"
	return view.Render(w, r, http.StatusOK, "coverage", page)
}

// shown asks the one authorisation function about a source.
func shown(r *http.Request, x candor.Source) bool {
	visibility := candor.StaffOnly
	if x.Public {
		visibility = candor.Public
	}
	return candor.Allow(view.FrameOf(r.Context()).Principal, candor.MayRead, candor.Target{Visibility: visibility})
}
