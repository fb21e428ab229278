package crawler

import (
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/language"
	"github.com/candor-archive/candor/crawler/sighting"
)

// Why a capture is asked for.
const (
	whyNew     = "new"
	whyEdited  = "edited"
	whyHidden  = "hidden" // or shown again
	whyDeleted = "deleted"
	whyProof   = "proof" // it is due, nothing is known to have changed
)

// ledger compares sightings with what is known and collects what changed. It
// does no input or output.
type ledger struct {
	src       candor.Source
	accountID string
	at        time.Time

	byUID   map[string]candor.Known  // as they stand now, this poll's changes included
	byID    map[string]candor.Record // the same records
	touched map[string]bool          // record ids sighted in this poll
	changes []candor.Change
	seen    []string

	why   map[string]string // root record id -> why it is captured
	roots []string          // in the order they came up
}

func newLedger(src candor.Source, at time.Time) *ledger {
	return &ledger{
		src: src, accountID: src.AccountID, at: at,
		byUID: map[string]candor.Known{}, byID: map[string]candor.Record{}, touched: map[string]bool{}, why: map[string]string{},
	}
}

func (l *ledger) learn(k candor.Known) {
	if _, have := l.byUID[k.Record.UID]; have {
		return // ours is newer
	}
	l.byUID[k.Record.UID] = k
	l.byID[k.Record.ID] = k.Record
}

// sight takes a sighting. It gives the change it makes, to be completed by the
// caller before the next call (bytes of attachments), or nil when it makes
// none. A record is judged once in a poll: a listing that moves while it is
// read may show one twice.
func (l *ledger) sight(it sighting.Item) *candor.Change {
	k, have := l.byUID[it.UID]
	if have && l.touched[k.Record.ID] {
		return nil
	}
	if !have {
		r, ok := l.first(it)
		if !ok {
			return nil
		}
		c := candor.Change{Record: r, Revision: l.revision(it, r.ID, 1), Attachments: it.Attachments}
		if r.State.Shown() { // what only its owner sees changes no screen
			l.capture(r, whyNew)
		}
		return l.add(c)
	}

	r, was := k.Record, k.Record.State
	why := ""
	c := candor.Change{}
	if r.Revisions == 0 || candor.HashContent(it.Text, it.Attachments) != k.ContentHash {
		r.Revisions++
		c.Revision, c.Attachments = l.revision(it, r.ID, r.Revisions), it.Attachments
		if r.Revisions > 1 {
			why = whyEdited
			c.Revision.EditedAt = claimedEdit(it, k)
		}
		if g := languageOf(it); g != "" {
			r.Language = g
		}
	}
	r.State = standing(it.State, r.Revisions)
	switch {
	case k.HasOpenTomb || was == candor.Deleted:
		c.Reappeared = k.HasOpenTomb
		why = whyNew
	case was == candor.Held && r.State.Shown():
		why = whyNew
	case was.Shown() != r.State.Shown() && was != candor.Unknown && was != candor.NoAccess:
		why = whyHidden
	}
	r.LastSeen = l.at
	if r.State == was && c.Revision == nil && !c.Reappeared {
		l.again(r)
		return nil
	}
	if r.State != was {
		r.StateSince = l.at
	}
	if it.URL != "" {
		r.URL = it.URL
	}
	r.Visibility = candor.PublicNow(r.State, l.src.Public)
	c.Record = r
	if why != "" && (was.Shown() || r.State.Shown()) {
		l.capture(r, why)
	}
	return l.add(c)
}

// worded reports whether a sighting has words that the newest revision known
// does not have.
func (l *ledger) worded(it sighting.Item) bool {
	k, have := l.byUID[it.UID]
	if have && l.touched[k.Record.ID] {
		return false
	}
	return !have || candor.HashContent(it.Text, it.Attachments) != k.ContentHash
}

// unheard gives those of a record's earlier wordings that came after the
// newest one known.
func (l *ledger) unheard(it sighting.Item, earlier []sighting.Item) []sighting.Item {
	k := l.byUID[it.UID]
	for i := len(earlier) - 1; i >= 0; i-- {
		if k.ContentHash == candor.HashContent(earlier[i].Text, earlier[i].Attachments) {
			return earlier[i+1:]
		}
	}
	return earlier
}

// told takes an earlier wording that the platform tells afterwards. The
// sighting of the present one must follow. Nothing is taken when the record
// cannot be made.
func (l *ledger) told(it sighting.Item) *candor.Change {
	k, have := l.byUID[it.UID]
	r := k.Record
	if !have {
		var ok bool
		if r, ok = l.first(it); !ok {
			return nil
		}
		r.Revisions = 0
	}
	r.Revisions++
	c := candor.Change{Record: r, Revision: l.revision(it, r.ID, r.Revisions), Attachments: it.Attachments}
	c.Revision.EditedAt = candor.Moment(it.UpdatedAt)
	if have && r.State.Shown() {
		c.Record.State = standing("", r.Revisions)
	}
	added := l.add(c)
	delete(l.touched, r.ID) // the present wording is still to come
	return added
}

// unchanged takes the word of a server that a record is as it was.
func (l *ledger) unchanged(k candor.Known) {
	r := k.Record
	if l.touched[r.ID] {
		return
	}
	r.LastSeen = l.at
	now := standing("", r.Revisions)
	if r.State == now && !k.HasOpenTomb {
		l.again(r)
		return
	}
	r.State, r.StateSince = now, l.at
	r.Visibility = candor.PublicNow(r.State, l.src.Public)
	l.capture(r, whyNew)
	l.add(candor.Change{Record: r, Reappeared: k.HasOpenTomb})
}

