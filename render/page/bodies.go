package page

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
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
	"github.com/candor-archive/candor/render/browser"
)

// task is an exchange to write down, after fetching its body when id is set or
// a spool has it.
type task struct {
	x        *Exchange
	url      string // with what the exchange leaves out
	by       *browser.Session
	id       network.RequestID
	received int64
	charset  string
	from     []string // addresses that redirected here stand for the body, too
	spool    *spool
	post     *network.Request
	main     bool // what the tab was asked to show
}

// exchangeWriter writes exchanges.jsonl and bodies/ while the page loads.
type exchangeWriter struct {
	dir     string
	session *browser.Session // of the page
	max     int64            // bytes kept of a body; none are kept when negative
	ctx     context.Context  // ends fetching; lines are still written
	done    chan struct{}

	mu     sync.Mutex
	cond   *sync.Cond
	queue  []task
	closed bool

	// Only the goroutine touches these until done is closed, but for the last
	// four, which mu guards: the snapshot and the recorder use them, too.
	f      *os.File
	w      *bufio.Writer
	lines  int
	err    error
	bodies map[string]stored // by SHA-256
	last   string            // the SHA-256 of what the tab was last asked to show
	urls   map[string]stored // by address, the first whole answer
}

// stored is one body on disk.
type stored struct {
	path      string // below the capture's directory
	sha       string
	size      int64
	mediaType string
	text      bool // Chrome gave it as UTF-8 text
	truncated bool
	main      bool // what the tab was asked to show
	original  bool // a file that was asked for by its own address, whatever it is
}

func newExchangeWriter(ctx context.Context, dir string, session *browser.Session, max int64) (*exchangeWriter, error) {
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
		w.mu.Unlock()
		if w.max >= 0 && t.post != nil {
			t.x.RequestBody = w.sent(t.x, t.post)
		}
		if w.max >= 0 && (t.id != "" || t.spool != nil) {
			t.x.Body = w.fetch(t)
		}
		if t.main && t.x.TLS != nil {
			t.x.TLS.Chain = w.chain(t)
		}
		line, err := json.Marshal(t.x)
		if err == nil {
			_, err = w.w.Write(append(line, '\n'))
		}
		if err != nil {
			w.fail(err)
		}
		w.lines++
		w.mu.Lock()
		w.queue = w.queue[1:] // only now: idle waits for the body, too
		w.cond.Broadcast()
		w.mu.Unlock()
	}
}

const bodyTimeout = 10 * time.Second

// fetch asks Chrome for the body it has just received and keeps it once.
func (w *exchangeWriter) fetch(t task) *Body {
	if t.main {
		w.mu.Lock()
		w.last = "" // until it is there
		w.mu.Unlock()
	}
	if t.main && unshowable(mediaType(t.x.MediaType)) {
		return &Body{Missing: "the browser's viewer has it; it was asked for once more"}
	}
	limit := w.max
	if t.main { // the very thing that was asked for
		limit = max(limit, bufferPerBody)
	}
	var b []byte
	var err error
	cut, text := false, false
	if t.spool != nil {
		b, cut, err = t.spool.bytes(t.received)
	} else {
		b, text, err = w.body(t)
	}
	if err != nil {
		return &Body{Missing: err.Error()}
	}
	if int64(len(b)) > limit {
		b, cut = b[:limit], true
	}
	s := stored{mediaType: t.x.MediaType, text: text, truncated: cut, main: t.main}
	if err := w.keep(b, &s); err != nil {
		return &Body{Missing: "it could not be written"}
	}
	w.mu.Lock()
	if t.main {
		w.last = s.sha
	}
	for _, u := range append(t.from, t.url) {
		if _, dup := w.urls[key(u)]; !dup && t.x.Status < 400 {
			w.urls[key(u)] = s
		}
	}
	w.mu.Unlock()
	charset := strings.ToLower(t.charset)
	return &Body{SHA256: s.sha, Size: s.size, Truncated: cut,
		Decoded: s.text && charset != "" && charset != "utf-8" && charset != "us-ascii"}
}

