package browser

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	jsonv2 "github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Session takes protocol commands for one page or worker and hands out its
// events. It is a cdp.Session and safe for use by several goroutines.
//
// Of a page, the domains Page (with lifecycle events) and Inspector are on;
// whoever wants another switches it on.
type Session struct {
	ID     target.SessionID
	Target *target.Info // as it was when attached
	Paused bool         // waits for Runtime.runIfWaitingForDebugger

	wire *wire
	done chan struct{}

	mu        sync.Mutex
	cond      *sync.Cond
	queue     []*cdproto.Message // nil: the end
	pending   map[int64]chan *cdproto.Message
	listeners []func(ev any)
	subs      map[string]map[*subscription]struct{}
	closed    bool
}

var errDetached = errors.New("the page is closed")

func newSession(x *wire, id target.SessionID, info *target.Info, paused bool) *Session {
	s := &Session{ID: id, Target: info, Paused: paused, wire: x, done: make(chan struct{}), pending: map[int64]chan *cdproto.Message{}}
	s.cond = sync.NewCond(&s.mu)
	go s.run()
	return s
}

func (s *Session) push(m *cdproto.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, m)
	s.cond.Signal()
}

// run hands out answers and events in the order they came in.
func (s *Session) run() {
	for {
		s.mu.Lock()
		for len(s.queue) == 0 {
			s.cond.Wait()
		}
		batch := s.queue
		s.queue = nil
		s.mu.Unlock()
		for _, m := range batch {
			switch {
			case m == nil:
				s.end()
				return
			case m.ID != 0:
				s.mu.Lock()
				ch := s.pending[m.ID]
				delete(s.pending, m.ID)
				s.mu.Unlock()
				if ch != nil {
					ch <- m
				}
			default:
				s.event(m)
			}
		}
	}
}

func (s *Session) event(m *cdproto.Message) {
	s.mu.Lock()
	listeners := s.listeners
	for sub := range s.subs[string(m.Method)] {
		sub.push(m.Params)
	}
	s.mu.Unlock()
	if len(listeners) == 0 {
		return
	}
	ev, err := cdproto.UnmarshalMessage(m, chromedp.DefaultUnmarshalOptions)
	if err != nil {
		return // an event the protocol description does not know, or a new value in one: nothing that we act on
	}
	for _, fn := range listeners {
		fn(ev)
	}
}

func (s *Session) end() {
	s.mu.Lock()
	s.closed = true
	subs := s.subs
	s.subs = nil
	s.mu.Unlock()
	close(s.done)
	for _, of := range subs {
		for sub := range of {
			sub.finish()
		}
	}
}

// Listen calls fn for every event of the page, in order. It must be quick and
// must not run commands.
func (s *Session) Listen(fn func(ev any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners[:len(s.listeners):len(s.listeners)], fn)
}

// Child finds a worker or a frame that was attached to automatically, by the
// name that the event gave it.
func (s *Session) Child(id target.SessionID) (*Session, bool) { return s.wire.session(id) }

// Closed is closed when the page or worker is gone.
func (s *Session) Closed() <-chan struct{} { return s.done }

// Command is one of several to be sent together.
type Command struct {
	Method string
	Params any
	Result any // to decode the answer into, or nil
}

// Cmd makes a Command; res may be nil.
func Cmd[P, R any](c cdp.Command[P, R], params P, res *R) Command {
	cmd := Command{Method: c.Method, Params: params}
	if res != nil {
		cmd.Result = res
	}
	return cmd
}

// Batch sends several commands without waiting in between and returns when all
// are answered. The page carries them out in order. The error is the first one's.
func (s *Session) Batch(ctx context.Context, cmds ...Command) error {
	waits := make([]func() error, len(cmds))
	for i, c := range cmds {
		waits[i] = s.start(ctx, c.Method, c.Params, c.Result)
	}
	var first error
	for i, wait := range waits {
		if err := wait(); err != nil && first == nil {
			first = fmt.Errorf("%s: %w", cmds[i].Method, err)
		}
	}
	return first
}

// Call sends one command and waits for its answer.
func (s *Session) Call(ctx context.Context, method string, params, result any) error {
	return s.start(ctx, method, params, result)()
}

func (s *Session) start(ctx context.Context, method string, params, result any) (wait func() error) {
	fail := func(err error) func() error { return func() error { return err } }
	var p jsonv2.Value
	if params != nil {
		b, err := jsonv2.Marshal(params, chromedp.DefaultMarshalOptions)
		if err != nil {
			return fail(err)
		}
		p = b
	}
	id := s.wire.next.Add(1)
	b, err := jsonv2.Marshal(&cdproto.Message{ID: id, SessionID: s.ID, Method: cdproto.MethodType(method), Params: p}, chromedp.DefaultMarshalOptions)
	if err != nil {
		return fail(err)
	}
	ch := make(chan *cdproto.Message, 1)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return fail(errDetached)
	}
	s.pending[id] = ch
	s.mu.Unlock()
	if err := s.wire.send(ctx, b); err != nil {
		s.drop(id)
		return fail(err)
	}
	return func() error {
		select {
		case m := <-ch:
			return answer(m, result)
		case <-ctx.Done():
			s.drop(id)
			return ctx.Err()
		case <-s.done:
			select { // it may have come just before the end
			case m := <-ch:
				return answer(m, result)
			default:
				return errDetached
			}
		}
	}
}

func (s *Session) drop(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pending, id)
}

func answer(m *cdproto.Message, result any) error {
	switch {
	case m.Error != nil:
		return m.Error
	case result == nil:
		return nil
	}
	return jsonv2.Unmarshal(m.Result, result, chromedp.DefaultUnmarshalOptions)
}

// Subscribe buffers the events of one kind until cancelled.
func (s *Session) Subscribe(method string) (events <-chan jsonv2.Value, cancel func()) {
	sub := &subscription{out: make(chan jsonv2.Value), stop: make(chan struct{}), wake: make(chan struct{}, 1)}
	s.mu.Lock()
	if s.closed {
		sub.finished = true
	} else {
		if s.subs == nil {
			s.subs = map[string]map[*subscription]struct{}{}
		}
		if s.subs[method] == nil {
			s.subs[method] = map[*subscription]struct{}{}
		}
		s.subs[method][sub] = struct{}{}
	}
	s.mu.Unlock()
	go sub.pump()
	var once sync.Once
	return sub.out, func() {
		once.Do(func() {
			s.mu.Lock()
			delete(s.subs[method], sub)
			s.mu.Unlock()
			close(sub.stop)
		})
	}
}

// subscription is a queue without an end, so that handing out never waits.
type subscription struct {
	out  chan jsonv2.Value
	stop chan struct{}
	wake chan struct{}

	mu       sync.Mutex
	queue    []jsonv2.Value
	finished bool
}

func (b *subscription) push(v jsonv2.Value) {
	b.mu.Lock()
	b.queue = append(b.queue, v)
	b.mu.Unlock()
	b.signal()
}

func (b *subscription) finish() {
	b.mu.Lock()
	b.finished = true
	b.mu.Unlock()
	b.signal()
}

func (b *subscription) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *subscription) pump() {
	defer close(b.out)
	for {
		b.mu.Lock()
		queue, finished := b.queue, b.finished
		b.queue = nil
		b.mu.Unlock()
		for _, v := range queue {
			select {
			case b.out <- v:
			case <-b.stop:
				return
			}
		}
		if len(queue) > 0 {
			continue
		}
		if finished {
			return
		}
		select {
		case <-b.wake:
		case <-b.stop:
			return
		}
	}
}
