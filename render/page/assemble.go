package page

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	_ "image/gif"  // sizes of images, for their density
	_ "image/jpeg" // as above
	_ "image/png"  // as above
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	_ "golang.org/x/image/webp" // as above
)

// assembler puts bodies and crops of the picture in the place of parts.
type assembler struct {
	s       *session
	sources map[string]string
	shot    string
	scale   float64
	extent  extent
	crops   map[Box][]byte
	missing int
	sheets  map[string]string // imported sheets as data: addresses
	depth   int
}

// collect finds the parts for which the picture must stand and cuts them out.
func (a *assembler) collect(doc *serial) error {
	want := map[Box]bool{}
	var walk func(d *serial)
	walk = func(d *serial) {
		for i, p := range d.Parts {
			if p.Box == nil {
				continue
			}
			switch p.Kind {
			case "crop":
				want[*p.Box] = true
			case "img", "picture":
				if !strings.HasPrefix(p.URL, "data:") {
					if b, ok := a.s.rec.out.lookup(p.URL); !ok || b.truncated || p.Kind == "picture" && !strings.HasPrefix(mediaType(b.mediaType), "image/") {
						d.Parts[i].Kind = "lost"
						want[*p.Box] = true
					}
				}
			case "frame":
				if p.Index < 0 || p.Index >= len(d.frames) || d.frames[p.Index] == nil || d.frames[p.Index].Picture {
					d.Parts[i].Index = -1
					want[*p.Box] = true
				} else {
					walk(d.frames[p.Index])
				}
			}
		}
	}
	if doc.Picture {
		want[Box{0, 0, float64(a.extent.width), float64(a.extent.height)}] = true
	}
	walk(doc)
	var err error
	a.crops, err = crops(a.shot, a.scale, want)
	return err
}

// document writes one document with all its parts.
func (a *assembler) document(w *bufio.Writer, d *serial, top bool) error {
	if top {
		w.WriteString(a.opening()) // a bufio.Writer keeps its first error for Flush
	}
	if d.Picture {
		box := Box{0, 0, float64(a.extent.width), float64(a.extent.height)}
		fmt.Fprintf(w, `<!DOCTYPE html><html><head>%s<title>%s</title></head><body style="margin:0"><img alt="" style="display:block;width:%dpx" src="%s"></body></html>`,
			a.head(), html.EscapeString(d.URL), a.extent.width, a.crop(box))
		return nil
	}
	return a.expand(w, d, d.HTML)
}

// expand writes text, replacing every part in it.
func (a *assembler) expand(w *bufio.Writer, d *serial, text string) error {
	for {
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
		w.WriteString(a.head())
	case "styles", "end":
		return a.expand(w, d, p.HTML)
	case "css":
		text := p.Text
		if p.URL != "" {
			text = a.sources[key(p.URL)]
		}
		w.WriteString(escapeCSS(rewriteCSS(text, p.Base, a.url, a.sheet), p.Escape))
	case "res":
		w.WriteString(a.url(p.URL))
	case "img":
		a.image(w, p)
	case "picture":
		w.WriteString(a.url(p.URL))
	case "lost":
		a.missing++
		if p.Width > 0 {
			fmt.Fprintf(w, ` src="%s"`, a.crop(*p.Box))
		} else {
			w.WriteString(a.crop(*p.Box))
		}
	case "crop":
		w.WriteString(a.crop(*p.Box))
	case "frame":
		return a.frame(w, d, p)
	}
	return nil
}

// image writes the source of an image. One that is drawn at another density
// than its pixels says so, which is the only way to keep its natural size.
func (a *assembler) image(w *bufio.Writer, p part) {
	src := a.url(p.URL)
	density := 1.0
	if raw := a.rawWidth(p.URL); raw > 0 && p.Width > 0 {
		density = raw / p.Width
	}
	if math.Abs(density-1) > 0.01 {
		fmt.Fprintf(w, ` srcset="%s %sx"`, src, strconv.FormatFloat(math.Round(density*1000)/1000, 'f', -1, 64))
		return
	}
	fmt.Fprintf(w, ` src="%s"`, src)
}

