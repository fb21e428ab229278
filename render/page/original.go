package page

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	cdpio "github.com/chromedp/cdproto/io"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"

	"github.com/candor-archive/candor"
)

// maxOriginal is how much is kept of a file that was asked for by its own
// address.
const maxOriginal = 128 << 20

// isPage says that what a media type stands for is a page, whose looks are what
// counts, rather than a file with a meaning of its own.
func isPage(mediaType string) bool {
	switch mediaType {
	case "", "text/html", "application/xhtml+xml":
		return true
	}
	return false
}

// unshowable says that the tab does not show what an address with this media
// type stands for, or shows it in a player or viewer that hands over no bytes.
func unshowable(mediaType string) bool {
	return mediaType == "application/pdf" || mediaType == "text/pdf" || playable(mediaType)
}

func playable(mediaType string) bool {
	return strings.HasPrefix(mediaType, "video/") || strings.HasPrefix(mediaType, "audio/") || mediaType == "application/ogg"
}

// original asks once more for an address that leads to a file and not to a page,
// and keeps its bytes. Chrome itself is never let write one: the answer is held
// at the network, read from there, and broken off.
func (s *session) original(ctx context.Context) (detail string, err error) {
	first := s.rec.firstType()
	// Room for what is asked for meanwhile; the page's listener must not wait.
	held := make(chan *fetch.EventRequestPaused, 100)
	s.rec.mu.Lock()
	s.rec.taken = func(e *fetch.EventRequestPaused) {
		select {
		case held <- e:
		default:
		}
	}
	s.rec.mu.Unlock()
	defer func() {
		s.rec.mu.Lock()
		s.rec.taken = nil
		s.rec.mu.Unlock()
	}()
	if _, err := call(ctx, s, quick, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{
		{URLPattern: "*", ResourceType: network.ResourceTypeDocument, RequestStage: fetch.RequestStageResponse}}}); err != nil {
		return "", err
	}
	defer func() {
		if _, offErr := call(ctx, s, quick, fetch.Disable, cdp.Empty{}); offErr != nil {
			err = errors.Join(err, offErr)
		}
	}()
	nctx, stop := context.WithTimeout(ctx, s.limits.Navigate)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		_, err := cdp.Call(nctx, s.lease.Target, cdppage.Navigate, cdppage.NavigateParams{URL: s.spec.URL})
		ended <- err
	}()
	for {
		select {
		case e := <-held:
			switch {
			case e.FrameID == s.frame && e.ResponseErrorReason == "" && e.ResponseStatusCode/100 != 3:
				return s.takeHeld(ctx, e, first)
			default:
				if _, err := call(ctx, s, quick, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID}); err != nil {
					return "", err
				}
			}
		case err := <-ended:
			if ctx.Err() == nil && nctx.Err() != nil {
				return "", fmt.Errorf("asked for again, it did not answer within %s: %w", s.limits.Navigate, errSlow)
			}
			return "", errors.Join(errors.New("asked for again, it gave nothing"), err)
		case <-s.lease.Gone():
			return "", errors.New("the browser died")
		}
	}
}

// firstType is the media type that the server gave when the address was asked
// for first, as it wrote it, if that is known.
func (r *recorder) firstType() (t firstType) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.main != nil && r.main.Status != 0 {
		t.known, t.header = true, strings.Join(r.main.ResponseHeaders["content-type"], "")
	}
	return t
}

type firstType struct {
	known  bool
	header string
}

// compareHeld doubts an answer that is not what the address gave at first, for
// whose sake there is no picture of it.
func (s *session) compareHeld(e *fetch.EventRequestPaused, first firstType, second string) {
	is, was := mediaType(second), mediaType(first.header)
	switch {
	case e.ResponseStatusCode >= 400:
		s.doubts.fail(candor.GapStatus, strconv.FormatInt(e.ResponseStatusCode, 10), fmt.Sprintf("asked for again, the server answered %d", e.ResponseStatusCode))
	case !first.known || is == was:
	case isPage(is):
		s.doubts.fail(candor.GapOther, "download", fmt.Sprintf("the address led to a file (%s) and, asked for again, to a page (%s)", was, is))
	default:
		s.doubts.partial(candor.GapOther, "download", fmt.Sprintf("the address led to a file (%s) and, asked for again, to another (%s)", was, is))
	}
}

