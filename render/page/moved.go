package page

import (
	"context"
	_ "embed"
	"fmt"
)

//go:embed watch.js
var watchJS string

//go:embed moved.js
var movedJS string

// restless is how many changes of a page by itself, in the moment before its
// picture, make it pointless to take the picture again because it changed.
const restless = 3

// watch has scrolled boxes kept as they are while the page is photographed, and
// begins to watch how the page takes it. It reports whether that is worth asking
// about: a view that is resized to its own size moves little else.
func (s *session) watch(ctx context.Context, e extent) bool {
	if err := s.ask(ctx, quick, nil, watchJS); err != nil {
		s.log.Debug("watch the page", "url", s.spec.URL, "error", err)
		return false
	}
	return e.width > s.m.Viewport.Width || e.height > s.m.Viewport.Height
}

// moved says how the picture moved the page, or nothing when it did not.
func (s *session) moved(ctx context.Context) string {
	var got struct {
		Resized           bool
		Changed, Restless int
	}
	if err := s.ask(ctx, quick, &got, movedJS); err != nil {
		s.log.Debug("ask whether the picture moved the page", "url", s.spec.URL, "error", err)
		return ""
	}
	if got.Changed == 0 || got.Restless >= restless {
		return ""
	}
	return fmt.Sprintf("the picture moved the page (%d changes)", got.Changed)
}
