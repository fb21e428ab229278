package page

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/candor-archive/candor"
)

// cleanJS is a function that takes the list of consent.json, clears the page of
// what asks for consent to cookies, ends its animations, and says what it did.
//
//go:embed clean.js
var cleanJS string

//go:embed consent.json
var consentJSON string

// cleaned makes a further picture of the page in the same tab: with banners that
// ask for consent dismissed or hidden and with animations ended. It is an extra
// that says what was altered; the evidence is sealed on the disk before the page
// is touched.
func (s *session) cleaned(ctx context.Context) {
	name, dir := candor.RenditionCleaned, filepath.Join(s.dir, candor.RenditionCleaned)
	if s.doubts.fatal() || s.file {
		s.step(ctx, name, func(context.Context) (string, error) { return "there is no page to clean", errSkipped })
		return
	}
	m := candor.Manifest{Version: 1, ID: s.m.ID, URL: s.m.URL, FinalURL: s.m.FinalURL, HTTPStatus: s.m.HTTPStatus, Profile: s.m.Profile,
		Viewport: s.m.Viewport, UserAgent: s.m.UserAgent, Started: candor.Moment(s.now())}
	m.Shot = m.Started
	c := &session{spec: s.spec, dir: dir, limits: s.limits, now: s.now, log: s.log, lease: s.lease, rec: s.rec, frame: s.frame, rendition: name, m: &m}
	var altered []string
	var files []candor.File
	outcome := s.extra(ctx, name, s.limits.Cleaned, func(ctx context.Context) (detail string, err error) {
		if err := seal(s.dir, *s.m); err != nil {
			return "", fmt.Errorf("seal the evidence: %w", err)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		c.answerDialogs(ctx)
		altered, files, err = c.clean(ctx)
		s.hung = c.hung
		return fmt.Sprintf("%d things altered", len(altered)), err
	})
	if outcome != candor.StepDone {
		m.Outcome, files = candor.Failed, nil
		why := s.m.Steps[len(s.m.Steps)-1].Detail
		m.Gaps = []candor.Gap{{Code: candor.GapNoPicture, Fatal: true, Text: why}}
		s.doubts.partial(candor.GapRendition, name, fmt.Sprintf("the cleaned rendition failed (%s)", why))
		if err := os.RemoveAll(dir); err != nil {
			s.log.Error("remove an unfinished rendition", "error", err)
		}
	}
	s.more = append(s.more, files...)
	s.m.Renditions = append(s.m.Renditions, account(name, m, altered))
}

// clean alters the page, says how, and takes its picture.
func (s *session) clean(ctx context.Context) (altered []string, files []candor.File, err error) {
	var failed error
	do := func(name string, fn func(ctx context.Context) (string, error)) {
		s.step(ctx, name, func(ctx context.Context) (detail string, err error) {
			if failed != nil {
				return "", errSkipped
			}
			detail, err = fn(ctx)
			failed = err
			return detail, err
		})
	}
	do("freeze", s.freeze) // navigation stays refused for as long as this takes
	do("clean", func(ctx context.Context) (string, error) {
		return "", s.ask(ctx, s.limits.Cleaned, &altered, cleanJS, rawJSON(consentJSON))
	})
	do("frames", s.frames)
	do("screenshot", func(ctx context.Context) (detail string, err error) {
		s.extent, detail, err = s.shoot(ctx)
		s.m.Shot, s.m.PageHeight = candor.Moment(s.now()), s.extent.full
		return detail, err
	})
	do("thumbnail", func(context.Context) (string, error) {
		_, err := s.thumbnail()
		return "", err
	})
	if failed != nil {
		return altered, nil, failed
	}
	for _, f := range artefacts {
		if f.Kind != candor.Screenshot && f.Kind != candor.Thumbnail {
			continue
		}
		if f, err = measured(s.dir, f); err != nil {
			return altered, nil, err
		}
		f.Rendition, f.Path = s.rendition, path.Join(s.rendition, f.Path)
		files = append(files, f)
	}
	s.m.Outcome, _, s.m.Gaps = s.doubts.outcome()
	return altered, files, nil
}

// rawJSON is an argument that is JSON already.
type rawJSON string

// MarshalJSON gives it as it is.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }
