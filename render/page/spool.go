package page

import (
	"context"
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

func newSpool(max int64) *spool { return &spool{max: max, ready: make(chan struct{})} }

// begin asks Chrome to pass on what it has and what comes.
func (p *spool) begin(ctx context.Context, s *browser.Session, id network.RequestID) {
	defer close(p.ready)
	ctx, cancel := context.WithTimeout(ctx, bodyTimeout)
	defer cancel()
	res, err := cdp.Call(ctx, s, network.StreamResourceContent, network.StreamResourceContentParams{RequestID: id})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.head, p.err = res.BufferedData[:min(int64(len(res.BufferedData)), p.max)], err
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
	b = append(p.head, p.tail...)
	b = b[:min(int64(len(b)), p.max)]
	return b, int64(len(b)) < received, nil
}
