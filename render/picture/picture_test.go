package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// noise is a picture somewhat like a page: flat areas, lines and speckles.
func noise(w, h int, seed uint64) *image.NRGBA {
	r := rand.New(rand.NewPCG(seed, 1))
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	flat := color.NRGBA{255, 255, 255, 255}
	for y := range h {
		kind := (y / 7) % 5
		if y%7 == 0 {
			flat = color.NRGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), 200, 255}
		}
		for x := range w {
			c := flat
			switch {
			case kind == 1 && x%3 == 0:
				c = color.NRGBA{uint8(x), uint8(y), uint8(x * y), 255}
			case kind == 2:
				c = color.NRGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256)), 255}
			case kind == 3:
				c = color.NRGBA{uint8(x * 2), uint8(x * 2), uint8(y * 3), 255}
			}
			copy(img.Pix[y*img.Stride+x*4:], []byte{c.R, c.G, c.B, c.A})
		}
	}
	return img
}

// encode packs a picture with the library's coder; level NoCompression gives
// stored blocks, the others every kind of block and filter.
func encode(t testing.TB, img image.Image, level png.CompressionLevel) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: level}).Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withAlpha makes the library write RGBA, by one pixel that is not opaque.
func withAlpha(img *image.NRGBA) *image.NRGBA {
	c := *img
	c.Pix = bytes.Clone(img.Pix)
	c.Pix[len(c.Pix)-1] = 254
	return &c
}

// write packs a picture with the Writer here.
func write(t testing.TB, img *image.NRGBA) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, img.Rect.Dx(), img.Rect.Dy())
	if err != nil {
		t.Fatal(err)
	}
	for y := range img.Rect.Dy() {
		if err := w.Row(rowOf(img, y)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func rowOf(img *image.NRGBA, y int) []byte {
	row := make([]byte, img.Rect.Dx()*3)
	opaque(row, img.Pix[y*img.Stride:y*img.Stride+img.Rect.Dx()*4])
	return row
}

func wantRows(t *testing.T, b []byte, img *image.NRGBA) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if r.Width != img.Rect.Dx() || r.Height != img.Rect.Dy() {
		t.Fatalf("the picture is %d×%d", r.Width, r.Height)
	}
	for y := range r.Height {
		row, err := r.Row()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(row, rowOf(img, y)) {
			t.Fatalf("row %d differs", y)
		}
	}
	if _, err := r.Row(); err != io.EOF {
		t.Errorf("after the last row: %v", err)
	}
}

func TestReaderGivesWhatOthersWrote(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {2, 9}, {3, 40}, {5, 33}, {64, 70}, {333, 40}} {
		img := noise(size.X, size.Y, 3)
		for _, level := range []png.CompressionLevel{png.NoCompression, png.BestSpeed, png.DefaultCompression, png.BestCompression} {
			wantRows(t, encode(t, img, level), img)
			wantRows(t, encode(t, withAlpha(img), level), img)
		}
		wantRows(t, write(t, img), img)
	}
}

func TestOthersReadWhatIsWritten(t *testing.T) {
	img := noise(257, 90, 5)
	got, err := png.Decode(bytes.NewReader(write(t, img)))
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, img)
}

func same(t *testing.T, got image.Image, want *image.NRGBA) {
	t.Helper()
	if got.Bounds() != want.Bounds() {
		t.Fatalf("the picture is %v", got.Bounds())
	}
	for y := range want.Rect.Dy() {
		var pix []byte
		switch p := got.(type) {
		case *image.RGBA:
			pix = p.Pix[y*p.Stride:]
		case *image.NRGBA:
			pix = p.Pix[y*p.Stride:]
		default:
			t.Fatalf("the picture is %T", got)
		}
		row := make([]byte, want.Rect.Dx()*3)
		opaque(row, pix)
		if !bytes.Equal(row, rowOf(want, y)) {
			t.Fatalf("row %d differs", y)
		}
	}
}

