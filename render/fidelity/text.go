package fidelity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/domsnapshot"
)

// words reads the visible text from the browser's own layout, in the order of
// the flat tree: shadow trees of every kind, frames in their place, values of
// form fields, generated content; nothing that is hidden or has no box.
func (t *tab) words(ctx context.Context) (string, error) {
	res, err := cdp.Call(ctx, t.target, domsnapshot.CaptureSnapshot, domsnapshot.CaptureSnapshotParams{ComputedStyles: []string{"visibility", "content-visibility"}})
	if err != nil {
		return "", fmt.Errorf("read the text: %w", err)
	}
	if len(res.Documents) == 0 {
		return "", nil
	}
	r := reader{all: res}
	r.document(0)
	return strings.Join(strings.Fields(r.out.String()), " "), nil
}

type reader struct {
	all domsnapshot.CaptureSnapshotResult
	out strings.Builder
	// where the last piece of text ended
	right, top, bottom float64
	seen               []int64
}

func (r *reader) str(i domsnapshot.StringIndex) string {
	if i < 0 || int(i) >= len(r.all.Strings) {
		return ""
	}
	return r.all.Strings[i]
}

func (r *reader) document(n int64) {
	if slices.Contains(r.seen, n) || int(n) >= len(r.all.Documents) {
		return
	}
	r.seen = append(r.seen, n)
	d := r.all.Documents[n]
	if d.Layout == nil || d.Nodes == nil {
		return
	}
	boxes := map[int64][]int{} // by layout node
	if b := d.TextBoxes; b != nil {
		for i, l := range b.LayoutIndex {
			boxes[l] = append(boxes[l], i)
		}
	}
	frames := map[int64]int64{}
	if f := d.Nodes.ContentDocumentIndex; f != nil {
		for i, node := range f.Index {
			frames[node] = f.Value[i]
		}
	}
	unread := r.unread(d)
	for i, node := range d.Layout.NodeIndex {
		if inner, ok := frames[node]; ok {
			r.apart()
			r.document(inner)
			r.apart()
			continue
		}
		if v := r.value(d, node); v != "" && !r.hidden(d, i) && !unread[node] {
			r.apart()
			r.out.WriteString(v)
			r.apart()
			continue
		}
		text := r.str(d.Layout.Text[i])
		if text == "" || r.hidden(d, i) || unread[node] {
			continue
		}
		units := utf16.Encode([]rune(text))
		for _, b := range boxes[int64(i)] {
			from, n := d.TextBoxes.Start[b], d.TextBoxes.Length[b]
			if from < 0 || from+n > int64(len(units)) {
				continue
			}
			r.piece(d.TextBoxes.Bounds[b], string(utf16.Decode(units[from:from+n])))
		}
	}
}

// value is what stands in a form field: the browser keeps its layout to itself.
func (r *reader) value(d *domsnapshot.DocumentSnapshot, node int64) string {
	from := d.Nodes.TextValue
	if r.str(d.Nodes.NodeName[node]) == "INPUT" {
		if !slices.Contains(typed, strings.ToLower(r.attribute(d, node, "type"))) {
			return ""
		}
		from = d.Nodes.InputValue
	}
	if from == nil {
		return ""
	}
	if i := slices.Index(from.Index, node); i >= 0 {
		return r.str(from.Value[i])
	}
	return ""
}

// typed are the types of fields that show their value as it is.
var typed = []string{"", "text", "search", "email", "url", "tel", "number", "submit", "button", "reset"}

func (r *reader) attribute(d *domsnapshot.DocumentSnapshot, node int64, name string) string {
	a := d.Nodes.Attributes[node]
	for i := 0; i+1 < len(a); i += 2 {
		if r.str(domsnapshot.StringIndex(a[i])) == name {
			return r.str(domsnapshot.StringIndex(a[i+1]))
		}
	}
	return ""
}

func (r *reader) has(d *domsnapshot.DocumentSnapshot, node int64, name string) bool {
	a := d.Nodes.Attributes[node]
	for i := 0; i < len(a); i += 2 {
		if r.str(domsnapshot.StringIndex(a[i])) == name {
			return true
		}
	}
	return false
}

func (r *reader) hidden(d *domsnapshot.DocumentSnapshot, i int) bool {
	v := r.style(d, i, 0)
	return v == "hidden" || v == "collapse"
}

// style is the nth of the styles asked for, of a layout node.
func (r *reader) style(d *domsnapshot.DocumentSnapshot, i, n int) string {
	if i >= len(d.Layout.Styles) || n >= len(d.Layout.Styles[i]) {
		return ""
	}
	return r.str(domsnapshot.StringIndex(d.Layout.Styles[i][n]))
}

// unread marks the nodes that have a layout and are not shown as words: the
// browser's own controls of audio and video, which a snapshot holds as a
// picture, and what a closed details or content-visibility hides, which keeps
// its layout once it had been shown.
func (r *reader) unread(d *domsnapshot.DocumentSnapshot) map[int64]bool {
	closing := map[int64]bool{} // those whose children are not shown
	for i, node := range d.Layout.NodeIndex {
		if r.style(d, i, 1) == "hidden" {
			closing[node] = true
		}
	}
	in := map[int64]bool{}
	for i, parent := range d.Nodes.ParentIndex { // parents come before their children
		node, name := int64(i), r.str(d.Nodes.NodeName[i])
		switch {
		case in[parent], name == "VIDEO", name == "AUDIO", closing[parent]:
			in[node] = true
		case parent >= 0 && name != "SUMMARY" && r.str(d.Nodes.NodeName[parent]) == "DETAILS" && !r.has(d, parent, "open"):
			in[node] = true
		}
	}
	return in
}

// piece adds a run of text, apart from the last unless it continues its line
// without a gap.
func (r *reader) piece(box domsnapshot.Rectangle, text string) {
	if len(box) == 4 {
		x, y, w, h := box[0], box[1], box[2], box[3]
		middle := y + h/2
		if x < r.right-0.75 || x > r.right+0.75 || middle < r.top || middle > r.bottom {
			r.out.WriteByte(' ')
		}
		r.right, r.top, r.bottom = x+w, y, y+h
	}
	r.out.WriteString(text)
}

func (r *reader) apart() {
	r.out.WriteByte(' ')
	r.right, r.top, r.bottom = -1e9, -1e9, -1e9
}
