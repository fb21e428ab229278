// Package transport is the one way out for everything the crawler reads over
// HTTP. It keeps to a budget of requests per host, tries passing failures
// again, cuts bodies at a limit and says so, and removes credentials from
// whatever it hands on, so that nothing it returns is unfit to be stored.
//
// Which addresses may be reached at all is decided by the http.Client it is
// given; what an answer means is left to its callers.
package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/candor-archive/candor"
)

// Config says how to fetch. The zero value of every field but HTTP works.
type Config struct {
	HTTP      *http.Client  // its Transport carries every request; required
	PerHost   rate.Limit    // requests a second to one host; 0 means 4
	Burst     int           // requests to one host that need not wait; 0 means 8
	Attempts  int           // tries of a request that fails for a passing reason; 0 means 3
	Timeout   time.Duration // of one try, body included; 0 means 30 s
	MaxBody   int64         // bytes kept of one body; 0 means 16 MiB
	UserAgent string        // sent when the request names none; empty means UserAgent
	Now       func() time.Time
	Sleep     func(context.Context, time.Duration) error // waits between tries
	Random    func() float64                             // jitter, from 0 to 1
}

// DefaultMaxBody is how much of one body is kept when nothing else is said.
const DefaultMaxBody = 16 << 20

// UserAgent is how the crawler names itself.
const UserAgent = "CandorBot/0.1"

// longestWait bounds how long one request is held back because the server
// asked for it; a longer wait is the schedule's business, not ours.
const longestWait = 20 * time.Second

// Client fetches for all sources of one process, so that the budget of a host
// is shared among them.
type Client struct {
	cfg      Config
	base     http.RoundTripper
	mu       sync.Mutex
	limiters map[string]*rate.Limiter
}

// New makes a Client.
func New(cfg Config) *Client {
	if cfg.PerHost == 0 {
		cfg.PerHost = 4
	}
	if cfg.Burst == 0 {
		cfg.Burst = 8
	}
	if cfg.Attempts == 0 {
		cfg.Attempts = 3
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = DefaultMaxBody
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = UserAgent
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	base := cfg.HTTP.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	return &Client{cfg: cfg, base: base, limiters: map[string]*rate.Limiter{}}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Client) limiter(host string) *rate.Limiter {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.limiters[host]
	if l == nil {
		if len(c.limiters) >= 1000 { // media hosts come and go; an agency's own are few
			clear(c.limiters)
		}
		l = rate.NewLimiter(c.cfg.PerHost, c.cfg.Burst)
		c.limiters[host] = l
	}
	return l
}

// Reply is one answer, fit to be stored: no credentials in the address, the
// headers or the body. Its bytes are an object only after Visit.Keep.
type Reply struct {
	Answer     candor.Answer
	Header     http.Header
	Body       []byte
	RetryAfter time.Duration // what the server asked for; 0 when it did not
}

// exchange sends one request, trying again what may pass, and reads the body.
func (v *Visit) exchange(req *http.Request) (*http.Response, *Reply, error) {
	c := v.client
	if req.Header.Get("User-Agent") == "" {
		req = req.Clone(req.Context())
		req.Header.Set("User-Agent", c.cfg.UserAgent)
	}
	repeatable := req.Method == http.MethodGet || req.Method == http.MethodHead
	for try := 1; ; try++ {
		if err := c.limiter(req.URL.Host).Wait(req.Context()); err != nil {
			return nil, nil, v.failure(req, err)
		}
		res, reply, err := v.once(req)
		last := !repeatable || try >= c.cfg.Attempts || req.Context().Err() != nil
		switch {
		case err != nil && last:
			return nil, nil, v.failure(req, err)
		case err == nil && (last || !passing(reply.Answer.Status) || reply.RetryAfter > longestWait):
			return res, reply, nil
		}
		wait := time.Duration(float64(500*time.Millisecond<<(try-1)) * (0.5 + c.cfg.Random()))
		if err == nil {
			wait = max(wait, reply.RetryAfter)
		}
		if err := c.cfg.Sleep(req.Context(), wait); err != nil {
			return nil, nil, v.failure(req, err)
		}
	}
}

// passing reports whether a status may be another one soon.
func passing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// once makes one try. The whole body is read here: an answer cut off midway is
// a failure of this try, never a shorter answer.
func (v *Visit) once(req *http.Request) (*http.Response, *Reply, error) {
	c := v.client
	v.requests++
	ctx, cancel := context.WithTimeout(req.Context(), c.cfg.Timeout)
	defer cancel()
	res, err := c.base.RoundTrip(req.Clone(ctx))
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, c.cfg.MaxBody+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read body: %w", err)
	}
	truncated := int64(len(raw)) > c.cfg.MaxBody
	if truncated {
		raw = raw[:c.cfg.MaxBody]
	}
	now := candor.Moment(c.cfg.Now())
	clean := v.secrets.body(raw, res.Header.Get("Content-Type"))
	header := v.secrets.header(res.Header)
	reply := &Reply{
		Answer: candor.Answer{
			ID: candor.NewID(), SourceID: v.sourceID, Method: req.Method, URL: v.secrets.url(req.URL), Status: res.StatusCode,
			Header: headerLines(header), MediaType: res.Header.Get("Content-Type"), SHA: candor.SHA256(clean), Size: int64(len(clean)),
			Truncated: truncated, FetchedAt: now, LastAt: now, Times: 1,
		},
		Header:     header,
		Body:       clean,
		RetryAfter: retryAfter(res.Header.Get("Retry-After"), now),
	}
	res.Body = io.NopCloser(bytes.NewReader(raw))
	res.ContentLength = int64(len(raw))
	res.Request = req
	return res, reply, nil
}

// failure words an error without the credentials an address may hold.
func (v *Visit) failure(req *http.Request, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	text := strings.ReplaceAll(v.secrets.text(err.Error()), req.URL.String(), v.secrets.url(req.URL))
	return &FetchError{URL: v.secrets.url(req.URL), Reason: text, err: err}
}

// FetchError says that no answer was had from an address.
type FetchError struct {
	URL    string // credentials removed
	Reason string
	err    error
}

func (e *FetchError) Error() string { return "get " + e.URL + ": " + e.Reason }

// Unwrap gives the cause.
func (e *FetchError) Unwrap() error { return e.err }

func retryAfter(value string, now time.Time) time.Duration {
	if value == "" {
		return 0
	}
	if s, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
		return max(0, min(time.Duration(s), 7*24*3600)) * time.Second
	}
	if t, err := http.ParseTime(value); err == nil {
		return max(0, t.Sub(now))
	}
	return 0 // neither form the standard knows: as if it was not sent
}
