package page

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/animation"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/browser"
	"github.com/candor-archive/candor/render/picture"
)

// checkThreshold is the least difference of two colours that counts.
const checkThreshold = 0.1

// checkDir holds what a check needs while it runs.
const checkDir = "check.tmp"

// selfCheck opens the snapshot again, without scripts and without network, and
// compares what it shows with the picture and the text. It takes the page's
// place in its tab: what is left of the page cannot reach the file, since no
// script runs, and a tab of its own would cost more.
func (s *session) selfCheck(ctx context.Context, have *borrowed) {
	var check candor.SelfCheck
	marked, hadText := false, false
	outcome := s.extra(ctx, "self_check", s.limits.Check, func(ctx context.Context) (string, error) {
		shot, snapshot := filepath.Join(s.dir, screenshotName), filepath.Join(s.dir, snapshotName)
		for _, path := range []string{shot, snapshot} {
			if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
				return "there is no " + filepath.Base(path), errSkipped
			} else if err != nil {
				return "", err
			}
		}
		began := time.Now()
		defer func() {
			if err := os.RemoveAll(filepath.Join(s.dir, checkDir)); err != nil {
				s.log.Error("remove what a check left", "error", err)
			}
		}()
		again, err := s.reopen(ctx, snapshot)
		if err != nil {
			have.broken = true
			return "", err
		}
		check = candor.SelfCheck{Threshold: checkThreshold, Requests: again.requests}
		before, err := os.ReadFile(filepath.Join(s.dir, textName))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		hadText = err == nil // without one, its own step says why
		check.TextEqual = hadText && slices.Equal(strings.Fields(string(before)), strings.Fields(again.text))
		d, err := differ(ctx, shot, again.open, filepath.Join(s.dir, differenceName))
		if err != nil {
			return "", fmt.Errorf("compare the pictures: %w", err)
		}
		check.Pixels, check.Differing, check.SizeWrong = d.Pixels, d.Differing, d.SizeWrong
		check.Regions = s.regions(d)
		marked = d.Differing > 0
		check.Duration = time.Since(began)
		return fmt.Sprintf("%d of %d pixels differ", d.Differing, d.Pixels), nil
	})
	if outcome != candor.StepDone {
		marked = false
	}
	if !marked {
		if err := os.Remove(filepath.Join(s.dir, differenceName)); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.log.Error("remove the picture of a check", "error", err)
		}
	}
	if outcome != candor.StepDone {
		if st := s.m.Steps[len(s.m.Steps)-1]; st.Outcome == candor.StepFailed || st.Outcome == candor.StepTimedOut {
			s.doubts.partial(candor.GapCheck, "undone", fmt.Sprintf("whether the snapshot shows the same as the picture could not be checked (%s)", st.Detail))
		}
		return
	}
	if marked {
		f, err := measured(s.dir, candor.File{Kind: candor.Difference, Path: differenceName, MediaType: "image/png"})
		if err != nil {
			s.log.Error("enter the picture of a check", "error", err)
		} else {
			s.m.Files = append(s.m.Files, f)
		}
	}
	s.m.Check = &check
	switch share := check.Share(); {
	case check.SizeWrong:
		s.doubts.partial(candor.GapCheck, "1", "the snapshot, opened again, has another size than the picture")
	case share > candor.CheckShare:
		s.doubts.partial(candor.GapCheck, strconv.FormatFloat(share, 'f', 4, 64),
			fmt.Sprintf("the snapshot, opened again, differs from the picture in %.1f %% of its pixels", share*100))
	}
	if check.Requests > 0 {
		s.doubts.partial(candor.GapCheck, "requests", fmt.Sprintf("the snapshot, opened again, tried to reach the network (%d requests)", check.Requests))
	}
	if hadText && !check.TextEqual && (s.tree == nil || !s.tree.skips()) {
		s.doubts.partial(candor.GapCheck, "text", "the words of the snapshot, opened again, differ from those that were kept")
	}
}

// reopened is what a snapshot showed when it was opened again.
type reopened struct {
	text     string
	requests int
	png      []byte // its picture, or
	path     string // the file that holds it, when it is tall
}

func (r reopened) open() (io.ReadCloser, error) {
	if r.path == "" {
		return io.NopCloser(bytes.NewReader(r.png)), nil
	}
	return os.Open(r.path)
}

