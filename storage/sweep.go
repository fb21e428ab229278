package storage

import (
	"context"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/meta"
	"github.com/candor-archive/candor/storage/queue"
)

// ApplySweep applies everything one poll brought, in one transaction: answers,
// records with their revisions and tombstones, the evidence for them, what the
// index holds, the captures asked for, when the source is due next, what
// the day's log counts, and who is told that access was lost or is back.
//
// A record's visibility follows from its state and its source, not from what
// the sweep says. Whatever a platform withdrew is from the same moment not shown
// to everyone in earlier captures of its thread either.
func (s *Store) ApplySweep(ctx context.Context, sw candor.Sweep) error {
	if sw.At.IsZero() {
		sw.At = s.now()
	}
	meta.Settle(&sw)
	sizes, err := s.sizes(ctx, objectsOf(sw))
	if err != nil {
		return wrap(err, "apply a sweep")
	}
	return s.commit(ctx, "apply a sweep", func(ctx context.Context, t *txn) error {
		a := applying{store: s, txn: t, sweep: sw, sizes: sizes, withdrawn: map[string]bool{}, back: map[string]bool{}, counts: newCounts()}
		return a.apply(ctx)
	})
}

func objectsOf(sw candor.Sweep) []string {
	var shas []string
	for _, a := range sw.Answers {
		shas = append(shas, a.SHA)
	}
	for _, c := range sw.Changes {
		if c.Revision != nil {
			shas = append(shas, c.Revision.AnswerSHA)
		}
		for _, a := range c.Attachments {
			shas = append(shas, a.SHA)
		}
		if c.Tombstone != nil {
			shas = append(shas, c.Tombstone.AnswerSHA)
		}
	}
	return shas
}

// applying is one sweep on its way into the archive.
type applying struct {
	*txn
	store     *Store
	sweep     candor.Sweep
	sizes     map[string]int64 // of the objects it refers to
	source    candor.Source
	accountID string // under which the sweep's account is kept
	docs      []candor.Doc
	withdrawn map[string]bool // threads of which something went
	back      map[string]bool // threads of which something came back
	counts    counts
}

func (a *applying) apply(ctx context.Context) (err error) {
	sw := a.sweep
	if a.source, err = a.LockSource(ctx, sw.SourceID); err != nil {
		return err
	}
	roots := make([]string, len(sw.Changes))
	for i, c := range sw.Changes {
		roots[i] = thread(c.Record)
	}
	if err := a.LockThreads(ctx, roots); err != nil {
		return err
	}
	if sw.Account != nil {
		account := *sw.Account
		if account.ID == "" {
			account.ID = candor.NewID()
		}
		if account.FirstSeen.IsZero() {
			account.FirstSeen = sw.At
		}
		if a.accountID, err = a.SaveAccount(ctx, account); err != nil {
			return err
		}
	}
	for _, answer := range sw.Answers {
		if err := a.answer(ctx, answer); err != nil {
			return err
		}
	}
	for _, c := range sw.Changes {
		if err := a.change(ctx, c); err != nil {
			return wrap(err, "record "+c.Record.UID)
		}
	}
	if err := a.TouchRecords(ctx, sw.SourceID, sw.Seen, sw.At); err != nil {
		return err
	}
	if err := a.captures(ctx); err != nil {
		return err
	}
	if len(a.docs) > 0 {
		if err := a.store.index.Put(ctx, a.tx, a.docs...); err != nil {
			return wrap(err, "index what changed")
		}
	}
	if err := a.askCaptures(ctx); err != nil {
		return err
	}
	if sw.NextAt.IsZero() {
		a.sweep.NextAt = candor.Moment(sw.At.Add(a.source.Every))
	}
	if err := a.NotePoll(ctx, a.sweep, a.accountID); err != nil {
		return err
	}
	if err := a.logVisit(ctx); err != nil {
		return err
	}
	return a.watch(ctx)
}

func (a *applying) answer(ctx context.Context, x candor.Answer) error {
	if x.ID == "" {
		x.ID = candor.NewID()
	}
	x.SourceID, x.Size = a.sweep.SourceID, a.sizes[x.SHA]
	if x.FetchedAt.IsZero() {
		x.FetchedAt = a.sweep.At
	}
	if x.LastAt.Before(x.FetchedAt) {
		x.LastAt = x.FetchedAt
	}
	x.Times = max(x.Times, 1)
	return a.SaveAnswer(ctx, x)
}

