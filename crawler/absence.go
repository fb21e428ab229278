package crawler

import (
	"fmt"
	"time"

	"github.com/candor-archive/candor"
)

// suspicion is what is remembered of a record that was missed once: a complete
// listing did not have it, a direct look-up said gone, and the token was shown
// to work on another id. One such finding proves nothing yet.
type suspicion struct {
	First   time.Time `json:"first"` // of the poll that missed it
	Witness string    `json:"witness,omitempty"`
	// As is set when it was not said to be gone but could not be read: the state
	// that follows when it is found so again.
	As candor.RecordState `json:"as,omitempty"`
}

// finding is what one poll found out about a record that a complete listing
// did not have.
type finding struct {
	answerSHA string // the answer that said gone
	said      string // what it said, in words
	witness   string // the id that the same token could read afterwards
	unlisted  bool   // no listing goes back to it
}

// gap is how far apart two findings must lie to count as two: a poll repeated
// at once sees the same passing fault twice.
func gap(every time.Duration) time.Duration { return min(every/2, time.Minute) }

// missed weighs a finding. The first is remembered, the second makes the
// tombstone. It reports whether the record was buried.
func (l *ledger) missed(suspects map[string]suspicion, k candor.Known, f finding) bool {
	s, before := suspects[k.Record.UID]
	if !before || s.As != "" {
		suspects[k.Record.UID] = suspicion{First: l.at, Witness: f.witness}
		return false
	}
	if l.at.Sub(s.First) < max(gap(l.src.Every), time.Microsecond) {
		return false
	}
	delete(suspects, k.Record.UID)
	r := k.Record
	r.State, r.StateSince = candor.Deleted, s.First
	r.Visibility = candor.PublicNow(r.State, l.src.Public)
	how := "missing at %s and at %s; %s both times, while %s could be read with the same access"
	if f.unlisted {
		how = "older than what the platform lists, so looked for by itself at %s and at %s; %s both times, while %s could be read with the same access"
	}
	l.add(candor.Change{Record: r, Tombstone: &candor.Tombstone{
		ID: candor.NewID(), RecordID: r.ID, NotBefore: r.LastSeen, NotAfter: s.First, NoticedAt: l.at, AnswerSHA: f.answerSHA,
		How: fmt.Sprintf(how, stamp(s.First), stamp(l.at), f.said, f.witness),
	}})
	if r.ID != r.ThreadID && k.Record.State.Shown() {
		l.capture(r, whyDeleted)
	}
	return true
}

// unread weighs a look-up that neither gave the record nor called it gone. The
// second such in a row makes it unknown, which concludes nothing, or what the
// platform gave as the reason.
func (l *ledger) unread(suspects map[string]suspicion, k candor.Known, as candor.RecordState) {
	s, before := suspects[k.Record.UID]
	switch {
	case !before || s.As != as:
		suspects[k.Record.UID] = suspicion{First: l.at, As: as}
	case l.at.Sub(s.First) >= max(gap(l.src.Every), time.Microsecond):
		delete(suspects, k.Record.UID)
		l.stand(k, as, l.at)
	}
}

// lose makes a record unknown: what it hung on is gone, and whether it is gone
// itself cannot be shown.
func (l *ledger) lose(k candor.Known) { l.stand(k, candor.Unknown, l.at) }

// stand changes nothing of a record but how it stands.
func (l *ledger) stand(k candor.Known, state candor.RecordState, since time.Time) {
	r := k.Record
	r.State, r.StateSince = state, since
	r.Visibility = candor.PublicNow(r.State, l.src.Public)
	l.add(candor.Change{Record: r})
}

// clear drops suspicions against records that were sighted.
func (l *ledger) clear(suspects map[string]suspicion) {
	for uid := range suspects {
		if k, ok := l.byUID[uid]; ok && l.touched[k.Record.ID] {
			delete(suspects, uid)
		}
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
