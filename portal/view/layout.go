package view

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// What is read of a layout at most. Anyone may ask for the words on any picture,
// and a page is free to say a million of them.
const (
	MaxLayout = 8 << 20 // bytes
	maxRuns   = 200_000
)

// Layout is what pages need of a capture's layout: the words with their places,
// in CSS pixels of the page.
type Layout struct {
	Width  int
	Height int
	Runs   []LayoutRun
	Cut    bool // there are more runs than these
}

// LayoutRun is a piece of text on one line.
type LayoutRun struct {
	Text  string     `json:"text"`
	Box   [4]float64 `json:"box"`
	Start int        `json:"start"`
	Out   bool       `json:"out"` // not on the picture
}

// ReadLayout reads a layout up to its limits. Of a larger one it gives the
// beginning, and says so.
func ReadLayout(ctx context.Context, r io.Reader) (Layout, error) {
	var l Layout
	most := &io.LimitedReader{R: r, N: MaxLayout}
	d := json.NewDecoder(most)
	// cut reports whether an error is the limit's and not the file's.
	cut := func(err error) bool {
		return most.N <= 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF))
	}
	if err := expect(d, '{'); err != nil {
		return Layout{}, err
	}
	for d.More() {
		name, err := d.Token()
		if err == nil {
			switch name {
			case "width":
				err = d.Decode(&l.Width)
			case "height":
				err = d.Decode(&l.Height)
			case "runs":
				err = l.readRuns(ctx, d)
			default:
				err = d.Decode(new(json.RawMessage))
			}
		}
		switch {
		case cut(err):
			l.Cut = true
			return l, nil
		case err != nil:
			return Layout{}, err
		case l.Cut, l.Runs != nil && l.Width > 0 && l.Height > 0:
			return l, nil // what follows is of no use here
		}
	}
	if err := expect(d, '}'); err != nil && !cut(err) {
		return Layout{}, err
	}
	return l, nil
}

func (l *Layout) readRuns(ctx context.Context, d *json.Decoder) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for d.More() {
		if len(l.Runs) == maxRuns {
			l.Cut = true
			return nil
		}
		if len(l.Runs)%often == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var run LayoutRun
		if err := d.Decode(&run); err != nil {
			return err
		}
		l.Runs = append(l.Runs, run)
	}
	return expect(d, ']')
}

func expect(d *json.Decoder, want json.Delim) error {
	switch got, err := d.Token(); {
	case err != nil:
		return err
	case got != want:
		return fmt.Errorf("%v stands where %v should", got, want)
	}
	return nil
}
