package fidelity

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/candor-archive/candor/render/picture"
)

// besideHeight is how many rows a picture for people has at most.
const besideHeight = 4000

// Beside writes a picture for people: the live page, the snapshot, and where
// they differ (red on a faded ground) side by side. Of tall pages it shows the
// part that begins a little above the first difference.
func Beside(live, snapshot, path string) (err error) {
	from, err := firstDifference(live, snapshot)
	if err != nil {
		return err
	}
	marks, err := os.CreateTemp("", "candor-judge-*.png")
	if err != nil {
		return err
	}
	defer os.Remove(marks.Name())
	defer marks.Close() // read again below, and thrown away
	if err := compareInto(live, snapshot, marks); err != nil {
		return err
	}
	var columns []*column
	for _, p := range []string{live, snapshot, marks.Name()} {
		c, err := openColumn(p)
		if err != nil {
			return err
		}
		defer c.f.Close() // only read
		columns = append(columns, c)
	}
	const gap = 16
	width, height := 2*gap, 1
	for _, c := range columns {
		width += c.r.Width
		height = max(height, min(besideHeight, c.r.Height-from))
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buf := bufio.NewWriterSize(f, 1<<20)
	w, err := picture.NewWriter(buf, width, height)
	if err != nil {
		return err
	}
	row := make([]byte, width*3)
	for y := range from + height {
		at := 0
		for i := range row {
			row[i] = 0x60
		}
		for _, c := range columns {
			b, err := c.row()
			if err != nil {
				return err
			}
			copy(row[at:], b)
			at += (c.r.Width + gap) * 3
		}
		if y < from {
			continue
		}
		if err := w.Row(row); err != nil {
			return err
		}
	}
	return errors.Join(w.Close(), buf.Flush())
}

// column is one picture of a Beside.
type column struct {
	f *os.File
	r *picture.Reader
}

func openColumn(path string) (*column, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := picture.NewReader(bufio.NewReaderSize(f, 1<<18))
	if err != nil {
		f.Close() // only read
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &column{f, r}, nil
}

// row is the next row, nothing below the picture's end.
func (c *column) row() ([]byte, error) {
	b, err := c.r.Row()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	return b, err
}

// firstDifference is a row a little above the first that differs.
func firstDifference(a, b string) (int, error) {
	p, err := openColumn(a)
	if err != nil {
		return 0, err
	}
	defer p.f.Close() // only read
	q, err := openColumn(b)
	if err != nil {
		return 0, err
	}
	defer q.f.Close() // only read
	if p.r.Height <= besideHeight && q.r.Height <= besideHeight {
		return 0, nil
	}
	for y := range min(p.r.Height, q.r.Height) {
		r, err := p.row()
		if err != nil {
			return 0, err
		}
		s, err := q.row()
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(r, s) {
			return max(0, y-besideHeight/4), nil
		}
	}
	return 0, nil
}

// compareInto writes the picture of a comparison to w.
func compareInto(a, b string, w io.Writer) error {
	p, err := os.Open(a)
	if err != nil {
		return err
	}
	defer p.Close() // only read
	q, err := os.Open(b)
	if err != nil {
		return err
	}
	defer q.Close() // only read
	buf := bufio.NewWriterSize(w, 1<<18)
	_, err = picture.Compare(bufio.NewReaderSize(p, 1<<18), bufio.NewReaderSize(q, 1<<18), picture.CompareOptions{Threshold: threshold, Picture: buf})
	return errors.Join(err, buf.Flush())
}
