package picture

import (
	"bytes"
	"compress/flate"
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
			img.SetNRGBA(x, y, c)
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
	for _, size := range []image.Point{{1, 1}, {2, 9}, {3, 40}, {5, 33}, {64, 70}, {333, 200}, {1280, 90}} {
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
		for x := range want.Rect.Dx() {
			g, w := color.NRGBAModel.Convert(got.At(x, y)).(color.NRGBA), want.NRGBAAt(x, y)
			if g.R != w.R || g.G != w.G || g.B != w.B {
				t.Fatalf("pixel %d,%d is %v, want %v", x, y, g, w)
			}
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

func TestJoinedStripsAreOnePicture(t *testing.T) {
	const w, h = 150, 240
	img := noise(w, h, 11)
	part := func(y, n int) *image.NRGBA {
		p := image.NewNRGBA(image.Rect(0, 0, w, n))
		copy(p.Pix, img.Pix[y*img.Stride:(y+n)*img.Stride])
		return p
	}
	own := func(p *image.NRGBA) []byte { return write(t, p) }
	lib := func(level png.CompressionLevel) func(*image.NRGBA) []byte {
		return func(p *image.NRGBA) []byte { return encode(t, p, level) }
	}
	alpha := func(p *image.NRGBA) []byte { return encode(t, withAlpha(p), png.BestSpeed) }
	for name, c := range map[string]struct {
		coders []func(*image.NRGBA) []byte
		anew   int
	}{
		"taken over":    {[]func(*image.NRGBA) []byte{own}, 0},
		"stored":        {[]func(*image.NRGBA) []byte{lib(png.NoCompression)}, 0},
		"best":          {[]func(*image.NRGBA) []byte{lib(png.BestCompression)}, -1},
		"fast":          {[]func(*image.NRGBA) []byte{lib(png.BestSpeed)}, -1},
		"alpha between": {[]func(*image.NRGBA) []byte{own, alpha, own}, 3},
		"alpha first":   {[]func(*image.NRGBA) []byte{alpha, own, own, lib(png.NoCompression)}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			s := NewSurvey(w, h, image.Pt(10, 10), image.Pt(50, 50))
			j := NewJoiner(&b, w, h, s)
			i := 0
			for y := 0; y < h; i++ {
				n := min([]int{50, 1, 37}[i%3], h-y)
				if err := j.Add(c.coders[i%len(c.coders)](part(y, n))); err != nil {
					t.Fatal(err)
				}
				y += n
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if c.anew >= 0 && j.Recoded() != c.anew {
				t.Errorf("%d strips were packed anew, want %d", j.Recoded(), c.anew)
			}
			wantRows(t, b.Bytes(), img)
			got, err := png.Decode(bytes.NewReader(b.Bytes())) // which checks every sum
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, img)
			alone := NewSurvey(w, h, image.Pt(10, 10), image.Pt(50, 50))
			if err := alone.Read(bytes.NewReader(b.Bytes())); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(small(t, s), small(t, alone)) {
				t.Error("the survey of the strips is not that of the whole")
			}
		})
	}
}

func small(t *testing.T, s *Survey) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.WriteSmall(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// asChrome packs a picture as Chrome does for screenshots: every row is filtered
// by the one above.
func asChrome(t testing.TB, img *image.NRGBA, level int) []byte {
	t.Helper()
	w, h := img.Rect.Dx(), img.Rect.Dy()
	var raw bytes.Buffer
	prev := make([]byte, w*3)
	for y := range h {
		row := rowOf(img, y)
		raw.WriteByte(2)
		for i, v := range row {
			raw.WriteByte(v - prev[i])
		}
		prev = row
	}
	var b bytes.Buffer
	if err := begin(&b, w, h, 3); err != nil {
		t.Fatal(err)
	}
	chunk(&b, "IDAT", deflated(t, raw.Bytes(), level))
	chunk(&b, "IEND")
	return b.Bytes()
}

func TestStripsOfChromesKindKeepAllButTheirFirstBlock(t *testing.T) {
	const w, h = 400, 500
	for seed := range uint64(14) {
		img := noise(w, h, seed)
		if seed == 0 { // rows that are copies of the very first byte
			clear(img.Pix)
			for i := 3; i < len(img.Pix); i += 4 {
				img.Pix[i] = 255
			}
		}
		var b bytes.Buffer
		j := NewJoiner(&b, w, h, nil)
		for _, r := range [][2]int{{0, 170}, {170, 171}, {341, 159}} {
			p := image.NewNRGBA(image.Rect(0, 0, w, r[1]))
			copy(p.Pix, img.Pix[r[0]*img.Stride:(r[0]+r[1])*img.Stride])
			if err := j.Add(asChrome(t, p, 1+int(seed%6))); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if want := 0; seed > 0 && j.Recoded() != want {
			t.Errorf("seed %d: %d strips were packed anew", seed, j.Recoded())
		}
		wantRows(t, b.Bytes(), img)
		got, err := png.Decode(bytes.NewReader(b.Bytes())) // which checks every sum
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		same(t, got, img)
	}
}

func TestPaddingEndsAtAnyBit(t *testing.T) {
	for want := uint(1); want < 8; want++ {
		b := deflated(t, []byte("before"), 5)
		// zlib's head, then the flushed data, then the padding up to the bit.
		var raw bytes.Buffer
		z, err := flate.NewWriter(&raw, 5)
		if err != nil {
			t.Fatal(err)
		}
		z.Write([]byte("before"))
		z.Flush()
		out := pad(raw.Bytes(), want)
		// A last block with the fixed codes: the bits 1, 1, 0 and seven zeros.
		last := uint64(3) << want
		out[len(out)-1] |= byte(last)
		out = append(out, byte(last>>8), byte(last>>16))
		got, err := io.ReadAll(flate.NewReader(bytes.NewReader(out)))
		if err != nil || string(got) != "before" {
			t.Errorf("to %d bits: %q, %v", want, got, err)
		}
		var i inflater
		if err := i.openBytes(append(b[:2:2], out...), 10); err != nil {
			t.Fatal(err)
		}
		if n, err := i.finish(); err != nil || n != 6 {
			t.Errorf("to %d bits: %d bytes, %v", want, n, err)
		}
	}
}

func TestStripsThatDoNotFitAreRefused(t *testing.T) {
	j := NewJoiner(io.Discard, 20, 30, nil)
	if err := j.Add(write(t, noise(21, 10, 1))); err == nil {
		t.Error("a strip of another width was taken")
	}
	if err := j.Add(write(t, noise(20, 25, 1))); err != nil {
		t.Error(err)
	}
	if err := j.Add(write(t, noise(20, 6, 1))); err == nil {
		t.Error("a strip too high was taken")
	}
	if err := j.Close(); err == nil {
		t.Error("a picture with rows missing was closed")
	}
	half := write(t, noise(20, 5, 1))
	if err := j.Add(half[:len(half)/2]); err == nil {
		t.Error("half a strip was taken")
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
