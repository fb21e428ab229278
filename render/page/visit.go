package page

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/browser"
)

// run makes one visit with its artefacts and enters them in the account; the
// manifest is not written yet. An error is trouble of the worker.
func (s *session) run(parent context.Context) error {
	ctx, cancel := context.WithTimeout(parent, s.limits.Total)
	defer cancel()
	keep := s.limits.Body
	if s.pictureOnly {
		keep = -1
	}
	out, err := newExchangeWriter(ctx, s.dir, s.lease.Target, keep)
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
	s.m.Outcome, s.m.Reason, s.m.Gaps = s.doubts.outcome()
	if err := list(s.dir, s.m, out.files()); err != nil {
		return fmt.Errorf("capture %s: %w", s.spec.URL, err)
	}
	return nil
}

// open prepares the tab: the device, the recorder and the refusals.
func (s *session) open(ctx context.Context) error {
	octx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	t := s.lease.Target
	s.frame = cdp.FrameID(t.Target.TargetID) // Chrome names a page after its main frame
	s.rec.mainFrame = s.frame
	s.answerDialogs(ctx)
	if err := s.lease.Listen(s.rec.on); err != nil {
		return err
	}
	if err := t.Batch(octx, browser.Cmd(network.Enable, buffers, nil), following()); err != nil {
		return err
	}
	return s.emulate(octx)
}

// answerDialogs lets no dialog hold the page up, as long as ctx lasts.
func (s *session) answerDialogs(ctx context.Context) {
	s.rec.mu.Lock()
	defer s.rec.mu.Unlock()
	s.rec.dialog = func(e *cdppage.EventJavascriptDialogOpening) {
		go func() { // the page stands still until the dialog is answered
			accept := e.Type == cdppage.DialogTypeBeforeunload
			if _, err := call(ctx, s, quick, cdppage.HandleJavaScriptDialog, cdppage.HandleJavaScriptDialogParams{Accept: accept}); err != nil {
				s.log.Debug("answer a dialog", "url", s.spec.URL, "error", err)
			}
		}()
	}
}

// visit is the capture itself, step by step.
func (s *session) visit(ctx context.Context) {
	nav := s.step(ctx, "navigate", s.navigate)
	s.m.Navigated = candor.Moment(s.now())
	kind, site := s.rec.shows()
	s.file = s.file || nav == candor.StepDone && unshowable(kind)
	if nav != candor.StepDone || !site || s.file && !playable(kind) {
		s.unseen(ctx)
		return
	}
	s.step(ctx, "load", s.load)
	s.arrange(ctx)
	s.look(ctx)
	s.step(ctx, "freeze", s.freeze)
	if _, site := s.rec.shows(); !site && !s.hung { // a script led on to an address that cannot be had
		s.unseen(ctx)
		return
	}
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
	s.m.PageHeight, s.extent = e.full, e
	if shot != candor.StepDone {
		s.doubts.partial(candor.GapNoPicture, "", "there is no picture")
		// Half a picture, or none, must not pass for one.
		if err := os.Remove(filepath.Join(s.dir, screenshotName)); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.log.Error("remove an unfinished picture", "error", err)
		}
	}
	if e.cut {
		s.doubts.partial(candor.GapTruncated, strconv.Itoa(e.full), fmt.Sprintf("the picture is truncated: the page is %d pixels high", e.full))
	}
	if !s.pictureOnly {
		s.words(ctx, e)
	}
	if s.layout != nil {
		s.checkPainted(ctx, *s.layout)
	}
	if now := s.rec.state(); now.loader != at.loader {
		s.doubts.partial(candor.GapMoved, "", "the page went on to another address while it was captured")
	}
	s.step(ctx, "thumbnail", func(context.Context) (string, error) {
		if shot != candor.StepDone {
			return "there is no picture", errSkipped
		}
		uniform, err := s.thumbnail()
		if uniform {
			s.doubts.partial(candor.GapBlank, "", "the picture is a single colour")
		}
		return "", err
	})
	if s.file { // a player's page: what it plays comes last, since it takes the page's place
		s.keepOriginal(ctx)
	}
}
