package page

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/domsnapshot"
)

// tree is the DOM with its layout as Chrome gives it in one answer: every
// frame, shadow roots that scripts cannot see, and what lies in slots where it
// is shown. The answer is large and little of it is used, so it is decoded by
// hand into columns: the decoder made for it took several times as long as all
// the rest of reading the words.
type tree struct {
	docs    []document
	text    string   // the table of strings as it came, escapes included
	strings []uint32 // where each begins and ends in text, in turn
	known   map[string]index
}

// index points into the table of strings; -1 is none.
type index = int32

// rare is a column that few nodes have a value in. The nodes come in order.
type rare struct {
	at    []int32
	value []int32
}

func (r rare) get(node int32) (int32, bool) {
	i, ok := slices.BinarySearch(r.at, node)
	if !ok {
		return -1, false
	}
	if i < len(r.value) {
		return r.value[i], true
	}
	return -1, true
}

// document is one document of the tree. Nodes come in the order of the flat
// tree: a parent before its children, what is in a slot below the slot.
type document struct {
	title, base      index
	scrollX, scrollY float64

	parent  []int32
	kind    []int32 // DOM's nodeType
	name    []index
	value   []index
	attrs   []index // name, value, name, value …
	attrsAt []int32 // where the attributes of each node begin, and an end
	inner   rare    // frame owner to its document
	pseudo  rare
	shadow  rare // type of the shadow root a node is in
	input   rare // value of an input
	area    rare // value of a text area
	checked rare
	chosen  rare

	// Layout: one row a box, in the order of their nodes.
	node   []int32
	styles []index // len(treeStyles) a row
	bounds []float64
	words  []index

	// Pieces of text on one line, in the order of their boxes.
	pieceOf       []int32
	pieces        []float64
	start, length []int32
}

// treeStyles are the computed styles asked for, by position.
var treeStyles = []string{"visibility", "display", "position", "overflow-x", "overflow-y", "opacity", "content-visibility",
	"border-left-width", "border-top-width", "padding-left", "padding-top", "animation-name"}

const (
	styleVisibility = iota
	styleDisplay
	stylePosition
	styleOverflowX
	styleOverflowY
	styleOpacity
	styleContentVisibility
	styleBorderLeft
	styleBorderTop
	stylePaddingLeft
	stylePaddingTop
	styleAnimation
)

var captureTree = cdp.Command[domsnapshot.CaptureSnapshotParams, tree]{Method: domsnapshot.CommandCaptureSnapshot}

func (s *session) readTree(ctx context.Context) (*tree, error) {
	t, err := call(ctx, s, s.limits.Picture, captureTree, domsnapshot.CaptureSnapshotParams{ComputedStyles: treeStyles})
	if err != nil {
		return nil, err
	}
	if len(t.docs) == 0 {
		return nil, fmt.Errorf("the page has no document")
	}
	return &t, nil
}

// str gives a string of the table.
func (t *tree) str(i index) string {
	if i < 0 || int(i)*2+1 >= len(t.strings) {
		return ""
	}
	return unquote(t.text[t.strings[2*i]:t.strings[2*i+1]])
}

// attr gives an attribute of a node; ok says whether it is there.
func (t *tree) attr(d *document, node int32, name string) (value string, ok bool) {
	i, ok := t.known[name]
	if !ok {
		if t.known == nil {
			t.known = map[string]index{}
		}
		i = t.find(name)
		t.known[name] = i
	}
	if i < 0 {
		return "", false
	}
	for a := d.attrs[d.attrsAt[node]:d.attrsAt[node+1]]; len(a) >= 2; a = a[2:] {
		if a[0] == i {
			return t.str(a[1]), true
		}
	}
	return "", false
}

// style gives a computed style of a row of the layout.
func (t *tree) style(d *document, row int32, which int) string {
	return t.str(d.styles[int(row)*len(treeStyles)+which])
}

// length is a computed style in pixels; 0 for what is no length.
func (t *tree) length(d *document, row int32, which int) float64 {
	f, err := strconv.ParseFloat(strings.TrimSuffix(t.style(d, row, which), "px"), 64)
	if err != nil {
		return 0 // auto, or a percentage
	}
	return f
}

// hasClosedRoots reports whether some node lies in a shadow root that scripts
// cannot reach.
func (t *tree) hasClosedRoots() bool {
	for i := range t.docs {
		for _, v := range t.docs[i].shadow.value {
			if t.str(v) == "closed" {
				return true
			}
		}
	}
	return false
}

// unquote resolves the escapes of a JSON string. Chrome escapes everything that
// is not ASCII.
func unquote(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for ; i >= 0; i = strings.IndexByte(s, '\\') {
		out = append(out, s[:i]...)
		if i+1 >= len(s) {
			return string(out)
		}
		c := s[i+1]
		s = s[i+2:]
		switch c {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'u':
			r, rest := hex4(s)
			s = rest
			if utf16.IsSurrogate(r) {
				r2 := rune(-1)
				if strings.HasPrefix(s, `\u`) {
					r2, rest = hex4(s[2:])
				}
				if r = utf16.DecodeRune(r, r2); r != utf8.RuneError {
					s = rest
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
	}
	return string(append(out, s...))
}

func hex4(s string) (r rune, rest string) {
	if len(s) < 4 {
		return utf8.RuneError, ""
	}
	n, err := strconv.ParseUint(s[:4], 16, 32)
	if err != nil {
		return utf8.RuneError, s[4:]
	}
	return rune(n), s[4:]
}

// find gives the place of a string in the table; -1 when it is not there.
func (t *tree) find(s string) index {
	for i := 0; i+1 < len(t.strings); i += 2 {
		if a, b := t.strings[i], t.strings[i+1]; int(b-a) == len(s) && t.text[a:b] == s {
			return index(i / 2)
		}
	}
	return -1
}
