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

	"github.com/candor-archive/candor/render/proxy"
)

// recorder follows the events of one page. The listener only notes and queues;
// a goroutine of its own fetches bodies and writes lines while the page loads.
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
	dialogs   int
	refused   []refusal
	broken    []string // sub-resources that failed and matter
	held      func(fetch.RequestID, cdp.FrameID)
	dialog    func(*cdppage.EventJavascriptDialogOpening)
}

type refusal struct{ url, reason string }

// request is one exchange under way.
type request struct {
	x        *Exchange
	started  float64 // Chrome's monotonic clock, seconds
	loader   cdp.LoaderID
	received int64 // body bytes after decoding
	charset  string
	answered bool
	from     []string // addresses that redirected here
}

func newRecorder(p *proxy.Proxy, v *proxy.Visit, limits Limits, out *exchangeWriter) *recorder {
	return &recorder{proxy: p, visit: v, limits: limits, out: out, live: map[network.RequestID]*request{},
		early: map[network.RequestID][]network.Headers{}, inflight: map[network.RequestID]bool{}, loaded: map[cdp.LoaderID]bool{}, mains: map[cdp.LoaderID]*Exchange{}, changed: time.Now()}
}

// on takes every event of the page, in order. It must not block.
func (r *recorder) on(ev any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		r.sent(e)
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
	case *cdppage.EventLifecycleEvent:
		if e.Name == "load" {
			r.loaded[e.LoaderID] = true
		}
	case *cdppage.EventFrameNavigated:
		if e.Frame.ParentID == "" && (e.Frame.LoaderID != r.loader || r.moves == 0) {
			r.loader, r.mainFrame, r.mainURL = e.Frame.LoaderID, e.Frame.ID, e.Frame.URL+e.Frame.URLFragment
			r.moves++
		}
	case *cdppage.EventNavigatedWithinDocument:
		if e.FrameID == r.mainFrame {
			r.mainURL = e.URL
		}
	case *inspector.EventTargetCrashed:
		r.crashed = true
	case *cdppage.EventJavascriptDialogOpening:
		r.dialogs++
		if r.dialog != nil {
			r.dialog(e)
		}
	case *fetch.EventRequestPaused:
		if r.held != nil {
			r.held(e.RequestID, e.FrameID)
		}
	}
}

func (r *recorder) sent(e *network.EventRequestWillBeSent) {
	var from []string
	if q := r.live[e.RequestID]; q != nil && e.RedirectResponse != nil {
		from = append(q.from, q.x.URL)
		r.answer(q, e.RedirectResponse)
		q.x.RedirectTo = clean(e.Request.URL)
		q.x.Duration = (e.Timestamp.Float64() - q.started) * 1000
		r.out.put(task{x: q.x})
	}
	if strings.HasPrefix(e.Request.URL, "data:") {
		return
	}
	if r.n >= r.limits.Exchanges {
		r.dropped++
		delete(r.live, e.RequestID)
		return
	}
	r.n++
	x := &Exchange{N: r.n, RequestID: string(e.RequestID), Frame: string(e.FrameID), Type: string(e.Type), Method: e.Request.Method,
		URL: clean(e.Request.URL + e.Request.URLFragment), Started: epoch(e.WallTime.Float64()), RequestHeaders: headers(e.Request.Headers)}
	q := &request{x: x, started: e.Timestamp.Float64(), loader: e.LoaderID, from: from}
	if list := r.early[e.RequestID]; len(list) > 0 {
		x.RequestHeaders = headers(list[0])
		if r.early[e.RequestID] = list[1:]; len(list) == 1 {
			delete(r.early, e.RequestID)
		}
	}
	r.live[e.RequestID] = q
	if e.Type == network.ResourceTypeDocument && e.FrameID == r.mainFrame && string(e.LoaderID) == string(e.RequestID) {
		r.main, r.mains[e.LoaderID] = x, x
	}
	if !longLived(x.Type) {
		r.inflight[e.RequestID] = true
		r.changed = time.Now()
	}
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
	t := task{x: q.x, charset: q.charset, from: q.from}
	if q.answered && q.x.Failure == "" && q.x.Method != "HEAD" && q.x.Status != 204 && q.x.Status != 304 {
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
		if q.x.Failure == "" {
			q.x.Failure = "still under way when the capture ended"
		}
		if q.received > 0 {
			q.x.Body = &Body{Truncated: true, Missing: "the answer did not end"}
		}
		delete(r.live, id)
		r.out.put(task{x: q.x})
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

// clean takes a user name and password out of an address.
func clean(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.User == nil {
		return raw
	}
	u.User = nil
	return u.String()
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
