package youtube

import (
	"testing"
	"time"

	"github.com/candor-archive/candor/crawler/platform/platformtest"
	"github.com/candor-archive/candor/fixtures/world"
	fake "github.com/candor-archive/candor/fixtures/youtube"
)

// truths is what the network holds, as the API tells it.
func (s *scene) truths() map[string]platformtest.Truth {
	out := map[string]platformtest.Truth{}
	s.world.View(func(r *world.Reader) {
		for _, x := range r.All() {
			w := platformtest.Truth{
				Text: x.Text(), State: x.State, Edited: x.Edited().Truncate(time.Second), Here: x.Here(),
				Kind: x.Kind(), Root: x.RootID(), Parent: x.ParentID(),
			}
			if x.Root == nil { // nothing tells when a video's words were changed
				w.Edited = time.Time{}
				if d := fake.Description(w.Text); d != "" {
					w.Text = fake.Title(w.Text) + "\n\n" + d
				}
			}
			out[x.ID] = w
		}
	})
	return out
}

// Whatever happens in a month, what is read is so, and what is missing from a
// listing or said to be gone is either gone or found when it is looked up.
func TestAMonthIsReadAsItWas(t *testing.T) {
	s := newScene(t)
	start := s.now
	acts := world.Month(3, start, world.Life{Posts: 9, Comments: 45, EditPosts: true, EditComments: true, Hold: true})
	absent, gone := 0, 0
	for at := start; at.Before(world.MonthEnds(start).Add(24 * time.Hour)); at = at.Add(18 * time.Hour) {
		for len(acts) > 0 && !acts[0].At.After(at) {
			s.now = acts[0].At
			s.must(acts[0].Do(s.world))
			acts = acts[1:]
		}
		s.now = at
		a, g := platformtest.ReadsTrue(t, s.client(fake.OwnerToken, nil), fake.ChannelID, s.truths())
		absent, gone = absent+a, gone+g
	}
	if len(acts) > 0 || absent == 0 || gone == 0 || s.world.Calls() < 200 {
		t.Errorf("%d acts left, %d absences, %d deletions, %d calls", len(acts), absent, gone, s.world.Calls())
	}
}
