package candor

import (
	"slices"
	"time"
)

// Query asks the archive for records. Words must all occur; a phrase stands in
// double quotes; a leading minus excludes.
type Query struct {
	Text       string
	Kind       RecordKind
	State      RecordState
	SourceID   string
	Language   string
	From, To   Date           // posted or first seen, agency's days, both included
	Zone       *time.Location // the agency's, by which From and To are days; storage sets it; UTC when nil
	Visibility Visibility     // Public: only what everyone may see; StaffOnly: everything
	Sort       string         // "" newest first for an empty Text, best first otherwise; "newest", "oldest"
	Page       int            // from 1
	PerPage    int            // at most 100; 20 when zero
}

// Hit is one record found. Snippet marks the words found with the runes
// SnippetOpen and SnippetClose; everything else in it is plain text.
type Hit struct {
	Record    Record
	Snippet   string
	Source    Source
	CaptureID string // its newest capture this reader may see; empty when none
}

// SnippetOpen and SnippetClose enclose the words that were found.
const (
	SnippetOpen  = '\u2402'
	SnippetClose = '\u2403'
)

// Facet is one value of a field with how many of the found records have it.
type Facet struct {
	Value string
	Count int
}

// Results is one page of what was found, with exact totals.
type Results struct {
	Hits   []Hit
	Total  int
	Facets map[string][]Facet // kind, state, source, language
	Took   time.Duration
}

// Doc is what the index holds of one record.
type Doc struct {
	RecordID   string
	Kind       RecordKind
	State      RecordState
	SourceID   string
	Language   string
	Visibility Visibility
	Author     string
	Time       time.Time // posted, or first seen
	Text       string    // every wording, newest first
}

// RecordView is one record with all the archive knows of it.
type RecordView struct {
	Record      Record
	Source      Source
	Account     Account
	Revisions   []Revision              // newest first
	Attachments map[string][]Attachment // by revision id
	Tombstones  []Tombstone
	Captures    []Capture         // of the record and of its thread's root, newest first
	Thread      []Record          // the others of its thread, oldest first
	ThreadText  map[string]string // newest wording of those, by record id
}

// CaptureView is one capture with what belongs to it.
type CaptureView struct {
	Capture   Capture
	Artefacts []Artefact
	Record    Record // zero when made by hand
	Source    Source
	Entry     EvidenceEntry
}

// Artefact gives the capture proper's artefact of a kind.
func (v CaptureView) Artefact(kind ArtefactKind) (Artefact, bool) { return v.Rendition("", kind) }

// Rendition finds the artefact of a kind that belongs to a further rendition;
// the capture proper's when the name is empty.
func (v CaptureView) Rendition(name string, kind ArtefactKind) (Artefact, bool) {
	for _, a := range v.Artefacts {
		if a.Kind == kind && a.Rendition == name {
			return a, true
		}
	}
	return Artefact{}, false
}

// Renditions names the further renditions that have files, in the manifest's
// order.
func (v CaptureView) Renditions() []string {
	var names []string
	for _, a := range v.Artefacts {
		if a.Rendition != "" && !slices.Contains(names, a.Rendition) {
			names = append(names, a.Rendition)
		}
	}
	return names
}

// Counts says how much the public archive holds.
type Counts struct {
	Records  int
	Captures int
	Today    int // captures committed since midnight, agency's day
	Sources  int
	Latest   time.Time // when the newest capture was committed
}
