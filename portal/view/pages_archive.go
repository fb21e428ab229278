package view

import (
	"time"

	"github.com/candor-archive/candor"
)

// HomePage is the front page.
type HomePage struct {
	Page
	Counts candor.Counts
	Recent []Shot
}

// Shot is one capture as a small picture with its caption.
type Shot struct {
	Href  string
	Thumb string // address of the thumbnail; empty when there is none
	Title string
	Lang  string // of the title, when it is known
	Name  string // of the source
	At    time.Time
	State candor.Outcome
}

// SearchPage is the public archive's search.
type SearchPage struct {
	Page
	Query   candor.Query
	Hits    []Hit
	Total   int
	Took    time.Duration
	Filters []Filter
	Pages   []PageLink
	Empty   bool // the archive holds nothing yet
	Errors  []string
	HasFrom string // what was typed, even when it is not a date
	HasTo   string
	Active  bool // something narrows the search
}

// Filter is one select of the search form.
type Filter struct {
	Name    string // of the field; its label is search.filter.<Name>
	Options []Option
}

// Option is one choice with how many records it would leave.
type Option struct {
	Value    string
	Label    string
	Count    int
	Selected bool
}

// PageLink is one link of the pagination; N 0 is the gap.
type PageLink struct {
	N       int
	Href    string
	Current bool
	Rel     string // prev, next, or empty
}

// Hit is one record found.
type Hit struct {
	Href    string
	Thumb   string
	Record  candor.Record
	Source  candor.Source
	Snippet string
	At      time.Time // posted, or first seen
	Posted  bool      // At is when it was posted
}

// RecordPage is one record with its exhibit.
type RecordPage struct {
	Page
	Record      candor.Record
	Source      candor.Source
	Account     candor.Account
	Text        string
	TextLang    string
	Attachments []candor.Attachment
	Wordings    []Wording
	Thread      []Said
	RootHref    string // the post a comment belongs to; empty for a post or page
	Exhibit     *Exhibit
	PageText    string // words of a web page, from its capture
	PageLang    string // their language
	Captures    []CaptureRow
	AskHref     string
	Permanent   string
}

// Exhibit is the capture that is shown large.
type Exhibit struct {
	Capture    candor.Capture
	Href       string // page of the capture
	Screenshot string
	Text       string
	Twin       string // the page as structured HTML
	Width      int
	Height     int
	Alt        string
	Outline    *Outline // places that are marked on it; nil for none
	Phone      bool     // as seen on a phone, so shown no wider than one
}

// Wording is one revision with what changed since the one before.
type Wording struct {
	N        int
	SeenAt   time.Time
	EditedAt time.Time
	Parts    []DiffPart
	Photos   []candor.Attachment
}

// Said is one comment or reply below a post.
type Said struct {
	Record candor.Record
	Href   string
	Text   string
	Reply  bool
	To     string // author of the comment it answers; empty for what answers the post
	Lost   bool   // it answers a comment that is not public
}

// CaptureRow is one line of the list of captures.
type CaptureRow struct {
	Capture candor.Capture
	Href    string
	Shown   bool // the one shown large
}

// WithdrawnPage stands where a record was that is not public any more.
type WithdrawnPage struct {
	Page
	Record     candor.Record
	Source     candor.Source
	Tombstones []candor.Tombstone
	AskHref    string
	Permanent  string
}

// CapturePage is one capture with its four claims.
type CapturePage struct {
	Page
	Capture     candor.Capture
	Record      candor.Record
	RecordHref  string
	Source      candor.Source
	Manifest    candor.Manifest
	Artefacts   []candor.Artefact
	Claims      []Claim
	Entry       candor.EvidenceEntry
	Screenshot  *Exhibit
	Snapshot    string // page that shows the snapshot; empty when there is none
	ManifestAt  string
	TextAt      string
	Permanent   string
	Words       string // the text of the capture, cut short
	WordsCut    bool
	TitleLang   string // of the page's title
	Account     Account
	Tabs        []Tab      // the renditions; none when there is only one
	RenditionID string     // its id; empty for the capture proper
	Rendition   *Rendition // the further rendition that is shown; nil for the capture proper
	Find        string     // the words that were looked for
	NoPicture   string     // message id of why there is no picture; empty when there is one
	Original    *Original  // the file the address leads to, when it is not a page
}

// Tab leads to one rendition of a capture.
type Tab struct {
	Name    string
	Href    string
	Current bool
	Altered bool // not as visitors saw it
}

// Rendition is a further rendition of a capture.
type Rendition struct {
	ID      string // desktop, mobile, cleaned
	Name    string
	Altered bool
	Changes []string // what was done to the page, in the capture's own words
	Gaps    []GapLine
	Failed  bool
}

// Claim is one of the four claims a capture makes.
type Claim struct {
	ID     string // integrity, time, completeness, fidelity
	State  string // shown, not_shown, failed
	Reason string // message id of the plain words
	Data   map[string]any
}

// SnapshotPage shows the snapshot in a sandboxed frame of another origin.
type SnapshotPage struct {
	Page
	Capture     candor.Capture
	Source      candor.Source
	CaptureHref string
	Frame       string // address on the exhibits' origin, good for some minutes
}
