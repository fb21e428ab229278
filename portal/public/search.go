package public

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
	"github.com/candor-archive/candor/portal/view"
)

const perPage = 20

// Search finds records in the public archive.
func (s *Pages) Search(w http.ResponseWriter, r *http.Request) error {
	page := view.SearchPage{Page: view.For(r, "search.title")}
	page.Section = "archive"
	q := readQuery(r, &page)
	found, err := s.Archive.Search(r.Context(), q)
	if candor.IsKind(err, candor.Invalid) {
		page.Errors = append(page.Errors, page.T("search.error.words"))
		found, err = candor.Results{}, nil
	}
	if err != nil {
		return err
	}
	names, err := s.sourceNames(r)
	if err != nil {
		return err
	}
	page.Query, page.Total, page.Took = q, found.Total, found.Took
	page.Active = q.Text != "" || q.Kind != "" || q.State != "" || q.SourceID != "" || q.Language != "" || q.From != "" || q.To != ""
	page.Hits = hits(r, found.Hits)
	page.Filters = filters(page.Page, q, found.Facets, names)
	page.Pages = pagination(r.URL, q.Page, found.Total)
	if !page.Active && found.Total == 0 {
		page.Empty = true
	}
	if q.Text != "" {
		page.Title = page.T("search.title_for", "Words", q.Text)
	}
	return view.Render(w, r, http.StatusOK, "archive", page)
}

func readQuery(r *http.Request, page *view.SearchPage) candor.Query {
	v := r.URL.Query()
	get := func(name string) string { return strings.TrimSpace(strings.ToValidUTF8(v.Get(name), "")) }
	q := candor.Query{
		Text:       get("q"),
		Kind:       candor.RecordKind(get("kind")),
		State:      candor.RecordState(get("state")),
		SourceID:   get("source"),
		Language:   get("language"),
		Sort:       get("sort"),
		Visibility: candor.Public,
		PerPage:    perPage,
	}
	if len([]rune(q.Text)) > 400 {
		q.Text = string([]rune(q.Text)[:400])
	}
	if !slices.Contains(kinds, string(q.Kind)) {
		q.Kind = ""
	}
	if !slices.Contains(states, string(q.State)) {
		q.State = ""
	}
	if q.Sort != "newest" && q.Sort != "oldest" {
		q.Sort = ""
	}
	page.HasFrom, page.HasTo = get("from"), get("to")
	for _, d := range []struct {
		typed string
		into  *candor.Date
		label string
	}{{page.HasFrom, &q.From, "search.from"}, {page.HasTo, &q.To, "search.to"}} {
		if d.typed == "" {
			continue
		}
		date, err := candor.ParseDate(d.typed)
		if err != nil {
			page.Errors = append(page.Errors, page.T("search.error.date", "Field", page.T(d.label)))
			continue
		}
		*d.into = date
	}
	if q.From != "" && q.To != "" && q.To < q.From {
		page.Errors = append(page.Errors, page.T("search.error.order"))
		q.From, q.To = q.To, q.From
	}
	q.Page, _ = strconv.Atoi(v.Get("page")) // anything else is the first page
	q.Page = min(max(q.Page, 1), 500)
	return q
}

var (
	kinds  = []string{string(candor.Post), string(candor.Comment), string(candor.Reply), string(candor.Story), string(candor.Page)}
	states = []string{string(candor.Live), string(candor.Edited)}
)

// hits turns what was found into what is shown, asking once more whether each
// may be seen.
func hits(r *http.Request, found []candor.Hit) []view.Hit {
	p := view.FrameOf(r.Context()).Principal
	var out []view.Hit
	for _, h := range found {
		if h.Record.Visibility != candor.Public || !candor.Allow(p, candor.MayRead, candor.Target{Visibility: h.Record.Visibility}) {
			continue
		}
		out = append(out, toHit(h, view.LookedFor(r)))
	}
	return out
}

// toHit leads to the record with what was looked for outlined on its picture.
func toHit(h candor.Hit, find string) view.Hit {
	v := view.Hit{Href: recordHref(h.Record.ID), Record: h.Record, Source: h.Source, Snippet: h.Snippet, At: h.Record.PostedAt, Posted: true}
	if v.At.IsZero() {
		v.At, v.Posted = h.Record.FirstSeen, false
	}
	if find != "" {
		v.Href += "?" + url.Values{"q": {find}}.Encode()
	}
	if h.CaptureID != "" {
		v.Thumb = captureHref(candor.Capture{ID: h.CaptureID, RecordID: h.Record.ThreadID}) + "/thumbnail.png"
	}
	return v
}

func filters(p view.Page, q candor.Query, facets map[string][]candor.Facet, names map[string]string) []view.Filter {
	counts := func(field string) map[string]int {
		m := map[string]int{}
		for _, f := range facets[field] {
			m[f.Value] = f.Count
		}
		return m
	}
	build := func(name, chosen string, values []string, label func(string) string) view.Filter {
		n := counts(name)
		f := view.Filter{Name: name, Options: []view.Option{{Label: p.T("search.any." + name), Selected: chosen == ""}}}
		for _, v := range values {
			if n[v] == 0 && v != chosen {
				continue
			}
			f.Options = append(f.Options, view.Option{Value: v, Label: label(v), Count: n[v], Selected: v == chosen})
		}
		return f
	}
	var ids []string
	for id := range names {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return strings.Compare(names[a], names[b]) })
	return []view.Filter{
		build("source", q.SourceID, ids, func(v string) string { return names[v] }),
		build("kind", string(q.Kind), kinds, func(v string) string { return p.T("kind." + v) }),
		build("state", string(q.State), states, func(v string) string { return p.T("state." + v) }),
		build("language", q.Language, i18n.Languages, func(v string) string { return p.T("lang." + v) }),
	}
}

// pagination links the pages around the current one, first and last included.
func pagination(u *url.URL, current, total int) []view.PageLink {
	last := (total + perPage - 1) / perPage
	if last < 2 {
		return nil
	}
	href := func(n int) string {
		v := u.Query()
		v.Set("page", strconv.Itoa(n))
		return u.Path + "?" + v.Encode()
	}
	var out []view.PageLink
	if current > 1 {
		out = append(out, view.PageLink{N: current - 1, Href: href(current - 1), Rel: "prev"})
	}
	gap := false
	for n := 1; n <= last; n++ {
		if n == 1 || n == last || n >= current-1 && n <= current+1 {
			out = append(out, view.PageLink{N: n, Href: href(n), Current: n == current})
			gap = false
		} else if !gap {
			out = append(out, view.PageLink{})
			gap = true
		}
	}
	if current < last {
		out = append(out, view.PageLink{N: current + 1, Href: href(current + 1), Rel: "next"})
	}
	return out
}
