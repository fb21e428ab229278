// Package netguard is the one address rule for everything that reaches out to
// the network: the proxy in front of Chrome, the crawler and the API clients.
//
// Whoever can name an address for us to visit must not be able to reach what
// only we can reach: the machine itself, its private network, a cloud's
// metadata service. A name is resolved once, every resulting address is judged,
// and the connection goes to the very address that was judged, so that a name
// cannot answer differently a second time. A check of the finished socket
// stands behind it. It protects against wrong destinations only; what a
// permitted server answers is for others to judge.
package netguard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Guard decides which addresses may be connected to. The zero value permits
// public addresses only. It is safe for use by several goroutines.
type Guard struct {
	// AllowPrivate turns the rule off: every address may be reached.
	AllowPrivate bool
	// Allow lists exact "host:port" destinations, as they are written in the
	// address asked for, that may be private.
	Allow []string
}

// RefusedError says which destination was refused and why.
type RefusedError struct {
	Addr   string // host:port that was asked for
	Reason string
}

func (e *RefusedError) Error() string {
	return "address refused: " + e.Addr + " is " + e.Reason
}

const dialTimeout = 15 * time.Second

// DialContext connects to addr ("host:port") when the rule permits one of the
// addresses it stands for. It refuses with a *RefusedError when the name stands
// for any address that is not public: a name with one foot inside is not one
// to trust.
func (g *Guard) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, &RefusedError{addr, "not a TCP destination (" + network + ")"}
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", addr, err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return nil, &RefusedError{addr, "without a usable port"}
	}
	open := g.AllowPrivate || g.permits(host, port)
	ips, err := resolve(ctx, network, host)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	if !open {
		for _, ip := range ips {
			if reason := Reason(ip); reason != "" {
				return nil, &RefusedError{addr, reason}
			}
		}
	}
	d := net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, Control: g.control(addr, open)}
	var failures []error
	for _, ip := range ips {
		c, err := d.DialContext(ctx, network, netip.AddrPortFrom(ip, uint16(number)).String())
		if err == nil {
			return c, nil
		}
		var refused *RefusedError
		if errors.As(err, &refused) {
			return nil, refused
		}
		failures = append(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, fmt.Errorf("dial %s: %w", addr, errors.Join(failures...))
}

// control is the last look, at the address the socket is about to connect to.
func (g *Guard) control(asked string, open bool) func(network, address string, c syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		if open {
			return nil
		}
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return &RefusedError{asked, "not a plain address (" + address + ")"}
		}
		if reason := Reason(ap.Addr()); reason != "" {
			return &RefusedError{asked, reason}
		}
		return nil
	}
}

func (g *Guard) permits(host, port string) bool {
	want := net.JoinHostPort(strings.ToLower(strings.TrimSuffix(host, ".")), port)
	return slices.ContainsFunc(g.Allow, func(a string) bool { return strings.EqualFold(a, want) })
}

func resolve(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	family := "ip" + strings.TrimPrefix(network, "tcp")
	ips, err := net.DefaultResolver.LookupNetIP(ctx, family, host)
	if err != nil {
		return nil, err
	}
	if len(ips) == 0 {
		return nil, fmt.Errorf("%s has no address", host)
	}
	return ips, nil
}

// Client is an HTTP client whose every connection, redirects included, obeys
// the rule. It ignores the proxy settings of the environment, since a proxy
// would connect on our behalf to addresses nobody judged.
func (g *Guard) Client(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, Transport: g.Transport()}
}

// Transport is an HTTP transport whose every connection obeys the rule.
func (g *Guard) Transport() *http.Transport {
	return &http.Transport{
		DialContext:           g.DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          64,
		IdleConnTimeout:       60 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}
