package page

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"

	"github.com/candor-archive/candor"
)

// task is an exchange to write down, after fetching its body when id is set.
type task struct {
	x        *Exchange
	id       network.RequestID
	received int64
	charset  string
	from     []string // addresses that redirected here stand for the body, too
}

// exchangeWriter writes exchanges.jsonl and bodies/ while the page loads.
type exchangeWriter struct {
	dir     string
	session cdp.Session
	max     int64
	ctx     context.Context // ends fetching; lines are still written
	done    chan struct{}

	mu     sync.Mutex
	cond   *sync.Cond
	queue  []task
	closed bool

	// Only the goroutine touches these until done is closed, but for bodies,
	// which mu guards: the snapshot reads them.
	f      *os.File
	w      *bufio.Writer
	err    error
	bodies map[string]stored // by SHA-256
	urls   map[string]stored // by address, the first whole answer
	lines  int
}

// stored is one body on disk.
type stored struct {
	path      string // below the capture's directory
	sha       string
	size      int64
	mediaType string
	text      bool // Chrome gave it as UTF-8 text
	truncated bool
}

func newExchangeWriter(ctx context.Context, dir string, session cdp.Session, max int64) (*exchangeWriter, error) {
	if err := os.MkdirAll(filepath.Join(dir, "bodies"), 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(dir, exchangesName))
	if err != nil {
		return nil, err
	}
	w := &exchangeWriter{dir: dir, session: session, max: max, ctx: ctx, done: make(chan struct{}), f: f, w: bufio.NewWriter(f),
		bodies: map[string]stored{}, urls: map[string]stored{}}
	w.cond = sync.NewCond(&w.mu)
	go w.run()
	return w, nil
}

func (w *exchangeWriter) put(t task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.queue = append(w.queue, t)
		w.cond.Signal()
	}
}

func (w *exchangeWriter) run() {
	defer close(w.done)
	for {
		w.mu.Lock()
		for len(w.queue) == 0 && !w.closed {
			w.cond.Wait()
		}
		if len(w.queue) == 0 {
			w.mu.Unlock()
			return
		}
		t := w.queue[0]
		w.queue = w.queue[1:]
		w.mu.Unlock()
		if t.id != "" {
			t.x.Body = w.fetch(t)
		}
		line, err := json.Marshal(t.x)
		if err == nil {
			_, err = w.w.Write(append(line, '\n'))
		}
		if err != nil && w.err == nil {
			w.err = err
		}
		w.lines++
		w.mu.Lock()
		w.cond.Broadcast() // for idle
		w.mu.Unlock()
	}
}

const bodyTimeout = 10 * time.Second

// fetch asks Chrome for the body it has just received and keeps it once.
func (w *exchangeWriter) fetch(t task) *Body {
	if t.received > bufferPerBody {
		return &Body{Truncated: true, Missing: fmt.Sprintf("%d bytes are more than are kept", t.received)}
	}
	ctx, cancel := context.WithTimeout(w.ctx, bodyTimeout)
	defer cancel()
	res, err := cdp.Call(ctx, w.session, network.GetResponseBody, network.GetResponseBodyParams{RequestID: t.id})
	if err != nil {
		why := err.Error()
		if ctx.Err() != nil {
			why = "the browser did not hand it over in time"
		}
		return &Body{Missing: why}
	}
	b := res.Body
	cut := int64(len(b)) > w.max
	if cut {
		b = b[:w.max]
	}
	sum := sha256.Sum256(b)
	s := stored{sha: hex.EncodeToString(sum[:]), size: int64(len(b)), mediaType: t.x.MediaType, text: !res.Base64encoded, truncated: cut}
	s.path = "bodies/" + s.sha
	w.mu.Lock()
	_, known := w.bodies[s.sha]
	w.mu.Unlock()
	if !known {
		if err := writeFile(filepath.Join(w.dir, filepath.FromSlash(s.path)), b); err != nil {
			if w.err == nil {
				w.err = err
			}
			return &Body{Missing: "it could not be written"}
		}
	}
	w.mu.Lock()
	if !known {
		w.bodies[s.sha] = s
	}
	for _, u := range append(t.from, t.x.URL) {
		if _, dup := w.urls[key(u)]; !dup && t.x.Status < 400 {
			w.urls[key(u)] = s
		}
	}
	w.mu.Unlock()
	charset := strings.ToLower(t.charset)
	return &Body{SHA256: s.sha, Size: s.size, Truncated: cut,
		Decoded: s.text && charset != "" && charset != "utf-8" && charset != "us-ascii"}
}

// idle waits until every exchange put so far is written.
func (w *exchangeWriter) idle(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { w.mu.Lock(); w.cond.Broadcast(); w.mu.Unlock() })
	defer stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) > 0 && ctx.Err() == nil {
		w.cond.Wait()
	}
	return ctx.Err()
}

// lookup finds the body that was loaded for an address.
func (w *exchangeWriter) lookup(url string) (stored, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.urls[key(url)]
	return s, ok
}

// key is an address without its fragment, written the one way that addresses
// out of style sheets are written too.
func key(raw string) string {
	raw, _, _ = strings.Cut(raw, "#")
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return u.String()
}

// close writes what is queued and closes the file, durably.
func (w *exchangeWriter) close() error {
	w.mu.Lock()
	w.closed = true
	w.cond.Broadcast()
	w.mu.Unlock()
	<-w.done
	return errors.Join(w.err, w.w.Flush(), w.f.Sync(), w.f.Close())
}

// files lists the bodies for the manifest.
func (w *exchangeWriter) files() []candor.File {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []candor.File
	for _, s := range w.bodies {
		out = append(out, candor.File{Kind: candor.Body, Path: s.path, SHA256: s.sha, Size: s.size, MediaType: mediaType(s.mediaType), Truncated: s.truncated})
	}
	return out
}
