package page

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// declared writes what scripts have declared without a sheet: custom properties
// and fonts.
func (a *assembler) declared(w *bufio.Writer, d *serial) {
	var b strings.Builder
	for _, p := range d.registered {
		b.WriteString("@property " + p.PropertyName + `{syntax:"` + escapeString(p.Syntax) + `";inherits:`)
		if p.Inherits {
			b.WriteString("true")
		} else {
			b.WriteString("false")
		}
		if p.InitialValue != nil && p.InitialValue.Text != "" {
			b.WriteString(";initial-value:" + a.css.rewrite(p.InitialValue.Text, d.URL))
		}
		b.WriteString("}\n")
	}
	faces := a.faces(d)
	if b.Len() == 0 && len(faces) == 0 {
		return
	}
	w.WriteString(`<style data-candor-declared>` + escapeCSS(b.String(), "style"))
	for _, f := range faces {
		w.WriteString(`@font-face{font-family:"` + escapeCSS(escapeString(strings.Trim(f.Family, `"'`)), "style") + `";src:url("`)
		if err := a.address(w, f.url, escapeString); err != nil {
			return // the writer keeps the error
		}
		w.WriteString(`")`)
		for _, p := range [][2]string{{"font-style", f.Style}, {"font-weight", f.Weight}, {"font-stretch", f.Stretch}, {"unicode-range", f.Range}, {"font-display", f.Display},
			{"font-feature-settings", f.Features}, {"ascent-override", f.Ascent}, {"descent-override", f.Descent}, {"line-gap-override", f.Gap}} {
			if p[1] != "" && !strings.ContainsAny(p[1], "<>{};") {
				w.WriteString(";" + p[0] + ":" + p[1])
			}
		}
		w.WriteString("}\n")
	}
	w.WriteString(`</style>`)
}

// foundFace is a font that a script made, with the body that it is made of.
type foundFace struct {
	face
	url string
}

var (
	fontFaceRule = regexp.MustCompile(`(?is)@font-face\s*\{[^}]*\}`)
	familyOfRule = regexp.MustCompile(`(?i)font-family\s*:\s*("[^"]*"|'[^']*'|[^;}]+)`)
	faceInScript = regexp.MustCompile("new\\s+FontFace\\(\\s*[\"'`]([^\"'`]+)[\"'`]\\s*,\\s*[\"'`]\\s*url\\(\\s*[\"']?([^\"'`)]+)")
)

// faces finds the fonts of a document that no sheet declares, and their bodies:
// by what the scripts say in so many words, then by the names inside the fonts,
// then in the order in which both came.
func (a *assembler) faces(d *serial) []foundFace {
	if len(d.Faces) == 0 {
		return nil
	}
	fold := func(s string) string { return strings.ToLower(strings.Trim(strings.TrimSpace(s), `"'`)) }
	bySheet := map[string]bool{}
	sheet := func(css string) {
		for _, rule := range fontFaceRule.FindAllString(css, -1) {
			if m := familyOfRule.FindStringSubmatch(rule); m != nil {
				bySheet[fold(m[1])] = true
			}
		}
	}
	for _, text := range a.sources {
		sheet(text)
	}
	for _, p := range d.Parts {
		if p.Kind == "css" {
			sheet(p.Text)
		}
	}
	var want []face
	for _, f := range d.Faces {
		if !bySheet[fold(f.Family)] {
			want = append(want, f)
		}
	}
	if len(want) == 0 {
		return nil
	}
	want = want[:min(len(want), maxFaces)]
	fonts, said := a.fontBodies(d)
	var out []foundFace
	used := map[string]bool{}
	take := func(f face, u string) {
		out = append(out, foundFace{f, u})
		used[u] = true
	}
	want = slices.DeleteFunc(want, func(f face) bool {
		urls := said[fold(f.Family)]
		if len(urls) == 0 {
			return false
		}
		said[fold(f.Family)] = urls[1:]
		take(f, urls[0])
		return true
	})
	want = slices.DeleteFunc(want, func(f face) bool {
		for _, b := range fonts {
			if a.stop() != nil {
				return false
			}
			if !used[b.url] && len(b.names) > 0 && namedIn(b.names, strings.Trim(f.Family, `"'`)) {
				take(f, b.url)
				return true
			}
		}
		return false
	})
	for _, f := range want {
		for _, b := range fonts {
			if !used[b.url] && a.byURL[b.url] == nil {
				take(f, b.url)
				break
			}
		}
	}
	return out
}

// maxFaces and maxFonts bound what is looked for, and in how many fonts.
const maxFaces, maxFonts = 200, 400

// namesIn gives the table of names in a font, or its beginning where it has
// none, and never more than 64 KB.
func namesIn(font []byte) []byte {
	const most = 64 << 10
	at := 0
	be := binary.BigEndian
	if bytes.HasPrefix(font, []byte("ttcf")) && len(font) >= 16 { // several fonts; the first
		at = int(be.Uint32(font[12:]))
	}
	if at >= 0 && at+12 <= len(font) {
		for i := range int(be.Uint16(font[at+4:])) {
			entry := at + 12 + 16*i
			if entry+16 > len(font) {
				break
			}
			if from := int64(be.Uint32(font[entry+8:])); string(font[entry:entry+4]) == "name" && from < int64(len(font)) {
				rest := font[from:]
				return slices.Clone(rest[:min(int64(len(rest)), int64(be.Uint32(font[entry+12:])), most)])
			}
		}
	}
	return slices.Clone(font[:min(len(font), most)])
}

// namedIn reports whether the names in a font hold one.
func namedIn(font []byte, name string) bool {
	var wide []byte
	for _, r := range name {
		wide = append(wide, byte(r>>8), byte(r))
	}
	return bytes.Contains(font, wide) || bytes.Contains(font, []byte(name))
}

type fontBody struct {
	url   string
	names []byte // of those that can be read as they are
}

// fontBodies lists the fonts that were received, and what scripts say which
// family is made of.
func (a *assembler) fontBodies(d *serial) ([]fontBody, map[string][]string) {
	w := a.s.rec.out
	w.mu.Lock()
	urls := make([]string, 0, len(w.urls))
	kept := make(map[string]stored, len(w.urls))
	for u, b := range w.urls {
		urls = append(urls, u)
		kept[u] = b
	}
	w.mu.Unlock()
	slices.Sort(urls)
	var fonts []fontBody
	said := map[string][]string{}
	for _, u := range urls {
		if a.stop() != nil || len(fonts) >= maxFonts {
			break
		}
		b := kept[u]
		kind := mediaType(b.mediaType)
		if b.truncated || strings.HasPrefix(kind, "image/") || kind == "text/css" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(a.s.dir, filepath.FromSlash(b.path)))
		if err != nil || len(text) < 4 {
			continue
		}
		switch head := string(text[:4]); {
		case head == "wOF2" || head == "wOFF":
			fonts = append(fonts, fontBody{u, nil})
		case head == "\x00\x01\x00\x00" || head == "OTTO" || head == "true" || head == "ttcf":
			fonts = append(fonts, fontBody{u, namesIn(text)})
		case strings.HasSuffix(kind, "javascript") || kind == "text/html":
			for _, m := range faceInScript.FindAllSubmatch(text, -1) {
				family := strings.ToLower(string(m[1]))
				at := resolve(d.URL, string(m[2]))
				if _, ok := kept[key(at)]; ok {
					said[family] = append(said[family], at)
				}
			}
		}
	}
	return fonts, said
}