// body takes an answer out of Chrome's memory. Text comes as text, all else in
// base64, which the protocol's own type would keep twice.
func (w *exchangeWriter) body(t task) (b []byte, text bool, err error) {
	if t.received > bufferPerBody {
		return nil, false, fmt.Errorf("%d bytes are more than are kept", t.received)
	}
	ctx, cancel := context.WithTimeout(w.ctx, bodyTimeout)
	defer cancel()
	var res struct {
		Body   string `json:"body"`
		Base64 bool   `json:"base64Encoded"`
	}
	if err := t.by.Call(ctx, network.GetResponseBody.Method, network.GetResponseBodyParams{RequestID: t.id}, &res); err != nil {
		if ctx.Err() != nil {
			return nil, false, errors.New("the browser did not hand it over in time")
		}
		return nil, false, err
	}
	if !res.Base64 {
		return []byte(res.Body), true, nil
	}
	b, err = base64.StdEncoding.DecodeString(res.Body)
	return b, false, err
}

// keep writes a body under its hash, unless it is there, and completes s.
func (w *exchangeWriter) keep(b []byte, s *stored) error {
	sum := sha256.Sum256(b)
	s.sha, s.size = hex.EncodeToString(sum[:]), int64(len(b))
	s.path = "bodies/" + s.sha
	w.mu.Lock()
	known, ok := w.bodies[s.sha]
	if ok && s.main && !known.main {
		known.main, known.mediaType = true, s.mediaType
		w.bodies[s.sha] = known
	}
	w.mu.Unlock()
	if ok {
		return nil
	}
	if err := writeFile(filepath.Join(w.dir, filepath.FromSlash(s.path)), b); err != nil {
		w.fail(err)
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bodies[s.sha] = *s
	return nil
}

// add enters a body that is on the disk already.
func (w *exchangeWriter) add(s stored) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bodies[s.sha] = s
}

// sent keeps what a request sent along.
func (w *exchangeWriter) sent(x *Exchange, q *network.Request) *Body {
	if len(q.PostDataEntries) == 0 {
		return &Body{Missing: "the browser did not hand it over"}
	}
	var b []byte
	for _, e := range q.PostDataEntries {
		b = append(b, e.Bytes...)
	}
	kind := strings.Join(x.RequestHeaders["content-type"], "")
	safe := cleanBody(strings.ToLower(kind), b)
	out := &Body{Removed: !bytes.Equal(safe, b)}
	if int64(len(safe)) > w.max {
		safe, out.Truncated = safe[:w.max], true
	}
	s := stored{mediaType: kind, truncated: out.Truncated}
	if err := w.keep(safe, &s); err != nil {
		return &Body{Missing: "it could not be written"}
	}
	out.SHA256, out.Size = s.sha, s.size
	return out
}

// chain asks for the certificates of the page's server. Without them the
// exchange still has what Chrome says of the first.
func (w *exchangeWriter) chain(t task) [][]byte {
	u, err := url.Parse(t.url)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(w.ctx, bodyTimeout)
	defer cancel()
	res, err := cdp.Call(ctx, w.session, network.GetCertificate, network.GetCertificateParams{Origin: u.Scheme + "://" + u.Host})
	if err != nil {
		return nil
	}
	var chain [][]byte
	for _, c := range res.TableNames {
		if der, err := base64.StdEncoding.DecodeString(c); err == nil {
			chain = append(chain, der)
		}
	}
	return chain
}

func (w *exchangeWriter) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
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

// close writes what is queued and closes the file.
func (w *exchangeWriter) close() error {
	w.mu.Lock()
	w.closed = true
	w.cond.Broadcast()
	w.mu.Unlock()
	<-w.done
	return errors.Join(w.err, w.w.Flush(), w.f.Close())
}

// files lists the bodies for the manifest.
func (w *exchangeWriter) files() []candor.File {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []candor.File
	// Of what the tab was asked to show one after the other, the last counts.
	last, asked := "", false
	if s, ok := w.bodies[w.last]; ok && s.main && !isPage(mediaType(s.mediaType)) {
		last = s.sha
	}
	for _, s := range w.bodies {
		asked = asked || s.original
	}
	for _, s := range w.bodies {
		kind := candor.Body
		if s.original || !asked && s.sha == last {
			kind = candor.Original
		}
		out = append(out, candor.File{Kind: kind, Path: s.path, SHA256: s.sha, Size: s.size, MediaType: mediaType(s.mediaType), Truncated: s.truncated})
	}
	return out
}
