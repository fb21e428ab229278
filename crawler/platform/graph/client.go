package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/transport"
)

// Config says what to read and with what. Own and Version are required.
type Config struct {
	Visit   *transport.Visit
	Objects transport.Objects
	Base    string // Own when empty
	Own     string // the platform's address
	Version string // first in every path
	Token   string
	Limit   int // entries on one page of a listing; 0 means 100
	Pages   int // pages of one listing read at most; 0 means 100
	// Optional names fields that are left out of a selection once the API says
	// that it does not have them there, in place of failing for their sake. Where
	// one thing is read in two ways, by the same selection, both give the same.
	Optional []string
	// Cursors is set where listings are followed as long as they give entries and
	// a cursor, because the API does not always name a next page.
	Cursors bool
}

// Client makes calls to one API. It is used by one goroutine, for one poll.
type Client struct {
	caller  connector.Caller
	base    *url.URL
	cfg     Config
	usage   Usage
	without map[string][]string // by selection: optional fields that the API does not have there
}

// New makes a Client. The base must be an http or https address.
func New(cfg Config) (*Client, error) {
	base, err := connector.Base(cfg.Base, cfg.Own)
	if err != nil {
		return nil, err
	}
	if cfg.Limit == 0 {
		cfg.Limit = 100
	}
	if cfg.Pages == 0 {
		cfg.Pages = 100
	}
	// The header keeps the token out of every address, ours and the logs'.
	header := http.Header{"Authorization": {"Bearer " + cfg.Token}, "Accept": {"application/json"}}
	return &Client{caller: connector.Caller{Visit: cfg.Visit, Objects: cfg.Objects, Header: header}, base: base, cfg: cfg, without: map[string][]string{}}, nil
}

// Host is the host of the API, without a port.
func (c *Client) Host() string { return c.base.Hostname() }

// Used is the heaviest use of the rate limits that the platform reported, in
// percent.
func (c *Client) Used() int { return c.usage.Percent }

// Denial is what the API says of what is deleted or not visible.
func (c *Client) Denial() string {
	return "the API answered that it does not exist or is not visible (100/33)"
}

// Media fetches the bytes of an attachment, without credentials. A failure is
// written into the attachment; an error means that the poll cannot go on.
func (c *Client) Media(ctx context.Context, a *candor.Attachment, from string) error {
	return c.caller.Media(ctx, a, from)
}

// Get makes one call, keeps its answer and turns a refusal into an *Error.
func (c *Client) Get(ctx context.Context, path string, q url.Values) (*transport.Reply, error) {
	for {
		reply, err := c.call(ctx, path, q)
		var refused *connector.Error
		if !errors.As(err, &refused) || refused.Code != 100 || refused.Subcode == 33 {
			return reply, err
		}
		selection, name := q.Get("fields"), unknownField(refused.Message)
		if !slices.Contains(c.cfg.Optional, name) || slices.Contains(c.without[selection], name) {
			return reply, err
		}
		c.without[selection] = append(c.without[selection], name)
	}
}

func (c *Client) call(ctx context.Context, path string, q url.Values) (*transport.Reply, error) {
	if c.usage.Exhausted() {
		return nil, &connector.Error{Class: connector.Throttled, Message: "the platform reports that our calls are used up", After: c.usage.Regain}
	}
	sent := url.Values{}
	for name, values := range q {
		sent[name] = values
	}
	for _, name := range c.without[q.Get("fields")] {
		sent.Set("fields", withoutField(sent.Get("fields"), name))
	}
	u := *c.base
	u.Path = strings.TrimRight(u.Path, "/") + "/" + c.cfg.Version + "/" + path
	u.RawQuery = sent.Encode()
	reply, err := c.caller.Call(ctx, u.String())
	if err != nil {
		return nil, err
	}
	c.usage = c.usage.add(ParseUsage(reply.Header))
	if refused := DecodeError(reply.Answer.Status, reply.Body); refused != nil {
		refused.AnswerSHA = reply.Answer.SHA
		refused.After = max(reply.RetryAfter, c.usage.Regain)
		return nil, refused
	}
	return reply, nil
}

var nonexisting = regexp.MustCompile(`nonexisting field \((\w+)\)`)

func unknownField(message string) string {
	if m := nonexisting.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}

// withoutField takes a name out of a selection of fields, at any depth.
func withoutField(fields, name string) string {
	for from := 0; ; {
		i := strings.Index(fields[from:], name)
		if i < 0 {
			return fields
		}
		i += from
		end := i + len(name)
		starts := i == 0 || fields[i-1] == ',' || fields[i-1] == '{'
		ends := end == len(fields) || fields[end] == ',' || fields[end] == '}'
		if !starts || !ends {
			from = end
			continue
		}
		switch {
		case end < len(fields) && fields[end] == ',':
			end++
		case i > 0 && fields[i-1] == ',':
			i--
		}
		fields, from = fields[:i]+fields[end:], i
	}
}

// List walks a listing by its cursors. each reports whether it understood an
// entry. Complete means that the end was reached and all were understood; it
// is not when the listing is longer than one poll reads.
func (c *Client) List(ctx context.Context, path string, q url.Values, each func(entry json.RawMessage, from *transport.Reply) bool) (complete bool, err error) {
	whole, seen, limit := true, map[string]bool{}, c.cfg.Limit
	q = cloned(q)
	for range c.cfg.Pages {
		q.Set("limit", fmt.Sprint(limit))
		reply, err := c.Get(ctx, path, q)
		if tooMuch(err) && limit > 10 {
			limit /= 2
			continue
		}
		if err != nil {
			return false, err
		}
		page, err := DecodePage(reply.Body)
		if err != nil {
			return false, withAnswer(err, reply)
		}
		for _, entry := range page.Entries {
			whole = each(entry, reply) && whole
		}
		next := page.Next
		if !page.More {
			if !c.cfg.Cursors || len(page.Entries) == 0 || page.After == "" {
				return whole, nil
			}
			next = url.Values{"after": {page.After}}
		}
		key := next.Encode()
		if key == "" || seen[key] {
			return false, &connector.Error{Class: connector.Transient, Message: "the listing says there is more but gives no new cursor", AnswerSHA: reply.Answer.SHA}
		}
		seen[key] = true
		for _, name := range pagingParams {
			q.Del(name)
		}
		for name, values := range next {
			q[name] = values
		}
	}
	return false, nil
}

func cloned(q url.Values) url.Values {
	out := url.Values{}
	for name, values := range q {
		out[name] = slices.Clone(values)
	}
	return out
}

func withAnswer(err error, reply *transport.Reply) error {
	var e *connector.Error
	if errors.As(err, &e) {
		e.AnswerSHA, e.Status = reply.Answer.SHA, reply.Answer.Status
	}
	return err
}

// tooMuch reports whether the API asks for smaller pages.
func tooMuch(err error) bool {
	var e *connector.Error
	return errors.As(err, &e) && e.Code == 1 && strings.Contains(strings.ToLower(e.Message), "reduce the amount of data")
}