// change applies what was learnt about one record.
func (a *applying) change(ctx context.Context, c candor.Change) error {
	if c.Record.ID == "" || c.Record.UID == "" {
		return candor.Errorf(candor.Invalid, "a changed record needs its id and UID")
	}
	old, err := a.Record(ctx, c.Record.ID)
	known := err == nil
	if err != nil && !candor.IsKind(err, candor.NotFound) {
		return err
	}
	if known && (old.UID != c.Record.UID || old.SourceID != a.sweep.SourceID) {
		return candor.Errorf(candor.Invalid, "the id belongs to another record")
	}
	var revisions []candor.Revision
	var tombstones []candor.Tombstone
	if known {
		if revisions, err = a.Revisions(ctx, old.ID); err != nil {
			return err
		}
		if tombstones, err = a.Tombstones(ctx, old.ID); err != nil {
			return err
		}
	}
	fresh := c.Revision != nil && (len(revisions) == 0 || c.Revision.ContentHash == "" || revisions[0].ContentHash != c.Revision.ContentHash)
	x := a.next(old, known, c.Record, len(revisions)+btoi(fresh))
	if x.State == candor.Deleted && c.Tombstone == nil && !standing(tombstones) {
		return candor.Errorf(candor.Invalid, "a record is deleted only on the evidence of a tombstone")
	}
	if known {
		err = a.UpdateRecord(ctx, x)
	} else {
		err = a.AddRecord(ctx, x)
	}
	if err != nil {
		return err
	}
	switch {
	case !known:
		a.counts.added[x.ID] = true
	case fresh && !a.counts.added[x.ID]:
		a.counts.edited[x.ID] = true
	}
	if fresh {
		v, err := a.revision(ctx, x.Record, *c.Revision, c.Attachments)
		if err != nil {
			return err
		}
		revisions = append([]candor.Revision{v}, revisions...)
	}
	if err := a.tombstones(ctx, x.Record, tombstones, c); err != nil {
		return err
	}
	if x.State.Withdrawn() && (!known || !old.State.Withdrawn()) {
		a.withdrawn[x.ThreadID] = true
		a.counts.withdrawn[x.ID] = true
	}
	if known && x.State.Shown() && !old.State.Shown() {
		a.back[x.ThreadID] = true
	}
	page, err := a.PageText(ctx, x.ID)
	if err != nil {
		return err
	}
	a.docs = append(a.docs, doc(x.Record, revisions, page))
	return nil
}

// next is the record's row after a change.
func (a *applying) next(old meta.Stored, known bool, r candor.Record, revisions int) meta.Stored {
	at := a.sweep.At
	r.SourceID = a.sweep.SourceID
	r.ThreadID = thread(r)
	r.Revisions = revisions
	if a.accountID != "" && (r.AccountID == "" || a.sweep.Account != nil && r.AccountID == a.sweep.Account.ID) {
		r.AccountID = a.accountID
	}
	if r.State == "" {
		r.State = candor.Live
	}
	if r.State == candor.Live && revisions > 1 {
		r.State = candor.Edited
	}
	r.Visibility = candor.PublicNow(r.State, a.source.Public)
	if !known {
		if r.FirstSeen.IsZero() {
			r.FirstSeen = at
		}
		if r.LastSeen.IsZero() {
			r.LastSeen = at
		}
		if r.StateSince.IsZero() {
			r.StateSince = at
		}
		return meta.Stored{Record: r, WasPublic: r.Visibility == candor.Public}
	}
	r.FirstSeen = old.FirstSeen
	if !r.LastSeen.After(old.LastSeen) {
		r.LastSeen = old.LastSeen
		if r.State.Present() {
			r.LastSeen = at // it was there to be changed
		}
	}
	switch {
	case r.State == old.State:
		r.StateSince = old.StateSince
	case !r.StateSince.After(old.StateSince):
		r.StateSince = at
	}
	return meta.Stored{Record: r, WasPublic: old.WasPublic || r.Visibility == candor.Public}
}

