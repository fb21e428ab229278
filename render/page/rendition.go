package page

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/proxy"
)

// extra runs one bounded thing that belongs to a capture but comes after the
// visit. However it ends, what the visit made stands.
func (s *session) extra(ctx context.Context, name string, limit time.Duration, do func(ctx context.Context) (string, error)) candor.StepOutcome {
	return s.step(ctx, name, func(ctx context.Context) (string, error) {
		ectx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		detail, err := do(ectx)
		if err != nil && (errors.Is(err, errHung) || ectx.Err() != nil) {
			// It is this tab that did not answer, not the visit's.
			err = fmt.Errorf("%w (limit %s): %v", errSlow, limit, err)
		}
		return detail, err
	})
}

// renditionGrace is what opening and closing tabs may take beyond a rendition's
// own limit.
const renditionGrace = 25 * time.Second

// rendition visits the address once more as another kind of visitor. Its files
// lie in a folder named after the profile, but for bodies, which all renditions
// of a capture share.
func (r *Renderer) rendition(ctx context.Context, s *session, have *borrowed, p candor.Profile) {
	name, dir := string(p), filepath.Join(s.dir, string(p))
	step := "rendition_" + name
	if s.doubts.fatal() {
		s.step(ctx, step, func(context.Context) (string, error) { return "the capture failed", errSkipped })
		return
	}
	spec := s.spec
	spec.Profile, spec.Also, spec.Cleaned = p, nil, false
	m := candor.Manifest{Version: 1, ID: spec.ID, URL: s.m.URL, FinalURL: s.m.URL, Profile: p, Policy: spec.Policy, Viewport: viewOf(spec),
		Started: candor.Moment(s.now())}
	m.Shot = m.Started
	var files []candor.File
	outcome := s.extra(ctx, step, s.limits.Rendition+renditionGrace, func(ctx context.Context) (string, error) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		lease, err := have.fresh(ctx, (*proxy.Proxy).Begin)
		if err != nil {
			return "", err
		}
		have.broken = true // until the visit ends well
		m.Started = candor.Moment(s.now())
		c := r.session(spec, dir, lease, &m)
		c.rendition, c.limits.Total = name, s.limits.Rendition
		if err := c.run(ctx); err != nil {
			return "", err
		}
		have.broken = c.hung
		files, err = s.adopt(name, m.Files)
		return m.Reason, err
	})
	if outcome != candor.StepDone {
		why := s.m.Steps[len(s.m.Steps)-1].Detail
		m.Outcome, m.Gaps, files = candor.Failed, []candor.Gap{{Code: candor.GapOther, Fatal: true, Text: why}}, nil
		m.Reason = why
		if err := os.RemoveAll(dir); err != nil {
			s.log.Error("remove an unfinished rendition", "error", err)
		}
	}
	if m.Outcome == candor.Failed {
		s.doubts.partial(candor.GapRendition, name, fmt.Sprintf("the %s rendition failed (%s)", name, m.Reason))
	}
	s.more = append(s.more, files...)
	s.m.Renditions = append(s.m.Renditions, account(name, m, nil))
}

// account is what a capture's manifest says of one of its renditions.
func account(name string, m candor.Manifest, altered []string) candor.RenditionAccount {
	if m.Steps == nil {
		m.Steps = []candor.Step{}
	}
	return candor.RenditionAccount{Name: name, Profile: m.Profile, Viewport: m.Viewport, UserAgent: m.UserAgent, Outcome: m.Outcome,
		FinalURL: m.FinalURL, HTTPStatus: m.HTTPStatus, PageHeight: m.PageHeight, Started: m.Started, Shot: m.Shot, Steps: m.Steps,
		Gaps: m.Gaps, Altered: altered}
}

// adopt enters the files of a rendition, which lie below its folder, among those
// of the capture. A body that the capture has already is kept once.
func (s *session) adopt(name string, files []candor.File) ([]candor.File, error) {
	known := map[string]bool{}
	for _, list := range [][]candor.File{s.m.Files, s.more} {
		for _, f := range list {
			known[f.Path] = true
		}
	}
	out := make([]candor.File, 0, len(files))
	for _, f := range files {
		f.Rendition = name
		if path.Dir(f.Path) != "bodies" {
			f.Path = path.Join(name, f.Path)
			out = append(out, f)
			continue
		}
		if known[f.Path] {
			continue
		}
		at := filepath.FromSlash(f.Path)
		if err := os.MkdirAll(filepath.Dir(filepath.Join(s.dir, at)), 0o755); err != nil {
			return nil, err
		}
		if err := os.Rename(filepath.Join(s.dir, name, at), filepath.Join(s.dir, at)); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, os.RemoveAll(filepath.Join(s.dir, name, "bodies"))
}
