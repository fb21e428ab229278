package page

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/candor-archive/candor"
)

// impatient shortens the limits for pages that never end.
func impatient(_ *candor.CaptureSpec, l *Limits) {
	l.Total, l.Navigate, l.Load, l.Quiet, l.Settle = 45*time.Second, 6*time.Second, 4*time.Second, 3*time.Second, 2*time.Second
}

// healthy checks that the worker still captures an ordinary page.
func healthy(t *testing.T) {
	t.Helper()
	s := site(t, map[string]any{"/": `<!DOCTYPE html><title>Fine</title><p>fine`})
	capture(t, s.URL+"/").want(candor.Complete, "")
}

func TestHostilePagesEndWithAnOutcome(t *testing.T) {
	var hops atomic.Int64
	s := site(t, map[string]any{
		"/alerts":  `<!DOCTYPE html><title>A</title><p>before</p><script>onbeforeunload=()=>'stay';for(let i=0;i<15;i++){alert(i);confirm(i);prompt(i)}</script><p>after</p>`,
		"/forever": `<!DOCTYPE html><title>W</title><p>shown</p><script>setTimeout(()=>{while(true);},50)</script>`,
		"/popups":  `<!DOCTYPE html><title>P</title><p>shown</p><script>for(let i=0;i<50;i++)open('/popups?'+i);document.body.append('opened')</script>`,
		"/huge":    `<!DOCTYPE html><title>H</title><body><script>let h='';for(let i=0;i<8000;i++)h+='<p>'+i+'<b>x</b>';document.body.innerHTML=h</script>`,
		"/circle":  `<!DOCTYPE html><title>C</title><p>round and round</p><script>location.replace('/circle?'+Math.random())</script>`,
		"/loop": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, fmt.Sprintf("/loop?%d", hops.Add(1)), http.StatusFound)
		},
		"/stream": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!DOCTYPE html><title>S</title><p>the beginning</p>")
			for r.Context().Err() == nil {
				fmt.Fprint(w, "<p>more</p>")
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(100 * time.Millisecond):
				}
			}
		},
		"/silent": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"/download": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/zip")
			w.Header().Set("Content-Disposition", "attachment; filename=x.zip")
			fmt.Fprint(w, "PK")
		},
		"/gone": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404); fmt.Fprint(w, "<h1>Not here</h1>") },
	})
	for _, c := range []struct {
		path    string
		outcome candor.Outcome
		reason  string
		text    string // that must be in the text
	}{
		{"/alerts", candor.Complete, "", "after"},
		{"/forever", candor.Partial, "did not stop", "shown"},
		{"/popups", candor.Complete, "", "opened"},
		{"/huge", candor.Partial, "truncated", "7999"},
		{"/circle", candor.Partial, "another address", ""},
		{"/loop", candor.Failed, "REDIRECTS", ""},
		{"/stream", candor.Partial, "did not finish loading", "the beginning"},
		{"/silent", candor.Failed, "no answer", ""},
		{"/download", candor.Failed, "download", ""},
		{"/gone", candor.Failed, "404", "Not here"},
	} {
		t.Run(c.path[1:], func(t *testing.T) {
			began := time.Now()
			got := capture(t, s.URL+c.path, impatient, func(_ *candor.CaptureSpec, l *Limits) {
				if c.path == "/huge" {
					l.Total, l.Load, l.Settle, l.Height = 100*time.Second, 30*time.Second, 20*time.Second, 20_000
				}
			})
			got.want(c.outcome, c.reason)
			if c.text != "" && !strings.Contains(got.read("text.txt"), c.text) {
				t.Errorf("the text lacks %q", c.text)
			}
			if took := time.Since(began); c.path != "/huge" && took > 55*time.Second {
				t.Errorf("it took %s", took)
			}
			if c.path == "/gone" {
				if got.HTTPStatus != 404 {
					t.Errorf("status %d", got.HTTPStatus)
				}
				if _, ok := got.File(candor.Screenshot); !ok {
					t.Error("the error page has no picture")
				}
			}
		})
	}
	healthy(t)
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	var reached atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		fmt.Fprint(w, "the inside")
	}))
	defer inside.Close()
	s := site(t, map[string]any{
		"/redirect": http.RedirectHandler(inside.URL, http.StatusFound),
		"/parts": `<!DOCTYPE html><title>P</title><p>words</p><img src="` + inside.URL + `/i.png"><iframe src="` + inside.URL + `/f"></iframe><script>
			fetch('` + inside.URL + `/x').catch(()=>{});new WebSocket('` + strings.Replace(inside.URL, "http", "ws", 1) + `/w');fetch('` + strings.Replace(inside.URL, "http", "https", 1) + `/s').catch(()=>{})</script>`,
	})
	direct := capture(t, inside.URL+"/")
	direct.want(candor.Failed, "address refused: "+strings.TrimPrefix(inside.URL, "http://"))
	if direct.HTTPStatus != 0 || direct.RemoteAddr != "" {
		t.Errorf("status %d, address %s of a page that was not reached", direct.HTTPStatus, direct.RemoteAddr)
	}
	if _, ok := direct.File(candor.Screenshot); !ok {
		t.Error("there is no picture of the refusal")
	}
	tls := capture(t, strings.Replace(inside.URL, "http", "https", 1)+"/")
	tls.want(candor.Failed, "address refused: ")
	capture(t, s.URL+"/redirect").want(candor.Failed, "address refused: ")
	parts := capture(t, s.URL+"/parts")
	parts.want(candor.Partial, "refused")
	for _, part := range []string{"/i.png", "/f", "/x"} {
		found := false
		for _, r := range parts.Refused {
			found = found || r.URL == inside.URL+part && strings.Contains(r.Reason, "loopback")
		}
		if !found {
			t.Errorf("the manifest does not list %s: %+v", part, parts.Refused)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the inside was reached %d times", n)
	}
}

