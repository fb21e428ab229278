package fidelity

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures/pages"
	"github.com/candor-archive/candor/render/page"
)

// judged is what the judge found about one page.
type judged struct {
	page pages.Page
	lost string // why there is nothing to judge

	picture   string // our screenshot, while it is kept
	snapshot  string // the judge's picture of the snapshot
	reference string // the judge's picture of another visit; empty when it made none

	own, other Likeness // the snapshot, against our screenshot and against another visit
	shot       Likeness // our screenshot, against another visit
	visits     Likeness // two visits of the judge against each other, where something was not exact
	twice      bool     // visits was looked at
	text       string   // where the snapshot's text differs from another visit's, "" when it does not
	requests   []string
	manifest   candor.Manifest
}

// judge captures a page into dir and judges the capture. With visit it takes
// pictures of visits of its own to compare with, otherwise it only reads there.
func judge(ctx context.Context, j *Judge, r *page.Renderer, s *site, p pages.Page, dir string, visit bool) (*judged, error) {
	d := &judged{page: p}
	m, at, err := capture(ctx, r, s, p, dir)
	if err != nil {
		d.lost = err.Error()
		return d, nil
	}
	d.manifest = m
	v := m.Viewport
	d.picture = file(m, at, candor.Screenshot)
	snapshot := file(m, at, candor.Snapshot)
	switch {
	case m.Outcome == candor.Failed:
		d.lost = "the capture failed: " + m.Reason
		return d, nil
	case d.picture == "":
		d.lost = "there is no picture: " + m.Reason
		return d, nil
	case snapshot == "":
		d.lost = "there is no snapshot: " + m.Reason
		return d, nil
	}
	d.snapshot = filepath.Join(at, "judged-snapshot.png")
	offline, err := j.Open(ctx, v, snapshot, d.snapshot)
	if err != nil {
		d.lost = "the snapshot cannot be opened: " + err.Error()
		return d, nil
	}
	d.requests = offline.Requests
	if d.own, err = Compare(d.picture, d.snapshot); err != nil {
		return nil, err
	}
	if d.own.Kind() != Exact {
		// On a busy machine a frame may be drawn later than its page says it is
		// loaded. What differs twice differs.
		if offline, err = j.Open(ctx, v, snapshot, d.snapshot); err != nil {
			d.lost = "the snapshot cannot be opened again: " + err.Error()
			return d, nil
		}
		if d.own, err = Compare(d.picture, d.snapshot); err != nil {
			return nil, err
		}
	}
	if !visit {
		live, err := j.Read(ctx, v, m.Policy, s.URLs[p.Name])
		if err != nil {
			return nil, fmt.Errorf("the judge's own visit: %w", err)
		}
		d.text = Apart(live.Text, offline.Text)
		return d, nil
	}
	d.reference = filepath.Join(at, "judged-visit.png")
	live, err := j.Visit(ctx, v, m.Policy, s.URLs[p.Name], d.reference)
	if err != nil {
		return nil, fmt.Errorf("the judge's own visit: %w", err)
	}
	d.text = Apart(live.Text, offline.Text)
	if d.other, err = Compare(d.reference, d.snapshot); err != nil {
		return nil, err
	}
	if d.shot, err = Compare(d.reference, d.picture); err != nil {
		return nil, err
	}
	if d.other.Kind() == Exact && d.shot.Kind() == Exact {
		return d, nil
	}
	// What two visits do not share, no snapshot can have.
	again := filepath.Join(at, "judged-again.png")
	if _, err = j.Visit(ctx, v, m.Policy, s.URLs[p.Name], again); err != nil {
		return nil, fmt.Errorf("the judge's second visit: %w", err)
	}
	d.twice = true
	d.visits, err = Compare(d.reference, again)
	return d, err
}
