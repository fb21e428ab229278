package page

import (
	"strings"
	"unicode"
)

// Words that the layout does not give: those of form fields, which the browser
// draws by itself, and of parts it has put off drawing.

// typed are the kinds of input that show their value as text.
var typed = map[string]bool{"": true, "text": true, "search": true, "url": true, "tel": true, "email": true, "number": true, "date": true,
	"time": true, "datetime-local": true, "month": true, "week": true, "submit": true, "reset": true, "button": true}

// field adds what a form field shows. What a password field holds is never
// written.
func (w *walk) field(e *element) {
	if e.row < 0 {
		return
	}
	value := ""
	switch e.tag {
	case "TEXTAREA":
		if i, ok := w.d.area.get(e.node); ok {
			value = w.t.str(i)
		}
	case "INPUT":
		kind := strings.ToLower(strings.TrimSpace(w.attr(e.node, "type")))
		if i, ok := w.d.input.get(e.node); ok {
			value = w.t.str(i)
		}
		switch {
		case kind == "password":
			value = strings.Repeat("•", min(len([]rune(value)), 64))
		case kind == "submit" && value == "":
			value = "Submit" // what the browser, which speaks English, writes there
		case kind == "reset" && value == "":
			value = "Reset"
		case !typed[kind] && unknownKind(kind):
		case !typed[kind]:
			return
		}
	default:
		return
	}
	if value == "" {
		value = w.attr(e.node, "placeholder")
	}
	w.say(value, e.box, false)
}

// unknownKind reports whether a type of input is one that browsers do not know
// and show as text.
func unknownKind(kind string) bool {
	switch kind {
	case "checkbox", "radio", "range", "color", "file", "hidden", "image":
		return false
	}
	return true
}

// boxless adds a text that has no box of its own: of an option that is shown, or
// of a part that is drawn when it comes into view.
func (w *walk) boxless(node int32) {
	e := w.top()
	switch {
	case e.tag == "OPTION":
		for i := len(w.stack) - 2; i > 0; i-- {
			s := &w.stack[i]
			if s.tag != "SELECT" {
				continue
			}
			_, chosen := w.d.chosen.get(e.node)
			_, several := w.t.attr(w.d, s.node, "multiple")
			if s.row >= 0 && (chosen || several) {
				w.say(w.t.str(w.d.value[node]), s.box, false)
			}
			return
		}
	case e.lazy > 0:
		switch e.tag {
		case "SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "TITLE":
			return
		}
		s := w.stack[e.lazy]
		w.say(w.t.str(w.d.value[node]), s.box, s.box[2] <= 1 || s.box[3] <= 1)
	}
}

// say adds words that stand somewhere in a box. later says that the box does not
// show them yet.
func (w *walk) say(s string, box Box, later bool) {
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			w.apart(nextLine)
			w.twin.line()
		}
		if strings.TrimFunc(line, unicode.IsSpace) == "" {
			if line != "" {
				w.apart(spaced)
				w.twin.space()
			}
			continue
		}
		if later {
			w.put(line, box, out, false)
		} else {
			w.piece(line, box, true, false)
		}
	}
}

// asleep reports whether a part that is drawn only when it comes into view has
// not been: then none of what it holds has a box. next is the first box after
// its own.
func (w *walk) asleep(node, next int32) bool {
	if int(next) >= len(w.d.node) {
		return true
	}
	at := w.d.node[next]
	for at > node {
		at = w.d.parent[at]
	}
	return at != node
}
