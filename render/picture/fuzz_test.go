package picture

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"image"
	"image/png"
	"io"
	"testing"
)

// FuzzReader reads anything: it must neither fail in any other way than by an
// error nor give other pixels than the library does.
func FuzzReader(f *testing.F) {
	for _, level := range []png.CompressionLevel{png.NoCompression, png.BestSpeed, png.BestCompression} {
		f.Add(encode(f, noise(9, 8, 1), level))
		f.Add(encode(f, withAlpha(noise(5, 40, 2)), level))
	}
	f.Add(write(f, noise(7, 7, 3)))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b))
		if err != nil || r.Width*r.Height > 1<<20 {
			return
		}
		var rows [][]byte
		for {
			row, err := r.Row()
			if err == io.EOF {
				break
			}
			if err != nil {
				return
			}
			rows = append(rows, bytes.Clone(row))
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			return // the library is stricter on some things, such as the zlib sum
		}
		for y, row := range rows {
			for x := range r.Width {
				var c [3]byte
				switch p := img.(type) {
				case *image.NRGBA:
					c = [3]byte(p.Pix[p.PixOffset(x, y):])
				case *image.RGBA:
					c = [3]byte(p.Pix[p.PixOffset(x, y):])
				default:
					return // transparent colours beside RGB
				}
				if c != [3]byte(row[x*3:]) {
					t.Fatalf("%d,%d is %v, the library says %v", x, y, row[x*3:x*3+3], c)
				}
			}
		}
	})
}

// FuzzInflate compares with the library what comes out of deflated data, byte by
// byte.
func FuzzInflate(f *testing.F) {
	for level := flate.HuffmanOnly; level <= 9; level++ {
		f.Add(deflated(f, noise(40, 40, 1).Pix, level), 7)
		f.Add(deflated(f, bytes.Repeat([]byte("candor "), 900), level), 1000)
		f.Add(deflated(f, make([]byte, 70_000), level), 300)
	}
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		n = max(1, min(n, 1<<16))
		var want []byte
		var wantErr error
		if z, err := zlib.NewReader(bytes.NewReader(b)); err != nil {
			wantErr = err
		} else {
			want, wantErr = io.ReadAll(io.LimitReader(z, 8<<20))
		}
		for _, open := range []func(*inflater) error{
			func(i *inflater) error { return i.openBytes(b, n) },
			func(i *inflater) error { return i.open(&dribble{b, 3}, n) },
		} {
			var i inflater
			if err := open(&i); err != nil {
				if wantErr == nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			at := 0
			for len(want)-at >= n {
				p, err := i.take(n)
				if err != nil {
					if wantErr != nil {
						return // it may notice sooner
					}
					t.Fatalf("after %d of %d bytes: %v", at, len(want), err)
				}
				if !bytes.Equal(p, want[at:at+n]) {
					t.Fatalf("other bytes after %d", at)
				}
				at += n
			}
			if wantErr == nil && len(want) < 8<<20 {
				if more, err := i.finish(); err != nil || more != len(want)-at {
					t.Fatalf("%d bytes more, %v; want %d", more, err, len(want)-at)
				}
			}
		}
	})
}

func deflated(t testing.TB, b []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zlib.NewWriterLevel(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	z.Write(b)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// dribble gives a few bytes at a time.
type dribble struct {
	b []byte
	n int
}

func (d *dribble) Read(p []byte) (int, error) {
	if len(d.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), d.n)], d.b)
	d.b = d.b[n:]
	return n, nil
}
