package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/network"
)

// Exchange is one line of exchanges.jsonl: one request and what came of it. A
// redirect is an exchange of its own with the same request id. Of a WebSocket
// only its opening and its close are told.
type Exchange struct {
	N               int                 `json:"n"` // order of the requests, from 1
	RequestID       string              `json:"request_id"`
	Frame           string              `json:"frame,omitempty"`
	Worker          string              `json:"worker,omitempty"` // the script of the worker that asked: its kind and address
	Type            string              `json:"type"`
	Method          string              `json:"method"`
	URL             string              `json:"url"`
	Started         time.Time           `json:"started"`
	RequestHeaders  map[string][]string `json:"request_headers,omitempty"`
	RequestBody     *Body               `json:"request_body,omitempty"`
	Status          int                 `json:"status"` // 0: no answer
	StatusText      string              `json:"status_text,omitempty"`
	Protocol        string              `json:"protocol,omitempty"`
	RemoteAddr      string              `json:"remote_addr,omitempty"` // where the connection really went
	MediaType       string              `json:"media_type,omitempty"`
	ResponseHeaders map[string][]string `json:"response_headers,omitempty"`
	RedirectTo      string              `json:"redirect_to,omitempty"`
	FromCache       bool                `json:"from_cache,omitempty"`
	FromWorker      bool                `json:"from_worker,omitempty"` // a service worker of the page answered
	TLS             *TLS                `json:"tls,omitempty"`
	Timing          *Timing             `json:"timing,omitempty"`
	Duration        float64             `json:"duration_ms,omitempty"` // request to last byte
	Transferred     int64               `json:"transferred,omitempty"` // bytes on the wire, as Chrome counts
	Body            *Body               `json:"body,omitempty"`
	Failure         string              `json:"failure,omitempty"` // why there is no whole answer
	Refused         bool                `json:"refused,omitempty"` // by our own rule on addresses
}

// TLS is what Chrome says of the connection's security.
type TLS struct {
	Protocol  string    `json:"protocol"`
	Cipher    string    `json:"cipher"`
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	ValidFrom time.Time `json:"valid_from"`
	ValidTo   time.Time `json:"valid_to"`
	// Chain is the server's certificates as DER, its own first. It is kept with
	// the page's own exchange.
	Chain [][]byte `json:"chain,omitempty"`
}

// Timing is where the time went, in milliseconds.
type Timing struct {
	Connect float64 `json:"connect"` // to our proxy, with the tunnel
	TLS     float64 `json:"tls"`
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
}

// Body points to the file bodies/<sha256>.
type Body struct {
	SHA256    string `json:"sha256,omitempty"`
	Size      int64  `json:"size"` // of what is kept
	Truncated bool   `json:"truncated,omitempty"`
	// Decoded says that Chrome gave the text in UTF-8 although it came in
	// another encoding, so the hash is not that of the bytes on the wire.
	Decoded bool   `json:"decoded,omitempty"`
	Removed bool   `json:"removed,omitempty"` // a credential was taken out
	Missing string `json:"missing,omitempty"` // why nothing is kept
}

func headers(h network.Headers) map[string][]string {
	if len(h) == 0 {
		return nil
	}
	out := make(map[string][]string, len(h))
	for k, v := range h {
		name := strings.ToLower(k)
		text, ok := v.(string)
		if !ok {
			text = fmt.Sprint(v)
		}
		for line := range strings.SplitSeq(text, "\n") {
			switch {
			case secretHeaders[name]:
				line = removed
			case addressHeaders[name]:
				line = clean(line)
			}
			out[name] = append(out[name], line)
		}
	}
	return out
}

// answer copies what a response says.
func (x *Exchange) answer(r *network.Response) {
	x.Status, x.StatusText, x.Protocol = int(r.Status), r.StatusText, r.Protocol
	x.MediaType = r.MimeType
	x.ResponseHeaders = headers(r.Headers)
	x.FromCache = r.FromDiskCache || r.FromPrefetchCache
	x.FromWorker = r.FromServiceWorker
	if d := r.SecurityDetails; d != nil {
		x.TLS = &TLS{Protocol: d.Protocol, Cipher: d.Cipher, Subject: d.SubjectName, Issuer: d.Issuer,
			ValidFrom: epoch(d.ValidFrom.Float64()), ValidTo: epoch(d.ValidTo.Float64())}
	}
	if t := r.Timing; t != nil {
		span := func(a, b float64) float64 {
			if a < 0 || b < a {
				return 0
			}
			return float64(int64((b-a)*1000)) / 1000
		}
		x.Timing = &Timing{Connect: span(t.ConnectStart, t.ConnectEnd), TLS: span(t.SslStart, t.SslEnd),
			Send: span(t.SendStart, t.SendEnd), Wait: span(t.SendEnd, t.ReceiveHeadersEnd)}
	}
}

func epoch(seconds float64) time.Time { return time.UnixMicro(int64(seconds * 1e6)).UTC() }
