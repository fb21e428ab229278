package behaviour

import (
	"context"
	"fmt"

	"github.com/candor-archive/candor"
)

// scroll walks a box down until its end stays where it is, and goes back.
func (r *runner) scroll(ctx context.Context, s *Scroll) (o candor.StepOutcome, detail string, err error) {
	steps, stable := 0, 0
	var last float64
	defer func() {
		if backErr := r.back(); backErr != nil && err == nil {
			err = backErr
		}
	}()
	for {
		var at struct {
			Missing         bool
			Y, View, Height float64
		}
		if err := r.ask(ctx, &at, "down", map[string]any{"box": s.Box}); err != nil {
			return candor.StepFailed, detail, err
		}
		if at.Missing {
			return candor.StepSkipped, "nothing to scroll", nil
		}
		steps++
		detail = fmt.Sprintf("%d steps down to %.0f", steps, at.Y+at.View)
		if err := r.rest(ctx); err != nil {
			return candor.StepFailed, detail, err
		}
		if at.Y+at.View >= at.Height-2 && at.Height == last {
			stable++
		} else {
			stable = 0
		}
		if stable == 2 {
			return candor.StepDone, detail, nil
		}
		last = at.Height
		if int(at.Height) > r.height+r.file.Limits.Height {
			r.limits = append(r.limits, fmt.Sprintf("%d pixels higher", r.file.Limits.Height))
			return candor.StepTimedOut, note(detail, "it has grown as much as it may"), nil
		}
	}
}

// mostRevealed is how many elements of a kind are brought into view.
const mostRevealed = 40

// reveal brings each element into view, waits for what that asks for, and goes
// back to where the page was.
func (r *runner) reveal(ctx context.Context, selector string) (o candor.StepOutcome, detail string, err error) {
	defer func() {
		if backErr := r.back(); backErr != nil && err == nil {
			err = backErr
		}
	}()
	n := 0
	for ; n < mostRevealed; n++ {
		var there bool
		if err := r.ask(ctx, &there, "reveal", map[string]any{"find": selector, "index": n}); err != nil {
			return candor.StepFailed, fmt.Sprintf("%d revealed", n), err
		}
		if !there {
			break
		}
		if err := r.rest(ctx); err != nil {
			return candor.StepFailed, fmt.Sprintf("%d revealed", n), err
		}
	}
	if n == 0 {
		return candor.StepSkipped, "nothing to reveal", nil
	}
	return candor.StepDone, fmt.Sprintf("%d revealed", n), nil
}

// back puts everything that was scrolled where it was, out of time or not.
func (r *runner) back() error { return r.page.Ask(r.whole, nil, actJS, "back", nil) }

// carousel asks for every slide and returns to the one that was shown, so that
// what comes with the slides is among the exchanges while the picture is of the
// page as a visitor meets it.
func (r *runner) carousel(ctx context.Context, c *Carousel) (candor.StepOutcome, string, error) {
	limit := c.Limit
	if limit == 0 {
		limit = 20
	}
	next, err := r.turn(ctx, c.Next, limit)
	if err != nil {
		return candor.StepFailed, fmt.Sprintf("%d slides on", next), err
	}
	if next == 0 {
		return candor.StepSkipped, "no carousel", nil
	}
	back, err := r.turn(ctx, c.Back, next)
	detail := fmt.Sprintf("%d slides on, %d back", next, back)
	switch {
	case err != nil:
		return candor.StepFailed, detail, err
	case back != next:
		return candor.StepFailed, note(detail, "it is not shown as it was"), nil
	}
	return candor.StepDone, detail, nil
}

// turn clicks the first match again and again.
func (r *runner) turn(ctx context.Context, t Target, limit int) (int, error) {
	n := 0
	for n < limit && r.clicked < r.file.Limits.Clicks {
		var all []candidate
		if err := r.ask(ctx, &all, "find", map[string]any{"find": t.Find, "within": t.Within}); err != nil {
			return n, err
		}
		first := -1
		for i, c := range all {
			said := len(t.Text) == 0 || t.Text.Whole(c.Text) || c.Label != "" && t.Text.Whole(c.Label)
			if said && (c.Why == "" || c.Why == "spent") {
				first = i
				break
			}
		}
		if first < 0 {
			return n, nil
		}
		var did int
		if err := r.ask(ctx, &did, "click", map[string]any{"indexes": []int{first}}); err != nil {
			return n, err
		}
		if did == 0 {
			return n, nil
		}
		n++
		r.clicked++
		if err := r.rest(ctx); err != nil {
			return n, err
		}
	}
	return n, nil
}
