package nextdoor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/time/rate"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
)

// DefaultBase is the API of the United States. Other countries have hosts of
// their own: https://ca.nextdoor.com, https://au.nextdoor.com.
const DefaultBase = "https://nextdoor.com"

// Where the API keeps things. The prefix, the profile and the listing of one's
// posts are as published clients use them. That a single post or comment is
// read by adding its id is inferred from how one is edited and deleted, and is
// to be confirmed with the partner documentation; where it is wrong, look-ups
// settle nothing and no deletion is ever concluded. The slash at the end
// matters: the server redirects without it, and a token follows no redirect.
const (
	prefix      = "/external/api/partner/v1/"
	profilePath = prefix + "me/"
	postPath    = prefix + "post/"    // all of one's own; with ?id=, one
	commentPath = prefix + "comment/" // with ?id=, one
)

// Listed is how many posts the platform gives at most, the newest.
const Listed = 50

// Config says what to read and with what.
type Config struct {
	Visit   *transport.Visit
	Objects transport.Objects
	Base    string // DefaultBase when empty
	Token   string // of the member, with the scopes post:read and profile:read
	SiteURL string // where visitors find the agency
	Limit   int    // posts from which a listing counts as cut by the platform; 0 means Listed
	Entries int    // comments of one post read at most; 0 means 5000
	// Pace bounds the calls of one poll, in calls a second; 0 means one where the
	// base is a host of Nextdoor's, and no bound elsewhere. The platform publishes
	// no limits, and the transport's budget is the same for all hosts.
	Pace rate.Limit
}

// Client reads one account. It is used by one goroutine, for one poll.
type Client struct {
	cfg  Config
	base *url.URL
	call connector.Caller
	pace *rate.Limiter
	who  connector.Profile
	self map[string]bool // ids that mean the account itself, as an author
	read map[string]read // posts of this poll, by id
}

// read is a post as it was read, with the answer it stands in.
type read struct {
	post post
	sha  string
}

var _ connector.API = (*Client)(nil)

// New makes a Client. The base must be an http or https address.
func New(cfg Config) (*Client, error) {
	base, err := connector.Base(cfg.Base, DefaultBase)
	if err != nil {
		return nil, err
	}
	if cfg.Limit == 0 {
		cfg.Limit = Listed
	}
	if cfg.Entries == 0 {
		cfg.Entries = 5000
	}
	if cfg.Pace == 0 {
		cfg.Pace = rate.Inf
		if strings.Contains(base.Hostname(), "nextdoor") {
			cfg.Pace = 1
		}
	}
	return &Client{
		cfg: cfg, base: base,
		// The header keeps the token out of every address, ours and the logs'.
		call: connector.Caller{Visit: cfg.Visit, Objects: cfg.Objects, Header: http.Header{
			"Authorization": {"Bearer " + cfg.Token}, "Accept": {"application/json"},
		}},
		pace: rate.NewLimiter(cfg.Pace, 1),
		self: map[string]bool{}, read: map[string]read{},
	}, nil
}

// Ref is always empty: the API knows no account but the token's, whatever
// address visitors use.
func Ref(string) string { return "" }

// Used is always 0: the platform reports no use of its limits.
func (c *Client) Used() int { return 0 }

// Denial is what the API says of what is not there.
func (c *Client) Denial() string { return "the API answered that it does not exist (404)" }

// Profile reads the member whose token it is. ref is the id that an earlier
// Profile gave, or empty: a token of somebody else is refused, since posts of
// two people would become one account's, and so is the token of a member's
// private profile, whose posts are nobody's record.
func (c *Client) Profile(ctx context.Context, ref string) (connector.Profile, error) {
	reply, err := c.get(ctx, profilePath, nil)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("read profile: %w", err)
	}
	p, private, err := decodeProfile(reply.Body)
	switch {
	case err != nil:
		return connector.Profile{}, fmt.Errorf("read profile: %w", err)
	case private:
		return connector.Profile{}, &connector.Error{
			Class: connector.BadToken, Status: reply.Answer.Status, AnswerSHA: reply.Answer.SHA,
			Message: "the token is of a neighbor's private profile, not of an agency's",
		}
	case ref != "" && ref != p.ID:
		return connector.Profile{}, &connector.Error{
			Class: connector.BadToken, Status: reply.Answer.Status, AnswerSHA: reply.Answer.SHA,
			Message: fmt.Sprintf("the token is of another account (%s) than the one archived so far; add that one as a source of its own", p.Name),
		}
	}
	c.who = p
	c.self[p.ID] = true
	return p, nil
}

// Posts lists the newest posts of the account. When there are as many as the
// platform gives at most, older ones may be there unlisted: the listing then
// names the limit as its gap, and is complete back to its oldest post.
func (c *Client) Posts(ctx context.Context, _ string) (connector.Listing[connector.Post], error) {
	var out connector.Listing[connector.Post]
	reply, err := c.get(ctx, postPath, nil)
	if err != nil {
		return out, fmt.Errorf("list posts: %w", err)
	}
	l, err := decodeListing(reply.Body)
	if err != nil {
		return out, fmt.Errorf("list posts: %w", err)
	}
	for _, p := range l.posts {
		if p.AuthorID != "" {
			c.self[string(p.AuthorID)] = true // the listing is of what the account itself wrote
		}
	}
	for _, p := range l.posts {
		if _, twice := c.read[string(p.ID)]; twice {
			continue
		}
		c.read[string(p.ID)] = read{p, reply.Answer.SHA}
		// Comments come with the post, so reading them costs nothing: -1 has them
		// compared in every poll.
		out.Items = append(out.Items, connector.Post{Item: c.post(p, reply.Answer.SHA, sighting.Listed), Comments: -1})
	}
	out.Complete = l.whole
	if l.count >= c.cfg.Limit {
		out.Gap = candor.CoverageGap{Reason: candor.GapLimit, Detail: fmt.Sprintf("Nextdoor lists the %d newest posts only", c.cfg.Limit)}
	}
	if l.refusal != "" {
		return out, fmt.Errorf("list posts: %w", &connector.Error{
			Class: connector.Transient, Status: reply.Answer.Status, AnswerSHA: reply.Answer.SHA,
			Message: "the answer holds an error beside its posts: " + l.refusal,
		})
	}
	return out, nil
}

