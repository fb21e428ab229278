package page

import (
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"

	"github.com/candor-archive/candor/render/browser"
	"github.com/candor-archive/candor/render/proxy"
)

// recorder follows the events of one page and its workers. The listener only
// notes and queues; a goroutine of its own fetches bodies and writes lines while
// the page loads.
type recorder struct {
	proxy  *proxy.Proxy
	visit  *proxy.Visit
	limits Limits
	out    *exchangeWriter

	mu        sync.Mutex
	n         int
	dropped   int
	live      map[network.RequestID]*request
	early     map[network.RequestID][]network.Headers // request headers that came before their request
	inflight  map[network.RequestID]bool              // what the network's quiet waits for
	changed   time.Time                               // of inflight
	loaded    map[cdp.LoaderID]bool
	loader    cdp.LoaderID // of the main frame's document
	mainURL   string
	mainFrame cdp.FrameID
	moves     int                        // documents the main frame has had
	mains     map[cdp.LoaderID]*Exchange // what the main frame was asked to show
	main      *Exchange                  // the last of them
	crashed   bool
	crash     chan struct{} // closed when the page's process crashes
	dialogs   int
	workers   int
	refused   []refusal
	broken    []string // sub-resources that failed and matter
	spools    spools
	held      func(fetch.RequestID, cdp.FrameID)
	taken     func(*fetch.EventRequestPaused) // instead of held
	files     map[network.RequestID]*Body     // what was kept while it was held
	own       map[cdp.LoaderID]bool           // the browser's own pages about a failure
	dialog    func(*cdppage.EventJavascriptDialogOpening)
}

type refusal struct{ url, reason string }

// request is one exchange under way.
type request struct {
	x        *Exchange
	asker    asker
	url      string  // with what is removed from the exchange's
	started  float64 // Chrome's monotonic clock, seconds
	loader   cdp.LoaderID
	received int64 // body bytes after decoding
	charset  string
	answered bool
	from     []string // addresses that redirected here
	spool    *spool   // of a body larger than Chrome keeps
	post     *network.Request
}

// asker is who makes requests: the page, or a worker of its.
type asker struct {
	session *browser.Session
	worker  string // empty for the page and its frames
	quietly bool   // the page is not waited for on its account
}

func newRecorder(p *proxy.Proxy, v *proxy.Visit, limits Limits, out *exchangeWriter) *recorder {
	return &recorder{proxy: p, visit: v, limits: limits, out: out, live: map[network.RequestID]*request{},
		early: map[network.RequestID][]network.Headers{}, inflight: map[network.RequestID]bool{}, loaded: map[cdp.LoaderID]bool{}, mains: map[cdp.LoaderID]*Exchange{},
		files: map[network.RequestID]*Body{}, own: map[cdp.LoaderID]bool{}, crash: make(chan struct{}), changed: time.Now()}
}

// on takes every event of the page, in order. It must not block.
func (r *recorder) on(ev any) { r.take(asker{session: r.out.session}, ev) }

// take takes an event of the page or of a worker.
func (r *recorder) take(by asker, ev any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		r.sent(by, e)
	case *network.EventRequestWillBeSentExtraInfo:
		if q := r.live[e.RequestID]; q != nil && !q.answered {
			q.x.RequestHeaders = headers(e.Headers)
		} else if len(r.early) < 1000 {
			r.early[e.RequestID] = append(r.early[e.RequestID], e.Headers)
		}
	case *network.EventResponseReceived:
		if q := r.live[e.RequestID]; q != nil {
			q.answered, q.charset = true, e.Response.Charset
			q.x.Type = string(e.Type)
			r.answer(q, e.Response)
			if longLived(string(e.Type)) {
				r.settle(e.RequestID)
			}
		}
	case *network.EventDataReceived:
		if q := r.live[e.RequestID]; q != nil {
			q.received += e.DataLength
			if q.spool != nil {
				q.spool.add(e.Data)
			} else if q.received > bufferPerBody/2 && q.answered && r.out.max >= 0 {
				if q.spool = r.spools.next(r.out.max); q.spool != nil {
					go q.spool.begin(r.out.ctx, q.asker.session, e.RequestID)
				}
			}
		}
	case *network.EventLoadingFinished:
		if q := r.live[e.RequestID]; q != nil {
			q.x.Transferred = int64(e.EncodedDataLength)
			r.done(e.RequestID, q, e.Timestamp)
		}
	case *network.EventLoadingFailed:
		if q := r.live[e.RequestID]; q != nil {
			r.failed(q, e)
			r.done(e.RequestID, q, e.Timestamp)
		}
	case *network.EventWebSocketCreated, *network.EventWebSocketWillSendHandshakeRequest, *network.EventWebSocketHandshakeResponseReceived,
		*network.EventWebSocketFrameError, *network.EventWebSocketClosed:
		r.socket(by, ev)
	case *target.EventAttachedToTarget:
		if child, ok := by.session.Child(e.SessionID); ok {
			r.adopt(child)
		}
	case *cdppage.EventLifecycleEvent:
		if e.Name == "load" {
			r.loaded[e.LoaderID] = true
		}
	case *cdppage.EventFrameNavigated:
		if e.Frame.ParentID == "" && e.Frame.UnreachableURL != "" {
			r.own[e.Frame.LoaderID] = true
		}
		if e.Frame.ParentID == "" && (e.Frame.LoaderID != r.loader || r.moves == 0) {
			r.loader, r.mainFrame, r.mainURL = e.Frame.LoaderID, e.Frame.ID, e.Frame.URL+e.Frame.URLFragment
			r.moves++
		}
	case *cdppage.EventNavigatedWithinDocument:
		if e.FrameID == r.mainFrame {
			r.mainURL = e.URL
		}
	case *inspector.EventTargetCrashed:
		if !r.crashed {
			r.crashed = true
			close(r.crash)
		}
	case *cdppage.EventJavascriptDialogOpening:
		r.dialogs++
		if r.dialog != nil {
			r.dialog(e)
		}
	case *fetch.EventRequestPaused:
		if r.taken != nil {
			r.taken(e)
		} else if r.held != nil {
			r.held(e.RequestID, e.FrameID)
		}
	}
}

