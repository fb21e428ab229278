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
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	_ "golang.org/x/image/webp" // as above
)

// resource is what style sheets name by one address.
type resource struct {
	url    string
	number int
	uses   int // where it may be shared
}

// sharedFrom is the size from which a body that is used again is written once:
// a custom property costs something for each element, too.
const sharedFrom = 1 << 10

// token stands for a resource in rewritten CSS until all uses are counted: its
// number between NULs, with an s where a var() may stand.
func (a *assembler) token(u string, mayShare bool) string {
	if !strings.HasPrefix(u, "data:") && a.body(u) == nil {
		return `url("data:,")` // what was never loaded was not shown either
	}
	r := a.byURL[u]
	if r == nil {
		r = &resource{url: u, number: len(a.resources)}
		a.byURL[u] = r
		a.resources = append(a.resources, r)
	}
	if mayShare {
		r.uses++
		return "\x00s" + strconv.Itoa(r.number) + "\x00"
	}
	return "\x00" + strconv.Itoa(r.number) + "\x00"
}

// isShared says that a resource is written once for all of a document.
func (a *assembler) isShared(r *resource) bool {
	if r.uses < 2 {
		return false
	}
	if strings.HasPrefix(r.url, "data:") {
		return len(r.url) >= sharedFrom
	}
	b := a.body(r.url)
	return b != nil && b.size >= sharedFrom
}

// shared writes the resources that rules name more than once as custom
// properties of the root.
func (a *assembler) shared(w *bufio.Writer) error {
	any := false
	for i, r := range a.resources {
		if !a.isShared(r) {
			continue
		}
		if !any {
			w.WriteString(`<style data-candor-shared>html{`)
			any = true
		}
		fmt.Fprintf(w, `--candor-%d:url("`, i)
		if err := a.address(w, r.url, escapeString); err != nil {
			return err
		}
		w.WriteString(`");`)
	}
	if any {
		w.WriteString(`}</style>`)
	}
	return nil
}

// sheetText writes rewritten CSS with its resources.
func (a *assembler) sheetText(w *bufio.Writer, p part) error {
	text, quote, safe := p.Text, `"`, escapeString
	if p.Escape == "attr" || p.Escape == "text" {
		quote, safe = "&quot;", func(s string) string { return html.EscapeString(escapeString(s)) }
	}
	for {
		before, rest, ok := strings.Cut(text, "\x00")
		w.WriteString(before)
		if !ok {
			return nil
		}
		number, after, _ := strings.Cut(rest, "\x00")
		number, mayShare := strings.CutPrefix(number, "s")
		i, err := strconv.Atoi(number)
		if err != nil || i < 0 || i >= len(a.resources) {
			return fmt.Errorf("a style sheet names a resource %.20q that does not exist", number)
		}
		r := a.resources[i]
		if mayShare && a.isShared(r) {
			fmt.Fprintf(w, "var(--candor-%d)", i)
		} else {
			w.WriteString("url(" + quote)
			if err := a.address(w, r.url, safe); err != nil {
				return err
			}
			w.WriteString(quote + ")")
		}
		text = after
	}
}

// body gives what was received for an address, or nil.
func (a *assembler) body(u string) *stored {
	b, ok := a.s.rec.out.lookup(u)
	if !ok || b.truncated {
		return nil
	}
	return &b
}

// address writes what was loaded from an address as a data: address, escaped for
// where it stands. What was never loaded was not shown either and becomes an
// empty one.
func (a *assembler) address(w *bufio.Writer, u string, safe func(string) string) error {
	if strings.HasPrefix(u, "data:") {
		w.WriteString(safe(strings.ReplaceAll(u, "\n", "")))
		return nil
	}
	b := a.body(u)
	if b == nil {
		w.WriteString("data:,")
		return nil
	}
	f, err := os.Open(filepath.Join(a.s.dir, filepath.FromSlash(b.path)))
	if err != nil {
		a.missing++
		w.WriteString("data:,")
		return nil
	}
	defer f.Close() // only read
	kind := mediaType(b.mediaType)
	if b.text && strings.HasPrefix(kind, "text/") || kind == "image/svg+xml" {
		kind += ";charset=utf-8"
	}
	w.WriteString("data:" + kind + ";base64,")
	enc := base64.NewEncoder(base64.StdEncoding, w)
	if _, err := io.Copy(enc, f); err != nil {
		return err
	}
	if err := enc.Close(); err != nil {
		return err
	}
	if _, fragment, ok := strings.Cut(u, "#"); ok {
		w.WriteString("#" + safe(fragment))
	}
	return nil
}

