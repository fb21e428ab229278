package page

import (
	"bufio"
	"context"
	"fmt"
	"html"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"

	"github.com/candor-archive/candor"
)

// snapshot writes the DOM as one file that shows the same without network and
// scripts. The picture has been taken before: taking it resizes the view, which
// pages react to, so the tree that is read after it is the one it shows.
func (s *session) snapshot(ctx context.Context, t *tree, e extent) (string, error) {
	wait, cancel := context.WithTimeout(ctx, 5*time.Second)
	if err := s.rec.out.idle(wait); err != nil {
		s.log.Debug("bodies are still being fetched", "url", s.spec.URL)
	}
	cancel()
	frames, err := call(ctx, s, quick, cdppage.GetFrameTree, cdp.Empty{})
	if err != nil {
		return "", err
	}
	r := &serialiser{s: s, hints: s.hints(), extent: e}
	if t != nil && t.hasClosedRoots() {
		if r.closed, err = s.closedRoots(ctx); err != nil {
			return "", err
		}
	}
	doc, err := r.read(ctx, frames.FrameTree, 0, 0)
	alone := ""
	if err != nil {
		if s.hung || ctx.Err() != nil {
			return "", err
		}
		// Too deep, or otherwise beyond the serialiser: its picture can still be
		// opened, with its words.
		alone = fmt.Sprintf("the tree could not be written, so the picture stands for it: %v", err)
		doc = &serial{Picture: true, URL: s.m.FinalURL, Words: s.wordsOf(ctx, s.frame)}
		s.doubts.partial(candor.GapNoSnapshot, "picture", "the snapshot holds only the picture and the words of the page")
	}
	a := newAssembler(s, r.hints.sources, e)
	a.stop = ctx.Err
	if err := a.prepare(doc); err != nil {
		return "", err
	}
	path := filepath.Join(s.dir, snapshotName)
	err = writeTo(path, func(w io.Writer) error {
		limit := &limited{w: w, left: int64(s.limits.SnapshotMB) << 20}
		b := bufio.NewWriterSize(limit, 256<<10)
		b.WriteString(opening(s)) // a bufio.Writer keeps its first error for Flush
		if err := a.document(b, doc); err != nil {
			return err
		}
		return b.Flush()
	})
	if err != nil {
		return "", err
	}
	detail := fmt.Sprintf("%d frames", r.n-1)
	if alone != "" {
		detail = alone
	}
	if a.missing > 0 {
		detail += fmt.Sprintf(", %d parts had no body", a.missing)
	}
	return detail, nil
}

// policy lets the file use what it holds and nothing else.
const policy = "default-src 'none'; img-src data:; font-src data:; media-src data:; object-src data:; style-src 'unsafe-inline' data:; " +
	"frame-src data: about:; form-action 'none'; base-uri 'none'"

// policyHead is what every document of the file begins with.
const policyHead = `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="` + policy + `">` +
	`<meta name="referrer" content="no-referrer"><meta http-equiv="x-dns-prefetch-control" content="off">`

// opening says what the file is, for whoever opens it in an editor.
func opening(s *session) string {
	m := s.m
	safe := func(s string) string { return strings.ReplaceAll(html.EscapeString(s), "--", "-&#45;") }
	return fmt.Sprintf("<!-- candor: the page %s as it was at %s UTC (capture %s), saved by %s with %s.\n"+
		"     Scripts are removed, everything shown is inside this file, and nothing is fetched when it is opened.\n"+
		"     Attributes data-candor-* keep the addresses that were there. -->\n",
		safe(m.FinalURL), m.Settled.UTC().Format("2006-01-02 15:04:05.000000"), safe(m.ID), safe(m.Software), safe(m.Browser))
}

// limited ends a snapshot that grows beyond reason.
type limited struct {
	w    io.Writer
	left int64
}

func (l *limited) Write(b []byte) (int, error) {
	if l.left -= int64(len(b)); l.left < 0 {
		return 0, fmt.Errorf("the snapshot is larger than it may be")
	}
	return l.w.Write(b)
}
