package page

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"github.com/chromedp/cdproto/domsnapshot"
)

// Layout is layout.json: the words of the page with their places in the
// picture. Boxes are in CSS pixels of the whole page, from its top left corner;
// times Viewport.Scale they are pixels of the picture.
type Layout struct {
	Version  int     `json:"version"` // 1
	Language string  `json:"language,omitempty"`
	Title    string  `json:"title"`
	Width    int     `json:"width"`
	Height   int     `json:"height"`
	Runs     []Run   `json:"runs"`
	Links    []Link  `json:"links"`
	Images   []Image `json:"images"`
}

// Box is left, top, width, height.
type Box [4]float64

// Run is a piece of text on one line. Start and End say which bytes of text.txt
// it is.
type Run struct {
	Text  string `json:"text"`
	Box   Box    `json:"box"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// Link is a link that is shown.
type Link struct {
	URL string `json:"url"`
	Box Box    `json:"box"`
}

// Image is a picture that is shown, with the words that stand for it.
type Image struct {
	Alt string `json:"alt"`
	URL string `json:"url,omitempty"`
	Box Box    `json:"box"`
}

// tree is the DOM with its layout as Chrome gives it in one answer: every
// frame, and shadow roots that scripts cannot see.
type tree struct {
	domsnapshot.CaptureSnapshotResult
}

// treeStyles are the computed styles asked for, by position.
var treeStyles = []string{"visibility", "display", "border-left-width", "border-top-width", "padding-left", "padding-top"}

const (
	styleVisibility = iota
	styleDisplay
)

func (s *session) readTree(ctx context.Context) (*tree, error) {
	res, err := call(ctx, s, s.limits.Picture, domsnapshot.CaptureSnapshot, domsnapshot.CaptureSnapshotParams{ComputedStyles: treeStyles})
	if err != nil {
		return nil, err
	}
	if len(res.Documents) == 0 {
		return nil, fmt.Errorf("the page has no document")
	}
	return &tree{res}, nil
}

func (t *tree) str(i domsnapshot.StringIndex) string {
	if i < 0 || int(i) >= len(t.Strings) {
		return ""
	}
	return t.Strings[i]
}

// words reads the tree once and writes the snapshot, the text and the layout.
func (s *session) words(ctx context.Context, e extent) {
	var t *tree
	s.step(ctx, "tree", func(ctx context.Context) (detail string, err error) {
		t, err = s.readTree(ctx)
		return "", err
	})
	s.step(ctx, "snapshot", func(ctx context.Context) (string, error) {
		detail, err := s.snapshot(ctx, t, e)
		if err != nil {
			s.doubts.partial("there is no snapshot")
		}
		return detail, err
	})
	s.step(ctx, "text", func(context.Context) (string, error) {
		if t == nil {
			s.doubts.partial("there is no text")
			return "there is no tree", errSkipped
		}
		text, layout := t.read()
		s.m.Title, s.m.Language = layout.Title, layout.Language
		layout.Width, layout.Height = e.width, e.height
		b, err := json.Marshal(layout)
		if err != nil {
			return "", err
		}
		if err := writeFile(filepath.Join(s.dir, layoutName), b); err != nil {
			return "", err
		}
		return fmt.Sprintf("%d runs", len(layout.Runs)), writeFile(filepath.Join(s.dir, textName), []byte(text))
	})
	if s.hung && s.m.Title == "" {
		s.doubts.partial(errHung.Error())
	}
}

// hasClosedRoots reports whether some node lies in a shadow root that scripts
// cannot reach.
func (t *tree) hasClosedRoots() bool {
	for _, d := range t.Documents {
		if d.Nodes == nil || d.Nodes.ShadowRootType == nil {
			continue
		}
		for _, v := range d.Nodes.ShadowRootType.Value {
			if t.str(v) == "closed" {
				return true
			}
		}
	}
	return false
}

// reader gathers the words of every document in reading order.
type reader struct {
	t      *tree
	text   strings.Builder
	layout Layout
	block  [2]int // document and layout block of the last word
	space  bool   // a space is due before the next word
	brk    bool   // a line break is due
}

func (t *tree) read() (string, Layout) {
	r := &reader{t: t, block: [2]int{-1, -1}, layout: Layout{Version: 1, Runs: []Run{}, Links: []Link{}, Images: []Image{}}}
	r.layout.Title = strings.Join(strings.Fields(t.str(t.Documents[0].Title)), " ")
	r.document(0, 0, 0, 0)
	if r.text.Len() > 0 {
		r.text.WriteByte('\n')
	}
	return r.text.String(), r.layout
}

const maxFrameDepth = 8

// document reads one document whose top left corner lies at x, y of the page.
func (r *reader) document(doc int, x, y float64, depth int) {
	d := r.t.Documents[doc]
	n, l := d.Nodes, d.Layout
	if n == nil || l == nil {
		return
	}
	if doc != 0 { // the page itself is pictured from its top, wherever it is scrolled to
		x, y = x-d.ScrollOffsetX, y-d.ScrollOffsetY
	}
	inner := map[int64]int64{}
	if n.ContentDocumentIndex != nil {
		for i, at := range n.ContentDocumentIndex.Index {
			inner[at] = n.ContentDocumentIndex.Value[i]
		}
	}
	boxes := map[int64][]int{}
	if d.TextBoxes != nil {
		for i, at := range d.TextBoxes.LayoutIndex {
			boxes[at] = append(boxes[at], i)
		}
	}
	shown := make(map[int64]int, len(l.NodeIndex)) // node to its layout
	for i, at := range l.NodeIndex {
		if _, ok := shown[at]; !ok {
			shown[at] = i
		}
	}
	for i, at := range l.NodeIndex {
		if r.style(l, i, styleVisibility) != "visible" && r.style(l, i, styleVisibility) != "" {
			continue
		}
		box := place(l.Bounds[i], x, y)
		name := ""
		if int(at) < len(n.NodeName) {
			name = r.t.str(n.NodeName[at])
		}
		switch name {
		case "HTML":
			if doc == 0 && r.layout.Language == "" {
				r.layout.Language = r.attr(n, at, "lang")
			}
		case "BR":
			r.brk = true
		case "A", "AREA":
			if href := r.attr(n, at, "href"); href != "" && shown[at] == i {
				r.layout.Links = append(r.layout.Links, Link{resolve(r.t.str(d.BaseURL), href), box})
			}
		case "IMG":
			if shown[at] == i {
				src := r.attr(n, at, "src")
				if src != "" && !strings.HasPrefix(src, "data:") {
					src = resolve(r.t.str(d.BaseURL), src)
				} else {
					src = ""
				}
				r.layout.Images = append(r.layout.Images, Image{r.attr(n, at, "alt"), src, box})
			}
		}
		if to, ok := inner[at]; ok && shown[at] == i && depth < maxFrameDepth {
			r.document(int(to), box[0]+r.length(l, i, 2)+r.length(l, i, 4), box[1]+r.length(l, i, 3)+r.length(l, i, 5), depth+1)
			continue
		}
		list := boxes[int64(i)]
		if len(list) == 0 {
			continue
		}
		text := utf16.Encode([]rune(r.t.str(l.Text[i])))
		block := [2]int{doc, r.blockOf(n, l, shown, at)}
		for _, b := range list {
			from, to := d.TextBoxes.Start[b], d.TextBoxes.Start[b]+d.TextBoxes.Length[b]
			if from < 0 || to > int64(len(text)) || from > to {
				continue
			}
			r.run(string(utf16.Decode(text[from:to])), place(d.TextBoxes.Bounds[b], x, y), block)
		}
	}
}

// run adds one piece of a line. Pieces of one block are joined as they read;
// another block begins another line of the text.
func (r *reader) run(s string, box Box, block [2]int) {
	words := strings.Join(strings.Fields(s), " ")
	if words == "" {
		r.space = true
		return
	}
	switch {
	case r.text.Len() == 0:
	case block != r.block || r.brk:
		r.text.WriteByte('\n')
	case r.space || strings.TrimLeft(s, " \t\n\r") != s || r.newLine(box):
		r.text.WriteByte(' ')
	}
	r.block, r.brk = block, false
	r.space = strings.TrimRight(s, " \t\n\r") != s
	start := r.text.Len()
	r.text.WriteString(words)
	r.layout.Runs = append(r.layout.Runs, Run{Text: words, Box: box, Start: start, End: r.text.Len()})
}

// newLine reports whether a box lies on another line than the run before, where
// the space that the line break swallowed has to be put back.
func (r *reader) newLine(b Box) bool {
	if len(r.layout.Runs) == 0 {
		return false
	}
	last := r.layout.Runs[len(r.layout.Runs)-1].Box
	return b[1] >= last[1]+last[3]*0.6 || b[1]+b[3]*0.6 <= last[1]
}

// blockOf is the layout of the nearest ancestor that is not part of a line.
func (r *reader) blockOf(n *domsnapshot.NodeTreeSnapshot, l *domsnapshot.LayoutTreeSnapshot, shown map[int64]int, at int64) int {
	for hops := 0; at >= 0 && int(at) < len(n.ParentIndex) && hops < 10_000; hops++ {
		at = n.ParentIndex[at]
		if i, ok := shown[at]; ok {
			switch r.style(l, i, styleDisplay) {
			case "inline", "contents", "ruby", "inline-block", "":
			default:
				return i
			}
		}
	}
	return -1
}

func (r *reader) style(l *domsnapshot.LayoutTreeSnapshot, i, which int) string {
	if i >= len(l.Styles) || which >= len(l.Styles[i]) {
		return ""
	}
	return r.t.str(domsnapshot.StringIndex(l.Styles[i][which]))
}

func (r *reader) length(l *domsnapshot.LayoutTreeSnapshot, i, which int) float64 {
	var f float64
	if _, err := fmt.Sscanf(r.style(l, i, which), "%fpx", &f); err != nil {
		return 0 // auto, or a percentage: not a length
	}
	return f
}

func (r *reader) attr(n *domsnapshot.NodeTreeSnapshot, at int64, name string) string {
	if int(at) >= len(n.Attributes) {
		return ""
	}
	for a := n.Attributes[at]; len(a) >= 2; a = a[2:] {
		if strings.EqualFold(r.t.str(domsnapshot.StringIndex(a[0])), name) {
			return r.t.str(domsnapshot.StringIndex(a[1]))
		}
	}
	return ""
}

func place(b domsnapshot.Rectangle, x, y float64) Box {
	if len(b) < 4 {
		return Box{}
	}
	return Box{b[0] + x, b[1] + y, b[2], b[3]}
}
