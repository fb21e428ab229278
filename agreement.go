package candor

import (
	"slices"
	"time"
)

// AgreementMethod is the version of the comparison that CompareScreen makes. It
// is kept with what came out, so that a later method can be told from this one.
const AgreementMethod = 1

// Match says how something the platform's data holds stands on the screen.
type Match string

// The matches. Only MatchPart, MatchOld, MatchAbsent and MatchFewer speak
// against the screen or the data; whatever is doubtful is MatchUnknown.
const (
	MatchFound    Match = "found"
	MatchCut      Match = "cut"       // its beginning is, and the rest waits behind an ellipsis or "See more"
	MatchPart     Match = "part"      // in another wording
	MatchOld      Match = "old"       // in an earlier wording
	MatchAbsent   Match = "absent"    // not there, or something that contradicts it
	MatchFewer    Match = "fewer"     // the page counts fewer comments
	MatchMore     Match = "more"      // the page counts more, as it may: some came since, or the data never has them
	MatchNotShown Match = "not_shown" // the page says nothing of it
	MatchUnknown  Match = "unknown"   // cannot be told
)

// FindingKind says what a comparison of screen and data found.
type FindingKind string

// The findings. All but the last two are mismatches.
const (
	FoundWithdrawn FindingKind = "withdrawn" // words that are not shown to everyone, by the data, stand on the page
	FoundOld       FindingKind = "old"       // an earlier wording stands on the page in place of the present one
	FoundDiffering FindingKind = "differing" // the page has another wording
	FoundAbsent    FindingKind = "absent"    // the words of the post are not on the page
	FoundAuthor    FindingKind = "author"    // the author's name is not on the page
	FoundTime      FindingKind = "time"      // the page gives another time
	FoundFewer     FindingKind = "fewer"     // the page counts fewer comments
	FoundMissing   FindingKind = "missing"   // a comment is not on the page, although the page shows all it counts
	FoundMore      FindingKind = "more"      // the page counts more comments
	FoundNotShown  FindingKind = "not_shown" // a comment is not on the part of the thread that the page shows
)

// Mismatch reports whether the finding says that data and screen contradict
// each other.
func (k FindingKind) Mismatch() bool { return k != FoundMore && k != FoundNotShown }

// AgreementFinding is one thing found, with both sides as they are.
type AgreementFinding struct {
	Kind     FindingKind `json:"kind"`
	RecordID string      `json:"record"`
	What     RecordKind  `json:"what"`             // of the record
	State    RecordState `json:"state"`            // of the record, when the capture began
	Author   string      `json:"author,omitempty"` // of the record; empty when withheld
	Language string      `json:"lang,omitempty"`   // of the record
	Data     string      `json:"data,omitempty"`   // what the platform's data says, cut short; a number of comments, a time as in RFC 3339
	Screen   string      `json:"screen,omitempty"` // what the page shows there, cut short
	Share    int         `json:"share,omitempty"`  // percent of the words that stand on the page in order, for FoundDiffering
}

// agreementFindings is how many findings are kept with a capture.
const agreementFindings = 200

// Agreement is what came out when the words of a captured page were compared
// with what the platform's API had said of the thread by then. Neither side is
// taken to be right.
type Agreement struct {
	CaptureID  string
	Method     int
	Words      Match  // of the thread's root
	Share      int    // percent of the root's words that stand on the page in order
	Author     Match  // of the root
	Posted     Match  // when the root was posted
	Comments   Match  // how many there are
	Counted    string // how many the page says there are, as it says so; empty when it does not
	Known      int    // comments that the data calls shown to everyone
	Found      int    // of them, those whose words are on the page
	NotShown   int    // of them, those the page does not show, as on a long thread
	Unsure     int    // of them, those too short or without words to look for
	Old        int    // of them, those in an earlier wording
	Differing  int    // of them, those in another wording
	Missing    int    // of them, those the page lacks although it shows all it counts
	Withdrawn  int    // records not shown to everyone, by the data, whose words are on the page
	Mismatches int    // findings that are mismatches, kept or not
	Findings   []AgreementFinding
	Unlisted   int // findings that were not kept, since there are too many
}

