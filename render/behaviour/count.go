package behaviour

import (
	"context"
	"fmt"

	"github.com/candor-archive/candor"
)

// Tally counts what is shown, as the file says, and compares it with what the
// page itself states. It only reads.
func (f *File) Tally(ctx context.Context, p Page) ([]candor.Shown, []candor.Gap, error) {
	if len(f.Count) == 0 {
		return nil, nil, nil
	}
	ask := make([]map[string]string, len(f.Count))
	for i, c := range f.Count {
		ask[i] = map[string]string{"when": c.When, "shown": c.Shown}
		if c.Stated != nil {
			ask[i]["find"] = c.Stated.Find
		}
	}
	var got []struct {
		On     bool
		Shown  int
		Stated []string
	}
	if err := p.Ask(ctx, &got, actJS, "count", map[string]any{"counts": ask}); err != nil {
		return nil, nil, err
	}
	var shown []candor.Shown
	var gaps []candor.Gap
	for i, g := range got {
		if !g.On || i >= len(f.Count) {
			continue
		}
		c := f.Count[i]
		s := candor.Shown{What: c.What, Shown: g.Shown}
		for _, text := range g.Stated {
			a, ok := c.Stated.Text.number(text)
			if !ok {
				continue
			}
			s.Of = a.value
			if g.Shown < a.low {
				gaps = append(gaps, candor.Gap{Code: candor.GapShown, Detail: fmt.Sprintf("%d of %d", s.Shown, s.Of),
					Text: fmt.Sprintf("%d of %d %s are shown", s.Shown, s.Of, s.What)})
			}
			break
		}
		if s.Shown > 0 || s.Of > 0 {
			shown = append(shown, s)
		}
	}
	return shown, gaps, nil
}
