package behaviour

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
)

// pretend is a page made of a button that shows more, for what takes a browser
// long: limits, and trouble at the wrong moment.
type pretend struct {
	left    int // times the button comes back; less than 0: for ever
	grows   int // pixels a click
	slow    time.Duration
	breaks  error // instead of an answer to a click
	height  int
	clicks  int
	address string
}

func (p *pretend) Ask(ctx context.Context, out any, _ string, args ...any) error {
	var answer any
	switch args[0] {
	case "find":
		list := []map[string]string{{"text": "Report"}, {"text": "More", "why": "link"}}
		if p.left != 0 {
			list = append(list, map[string]string{"text": "more"}, map[string]string{"text": "x", "label": "More"})
		}
		answer = list
	case "click":
		indexes := args[1].(map[string]any)["indexes"].([]int)
		if p.breaks != nil {
			return p.breaks
		}
		p.left--
		p.clicks += len(indexes)
		p.height += p.grows
		answer = len(indexes)
	case "size":
		answer = size{Height: p.height}
	case "count":
		answer = []map[string]any{{"on": true, "shown": 1180, "stated": []string{"Share", "1.2K comments"}}, {"on": true, "shown": 3, "stated": []string{"12 replies"}}, {"on": false}, {"on": true, "shown": 0}}
	case "has":
		answer = map[string]bool{"#own": true}
	}
	b, err := json.Marshal(answer)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(b, out)
}

func (p *pretend) Quiet(ctx context.Context, _ time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(p.slow):
		return nil
	}
}

func (p *pretend) Address() string { return p.address }

// own is a file of the test's own.
func own(t *testing.T, text string) *File {
	t.Helper()
	f, err := parse("own.yaml", []byte("name: own\nversion: 2\nmatch: {page: '#own'}\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestARunEndsWhenNothingIsLeftOrALimitIsMet(t *testing.T) {
	const steps = "steps:\n  - name: more\n    click: {find: button, text: {en: [More]}, again: true%s}\n  - name: rest\n    wait: 1ms\n"
	for name, c := range map[string]struct {
		page    pretend
		limits  string
		outcome candor.StepOutcome
		clicks  int
		detail  string
		gap     candor.GapCode
		next    candor.StepOutcome
	}{
		"nothing left":  {pretend{left: 3}, "", candor.StepDone, 6, "6 clicked; 1 left alone", "", candor.StepDone},
		"clicks":        {pretend{left: -1}, "limits: {clicks: 5}\n", candor.StepTimedOut, 5, "limit of 5 clicks", candor.GapSlow, candor.StepDone},
		"height":        {pretend{left: -1, grows: 900, height: 100}, "limits: {height: 2000}\n", candor.StepTimedOut, 6, "grown as much", candor.GapSlow, candor.StepDone},
		"time":          {pretend{left: -1, slow: 30 * time.Millisecond}, "limits: {time: 1s}\n", candor.StepTimedOut, -1, "limit of 1s", candor.GapSlow, candor.StepSkipped},
		"page in pain":  {pretend{left: 2, breaks: errors.New("the page does not answer")}, "", candor.StepFailed, 0, "does not answer", "", ""},
		"moved by name": {pretend{left: 2, address: "https://town.example/a"}, "", candor.StepDone, 4, "4 clicked", "", candor.StepDone},
	} {
		t.Run(name, func(t *testing.T) {
			f := own(t, c.limits+fmt.Sprintf(steps, ""))
			run, gaps, err := f.Run(t.Context(), &c.page, time.Minute)
			if (err != nil) != (c.page.breaks != nil) {
				t.Fatal(err)
			}
			st := run.Steps[0]
			if st.Outcome != c.outcome || !strings.Contains(st.Detail, c.detail) || c.clicks >= 0 && c.page.clicks != c.clicks {
				t.Errorf("%d clicks, %+v", c.page.clicks, st)
			}
			if c.gap == "" && len(gaps) > 0 || c.gap != "" && (len(gaps) != 1 || gaps[0].Code != c.gap || gaps[0].Fatal) {
				t.Errorf("the gaps are %+v", gaps)
			}
			if c.next == "" {
				if len(run.Steps) != 1 {
					t.Errorf("it went on: %+v", run.Steps)
				}
			} else if run.Steps[1].Outcome != c.next {
				t.Errorf("the next step is %+v", run.Steps[1])
			}
			if run.Name != "own" || run.Version != 2 || len(run.SHA256) != 64 || !run.Unreviewed {
				t.Errorf("the run is %+v", run)
			}
		})
	}
}

func TestTheBudgetOfACaptureIsALimit(t *testing.T) {
	f := own(t, "steps:\n  - name: more\n    click: {find: button, text: {en: [More]}, again: true}\n")
	began := time.Now()
	_, gaps, err := f.Run(t.Context(), &pretend{left: -1, slow: 20 * time.Millisecond}, time.Second)
	if err != nil || len(gaps) != 1 || time.Since(began) > 10*time.Second {
		t.Errorf("%v, %+v after %s", err, gaps, time.Since(began))
	}
}

func TestWhatIsShownIsComparedWithWhatIsStated(t *testing.T) {
	f := own(t, `count:
  - {what: comments, shown: .c, stated: {find: span, text: {en: ['([\d.,]+ ?K?) comments'], es: ['([\d.,]+) comentarios']}}}
  - {what: replies, shown: .r, stated: {find: span, text: {en: ['(\d+) replies']}}}
  - {what: posts, when: .feed, shown: .p}
  - {what: albums, shown: .a}
`)
	shown, gaps, err := f.Tally(t.Context(), &pretend{})
	if err != nil {
		t.Fatal(err)
	}
	if len(shown) != 2 || shown[0] != (candor.Shown{What: "comments", Shown: 1180, Of: 1200}) || shown[1] != (candor.Shown{What: "replies", Shown: 3, Of: 12}) {
		t.Errorf("shown %+v", shown)
	}
	// 1,180 may well be what a page rounds to 1.2K.
	if len(gaps) != 1 || gaps[0].Detail != "3 of 12" || gaps[0].Text != "3 of 12 replies are shown" {
		t.Errorf("gaps %+v", gaps)
	}
}

// BenchmarkLoad is what the first capture of a process pays.
func BenchmarkLoad(b *testing.B) {
	entries, err := os.ReadDir("files")
	if err != nil {
		b.Fatal(err)
	}
	texts := map[string][]byte{}
	for _, e := range entries {
		if texts[e.Name()], err = os.ReadFile(filepath.Join("files", e.Name())); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		for name, text := range texts {
			if _, err := parse(name, text); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkObstacle judges a short page, for which every rule is asked.
func BenchmarkObstacle(b *testing.B) {
	s := page(func(s *Seen) { s.Text = "The library opens at nine on Monday."; words(s, 12) })
	for b.Loop() {
		Default().Obstacle(s)
	}
}
