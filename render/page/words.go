package page

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/candor-archive/candor"
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

// Run is a piece of text on one line, as far as it is seen. Start and End say
// which bytes of text.txt it is.
type Run struct {
	Text     string `json:"text"`
	Box      Box    `json:"box"`
	Start    int    `json:"start"`
	End      int    `json:"end"`
	Language string `json:"language,omitempty"` // where it is not the page's
	Out      bool   `json:"out,omitempty"`      // has to be scrolled to, so the picture does not show it
}

// Link is a link that is shown.
type Link struct {
	URL  string `json:"url"`
	Text string `json:"text,omitempty"`
	Box  Box    `json:"box"`
}

// Image is a picture that is shown, with the words that stand for it.
type Image struct {
	Alt string `json:"alt"`
	URL string `json:"url,omitempty"`
	Box Box    `json:"box"`
}

// words reads the tree once and writes the snapshot, the text, the layout and
// the twin.
func (s *session) words(ctx context.Context, e extent) {
	var t *tree
	s.step(ctx, "tree", func(ctx context.Context) (detail string, err error) {
		t, err = s.readTree(ctx)
		s.tree = t
		return "", err
	})
	s.step(ctx, "snapshot", func(ctx context.Context) (string, error) {
		detail, err := s.snapshot(ctx, t, e)
		if err != nil {
			s.doubts.partial(candor.GapNoSnapshot, "", "there is no snapshot")
		}
		return detail, err
	})
	s.step(ctx, "text", func(context.Context) (string, error) {
		if t == nil {
			s.doubts.partial(candor.GapNoText, "", "there is no text")
			return "there is no tree", errSkipped
		}
		text, layout, twin := t.readAll()
		s.m.Title, s.m.Language = layout.Title, layout.Language
		layout.Width, layout.Height = e.width, e.height
		s.layout = &layout
		b, err := json.Marshal(layout)
		if err != nil {
			return "", err
		}
		if err := writeFile(filepath.Join(s.dir, layoutName), b); err != nil {
			return "", err
		}
		if err := writeFile(filepath.Join(s.dir, twinName), twin.page(s.m)); err != nil {
			return "", err
		}
		return fmt.Sprintf("%d runs", len(layout.Runs)), writeFile(filepath.Join(s.dir, textName), []byte(text))
	})
	if s.hung && s.m.Title == "" {
		s.doubts.partial(candor.GapScript, "", errHung.Error())
	}
}

// reader gathers the words of every document in reading order.
type reader struct {
	t      *tree
	text   strings.Builder
	layout Layout
	twin   twin
	sep    int
	last   Box  // of the run before
	wbr    bool // a line may break here within a word
	row    bool // the table row has words before this cell
}

// read gives the text with its layout.
func (t *tree) read() (string, Layout) {
	text, layout, _ := t.readAll()
	return text, layout
}

// readAll gives the twin as well.
func (t *tree) readAll() (string, Layout, *twin) {
	r := &reader{t: t, layout: Layout{Version: 1, Runs: []Run{}, Links: []Link{}, Images: []Image{}}}
	r.layout.Title = strings.Join(strings.Fields(t.str(t.docs[0].title)), " ")
	r.twin.start()
	whole := clip{edges{0, 0, everywhere[2], everywhere[3]}, everywhere}
	r.document(0, 0, 0, element{sight: sight{flow: whole, abs: whole, fixed: whole}}, 0)
	if r.text.Len() > 0 {
		r.text.WriteByte('\n')
	}
	return r.text.String(), r.layout, &r.twin
}

const maxFrameDepth = 8

// document reads one document whose top left corner lies at x, y of the page.
func (r *reader) document(doc int, x, y float64, root element, depth int) {
	d := &r.t.docs[doc]
	root.node, root.row, root.linkAt = -1, -1, -1
	w := walk{reader: r, d: d, doc: doc, x: x, y: y, depth: depth, stack: append(make([]element, 0, 64), root)}
	row, piece := 0, 0
	for node := range int32(len(d.parent)) {
		for len(w.stack) > 1 && w.top().node != d.parent[node] {
			w.leave()
		}
		first := row
		for row < len(d.node) && d.node[row] <= node {
			row++
		}
		if d.kind[node] == 1 {
			w.enter(node, int32(first), int32(row))
		}
		for i := first; i < row; i++ {
			from := piece
			for piece < len(d.pieceOf) && int(d.pieceOf[piece]) <= i {
				piece++
			}
			if d.words[i] >= 0 && w.top().tag != "BR" {
				w.words(node, int32(i), from, piece)
			}
		}
		if first == row && d.kind[node] == 3 {
			w.boxless(node)
		}
	}
	for len(w.stack) > 1 {
		w.leave()
	}
}
