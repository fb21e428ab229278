package page

import (
	"context"
	"embed"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

//go:embed serialise/*.js
var serialiseFiles embed.FS

// serialiseJS is one function in several files, in the order that they need.
var serialiseJS = func() string {
	var b strings.Builder
	for _, name := range []string{"begin", "state", "sheet", "media", "field", "parser", "element", "end"} {
		text, err := serialiseFiles.ReadFile("serialise/" + name + ".js")
		if err != nil {
			panic(err) // it is embedded
		}
		b.Write(text)
	}
	return b.String()
}()

// serial is what the serialiser gives of one document.
type serial struct {
	HTML    string   `json:"html"`
	Parts   []part   `json:"parts"`
	Own     bool     `json:"own"`     // of another mode than srcdoc has
	Picture bool     `json:"picture"` // neither page nor drawing: only its picture can stand for it
	Words   string   `json:"words"`   // of such a one
	Title   string   `json:"title"`   // as above
	Marks   []string `json:"marks"`
	Asked   []string `json:"asked"` // attributes that selectors ask for
	Faces   []face   `json:"faces"`
	URL     string   `json:"url"`

	frames     []*serial // by the index that parts use; nil where there is none
	lost       []string  // words of frames that there are none of, by the same index
	registered []*css.PropertyRegistration
}

// part is something that comes from elsewhere into a document.
type part struct {
	Kind   string  `json:"k"`
	URL    string  `json:"url"`
	Text   string  `json:"text"`
	Base   string  `json:"base"`
	Escape string  `json:"esc"`
	Box    *Box    `json:"box"`
	Width  float64 `json:"w"`
	Height float64 `json:"h"`
	Dense  bool    `json:"dense"` // it may be drawn at another density than its pixels
	Index  int     `json:"i"`
	Tag    string  `json:"tag"`
	HTML   string  `json:"html"`
}

// face is a font that a page may have added by script.
type face struct {
	Family, Style, Weight, Stretch, Range, Display, Features, Ascent, Descent, Gap string
}

const maxFrames = 200

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

// serialiser reads the documents of a page, frame by frame.
type serialiser struct {
	s      *session
	closed map[cdp.FrameID][]closedRoot
	hints  hints
	extent extent
	n      int // documents so far
}

// read reads one frame and those inside it. x and y are where its view lies on
// the page.
func (r *serialiser) read(ctx context.Context, f *cdppage.FrameTree, x, y float64) (*serial, error) {
	r.n++
	s := r.s
	world, err := s.world(ctx, f.Frame.ID)
	if err != nil {
		return nil, err
	}
	opts := r.hints.options()
	opts["top"], opts["x"], opts["y"] = f.Frame.ParentID == "", x, y
	opts["width"], opts["height"] = r.extent.width, r.extent.height
	args := []any{opts}
	give := func(id cdp.BackendNodeID) (object, error) {
		res, err := call(ctx, s, quick, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: id, ExecutionContextID: world})
		if err != nil {
			return "", err
		}
		return object(res.Object.ObjectID), nil
	}
	known := 0
	for _, c := range r.closed[f.Frame.ID] {
		host, err1 := give(c.host)
		root, err2 := give(c.root)
		if err1 != nil || err2 != nil {
			continue // it went away since the tree was read
		}
		args = append(args, host, root)
		known++
	}
	opts["closed"], opts["layers"] = known, 0
	if r.hints.layers && opts["top"] == true {
		list, err := s.topLayer(ctx)
		if err != nil {
			s.log.Debug("order of the top layer", "url", f.Frame.URL, "error", err) // the order of the tree will do
		}
		n := 0
		for _, id := range list {
			if o, err := call(ctx, s, quick, dom.ResolveNode, dom.ResolveNodeParams{NodeID: id, ExecutionContextID: world}); err == nil {
				args = append(args, object(o.Object.ObjectID))
				n++
			}
		}
		opts["layers"] = n
	}
	var inside []*cdppage.FrameTree
	for _, c := range f.ChildFrames {
		if r.n+len(inside) >= maxFrames {
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
	if r.hints.properties {
		if out.registered, err = s.registered(ctx, world); err != nil {
			s.log.Debug("registered properties", "url", f.Frame.URL, "error", err) // the check will show what it does to the look
		}
	}
	out.frames, out.lost = make([]*serial, len(inside)), make([]string, len(inside))
	for i, c := range inside {
		var at *Box
		for _, p := range out.Parts {
			if p.Kind == "frame" && p.Index == i {
				at = p.Box
			}
		}
		if at == nil {
			continue
		}
		if c.Frame.UnreachableURL != "" { // the browser's own page, which does not survive copying
			out.lost[i] = s.wordsOf(ctx, c.Frame.ID)
			continue
		}
		sub, err := r.read(ctx, c, at[0], at[1])
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

// wordsOf gives the visible words of a frame, or none.
func (s *session) wordsOf(ctx context.Context, frame cdp.FrameID) string {
	var words string
	w, err := s.world(ctx, frame)
	if err == nil {
		err = s.askIn(ctx, w, quick, &words, `() => document.body ? document.body.innerText : ''`)
	}
	if err != nil {
		s.log.Debug("words of a frame that failed", "error", err)
	}
	return words
}

// topLayer lists what lies in the top layer of the page, the lowest first.
func (s *session) topLayer(ctx context.Context) ([]cdp.NodeID, error) {
	if _, err := call(ctx, s, quick, dom.Enable, dom.EnableParams{}); err != nil {
		return nil, err
	}
	if _, err := call(ctx, s, quick, dom.GetDocument, dom.GetDocumentParams{Depth: new(int64(0))}); err != nil {
		return nil, err // without it no node has a number
	}
	res, err := call(ctx, s, quick, dom.GetTopLayerElements, cdp.Empty{})
	return res.NodeIDs, err
}

// registered asks for the custom properties that scripts have registered in a
// document, which only the inspector of styles tells. It makes Chrome look at
// every sheet again, so it is asked only where a script names the function.
func (s *session) registered(ctx context.Context, world runtime.ExecutionContextID) ([]*css.PropertyRegistration, error) {
	if _, err := call(ctx, s, quick, dom.Enable, dom.EnableParams{}); err != nil {
		return nil, err
	}
	if _, err := call(ctx, s, quick, css.Enable, cdp.Empty{}); err != nil {
		return nil, err
	}
	if _, err := call(ctx, s, quick, dom.GetDocument, dom.GetDocumentParams{Depth: new(int64(0))}); err != nil {
		return nil, err // without it no node has a number
	}
	el, err := call(ctx, s, quick, runtime.Evaluate, runtime.EvaluateParams{Expression: "Object.getOwnPropertyDescriptor(Document.prototype, 'documentElement').get.call(document)", ContextID: world})
	if err != nil || el.Result == nil || el.Result.ObjectID == "" {
		return nil, err
	}
	node, err := call(ctx, s, quick, dom.RequestNode, dom.RequestNodeParams{ObjectID: el.Result.ObjectID})
	if err != nil {
		return nil, err
	}
	styles, err := call(ctx, s, quick, css.GetMatchedStylesForNode, css.GetMatchedStylesForNodeParams{NodeID: node.NodeID})
	return styles.CSSPropertyRegistrations, err
}
