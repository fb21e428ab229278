package page

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/candor-archive/candor"
)

// talk answers a WebSocket's opening and closes it when told anything.
func talk(w http.ResponseWriter, r *http.Request) {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	c, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	fmt.Fprintf(buf, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	buf.Flush()
	buf.ReadByte()
}

func TestExchangesOfWorkersSocketsAndForms(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{
		"/": `<!DOCTYPE html><title>E</title><p>words</p><script>
			const done = [];
			const w = new Worker('/worker.js'); done.push(new Promise(r => w.onmessage = r));
			const ws = new WebSocket('ws://' + location.host + '/talk?access_token=verysecret');
			done.push(new Promise(r => { ws.onopen = () => ws.send('verysecret words'); ws.onclose = r; }));
			done.push(fetch('/form?access_token=verysecret', {method: 'POST', headers: {'Content-Type': 'application/x-www-form-urlencoded'}, body: 'a=1&password=verysecret'}));
			done.push(navigator.serviceWorker.register('/service.js').then(() => navigator.serviceWorker.ready));
			Promise.all(done).then(() => document.body.append('all done'));
		</script>`,
		"/worker.js":   served("text/javascript", []byte(`fetch('/from-worker').then(r => r.text()).then(postMessage); new Worker('/nested.js')`)),
		"/nested.js":   served("text/javascript", []byte(`fetch('/from-nested')`)),
		"/service.js":  served("text/javascript", []byte(`oninstall = e => e.waitUntil(fetch('/from-service'))`)),
		"/from-worker": served("text/plain", []byte("told by a worker")), "/from-nested": served("text/plain", []byte("nested")),
		"/from-service": served("text/plain", []byte("told by a service worker")),
		"/talk":         talk, "/form": served("text/plain", []byte("taken")),
	})
	c := capture(t, s.URL+"/")
	c.want(candor.Complete, "")
	if text := c.read("text.txt"); !strings.Contains(text, "all done") {
		t.Fatalf("the page did not get through: %s", text)
	}
	all := c.read("exchanges.jsonl")
	if strings.Contains(all, "verysecret") {
		t.Errorf("a credential is in the exchanges: %s", all)
	}
	by := map[string]Exchange{}
	for _, x := range c.exchanges() {
		path := x.URL[strings.Index(x.URL, "//")+2:]
		by[path[strings.IndexByte(path, '/'):]] = x
	}
	for path, want := range map[string]struct{ worker, body string }{
		"/from-worker": {"worker ", "told by a worker"}, "/from-nested": {"worker ", "nested"}, "/from-service": {"service_worker ", "told by a service worker"},
	} {
		x := by[path]
		if !strings.HasPrefix(x.Worker, want.worker) || x.Body == nil || x.Body.SHA256 != candor.SHA256([]byte(want.body)) {
			t.Errorf("%s is %+v with the body %+v", path, x, x.Body)
		}
	}
	socket := by["/talk?access_token="+removed]
	if socket.Type != "WebSocket" || socket.Status != 101 || socket.RemoteAddr != strings.TrimPrefix(s.URL, "http://") || socket.Duration <= 0 || socket.Body != nil {
		t.Errorf("the socket is %+v", socket)
	}
	form := by["/form?access_token="+removed]
	if form.RequestBody == nil || !form.RequestBody.Removed || c.read("bodies/"+form.RequestBody.SHA256) != "a=1&password="+removed {
		t.Errorf("what the form sent is %+v", form.RequestBody)
	}
}