// reopen shows the snapshot and reads it as the page was read.
func (s *session) reopen(ctx context.Context, snapshot string) (out reopened, err error) {
	var token [8]byte
	rand.Read(token[:]) // never fails since Go 1.24
	host := "snapshot-" + hex.EncodeToString(token[:]) + ".invalid"
	url := "http://" + host + "/" + snapshotName
	offline := s.lease.Proxy.Offline(host, shownAgain(snapshot))
	c := &session{spec: s.spec, dir: filepath.Join(s.dir, checkDir), limits: s.limits, now: s.now, log: s.log, lease: s.lease, frame: s.frame,
		m: &candor.Manifest{Profile: s.m.Profile, Viewport: s.m.Viewport, UserAgent: s.m.UserAgent}}
	w := &reopening{url: url, icon: "http://" + host + "/favicon.ico", done: make(chan struct{}), pass: c.pass(ctx),
		refusals: func() int { return len(offline.Refusals()) }}
	if err := s.lease.Listen(w.on); err != nil {
		return out, err
	}
	defer w.end()
	if err := s.leave(ctx); err != nil {
		return out, fmt.Errorf("leave the page: %w", err)
	}
	w.begin()
	res, err := call(ctx, c, c.limits.Navigate, cdppage.Navigate, cdppage.NavigateParams{URL: url})
	if err == nil && res.ErrorText != "" {
		err = errors.New(res.ErrorText)
	}
	if err != nil {
		return out, fmt.Errorf("open the snapshot: %w", err)
	}
	if err := w.wait(ctx, c); err != nil {
		return out, err
	}
	if err := c.shootAgain(ctx, &out); err != nil {
		return out, fmt.Errorf("take its picture: %w", err)
	}
	t, err := c.readTree(ctx)
	if err != nil {
		return out, fmt.Errorf("read its text: %w", err)
	}
	out.text, _ = t.read()
	out.requests = w.requests()
	return out, nil
}

// leave takes back what the visit set for the page, switches scripts off and
// puts requests under watch. The domain Network goes off: it would repeat every
// data: address of the file to us.
func (s *session) leave(ctx context.Context) error {
	if s.rec != nil {
		s.rec.mu.Lock()
		s.rec.held = nil
		s.rec.mu.Unlock()
		s.answerDialogs(ctx) // the page's own, until it is gone
	}
	lctx, cancel := context.WithTimeout(ctx, quick)
	defer cancel()
	return s.lease.Target.Batch(lctx,
		browser.Cmd(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}, nil),
		browser.Cmd(network.Disable, cdp.Empty{}, nil),
		browser.Cmd(animation.Enable, cdp.Empty{}, nil),
		browser.Cmd(animation.SetPlaybackRate, animation.SetPlaybackRateParams{PlaybackRate: 1}, nil),
		browser.Cmd(animation.Disable, cdp.Empty{}, nil),
		browser.Cmd(cdplog.Enable, cdp.Empty{}, nil),
		browser.Cmd(fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: "http*"}, {URLPattern: "ws*"}, {URLPattern: "file*"}}}, nil))
}

// pass lets a request go on or ends it.
func (s *session) pass(ctx context.Context) func(id fetch.RequestID, on bool) {
	return func(id fetch.RequestID, on bool) {
		go func() {
			var err error
			if on {
				_, err = call(ctx, s, quick, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: id})
			} else {
				_, err = call(ctx, s, quick, fetch.FailRequest, fetch.FailRequestParams{RequestID: id, ErrorReason: network.ErrorReasonBlockedByClient})
			}
			if err != nil {
				s.log.Debug("answer a request of a snapshot", "error", err)
			}
		}()
	}
}

// shootAgain takes the picture of what the tab shows, in the same strips as that
// of the page.
func (s *session) shootAgain(ctx context.Context, out *reopened) error {
	e, err := s.measure(ctx)
	if err != nil {
		return err
	}
	scale := s.m.Viewport.Scale
	w, h := px(e.width, scale), px(e.height, scale)
	strip := stripHeight(w, scale, stripArea)
	if e.height <= strip {
		out.png, err = s.strip(ctx, e, 0, e.height)
		return err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	out.path = filepath.Join(s.dir, screenshotName)
	f, err := os.Create(out.path)
	if err != nil {
		return err
	}
	buf := bufio.NewWriterSize(f, 64<<10)
	j := picture.NewJoiner(buf, w, h, nil)
	for y, next := 0, 0; y < e.height && err == nil; y = next {
		var b []byte
		next = y + s.portion(e, y, strip)
		if b, err = s.strip(ctx, e, y, next-y); err == nil {
			err = j.Add(b)
		}
	}
	if err == nil {
		err = j.Close()
	}
	return errors.Join(err, buf.Flush(), f.Close()) // nobody needs it after a crash
}

// shownAgain serves the snapshot at its path, and nothing else.
type shownAgain string

func (f shownAgain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/"+snapshotName {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	http.ServeFile(w, r, string(f))
}

// regions are the places that differ, on the page, each with its likely cause.
func (s *session) regions(d picture.Difference) []candor.CheckRegion {
	if len(d.Regions) == 0 {
		return nil
	}
	var blame []suspect
	var runs []Run
	if s.tree != nil {
		blame = s.tree.suspects()
		_, layout := s.tree.read()
		runs = layout.Runs
	}
	scale := s.m.Viewport.Scale
	out := make([]candor.CheckRegion, len(d.Regions))
	for i, r := range d.Regions {
		box := Box{float64(r.Min.X) / scale, float64(r.Min.Y) / scale, float64(r.Dx()) / scale, float64(r.Dy()) / scale}
		share := float64(d.Counts[i]) / float64(max(1, r.Dx()*r.Dy()))
		out[i] = candor.CheckRegion{Box: box, Share: math.Round(share*1e4) / 1e4, Cause: cause(box, blame, runs)}
	}
	return out
}
