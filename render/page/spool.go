package page

import (
	"context"
	"slices"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"

	"github.com/candor-archive/candor/render/browser"
)

// spool gathers the beginning of a body that is larger than Chrome keeps, as it
// comes in.
type spool struct {
	max   int64
	ready chan struct{} // closed when head is there

	mu   sync.Mutex
	head []byte // what Chrome had when we began
	tail []byte // what came since
	err  error
}

// maxSpools is how many bodies are gathered in one visit, and spoolRoom how much
// of all of them together.
const (
	maxSpools = 8
	spoolRoom = 128 << 20
)

// spools hands out what of spoolRoom is left.
type spools struct {
	n    int
	room int64
}

// next is a spool for a body of which at most max bytes are kept, or nil when
// enough has been gathered.
func (l *spools) next(max int64) *spool {
	if l.n == 0 {
		l.room = spoolRoom
	}
	if max = min(max, l.room); l.n == maxSpools || max <= 0 {
		return nil
	}
	l.n++
	l.room -= max
	return newSpool(max)
}

func newSpool(max int64) *spool { return &spool{max: max, ready: make(chan struct{})} }

// begin asks Chrome to pass on what it has and what comes.
func (p *spool) begin(ctx context.Context, s *browser.Session, id network.RequestID) {
	defer close(p.ready)
	ctx, cancel := context.WithTimeout(ctx, bodyTimeout)
	defer cancel()
	res, err := cdp.Call(ctx, s, network.StreamResourceContent, network.StreamResourceContentParams{RequestID: id})
	p.mu.Lock()
	defer p.mu.Unlock()
	// A copy, since a part of it would keep the whole.
	p.head, p.err = slices.Clone(res.BufferedData[:min(int64(len(res.BufferedData)), p.max)]), err
}

func (p *spool) add(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if room := p.max - int64(len(p.tail)); room > 0 {
		p.tail = append(p.tail, b[:min(int64(len(b)), room)]...)
	}
}

// bytes gives what was gathered, at most max, and whether there was more.
func (p *spool) bytes(received int64) (b []byte, cut bool, err error) {
	<-p.ready
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return nil, true, p.err
	}
	b = append(p.head, p.tail[:min(int64(len(p.tail)), max(0, p.max-int64(len(p.head))))]...)
	p.head, p.tail = nil, nil // it is asked for once
	return b, int64(len(b)) < received, nil
}
