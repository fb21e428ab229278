package page

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// assembler puts bodies and crops of the picture in the place of parts. What a
// page may name hundreds of times, a sheet or an image of one, is made ready
// once; bodies go from the disk into the file without being kept.
type assembler struct {
	s        *session
	sources  map[string]string
	extent   extent
	css      cssRewriter
	crops    map[Box][]byte
	missing  int
	sheets   map[string]string // imported sheets as data: addresses
	depth    int
	imported int              // bytes of sheets so far
	long     map[*serial]bool // too long for an address
	stop     func() error     // says that the time is up

	resources []*resource
	byURL     map[string]*resource
}

func newAssembler(s *session, sources map[string]string, e extent) *assembler {
	a := &assembler{s: s, sources: sources, extent: e, sheets: map[string]string{}, byURL: map[string]*resource{}, long: map[*serial]bool{}, stop: func() error { return nil }}
	a.css = cssRewriter{resource: a.token, sheet: a.sheet, marked: map[string]bool{}, asked: map[string]bool{}}
	return a
}

// prepare finds the parts for which the picture must stand and cuts them out,
// and rewrites the style sheets, so that what they share is known.
func (a *assembler) prepare(doc *serial) error {
	want := map[Box]bool{}
	if doc.Picture {
		want[a.whole()] = true
	}
	a.mark(doc)
	if err := a.gather(doc, want); err != nil {
		return err
	}
	var err error
	a.crops, err = crops(filepath.Join(a.s.dir, screenshotName), a.s.m.Viewport.Scale, want)
	return err
}

func (a *assembler) whole() Box {
	return Box{0, 0, float64(a.extent.width), float64(a.extent.height)}
}

// mark gathers the states that elements of any document were in, and the
// attributes that are asked for: sheets are shared between documents.
func (a *assembler) mark(doc *serial) {
	for _, m := range doc.Marks {
		a.css.marked[m] = true
	}
	for _, n := range doc.Asked {
		a.css.asked[n] = true
	}
	for _, f := range doc.frames {
		if f != nil {
			a.mark(f)
		}
	}
}

