package page

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/animation"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/browser"
)

// Pool lends browsers; *browser.Pool is one. An error of Borrow means that no
// browser can be had now.
type Pool interface {
	Borrow(ctx context.Context) (*browser.Lease, error)
}

// Renderer makes captures. It is safe for use by several goroutines.
type Renderer struct {
	Pool     Pool
	Software string // name and version for the manifest
	Limits   Limits
	Now      func() time.Time // time.Now when nil
	Log      *slog.Logger
}

// bufferPerBody and bufferTotal are what Chrome keeps of answers until we ask.
const (
	bufferPerBody = 32 << 20
	bufferTotal   = 256 << 20
)

// CheckURL says why an address cannot be captured, in words for whoever gave
// it, or nil.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return candor.Errorf(candor.Invalid, "%q is not an address: %w", raw, err)
	case u.Scheme != "http" && u.Scheme != "https":
		return candor.Errorf(candor.Invalid, "%q is not an address on the web: it must begin with http:// or https://", raw)
	case u.Hostname() == "":
		return candor.Errorf(candor.Invalid, "%q names no host", raw)
	case u.User != nil:
		return candor.Errorf(candor.Invalid, "the address for %s holds a user name or password: take it out, captures are made as any visitor", u.Hostname())
	}
	return nil
}