// rawWidth is the width of an image in its own pixels, or 0 when unknown.
func (a *assembler) rawWidth(url string) float64 {
	b, ok := a.s.rec.out.lookup(url)
	if !ok {
		return 0
	}
	f, err := os.Open(filepath.Join(a.s.dir, filepath.FromSlash(b.path)))
	if err != nil {
		return 0
	}
	defer f.Close() // only read
	c, kind, err := image.DecodeConfig(f)
	if err != nil || kind == "jpeg" { // a photo turned by its EXIF tag has its sides swapped
		return 0
	}
	return float64(c.Width)
}

// frame writes the address of an inner document. srcdoc is never in quirks
// mode, so a document that was becomes a data: address.
func (a *assembler) frame(w *bufio.Writer, d *serial, p part) error {
	if p.Index < 0 {
		doc := `<!DOCTYPE html><html><head>` + a.head() + `</head><body style="margin:0;overflow:hidden"><img alt="" style="display:block;width:100%" src="` + a.crop(*p.Box) + `"></body></html>`
		w.WriteString(` srcdoc="` + html.EscapeString(doc) + `"`)
		return nil
	}
	if a.depth++; a.depth > maxFrameDepth {
		a.depth--
		return nil
	}
	defer func() { a.depth-- }()
	sub := d.frames[p.Index]
	var b bytes.Buffer
	inner := bufio.NewWriter(&b)
	if err := a.document(inner, sub, false); err != nil {
		return err
	}
	if err := inner.Flush(); err != nil {
		return err
	}
	if sub.Quirks && b.Len() < 1<<20 {
		w.WriteString(` src="data:text/html;charset=utf-8;base64,` + base64.StdEncoding.EncodeToString(b.Bytes()) + `"`)
		return nil
	}
	w.WriteString(` srcdoc="` + strings.NewReplacer("&", "&amp;", `"`, "&quot;").Replace(b.String()) + `"`)
	return nil
}

// url gives what was loaded from an address as a data: address. What was never
// loaded was not shown either and becomes an empty one.
func (a *assembler) url(u string) string {
	if strings.HasPrefix(u, "data:") {
		return html.EscapeString(strings.ReplaceAll(u, "\n", ""))
	}
	b, ok := a.s.rec.out.lookup(u)
	if !ok || b.truncated {
		return "data:,"
	}
	raw, err := os.ReadFile(filepath.Join(a.s.dir, filepath.FromSlash(b.path)))
	if err != nil {
		a.missing++
		return "data:,"
	}
	kind := mediaType(b.mediaType)
	if b.text && strings.HasPrefix(kind, "text/") || kind == "image/svg+xml" {
		kind += ";charset=utf-8"
	}
	out := "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(raw)
	if _, fragment, ok := strings.Cut(u, "#"); ok {
		out += "#" + html.EscapeString(fragment)
	}
	return out
}

// sheet gives an imported style sheet as a data: address, itself rewritten.
func (a *assembler) sheet(u string) string {
	if strings.HasPrefix(u, "data:") {
		return u
	}
	u = key(u)
	if s, ok := a.sheets[u]; ok {
		return s
	}
	if a.sheets == nil {
		a.sheets = map[string]string{}
	}
	a.sheets[u] = "data:text/css," // for sheets that import one another
	text, ok := a.sources[u]
	if ok {
		a.sheets[u] = "data:text/css;charset=utf-8;base64," + base64.StdEncoding.EncodeToString([]byte(rewriteCSS(text, u, a.url, a.sheet)))
	}
	return a.sheets[u]
}

func (a *assembler) crop(b Box) string {
	if c := a.crops[b]; c != nil {
		return "data:image/png;base64," + base64.StdEncoding.EncodeToString(c)
	}
	return "data:,"
}
