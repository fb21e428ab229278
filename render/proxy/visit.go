package proxy

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Refusal is a destination that the guard did not permit.
type Refusal struct {
	Target string // the URL for plain HTTP, host:port for a tunnel
	Host   string // host:port as asked for
	Reason string
}

// Visit is what the proxy saw while one page was captured.
type Visit struct {
	bytes atomic.Int64
	over  atomic.Bool

	// Set for a visit that is offline.
	host    string
	answers http.Handler

	mu       sync.Mutex
	refusals []Refusal
	remote   map[string]string
	failures map[string]string
}

// maxRefusals bounds what a page that probes a whole network can make us keep.
const maxRefusals = 1000

func newVisit() *Visit {
	return &Visit{remote: map[string]string{}, failures: map[string]string{}}
}

// Refusals lists what was not let through, in order, without repeats.
func (v *Visit) Refusals() []Refusal {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]Refusal(nil), v.refusals...)
}

// Refused finds why a host ("host:port") was refused.
func (v *Visit) Refused(host string) (reason string, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, r := range v.refusals {
		if r.Host == host {
			return r.Reason, true
		}
	}
	return "", false
}

// Failure tells why a host that was permitted could not be reached.
func (v *Visit) Failure(host string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.failures[host]
}

// RemoteAddr is the address a host ("host:port") really had, or "".
func (v *Visit) RemoteAddr(host string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.remote[host]
}

// Bytes counts what was moved, both ways.
func (v *Visit) Bytes() int64 { return v.bytes.Load() }

// Exceeded reports whether the visit was cut off for moving too much.
func (v *Visit) Exceeded() bool { return v.over.Load() }

func (v *Visit) refused(target, host, reason string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, r := range v.refusals {
		if r.Target == target {
			return
		}
	}
	if len(v.refusals) < maxRefusals {
		v.refusals = append(v.refusals, Refusal{target, host, reason})
	}
}

func (v *Visit) reached(host, addr string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.remote[host] = addr
}

func (v *Visit) unreachable(host, why string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failures[host] = why
}

var errSpent = errors.New("the visit moved more bytes than a visit may")

func (v *Visit) spent(limit int64) bool {
	if v.bytes.Load() < limit {
		return false
	}
	v.over.Store(true)
	return true
}

// metered counts the bytes of a connection against its visit and closes it
// when it idles.
type metered struct {
	net.Conn
	proxy *Proxy
	visit *Visit
}

func (m *metered) Read(b []byte) (int, error) {
	m.SetReadDeadline(time.Now().Add(m.proxy.limits.Idle)) // fails only on a closed connection, as Read then will
	n, err := m.Conn.Read(b)
	return n, m.count(n, err)
}

func (m *metered) Write(b []byte) (int, error) {
	m.SetWriteDeadline(time.Now().Add(m.proxy.limits.Idle)) // as above
	n, err := m.Conn.Write(b)
	return n, m.count(n, err)
}

func (m *metered) count(n int, err error) error {
	m.visit.bytes.Add(int64(n))
	if err == nil && m.visit.spent(m.proxy.limits.Bytes) {
		return errSpent
	}
	return err
}

func (m *metered) Close() error {
	m.proxy.mu.Lock()
	delete(m.proxy.conns, m)
	m.proxy.mu.Unlock()
	return m.Conn.Close()
}
