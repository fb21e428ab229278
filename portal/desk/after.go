package desk

import "github.com/candor-archive/candor"

// TakenAfter reports whether a capture was begun after its record was first
// found gone or hidden, so that its picture cannot be expected to show it.
func TakenAfter(v candor.RecordView, c candor.Capture) bool {
	if !v.Record.State.Withdrawn() {
		return false
	}
	since := v.Record.StateSince
	for _, t := range v.Tombstones {
		if t.ClosedAt.IsZero() && !t.NotAfter.IsZero() {
			since = t.NotAfter
		}
	}
	return !c.StartedAt.Before(since)
}

// AfterGone reports whether the capture that stands for the record was begun
// after it was gone: the words answer the request then, the picture does not.
func (r Responsive) AfterGone() bool { return r.Capture != nil && TakenAfter(r.Record, *r.Capture) }
