package page

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

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

// The separators between two runs of the text, the stronger the higher.
const (
	joined = iota
	spaced
	nextCell
	nextLine
)

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

// element is one open element of the walk, or the document itself.
type element struct {
	node    int32
	row     int32 // of the layout; -1 when it has no box
	tag     string
	inline  bool
	hidden  bool // visibility
	lang    string
	box     Box
	sight   sight
	mute    bool // its words are the browser's own, or drawn otherwise
	hadRow  bool
	lazy    int // where the part that is not drawn yet stands in the stack; 0 for none
	linkAt  int // index of its link, or -1
	textAt  int // where the text stood when it began
	twinned bool
}

// read gives the text with its layout.
func (t *tree) read() (string, Layout) {
	text, layout, _ := t.readAll()
	return text, layout
}

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

// walk is one document being read.
type walk struct {
	*reader
	d        *document
	doc      int
	x, y     float64
	depth    int
	stack    []element
	rootClip bool // the overflow of the root is its own, so that of the body is too
}

func (w *walk) top() *element { return &w.stack[len(w.stack)-1] }

func (w *walk) attr(node int32, name string) string {
	v, _ := w.t.attr(w.d, node, name)
	return v
}

func (w *walk) box(row int32) Box {
	b := w.d.bounds[4*row : 4*row+4]
	return Box{b[0] + w.x, b[1] + w.y, b[2], b[3]}
}

// enter opens an element whose boxes are the rows from first to end.
func (w *walk) enter(node, first, end int32) {
	up := w.top()
	e := element{node: node, row: -1, tag: strings.ToUpper(w.t.str(w.d.name[node])), inline: true, lang: up.lang, sight: up.sight,
		hidden: up.hidden, mute: up.mute, lazy: up.lazy, linkAt: -1, textAt: w.text.Len()}
	if l := language(w.attr(node, "lang")); l != "" {
		e.lang = l
	}
	display := ""
	if first < end {
		e.row, e.box = first, w.box(first)
		if v := w.t.style(w.d, first, styleVisibility); v != "" {
			e.hidden = v != "visible"
		}
		display = w.t.style(w.d, first, styleDisplay)
		w.narrow(&e, display)
		if w.t.style(w.d, first, styleContentVisibility) == "auto" && e.lazy == 0 && w.asleep(node, end) {
			e.lazy = len(w.stack)
		}
	} else if up.lazy > 0 && marks[e.tag] == "" && e.tag != "A" && e.tag != "SPAN" {
		display = "block" // nobody knows yet; most are
	}
	switch e.tag {
	case "HTML":
		if w.doc == 0 && e.lang != "" {
			w.layout.Language = e.lang
		}
	case "BR":
		w.apart(nextLine)
		w.twin.line()
	case "WBR":
		w.wbr = true
	case "VIDEO", "AUDIO":
		e.mute = true // the browser's own controls are no words of the page
	}
	switch display {
	case "", "inline", "contents", "inline-block", "inline-flex", "inline-grid", "inline-table", "none":
	case "ruby", "ruby-text", "math", "inline-math":
	case "table-cell":
		e.inline = false
		if w.row {
			w.sep = nextCell // whatever the cell before ended with
		} else {
			w.apart(nextLine)
		}
		e.hadRow, w.row = w.row, false
	default:
		if p, ok := w.d.pseudo.get(node); !ok || w.t.str(p) != "first-letter" {
			e.inline = false
			w.apart(nextLine)
		}
		if display == "table-row" || display == "table" || display == "inline-table" {
			e.hadRow, w.row = w.row, false
		}
	}
	if e.tag == "A" || e.tag == "AREA" {
		w.link(&e)
	}
	w.twinEnter(&e)
	w.stack = append(w.stack, e)
	if inner, ok := w.d.inner.get(node); ok && e.row >= 0 && w.depth < maxFrameDepth && int(inner) < len(w.t.docs) && inner > 0 {
		w.frame(int(inner))
	}
	if e.row >= 0 {
		w.image(node)
		w.field(w.top())
	}
}

func (w *walk) leave() {
	e := *w.top()
	w.stack = w.stack[:len(w.stack)-1]
	switch display := w.displayOf(e); {
	case display == "table-cell":
		if w.row || e.hadRow {
			w.row = true
			w.sep = nextCell
		}
	case display == "table-row" || display == "table":
		w.row = e.hadRow
		w.apart(nextLine)
	case !e.inline:
		w.apart(nextLine)
	}
	if e.linkAt >= 0 {
		w.layout.Links[e.linkAt].Text = strings.Join(strings.Fields(w.text.String()[e.textAt:]), " ")
	}
	w.twinLeave(e)
}

func (w *walk) displayOf(e element) string {
	if e.row < 0 {
		return ""
	}
	return w.t.style(w.d, e.row, styleDisplay)
}

