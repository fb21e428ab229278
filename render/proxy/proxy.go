package proxy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/candor-archive/candor/internal/netguard"
)

// Dialer makes a connection, or refuses to with a *netguard.RefusedError.
type Dialer interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// Limits bounds what one visit may move.
type Limits struct {
	Bytes int64         // both ways together; 512 MiB when zero
	Idle  time.Duration // a connection without traffic is closed; 60 s when zero
	Conns int           // open at once; 256 when zero
}

// Proxy serves one browser context. One visit is under way at a time.
type Proxy struct {
	dial   Dialer
	limits Limits
	log    *slog.Logger
	token  string
	server *http.Server
	addr   string
	rt     *http.Transport
	done   chan struct{}

	mu     sync.Mutex
	visit  *Visit
	conns  map[net.Conn]struct{} // to the outside
	closed bool
}

// Start listens on a port of its own on loopback.
func Start(dial Dialer, limits Limits, log *slog.Logger) (*Proxy, error) {
	if limits.Bytes == 0 {
		limits.Bytes = 512 << 20
	}
	if limits.Idle == 0 {
		limits.Idle = 60 * time.Second
	}
	if limits.Conns == 0 {
		limits.Conns = 256
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the browser's proxy: %w", err)
	}
	var secret [16]byte
	rand.Read(secret[:]) // never fails since Go 1.24
	p := &Proxy{dial: dial, limits: limits, log: log, token: hex.EncodeToString(secret[:]), addr: l.Addr().String(),
		conns: map[net.Conn]struct{}{}, done: make(chan struct{}), visit: newVisit()}
	p.rt = &http.Transport{
		DialContext:           p.connect,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       20 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
	}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 30 * time.Second, MaxHeaderBytes: 1 << 20,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go func() {
		defer close(p.done)
		if err := p.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the browser's proxy stopped", "error", err)
		}
	}()
	return p, nil
}

// Addr is where the proxy listens, host:port.
func (p *Proxy) Addr() string { return p.addr }

// Begin ends the visit before, with all its connections, and starts another.
func (p *Proxy) Begin() *Visit { return p.begin(newVisit()) }

func (p *Proxy) begin(v *Visit) *Visit {
	p.mu.Lock()
	p.visit = v
	old := p.conns
	p.conns = map[net.Conn]struct{}{}
	p.mu.Unlock()
	p.rt.CloseIdleConnections()
	for c := range old {
		c.Close()
	}
	return v
}

// Close stops the proxy and everything that passes through it.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	err := p.server.Close()
	p.Begin() // closes the tunnels, which the server no longer knows
	<-p.done
	return err
}

// connect dials for the visit under way and counts what flows.
func (p *Proxy) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	p.mu.Lock()
	v, full, closed := p.visit, len(p.conns) >= p.limits.Conns, p.closed
	p.mu.Unlock()
	switch {
	case closed:
		return nil, net.ErrClosed
	case full:
		return nil, fmt.Errorf("more than %d connections at once", p.limits.Conns)
	case v.spent(p.limits.Bytes):
		return nil, errSpent
	}
	c, err := p.dial.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	v.reached(addr, c.RemoteAddr().String())
	m := &metered{Conn: c, proxy: p, visit: v}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.visit != v || p.closed {
		c.Close()
		return nil, net.ErrClosed
	}
	p.conns[m] = struct{}{}
	return m, nil
}

func (p *Proxy) current() *Visit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.visit
}

// ServeHTTP answers one request of the browser.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if v := p.current(); v.answers != nil && (r.URL.Host != "" || r.Method == http.MethodConnect) {
		v.serve(w, r)
		return
	}
	switch {
	case r.Method == http.MethodConnect:
		p.tunnel(w, r)
	case r.URL.Scheme == "http" && r.URL.Host != "":
		p.forward(w, r)
	default:
		// A page that finds the port may talk to it as to a server.
		http.Error(w, "this is a proxy", http.StatusBadRequest)
	}
}

func (p *Proxy) forward(w http.ResponseWriter, r *http.Request) {
	v := p.current()
	target := r.URL.String()
	rp := httputil.ReverseProxy{
		BufferPool:    buffers{},
		Rewrite:       func(pr *httputil.ProxyRequest) { pr.Out.Host = pr.In.Host },
		Transport:     p.rt,
		FlushInterval: -1,
		ErrorLog:      p.server.ErrorLog,
		ModifyResponse: func(resp *http.Response) error {
			resp.Header.Del(MarkHeader)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			p.fail(w, v, target, err)
		},
	}
	rp.ServeHTTP(w, r)
}

// buffers lends what bodies are copied with.
type buffers struct{}

var pooled = sync.Pool{New: func() any { return new([64 << 10]byte) }}

func (buffers) Get() []byte { return pooled.Get().(*[64 << 10]byte)[:] }

func (buffers) Put(b []byte) { pooled.Put((*[64 << 10]byte)(b)) }

// MarkHeader carries, in an answer that is the proxy's own, the proxy's token
// and the reason. The token is secret, so that no server can pretend.
const MarkHeader = "X-Candor-Proxy"

// Mark reads the reason from the headers of a response that the proxy made
// itself because it could not, or would not, reach the server.
func (p *Proxy) Mark(header func(name string) string) (reason string, own bool) {
	return strings.CutPrefix(header(MarkHeader), p.token+" ")
}

func (p *Proxy) fail(w http.ResponseWriter, v *Visit, target string, err error) {
	reason := "could not be reached: " + brief(err)
	status := http.StatusBadGateway
	var refused *netguard.RefusedError
	if errors.As(err, &refused) {
		reason, status = refused.Error(), http.StatusForbidden
		v.refused(target, refused.Addr, reason)
	} else {
		v.unreachable(withPort(target), brief(err))
	}
	w.Header().Set(MarkHeader, p.token+" "+reason)
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "This address was not captured.\n"+reason, status)
}

// withPort is the host:port of a target: a tunnel's as it stands, a URL's own.
func withPort(target string) string {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return target
	}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "80")
	}
	return u.Host
}

// brief is an error as one line without the addresses of our own sockets.
func brief(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return "no such host (" + dns.Name + ")"
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return strings.ReplaceAll(op.Err.Error(), "\n", "; ")
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, err.Error())
}

func (p *Proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	v := p.current()
	out, err := p.connect(r.Context(), "tcp", r.Host)
	if err != nil {
		p.fail(w, v, r.Host, err)
		return
	}
	defer out.Close()
	in, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		p.log.Error("the browser's proxy cannot take over a connection", "error", err)
		return
	}
	defer in.Close()
	in.SetDeadline(time.Time{}) // the server's limits are for headers only
	if _, err := io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return // the browser went away
	}
	back := make(chan struct{})
	go func() {
		defer close(back)
		carry(in, out) // ends when either side does; nobody is left to tell
		in.Close()
	}()
	if early, err := buf.Peek(buf.Reader.Buffered()); err == nil && len(early) > 0 { // what the browser sent at once
		if _, err := out.Write(early); err != nil {
			in.Close() // and with it ends the copying below
		}
	}
	carry(out, in)
	out.Close()
	<-back
}

// carry copies until either side ends. The counting of a visit's bytes stands
// between the sockets, so the kernel cannot do it alone.
func carry(to io.Writer, from io.Reader) {
	b := buffers{}.Get()
	defer buffers{}.Put(b)
	io.CopyBuffer(writer{to}, reader{from}, b) // an error is the end of one side
}

// writer and reader hide what would make CopyBuffer take no buffer of ours.
type (
	writer struct{ io.Writer }
	reader struct{ io.Reader }
)
