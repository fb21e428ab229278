package page

import (
	"html"
	"strconv"
	"strings"
)

// blocks are the elements that the twin keeps as they are.
var blocks = map[string]block{
	"H1": {name: "h1", kind: inWords}, "H2": {name: "h2", kind: inWords}, "H3": {name: "h3", kind: inWords}, "H4": {name: "h4", kind: inWords},
	"H5": {name: "h5", kind: inWords}, "H6": {name: "h6", kind: inWords},
	"UL": {name: "ul", kind: inList}, "OL": {name: "ol", kind: inList}, "MENU": {name: "ul", kind: inList}, "LI": {name: "li", kind: inCell},
	"DL": {name: "dl", kind: inTerms}, "DT": {name: "dt", kind: inCell}, "DD": {name: "dd", kind: inCell},
	"TABLE": {name: "table", kind: inTable}, "CAPTION": {name: "caption", kind: inWords}, "THEAD": {name: "thead", kind: inRows},
	"TBODY": {name: "tbody", kind: inRows}, "TFOOT": {name: "tfoot", kind: inRows}, "TR": {name: "tr", kind: inRow},
	"TH": {name: "th", kind: inCell}, "TD": {name: "td", kind: inCell},
	"MAIN": {name: "main"}, "NAV": {name: "nav"}, "HEADER": {name: "header"}, "FOOTER": {name: "footer"}, "ASIDE": {name: "aside"},
	"ARTICLE": {name: "article"}, "SEARCH": {name: "search"}, "BLOCKQUOTE": {name: "blockquote"}, "FIGURE": {name: "figure"},
	"FIGCAPTION": {name: "figcaption", kind: inWords}, "SUMMARY": {name: "p", kind: inWords}, "LEGEND": {name: "p", kind: inWords},
	"FIELDSET": {name: "div", attrs: ` role="group"`}, "DIALOG": {name: "section"},
}

// roles are the landmarks and structures that a role makes of any element.
var roles = map[string]block{
	"main": blocks["MAIN"], "navigation": blocks["NAV"], "banner": blocks["HEADER"], "contentinfo": blocks["FOOTER"],
	"complementary": blocks["ASIDE"], "article": blocks["ARTICLE"], "search": {name: "section", attrs: ` role="search"`},
	"region": {name: "section"}, "form": {name: "section"}, "dialog": {name: "section"}, "alertdialog": {name: "section"},
	"feed": {name: "section"}, "group": {name: "div", attrs: ` role="group"`}, "list": blocks["UL"], "listitem": blocks["LI"],
	"table": blocks["TABLE"], "grid": blocks["TABLE"], "rowgroup": blocks["TBODY"], "row": blocks["TR"], "cell": blocks["TD"],
	"gridcell": blocks["TD"], "columnheader": {name: "th", attrs: ` scope="col"`, kind: inCell}, "rowheader": {name: "th", attrs: ` scope="row"`, kind: inCell},
	"none": {}, "presentation": {},
}

// marks are the inline elements that say something.
var marks = map[string]string{"EM": "em", "I": "i", "STRONG": "strong", "B": "b", "MARK": "mark", "DEL": "del", "S": "s", "INS": "ins", "SUB": "sub",
	"SUP": "sup", "CODE": "code", "KBD": "kbd", "SAMP": "samp", "VAR": "var", "Q": "q", "CITE": "cite", "ABBR": "abbr", "TIME": "time", "BDI": "bdi", "BDO": "bdo"}

// count numbers the elements of all documents for the twin.
func (w *walk) count(e *element) int64 { return int64(w.doc)<<32 | int64(e.node+1) }

