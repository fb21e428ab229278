package page

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/candor-archive/candor"
)

// live finds links that would run something.
var live = regexp.MustCompile(`(?i)\s(href|action|formaction|src)="[\s\x00-\x20]*(javascript|vbscript|data:text/html)`)

func TestNothingInASnapshotCanActWhateverThePageDoes(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{
		"/": `<!DOCTYPE html><title>A page</title><p>first words</p><a href="java&#10;script:alert(1)">one</a><a href="&#1;javascript:alert(2)">two</a>
			<a href="data:text/html,<script>alert(3)</script>">three</a><a href="https://example.org/x">four</a>
			<form action="https://example.org/"><input name="attributes"><input name="childNodes"><input name="localName"><input name="namespaceURI"><input name="nodeType"><input name="children" value="2">
			<p>words in a form</p></form><p>last words</p>`,
		"/nohead": `<!DOCTYPE html><title>B</title><p>words</p><script>document.head.remove()</script>`,
		"/late":   `<!DOCTYPE html><title>C</title><p>words</p><script>document.documentElement.insertBefore(document.createElement('div'),document.head)</script>`,
		"/named":  `<!DOCTYPE html><title>D</title><img name="documentElement"><img name="contentType"><img name="querySelectorAll"><img name="querySelector"><img name="baseURI"><img name="getAnimations"><img name="compatMode"><p>words</p>`,
		"/root":   `<!DOCTYPE html><title>E</title><script>onload=()=>{const d=document.createElement('div');d.textContent='words';document.replaceChild(d,document.documentElement)}</script>`,
	})
	for path, words := range map[string][]string{"/": {"first words", "words in a form", "last words", `href="https://example.org/x"`}, "/nohead": {"words"}, "/late": {"words"}, "/named": {"words"}, "/root": {"words"}} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			got := capture(t, s.URL+path)
			if _, ok := got.File(candor.Snapshot); !ok {
				t.Fatalf("there is no snapshot: %s (%s), %+v", got.Outcome, got.Reason, got.Steps)
			}
			html := got.read("snapshot.html")
			_, tree, _ := strings.Cut(html, "-->")
			// In the head and before anything else: only there does it count.
			if !regexp.MustCompile(`^\s*(<!DOCTYPE html>)?<html[^>]*><head[^>]*><meta charset="utf-8"><meta http-equiv="Content-Security-Policy"`).MatchString(tree) {
				t.Errorf("the policy is not where it counts: %.300s", tree)
			}
			for _, w := range words {
				if !strings.Contains(tree, w) {
					t.Errorf("the snapshot lacks %q: %s", w, tree)
				}
			}
			if m := live.FindString(tree); m != "" {
				t.Errorf("the snapshot has %q", m)
			}
		})
	}
}

func TestNothingGoesRoundTheProxy(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	go func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			reached.Add(1)
			c.Close()
		}
	}()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	go func() {
		b := make([]byte, 2000)
		for {
			if _, _, err := udp.ReadFrom(b); err != nil {
				return
			}
			reached.Add(1)
		}
	}()
	_, u, _ := net.SplitHostPort(udp.LocalAddr().String())
	_, p, _ := net.SplitHostPort(tcp.Addr().String())
	s := site(t, map[string]any{"/": fmt.Sprintf(`<!DOCTYPE html><title>R</title><p>words</p><link rel="dns-prefetch" href="//localhost:%[2]s"><link rel="preconnect" href="http://localhost:%[2]s"><script>
		const pc = new RTCPeerConnection({iceServers: [{urls: ['stun:127.0.0.1:%[1]s', 'stun:localhost:%[1]s']}, {urls: ['turn:127.0.0.1:%[2]s?transport=tcp', 'turn:127.0.0.1:%[1]s', 'turn:localhost:%[2]s?transport=tcp'], username: 'u', credential: 'c'}]});
		const other = new RTCPeerConnection();
		pc.createDataChannel('x');
		(async () => {
			await pc.setLocalDescription(await pc.createOffer());
			await other.setRemoteDescription(pc.localDescription);
			await other.setLocalDescription(await other.createAnswer());
			await pc.setRemoteDescription(other.localDescription);
			await pc.addIceCandidate({candidate: 'candidate:1 1 udp 2122260223 127.0.0.1 %[1]s typ host', sdpMid: '0'});
			await pc.addIceCandidate({candidate: 'candidate:2 1 tcp 1518280447 127.0.0.1 %[2]s typ host tcptype passive', sdpMid: '0'});
			document.body.append('dialled');
		})().catch(e => document.body.append('no: ' + e));
		try { const w = new WebTransport('https://127.0.0.1:%[1]s/'); w.ready.catch(() => {}); w.closed.catch(() => {}); } catch {}
		const i = new Image(); i.src = '/slow'; // keeps the page loading until all of it was tried
		</script>`, u, p), "/slow": slowly})
	got := capture(t, s.URL+"/")
	if text := got.read("text.txt"); !strings.Contains(text, "dialled") {
		t.Errorf("the page did not get as far as it should: %s", text)
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the machine was reached %d times without the proxy", n)
	}
}

// slowly answers after a while.
func slowly(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(3 * time.Second):
	case <-r.Context().Done():
	}
	w.Header().Set("Content-Type", "image/png")
}