func (a *applying) revision(ctx context.Context, r candor.Record, v candor.Revision, attachments []candor.Attachment) (candor.Revision, error) {
	if v.ID == "" {
		v.ID = candor.NewID()
	}
	v.RecordID, v.N = r.ID, r.Revisions
	if v.SeenAt.IsZero() {
		v.SeenAt = a.sweep.At
	}
	list := make([]candor.Attachment, len(attachments))
	for i, x := range attachments {
		if x.ID == "" {
			x.ID = candor.NewID()
		}
		x.RevisionID, x.N, x.Size = v.ID, i+1, a.sizes[x.SHA]
		list[i] = x
	}
	if v.ContentHash == "" {
		v.ContentHash = candor.HashContent(v.Text, list)
	}
	a.cover(candor.EvidenceRevision, v.ID, v.EvidenceBody(list))
	return v, a.AddRevision(ctx, v, list)
}

// tombstones adds a record's tombstone or closes the one that stands.
func (a *applying) tombstones(ctx context.Context, r candor.Record, all []candor.Tombstone, c candor.Change) error {
	if c.Reappeared || r.State.Shown() {
		for _, x := range all {
			if !x.ClosedAt.IsZero() {
				continue
			}
			x.ClosedAt = a.sweep.At
			a.cover(candor.EvidenceTombstone, x.ID, x.EvidenceBody())
			if err := a.CloseTombstone(ctx, x.ID, x.ClosedAt); err != nil {
				return err
			}
		}
		return nil
	}
	if c.Tombstone == nil || standing(all) {
		return nil
	}
	x := *c.Tombstone
	if x.ID == "" {
		x.ID = candor.NewID()
	}
	x.RecordID = r.ID
	if x.NoticedAt.IsZero() {
		x.NoticedAt = a.sweep.At
	}
	a.cover(candor.EvidenceTombstone, x.ID, x.EvidenceBody())
	return a.AddTombstone(ctx, x)
}

// captures decides who may see earlier captures of the changed threads. They
// show what was on screen, so once anything in a thread is withdrawn they are
// for staff, until all of it is back. Captures begun later do not show it.
func (a *applying) captures(ctx context.Context) error {
	for root := range a.withdrawn {
		if err := a.SetThreadVisibility(ctx, root, candor.StaffOnly); err != nil {
			return err
		}
	}
	for root := range a.back {
		if a.withdrawn[root] {
			continue
		}
		to, err := a.threadVisibility(ctx, root, a.source.Public, time.Time{})
		if err != nil {
			return err
		}
		if to == candor.Public {
			if err := a.SetThreadVisibility(ctx, root, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// threadVisibility is who may see a picture of a thread that was begun at a
// moment. What was known to be withdrawn by then is not on it; anything
// withdrawn later may be.
func (t *txn) threadVisibility(ctx context.Context, root string, sourcePublic bool, begun time.Time) (candor.Visibility, error) {
	r, err := t.Record(ctx, root)
	if candor.IsKind(err, candor.NotFound) {
		return candor.StaffOnly, nil
	}
	if err != nil {
		return "", err
	}
	gone, err := t.Withdrawn(ctx, root, begun)
	if err != nil {
		return "", err
	}
	if gone > 0 {
		return candor.StaffOnly, nil
	}
	return candor.PublicNow(r.State, sourcePublic), nil
}

// askCaptures queues the captures a sweep asks for, but none for an address
// that already waits for one as urgent: a change must not stand behind the
// history of a new source.
func (a *applying) askCaptures(ctx context.Context) error {
	if len(a.sweep.Captures) == 0 {
		return nil
	}
	waiting, err := queue.Waiting[candor.CaptureJob](ctx, a.tx)
	if err != nil {
		return err
	}
	type key struct {
		url     string
		profile candor.Profile
	}
	soonest := make(map[key]int, len(waiting)) // the most urgent that waits
	for _, j := range waiting {
		k := key{j.Spec.URL, j.Spec.Profile}
		if p, ok := soonest[k]; !ok || j.Priority() < p {
			soonest[k] = j.Priority()
		}
	}
	for _, spec := range a.sweep.Captures {
		k, urgency := key{spec.URL, spec.Profile}, candor.CaptureJob{Spec: spec}.Priority()
		if p, ok := soonest[k]; ok && p <= urgency {
			continue
		}
		soonest[k] = urgency
		if spec.SourceID == "" {
			spec.SourceID = a.sweep.SourceID
		}
		if err := a.store.enqueueCapture(ctx, a.txn, spec); err != nil {
			return err
		}
	}
	return nil
}

func thread(r candor.Record) string {
	if r.ThreadID == "" {
		return r.ID
	}
	return r.ThreadID
}

func standing(all []candor.Tombstone) bool {
	for _, t := range all {
		if t.ClosedAt.IsZero() {
			return true
		}
	}
	return false
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
