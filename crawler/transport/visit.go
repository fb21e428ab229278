package transport

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/candor-archive/candor"
)

// Objects keeps bytes. They are durable when PutObject returns.
type Objects interface {
	PutObject(ctx context.Context, r io.Reader) (sha string, size int64, err error)
}

// Visit is everything one poll of one source fetches. It is used by one
// goroutine.
type Visit struct {
	client   *Client
	sourceID string
	secrets  secrets
	requests int
	answers  []candor.Answer
	kept     map[string]int // method, address, status and hash -> index into answers
}

// Visit begins a poll. Every occurrence of the secrets is removed from what
// the Visit returns.
func (c *Client) Visit(sourceID string, secret ...string) *Visit {
	return &Visit{client: c, sourceID: sourceID, secrets: newSecrets(secret), kept: map[string]int{}}
}

// Get asks for an address and follows no redirect: a token must not travel to
// wherever a platform points.
func (v *Visit) Get(ctx context.Context, url string, header http.Header) (*Reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		// The parser's error repeats the address as it was given.
		return nil, candor.Errorf(candor.Invalid, "make request: %s", v.secrets.text(err.Error()))
	}
	for name, values := range header {
		req.Header[name] = values
	}
	_, reply, err := v.exchange(req)
	return reply, err
}

// Fetch asks for an address and follows a few redirects. No credentials are
// sent.
func (v *Visit) Fetch(ctx context.Context, url string) (*Reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, candor.Errorf(candor.Invalid, "make request: %s", v.secrets.text(err.Error()))
	}
	var last *Reply
	client := http.Client{
		Transport: v.RoundTripper(func(r *Reply) { last = r }),
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) >= 5 {
				return fmt.Errorf("more than 5 redirects")
			}
			return nil
		},
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s", v.secrets.text(err.Error()))
	}
	res.Body.Close() // already read whole; a close of memory cannot fail
	return last, nil
}

// RoundTripper lets another client (a crawler) fetch through this Visit. Each
// answer, redirects included, is shown to see as it passes.
func (v *Visit) RoundTripper(see func(*Reply)) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		res, reply, err := v.exchange(req)
		if err != nil {
			return nil, err
		}
		see(reply)
		return res, nil
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Keep stores the bytes of a reply and lists it among the answers of the
// visit. The same bytes from the same address are listed once.
func (v *Visit) Keep(ctx context.Context, o Objects, r *Reply) error {
	key := fmt.Sprint(r.Answer.Method, " ", r.Answer.URL, " ", r.Answer.Status, " ", r.Answer.SHA)
	if i, ok := v.kept[key]; ok {
		v.answers[i].Times++
		v.answers[i].LastAt = r.Answer.LastAt
		return nil
	}
	sha, _, err := o.PutObject(ctx, bytes.NewReader(r.Body))
	if err != nil {
		return fmt.Errorf("keep answer of %s: %w", r.Answer.URL, err)
	}
	if sha != r.Answer.SHA {
		return candor.Errorf(candor.Conflict, "keep answer of %s: stored as %s, hashed as %s", r.Answer.URL, sha, r.Answer.SHA)
	}
	v.kept[key] = len(v.answers)
	v.answers = append(v.answers, r.Answer)
	return nil
}

// Requests is how many requests were sent so far, repeated tries included.
func (v *Visit) Requests() int { return v.requests }

// Answers gives what was kept so far.
func (v *Visit) Answers() []candor.Answer { return v.answers }