// About counts the mismatches among the findings kept that are about a record.
func (a Agreement) About(recordID string) int {
	n := 0
	for _, f := range a.Findings {
		if f.RecordID == recordID && f.Kind.Mismatch() {
			n++
		}
	}
	return n
}

// Screen is what a capture shows, in words.
type Screen struct {
	Words   string // in reading order
	Cut     bool   // only their beginning is there
	At      time.Time
	Zone    *time.Location // of the agency; UTC when nil
	Shown   []Shown        // how much of the thread is on the page, by its own count
	Partial bool           // something of the page is missing
}

// Told is what the platform's API had said of one record by some moment.
type Told struct {
	ID       string
	Kind     RecordKind
	Author   string
	Also     []string // other names its author goes by, such as the handle
	Language string
	State    RecordState
	PostedAt time.Time
	Wordings []string // the present one first
}

// ToldAt is a record as it was known at a moment; false when it was not known
// yet. How it stood then is Unknown when its state has changed since.
func ToldAt(r Record, revisions []Revision, at time.Time) (Told, bool) {
	if r.FirstSeen.After(at) {
		return Told{}, false
	}
	t := Told{ID: r.ID, Kind: r.Kind, Author: r.Author, Language: r.Language, State: r.State, PostedAt: r.PostedAt}
	if r.StateSince.After(at) {
		t.State = Unknown
	}
	known := slices.DeleteFunc(slices.Clone(revisions), func(v Revision) bool { return v.SeenAt.After(at) })
	slices.SortFunc(known, func(a, b Revision) int { return b.N - a.N })
	for _, v := range known {
		t.Wordings = append(t.Wordings, v.Text)
	}
	return t, true
}

// CompareScreen looks for a thread's records in the words of a captured page.
// The words survive what screens do to them: white space, case, quotation
// marks, emoji drawn as pictures, shortened links and cuts behind "See more".
// It accuses only when the words leave no doubt.
func CompareScreen(s Screen, root Told, comments []Told) Agreement {
	if s.Zone == nil {
		s.Zone = time.UTC
	}
	c := comparing{screen: s, page: readPage(s.Words), root: root, comments: comments, names: map[string][]int{},
		out: Agreement{Method: AgreementMethod, Words: MatchUnknown, Author: MatchUnknown, Posted: MatchUnknown, Comments: MatchUnknown}}
	if len(c.page.ids) == 0 {
		return c.out
	}
	at := c.post()
	for _, x := range comments {
		c.comment(x)
	}
	c.differing()
	if root.State.Shown() {
		c.author(at)
		c.posted(at)
		c.count()
	}
	c.unshown()
	return c.done()
}

// similar is a comment that seems to stand on the page in another wording.
type similar struct {
	told Told
	at   spot
}

// comparing is one comparison under way.
type comparing struct {
	screen   Screen
	page     *pageWords
	root     Told
	comments []Told
	names    map[string][]int // ends of where a name stands, by name
	joined   []string         // see explained
	spans    [][2]int         // where records were found
	said     []bool           // see inRecord
	absent   []Told           // comments that are not on the page
	similar  []similar        // comments in other wordings
	findings []AgreementFinding
	out      Agreement
}

func (c *comparing) find(kind FindingKind, t Told, data, screen string, share int) {
	c.findings = append(c.findings, AgreementFinding{Kind: kind, RecordID: t.ID, What: t.Kind, State: t.State, Author: t.Author,
		Language: t.Language, Data: data, Screen: screen, Share: share})
}

