package browser

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/chromedp/cdproto"
	jsonv2 "github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// wire is the pipe to one browser. What belongs to no page goes to chromedp,
// which reads and writes through it; what belongs to a page or a worker goes to
// that one's Session.
//
// Pages are not chromedp's own targets: those switch on more domains than a
// capture wants (style sheets and the whole document are then reported as they
// change, at the page's cost), wait for each command's answer in turn, and leave
// no way to the workers a page starts.
type wire struct {
	r, w    *os.File
	next    atomic.Int64
	out     chan []byte
	browser chan *cdproto.Message
	lost    chan struct{} // closed when nothing more comes
	stop    chan struct{} // closed by Close
	once    sync.Once

	mu       sync.Mutex
	sessions map[target.SessionID]*Session
	gone     bool
}

var errLost = errors.New("lost the connection to the browser")

func newWire(r, w *os.File) *wire {
	x := &wire{r: r, w: w, out: make(chan []byte, 64), browser: make(chan *cdproto.Message, 64),
		lost: make(chan struct{}), stop: make(chan struct{}), sessions: map[target.SessionID]*Session{}}
	go x.read()
	go x.write()
	return x
}

// Read gives chromedp the next message that is the browser's own.
func (x *wire) Read(ctx context.Context, msg *cdproto.Message) error {
	select {
	case m := <-x.browser:
		*msg = *m
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-x.lost:
		return io.EOF
	}
}

// Write sends what chromedp has to say.
func (x *wire) Write(ctx context.Context, msg *cdproto.Message) error {
	b, err := jsonv2.Marshal(msg, chromedp.DefaultMarshalOptions)
	if err != nil {
		return err
	}
	return x.send(ctx, b)
}

// send queues one message. The queue makes a browser that no longer reads cost
// its callers their time limits and not more.
func (x *wire) send(ctx context.Context, b []byte) error {
	select {
	case x.out <- append(b, 0):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-x.lost:
		return errLost
	}
}

func (x *wire) write() {
	for {
		select {
		case b := <-x.out:
			// Several at once when they wait: one wake-up of the browser then.
			for more := true; more && len(b) < 64<<10; {
				select {
				case c := <-x.out:
					b = append(b, c...)
				default:
					more = false
				}
			}
			if _, err := x.w.Write(b); err != nil {
				return // the reader learns of it, too, and tells everybody
			}
		case <-x.lost:
			return
		}
	}
}

func (x *wire) read() {
	defer x.end()
	buf := make([]byte, 0, 256<<10)
	scanned := 0
	for {
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		}
		n, err := x.r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		for {
			i := bytes.IndexByte(buf[scanned:], 0)
			if i < 0 {
				scanned = len(buf)
				break
			}
			if !x.take(buf[:scanned+i]) {
				return
			}
			buf = buf[:copy(buf, buf[scanned+i+1:])]
			scanned = 0
		}
		if err != nil {
			return
		}
		if len(buf) == 0 && cap(buf) > 8<<20 { // after an unusually large answer
			buf = make([]byte, 0, 256<<10)
		}
	}
}

// take routes one message. It reports false when the wire was closed.
func (x *wire) take(frame []byte) bool {
	m := new(cdproto.Message)
	if err := jsonv2.Unmarshal(frame, m, chromedp.DefaultUnmarshalOptions); err != nil {
		return true // not a message; Chrome sends none such
	}
	var child *Session
	switch m.Method {
	case cdproto.EventTargetAttachedToTarget:
		// Known before anything of it can arrive.
		var e target.EventAttachedToTarget
		if jsonv2.Unmarshal(m.Params, &e, chromedp.DefaultUnmarshalOptions) == nil && e.TargetInfo != nil {
			child = newSession(x, e.SessionID, e.TargetInfo, e.WaitingForDebugger)
		}
	case cdproto.EventTargetDetachedFromTarget:
		var e target.EventDetachedFromTarget
		if jsonv2.Unmarshal(m.Params, &e, chromedp.DefaultUnmarshalOptions) == nil {
			x.mu.Lock()
			s := x.sessions[e.SessionID]
			delete(x.sessions, e.SessionID)
			x.mu.Unlock()
			if s != nil {
				s.push(nil)
			}
		}
	}
	x.mu.Lock()
	if child != nil && !x.gone {
		x.sessions[child.ID] = child
	} else if child != nil {
		child.push(nil)
	}
	s := x.sessions[m.SessionID]
	x.mu.Unlock()
	switch {
	case s != nil:
		s.push(m)
	case m.SessionID == "":
		select {
		case x.browser <- m:
		case <-x.stop:
			return false
		}
	} // else it is of a page that was closed
	return true
}

func (x *wire) end() {
	close(x.lost)
	x.mu.Lock()
	x.gone = true
	all := x.sessions
	x.sessions = map[target.SessionID]*Session{}
	x.mu.Unlock()
	for _, s := range all {
		s.push(nil)
	}
	x.Close()
}

// session finds an attached page or worker.
func (x *wire) session(id target.SessionID) (*Session, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s, ok := x.sessions[id]
	return s, ok
}

// forget drops a page whose end the browser may never report.
func (x *wire) forget(id target.SessionID) {
	x.mu.Lock()
	s := x.sessions[id]
	delete(x.sessions, id)
	x.mu.Unlock()
	if s != nil {
		s.push(nil)
	}
}

// Close closes both ends, which also ends the browser.
func (x *wire) Close() error {
	var err error
	x.once.Do(func() {
		close(x.stop)
		err = errors.Join(x.r.Close(), x.w.Close())
	})
	return err
}
