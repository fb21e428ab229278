package mastodon

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// link is an address that stands behind words that do not show it.
type link struct{ href, text string }

// readable gives the text of a status as a person would copy it, and the
// addresses that it hides behind other words.
//
// Servers put an address into several elements, of which some are not drawn;
// the whole address is what was written. White space is kept as it is, since
// servers draw it so; a paragraph ends in an empty line.
func readable(content string) (string, []link) {
	w := writer{}
	z := html.NewTokenizer(strings.NewReader(content))
	var links []link
	var open *link // the <a> we are in
	var from int   // where its words begin
	closeLink := func() {
		if open != nil {
			open.text = strings.TrimSpace(w.b.String()[min(from, w.b.Len()):])
			if hidden(*open) {
				links = append(links, *open)
			}
			open = nil
		}
	}
	skip := atom.Atom(0) // the element whose content nobody reads
	for {
		kind := z.Next()
		if kind == html.ErrorToken { // the end; anything else is read as text
			closeLink()
			return strings.TrimSpace(w.b.String()), links
		}
		t := z.Token()
		switch {
		case skip != 0:
			if kind == html.EndTagToken && t.DataAtom == skip {
				skip = 0
			}
		case kind == html.TextToken:
			w.text(t.Data)
		case kind != html.StartTagToken && kind != html.EndTagToken && kind != html.SelfClosingTagToken:
			// A comment or a doctype.
		case kind == html.StartTagToken && (t.DataAtom == atom.Script || t.DataAtom == atom.Style):
			skip = t.DataAtom
		case t.DataAtom == atom.A:
			closeLink()
			if kind == html.StartTagToken && !points(t) {
				open = &link{href: strings.TrimSpace(attr(t, "href"))}
				w.flush()
				from = w.b.Len()
			}
		case t.DataAtom == atom.Img && kind != html.EndTagToken:
			w.text(attr(t, "alt"))
		default:
			w.element(t, kind == html.EndTagToken)
		}
	}
}

// points reports whether a link is a mention or a hashtag: its words name what
// it leads to.
func points(t html.Token) bool {
	for _, c := range strings.Fields(attr(t, "class") + " " + attr(t, "rel")) {
		if c == "mention" || c == "hashtag" || c == "tag" {
			return true
		}
	}
	return false
}

// hidden reports whether the words of a link do not show where it leads.
func hidden(l link) bool {
	bare := func(s string) string {
		s = strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
		return strings.TrimSuffix(strings.TrimPrefix(s, "www."), "/")
	}
	return strings.Contains(l.href, "://") && bare(l.href) != bare(l.text)
}

func attr(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// writer puts text together. Line breaks between blocks wait until there is
// text to follow, so that neighbouring blocks do not add up to a hole.
type writer struct {
	b      strings.Builder
	breaks int
	mark   string // of a list entry that has no text yet
	lists  []int  // the number of the last entry of each open list; -1 when it has bullets
}

func (w *writer) text(s string) {
	if s == "" || (w.breaks > 0 || w.mark != "") && strings.TrimSpace(s) == "" {
		return
	}
	w.flush()
	w.b.WriteString(s)
}

func (w *writer) flush() {
	if w.b.Len() > 0 {
		w.b.WriteString(strings.Repeat("\n", w.breaks))
	}
	w.b.WriteString(w.mark)
	w.breaks, w.mark = 0, ""
}

func (w *writer) element(t html.Token, end bool) {
	switch t.DataAtom {
	case atom.Br:
		w.flush()
		w.b.WriteString("\n")
	case atom.P, atom.Blockquote, atom.Pre, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		if w.mark == "" { // else it begins the entry of a list
			w.breaks = max(w.breaks, 2)
		}
	case atom.Div, atom.Tr, atom.Hr:
		w.breaks = max(w.breaks, 1)
	case atom.Ul, atom.Ol:
		w.breaks = max(w.breaks, 1)
		switch {
		case end && len(w.lists) > 0:
			w.lists = w.lists[:len(w.lists)-1]
		case !end && t.DataAtom == atom.Ol:
			w.lists = append(w.lists, 0)
		case !end:
			w.lists = append(w.lists, -1)
		}
	case atom.Li:
		w.breaks = max(w.breaks, 1)
		if end {
			return
		}
		w.mark = "- "
		if n := len(w.lists); n > 0 && w.lists[n-1] >= 0 {
			w.lists[n-1]++
			w.mark = strconv.Itoa(w.lists[n-1]) + ". "
		}
	case atom.Td, atom.Th:
		if !end {
			w.text(" ")
		}
	}
}