func (r *recorder) sent(by asker, e *network.EventRequestWillBeSent) {
	var from []string
	if q := r.live[e.RequestID]; q != nil {
		if e.RedirectResponse == nil {
			return // told of twice: by a page and by its worker
		}
		from = append(q.from, q.url)
		r.answer(q, e.RedirectResponse)
		q.x.RedirectTo = clean(e.Request.URL)
		q.x.Duration = (e.Timestamp.Float64() - q.started) * 1000
		r.out.put(task{x: q.x, post: q.post})
	}
	if strings.HasPrefix(e.Request.URL, "data:") {
		return
	}
	x := r.enter(e.RequestID)
	if x == nil {
		return
	}
	x.Frame, x.Worker, x.Type, x.Method = string(e.FrameID), by.worker, string(e.Type), e.Request.Method
	x.URL = clean(e.Request.URL + e.Request.URLFragment)
	x.Started, x.RequestHeaders = epoch(e.WallTime.Float64()), headers(e.Request.Headers)
	q := &request{x: x, asker: by, url: e.Request.URL, started: e.Timestamp.Float64(), loader: e.LoaderID, from: from}
	if list := r.early[e.RequestID]; len(list) > 0 {
		x.RequestHeaders = headers(list[0])
		if r.early[e.RequestID] = list[1:]; len(list) == 1 {
			delete(r.early, e.RequestID)
		}
	}
	if e.Request.HasPostData {
		q.post = e.Request
	}
	r.live[e.RequestID] = q
	if by.worker == "" && e.Type == network.ResourceTypeDocument && e.FrameID == r.mainFrame && string(e.LoaderID) == string(e.RequestID) {
		r.main, r.mains[e.LoaderID] = x, x
	}
	if !longLived(x.Type) && !by.quietly {
		r.inflight[e.RequestID] = true
		r.changed = time.Now()
	}
}

// enter begins another exchange, or counts one that is too many.
func (r *recorder) enter(id network.RequestID) *Exchange {
	if r.n >= r.limits.Exchanges {
		r.dropped++
		delete(r.live, id)
		r.settle(id)
		return nil
	}
	r.n++
	return &Exchange{N: r.n, RequestID: string(id)}
}

// longLived says that a request is not expected to end while the page is open.
func longLived(kind string) bool {
	switch kind {
	case "EventSource", "WebSocket", "Ping", "Media", "CSPViolationReport":
		return true
	}
	return false
}

// answer takes over a response, or sees that it is our own proxy's.
func (r *recorder) answer(q *request, resp *network.Response) {
	q.x.RemoteAddr = r.visit.RemoteAddr(hostPort(q.x.URL))
	own := func(name string) string {
		for k, v := range resp.Headers {
			if s, ok := v.(string); ok && strings.EqualFold(k, name) {
				return s
			}
		}
		return ""
	}
	if reason, ok := r.proxy.Mark(own); ok {
		q.x.Failure = reason
		q.x.RemoteAddr = ""
		_, q.x.Refused = r.visit.Refused(hostPort(q.x.URL))
		return
	}
	q.x.answer(resp)
}

func (r *recorder) failed(q *request, e *network.EventLoadingFailed) {
	q.x.Failure = e.ErrorText
	host := hostPort(q.x.URL)
	if reason, ok := r.visit.Refused(host); ok {
		// Whatever Chrome calls it: CORS, for one, hides our own answer.
		q.x.Failure, q.x.Refused = reason, true
		return
	}
	if e.ErrorText == "net::ERR_TUNNEL_CONNECTION_FAILED" || e.ErrorText == "net::ERR_PROXY_CONNECTION_FAILED" {
		if why := r.visit.Failure(host); why != "" {
			q.x.Failure = "could not be reached: " + why
		}
	}
	switch {
	case e.BlockedReason != "":
		q.x.Failure += " (blocked: " + string(e.BlockedReason) + ")"
	case e.CorsErrorStatus != nil:
		q.x.Failure += " (CORS: " + string(e.CorsErrorStatus.CorsError) + ")"
	case e.Canceled, e.ErrorText == "net::ERR_ABORTED":
	default:
		r.note(q)
	}
}