// takeHeld reads the answer that is held.
func (s *session) takeHeld(ctx context.Context, e *fetch.EventRequestPaused, first firstType) (detail string, err error) {
	kind, length := "", int64(-1)
	for _, h := range e.ResponseHeaders {
		switch strings.ToLower(h.Name) {
		case "content-type":
			kind = h.Value
		case "content-length":
			if n, err := strconv.ParseInt(h.Value, 10, 64); err == nil {
				length = n
			}
		}
	}
	stream, err := call(ctx, s, quick, fetch.TakeResponseBodyAsStream, fetch.TakeResponseBodyAsStreamParams{RequestID: e.RequestID})
	if err != nil {
		return "", err
	}
	defer func() {
		// It has what it wants: the rest is not for anybody.
		_, closeErr := call(ctx, s, quick, cdpio.Close, cdpio.CloseParams{Handle: stream.Stream})
		_, failErr := call(ctx, s, quick, fetch.FailRequest, fetch.FailRequestParams{RequestID: e.RequestID, ErrorReason: network.ErrorReasonAborted})
		if problem := errors.Join(closeErr, failErr); problem != nil {
			s.log.Debug("break off a file", "url", s.spec.URL, "error", problem)
		}
	}()
	kept, err := s.spill(ctx, stream.Stream)
	if err != nil {
		return "", err
	}
	kept.mediaType = kind
	if length >= 0 && kept.size < length {
		kept.truncated = true
	}
	if t, _, err := mime.ParseMediaType(kind); err == nil {
		kind = t
	}
	s.compareHeld(e, first, kind)
	s.rec.out.add(kept)
	s.rec.keep(e, kind, kept)
	s.kept = kept
	detail = fmt.Sprintf("%d bytes, %s", kept.size, mediaType(kind))
	if kept.truncated {
		s.doubts.partial(candor.GapTruncated, strconv.FormatInt(kept.size, 10), fmt.Sprintf("only the first %d bytes of the file are kept", kept.size))
		detail += ", truncated"
	}
	return detail, nil
}

// spill copies a stream into a file named after its hash.
func (s *session) spill(ctx context.Context, handle cdpio.StreamHandle) (k stored, err error) {
	f, err := os.CreateTemp(filepath.Join(s.dir, "bodies"), "original-*")
	if err != nil {
		return k, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	sum := sha256.New()
	deadline := time.Now().Add(s.limits.Load)
	for {
		res, err := call(ctx, s, quick, cdpio.Read, cdpio.ReadParams{Handle: handle, Size: 1 << 20})
		if err != nil && k.size > 0 && errors.Is(err, errHung) { // a server that falls silent
			k.truncated = true
			break
		}
		if err != nil {
			return k, err
		}
		b := res.Data
		if room := maxOriginal - k.size; int64(len(b)) > room {
			b, k.truncated = b[:room], true
		}
		sum.Write(b) // never fails
		if _, err := f.Write(b); err != nil {
			return k, err
		}
		k.size += int64(len(b))
		if res.EOF || k.truncated {
			break
		}
		if time.Now().After(deadline) {
			k.truncated = true
			break
		}
	}
	k.sha, k.main, k.original = hex.EncodeToString(sum.Sum(nil)), true, true
	k.path = "bodies/" + k.sha
	if err := f.Chmod(0o644); err != nil {
		return k, err
	}
	if err := f.Close(); err != nil {
		return k, err
	}
	return k, os.Rename(f.Name(), filepath.Join(s.dir, filepath.FromSlash(k.path)))
}

// keepOriginal is the step that keeps the file, without which there is no
// capture of it.
func (s *session) keepOriginal(ctx context.Context) {
	if s.pictureOnly {
		return
	}
	if s.step(ctx, "original", s.original) != candor.StepDone {
		why := s.m.Steps[len(s.m.Steps)-1].Detail
		s.doubts.fail(candor.GapOther, "download", "the address leads to a file whose bytes could not be kept: "+why)
	}
}

// unseen ends a visit that has no page to show: an address that cannot be had,
// or one that leads to a file. Chrome's own page about it is none of the site's,
// and no picture is made of it.
func (s *session) unseen(ctx context.Context) {
	if s.file {
		s.keepOriginal(ctx)
	}
	s.m.Settled = candor.Moment(s.now())
	s.m.Shot = s.m.Settled
	s.step(ctx, "screenshot", func(context.Context) (string, error) { return "there is no page", errSkipped })
	if u := s.rec.asked(); u != "" {
		s.m.FinalURL = u
	}
}
