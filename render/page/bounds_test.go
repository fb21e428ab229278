package page

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"io"
	"strings"
	"testing"
)

func chunkOf(name string, size int) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(size))) + name + strings.Repeat("x", size) + "sums"
}

func TestMovingPNGIsFoundBehindLongWords(t *testing.T) {
	signature := "\x89PNG\r\n\x1a\n"
	for body, want := range map[string]bool{
		chunkOf("IHDR", 13) + chunkOf("tEXt", 9000) + chunkOf("acTL", 8) + chunkOf("IDAT", 9): true,
		chunkOf("IHDR", 13) + chunkOf("tEXt", 9000) + chunkOf("IDAT", 9) + chunkOf("acTL", 8): false,
		chunkOf("IHDR", 13): false,
	} {
		if got := movingPNG(strings.NewReader(signature + body)); got != want {
			t.Errorf("%.60q moves: %v", body, got)
		}
	}
}

func TestAddressInAStringOfCSSCannotEndItsElement(t *testing.T) {
	a := newAssembler(nil, nil, extent{})
	evil := `data:,</style><meta http-equiv=refresh content="0">`
	for _, where := range []string{"style", "attr", "text", "bare"} {
		p := part{Kind: "css", Escape: where, Text: escapeCSS(a.css.rewrite(`p{background:url('`+evil+`')}`, "http://a.example/"), where)}
		var b bytes.Buffer
		w := bufio.NewWriter(&b)
		if err := a.sheetText(w, p); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		if out := b.String(); strings.ContainsAny(out, "<") || (where == "attr") && strings.Contains(out, `"`) {
			t.Errorf("for %s: %s", where, out)
		}
	}
}

func TestNamesOfAFontAreReadFromItsTable(t *testing.T) {
	font := make([]byte, 300<<10)
	copy(font, "\x00\x01\x00\x00\x00\x01")
	copy(font[12:], "name")
	binary.BigEndian.PutUint32(font[20:], 200<<10)
	binary.BigEndian.PutUint32(font[24:], 40)
	copy(font[200<<10:], "City Sans")
	if n := namesIn(font); len(n) != 40 || !namedIn(n, "City Sans") {
		t.Errorf("%d bytes of names: %q", len(n), n)
	}
	binary.BigEndian.PutUint32(font[20:], 1<<31)
	if n := namesIn(font); len(n) != 64<<10 {
		t.Errorf("without a table there are %d bytes", len(n))
	}
}

// A frame that becomes an address is written no further than that may be long,
// and only tried once for each document.
func TestFrameThatInflatesIsNotHeldInMemory(t *testing.T) {
	inner := &serial{Own: true, URL: "http://a.example/"}
	big := "data:image/png;base64," + strings.Repeat("A", 100<<10)
	for i := range 1000 {
		inner.Parts = append(inner.Parts, part{Kind: "res", URL: big})
		inner.HTML += fmt.Sprintf("\x00%d\x00", i)
	}
	outer := &serial{frames: []*serial{inner}, lost: []string{""}}
	a := newAssembler(nil, nil, extent{})
	for _, tag := range []string{"object", "embed", "frame"} {
		room := &limited{w: io.Discard, left: 4 << 20}
		w := bufio.NewWriter(room)
		if err := a.frame(w, outer, part{Kind: "frame", Tag: tag, Box: &Box{}}); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil || !a.long[inner] {
			t.Errorf("%s: %v, too long: %v", tag, err, a.long[inner])
		}
	}
	if err := a.frame(bufio.NewWriter(&limited{w: io.Discard, left: 4 << 20}), outer, part{Kind: "frame", Tag: "iframe", Box: &Box{}}); err == nil {
		t.Error("what does not fit was written")
	}
	a.stop = func() error { return io.ErrClosedPipe }
	if err := a.expand(bufio.NewWriter(io.Discard), inner, inner.HTML); err != io.ErrClosedPipe {
		t.Errorf("the time is up and it goes on: %v", err)
	}
}

// A background that moves by itself would go on in the file, and may come to
// show something else than the picture.
func TestMovingBackgroundStandsAsInThePicture(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	frame := func(c color.Color) *image.Paletted {
		return image.NewPaletted(image.Rect(0, 0, 30, 30), color.Palette{c})
	}
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame(color.RGBA{200, 0, 0, 255}), frame(color.RGBA{0, 0, 200, 255})}, Delay: []int{20, 20}}); err != nil {
		t.Fatal(err)
	}
	s := site(t, map[string]any{"/m.gif": served("image/gif", b.Bytes()), "/": `<!DOCTYPE html><title>G</title><div style="width:90px;height:60px;background:url(/m.gif)"></div>`})
	c := capture(t, s.URL+"/")
	if !strings.Contains(c.read("snapshot.html"), "<div data-candor-over") {
		t.Error("no part of the picture lies over the background")
	}
	c.same()
}
