package facebook

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
)

// The API this package was written against.
const (
	DefaultBase = "https://graph.facebook.com"
	Version     = "v26.0"
)

const (
	profileFields = "id,name,username,link"
	attachFields  = "media_type,type,media,title,description,url,unshimmed_url,target,subattachments"
	postFields    = "id,message,story,created_time,updated_time,from,permalink_url,is_hidden,is_published,attachments{" + attachFields + "},comments.limit(0).summary(true).filter(stream)"
	commentFields = "id,message,created_time,from,parent,attachment,permalink_url,is_hidden,comment_count,like_count"
)

// Config says what to read and with what.
type Config struct {
	Visit   *transport.Visit
	Objects transport.Objects
	Base    string // DefaultBase when empty
	Token   string // of the Page or of a system user
	SiteURL string // where visitors find the Page; relative links are resolved on it
	Limit   int    // entries on one page of a listing; 0 means 100
	Pages   int    // pages of one listing read at most; 0 means 100
}

// Client reads one Page. It is used by one goroutine, for one poll.
type Client struct {
	cfg    Config
	base   *url.URL
	site   *url.URL
	pageID string
	usage  Usage
}

var _ connector.API = (*Client)(nil)

// New makes a Client. The base must be an http or https address.
func New(cfg Config) (*Client, error) {
	if cfg.Base == "" {
		cfg.Base = DefaultBase
	}
	if cfg.Limit == 0 {
		cfg.Limit = 100
	}
	if cfg.Pages == 0 {
		cfg.Pages = 100
	}
	base, err := url.Parse(strings.TrimRight(cfg.Base, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, candor.Errorf(candor.Invalid, "the API address %q is not a web address", cfg.Base)
	}
	site, err := url.Parse(cfg.SiteURL)
	if err != nil || site.Host == "" {
		site = &url.URL{Scheme: "https", Host: "www.facebook.com", Path: "/"}
	}
	return &Client{cfg: cfg, base: base, site: site}, nil
}

// Used is the heaviest use of the rate limits that the platform reported.
func (c *Client) Used() int { return c.usage.Percent }

// Denial is what the Graph API says of what is deleted or not visible.
func (c *Client) Denial() string {
	return "the API answered that it does not exist or is not visible (100/33)"
}

// Profile reads the Page itself, by id or name; for an empty ref the Page whose
// token it is. It must come first: later calls compare authors with it.
func (c *Client) Profile(ctx context.Context, ref string) (connector.Profile, error) {
	if ref == "" {
		ref = "me"
	}
	reply, err := c.get(ctx, ref, url.Values{"fields": {profileFields}})
	if err != nil {
		return connector.Profile{}, fmt.Errorf("read page %s: %w", ref, err)
	}
	p, err := decodeProfile(reply.Body)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("read page %s: %w", ref, err)
	}
	c.pageID = p.ID
	return p, nil
}

// Ref finds what names a Page in the address of its public page: its name or
// its number. Empty when the address names none.
func Ref(pageURL string) string {
	u, err := url.Parse(pageURL)
	if err != nil {
		return ""
	}
	parts := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	if len(parts) == 0 {
		return ""
	}
	switch {
	case parts[0] == "profile.php":
		return u.Query().Get("id")
	case len(parts) >= 3 && (parts[0] == "people" || parts[0] == "pages"):
		return parts[2]
	case len(parts) >= 2 && parts[0] == "p":
		// "/p/Name-of-page-1000123": the number is what the API knows.
		return parts[1][strings.LastIndexByte(parts[1], '-')+1:]
	}
	return parts[0]
}

// Posts lists the published posts. What was read before an error is returned
// with it.
func (c *Client) Posts(ctx context.Context, page string) (connector.Listing[connector.Post], error) {
	var out connector.Listing[connector.Post]
	err := c.list(ctx, page+"/published_posts", url.Values{"fields": {postFields}}, &out.Complete, func(n node, sha string) bool {
		item, ok := c.post(n, sha, sighting.Listed)
		if ok {
			out.Items = append(out.Items, item)
		}
		return ok
	})
	if err != nil {
		err = fmt.Errorf("list posts: %w", err)
	}
	return out, err
}

// Comments lists the comments and replies of a post, oldest first, hidden ones
// included.
func (c *Client) Comments(ctx context.Context, postUID string) (connector.Listing[sighting.Item], error) {
	var out connector.Listing[sighting.Item]
	q := url.Values{"fields": {commentFields}, "filter": {"stream"}, "order": {"chronological"}}
	err := c.list(ctx, postUID+"/comments", q, &out.Complete, func(n node, sha string) bool {
		item, ok := c.comment(n, postUID, sha, sighting.Listed)
		if ok {
			out.Items = append(out.Items, item)
		}
		return ok
	})
	if err != nil {
		err = fmt.Errorf("list comments of %s: %w", postUID, err)
	}
	return out, err
}