// Capture visits spec.URL once and writes every artefact and then the manifest
// into dir, which is made if need be; what an earlier try left there is removed.
// It returns once all of it is on the disk. A page that cannot be captured gives
// a manifest that says so and a nil error. An error means that the worker was in
// trouble, or the caller gave up, and dir holds nothing of use.
func (r *Renderer) Capture(ctx context.Context, spec candor.CaptureSpec, dir string) (candor.Manifest, error) {
	now, log := r.Now, r.Log
	if now == nil {
		now = time.Now
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if spec.Profile == "" {
		spec.Profile = candor.Desktop
	}
	if spec.Policy == "" {
		spec.Policy = candor.PolicyLoad
	}
	if err := prepare(dir); err != nil {
		return candor.Manifest{}, fmt.Errorf("capture %s: %w", spec.URL, err)
	}
	m := candor.Manifest{Version: 1, ID: spec.ID, URL: clean(spec.URL), FinalURL: clean(spec.URL), Profile: spec.Profile, Policy: spec.Policy,
		Viewport: viewportOf(spec.Profile), Scheduled: candor.Moment(spec.ScheduledAt), Software: r.Software}
	if m.Scheduled.IsZero() {
		m.Scheduled = candor.Moment(now())
	}
	if err := CheckURL(spec.URL); err != nil {
		m.Started = candor.Moment(now())
		m.Navigated, m.Settled, m.Shot, m.Finished = m.Started, m.Started, m.Started, m.Started
		m.Outcome, m.Reason = candor.Failed, err.Error()
		m.Steps = []candor.Step{{Name: "navigate", Outcome: candor.StepSkipped, Detail: err.Error()}}
		return m, seal(dir, m)
	}
	lease, err := r.Pool.Borrow(ctx)
	if err != nil {
		return candor.Manifest{}, fmt.Errorf("capture %s: %w", spec.URL, err)
	}
	s := &session{spec: spec, dir: dir, limits: r.Limits.withDefaults(), now: now, log: log, lease: lease, m: &m}
	m.Started = candor.Moment(now())
	m.Browser, m.UserAgent = lease.Product(), agentOf(spec.Profile, lease.Agent())
	finished := false
	defer func() { lease.Return(s.hung || !finished) }()
	if err := s.run(ctx); err != nil {
		return candor.Manifest{}, err
	}
	finished = true
	return m, nil
}

// run makes the capture. An error is trouble of the worker.
func (s *session) run(parent context.Context) error {
	ctx, cancel := context.WithTimeout(parent, s.limits.Total)
	defer cancel()
	out, err := newExchangeWriter(ctx, s.dir, s.lease.Target, s.limits.Body)
	if err != nil {
		return fmt.Errorf("capture %s: %w", s.spec.URL, err)
	}
	closed := false
	defer func() {
		if !closed {
			cancel()
			if err := out.close(); err != nil {
				s.log.Debug("close the exchanges of a capture that failed", "error", err)
			}
		}
	}()
	s.rec = newRecorder(s.lease.Proxy, s.lease.Visit, s.limits, out)
	if err := s.open(ctx); err != nil {
		if gone := s.gone(parent); gone != nil {
			return gone
		}
		return candor.Errorf(candor.Unavailable, "capture %s: prepare the tab: %w", s.spec.URL, err)
	}
	s.visit(ctx)
	if err := s.gone(parent); err != nil {
		return err
	}
	s.judge()
	s.rec.abandon()
	if s.hung {
		cancel() // no body is to be had from a page that does not answer
	}
	err = out.close()
	closed = true
	if err != nil {
		return fmt.Errorf("capture %s: write the exchanges: %w", s.spec.URL, err)
	}
	if err := s.gone(parent); err != nil {
		return err
	}
	s.m.Requests = out.lines
	s.m.Finished = candor.Moment(s.now())
	s.m.Outcome, s.m.Reason = s.doubts.outcome()
	if err := list(s.dir, s.m, out.files()); err != nil {
		return fmt.Errorf("capture %s: %w", s.spec.URL, err)
	}
	if err := seal(s.dir, *s.m); err != nil {
		return fmt.Errorf("capture %s: write the manifest: %w", s.spec.URL, err)
	}
	return nil
}

// open prepares the tab: the device, the recorder and the refusals.
func (s *session) open(ctx context.Context) error {
	octx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	t := s.lease.Target
	tree, err := cdp.Call(octx, t, cdppage.GetFrameTree, cdp.Empty{})
	if err != nil {
		return err
	}
	s.frame = tree.FrameTree.Frame.ID
	s.rec.mainFrame = s.frame
	s.rec.dialog = func(e *cdppage.EventJavascriptDialogOpening) {
		go func() { // the page stands still until the dialog is answered
			accept := e.Type == cdppage.DialogTypeBeforeunload
			if _, err := call(ctx, s, quick, cdppage.HandleJavaScriptDialog, cdppage.HandleJavaScriptDialogParams{Accept: accept}); err != nil {
				s.log.Debug("answer a dialog", "url", s.spec.URL, "error", err)
			}
		}()
	}
	if err := s.lease.Listen(s.rec.on); err != nil {
		return err
	}
	if _, err := cdp.Call(octx, t, network.Enable, network.EnableParams{MaxTotalBufferSize: new(int64(bufferTotal)), MaxResourceBufferSize: new(int64(bufferPerBody))}); err != nil {
		return err
	}
	return s.emulate(octx)
}

// visit is the capture itself, step by step.
func (s *session) visit(ctx context.Context) {
	nav := s.step(ctx, "navigate", s.navigate)
	s.m.Navigated = candor.Moment(s.now())
	if nav == candor.StepDone {
		s.step(ctx, "load", s.load)
		s.arrange(ctx)
	} else if nav == candor.StepFailed {
		s.step(ctx, "frames", s.again(s.frames)) // the browser's own words about the failure
	}
	s.step(ctx, "freeze", s.freeze)
	s.m.Settled = candor.Moment(s.now())
	at := s.rec.state()
	if at.url != "" {
		s.m.FinalURL = clean(at.url)
	}
	var e extent
	shot := s.step(ctx, "screenshot", func(ctx context.Context) (detail string, err error) {
		e, detail, err = s.shoot(ctx)
		return detail, err
	})
	s.m.Shot = candor.Moment(s.now())
	s.m.PageHeight = e.full
	if shot != candor.StepDone {
		s.doubts.partial("there is no picture")
		// Half a picture, or none, must not pass for one.
		if err := os.Remove(filepath.Join(s.dir, screenshotName)); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.log.Error("remove an unfinished picture", "error", err)
		}
	}
	if e.cut {
		s.doubts.partial(fmt.Sprintf("the picture is truncated: the page is %d pixels high", e.full))
	}
	s.words(ctx, e)
	if now := s.rec.state(); now.loader != at.loader {
		s.doubts.partial("the page went on to another address while it was captured")
	}
	s.step(ctx, "thumbnail", func(context.Context) (string, error) {
		if shot != candor.StepDone {
			return "there is no picture", errSkipped
		}
		uniform, err := thumbnail(s.dir)
		if uniform {
			s.doubts.partial("the picture is a single colour")
		}
		return "", err
	})
}

