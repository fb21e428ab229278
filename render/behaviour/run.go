package behaviour

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/candor-archive/candor"
)

//go:embed act.js
var actJS string

//go:embed seen.js
var seenJS string

// Page is the page a behaviour works on.
type Page interface {
	// Ask runs a function in the page, out of sight of the page's own scripts,
	// and decodes what it returns into out. An error means that the page went
	// away or does not answer.
	Ask(ctx context.Context, out any, fn string, args ...any) error
	// Quiet waits until nothing has been loading for a moment, but no longer
	// than limit.
	Quiet(ctx context.Context, limit time.Duration) error
	// Address is where the page is now.
	Address() string
}

// Look reads what tells an obstacle from content. Asked, Final, Status and Count
// are for the caller to fill in, and a better Text if there is one.
func Look(ctx context.Context, p Page, selectors []string) (*Seen, error) {
	if selectors == nil {
		selectors = []string{}
	}
	seen := &Seen{}
	if err := p.Ask(ctx, seen, seenJS, selectors); err != nil {
		return nil, err
	}
	return seen, nil
}

// Has asks which of the candidates' selectors match something on the page. It
// asks nothing when none has one.
func Has(ctx context.Context, p Page, candidates []*File) (map[string]bool, error) {
	has := map[string]bool{}
	var selectors []string
	for _, f := range candidates {
		if f.Match.Page == "" {
			break // this one is chosen at the latest
		}
		selectors = append(selectors, f.Match.Page)
	}
	if len(selectors) == 0 {
		return has, nil
	}
	return has, p.Ask(ctx, &has, actJS, "has", map[string]any{"selectors": selectors})
}

const (
	questionQuiet = 4 * time.Second // after a click, for what it asks for to come
	lookAgain     = 250 * time.Millisecond
)

// runner is one file at work on one page.
type runner struct {
	file    *File
	page    Page
	whole   context.Context // without the file's own limit of time
	began   string          // the address
	height  int             // at the beginning
	clicked int
	limits  []string // those that ended a step
	stopped error
}

// errElsewhere says that the page went somewhere else.
var errElsewhere = errors.New("the page went to another address")

// Run does what the file says, in no more time than budget. It returns what was
// done and what could not be done for want of time or other limits. An error
// means that the page is in trouble; what was done until then is in the run all
// the same.
func (f *File) Run(ctx context.Context, p Page, budget time.Duration) (run candor.BehaviourRun, gaps []candor.Gap, err error) {
	run = candor.BehaviourRun{Name: f.Name, Version: f.Version, SHA256: f.sha, Unreviewed: !f.Reviewed, Steps: []candor.Step{}}
	limit := min(time.Duration(f.Limits.Time), budget).Round(time.Second)
	tctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r := &runner{file: f, page: p, whole: ctx, began: withoutFragment(p.Address())}
	for i := range f.Steps {
		s := &f.Steps[i]
		began := time.Now()
		st := candor.Step{Name: s.Name, Outcome: candor.StepSkipped}
		switch {
		case r.stopped != nil:
			st.Detail = r.stopped.Error()
		case tctx.Err() != nil:
			st.Detail = "no time left"
		default:
			st.Outcome, st.Detail, err = r.step(tctx, s)
		}
		if err != nil {
			late := tctx.Err() != nil && ctx.Err() == nil
			switch {
			case late:
				st.Outcome, err = candor.StepTimedOut, nil
				st.Detail = note(st.Detail, fmt.Sprintf("the limit of %s", limit))
				r.limits = append(r.limits, limit.String())
			case errors.Is(err, errElsewhere):
				st.Outcome, r.stopped, err = candor.StepFailed, err, nil
				st.Detail = note(st.Detail, r.stopped.Error())
				gaps = append(gaps, candor.Gap{Code: candor.GapMoved, Detail: f.Name, Text: "a click on what should have shown more led to another address (behaviour " + f.Name + ")"})
			default:
				st.Outcome = candor.StepFailed
				st.Detail = note(st.Detail, err.Error())
				r.stopped = errors.New("the page was in trouble")
			}
		}
		st.Duration = time.Since(began)
		run.Steps = append(run.Steps, st)
		if err != nil {
			break
		}
	}
	if len(r.limits) > 0 {
		gaps = append(gaps, candor.Gap{Code: candor.GapSlow, Detail: "behaviours", Text: fmt.Sprintf("the behaviour %s stopped at a limit (%s); there may be more to show", f.Name, strings.Join(r.limits, ", "))})
	}
	return run, gaps, err
}