func (l *ledger) again(r candor.Record) {
	l.touch(r)
	l.seen = append(l.seen, r.ID)
}

// unworded makes the record of something whose words could not be had: a
// browser may still show it.
func (l *ledger) unworded(it sighting.Item) {
	r, ok := l.first(it)
	if !ok {
		return
	}
	r.Revisions = 0
	l.capture(r, whyNew)
	l.add(candor.Change{Record: r})
}

// first makes the record of something never seen before. It is not made when
// the thread it belongs to is not known: it would hang in the air.
func (l *ledger) first(it sighting.Item) (candor.Record, bool) {
	r := candor.Record{
		ID: candor.NewID(), SourceID: l.src.ID, AccountID: l.accountID, UID: it.UID, Kind: it.Kind,
		AuthorID: it.AuthorID, Author: it.Author, ByAgency: it.ByAgency, URL: it.URL, Language: languageOf(it),
		State: standing(it.State, 1), Revisions: 1, PostedAt: candor.Moment(it.PostedAt),
		FirstSeen: l.at, LastSeen: l.at, StateSince: l.at,
	}
	r.Visibility = candor.PublicNow(r.State, l.src.Public)
	if it.RootUID == it.UID {
		r.ThreadID = r.ID
		return r, true
	}
	root, ok := l.byUID[it.RootUID]
	if !ok {
		return r, false
	}
	r.ThreadID, r.ParentID = root.Record.ID, root.Record.ID
	if parent, ok := l.byUID[it.ParentUID]; ok {
		r.ParentID = parent.Record.ID
	}
	return r, true
}

func (l *ledger) revision(it sighting.Item, recordID string, n int) *candor.Revision {
	rev := &candor.Revision{
		ID: candor.NewID(), RecordID: recordID, N: n, Text: it.Text, HTML: it.HTML,
		ContentHash: candor.HashContent(it.Text, it.Attachments), SeenAt: l.at, How: it.How, AnswerSHA: it.AnswerSHA,
	}
	for i := range it.Attachments {
		it.Attachments[i].RevisionID = rev.ID
	}
	return rev
}

// claimedEdit gives when the platform says an edit was made. A post's time of
// change also moves for other reasons, so it is believed only where an edit
// can lie: after we last saw the old wording.
func claimedEdit(it sighting.Item, k candor.Known) time.Time {
	if it.UpdatedAt.After(k.Record.LastSeen) {
		return candor.Moment(it.UpdatedAt)
	}
	return time.Time{}
}

func languageOf(it sighting.Item) string {
	if it.Language != "" {
		return it.Language
	}
	return language.Guess(it.Text)
}

func standing(said candor.RecordState, revisions int) candor.RecordState {
	switch {
	case said != "":
		return said
	case revisions > 1:
		return candor.Edited
	}
	return candor.Live
}

func (l *ledger) add(c candor.Change) *candor.Change {
	k := candor.Known{Record: c.Record, ContentHash: l.byUID[c.Record.UID].ContentHash}
	if c.Revision != nil {
		k.ContentHash = c.Revision.ContentHash
	}
	l.byUID[c.Record.UID] = k
	l.touch(c.Record)
	l.changes = append(l.changes, c)
	return &l.changes[len(l.changes)-1]
}

func (l *ledger) touch(r candor.Record) {
	l.byID[r.ID] = r
	l.touched[r.ID] = true
}

// strength orders reasons: the page is captured once, for the strongest.
var strength = map[string]int{whyProof: 0, whyNew: 1, whyEdited: 2, whyHidden: 3, whyDeleted: 4}

// capture asks for the page that shows a record: the root of its thread.
func (l *ledger) capture(r candor.Record, why string) {
	old, asked := l.why[r.ThreadID]
	if !asked {
		l.roots = append(l.roots, r.ThreadID)
	}
	if !asked || strength[why] > strength[old] {
		l.why[r.ThreadID] = why
	}
	if asked && r.ID != r.ThreadID && l.rootIsNew(r.ThreadID) {
		l.why[r.ThreadID] = whyNew // everything on a new page is new
	}
}

func (l *ledger) rootIsNew(id string) bool {
	r, ok := l.byID[id]
	return ok && r.FirstSeen.Equal(l.at)
}

// specs gives the captures to be made. A page whose root is gone is left out:
// a picture of "this is not available" proves little.
func (l *ledger) specs() []candor.CaptureSpec {
	var out []candor.CaptureSpec
	for _, id := range l.roots {
		root, ok := l.byID[id]
		if !ok || root.URL == "" || root.State == candor.Deleted || root.State == candor.Unknown || root.State == candor.Expired {
			continue
		}
		if !root.State.Shown() && l.why[id] != whyHidden {
			continue // no visitor sees what changed on it
		}
		out = append(out, candor.CaptureSpec{
			ID: candor.NewID(), URL: root.URL, Profile: candor.Desktop, Policy: candor.PolicyScroll,
			SourceID: l.src.ID, RecordID: root.ID, Why: l.why[id], ScheduledAt: l.at,
			History: l.src.LastPollAt.IsZero(),
		})
	}
	return out
}