// narrow makes out what can be seen of what an element holds.
func (w *walk) narrow(e *element, display string) {
	at := e.sight.flow
	position := w.t.style(w.d, e.row, stylePosition)
	switch position {
	case "absolute":
		at = e.sight.abs
	case "fixed":
		at = e.sight.fixed
	}
	ox, oy := w.t.style(w.d, e.row, styleOverflowX), w.t.style(w.d, e.row, styleOverflowY)
	switch {
	case e.tag == "HTML":
		w.rootClip = ox != "visible" || oy != "visible"
	case e.tag == "BODY" && !w.rootClip: // it is the window's
	case display == "inline", display == "contents":
	default:
		at = at.narrow(e.box, ox, oy)
	}
	e.sight.flow = at
	if position != "static" && position != "" {
		e.sight.abs = at
	}
	if w.t.style(w.d, e.row, styleOpacity) == "0" {
		e.sight.faint = true
	}
	if w.t.style(w.d, e.row, styleContentVisibility) == "hidden" {
		e.sight.never = true
	}
}

// see says what can be seen of a box inside the innermost element.
func (w *walk) see(e *element, b Box) (Box, look) {
	if e.sight.never || e.hidden {
		return b, gone
	}
	if e.sight.faint {
		return b, unseen
	}
	return e.sight.flow.of(b)
}

// frame reads the document inside the innermost element.
func (w *walk) frame(inner int) {
	e := *w.top()
	view := e.box
	l, t := w.t.length(w.d, e.row, styleBorderLeft)+w.t.length(w.d, e.row, stylePaddingLeft), w.t.length(w.d, e.row, styleBorderTop)+w.t.length(w.d, e.row, stylePaddingTop)
	view = Box{view[0] + l, view[1] + t, view[2] - 2*l, view[3] - 2*t}
	in := &w.t.docs[inner]
	x, y := view[0]-in.scrollX, view[1]-in.scrollY
	c := e.sight.flow
	if left, how := c.of(view); how == unseen || how == gone || left[2] <= 1 || left[3] <= 1 || view[2] <= 1 || view[3] <= 1 {
		e.sight.never = true
	}
	c = c.narrow(view, "scroll", "scroll")
	c.hard = edges{x, y, everywhere[2], everywhere[3]}
	if e.hidden {
		e.sight.never = true
	}
	sub := element{lang: e.lang, sight: sight{flow: c, abs: c, fixed: c, faint: e.sight.faint, never: e.sight.never}}
	w.apart(nextLine)
	w.document(inner, x, y, sub, w.depth+1)
	w.apart(nextLine)
}

func (w *walk) link(e *element) {
	href, ok := w.t.attr(w.d, e.node, "href")
	if !ok || e.row < 0 {
		return
	}
	box, how := w.see(e, e.box)
	if how != seen && how != out || e.box[2] <= 0 && e.box[3] <= 0 {
		return
	}
	e.linkAt = len(w.layout.Links)
	w.layout.Links = append(w.layout.Links, Link{URL: resolve(w.t.str(w.d.base), href), Box: box})
}

// image enters a picture with the words that stand for it.
func (w *walk) image(node int32) {
	e := w.top()
	alt, ok := w.drawing(e)
	if !ok {
		return
	}
	if box, how := w.see(e, e.box); (how == seen || how == out) && box[2] > 1 && box[3] > 1 {
		src := w.attr(node, "src")
		if strings.HasPrefix(src, "data:") {
			src = ""
		}
		if src != "" {
			src = resolve(w.t.str(w.d.base), src)
		}
		w.layout.Images = append(w.layout.Images, Image{alt, src, box})
	}
}

// apart asks for a separator before the next run.
func (w *reader) apart(sep int) {
	w.sep = max(w.sep, sep)
	if sep == nextLine {
		w.wbr = false
	}
}

// words adds the pieces of one text.
func (w *walk) words(node, row int32, from, to int) {
	e := w.top()
	if e.mute {
		return
	}
	s := w.t.str(w.d.words[row])
	marker := false
	if p, ok := w.d.pseudo.get(e.node); ok {
		marker = w.t.str(p) == "marker"
	}
	order := make([]int, 0, 4)
	for i := from; i < to; i++ {
		order = append(order, i)
	}
	// The pieces of a line come as they are seen from the left; they are read
	// as they were written.
	slices.SortStableFunc(order, func(a, b int) int { return int(w.d.start[a] - w.d.start[b]) })
	t := newUnits(s)
	if len(order) > 1 && w.d.kind[node] == 3 && !w.counted(node, s) {
		all := Box{w.d.pieces[4*from] + w.x, w.d.pieces[4*from+1] + w.y, w.d.pieces[4*from+2], w.d.pieces[4*from+3]}
		for _, i := range order[1:] {
			all = all.with(Box{w.d.pieces[4*i] + w.x, w.d.pieces[4*i+1] + w.y, w.d.pieces[4*i+2], w.d.pieces[4*i+3]})
		}
		w.piece(s, all, true, marker)
		return
	}
	end := 0
	for n, i := range order {
		a, b := int(w.d.start[i]), int(w.d.start[i]+w.d.length[i])
		if a < 0 || b > t.len() || a > b {
			continue
		}
		if a > end && hasSpace(t.slice(end, a)) {
			w.apart(spaced)
			w.twin.space()
		}
		p := w.d.pieces[4*i : 4*i+4]
		w.piece(t.slice(a, b), Box{p[0] + w.x, p[1] + w.y, p[2], p[3]}, n == 0, marker)
		end = max(end, b)
	}
	if end < t.len() && hasSpace(t.slice(end, t.len())) {
		w.apart(spaced)
		w.twin.space()
	}
}