// freeze stops animations where they are and refuses to go elsewhere, so that
// picture, snapshot and words are of one moment.
func (s *session) freeze(ctx context.Context) (string, error) {
	s.rec.mu.Lock()
	s.rec.held = func(id fetch.RequestID, frame cdp.FrameID) {
		go func() {
			var err error
			if frame == s.frame {
				_, err = call(ctx, s, quick, fetch.FailRequest, fetch.FailRequestParams{RequestID: id, ErrorReason: network.ErrorReasonAborted})
			} else {
				_, err = call(ctx, s, quick, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: id})
			}
			if err != nil {
				s.log.Debug("hold a navigation", "url", s.spec.URL, "error", err)
			}
		}()
	}
	s.rec.mu.Unlock()
	if _, err := call(ctx, s, quick, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: "*", ResourceType: network.ResourceTypeDocument}}}); err != nil {
		return "", err
	}
	if _, err := call(ctx, s, quick, animation.Enable, cdp.Empty{}); err != nil {
		return "", err
	}
	_, err := call(ctx, s, quick, animation.SetPlaybackRate, animation.SetPlaybackRateParams{PlaybackRate: 0})
	return "", err
}

// judge makes an outcome of what the exchanges tell.
func (s *session) judge() {
	s.rec.mu.Lock()
	defer s.rec.mu.Unlock()
	x := s.rec.mains[s.rec.loader]
	if x == nil {
		x = s.rec.main
	}
	if x != nil {
		s.m.HTTPStatus, s.m.RemoteAddr = x.Status, x.RemoteAddr
		switch {
		case x.Refused:
			s.doubts.fail(x.Failure)
		case s.navError != "" && !strings.HasPrefix(x.Failure, "could not be reached"):
			s.doubts.fail("the address " + trimFailure(s.navError))
		case x.Failure != "" && x.Status == 0:
			s.doubts.fail("the address " + trimFailure(x.Failure))
		case x.Status >= 400:
			s.doubts.fail(fmt.Sprintf("the server answered %d %s", x.Status, x.StatusText))
		}
	} else if len(s.doubts.failures) == 0 {
		s.doubts.fail("the page was not asked for")
	}
	seen := map[string]bool{}
	for _, f := range s.rec.refused {
		if !seen[f.url] {
			seen[f.url] = true
			s.m.Refused = append(s.m.Refused, candor.Refusal{URL: f.url, Reason: f.reason})
			seen[hostPort(f.url)] = true
		}
	}
	for _, f := range s.lease.Visit.Refusals() { // what no exchange told of: WebSockets, preconnections
		if !seen[f.Target] && !seen[f.Host] {
			s.m.Refused = append(s.m.Refused, candor.Refusal{URL: f.Target, Reason: f.Reason})
		}
	}
	if n := len(s.m.Refused); n > 0 && len(s.doubts.failures) == 0 {
		s.doubts.partial(fmt.Sprintf("%d of its requests were refused (%s)", n, s.m.Refused[0].Reason))
	}
	if n := len(s.rec.broken); n > 0 {
		s.doubts.partial(fmt.Sprintf("%d of its parts could not be loaded (%s)", n, s.rec.broken[0]))
	}
	if s.rec.dropped > 0 {
		s.doubts.partial(fmt.Sprintf("%d requests beyond the first %d are not recorded", s.rec.dropped, s.limits.Exchanges))
	}
	if s.lease.Visit.Exceeded() {
		s.doubts.partial("the visit was cut off for moving too many bytes")
	}
	if s.rec.crashed {
		s.hung = true
		s.doubts.fail("the page crashed the browser's tab")
	}
	if s.hung && s.m.FinalURL != "" {
		s.doubts.partial(errHung.Error())
	}
}

func trimFailure(f string) string {
	if len(f) > 5 && f[:5] == "net::" {
		return "could not be loaded: " + f
	}
	return f
}
