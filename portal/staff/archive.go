package staff

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/desk"
	"github.com/candor-archive/candor/portal/i18n"
	"github.com/candor-archive/candor/portal/view"
)

// ArchivePage searches everything, public or not.
type ArchivePage struct {
	view.Page
	Query    candor.Query
	Typed    map[string]string
	Results  candor.Results
	Bad      bool // the words could not be understood
	Sources  []candor.Source
	States   []candor.RecordState
	Kinds    []candor.RecordKind
	PrevHref string
	NextHref string
	First    int
	Last     int
}

var (
	allStates = candor.RecordStates
	allKinds  = []candor.RecordKind{candor.Post, candor.Comment, candor.Reply, candor.Story, candor.Page}
)

const perPage = 25

func (s *Pages) archive(w http.ResponseWriter, r *http.Request) error {
	if err := need(r, candor.MaySearchAll); err != nil {
		return err
	}
	p := ArchivePage{Page: page(r, "archive", "staff.archive.title"), States: allStates, Kinds: allKinds, Typed: map[string]string{}}
	p.Wide = true
	v := r.URL.Query()
	for _, name := range []string{"q", "state", "kind", "source", "from", "to"} {
		p.Typed[name] = strings.TrimSpace(v.Get(name))
	}
	p.Query = candor.Query{Text: p.Typed["q"], SourceID: p.Typed["source"], Visibility: candor.StaffOnly, PerPage: perPage, Page: 1}
	for _, x := range allStates {
		if string(x) == p.Typed["state"] {
			p.Query.State = x
		}
	}
	for _, x := range allKinds {
		if string(x) == p.Typed["kind"] {
			p.Query.Kind = x
		}
	}
	if d := candor.Date(p.Typed["from"]); d.Valid() {
		p.Query.From = d
	}
	if d := candor.Date(p.Typed["to"]); d.Valid() {
		p.Query.To = d
	}
	if n, err := strconv.Atoi(v.Get("page")); err == nil && n > 0 && n <= 1000 {
		p.Query.Page = n
	}
	var err error
	if p.Sources, err = s.Store.Sources(r.Context()); err != nil {
		return err
	}
	p.Results, err = s.Store.Search(r.Context(), p.Query)
	if candor.IsKind(err, candor.Invalid) {
		p.Bad = true
	} else if err != nil {
		return err
	}
	p.First, p.Last = (p.Query.Page-1)*perPage+1, (p.Query.Page-1)*perPage+len(p.Results.Hits)
	if p.Query.Page > 1 {
		p.PrevHref = turn(v, p.Query.Page-1)
	}
	if p.Last < p.Results.Total {
		p.NextHref = turn(v, p.Query.Page+1)
	}
	return view.Render(w, r, http.StatusOK, "staff/archive", p)
}

func turn(v url.Values, n int) string {
	v.Set("page", strconv.Itoa(n))
	v.Del("lang")
	return "/staff/archive?" + v.Encode()
}

// RecordPage is one record's whole life.
type RecordPage struct {
	view.Page
	View      candor.RecordView
	Wordings  []Wording
	Root      bool   // it is the root of its thread
	Standing  string // the capture that shows it: for what is gone, one from before
	Exhibit   *view.Exhibit
	NoPicture string                    // message id of why there is no picture of it
	Gaps      map[string][]view.GapLine // what is missing in a capture, by its id
	After     bool                      // there is none from before it was gone: the picture does not show it
	MayPublic bool                      // everyone sees it, so it has a public page
	Talk      []Turn                    // the whole thread in reading order, this record included
	Disagrees Disagreement              // of the newest capture and the platform's data
}

// Disagreement leads to a capture that contradicts the platform's data.
type Disagreement struct {
	Count int // in how many points; 0 when it does not
	Href  string
}

// disagreement says whether the newest capture contradicts the platform's data:
// on a comment's page, what it says of that comment.
func (s *Pages) disagreement(r *http.Request, v candor.RecordView) (Disagreement, error) {
	newest := slices.IndexFunc(v.Captures, func(c candor.Capture) bool { return c.Outcome != candor.Failed })
	if newest < 0 {
		return Disagreement{}, nil
	}
	id := v.Captures[newest].ID
	a, err := s.Store.Agreement(r.Context(), id)
	if candor.IsKind(err, candor.NotFound) {
		return Disagreement{}, nil
	}
	n := a.Mismatches
	if v.Record.ID != v.Record.ThreadID {
		n = a.About(v.Record.ID)
	}
	return Disagreement{Count: n, Href: "/staff/captures/" + id + "#agreement"}, err
}