// twinEnter tells the twin of an element.
func (w *walk) twinEnter(e *element) {
	e.twinned = true
	id := w.count(e)
	if e.tag == "HTML" && w.doc == 0 {
		w.twin.speak(e.lang)
	}
	up := w.top()
	around := up.lang
	if w.doc == 0 && len(w.stack) == 1 {
		around = e.lang // it is the file's own
	}
	attrs := ""
	if e.lang != around && e.lang != "" {
		attrs = ` lang="` + html.EscapeString(e.lang) + `"`
	}
	plain := attrs
	if dir, ok := w.t.attr(w.d, e.node, "dir"); ok {
		if dir = strings.ToLower(dir); dir == "rtl" || dir == "ltr" || dir == "auto" {
			attrs += ` dir="` + dir + `"`
		}
	}
	if !e.inline {
		w.twin.end()
	}
	if b, ok := w.block(e); ok && b.name != "" {
		b.attrs += attrs
		b.of = id
		if b.name == "main" {
			if w.twin.main {
				b.name = "section"
			}
			w.twin.main = true
		}
		w.twin.begin(b)
		if (b.name == "td" || b.name == "th") && e.row >= 0 && !e.hidden && !e.sight.never {
			w.twin.build() // a column is kept even when a cell is empty
		}
		return
	}
	switch {
	case e.tag == "A" && e.linkAt >= 0 && !w.inLink():
		url := w.layout.Links[e.linkAt].URL
		if len(url) > 2000 {
			url = url[:2000] + "…"
		}
		open := "<a" + attrs + ">"
		if l := strings.ToLower(url); strings.HasPrefix(l, "http:") || strings.HasPrefix(l, "https:") || strings.HasPrefix(l, "mailto:") || strings.HasPrefix(l, "tel:") {
			open = `<a href="#link-` + strconv.Itoa(w.twin.link(url)) + `"` + attrs + ">"
		}
		w.twin.format(format{open, "</a>", id})
	case marks[e.tag] != "":
		tag := marks[e.tag]
		if title := w.attr(e.node, "title"); tag == "abbr" && title != "" {
			attrs += ` title="` + html.EscapeString(title) + `"`
		}
		w.twin.format(format{"<" + tag + attrs + ">", "</" + tag + ">", id})
	case attrs == "":
	case e.inline:
		w.twin.format(format{"<span" + attrs + ">", "</span>", id})
	case e.tag != "BODY" || plain != "":
		w.twin.begin(block{name: "div", attrs: attrs, of: id})
	}
	w.control(e)
	w.twinImage(e)
	w.twinFrame(e, id)
}

func (w *walk) twinLeave(e element) {
	if !e.twinned {
		return
	}
	w.twin.leave(w.count(&e))
	if !e.inline {
		w.twin.end()
	}
}

// inLink reports whether a link is open: a parser would end it.
func (w *walk) inLink() bool {
	for i := range w.stack {
		if w.stack[i].linkAt >= 0 {
			return true
		}
	}
	return false
}

// block is what the twin makes of an element.
func (w *walk) block(e *element) (block, bool) {
	role, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(w.attr(e.node, "role"))), " ")
	b, ok := roles[role]
	if role == "heading" {
		level, err := strconv.Atoi(w.attr(e.node, "aria-level"))
		if err != nil || level < 1 || level > 6 {
			level = 2
		}
		b, ok = block{name: "h" + strconv.Itoa(level), kind: inWords}, true
	}
	if !ok {
		b, ok = blocks[e.tag]
	}
	name := ""
	switch b.name {
	case "section", "nav", "aside", "main", "header", "footer", "article", "search", "table", "ul", "ol", "div":
		name = strings.TrimSpace(w.attr(e.node, "aria-label"))
	}
	if !ok && (e.tag == "SECTION" || e.tag == "FORM") {
		if name = strings.TrimSpace(w.attr(e.node, "aria-label")); name != "" {
			b, ok = block{name: "section"}, true
		}
	}
	if name != "" {
		b.attrs += ` aria-label="` + html.EscapeString(name) + `"`
	}
	keep := func(names ...string) {
		for _, n := range names {
			v, there := w.t.attr(w.d, e.node, n)
			if _, err := strconv.Atoi(v); there && (err == nil || n == "reversed") {
				b.attrs += " " + n + `="` + html.EscapeString(v) + `"`
			}
		}
	}
	switch b.name {
	case "ol":
		keep("start", "reversed")
	case "li":
		keep("value")
	case "td", "th":
		keep("colspan", "rowspan")
		if v := strings.ToLower(w.attr(e.node, "scope")); e.tag == "TH" && (v == "col" || v == "row" || v == "colgroup" || v == "rowgroup") {
			b.attrs += ` scope="` + v + `"`
		}
	}
	return b, ok
}