func TestUnreachableServerIsAFailedCapture(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	guard.Allow = append(guard.Allow, addr)
	capture(t, "http://"+addr+"/").want(candor.Failed, "could not be reached")
	capture(t, "https://"+addr+"/").want(candor.Failed, "could not be reached")
	capture2 := func(url, reason string) {
		t.Helper()
		m, err := (&Renderer{Pool: pool}).Capture(context.Background(), candor.CaptureSpec{ID: "x", URL: url}, t.TempDir())
		if err != nil || m.Outcome != candor.Failed || !strings.Contains(m.Reason, reason) {
			t.Errorf("%s: %v %+v", url, err, m)
		}
	}
	capture2("file:///etc/passwd", "must begin with http")
	capture2("http://a:b@example.org/", "password")
}

func TestChromeKilledWhileCapturingIsAnErrorAndTheNextCaptureWorks(t *testing.T) {
	asked := make(chan struct{}, 10)
	s := site(t, map[string]any{"/": func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}})
	killer := &killingPool{asked: asked}
	dir := filepath.Join(t.TempDir(), "c")
	_, err := (&Renderer{Pool: killer}).Capture(context.Background(), candor.CaptureSpec{ID: "x", URL: s.URL + "/"}, dir)
	if !candor.IsKind(err, candor.Unavailable) {
		t.Fatalf("got %v, want Unavailable", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err == nil {
		t.Error("there is a manifest of a capture that was not made")
	}
	healthy(t)
}

func TestCallerCanGiveUp(t *testing.T) {
	asked := make(chan struct{}, 10)
	s := site(t, map[string]any{"/": func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-asked; cancel() }()
	_, err := (&Renderer{Pool: pool}).Capture(ctx, candor.CaptureSpec{ID: "x", URL: s.URL + "/"}, t.TempDir())
	if err == nil || ctx.Err() == nil {
		t.Fatalf("got %v", err)
	}
	healthy(t)
}
