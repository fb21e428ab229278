package staff

import (
	"net/http"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/view"
)

// coverage shows what was read and captured of a source in one month, and why
// something is missing.
func (s *Pages) coverage(w http.ResponseWriter, r *http.Request) error {
	if err := need(r, candor.MaySearchAll); err != nil {
		return err
	}
	from, to, err := view.MonthAsked(r, candor.DateOf(s.Now(), view.FrameOf(r.Context()).Zone))
	if err != nil {
		return err
	}
	c, err := s.Store.Coverage(r.Context(), r.PathValue("id"), from, to)
	if err != nil {
		return err
	}
	p, err := view.NewCoverage(page(r, "sources", "coverage.title", "Name", c.Source.Name), c, "/staff/sources/"+c.Source.ID+"/coverage")
	if err != nil {
		return err
	}
	p.Wide, p.Inside, p.BackHref = true, true, "/staff/sources"
	return view.Render(w, r, http.StatusOK, "staff/coverage", p)
}
