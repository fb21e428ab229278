package page

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/candor-archive/candor"
)

// rememberJS tells what the page finds of an earlier visit and leaves as much as
// a page can for a later one.
const rememberJS = `(async () => {
	const found = [];
	const say = (what, had) => { if (had) found.push(what); };
	say('cookie', document.cookie);
	say('localStorage', localStorage.x); say('sessionStorage', sessionStorage.x);
	say('name', window.name); say('history', history.length > 2); // a tab's own blank page is there at first
	say('databases', (await indexedDB.databases()).length);
	say('caches', (await caches.keys()).length);
	say('workers', (await navigator.serviceWorker.getRegistrations()).length);
	let dir = await navigator.storage.getDirectory(), files = 0;
	for await (const f of dir.keys()) files++;
	say('files', files);
	say('script', window.served > 1); say('hidden cookie', document.body.dataset.cookie);
	document.cookie = 'x=1; max-age=9999'; localStorage.x = 1; sessionStorage.x = 1; window.name = 'x';
	history.pushState({}, '', '?again');
	await new Promise(r => { const q = indexedDB.open('x'); q.onsuccess = q.onerror = r; });
	const c = await caches.open('x'); await c.put('/x', new Response('x'));
	await navigator.serviceWorker.register('/worker.js'); await navigator.serviceWorker.ready;
	const h = await dir.getFileHandle('x', {create: true});
	document.body.append('found: ' + (found.join(', ') || 'nothing'));
})().catch(e => document.body.append('failed: ' + e));`

func TestNothingOfACaptureIsFoundByTheNext(t *testing.T) {
	var asked atomic.Int64
	s := site(t, map[string]any{
		"/": func(w http.ResponseWriter, r *http.Request) {
			_, err := r.Cookie("hidden")
			found := ""
			if err == nil {
				found = "yes"
			}
			http.SetCookie(w, &http.Cookie{Name: "hidden", Value: "1", HttpOnly: true, MaxAge: 9999})
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<!DOCTYPE html><title>R</title><body data-cookie="%s"><p>words</p><script src="/counted.js"></script><script>%s</script>`, found, rememberJS)
		},
		"/counted.js": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			w.Header().Set("Cache-Control", "public, max-age=99999, immutable")
			fmt.Fprintf(w, "window.served = 1; /* %d */", asked.Add(1))
		},
		"/worker.js": served("text/javascript", []byte("onfetch=e=>{}")),
	})
	for i := range 3 {
		got := capture(t, s.URL+"/")
		got.want(candor.Complete, "")
		if text := got.read("text.txt"); !strings.Contains(text, "found: nothing") {
			t.Errorf("capture %d: %s", i+1, text)
		}
		if n := asked.Load(); n != int64(i+1) {
			t.Errorf("after capture %d the server was asked %d times for what may be cached", i+1, n)
		}
	}
}
