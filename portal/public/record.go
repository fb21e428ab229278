package public

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/view"
)

// Record shows one record, the exhibit first; or, when it is no longer public,
// the page that stands in its place.
func (s *Pages) Record(w http.ResponseWriter, r *http.Request) error {
	v, err := s.Archive.Record(r.Context(), r.PathValue("record"))
	if err != nil {
		return err
	}
	ask := "/requests/new?about=" + url.QueryEscape(v.Record.ID)
	permanent := s.BaseURL + recordHref(v.Record.ID)
	principal := view.FrameOf(r.Context()).Principal
	if v.Record.Visibility != candor.Public || !candor.Allow(principal, candor.MayRead, candor.Target{Visibility: v.Record.Visibility}) {
		page := view.WithdrawnPage{Page: view.For(r, "withdrawn.title"), Record: v.Record, Source: v.Source,
			Tombstones: v.Tombstones, AskHref: ask, Permanent: permanent}
		page.Section, page.NoIndex = "archive", true
		return view.Render(w, r, http.StatusGone, "withdrawn", page)
	}
	page := view.RecordPage{Page: view.For(r, "record.title."+string(v.Record.Kind), "Who", who(v)), Record: v.Record, Source: v.Source,
		Account: v.Account, TextLang: v.Record.Language, AskHref: ask, Permanent: permanent}
	page.Section, page.Wide = "archive", true
	wordings(&page, v)
	page.Thread = said(v)
	if v.Record.ThreadID != v.Record.ID && v.Record.ThreadID != "" {
		page.RootHref = recordHref(v.Record.ThreadID)
		page.Thread = nil // they are shown with their post
	}
	if err := s.captures(r, &page, v); err != nil {
		return err
	}
	return view.Render(w, r, http.StatusOK, "record", page)
}

// said is what was answered to a post, each answer below the words it answers.
func said(v candor.RecordView) []view.Said {
	var public []candor.Record
	authors := map[string]string{}
	for _, t := range v.Thread {
		if t.Visibility == candor.Public && t.ID != v.Record.ThreadID {
			public = append(public, t)
			authors[t.ID] = t.Author
		}
	}
	var out []view.Said
	for _, t := range view.Conversation(public) {
		one := view.Said{Record: t, Href: recordHref(t.ID), Text: v.ThreadText[t.ID], Reply: t.Kind == candor.Reply}
		if t.ParentID != "" && t.ParentID != v.Record.ThreadID {
			author, shown := authors[t.ParentID]
			one.To, one.Lost = author, !shown
		}
		out = append(out, one)
	}
	return out
}

func who(v candor.RecordView) string {
	switch {
	case v.Record.Author != "":
		return v.Record.Author
	case v.Record.ByAgency && v.Account.Name != "":
		return v.Account.Name
	}
	return v.Source.Name
}

// compared is how many wordings are compared with the one before. A page that
// changes at every visit has thousands, and anyone may ask for it at any time.
const compared = 30

// wordings fills in the newest words and, when there were others, what changed
// from each to the next.
func wordings(page *view.RecordPage, v candor.RecordView) {
	if len(v.Revisions) == 0 {
		return
	}
	page.Text = v.Revisions[0].Text
	page.Attachments = v.Attachments[v.Revisions[0].ID]
	if len(v.Revisions) == 1 {
		return
	}
	for i, rev := range v.Revisions {
		word := view.Wording{N: rev.N, SeenAt: rev.SeenAt, EditedAt: rev.EditedAt, Photos: v.Attachments[rev.ID]}
		if i+1 < len(v.Revisions) && i < compared {
			word.Parts = view.Diff(v.Revisions[i+1].Text, rev.Text)
		} else {
			word.Parts = []view.DiffPart{{Text: rev.Text}}
		}
		page.Wordings = append(page.Wordings, word)
	}
}

// captures lists what there is and picks the newest that came out for the
// exhibit.
func (s *Pages) captures(r *http.Request, page *view.RecordPage, v candor.RecordView) error {
	for _, c := range v.Captures {
		if !readable(r, c) {
			continue
		}
		row := view.CaptureRow{Capture: c, Href: captureHref(c)}
		if page.Exhibit == nil && c.Outcome != candor.Failed {
			cv, err := s.Archive.Capture(r.Context(), c.ID)
			if err != nil {
				return err
			}
			page.Exhibit = s.exhibitOf(r, page.Page, cv, "", view.LookedFor(r))
			row.Shown = page.Exhibit != nil
			if row.Shown && v.Record.Kind == candor.Page {
				page.PageText, page.PageLang = s.words(r, c.ID, 20_000), v.Record.Language
			}
		}
		page.Captures = append(page.Captures, row)
	}
	return nil
}

// words reads the beginning of a capture's text. Text that cannot be read is
// left out: the page is complete without it and the link to it stays.
func (s *Pages) words(r *http.Request, captureID string, most int64) string {
	body, _, err := s.Archive.OpenArtefact(r.Context(), captureID, candor.Text)
	if err != nil {
		if !candor.IsKind(err, candor.NotFound) {
			s.Log.Warn("read text of capture", "capture", captureID, "err", err)
		}
		return ""
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, most))
	if err != nil {
		s.Log.Warn("read text of capture", "capture", captureID, "err", err)
		return ""
	}
	return strings.ToValidUTF8(string(b), "")
}

func firstOf(s ...string) string {
	for _, x := range s {
		if x != "" {
			return x
		}
	}
	return ""
}