func note(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

func withoutFragment(address string) string {
	address, _, _ = strings.Cut(address, "#")
	return address
}

// ask asks the page one thing. The file's time may be up before, but does not cut
// an answer short: a page that never gives one must not pass for a long one.
func (r *runner) ask(ctx context.Context, out any, op string, args any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.page.Ask(r.whole, out, actJS, op, args)
}

// size is how large a page is.
type size struct{ Height int }

// grown reports whether the page has grown by more than it may.
func (r *runner) grown(ctx context.Context) (bool, error) {
	var now size
	if err := r.ask(ctx, &now, "size", nil); err != nil {
		return false, err
	}
	if r.height == 0 {
		r.height = now.Height
	}
	if now.Height-r.height > r.file.Limits.Height {
		r.limits = append(r.limits, fmt.Sprintf("%d pixels higher", r.file.Limits.Height))
		return true, nil
	}
	return false, nil
}

// rest waits for what was asked for, and sees to it that the page stays.
func (r *runner) rest(ctx context.Context) error {
	if err := r.page.Quiet(ctx, questionQuiet); err != nil {
		return err
	}
	if withoutFragment(r.page.Address()) != r.began {
		return errElsewhere
	}
	return nil
}

func (r *runner) step(ctx context.Context, s *Step) (candor.StepOutcome, string, error) {
	if _, err := r.grown(ctx); err != nil { // takes the height to begin with
		return candor.StepFailed, "", err
	}
	switch {
	case s.Click != nil:
		return r.click(ctx, s.Click)
	case s.Scroll != nil:
		return r.scroll(ctx, s.Scroll)
	case s.Reveal != "":
		return r.reveal(ctx, s.Reveal)
	case s.Carousel != nil:
		return r.carousel(ctx, s.Carousel)
	}
	err := r.page.Quiet(ctx, time.Duration(s.Wait))
	return candor.StepDone, "", err
}

// candidate is an element that a target's selector finds.
type candidate struct {
	Text, Label string
	Why         string // it must not be clicked
}

// find gives the positions of what may be clicked, and how many lead elsewhere.
func (r *runner) find(ctx context.Context, t Target, again bool) (free []int, elsewhere int, err error) {
	var all []candidate
	if err := r.ask(ctx, &all, "find", map[string]any{"find": t.Find, "within": t.Within, "again": again}); err != nil {
		return nil, 0, err
	}
	for i, c := range all {
		if len(t.Text) > 0 && !t.Text.Whole(c.Text) && (c.Label == "" || !t.Text.Whole(c.Label)) {
			continue
		}
		switch c.Why {
		case "":
			free = append(free, i)
		case "link", "form":
			elsewhere++
		}
	}
	return free, elsewhere, nil
}

func (r *runner) click(ctx context.Context, c *Click) (candor.StepOutcome, string, error) {
	limit, atOnce := c.Limit, c.AtOnce
	if limit == 0 || limit > r.file.Limits.Clicks-r.clicked {
		limit = r.file.Limits.Clicks - r.clicked
	}
	if atOnce == 0 {
		atOnce = 4
	}
	done, elsewhere, idle := 0, 0, false
	told := func() string {
		s := fmt.Sprintf("%d clicked", done)
		if elsewhere > 0 {
			s = note(s, fmt.Sprintf("%d left alone: they lead to other pages or send a form", elsewhere))
		}
		return s
	}
	for {
		free, other, err := r.find(ctx, c.Target, c.Again)
		if err != nil {
			return candor.StepFailed, told(), err
		}
		elsewhere = max(elsewhere, other)
		if len(free) == 0 {
			if done == 0 || idle {
				break
			}
			idle = true // some pages take a moment to draw the next button
			if err := pause(ctx, lookAgain); err != nil {
				return candor.StepFailed, told(), err
			}
			continue
		}
		idle = false
		if done >= limit {
			r.limits = append(r.limits, fmt.Sprintf("%d clicks", limit))
			return candor.StepTimedOut, note(told(), fmt.Sprintf("the limit of %d clicks", limit)), nil
		}
		var n int
		if err := r.ask(ctx, &n, "click", map[string]any{"indexes": free[:min(len(free), atOnce, limit-done)], "again": c.Again}); err != nil {
			return candor.StepFailed, told(), err
		}
		done += n
		r.clicked += n
		if n == 0 {
			break
		}
		if err := r.rest(ctx); err != nil {
			return candor.StepFailed, told(), err
		}
		if tall, err := r.grown(ctx); err != nil || tall {
			return candor.StepTimedOut, note(told(), "the page has grown as much as it may"), err
		}
	}
	if done == 0 && elsewhere == 0 {
		return candor.StepSkipped, "nothing to click", nil
	}
	return candor.StepDone, told(), nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
