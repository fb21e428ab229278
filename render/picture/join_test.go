package picture

import (
	"bytes"
	"compress/flate"
	"image"
	"image/png"
	"io"
	"testing"
)

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
			if c.anew >= 0 && j.recoded != c.anew {
				t.Errorf("%d strips were packed anew, want %d", j.recoded, c.anew)
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
	const w, h = 250, 300
	for seed := range uint64(5) {
		img := noise(w, h, seed)
		if seed == 0 { // rows that are copies of the very first byte
			clear(img.Pix)
			for i := 3; i < len(img.Pix); i += 4 {
				img.Pix[i] = 255
			}
		}
		var b bytes.Buffer
		j := NewJoiner(&b, w, h, nil)
		for _, r := range [][2]int{{0, 100}, {100, 101}, {201, 99}} {
			p := image.NewNRGBA(image.Rect(0, 0, w, r[1]))
			copy(p.Pix, img.Pix[r[0]*img.Stride:(r[0]+r[1])*img.Stride])
			if err := j.Add(asChrome(t, p, 1+int(seed%6))); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if want := 0; seed > 0 && j.recoded != want {
			t.Errorf("seed %d: %d strips were packed anew", seed, j.recoded)
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