func TestWriterRefusesTooFewAndTooManyRows(t *testing.T) {
	w, err := NewWriter(io.Discard, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Row(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	if err := w.Row(make([]byte, 5)); err == nil {
		t.Error("a row of another width was taken")
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "1 rows are missing") {
		t.Errorf("too few rows: %v", err)
	}
	if err := w.Row(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	if err := w.Row(make([]byte, 6)); err == nil {
		t.Error("a row too many was taken")
	}
}

func TestDamagedPicturesAreErrors(t *testing.T) {
	whole := encode(t, noise(200, 100, 7), png.DefaultCompression)
	read := func(b []byte) error {
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			return err
		}
		for {
			if _, err := r.Row(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	if err := read(whole); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 7, 20, 33, 40, 45, len(whole) / 2, len(whole) - 13, len(whole) - 20} {
		if read(whole[:n]) == nil {
			t.Errorf("cut off after %d of %d bytes it was read", n, len(whole))
		}
	}
	for _, at := range []int{3, 17, 24, 28, 60, len(whole) / 2, len(whole) - 18} {
		b := bytes.Clone(whole)
		b[at] ^= 0x5a
		if read(b) == nil {
			t.Errorf("with byte %d changed it was read", at)
		}
	}
}

func TestCutGivesTheRectangles(t *testing.T) {
	img := noise(100, 80, 9)
	for name, b := range map[string][]byte{"rgb": write(t, img), "rgba": encode(t, withAlpha(img), png.BestSpeed)} {
		path := filepath.Join(t.TempDir(), "p.png")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		want := []image.Rectangle{image.Rect(10, 5, 30, 25), image.Rect(90, 70, 120, 95), image.Rect(0, 0, 1, 1), image.Rect(200, 0, 210, 10), image.Rect(10, 5, 30, 25)}
		got, err := Cut(path, want)
		if err != nil {
			t.Fatal(err)
		}
		if got[3] != nil {
			t.Errorf("%s: something was cut out beyond the edge", name)
		}
		for i, size := range []image.Point{{20, 20}, {10, 10}, {1, 1}} {
			if got[i].Rect.Size() != size {
				t.Fatalf("%s: cut %d is %v", name, i, got[i].Rect)
			}
			for y := range size.Y {
				for x := range size.X {
					if g, w := got[i].NRGBAAt(x, y), img.NRGBAAt(want[i].Min.X+x, want[i].Min.Y+y); g != w {
						t.Fatalf("%s: cut %d at %d,%d is %v, want %v", name, i, x, y, g, w)
					}
				}
			}
		}
	}
}

func TestSurveyFindsWhatIsBlank(t *testing.T) {
	const w, h = 100, 90
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{255, 255, 255, 255}
			if y >= 40 && y < 60 {
				c = color.NRGBA{10, 20, 30, 255}
			}
			if x == 95 && y == 72 {
				c.R = 0
			}
			img.SetNRGBA(x, y, c)
		}
	}
	s := NewSurvey(w, h, image.Pt(20, 10), image.Pt(50, 20))
	if err := s.Look(write(t, img)); err != nil {
		t.Fatal(err)
	}
	if s.OneColour() {
		t.Error("it is not of one colour")
	}
	white, dark := color.RGBA{255, 255, 255, 255}, color.RGBA{10, 20, 30, 255}
	for r, want := range map[image.Rectangle]any{
		image.Rect(0, 0, 100, 40):   white,
		image.Rect(5, 41, 100, 60):  dark,
		image.Rect(0, 30, 10, 45):   nil, // two colours
		image.Rect(0, 60, 80, 90):   white,
		image.Rect(70, 60, 100, 90): nil, // the speck
		image.Rect(81, 80, 99, 95):  white,
		image.Rect(0, 95, 10, 99):   nil, // below the picture
	} {
		c, ok := s.Blank(r)
		if want == nil && ok || want != nil && (!ok || c != want) {
			t.Errorf("%v is %v, %v; want %v", r, c, ok, want)
		}
	}
	if got := s.Around(image.Rect(10, 71, 30, 75)); got != image.Rect(10, 60, 30, 90) {
		t.Errorf("the band is %v", got)
	}
	p, err := png.Decode(bytes.NewReader(small(t, s)))
	if err != nil || p.Bounds().Size() != image.Pt(50, 20) {
		t.Fatalf("the small picture is %v, %v", p.Bounds(), err)
	}
	if r, _, _, _ := p.At(3, 3).RGBA(); r>>8 != 255 {
		t.Errorf("its top is %d", r>>8)
	}
	plain := NewSurvey(10, 10, image.Pt(4, 4), image.Pt(5, 5))
	blank := image.NewNRGBA(image.Rect(0, 0, 10, 10))
	for i := range blank.Pix {
		blank.Pix[i] = 255
	}
	if err := plain.Look(write(t, blank)); err != nil || !plain.OneColour() {
		t.Errorf("a white picture is not of one colour: %v", err)
	}
}
