package view

import "github.com/candor-archive/candor"

// Conversation puts the records of a thread in reading order: each comment is
// followed by what answers it, however late the answer came. Platforms list by
// time, which would set an answer below the wrong person's words. Records whose
// parent is not among them follow what they stood behind.
func Conversation(records []candor.Record) []candor.Record {
	among := make(map[string]bool, len(records))
	for _, r := range records {
		among[r.ID] = true
	}
	answers := map[string][]candor.Record{}
	var tops []candor.Record
	for _, r := range records {
		if r.ParentID != "" && r.ParentID != r.ID && among[r.ParentID] {
			answers[r.ParentID] = append(answers[r.ParentID], r)
		} else {
			tops = append(tops, r)
		}
	}
	out := make([]candor.Record, 0, len(records))
	put := map[string]bool{}
	var tell func(r candor.Record)
	tell = func(r candor.Record) {
		if put[r.ID] {
			return
		}
		put[r.ID] = true
		out = append(out, r)
		for _, a := range answers[r.ID] {
			tell(a)
		}
	}
	for _, r := range tops {
		tell(r)
	}
	for _, r := range records {
		tell(r) // parents that answer each other in a circle: nothing is left out
	}
	return out
}
