package page

import (
	"time"

	"github.com/candor-archive/candor"
)

// GaveUp writes the manifest of a capture that was tried as often as it may be
// and never got as far as an answer, because of cause: a gap in the record is
// recorded, too.
func GaveUp(spec candor.CaptureSpec, dir, software string, cause error) (candor.Manifest, error) {
	if err := prepare(dir); err != nil {
		return candor.Manifest{}, err
	}
	at := candor.Moment(time.Now())
	m := candor.Manifest{Version: 1, ID: spec.ID, URL: clean(spec.URL), FinalURL: clean(spec.URL), Outcome: candor.Failed,
		Reason: "the browser was in trouble at every try: " + cause.Error(), Profile: spec.Profile, Policy: spec.Policy,
		Viewport: viewOf(spec), Scheduled: candor.Moment(spec.ScheduledAt), Started: at, Navigated: at, Settled: at, Shot: at,
		Finished: at, Software: software, Files: []candor.File{},
		Steps: []candor.Step{{Name: "navigate", Outcome: candor.StepFailed, Detail: cause.Error()}}}
	m.Gaps = []candor.Gap{{Code: candor.GapNotVisited, Fatal: true, Text: m.Reason}}
	if m.Scheduled.IsZero() {
		m.Scheduled = at
	}
	return m, seal(dir, m)
}