// counted reports whether the places of a text's pieces can be told: they count
// what the document says, which may be longer or shorter than what is shown, as
// when capitals are two letters.
func (w *walk) counted(node int32, s string) bool {
	said := w.t.str(w.d.value[node])
	return len(said) == len(s) || strings.HasSuffix(said, s) || utf16Len(said) == utf16Len(s)
}

func utf16Len(s string) (n int) {
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// with is the smallest box around two.
func (b Box) with(o Box) Box {
	l, t := min(b[0], o[0]), min(b[1], o[1])
	return Box{l, t, max(b[0]+b[2], o[0]+o[2]) - l, max(b[1]+b[3], o[1]+o[3]) - t}
}

// piece adds one piece of a line. first says that it begins a text, so that
// nothing but its place tells whether it belongs to the word before.
func (w *walk) piece(raw string, box Box, first, marker bool) {
	words := tidy(raw)
	if words == "" {
		if box[2] == 0 && strings.Contains(raw, "\n") { // a break that is kept, as in preformatted text
			w.apart(nextLine)
			w.twin.line()
		} else if hasSpace(raw) {
			w.apart(spaced)
			w.twin.space()
		}
		return
	}
	e := w.top()
	if e.sight.never || e.hidden {
		return
	}
	if hasSpace(raw[:1]) || strings.HasPrefix(raw, "\u00a0") {
		w.apart(spaced)
		w.twin.space()
	}
	if first && w.sep == joined && !w.wbr && w.text.Len() > 0 && gap(w.last, box) {
		w.apart(spaced)
		w.twin.space()
	}
	box, how := w.see(e, box)
	w.put(words, box, how, marker)
	if last, _ := utf8.DecodeLastRuneInString(raw); unicode.IsSpace(last) {
		w.apart(spaced)
		w.twin.space()
	}
}

// put writes words where they are to be found.
func (w *walk) put(words string, box Box, how look, marker bool) {
	if !marker { // lists have their own in the twin
		w.twin.text(words, how == unseen)
	}
	if how == unseen || marker && !strings.ContainsFunc(words, readable) {
		return
	}
	if w.text.Len() > 0 {
		w.text.WriteString([]string{"", " ", "\t", "\n"}[w.sep])
	}
	w.sep, w.wbr, w.row = joined, false, true
	start := w.text.Len()
	w.text.WriteString(words)
	run := Run{Text: words, Box: box, Start: start, End: w.text.Len(), Out: how == out}
	if lang := w.top().lang; lang != w.layout.Language {
		run.Language = lang
	}
	w.layout.Runs = append(w.layout.Runs, run)
	w.last = box
}

func readable(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// gap reports whether a reader sees two pieces of a line apart, or on two
// lines.
func gap(a, b Box) bool {
	if b[1] >= a[1]+a[3]*0.6 || b[1]+b[3]*0.6 <= a[1] {
		return true
	}
	return max(b[0]-a[0]-a[2], a[0]-b[0]-b[2]) > 0.12*min(a[3], b[3])
}

func hasSpace(s string) bool { return strings.ContainsFunc(s, unicode.IsSpace) }

// tidy is text as it is searched: without characters that are not seen, and
// icons, which fonts draw for characters that mean nothing; spaces are one.
func tidy(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		c := s[i]
		plain = c > ' ' && c < 0x7f || c == ' ' && i > 0 && i < len(s)-1 && s[i-1] != ' '
	}
	if plain {
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\u00ad', r == '\u200b', r == '\u2060', r == '\ufeff', r == '\ufffc':
			return -1
		case r == '\u200e', r == '\u200f', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		case r < ' ' && !unicode.IsSpace(r), unicode.Is(unicode.Co, r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// units is a text as Chrome counts it.
type units struct {
	ascii string
	wide  []uint16
}

func newUnits(s string) units {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return units{wide: utf16.Encode([]rune(s))}
		}
	}
	return units{ascii: s}
}

func (u units) len() int { return len(u.ascii) + len(u.wide) }

func (u units) slice(a, b int) string {
	if u.wide == nil {
		return u.ascii[a:b]
	}
	return string(utf16.Decode(u.wide[a:b]))
}

// language is a language tag that is safe to repeat; empty for what is none.
func language(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 35 || strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII || !readable(r) && r != '-' }) {
		return ""
	}
	return s
}
