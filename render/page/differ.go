package page

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"github.com/candor-archive/candor/render/picture"
)

// differ compares a picture with another. Where they differ is drawn into the
// file at marks, which is of no use when they do not.
func differ(ctx context.Context, path string, again func() (io.ReadCloser, error), marks string) (d picture.Difference, err error) {
	both := func(do func(a, b io.Reader) error) error {
		a, err := os.Open(path)
		if err != nil {
			return err
		}
		defer a.Close() // only read
		b, err := again()
		if err != nil {
			return err
		}
		defer b.Close() // as above
		return do(bounded{ctx, a}, bounded{ctx, b})
	}
	same := false
	err = both(func(a, b io.Reader) (err error) {
		same, err = sameBytes(a, b)
		return err
	})
	if err != nil {
		return d, err
	}
	if same { // the browser's coder gives the same bytes for the same pixels
		w, h, err := picture.Size(path)
		return picture.Difference{Pixels: int64(w) * int64(h)}, err
	}
	return d, writeTo(marks, func(w io.Writer) error {
		return both(func(a, b io.Reader) (err error) {
			d, err = picture.Compare(a, b, picture.CompareOptions{Threshold: checkThreshold, Picture: w})
			return err
		})
	})
}

// bounded ends reading when its time is up.
type bounded struct {
	ctx context.Context
	r   io.Reader
}

func (b bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.r.Read(p)
}

func sameBytes(a, b io.Reader) (bool, error) {
	p, q := make([]byte, 128<<10), make([]byte, 128<<10)
	for {
		n, err := io.ReadFull(a, p)
		m, err2 := io.ReadFull(b, q)
		if n != m || !bytes.Equal(p[:n], q[:m]) {
			return false, nil
		}
		if err != nil || err2 != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return true, nil
			}
			return false, errors.Join(err, err2)
		}
	}
}