// list walks a listing by its cursors. each reports whether it understood the
// entry.
func (c *Client) list(ctx context.Context, path string, q url.Values, complete *bool, each func(node, string) bool) error {
	q.Set("limit", fmt.Sprint(c.cfg.Limit))
	whole, seen := true, map[string]bool{}
	for range c.cfg.Pages {
		reply, err := c.get(ctx, path, q)
		if err != nil {
			return err
		}
		l, err := decodeListing(reply.Body)
		if err != nil {
			return err
		}
		for _, n := range l.nodes {
			whole = each(n, reply.Answer.SHA) && whole
		}
		whole = whole && l.skipped == 0
		if !l.more {
			*complete = whole
			return nil
		}
		key := l.next.Encode()
		if key == "" || seen[key] {
			return &Error{Class: connector.Transient, Message: "the listing says there is more but gives no new cursor"}
		}
		seen[key] = true
		for name, values := range l.next {
			q[name] = values
		}
	}
	return nil // not complete: longer than one poll reads
}

// Look reads one object by its id. An error means that nothing was learnt
// about any object (no answer, throttled, token refused, passing trouble);
// Unclear means that this one could not be read.
func (c *Client) Look(ctx context.Context, uid string, kind candor.RecordKind, rootUID string) (sighting.Standing, *sighting.Item, string, error) {
	fields := commentFields
	if kind == candor.Post {
		fields = postFields
	}
	reply, err := c.get(ctx, uid, url.Values{"fields": {fields}})
	var refused *Error
	if asError(err, &refused) && !refused.Stops() {
		if refused.Class == connector.Vanished {
			return sighting.Gone, nil, refused.AnswerSHA, nil
		}
		return sighting.Unclear, nil, refused.AnswerSHA, nil
	}
	if err != nil {
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	}
	n, err := decodeNode(reply.Body)
	if err != nil {
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	}
	if n.ID != uid {
		return sighting.Unclear, nil, reply.Answer.SHA, nil
	}
	if kind == candor.Post {
		if p, ok := c.post(n, reply.Answer.SHA, sighting.Direct); ok {
			return sighting.Here, &p.Item, reply.Answer.SHA, nil
		}
	} else if item, ok := c.comment(n, rootUID, reply.Answer.SHA, sighting.Direct); ok {
		return sighting.Here, &item, reply.Answer.SHA, nil
	}
	return sighting.Unclear, nil, reply.Answer.SHA, nil
}

// Media fetches the bytes of an attachment. Its address expires, so this is
// done in the poll that found it. A failure is written into the attachment;
// an error means that the poll cannot go on.
func (c *Client) Media(ctx context.Context, a *candor.Attachment, from string) error {
	reply, err := c.cfg.Visit.Fetch(ctx, from)
	switch {
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		a.Failure = err.Error()
		return nil
	case reply.Answer.Status != http.StatusOK:
		a.Failure = fmt.Sprintf("the server answered %d", reply.Answer.Status)
		return nil
	case reply.Answer.Truncated:
		a.Failure = "larger than the limit for one file"
		return nil
	}
	sha, size, err := c.cfg.Objects.PutObject(ctx, bytes.NewReader(reply.Body))
	if err != nil {
		return fmt.Errorf("keep attachment: %w", err)
	}
	a.SHA, a.Size, a.MediaType = sha, size, mediaType(reply)
	return nil
}

func mediaType(r *transport.Reply) string {
	if t, _, _ := strings.Cut(r.Answer.MediaType, ";"); t != "" && t != "application/octet-stream" {
		return strings.TrimSpace(t)
	}
	return http.DetectContentType(r.Body)
}

// get makes one call, keeps its answer and turns a refusal into an *Error.
func (c *Client) get(ctx context.Context, path string, q url.Values) (*transport.Reply, error) {
	if c.usage.Exhausted() {
		return nil, &Error{Class: connector.Throttled, Message: "the platform reports that our calls are used up", After: c.usage.Regain}
	}
	u := *c.base
	u.Path = strings.TrimRight(u.Path, "/") + "/" + Version + "/" + path
	u.RawQuery = q.Encode()
	// The header keeps the token out of every address, ours and the logs'.
	reply, err := c.cfg.Visit.Get(ctx, u.String(), http.Header{"Authorization": {"Bearer " + c.cfg.Token}, "Accept": {"application/json"}})
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, &Error{Class: connector.Transient, Message: err.Error(), Cause: err}
	}
	if err := c.cfg.Visit.Keep(ctx, c.cfg.Objects, reply); err != nil {
		return nil, err
	}
	c.usage = c.usage.add(parseUsage(reply.Header))
	if refused := decodeError(reply.Answer.Status, reply.Body); refused != nil {
		refused.AnswerSHA = reply.Answer.SHA
		refused.After = max(reply.RetryAfter, c.usage.Regain)
		return nil, refused
	}
	if reply.Answer.Truncated {
		return nil, &Error{Class: connector.Transient, Message: "the answer is larger than the limit", Status: reply.Answer.Status}
	}
	return reply, nil
}

// graphTime is the time form of the platform, which is not RFC 3339.
const graphTime = "2006-01-02T15:04:05-0700"

func parseTime(s string) time.Time {
	for _, form := range []string{graphTime, time.RFC3339} {
		if t, err := time.Parse(form, s); err == nil && t.Year() > 1 && t.Year() < 10000 {
			return candor.Moment(t)
		}
	}
	return time.Time{} // not said, or not in a form we know; the verbatim answer has it
}
