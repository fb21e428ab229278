package page

import "strings"

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