// control says how a field stands whose state is drawn and not written.
func (w *walk) control(e *element) {
	if e.tag != "INPUT" || e.row < 0 {
		return
	}
	kind := strings.ToLower(w.attr(e.node, "type"))
	if kind != "checkbox" && kind != "radio" {
		return
	}
	if _, how := w.see(e, e.box); how == gone {
		return
	}
	state := "off"
	if _, on := w.d.checked.get(e.node); on {
		state = "on"
	}
	w.twin.space()
	w.twin.text("["+w.twin.say(state)+"]", false)
	w.twin.space()
}

// drawing says whether an element is a picture, and its description.
func (w *walk) drawing(e *element) (alt string, ok bool) {
	role := strings.ToLower(strings.TrimSpace(w.attr(e.node, "role")))
	switch {
	case e.tag == "IMG", e.tag == "INPUT" && strings.EqualFold(w.attr(e.node, "type"), "image"):
		alt = w.attr(e.node, "alt")
	case e.tag == "SVG" || role == "img":
	default:
		return "", false
	}
	if alt == "" {
		alt = w.attr(e.node, "aria-label")
	}
	if alt == "" {
		alt = w.attr(e.node, "title")
	}
	alt = tidy(alt)
	return alt, alt != "" || e.tag == "IMG"
}

// twinImage puts a picture's description where the picture is.
func (w *walk) twinImage(e *element) {
	if e.row < 0 {
		return
	}
	box, how := w.see(e, e.box)
	if how == gone || how == unseen || box[2] <= 1 || box[3] <= 1 {
		return
	}
	what, name := "", ""
	switch e.tag {
	case "VIDEO":
		what = "video"
	case "AUDIO":
		what = "audio"
	case "CANVAS", "OBJECT", "EMBED":
		what = "drawing"
	default:
		alt, ok := w.drawing(e)
		if _, given := w.t.attr(w.d, e.node, "alt"); !ok || alt == "" && given {
			return // an empty description says that it tells nothing
		}
		what, name = "picture", alt
	}
	if what != "picture" {
		if _, framed := w.d.inner.get(e.node); framed {
			return
		}
		name = tidy(w.attr(e.node, "aria-label"))
		if name == "" {
			name = tidy(w.attr(e.node, "title"))
		}
	}
	label := w.twin.say(what)
	aria := label
	if name != "" {
		aria = name // its role is announced anyway
		label += ": " + name
	} else if what == "picture" {
		label += " " + w.twin.say("nameless")
		aria = label
	}
	w.twin.space()
	w.twin.format(format{`<span role="img" aria-label="` + html.EscapeString(aria) + `">`, "</span>", -2})
	w.twin.text("["+label+"]", false)
	w.twin.leave(-2)
	w.twin.plain(len(w.twin.formats))
	w.twin.space()
}

// twinFrame names an embedded page.
func (w *walk) twinFrame(e *element, id int64) {
	if _, ok := w.d.inner.get(e.node); !ok {
		return
	}
	label := w.twin.say("frame")
	if name := tidy(w.attr(e.node, "title")); name != "" {
		label += ": " + name
	}
	w.twin.begin(block{name: "section", attrs: ` aria-label="` + html.EscapeString(label) + `"`, of: id})
}