// Comments gives the comments and replies below a post, as they came with it in
// this poll; a post that was not listed is read by itself and given first.
func (c *Client) Comments(ctx context.Context, postUID string) (connector.Listing[sighting.Item], error) {
	var out connector.Listing[sighting.Item]
	r, have := c.read[postUID]
	if !have {
		var err error
		if r, err = c.one(ctx, postUID); err != nil {
			return out, fmt.Errorf("list comments of %s: %w", postUID, err)
		}
		c.read[postUID] = r
		// The post came along, and no listing may show any more what it says now.
		out.Items = append(out.Items, c.post(r.post, r.sha, sighting.Direct))
	}
	list, whole := flatten(r.post, c.cfg.Entries)
	for _, x := range list {
		out.Items = append(out.Items, c.comment(x, postUID, r.sha, sighting.Listed))
	}
	out.Complete = whole
	return out, nil
}

// errUnsettled says that an answer was had which neither holds a record nor
// calls it gone.
var errUnsettled = errors.New("the answer does not hold what was asked for")

// one reads a post by itself.
func (c *Client) one(ctx context.Context, uid string) (read, error) {
	reply, err := c.get(ctx, postPath, url.Values{"id": {uid}})
	if err != nil {
		return read{}, err
	}
	p, ok := decodePost(reply.Body, uid)
	if !ok {
		return read{sha: reply.Answer.SHA}, &connector.Error{
			Class: connector.Refused, Status: reply.Answer.Status, AnswerSHA: reply.Answer.SHA, Message: errUnsettled.Error(), Cause: errUnsettled,
		}
	}
	return read{p, reply.Answer.SHA}, nil
}

// Look reads one record by its id. Only the API's own answer that it does not
// exist makes it Gone; a listing that is answered in its place, because the id
// was not understood, settles nothing when the record is not in it.
func (c *Client) Look(ctx context.Context, uid string, kind candor.RecordKind, _ string) (sighting.Standing, *sighting.Item, string, error) {
	item, sha, err := c.look(ctx, uid, kind)
	var refused *connector.Error
	switch {
	case err == nil:
		return sighting.Here, &item, sha, nil
	case !errors.As(err, &refused) || refused.Stops():
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	case refused.Class == connector.Vanished:
		return sighting.Gone, nil, refused.AnswerSHA, nil
	case refused.Class == connector.Permission:
		return sighting.Denied, nil, refused.AnswerSHA, nil
	}
	return sighting.Unclear, nil, refused.AnswerSHA, nil
}

func (c *Client) look(ctx context.Context, uid string, kind candor.RecordKind) (sighting.Item, string, error) {
	if kind == candor.Post {
		r, err := c.one(ctx, uid)
		if err != nil {
			return sighting.Item{}, "", err
		}
		return c.post(r.post, r.sha, sighting.Direct), r.sha, nil
	}
	root, id, ok := strings.Cut(uid, "/")
	if !ok {
		return sighting.Item{}, "", &connector.Error{Class: connector.Refused, Message: fmt.Sprintf("%q is no id of a comment", uid)}
	}
	reply, err := c.get(ctx, commentPath, url.Values{"id": {id}})
	if err != nil {
		return sighting.Item{}, "", err
	}
	x, ok := decodeComment(reply.Body, id)
	if !ok {
		return sighting.Item{}, "", &connector.Error{
			Class: connector.Refused, Status: reply.Answer.Status, AnswerSHA: reply.Answer.SHA, Message: errUnsettled.Error(), Cause: errUnsettled,
		}
	}
	return c.comment(x, root, reply.Answer.SHA, sighting.Direct), reply.Answer.SHA, nil
}

// Media fetches the bytes of an attachment.
func (c *Client) Media(ctx context.Context, a *candor.Attachment, from string) error {
	return c.call.Media(ctx, a, from)
}

// get makes one call and turns a refusal into an *connector.Error.
func (c *Client) get(ctx context.Context, path string, q url.Values) (*transport.Reply, error) {
	if err := c.pace.Wait(ctx); err != nil {
		return nil, err
	}
	u := *c.base
	u.Path = strings.TrimRight(u.Path, "/") + path
	u.RawQuery = q.Encode()
	reply, err := c.call.Call(ctx, u.String())
	if err != nil {
		return nil, err
	}
	if refused := decodeError(reply.Answer.Status, reply.Body); refused != nil {
		refused.AnswerSHA = reply.Answer.SHA
		refused.After = reply.RetryAfter
		return nil, refused
	}
	if !json.Valid(reply.Body) {
		return nil, &connector.Error{
			Class: connector.Transient, Status: reply.Answer.Status, AnswerSHA: reply.Answer.SHA, Message: "the answer is not whole JSON",
		}
	}
	return reply, nil
}