// Turn is one record of a conversation.
type Turn struct {
	Record candor.Record
	Text   string
	To     string // author of the comment it answers; empty for what answers the post
	This   bool   // the record the page is about
}

// Wording is one revision with what changed since the one before.
type Wording struct {
	candor.Revision
	Parts       []view.DiffPart
	Attachments []candor.Attachment
}

// talk is the conversation a record belongs to: what was said and what answered
// it, side by side even when one of them is gone.
func talk(v candor.RecordView) []Turn {
	all := slices.Clone(v.Thread)
	at := len(all)
	for i, r := range all {
		if v.Record.ID == v.Record.ThreadID || r.ID != v.Record.ThreadID && r.PostedAt.After(v.Record.PostedAt) {
			at = i
			break
		}
	}
	all = slices.Insert(all, at, v.Record)
	authors := map[string]string{}
	for _, r := range all {
		authors[r.ID] = r.Author
	}
	var out []Turn
	for _, r := range view.Conversation(all) {
		turn := Turn{Record: r, Text: v.ThreadText[r.ID], This: r.ID == v.Record.ID}
		if turn.This && len(v.Revisions) > 0 {
			turn.Text = v.Revisions[0].Text
		}
		if r.ParentID != v.Record.ThreadID {
			turn.To = authors[r.ParentID]
		}
		out = append(out, turn)
	}
	return out
}

// Word is the plain word for one of the archive's own, or that word itself when
// the catalogue has none: connectors may bring new ones.
func (p RecordPage) Word(prefix, word string) string { return plainWord(p.Page, prefix, word) }

func plainWord(p view.Page, prefix, word string) string {
	if id := prefix + word; i18n.Has(id) {
		return p.T(id)
	}
	return word
}

// worded is how many captures that are not complete are explained on a record's
// page. The others are on their own pages.
const worded = 20

// gaps says what is missing in the captures that are not complete.
func (s *Pages) gaps(r *http.Request, p view.Page, captures []candor.Capture) map[string][]view.GapLine {
	out := map[string][]view.GapLine{}
	for _, c := range captures {
		if c.Outcome == candor.Complete || len(out) == worded {
			continue
		}
		cv, err := s.Store.Capture(r.Context(), c.ID)
		var m candor.Manifest
		if err == nil {
			err = s.decode(r, cv, "", candor.ManifestF, 16<<20, &m)
		}
		if err != nil {
			s.Log.Warn("read manifest of capture", "capture", c.ID, "err", err) // its own words are shown then
		}
		out[c.ID] = view.NewAccount(p, m, c).Gaps
	}
	return out
}

func (s *Pages) record(w http.ResponseWriter, r *http.Request) error {
	if err := need(r, candor.MaySearchAll); err != nil {
		return err
	}
	v, err := s.Store.Record(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	p := RecordPage{Page: page(r, "archive", "staff.record.title."+string(v.Record.Kind), "Who", v.Record.Author), View: v,
		Root: v.Record.ThreadID == v.Record.ID, MayPublic: v.Record.Visibility == candor.Public}
	p.Wide = true
	for i, rev := range v.Revisions {
		word := Wording{Revision: rev, Attachments: v.Attachments[rev.ID]}
		if i+1 < len(v.Revisions) {
			word.Parts = view.Diff(v.Revisions[i+1].Text, rev.Text)
		} else {
			word.Parts = []view.DiffPart{{Text: rev.Text}}
		}
		p.Wordings = append(p.Wordings, word)
	}
	if c := desk.Standing(v); c != nil {
		p.Standing, p.After = c.ID, desk.TakenAfter(v, *c)
		cv, err := s.Store.Capture(r.Context(), c.ID)
		if err != nil {
			return err
		}
		shown := CapturePage{Page: p.Page, View: cv, Find: view.LookedFor(r)}
		if p.Exhibit = s.exhibitOf(r, &shown, ""); p.Exhibit == nil {
			p.NoPicture = view.NoPicture(*c, nil)
		}
	}
	if p.Disagrees, err = s.disagreement(r, v); err != nil {
		return err
	}
	p.Gaps = s.gaps(r, p.Page, v.Captures)
	p.Talk = talk(v)
	return view.Render(w, r, http.StatusOK, "staff/record", p)
}