func (a *assembler) gather(doc *serial, want map[Box]bool) error {
	for i := range doc.Parts {
		if err := a.stop(); err != nil {
			return err
		}
		p := &doc.Parts[i]
		if p.Kind == "css" {
			text := p.Text
			if p.URL != "" {
				text = a.source(p.URL)
			}
			p.Text = escapeCSS(a.css.rewrite(text, p.Base), p.Escape)
		}
		if p.Box == nil {
			continue
		}
		switch p.Kind {
		case "crop":
			want[*p.Box] = true
		case "img", "picture":
			if strings.HasPrefix(p.URL, "data:") {
				break
			}
			if b, ok := a.s.rec.out.lookup(p.URL); !ok || b.truncated || p.Kind == "picture" && !strings.HasPrefix(mediaType(b.mediaType), "image/") {
				if p.Kind == "img" && p.Width == 0 {
					break // it was broken there, too
				}
				p.Dense, p.Kind = p.Kind == "img", "lost"
				want[*p.Box] = true
			}
		case "frame":
			if p.Index < 0 || p.Index >= len(doc.frames) || doc.frames[p.Index] == nil || doc.frames[p.Index].Picture {
				want[*p.Box] = true
			} else {
				if err := a.gather(doc.frames[p.Index], want); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// source is the text of a style sheet that a document names by its address.
func (a *assembler) source(u string) string {
	rest, ok := strings.CutPrefix(u, "data:")
	if !ok {
		return a.sources[key(u)]
	}
	head, body, _ := strings.Cut(rest, ",")
	text, err := url.PathUnescape(body)
	if err != nil {
		text = body
	}
	if strings.HasSuffix(strings.TrimSpace(head), ";base64") {
		bare := strings.TrimRight(strings.Join(strings.Fields(text), ""), "=")
		if b, err := base64.RawStdEncoding.DecodeString(bare); err == nil {
			text = string(b)
		}
	}
	return text
}

// document writes one document with all its parts.
func (a *assembler) document(w *bufio.Writer, d *serial) error {
	if d.Picture {
		title := d.Title
		if title == "" {
			title = d.URL
		}
		a.pictured(w, a.whole(), title, d.Words)
		return nil
	}
	return a.expand(w, d, d.HTML)
}

// pictured writes a document of which there is only the picture. Its words lie
// under it unseen, to be found and copied.
func (a *assembler) pictured(w *bufio.Writer, b Box, title, words string) {
	w.WriteString(`<!DOCTYPE html><html><head>` + policyHead)
	if title != "" {
		w.WriteString(`<title>` + html.EscapeString(title) + `</title>`)
	}
	fmt.Fprintf(w, `</head><body style="margin:0;overflow:hidden;position:relative;height:%gpx"><img alt="" style="display:block;width:%gpx;height:%gpx" src="`, b[3], b[2], b[3])
	a.crop(w, b)
	w.WriteString(`">`)
	if words = strings.TrimSpace(words); words != "" {
		w.WriteString(`<div style="position:absolute;top:0;left:0;width:100%;height:100%;overflow:hidden;color:transparent;white-space:pre-wrap;font:12px sans-serif">` + html.EscapeString(words) + `</div>`)
	}
	w.WriteString(`</body></html>`)
}

// expand writes text, replacing every part in it.
func (a *assembler) expand(w *bufio.Writer, d *serial, text string) error {
	for {
		if err := a.stop(); err != nil {
			return err
		}
		before, rest, ok := strings.Cut(text, "\x00")
		w.WriteString(before)
		if !ok {
			return nil
		}
		number, after, ok := strings.Cut(rest, "\x00")
		i, err := strconv.Atoi(number)
		if !ok || err != nil || i < 0 || i >= len(d.Parts) {
			return fmt.Errorf("the serialiser gave a part %.20q that does not exist", number)
		}
		if err := a.part(w, d, d.Parts[i]); err != nil {
			return err
		}
		text = after
	}
}

func (a *assembler) part(w *bufio.Writer, d *serial, p part) error {
	switch p.Kind {
	case "head":
		w.WriteString(policyHead)
		if err := a.shared(w); err != nil {
			return err
		}
		a.declared(w, d)
		return a.expand(w, d, p.HTML)
	case "styles", "end":
		return a.expand(w, d, p.HTML)
	case "css":
		return a.sheetText(w, p)
	case "res", "picture":
		return a.address(w, p.URL, html.EscapeString)
	case "img":
		return a.image(w, p)
	case "lost":
		a.missing++
		if !p.Dense { // inside an attribute
			a.crop(w, *p.Box)
			break
		}
		w.WriteString(` src="`)
		a.crop(w, *p.Box)
		w.WriteString(`"`)
	case "crop":
		a.crop(w, *p.Box)
	case "frame":
		return a.frame(w, d, p)
	}
	return nil
}

// maxAddress is how long an address may be that Chrome goes to: 2 MB, less
// what is in front of the document.
const maxAddress = 2<<20 - 100

// frame writes the address of an inner document. srcdoc is always in the mode
// of today, so a document of another mode becomes a data: address, and so does
// one in an element that has no srcdoc.
func (a *assembler) frame(w *bufio.Writer, d *serial, p part) error {
	if a.depth++; a.depth > maxFrameDepth {
		a.depth--
		return nil
	}
	defer func() { a.depth-- }()
	var sub *serial
	words := ""
	if p.Index >= 0 && p.Index < len(d.frames) {
		sub, words = d.frames[p.Index], d.lost[p.Index]
		if sub != nil && sub.Picture {
			sub, words = nil, sub.Words
		}
	}
	write := func(w *bufio.Writer) error {
		if sub != nil {
			return a.document(w, sub)
		}
		a.pictured(w, *p.Box, "", words)
		return nil
	}
	if p.Tag != "iframe" || sub != nil && sub.Own {
		// It is written only as far as an address may be long, and tried once: it
		// may hold thousands of uses of one image, and further frames like it.
		var b bytes.Buffer
		room := &limited{w: &b, left: maxAddress}
		inner := bufio.NewWriter(room)
		if !a.long[sub] {
			err := write(inner)
			if err == nil {
				err = inner.Flush()
			}
			if err != nil && room.left >= 0 {
				return err
			}
			a.long[sub] = sub != nil && (room.left < 0 || base64.StdEncoding.EncodedLen(b.Len()) > maxAddress)
		}
		if p.Tag != "iframe" && (a.long[sub] || room.left < 0) {
			b.Reset()
			inner = bufio.NewWriter(&b)
			a.pictured(inner, *p.Box, "", "")
			if err := inner.Flush(); err != nil {
				return err
			}
		}
		if !(p.Tag == "iframe" && a.long[sub]) && base64.StdEncoding.EncodedLen(b.Len()) <= maxAddress {
			w.WriteString(map[string]string{"object": ` type="text/html" data="`, "embed": ` type="text/html" src="`}[p.Tag])
			if p.Tag == "iframe" || p.Tag == "frame" {
				w.WriteString(` src="`)
			}
			w.WriteString(`data:text/html;charset=utf-8;base64,`)
			enc := base64.NewEncoder(base64.StdEncoding, w)
			if _, err := enc.Write(b.Bytes()); err != nil {
				return err
			}
			if err := enc.Close(); err != nil {
				return err
			}
			w.WriteString(`"`)
			return nil
		}
	}
	w.WriteString(` srcdoc="`)
	inner := bufio.NewWriterSize(attributeWriter{w}, 32<<10)
	if err := write(inner); err != nil {
		return err
	}
	if err := inner.Flush(); err != nil {
		return err
	}
	w.WriteString(`"`)
	return nil
}

// attributeWriter writes what passes through as the value of an attribute.
type attributeWriter struct{ w *bufio.Writer }

func (a attributeWriter) Write(b []byte) (int, error) {
	n := len(b)
	for {
		i := bytes.IndexAny(b, `&"`)
		if i < 0 {
			_, err := a.w.Write(b)
			return n, err
		}
		a.w.Write(b[:i]) // the error comes with the next write
		if b[i] == '&' {
			a.w.WriteString("&amp;")
		} else {
			a.w.WriteString("&quot;")
		}
		b = b[i+1:]
	}
}

var _ io.Writer = attributeWriter{}

func (a *assembler) crop(w *bufio.Writer, b Box) {
	c := a.crops[b]
	if c == nil {
		w.WriteString("data:,")
		return
	}
	w.WriteString("data:image/png;base64,")
	w.WriteString(base64.StdEncoding.EncodeToString(c))
}
