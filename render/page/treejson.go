package page

import (
	"bytes"
	"errors"
	"strconv"
)

// UnmarshalJSON reads the answer of DOMSnapshot.captureSnapshot.
func (t *tree) UnmarshalJSON(b []byte) error {
	*t = tree{}
	r := jsonReader{b: b}
	r.object(func(key string) {
		switch key {
		case "documents":
			r.array(func() {
				t.docs = append(t.docs, document{})
				r.document(&t.docs[len(t.docs)-1])
			})
		case "strings":
			t.table(&r)
		default:
			r.skip()
		}
	})
	if r.bad {
		return errors.New("the tree cannot be read")
	}
	for i := range t.docs {
		if !t.docs[i].sound() {
			return errors.New("the tree makes no sense")
		}
	}
	return nil
}

// table keeps the strings as they stand. Few of them are ever looked at: among
// them are the sources of scripts and images.
func (t *tree) table(r *jsonReader) {
	from := -1
	r.array(func() {
		if r.peek() != '"' {
			r.bad = true
			return
		}
		a, b := r.quoted()
		if from < 0 {
			from = a
		}
		t.strings = append(t.strings, uint32(a-from), uint32(b-from))
	})
	if from >= 0 && !r.bad {
		t.text = string(r.b[from:r.i])
	}
}

func (r *jsonReader) document(d *document) {
	d.title, d.base = -1, -1
	r.object(func(key string) {
		switch key {
		case "title":
			d.title = int32(r.number())
		case "baseURL":
			d.base = int32(r.number())
		case "scrollOffsetX":
			d.scrollX = r.number()
		case "scrollOffsetY":
			d.scrollY = r.number()
		case "nodes":
			r.object(func(key string) { r.nodes(d, key) })
		case "layout":
			r.object(func(key string) { r.layout(d, key) })
		case "textBoxes":
			r.object(func(key string) { r.textBoxes(d, key) })
		default:
			r.skip()
		}
	})
}

func (r *jsonReader) nodes(d *document, key string) {
	switch key {
	case "parentIndex":
		d.parent = r.ints(nil)
	case "nodeType":
		d.kind = r.ints(nil)
	case "nodeName":
		d.name = r.ints(nil)
	case "nodeValue":
		d.value = r.ints(nil)
	case "attributes":
		d.attrsAt = append(d.attrsAt, 0)
		r.array(func() {
			d.attrs = r.ints(d.attrs)
			d.attrsAt = append(d.attrsAt, int32(len(d.attrs)))
		})
	case "contentDocumentIndex":
		d.inner = r.rare()
	case "pseudoType":
		d.pseudo = r.rare()
	case "shadowRootType":
		d.shadow = r.rare()
	case "inputValue":
		d.input = r.rare()
	case "textValue":
		d.area = r.rare()
	case "inputChecked":
		d.checked = r.rare()
	case "optionSelected":
		d.chosen = r.rare()
	default:
		r.skip()
	}
}

func (r *jsonReader) layout(d *document, key string) {
	switch key {
	case "nodeIndex":
		d.node = r.ints(nil)
	case "styles":
		r.array(func() {
			// A text has none of its own.
			had := len(d.styles)
			d.styles = r.ints(d.styles)
			for n := len(d.styles) - had; n < len(treeStyles); n++ {
				d.styles = append(d.styles, -1)
			}
			d.styles = d.styles[:had+len(treeStyles)]
		})
	case "bounds":
		d.bounds = r.boxes()
	case "text":
		d.words = r.ints(nil)
	default:
		r.skip()
	}
}

func (r *jsonReader) textBoxes(d *document, key string) {
	switch key {
	case "layoutIndex":
		d.pieceOf = r.ints(nil)
	case "bounds":
		d.pieces = r.boxes()
	case "start":
		d.start = r.ints(nil)
	case "length":
		d.length = r.ints(nil)
	default:
		r.skip()
	}
}

// sound reports whether the columns fit together, so that who reads them need
// not look each time.
func (d *document) sound() bool {
	n, rows, pieces := len(d.parent), len(d.node), len(d.pieceOf)
	if len(d.kind) != n || len(d.name) != n || len(d.value) != n || len(d.attrsAt) != n+1 && n > 0 ||
		len(d.styles) != rows*len(treeStyles) || len(d.bounds) != 4*rows || len(d.words) != rows ||
		len(d.pieces) != 4*pieces || len(d.start) != pieces || len(d.length) != pieces {
		return false
	}
	for i, p := range d.parent {
		if int(p) >= i {
			return false
		}
	}
	last := int32(-1)
	for _, at := range d.node {
		if at < last || int(at) >= n {
			return false
		}
		last = max(last, at)
	}
	last = -1
	for _, at := range d.pieceOf {
		if at < last || int(at) >= rows {
			return false
		}
		last = max(last, at)
	}
	return true
}

