package netguard

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestReasonKnowsWhatIsNotPublic(t *testing.T) {
	for _, c := range []struct{ ip, want string }{
		{"8.8.8.8", ""},
		{"2606:4700::1111", ""},
		{"100.63.255.255", ""},
		{"100.128.0.1", ""},
		{"172.15.0.1", ""},
		{"172.32.0.1", ""},
		{"64:ff9b::808:808", ""}, // NAT64 of 8.8.8.8
		{"2002:808:808::1", ""},  // 6to4 of 8.8.8.8
		{"127.0.0.1", "loopback"},
		{"127.255.1.2", "loopback"},
		{"::1", "loopback"},
		{"::ffff:127.0.0.1", "loopback"},
		{"::ffff:10.1.2.3", "private"},
		{"0.0.0.0", "unspecified"},
		{"0.1.2.3", "unspecified"},
		{"::", "unspecified"},
		{"10.0.0.1", "private"},
		{"172.16.0.1", "private"},
		{"172.31.255.255", "private"},
		{"192.168.1.1", "private"},
		{"100.64.0.1", "carrier"},
		{"100.127.255.255", "carrier"},
		{"169.254.1.1", "link-local"},
		{"169.254.169.254", "metadata"},
		{"fd00:ec2::254", "metadata"},
		{"fd12:3456::1", "private"},
		{"fe80::1", "link-local"},
		{"fe80::1%eth0", "link-local"},
		{"224.0.0.1", "multicast"},
		{"ff02::1", "multicast"},
		{"255.255.255.255", "reserved"},
		{"240.0.0.1", "reserved"},
		{"198.18.0.1", "benchmarking"},
		{"192.0.2.1", "documentation"},
		{"2001:db8::1", "documentation"},
		{"64:ff9b::7f00:1", "loopback"},
		{"64:ff9b::a9fe:a9fe", "metadata"},
		{"64:ff9b:1::1", "translation"},
		{"2002:7f00:1::", "loopback"},
		{"2002:c0a8:101::1", "private"},
		{"2001:0:4136:e378:8000:63bf:f5ff:fffe", "private"}, // Teredo of 10.0.0.1
		{"::7f00:1", "loopback"},                            // IPv4-compatible
		{"2606:4700::5efe:a00:1", "private"},                // ISATAP of 10.0.0.1
		{"::ffff:0:127.0.0.1", "not a public"},              // IPv4-translated
		{"4000::1", "not a public"},
		{"168.63.129.16", "cloud"},
	} {
		ip := netip.MustParseAddr(c.ip)
		got := Reason(ip)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("Reason(%s) = %q, want %q", c.ip, got, c.want)
		}
	}
}

func TestDialRefusesWhatIsNotPublic(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for name, c := range map[string]struct {
		guard Guard
		addr  string
		ok    bool
	}{
		"address":                  {Guard{}, "127.0.0.1:" + port, false},
		"name":                     {Guard{}, "localhost:" + port, false},
		"mapped":                   {Guard{}, "[::ffff:127.0.0.1]:" + port, false},
		"unspecified":              {Guard{}, "0.0.0.0:" + port, false},
		"allowed exactly":          {Guard{Allow: []string{"127.0.0.1:" + port}}, "127.0.0.1:" + port, true},
		"another port is allowed":  {Guard{Allow: []string{"127.0.0.1:1"}}, "127.0.0.1:" + port, false},
		"another name for allowed": {Guard{Allow: []string{"127.0.0.1:" + port}}, "localhost:" + port, false},
		"rule off":                 {Guard{AllowPrivate: true}, "localhost:" + port, true},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := c.guard.DialContext(context.Background(), "tcp", c.addr)
			if conn != nil {
				conn.Close()
			}
			var refused *RefusedError
			if c.ok && err != nil || !c.ok && !errors.As(err, &refused) {
				t.Fatalf("dial %s: %v", c.addr, err)
			}
			if !c.ok && refused.Addr != c.addr {
				t.Errorf("the refusal names %q, want %q", refused.Addr, c.addr)
			}
		})
	}
	g := Guard{AllowPrivate: true}
	if _, err := g.DialContext(context.Background(), "udp", "127.0.0.1:53"); err == nil {
		t.Error("a UDP destination was not refused")
	}
}

func TestClientRefusesARedirectInside(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Error("the inside was reached")
	}))
	defer inside.Close()
	outside := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusFound))
	defer outside.Close()
	g := Guard{Allow: []string{strings.TrimPrefix(outside.URL, "http://")}}
	client := g.Client(5 * time.Second)
	defer client.CloseIdleConnections()
	resp, err := client.Get(outside.URL)
	if err == nil {
		resp.Body.Close()
	}
	var refused *RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want a refusal", err)
	}
}
