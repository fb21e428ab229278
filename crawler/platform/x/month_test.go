package x

import (
	"context"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/fixtures/world"
	fake "github.com/candor-archive/candor/fixtures/x"
)

// truth is what a thing is like, by its id.
type truth struct {
	text   string
	state  candor.RecordState
	edited time.Time
	parent string
	kind   candor.RecordKind
	here   bool
	root   string
}

func (s *scene) truths() map[string]truth {
	out := map[string]truth{}
	s.world.View(func(r *world.Reader) {
		for _, x := range r.All() {
			w := truth{text: x.Text(), state: x.State, edited: x.Edited(), here: x.Here(), kind: candor.Post, root: x.ID}
			if x.Root != nil {
				w.root, w.parent, w.kind = x.Root.ID, x.Parent.ID, candor.Comment
				if x.Parent != x.Root {
					w.kind = candor.Reply
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
	acts := world.Month(3, start, world.Life{Posts: 9, Comments: 45, EditPosts: true, Deep: true})
	complete, gone := 0, 0
	for at := start; at.Before(world.MonthEnds(start).Add(24 * time.Hour)); at = at.Add(18 * time.Hour) {
		for len(acts) > 0 && !acts[0].At.After(at) {
			s.now = acts[0].At
			s.must(acts[0].Do(s.world))
			acts = acts[1:]
		}
		s.now = at
		c := s.client(fake.Token, nil)
		if _, err := c.Profile(context.Background(), fake.AccountID); err != nil {
			continue
		}
		posts, err := c.Posts(context.Background(), fake.AccountID)
		if err != nil {
			continue
		}
		want, got := s.truths(), map[string]sighting.Item{}
		read := map[string]bool{}
		for _, p := range posts.Items {
			got[p.UID] = p.Item
			l, err := c.Comments(context.Background(), p.UID)
			read[p.UID] = err == nil && l.Complete
			for _, it := range l.Items {
				got[it.UID] = it
			}
		}
		for uid, it := range got {
			if w, known := want[uid]; !known || !w.here || it.Text != w.text || it.State != w.state || !it.UpdatedAt.Equal(w.edited.Truncate(time.Second)) || it.Kind != w.kind || it.ParentUID != w.parent || it.RootUID != w.root {
				t.Fatalf("%s: %s reads %+v, but it is %+v", at, uid, it, w)
			}
		}
		for uid, w := range want {
			_, have := got[uid]
			if have || w.parent == "" && !posts.Complete || w.parent != "" && !read[w.root] {
				continue
			}
			complete++
			how, _, _, err := c.Look(context.Background(), uid, w.kind, w.root)
			if err == nil && (how == sighting.Here) != w.here {
				t.Fatalf("%s: %s is %s, but here is %v", at, uid, how, w.here)
			}
			if how == sighting.Gone {
				gone++
			}
		}
	}
	if len(acts) > 0 || complete == 0 || gone == 0 || s.world.Calls() < 200 {
		t.Errorf("%d acts left, %d absences, %d deletions, %d calls", len(acts), complete, gone, s.world.Calls())
	}
}
