package fidelity

import (
	"net"
	"net/http"
	"sync"
)

// Refusal is a proxy that lets nothing through and remembers what was asked for.
type Refusal struct {
	Addr string // host:port

	server *http.Server
	mu     sync.Mutex
	asked  []string
}

// StartRefusal begins to refuse on a free port of loopback.
func StartRefusal() (*Refusal, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Refusal{Addr: l.Addr().String()}
	r.server = &http.Server{Handler: r}
	go r.server.Serve(l) // ends with Close, which is no error to anybody
	return r, nil
}

// ServeHTTP refuses one request.
func (r *Refusal) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.asked = append(r.asked, req.Method+" "+req.RequestURI)
	r.mu.Unlock()
	http.Error(w, "nothing may be asked for", http.StatusForbidden)
}

// Asked lists what was refused so far.
func (r *Refusal) Asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.asked...)
}

// Close stops listening.
func (r *Refusal) Close() error { return r.server.Close() }
