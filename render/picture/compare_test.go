package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"
)

func plain(w, h int, c color.NRGBA) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func compare(t *testing.T, a, b *image.NRGBA, o CompareOptions) Difference {
	t.Helper()
	d, err := Compare(bytes.NewReader(write(t, a)), bytes.NewReader(encode(t, withAlpha(b), png.BestSpeed)), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The distances are worked out by hand from the formula: a grey step of n
// levels is n in Y alone, so 0.5053·n² of 35215, which is 0.1² from n = 26.4.
func TestDifferenceIsMeasuredAsTheEyeSees(t *testing.T) {
	for _, c := range []struct {
		a, b color.NRGBA
		want float64 // distance
	}{
		{color.NRGBA{0, 0, 0, 255}, color.NRGBA{26, 26, 26, 255}, 0.5053 * 26 * 26},
		{color.NRGBA{0, 0, 0, 255}, color.NRGBA{27, 27, 27, 255}, 0.5053 * 27 * 27},
		{color.NRGBA{255, 255, 255, 255}, color.NRGBA{0, 0, 0, 255}, 0.5053 * 255 * 255},
		{color.NRGBA{0, 0, 0, 255}, color.NRGBA{0, 0, 100, 255}, 0.5053*11.448223*11.448223 + 0.299*32.180189*32.180189 + 0.1957*31.114694*31.114694},
		{color.NRGBA{50, 0, 0, 255}, color.NRGBA{0, 0, 0, 255}, 0.5053*14.9447655*14.9447655 + 0.299*29.7988995*29.7988995 + 0.1957*10.5735085*10.5735085},
	} {
		got := distance([]byte{c.a.R, c.a.G, c.a.B}, []byte{c.b.R, c.b.G, c.b.B})
		if math.Abs(got-c.want) > 0.05 {
			t.Errorf("from %v to %v: %.2f, want %.2f", c.a, c.b, got, c.want)
		}
		d := compare(t, plain(4, 3, c.a), plain(4, 3, c.b), CompareOptions{})
		if differ := c.want > 352.15; d.Pixels != 12 || differ != (d.Differing == 12) || !differ && d.Differing != 0 {
			t.Errorf("from %v to %v: %+v", c.a, c.b, d)
		}
	}
	if d := compare(t, plain(4, 3, color.NRGBA{0, 0, 0, 255}), plain(4, 3, color.NRGBA{27, 27, 27, 255}), CompareOptions{Threshold: 0.2}); d.Differing != 0 {
		t.Errorf("with a threshold of 0.2: %+v", d)
	}
}

func TestRegionsHoldEveryPixelThatDiffers(t *testing.T) {
	a, b := noise(300, 200, 4), noise(300, 200, 4)
	red := color.NRGBA{255, 0, 0, 255}
	dots := []image.Point{{10, 10}, {12, 11}, {11, 20}, {250, 30}, {251, 30}, {100, 150}, {299, 199}, {0, 199}}
	for _, p := range dots {
		a.SetNRGBA(p.X, p.Y, color.NRGBA{0, 0, 0, 255})
		b.SetNRGBA(p.X, p.Y, red)
	}
	d := compare(t, a, b, CompareOptions{})
	want := []image.Rectangle{image.Rect(10, 10, 13, 21), image.Rect(250, 30, 252, 31), image.Rect(100, 150, 101, 151), image.Rect(0, 199, 1, 200), image.Rect(299, 199, 300, 200)}
	if d.Differing != int64(len(dots)) || d.SizeWrong || len(d.Regions) != len(want) {
		t.Fatalf("got %+v", d)
	}
	for i, r := range want {
		if d.Regions[i] != r {
			t.Errorf("region %d is %v, want %v", i, d.Regions[i], r)
		}
	}
	if d.Counts[0] != 3 || d.Counts[1] != 2 {
		t.Errorf("counts %v", d.Counts)
	}
}

func TestRegionsAreAtMostFifty(t *testing.T) {
	a, b := plain(600, 600, color.NRGBA{255, 255, 255, 255}), plain(600, 600, color.NRGBA{255, 255, 255, 255})
	n := int64(0)
	for y := 0; y < 600; y += 40 {
		for x := 0; x < 600; x += 40 {
			b.SetNRGBA(x, y, color.NRGBA{0, 0, 0, 255})
			n++
		}
	}
	d := compare(t, a, b, CompareOptions{})
	if d.Differing != n || len(d.Regions) > 50 || len(d.Regions) < 20 {
		t.Fatalf("%d pixels in %d regions", d.Differing, len(d.Regions))
	}
	total := int64(0)
	for _, c := range d.Counts {
		total += c
	}
	if total != n {
		t.Errorf("the regions count %d pixels of %d", total, n)
	}
	for y := 0; y < 600; y += 40 {
		for x := 0; x < 600; x += 40 {
			in := false
			for _, r := range d.Regions {
				in = in || image.Pt(x, y).In(r)
			}
			if !in {
				t.Fatalf("%d,%d is in no region", x, y)
			}
		}
	}
}

func TestPicturesOfDifferentSizesDiffer(t *testing.T) {
	white := color.NRGBA{255, 255, 255, 255}
	d := compare(t, plain(10, 10, white), plain(12, 9, white), CompareOptions{})
	if !d.SizeWrong || d.Pixels != 120 || d.Differing != 30 || len(d.Regions) != 0 {
		t.Errorf("got %+v", d)
	}
}

func TestPictureOfAComparisonShowsWhatDiffers(t *testing.T) {
	a, b := plain(20, 10, color.NRGBA{255, 255, 255, 255}), plain(20, 8, color.NRGBA{255, 255, 255, 255})
	b.SetNRGBA(7, 3, color.NRGBA{0, 0, 0, 255})
	var out bytes.Buffer
	compare(t, a, b, CompareOptions{Picture: &out})
	img, err := png.Decode(&out)
	if err != nil || img.Bounds().Size() != image.Pt(20, 10) {
		t.Fatalf("%v, %v", img, err)
	}
	for y := range 10 {
		for x := range 20 {
			r, g, _, _ := img.At(x, y).RGBA()
			if red := r>>8 == 255 && g == 0; red != (x == 7 && y == 3) {
				t.Fatalf("%d,%d is %v", x, y, img.At(x, y))
			}
		}
	}
}
