package fidelity

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures/pages"
	"github.com/candor-archive/candor/render/page"
	"github.com/candor-archive/candor/render/picture"
)

// exception allows one page less than everything. Cause says why it cannot be
// had, or not yet.
type exception struct {
	Page   string
	Pixels string // of the snapshot against our picture of the same moment: near or far; exact when empty
	Words  bool   // those of the snapshot may differ from the live page's
	Varies bool   // it may also turn out better: by its nature the page is not the same every time
	Cause  string
}

func exceptions(t *testing.T) map[string]exception {
	t.Helper()
	b, err := os.ReadFile("testdata/known.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var list []exception
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	out := map[string]exception{}
	for _, e := range list {
		p, ok := pages.Named(e.Page)
		switch {
		case !ok || !p.Bench && p.Group != pages.Tall:
			t.Errorf("known.yaml names %s, which is no page of the list", e.Page)
		case out[e.Page].Page != "":
			t.Errorf("known.yaml names %s twice", e.Page)
		case e.Cause == "" || e.Pixels == "" && !e.Words || !slices.Contains([]string{"", Near, Far}, e.Pixels):
			t.Errorf("known.yaml on %s: it must say what is allowed and why", e.Page)
		}
		out[e.Page] = e
	}
	return out
}

// against says what is wrong with a page, measured by what is allowed.
func (e exception) against(d *judged) []string {
	var out []string
	bad := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if d.lost != "" {
		return []string{d.lost}
	}
	if len(d.requests) > 0 {
		bad("the snapshot asks for %v", d.requests)
	}
	allowed := e.Pixels
	if allowed == "" {
		allowed = Exact
	}
	order := []string{Exact, Near, Far}
	got := d.own.Kind()
	switch have, may := slices.Index(order, got), slices.Index(order, allowed); {
	case have > may:
		bad("the snapshot is %s, not %s: %s", got, allowed, d.own)
	case have < may && !e.Varies:
		bad("the snapshot is now %s, better than known.yaml says (%s): correct the entry there, or take it out", got, allowed)
	}
	switch {
	case d.text != "" && !e.Words:
		bad("the snapshot's words are not those of the live page: %s", d.text)
	case d.text == "" && e.Words && !e.Varies:
		bad("the snapshot's words are now those of the live page, better than known.yaml says: correct the entry there, or take it out")
	}
	return out
}

// maxListed is how high a page may be to be judged at every test run, in CSS
// pixels. The higher ones are for render/page's own tests.
const maxListed = 20_000

// listed are the pages the list is kept for: those the figures are taken from,
// and those that know their own pixels.
func listed(t *testing.T) []pages.Page {
	t.Helper()
	list := benchPages(t)
	for _, p := range pages.All() {
		if p.Group == pages.Tall && !p.Bench && p.Want.Height <= maxListed && p.Want.Outcome == candor.Complete {
			list = append(list, p)
		}
	}
	return slices.DeleteFunc(list, func(p pages.Page) bool { return p.Want.Height > maxListed })
}

// TestSnapshotsAreAsGoodAsThePageListSays keeps every page exact that is not
// named in testdata/known.yaml, and the list no longer than it must be.
func TestSnapshotsAreAsGoodAsThePageListSays(t *testing.T) {
	s, j := theSite(t), theJudge(t)
	r := &page.Renderer{Pool: thePool(t), Software: "candor/test"}
	known := exceptions(t)
	for _, p := range listed(t) {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel() // the pool lends two browsers at once
			d, err := judge(t.Context(), j, r, s, p, t.TempDir(), false)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range known[p.Name].against(d) {
				t.Error(w)
			}
			if d.lost != "" {
				return
			}
			checkPixels(t, p, d)
		})
	}
}

// checkPixels compares our picture of a page that knows its own pixels with
// what they must be, at a grid of places.
func checkPixels(t *testing.T, p pages.Page, d *judged) {
	t.Helper()
	scale := d.manifest.Viewport.Scale
	slow := slices.ContainsFunc(d.manifest.Gaps, func(g candor.Gap) bool { return g.Code == candor.GapSlow })
	if !knows(p, scale) || slow { // a capture that says it ran out of time is true to its word
		return
	}
	f, err := os.Open(d.picture)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // only read
	r, err := picture.NewReader(bufio.NewReaderSize(f, 1<<18))
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for y := 0; ; y++ {
		row, err := r.Row()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if y%7 != 0 && y != r.Height-1 {
			continue
		}
		for x := y % 13; x < r.Width; x += 13 {
			want, ok := p.Pixel(x, y, scale)
			got := color.RGBA{row[x*3], row[x*3+1], row[x*3+2], 255}
			if ok && got != want {
				if wrong++; wrong <= 5 {
					t.Errorf("the picture at %d,%d is %v, want %v", x, y, got, want)
				}
			}
		}
	}
	if wrong > 5 {
		t.Errorf("and %d more places are wrong", wrong-5)
	}
}

func knows(p pages.Page, scale float64) bool {
	for at := range 64 {
		if _, ok := p.Pixel(at*19, at*11, scale); ok {
			return true
		}
	}
	return false
}

func TestThePageListIsKeptBothWays(t *testing.T) {
	exact := Likeness{}
	near := Likeness{Differing: 3, Share: 0.0001}
	far := Likeness{Differing: 3000, Share: 0.1}
	for _, c := range []struct {
		name string
		e    exception
		d    judged
		want string // in what is said; nothing is when empty
	}{
		{"exact and not listed", exception{}, judged{own: exact}, ""},
		{"worse and not listed", exception{}, judged{own: near}, "is near, not exact"},
		{"as listed", exception{Pixels: Near}, judged{own: near}, ""},
		{"worse than listed", exception{Pixels: Near}, judged{own: far}, "is far, not near"},
		{"of another size", exception{Pixels: Near}, judged{own: Likeness{SizeWrong: true}}, "is far"},
		{"better than listed", exception{Pixels: Far}, judged{own: near}, "correct the entry"},
		{"better, and it may be", exception{Pixels: Far, Varies: true}, judged{own: exact}, ""},
		{"words missing", exception{}, judged{text: "a"}, "words are not those"},
		{"words found again", exception{Words: true}, judged{}, "better than known.yaml"},
		{"a request is never allowed", exception{Pixels: Far, Words: true, Varies: true}, judged{requests: []string{"http://a"}}, "asks for"},
		{"nor a lost page", exception{Pixels: Far, Varies: true}, judged{lost: "gone"}, "gone"},
	} {
		got := strings.Join(c.e.against(&c.d), "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q in it", c.name, got, c.want)
		}
	}
}
