package proxy

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor/internal/netguard"
)

func start(t *testing.T, g *netguard.Guard, l Limits) (*Proxy, *http.Client) {
	t.Helper()
	p, err := Start(g, l, nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: p.Addr()}), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		p.Close()
	})
	return p, &http.Client{Transport: tr, Timeout: 20 * time.Second}
}

func host(s *httptest.Server) string { u, _ := url.Parse(s.URL); return u.Host }

func TestProxyPassesWhatTheGuardPermits(t *testing.T) {
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Proxy-Connection") != "" {
			t.Error("the server learns of the proxy")
		}
		w.Header().Set(MarkHeader, "forged")
		fmt.Fprint(w, "hello ", r.URL.Path)
	})
	plain, secure := httptest.NewServer(hello), httptest.NewTLSServer(hello)
	defer plain.Close()
	defer secure.Close()
	p, client := start(t, &netguard.Guard{Allow: []string{host(plain), host(secure)}}, Limits{})
	v := p.Begin()
	for _, s := range []*httptest.Server{plain, secure} {
		resp, err := client.Get(s.URL + "/x")
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(b) != "hello /x" {
			t.Errorf("got %q", b)
		}
		if _, own := p.Mark(resp.Header.Get); own {
			t.Error("a server passes for the proxy")
		}
		if got := v.RemoteAddr(host(s)); got != host(s) {
			t.Errorf("the remote address is %q", got)
		}
	}
	if v.Bytes() == 0 || len(v.Refusals()) != 0 {
		t.Errorf("%d bytes, refusals %v", v.Bytes(), v.Refusals())
	}
}

func TestProxyRefusesAndRemembers(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the inside was reached") }))
	defer inside.Close()
	p, client := start(t, &netguard.Guard{}, Limits{})
	v := p.Begin()
	resp, err := client.Get(inside.URL + "/secret")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if reason, own := p.Mark(resp.Header.Get); resp.StatusCode != 403 || !own || !strings.Contains(reason, "loopback") {
		t.Errorf("status %d, reason %q", resp.StatusCode, reason)
	}
	if resp, err := client.Get(strings.Replace(inside.URL, "http", "https", 1)); err == nil {
		resp.Body.Close()
		t.Error("a tunnel to the inside was opened")
	}
	want := []Refusal{{inside.URL + "/secret", host(inside), "address refused: " + host(inside) + " is a loopback address"},
		{host(inside), host(inside), "address refused: " + host(inside) + " is a loopback address"}}
	if got := v.Refusals(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("refusals %+v", got)
	}
	if len(p.Begin().Refusals()) != 0 {
		t.Error("the next visit inherits refusals")
	}
}

func TestProxyRefusesOtherSchemesAndPlainRequests(t *testing.T) {
	p, _ := start(t, &netguard.Guard{AllowPrivate: true}, Limits{})
	for _, line := range []string{"GET ftp://127.0.0.1/x HTTP/1.1", "GET / HTTP/1.1", "GET file:///etc/passwd HTTP/1.1"} {
		c, err := net.Dial("tcp", p.Addr())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "%s\r\nHost: 127.0.0.1\r\n\r\n", line)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || resp.StatusCode != 400 {
			t.Errorf("%s: %v %v", line, resp, err)
		}
		c.Close()
	}
}

func TestProxyEndsAVisitThatMovesTooMuch(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 1000 {
			if _, err := w.Write(make([]byte, 10_000)); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	p, client := start(t, &netguard.Guard{AllowPrivate: true}, Limits{Bytes: 100_000})
	v := p.Begin()
	resp, err := client.Get(s.URL)
	if err == nil {
		var n int64
		n, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err == nil {
			t.Errorf("%d bytes came through", n)
		}
	}
	if !v.Exceeded() || v.Bytes() > 400_000 {
		t.Errorf("exceeded %v after %d bytes", v.Exceeded(), v.Bytes())
	}
}

func TestNextVisitClosesTunnels(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, _ := start(t, &netguard.Guard{AllowPrivate: true}, Limits{})
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n", l.Addr())
	r := bufio.NewReader(c)
	if resp, err := http.ReadResponse(r, &http.Request{Method: "CONNECT"}); err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	p.Begin()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("the tunnel outlived its visit: %v", err)
	}
}