// maxImported bounds what sheets that import sheets may grow to: each is written
// into those that import it.
const maxImported = 32 << 20

// sheet gives an imported style sheet as a data: address, itself rewritten.
func (a *assembler) sheet(u string) string {
	if !strings.HasPrefix(u, "data:") {
		u = key(u)
	}
	if s, ok := a.sheets[u]; ok {
		return s
	}
	a.sheets[u] = "data:text/css," // for sheets that import one another
	if a.imported > maxImported {
		a.missing++
		return a.sheets[u]
	}
	if text := a.source(u); text != "" {
		direct, spent := a.css, 0
		direct.resource = func(u string, _ bool) string {
			if a.imported > maxImported {
				a.missing++
				return `url("data:,")`
			}
			var b bytes.Buffer
			w := bufio.NewWriter(&b)
			err := a.address(w, u, escapeString)
			if err == nil {
				err = w.Flush()
			}
			if err != nil {
				a.missing++
				return `url("data:,")`
			}
			a.imported += b.Len()
			spent += b.Len()
			return `url("` + b.String() + `")`
		}
		a.sheets[u] = "data:text/css;charset=utf-8;base64," + base64.StdEncoding.EncodeToString([]byte(direct.rewrite(text, u)))
		a.imported += len(a.sheets[u]) - spent
	}
	return a.sheets[u]
}

// image writes the source of an image. One that is drawn at another density
// than its pixels says so, which is the only way to keep its natural size.
func (a *assembler) image(w *bufio.Writer, p part) error {
	if b := a.body(p.URL); p.Width == 0 && !strings.HasPrefix(p.URL, "data:image/svg") && (b == nil || mediaType(b.mediaType) != "image/svg+xml") {
		w.WriteString(` src="data:image/png;base64,"`) // broken there, broken here
		return nil
	}
	density := 1.0
	if p.Dense && p.Width > 0 {
		density = a.density(p)
	}
	if math.Abs(density-1) < 0.005 {
		w.WriteString(` src="`)
	} else {
		w.WriteString(` srcset="`)
	}
	if err := a.address(w, p.URL, html.EscapeString); err != nil {
		return err
	}
	if math.Abs(density-1) >= 0.005 {
		w.WriteString(" " + strconv.FormatFloat(math.Round(density*1e6)/1e6, 'f', -1, 64) + "x")
	}
	w.WriteString(`"`)
	return nil
}

// density is how many pixels of an image go on one of the page, as far as its
// own size can be told.
func (a *assembler) density(p part) float64 {
	w, h := a.rawSize(p.URL)
	if w == 0 || h == 0 || p.Height == 0 {
		return 1
	}
	if x, y := w/p.Width, h/p.Height; math.Abs(x-y) <= 0.02*x+2/p.Width {
		return x
	}
	if x, y := h/p.Width, w/p.Height; math.Abs(x-y) <= 0.02*x+2/p.Width { // turned by what the camera noted
		return x
	}
	return 1
}

// rawSize is the size of an image in its own pixels, or 0 when unknown.
func (a *assembler) rawSize(url string) (w, h float64) {
	b := a.body(url)
	if b == nil {
		return 0, 0
	}
	f, err := os.Open(filepath.Join(a.s.dir, filepath.FromSlash(b.path)))
	if err != nil {
		return 0, 0
	}
	defer f.Close() // only read
	if c, _, err := image.DecodeConfig(f); err == nil {
		return float64(c.Width), float64(c.Height)
	}
	head := make([]byte, 2048)
	n, err := f.ReadAt(head, 0)
	if err != nil && n == 0 {
		return 0, 0
	}
	if i := bytes.Index(head[:n], []byte("ispe")); i >= 0 && i+16 <= n { // AVIF says it there
		be := func(b []byte) float64 {
			return float64(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]))
		}
		return be(head[i+8:]), be(head[i+12:])
	}
	return 0, 0
}