// jsonReader reads JSON that is known to be well formed. What it cannot make
// sense of sets bad and ends the reading.
type jsonReader struct {
	b   []byte
	i   int
	bad bool
}

// peek is the next byte that is not space; 0 at the end.
func (r *jsonReader) peek() byte {
	for ; r.i < len(r.b); r.i++ {
		switch c := r.b[r.i]; c {
		case ' ', '\n', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

func (r *jsonReader) expect(c byte) bool {
	if r.bad || r.peek() != c {
		r.bad = true
		return false
	}
	r.i++
	return true
}

// more moves on to the next element, or past the end.
func (r *jsonReader) more(end byte, first bool) bool {
	if r.bad {
		return false
	}
	if r.peek() == end {
		r.i++
		return false
	}
	return first || r.expect(',')
}

func (r *jsonReader) array(each func()) {
	if !r.expect('[') {
		return
	}
	for first := true; r.more(']', first); first = false {
		each()
	}
}

func (r *jsonReader) object(each func(key string)) {
	if !r.expect('{') {
		return
	}
	for first := true; r.more('}', first); first = false {
		if r.peek() != '"' {
			r.bad = true
			return
		}
		a, b := r.quoted()
		if !r.expect(':') {
			return
		}
		each(string(r.b[a:b]))
	}
}

// quoted moves past a string and says where it stands without its quotes.
func (r *jsonReader) quoted() (from, to int) {
	from = r.i + 1
	for i := from; ; {
		n := bytes.IndexByte(r.b[i:], '"')
		if n < 0 {
			r.bad, r.i = true, len(r.b)
			return from, from
		}
		i += n
		slashes := 0
		for i-slashes-1 >= from && r.b[i-slashes-1] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			r.i = i + 1
			return from, i
		}
		i++
	}
}

// number reads one number.
func (r *jsonReader) number() float64 {
	r.peek()
	i, neg := r.i, false
	if i < len(r.b) && r.b[i] == '-' {
		neg = true
		i++
	}
	n, digits := int64(0), 0
	for ; i < len(r.b) && r.b[i]-'0' < 10; i++ {
		n = n*10 + int64(r.b[i]-'0')
		digits++
	}
	if digits == 0 || digits > 15 || i < len(r.b) && (r.b[i] == '.' || r.b[i] == 'e' || r.b[i] == 'E') {
		return r.float()
	}
	r.i = i
	if neg {
		n = -n
	}
	return float64(n)
}

func (r *jsonReader) float() float64 {
	i := r.i
	for i < len(r.b) && (r.b[i]-'0' < 10 || bytes.IndexByte([]byte("+-.eE"), r.b[i]) >= 0) {
		i++
	}
	f, err := strconv.ParseFloat(string(r.b[r.i:i]), 64)
	if err != nil {
		r.bad = true
	}
	r.i = i
	return f
}

// ints adds the numbers of an array to out.
func (r *jsonReader) ints(out []int32) []int32 {
	if !r.expect('[') {
		return out
	}
	if out == nil {
		if end := bytes.IndexByte(r.b[r.i:], ']'); end >= 0 {
			out = make([]int32, 0, bytes.Count(r.b[r.i:r.i+end], []byte{','})+1)
		}
	}
	for first := true; r.more(']', first); first = false {
		out = append(out, int32(r.number()))
	}
	return out
}

// boxes reads an array of arrays of four numbers; what is no box is an empty
// one.
func (r *jsonReader) boxes() []float64 {
	var out []float64
	r.array(func() {
		had := len(out)
		r.array(func() { out = append(out, r.number()) })
		if len(out) != had+4 {
			out = append(out[:had], 0, 0, 0, 0)
		}
	})
	return out
}

func (r *jsonReader) rare() rare {
	var out rare
	r.object(func(key string) {
		switch key {
		case "index":
			out.at = r.ints(nil)
		case "value":
			out.value = r.ints(nil)
		default:
			r.skip()
		}
	})
	return out
}

// skip moves past a value of any kind.
func (r *jsonReader) skip() {
	depth := 0
	for !r.bad {
		switch r.peek() {
		case 0:
			r.bad = true
			return
		case '"':
			r.quoted()
		case '[', '{':
			depth++
			r.i++
			continue
		case ']', '}':
			depth--
			r.i++
		case ',', ':':
			r.i++
			continue
		default:
			for r.i < len(r.b) && bytes.IndexByte([]byte(",]} \n\t\r"), r.b[r.i]) < 0 {
				r.i++
			}
		}
		if depth == 0 {
			return
		}
	}
}
