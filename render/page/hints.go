package page

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// hints is what the bodies that were received say about what the serialiser
// has to look for. Each spares every page that has no use for it the search. A
// script that puts such a name together from pieces is not seen through; what
// that costs is in the look of the snapshot alone, which the self-check sees.
type hints struct {
	changed    bool              // scripts may have changed the rules of sheets
	properties bool              // or registered custom properties
	faces      bool              // or made fonts
	layers     bool              // or put something into the top layer
	contained  bool              // sheets or scripts name content-visibility
	states     map[string]bool   // names of custom states in sheets
	asked      map[string]bool   // names of attributes in selectors and attr()
	moving     map[string]bool   // addresses of images that move
	drawings   map[string]bool   // addresses of SVG images
	sources    map[string]string // style sheets, and drawings that others may use parts of
}

func (h hints) options() map[string]any {
	names := []string{}
	for n := range h.states {
		names = append(names, n)
	}
	asked := []string{}
	for n := range h.asked {
		asked = append(asked, n)
	}
	sources := map[string]string{}
	for u, text := range h.sources {
		if h.changed || h.drawings[u] {
			sources[u] = text
		}
	}
	return map[string]any{"changed": h.changed, "faces": h.faces, "contained": h.contained, "states": names, "asked": asked,
		"moving": h.moving, "pictures": h.drawings, "sources": sources}
}

// altered are the attributes that are not in the file as they were on the page.
var altered = map[string]bool{"href": true, "src": true, "srcset": true, "sizes": true, "action": true, "formaction": true, "data": true, "poster": true,
	"target": true, "loading": true, "sandbox": true, "allow": true, "autofocus": true, "autoplay": true, "controls": true, "loop": true,
	"preload": true, "value": true, "checked": true, "selected": true, "style": true, "download": true, "open": true}

// askedIn lists the altered attributes whose names a sheet has where a selector
// or attr() would. All handlers go by the name "on".
func askedIn(text []byte) map[string]bool {
	out := map[string]bool{}
	for _, before := range []string{"[", "attr("} {
		for rest := text; ; {
			_, after, ok := bytes.Cut(rest, []byte(before))
			if !ok {
				break
			}
			rest = after
			after = bytes.TrimLeft(after[:min(len(after), 40)], " \t\r\n")
			end := 0
			for end < len(after) && (after[end]|0x20 >= 'a' && after[end]|0x20 <= 'z' || after[end] == '-') {
				end++
			}
			if end < 3 || end > 12 {
				continue
			}
			if name := strings.ToLower(string(after[:end])); altered[name] {
				out[name] = true
			} else if strings.HasPrefix(name, "on") {
				out["on"] = true
			}
		}
	}
	return out
}

var customState = regexp.MustCompile(`:state\(\s*([\w-]+)\s*\)`)

// maxDrawings bounds the SVG text that is handed to the page.
const maxDrawings = 2 << 20

func (s *session) hints() hints {
	h := hints{states: map[string]bool{}, asked: map[string]bool{}, moving: map[string]bool{}, drawings: map[string]bool{}, sources: map[string]string{}}
	w := s.rec.out
	w.mu.Lock()
	urls := make(map[string]stored, len(w.urls))
	for u, b := range w.urls {
		if !b.truncated {
			urls[u] = b
		}
	}
	w.mu.Unlock()
	left := maxDrawings
	scripts := func(text []byte) {
		has := func(word string) bool { return bytes.Contains(text, []byte(word)) }
		h.changed = h.changed || has("insertRule") || has("deleteRule") || has("cssRules") || has("addRule") || has("removeRule") || has("rules") && has("heet")
		h.properties = h.properties || has("registerProperty")
		h.layers = h.layers || has("opover") || has("showModal")
		h.faces = h.faces || has("FontFace")
		h.contained = h.contained || has("contentVisibility")
	}
	sheets := func(text []byte) {
		h.contained = h.contained || bytes.Contains(text, []byte("content-visibility"))
		for name := range askedIn(text) {
			h.asked[name] = true
		}
		if bytes.Contains(text, []byte(":state(")) {
			for _, m := range customState.FindAllSubmatch(text, -1) {
				h.states[string(m[1])] = true
			}
		}
	}
	for u, b := range urls {
		kind := mediaType(b.mediaType)
		image := strings.HasPrefix(kind, "image/")
		if image && kind != "image/svg+xml" {
			if kind != "image/jpeg" && s.moves(b) {
				h.moving[u] = true
			}
			continue
		}
		script := strings.HasSuffix(kind, "javascript") || strings.HasSuffix(kind, "ecmascript")
		page := kind == "text/html" || kind == "application/xhtml+xml"
		if !script && !page && !image && kind != "text/css" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(b.path)))
		if err != nil {
			s.log.Debug("read a body", "url", u, "error", err) // the assembler says that it is missing
			continue
		}
		switch {
		case image:
			h.drawings[u] = true
			if len(text) <= left && bytes.Contains(text, []byte("id=")) {
				left -= len(text)
				h.sources[u] = strings.TrimPrefix(string(text), "\ufeff")
			}
			if bytes.Contains(text, []byte("<animate")) || bytes.Contains(text, []byte("@keyframes")) {
				h.moving[u] = true
			}
		case kind == "text/css":
			sheets(text)
			h.sources[u] = strings.TrimPrefix(string(text), "\ufeff")
		default:
			scripts(text)
			sheets(text)
		}
	}
	return h
}

// moves reports whether an image has more than one frame, as far as the first
// of its bytes tell.
func (s *session) moves(b stored) bool {
	f, err := os.Open(filepath.Join(s.dir, filepath.FromSlash(b.path)))
	if err != nil {
		return false // the assembler says that it is missing
	}
	defer f.Close() // only read
	head := make([]byte, 64)
	n, err := f.Read(head)
	if err != nil {
		return false
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("GIF8")):
		all, err := os.ReadFile(f.Name())
		return err == nil && bytes.Count(all, []byte("\x21\xf9\x04")) > 1
	case bytes.HasPrefix(head, []byte("RIFF")):
		return len(head) > 20 && bytes.Equal(head[12:16], []byte("VP8X")) && head[20]&2 != 0
	case bytes.HasPrefix(head, []byte("\x89PNG")):
		return movingPNG(f)
	}
	return bytes.Contains(head, []byte("ftypavis"))
}

// movingPNG looks for the chunk that says so, which comes before the pixels.
func movingPNG(f io.ReaderAt) bool {
	head := make([]byte, 8)
	for at, chunks := int64(8), 0; chunks < 10_000; chunks++ {
		if _, err := f.ReadAt(head, at); err != nil {
			return false
		}
		switch string(head[4:]) {
		case "acTL":
			return true
		case "IDAT", "IEND":
			return false
		}
		at += 12 + int64(binary.BigEndian.Uint32(head)) // the length, the name and the sum
	}
	return true // of a file like that nothing is sure
}
