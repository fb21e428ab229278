package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/behaviour"
	"github.com/candor-archive/candor/render/browser"
	"github.com/candor-archive/candor/render/picture"
)

// session is one capture under way.
type session struct {
	spec   candor.CaptureSpec
	dir    string
	limits Limits
	now    func() time.Time
	log    *slog.Logger
	lease  *browser.Lease
	rec    *recorder
	m      *candor.Manifest
	doubts doubts
	frame  cdp.FrameID // the main frame

	rendition   string // of a further rendition its name, else empty
	pictureOnly bool
	extent      extent          // what the picture shows
	leftward    bool            // the page may run from right to left
	survey      *picture.Survey // of the picture; nil when there is none
	layout      *Layout         // of the words; nil when there is none
	tree        *tree           // as it was when the picture was taken; nil when it could not be read
	more        []candor.File   // of further renditions, for the manifest's end

	behaviours *behaviour.Set  // nil for those that ship with the program
	seen       *behaviour.Seen // what the page showed; nil when it was not asked

	// file is set when the address leads to a file and not to a page, and kept is
	// what was kept of it.
	file bool
	kept stored

	// halted is set once a page that went in circles was made to stay.
	halted bool

	// navError is the browser's own word for a navigation that failed.
	navError string

	// hung is set when the page did not answer in time. From then on only
	// what needs no answer is tried, and the browser is replaced.
	hung bool
}

// errHung says that the page's process does not answer.
var errHung = errors.New("the page does not answer")

// call sends one command with a limit of its own. A command that gets no
// answer marks the session as hung.
func call[P, R any](ctx context.Context, s *session, limit time.Duration, cmd cdp.Command[P, R], params P) (R, error) {
	if limit == quick && s.limits.Answer > 0 {
		limit = s.limits.Answer
	}
	cctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if s.rec != nil {
		done := make(chan struct{})
		defer close(done)
		go func() {
			select {
			case <-s.rec.crash: // nobody is left to answer
				cancel()
			case <-done:
			}
		}()
	}
	res, err := cdp.Call(cctx, s.lease.Target, cmd, params)
	if err != nil && cctx.Err() != nil && ctx.Err() == nil {
		err = errHung
	}
	if err != nil {
		return res, fmt.Errorf("%s: %w", cmd.Method, err)
	}
	return res, nil
}

const quick = 15 * time.Second

// world makes an isolated world in a frame: our script sees the document, the
// page's scripts neither see ours nor can have changed what it calls.
func (s *session) world(ctx context.Context, frame cdp.FrameID) (runtime.ExecutionContextID, error) {
	res, err := call(ctx, s, quick, cdppage.CreateIsolatedWorld, cdppage.CreateIsolatedWorldParams{FrameID: frame, WorldName: "candor"})
	return res.ExecutionContextID, err
}

// ask runs a function in an isolated world of the main frame, waits for its
// promise if it gives one, and decodes what it returns into out (nil to drop).
func (s *session) ask(ctx context.Context, limit time.Duration, out any, fn string, args ...any) error {
	w, err := s.world(ctx, s.frame)
	if err != nil {
		return err
	}
	return s.askIn(ctx, w, limit, out, fn, args...)
}

// object is an argument that already lives in the page.
type object runtime.RemoteObjectID

func (s *session) askIn(ctx context.Context, w runtime.ExecutionContextID, limit time.Duration, out any, fn string, args ...any) error {
	p := runtime.CallFunctionOnParams{FunctionDeclaration: fn, ExecutionContextID: w, ReturnByValue: new(true), AwaitPromise: new(true), Silent: new(true)}
	for _, a := range args {
		if o, ok := a.(object); ok {
			p.Arguments = append(p.Arguments, &runtime.CallArgument{ObjectID: runtime.RemoteObjectID(o)})
			continue
		}
		b, err := json.Marshal(a)
		if err != nil {
			return err
		}
		p.Arguments = append(p.Arguments, &runtime.CallArgument{Value: b})
	}
	res, err := call(ctx, s, limit, runtime.CallFunctionOn, p)
	if err != nil {
		return err
	}
	if d := res.ExceptionDetails; d != nil {
		text := d.Text
		if d.Exception != nil && d.Exception.Description != "" {
			text = d.Exception.Description
		}
		return fmt.Errorf("script: %s", text)
	}
	if out == nil || res.Result == nil || len(res.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(res.Result.Value, out)
}

// step runs one bounded thing and records how it ended. Only trouble of the
// worker itself, a browser gone or a caller who gave up, is returned.
func (s *session) step(ctx context.Context, name string, do func(ctx context.Context) (detail string, err error)) candor.StepOutcome {
	began := time.Now()
	st := candor.Step{Name: name, Outcome: candor.StepDone}
	switch {
	case s.hung:
		st.Outcome, st.Detail = candor.StepSkipped, errHung.Error()
	case ctx.Err() != nil:
		st.Outcome, st.Detail = candor.StepSkipped, "no time left"
	default:
		detail, err := do(ctx)
		st.Detail = detail
		switch {
		case err == nil:
		case errors.Is(err, errSkipped):
			st.Outcome = candor.StepSkipped
		case errors.Is(err, errHung):
			st.Outcome, st.Detail = candor.StepTimedOut, join(detail, err.Error())
		case errors.Is(err, errSlow), errors.Is(err, context.DeadlineExceeded):
			st.Outcome, st.Detail = candor.StepTimedOut, join(detail, unwrapSlow(err))
		default:
			st.Outcome, st.Detail = candor.StepFailed, join(detail, err.Error())
		}
		if errors.Is(err, errHung) {
			s.wake(ctx)
		}
	}
	st.Duration = time.Since(began)
	s.m.Steps = append(s.m.Steps, st)
	return st.Outcome
}

var (
	errSkipped = errors.New("skipped")
	errSlow    = errors.New("not in time")
)

func unwrapSlow(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no time left"
	}
	return err.Error()
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// wake ends a script that keeps the page from answering. When that does not
// help, the session is hung.
func (s *session) wake(ctx context.Context) {
	if s.rec.state().crashed {
		s.hung = true
		return
	}
	s.doubts.partial(candor.GapScript, "", "a script of the page did not stop and was ended")
	for range 3 {
		if _, err := call(ctx, s, 2*time.Second, runtime.TerminateExecution, cdp.Empty{}); err != nil {
			continue
		}
		if _, err := call(ctx, s, 3*time.Second, runtime.Evaluate, runtime.EvaluateParams{Expression: "0"}); err == nil {
			return
		}
	}
	s.hung = true
}

// gone reports why the capture cannot go on at all: the caller gave up or the
// browser died. Neither says anything about the page.
func (s *session) gone(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("capture %s: %w", s.spec.URL, err)
	}
	select {
	case <-s.lease.Gone():
		return candor.Errorf(candor.Unavailable, "capture %s: the browser died", s.spec.URL)
	default:
		return nil
	}
}
