package discover

import (
	"bytes"
	"io"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
)

// document is what is read of one HTML page.
type document struct {
	title     string
	language  string // of the html element
	canonical string
	base      string
	feeds     []string
	text      string
}

// left out of the text of a page: what is not words, and what is the same on
// every page of a site.
var boilerplate = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Noscript: true, atom.Template: true, atom.Nav: true, atom.Header: true, atom.Footer: true,
	atom.Form: true, atom.Iframe: true, atom.Svg: true, atom.Object: true, atom.Head: true, atom.Dialog: true,
}

var block = map[atom.Atom]bool{
	atom.P: true, atom.Div: true, atom.Li: true, atom.Br: true, atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true,
	atom.H6: true, atom.Tr: true, atom.Section: true, atom.Article: true, atom.Blockquote: true, atom.Pre: true, atom.Dt: true, atom.Dd: true,
	atom.Ul: true, atom.Ol: true, atom.Table: true, atom.Figcaption: true, atom.Main: true, atom.Hr: true, atom.Aside: true,
}

// read parses a page by the encoding it says it is in.
func read(body []byte, contentType string) (document, error) {
	var d document
	r, err := charset.NewReader(bytes.NewReader(body), contentType)
	if err != nil && err != io.EOF {
		return d, err
	}
	root := &html.Node{Type: html.DocumentNode}
	if err == nil {
		if root, err = html.Parse(r); err != nil {
			return d, err
		}
	}
	var content *html.Node // the page's own main element, when it has one
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.DataAtom {
		case atom.Html:
			d.language, _, _ = strings.Cut(strings.ToLower(attr(n, "lang")), "-")
		case atom.Title:
			if d.title == "" && n.FirstChild != nil {
				d.title = squeeze(n.FirstChild.Data)
			}
		case atom.Base:
			if d.base == "" {
				d.base = attr(n, "href")
			}
		case atom.Link:
			d.link(n)
		case atom.Main:
			if content == nil {
				content = n
			}
		}
		if content == nil && attr(n, "role") == "main" {
			content = n
		}
	}
	if content != nil {
		d.text = words(content)
	}
	if d.text == "" {
		d.text = words(root)
	}
	if first, _, _ := strings.Cut(d.text, "\n"); d.title != "" && first != d.title {
		d.text = strings.TrimSpace(d.title + "\n" + d.text)
	}
	return d, nil
}

func (d *document) link(n *html.Node) {
	href, kind := attr(n, "href"), strings.ToLower(attr(n, "type"))
	for _, rel := range strings.Fields(strings.ToLower(attr(n, "rel"))) {
		switch {
		case rel == "canonical" && d.canonical == "":
			d.canonical = href
		case rel == "alternate" && (strings.Contains(kind, "rss") || strings.Contains(kind, "atom") || kind == "application/feed+json"):
			d.feeds = append(d.feeds, href)
		}
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Namespace == "" && a.Key == name {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}

// words gives the text below a node: one line for each block, spaces squeezed.
func words(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node, int)
	walk = func(n *html.Node, depth int) {
		if depth > 500 { // nested by a fault or in bad faith
			return
		}
		switch n.Type {
		case html.TextNode:
			b.WriteString(strings.Map(func(r rune) rune {
				if r == '\n' || r == '\r' || r == '\u00a0' {
					return ' '
				}
				return r
			}, n.Data))
			return
		case html.ElementNode:
			if boilerplate[n.DataAtom] || hidden(n) {
				return
			}
		case html.CommentNode, html.DoctypeNode:
			return
		}
		if block[n.DataAtom] {
			b.WriteByte('\n')
		} else if n.PrevSibling != nil && n.PrevSibling.Type == html.ElementNode {
			b.WriteByte(seam)
		}
		if n.DataAtom == atom.Img && attr(n, "alt") != "" {
			b.WriteString(" " + attr(n, "alt") + " ")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, depth+1)
		}
		if block[n.DataAtom] {
			b.WriteByte('\n')
		}
	}
	walk(n, 0)
	var lines []string
	for line := range strings.SplitSeq(b.String(), "\n") {
		if line = squeeze(unseam(line)); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// seam stands in words where one element follows another with nothing between.
const seam = '\x1f'

// unseam makes a space of every seam but those within a word. A style sheet often
// makes boxes of such elements, and without a space their words would run
// together; a word that is part bold goes on in small letters.
func unseam(line string) string {
	if strings.IndexByte(line, seam) < 0 {
		return line
	}
	var b strings.Builder
	last := ' '
	parts := strings.Split(line, string(seam))
	for _, part := range parts {
		if next, _ := utf8.DecodeRuneInString(part); part != "" && !(unicode.IsLetter(last) && unicode.IsLower(next)) {
			b.WriteByte(' ')
		}
		b.WriteString(part)
		if part != "" {
			last, _ = utf8.DecodeLastRuneInString(part)
		}
	}
	return b.String()
}

func hidden(n *html.Node) bool {
	for _, a := range n.Attr {
		if a.Key == "hidden" || (a.Key == "aria-hidden" && a.Val == "true") {
			return true
		}
	}
	return false
}

// squeeze makes one space of many, and drops what cannot be seen.
func squeeze(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' }), " ")
}

// resolve makes an address absolute, by the page's base element if it has one.
func (d document) resolve(page *url.URL, href string) (*url.URL, bool) {
	if d.base != "" {
		if b, err := page.Parse(d.base); err == nil {
			page = b
		}
	}
	u, err := page.Parse(href)
	return u, err == nil && href != ""
}
