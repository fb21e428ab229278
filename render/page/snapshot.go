package page

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	cdppage "github.com/chromedp/cdproto/page"
)

//go:embed serialise.js
var serialiseJS string

// serial is what the serialiser gives of one document.
type serial struct {
	HTML    string `json:"html"`
	Parts   []part `json:"parts"`
	Quirks  bool   `json:"quirks"`
	Picture bool   `json:"picture"` // not HTML: only its picture can stand for it
	URL     string `json:"url"`

	frames []*serial // by the index that parts use; nil where there is none
}

// part is something that comes from elsewhere into a document.
type part struct {
	Kind   string  `json:"k"`
	URL    string  `json:"url"`
	Text   string  `json:"text"`
	Base   string  `json:"base"`
	Escape string  `json:"esc"`
	Inline bool    `json:"inline"`
	Box    *Box    `json:"box"`
	Width  float64 `json:"w"`
	Height float64 `json:"h"`
	Index  int     `json:"i"`
	HTML   string  `json:"html"`
}

const maxFrames = 200

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
	a := &assembler{s: s, sources: s.sources(), shot: filepath.Join(s.dir, screenshotName), scale: s.m.Viewport.Scale, extent: e}
	var closed map[cdp.FrameID][]closedRoot
	if t != nil && t.hasClosedRoots() {
		if closed, err = s.closedRoots(ctx); err != nil {
			return "", err
		}
	}
	n := 0
	doc, err := s.serialise(ctx, closed, frames.FrameTree, a.sources, 0, 0, &n)
	if err != nil {
		return "", err
	}
	if err := a.collect(doc); err != nil {
		return "", err
	}
	path := filepath.Join(s.dir, snapshotName)
	err = writeTo(path, func(w io.Writer) error {
		limit := &limited{w: w, left: int64(s.limits.SnapshotMB) << 20}
		b := bufio.NewWriterSize(limit, 256<<10)
		if err := a.document(b, doc, true); err != nil {
			return err
		}
		return b.Flush()
	})
	if err != nil {
		return "", err
	}
	detail := fmt.Sprintf("%d frames", n-1)
	if a.missing > 0 {
		detail += fmt.Sprintf(", %d parts had no body", a.missing)
	}
	return detail, nil
}

// sources are the style sheets and drawings that were received, by address: the
// serialiser compares sheets with them and takes symbols out of them.
func (s *session) sources() map[string]string {
	out := map[string]string{}
	w := s.rec.out
	w.mu.Lock()
	defer w.mu.Unlock()
	for u, b := range w.urls {
		if t := mediaType(b.mediaType); b.truncated || t != "text/css" && t != "image/svg+xml" {
			continue
		}
		if text, err := os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(b.path))); err == nil {
			out[u] = strings.TrimPrefix(string(text), "\ufeff")
		}
	}
	return out
}

// closedRoot is a shadow root that scripts cannot reach, with its host.
type closedRoot struct{ host, root cdp.BackendNodeID }

// closedRoots finds the closed shadow roots of every frame. It is asked for only
// when there are some, since it costs a copy of the whole tree.
func (s *session) closedRoots(ctx context.Context) (map[cdp.FrameID][]closedRoot, error) {
	res, err := call(ctx, s, s.limits.Picture, dom.GetDocument, dom.GetDocumentParams{Depth: new(int64(-1)), Pierce: new(true)})
	if err != nil {
		return nil, err
	}
	out := map[cdp.FrameID][]closedRoot{}
	var walk func(n *cdp.Node, frame cdp.FrameID)
	walk = func(n *cdp.Node, frame cdp.FrameID) {
		for _, r := range n.ShadowRoots {
			if r.ShadowRootType == cdp.ShadowRootTypeClosed {
				out[frame] = append(out[frame], closedRoot{n.BackendNodeID, r.BackendNodeID})
			}
			walk(r, frame)
		}
		for _, c := range n.Children {
			walk(c, frame)
		}
		if n.ContentDocument != nil {
			walk(n.ContentDocument, n.FrameID)
		}
	}
	walk(res.Root, s.frame)
	return out, nil
}

// serialise reads one frame and those inside it. x and y are where its view
// lies on the page.
func (s *session) serialise(ctx context.Context, closed map[cdp.FrameID][]closedRoot, f *cdppage.FrameTree, sources map[string]string, x, y float64, n *int) (*serial, error) {
	*n++
	world, err := s.world(ctx, f.Frame.ID)
	if err != nil {
		return nil, err
	}
	opts := map[string]any{"sources": sources, "top": f.Frame.ParentID == "", "x": x, "y": y}
	args := []any{opts}
	give := func(id cdp.BackendNodeID) (object, error) {
		res, err := call(ctx, s, quick, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: id, ExecutionContextID: world})
		if err != nil {
			return "", err
		}
		return object(res.Object.ObjectID), nil
	}
	known := 0
	for _, c := range closed[f.Frame.ID] {
		host, err1 := give(c.host)
		root, err2 := give(c.root)
		if err1 != nil || err2 != nil {
			continue // it went away since the tree was read
		}
		args = append(args, host, root)
		known++
	}
	opts["closed"] = known
	var inside []*cdppage.FrameTree
	for _, c := range f.ChildFrames {
		if *n+len(inside) >= maxFrames {
			break
		}
		owner, err := call(ctx, s, quick, dom.GetFrameOwner, dom.GetFrameOwnerParams{FrameID: c.Frame.ID})
		if err != nil {
			continue // it went away; the picture stands for it
		}
		if o, err := give(owner.BackendNodeID); err == nil {
			args = append(args, o)
			inside = append(inside, c)
		}
	}
	out := new(serial)
	if err := s.askIn(ctx, world, s.limits.Picture, out, serialiseJS, args...); err != nil {
		return nil, err
	}
	out.frames = make([]*serial, len(inside))
	for i, c := range inside {
		var at *Box
		for _, p := range out.Parts {
			if p.Kind == "frame" && p.Index == i {
				at = p.Box
			}
		}
		if at == nil || c.Frame.UnreachableURL != "" {
			continue
		}
		sub, err := s.serialise(ctx, closed, c, sources, at[0], at[1], n)
		if err != nil {
			if s.hung || ctx.Err() != nil {
				return nil, err
			}
			s.log.Debug("serialise a frame", "url", c.Frame.URL, "error", err)
			continue // the picture stands for it
		}
		out.frames[i] = sub
	}
	return out, nil
}

// policy lets the file use what it holds and nothing else.
const policy = "default-src 'none'; img-src data:; font-src data:; media-src data:; object-src data:; style-src 'unsafe-inline' data:; " +
	"frame-src data: about:; form-action 'none'; base-uri 'none'"

// head is what every document of the file begins with.
func (a *assembler) head() string {
	return `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="` + policy + `">` +
		`<meta name="referrer" content="no-referrer"><meta http-equiv="x-dns-prefetch-control" content="off">`
}

// opening says what the file is, for whoever opens it in an editor.
func (a *assembler) opening() string {
	m := a.s.m
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
