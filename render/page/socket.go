package page

import (
	"time"

	"github.com/chromedp/cdproto/network"
)

const webSocket = "WebSocket"

// socket follows a WebSocket from its opening to its close. What is said over it
// is not recorded. The caller holds the lock.
func (r *recorder) socket(by asker, ev any) {
	switch e := ev.(type) {
	case *network.EventWebSocketCreated:
		x := r.enter(e.RequestID)
		if x == nil {
			return
		}
		x.Type, x.Method, x.URL, x.Worker, x.Started = webSocket, "GET", clean(e.URL), by.worker, time.Now().UTC()
		r.live[e.RequestID] = &request{x: x, asker: by, url: e.URL}
	case *network.EventWebSocketWillSendHandshakeRequest:
		if q := r.live[e.RequestID]; q != nil {
			q.x.Started, q.started = epoch(e.WallTime.Float64()), e.Timestamp.Float64()
			q.x.RequestHeaders = headers(e.Request.Headers)
		}
	case *network.EventWebSocketHandshakeResponseReceived:
		if q := r.live[e.RequestID]; q != nil {
			q.x.Status, q.x.StatusText = int(e.Response.Status), e.Response.StatusText
			q.x.ResponseHeaders = headers(e.Response.Headers)
			q.x.RemoteAddr = r.visit.RemoteAddr(hostPort(q.x.URL))
			if h := e.Response.RequestHeaders; len(h) > 0 {
				q.x.RequestHeaders = headers(h)
			}
		}
	case *network.EventWebSocketFrameError:
		if q := r.live[e.RequestID]; q != nil {
			q.x.Failure = e.ErrorMessage
		}
	case *network.EventWebSocketClosed:
		q := r.live[e.RequestID]
		if q == nil {
			return
		}
		if reason, ok := r.visit.Refused(hostPort(q.x.URL)); ok && q.x.Status == 0 {
			q.x.Failure, q.x.Refused = reason, true
		} else if q.x.Status == 0 && q.x.Failure == "" {
			q.x.Failure = "closed before it was open"
		}
		if q.started == 0 {
			q.started = e.Timestamp.Float64()
		}
		r.done(e.RequestID, q, e.Timestamp)
	}
}