// post compares the words of the root and says where it stands.
func (c *comparing) post() spot {
	t := c.root
	if t.State.Withdrawn() {
		// It should not be there; its words may be quoted by what is.
		c.out.Words = MatchNotShown
		c.withdrawn(t)
		return spot{}
	}
	at := c.look(t, rootShare)
	c.out.Words, c.out.Share = at.match, at.share
	if !t.State.Shown() && at.match != MatchFound && at.match != MatchCut {
		c.out.Words, c.out.Share = MatchUnknown, 0 // it may have changed while the page was visited
		return at
	}
	switch at.match {
	case MatchAbsent:
		if c.screen.Cut || c.page.has(translated) || c.folded(t) {
			c.out.Words = MatchUnknown
			break
		}
		c.find(FoundAbsent, t, at.data, "", 0)
	case MatchPart:
		if c.page.has(translated) {
			c.out.Words, c.out.Share = MatchUnknown, 0
			break
		}
		c.find(FoundDiffering, t, at.data, at.screen, at.share)
	case MatchOld:
		c.find(FoundOld, t, at.data, at.screen, 0)
	}
	return at
}

// comment compares the words of one comment.
func (c *comparing) comment(t Told) {
	if t.State.Withdrawn() {
		c.withdrawn(t)
		return
	}
	if !t.State.Shown() {
		return
	}
	c.out.Known++
	switch at := c.look(t, commentShare); at.match {
	case MatchFound, MatchCut:
		c.out.Found++
	case MatchOld:
		c.out.Old++
		c.find(FoundOld, t, at.data, at.screen, 0)
	case MatchPart:
		c.similar = append(c.similar, similar{t, at})
	case MatchAbsent:
		c.absent = append(c.absent, t)
	default:
		c.out.Unsure++
	}
}

// differing tells comments in another wording from those that only resemble what
// is there: another comment of the same author, perhaps, on a page that does not
// show all.
func (c *comparing) differing() {
	long, foreign := c.page.has(longer), c.page.has(translated)
	for i, x := range c.similar {
		meets := func(start, end int) bool { return start < x.at.end && x.at.start < end }
		other := slices.ContainsFunc(c.spans, func(s [2]int) bool { return meets(s[0], s[1]) })
		for j, y := range c.similar {
			other = other || i != j && meets(y.at.start, y.at.end) // one place cannot be two comments
		}
		switch {
		case foreign:
			c.out.Unsure++
		case long || other:
			c.absent = append(c.absent, x.told)
		default:
			c.out.Differing++
			c.find(FoundDiffering, x.told, x.at.data, x.at.screen, x.at.share)
		}
	}
}

// withdrawn looks for words that are not shown to everyone, by the data.
func (c *comparing) withdrawn(t Told) {
	for _, text := range t.Wordings {
		w := c.page.want(text)
		at, ok := c.surely(w, t)
		if !ok || c.explained(w, t) {
			continue
		}
		c.out.Withdrawn++
		c.spans = append(c.spans, [2]int{at, at + len(w.ids)})
		c.find(FoundWithdrawn, t, w.quote(0, len(w.ids)-1), c.page.quote(at, at+len(w.ids)-1), 0)
		return
	}
}

// unshown tells the comments that a thread merely does not show from those it
// lacks: only where the page shows as many as it counts is one missing.
func (c *comparing) unshown() {
	all, ok := c.whole()
	kind, n := FoundNotShown, &c.out.NotShown
	if ok && len(c.absent) > 0 && all <= c.out.Found+c.out.Unsure+c.out.Old+c.out.Differing {
		kind, n = FoundMissing, &c.out.Missing
	}
	for _, t := range c.absent {
		*n++
		w := c.page.want(t.Wordings[0])
		c.find(kind, t, w.quote(0, len(w.ids)-1), "", 0)
	}
}

// done orders the findings, the gravest first, and keeps as many as there is
// room for.
func (c *comparing) done() Agreement {
	order := []FindingKind{FoundWithdrawn, FoundOld, FoundDiffering, FoundAbsent, FoundAuthor, FoundTime, FoundFewer, FoundMissing, FoundMore, FoundNotShown}
	slices.SortStableFunc(c.findings, func(a, b AgreementFinding) int {
		return slices.Index(order, a.Kind) - slices.Index(order, b.Kind)
	})
	for _, f := range c.findings {
		if f.Kind.Mismatch() {
			c.out.Mismatches++
		}
	}
	kept := min(len(c.findings), agreementFindings)
	c.out.Findings, c.out.Unlisted = c.findings[:kept:kept], len(c.findings)-kept
	return c.out
}