// note remembers a sub-resource whose failure is ours or the network's rather
// than how the page is for everybody.
func (r *recorder) note(q *request) {
	if q.x == r.mains[q.loader] || q.x.Refused {
		return
	}
	switch q.x.Type {
	case "Stylesheet", "Script", "Image", "Font", "Document":
		r.broken = append(r.broken, q.x.URL)
	}
}

// done hands a finished exchange to the writer, which fetches its body.
func (r *recorder) done(id network.RequestID, q *request, at cdp.MonotonicTime) {
	q.x.Duration = (at.Float64() - q.started) * 1000
	delete(r.live, id)
	delete(r.early, id)
	r.settle(id)
	if q.x.Refused {
		r.refused = append(r.refused, refusal{q.x.URL, q.x.Failure})
	} else if q.x.Status >= 500 || q.x.Status == 429 || q.x.Failure != "" && q.x.Status == 0 && strings.HasPrefix(q.x.Failure, "could not be reached") {
		r.note(q)
	}
	if b := r.files[id]; b != nil {
		q.x.Body, q.x.Failure = b, "" // it was we who broke it off
	}
	t := task{x: q.x, post: q.post, url: q.url, by: q.asker.session, charset: q.charset, from: q.from, main: q.x == r.mains[q.loader]}
	switch {
	case q.spool != nil:
		t.spool, t.received = q.spool, q.received
	case q.x.Body != nil:
	case q.answered && q.x.Failure == "" && q.x.Method != "HEAD" && q.x.Status != 204 && q.x.Status != 304:
		t.id, t.received = id, q.received
	}
	r.out.put(t)
}

func (r *recorder) settle(id network.RequestID) {
	if r.inflight[id] {
		delete(r.inflight, id)
		r.changed = time.Now()
	}
}

// abandon writes down what had not finished when the page was left.
func (r *recorder) abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, q := range r.live {
		if q.x.Failure == "" && !(q.x.Type == webSocket && q.x.Status == 101) {
			q.x.Failure = "still under way when the capture ended"
		}
		if q.received > 0 {
			q.x.Body = &Body{Truncated: true, Missing: "the answer did not end"}
		}
		delete(r.live, id)
		r.out.put(task{x: q.x, post: q.post})
	}
}

// quietFor tells how long nothing has been loading; 0 while something is.
func (r *recorder) quietFor() (d time.Duration, waiting int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.inflight) > 0 {
		return 0, len(r.inflight)
	}
	return time.Since(r.changed), 0
}

// state is what the steps want to know.
type state struct {
	loader  cdp.LoaderID
	url     string
	loaded  bool
	moves   int
	crashed bool
	dialogs int
}

func (r *recorder) state() state {
	r.mu.Lock()
	defer r.mu.Unlock()
	return state{r.loader, r.mainURL, r.loaded[r.loader], r.moves, r.crashed, r.dialogs}
}

// keep notes what was taken of an answer that was held, for its exchange.
func (r *recorder) keep(e *fetch.EventRequestPaused, kind string, k stored) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[e.NetworkID] = &Body{SHA256: k.sha, Size: k.size, Truncated: k.truncated}
	q := r.live[e.NetworkID]
	if q == nil || q.x.Status != 0 {
		return
	}
	h := network.Headers{}
	for _, f := range e.ResponseHeaders {
		if had, ok := h[f.Name].(string); ok {
			h[f.Name] = had + "\n" + f.Value
		} else {
			h[f.Name] = f.Value
		}
	}
	q.x.Status, q.x.StatusText, q.x.MediaType, q.x.ResponseHeaders = int(e.ResponseStatusCode), e.ResponseStatusText, kind, headers(h)
	q.x.RemoteAddr = r.visit.RemoteAddr(hostPort(q.url))
}

// asked is the address of what the tab was last asked to show.
func (r *recorder) asked() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.main == nil {
		return ""
	}
	return r.main.URL
}

// download reports whether an answer with something in it came that the tab
// does not show.
func (r *recorder) download() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.main != nil && r.main.Status/100 == 2 && r.main.Status != 204 && r.main.Status != 205
}

// shows tells what the tab shows: its media type, and whether it is an answer of
// the site at all rather than the browser's, or the proxy's, word that there is
// none.
func (r *recorder) shows() (mediaType string, site bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.own[r.loader] {
		return "", false
	}
	x := r.mains[r.loader]
	if x == nil { // it has answered and is not in place yet
		x = r.main
	}
	if x == nil {
		return "", true
	}
	return x.MediaType, x.Status != 0 || x.Failure == ""
}

// hostPort is the destination an address stands for, as the proxy names it.
func hostPort(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "ws": "80", "https": "443", "wss": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
