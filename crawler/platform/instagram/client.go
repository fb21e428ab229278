package instagram

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/platform/graph"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
)

// The API this package was written against.
const (
	DefaultBase  = "https://graph.instagram.com" // Instagram Login
	FacebookBase = "https://graph.facebook.com"  // Facebook Login
	Version      = "v26.0"
)

const (
	childFields   = "id,media_type,media_url,thumbnail_url,permalink,alt_text"
	storyFields   = "id,caption,media_type,media_product_type,media_url,thumbnail_url,permalink,timestamp,username,owner"
	mediaFields   = storyFields + ",alt_text,comments_count,is_comment_enabled,children{" + childFields + "}"
	commentFields = "id,text,timestamp,username,from,hidden,like_count,parent_id"
	threadFields  = commentFields + ",replies.limit(50){" + commentFields + "}"
)

// newest is how many media the platform lists: the newest ones.
const newest = 10000

// Config says what to read and with what.
type Config struct {
	Visit   *transport.Visit
	Objects transport.Objects
	Base    string // DefaultBase when empty; FacebookBase for a token of Facebook Login
	Token   string // long-lived, of the account (or of the Page it is connected to)
	SiteURL string // where visitors find the account
	Limit   int    // entries on one page of a listing; 0 means 100
	Pages   int    // pages of one listing read at most; 0 means 200
}

// Client reads one account. It is used by one goroutine, for one poll.
type Client struct {
	graph    *graph.Client
	site     *url.URL
	facebook bool // the token is of Facebook Login
	id       string
	username string
	posts    map[string]connector.Post // as listed in this poll, by id
	closed   map[string]bool           // posts whose comments are turned off
	stories  reach
}

// reach is how far the stories were read in this poll.
type reach int

const (
	unread  reach = iota // not to the end
	whole                // to the end, every entry understood
	refused              // our access may not read them
)

var _ connector.API = (*Client)(nil)

// New makes a Client. The base must be an http or https address.
func New(cfg Config) (*Client, error) {
	if cfg.Pages == 0 {
		cfg.Pages = 200
	}
	g, err := graph.New(graph.Config{
		Visit: cfg.Visit, Objects: cfg.Objects, Base: cfg.Base, Own: DefaultBase, Version: Version, Token: cfg.Token, Limit: cfg.Limit, Pages: cfg.Pages,
		Optional: []string{"alt_text", "is_comment_enabled", "owner"},
	})
	if err != nil {
		return nil, err
	}
	site, err := url.Parse(cfg.SiteURL)
	if err != nil || site.Host == "" {
		site = &url.URL{Scheme: "https", Host: "www.instagram.com", Path: "/"}
	}
	return &Client{
		graph: g, site: site, facebook: g.Host() == "graph.facebook.com", posts: map[string]connector.Post{}, closed: map[string]bool{},
	}, nil
}

// Used is the heaviest use of the rate limits that the platform reported.
func (c *Client) Used() int { return c.graph.Used() }

// Denial is what the API says of what is deleted or not visible.
func (c *Client) Denial() string { return c.graph.Denial() }

// Media fetches the bytes of an attachment, as connector.API asks.
func (c *Client) Media(ctx context.Context, a *candor.Attachment, from string) error {
	return c.graph.Media(ctx, a, from)
}

// Profile reads the account by its id or by its name; for an empty ref the one
// whose token it is. A token reads its own account only, so a name is compared.
func (c *Client) Profile(ctx context.Context, ref string) (connector.Profile, error) {
	p, err := c.profile(ctx, ref)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("read account %s: %w", ref, err)
	}
	if isID(ref) && p.ID != ref || ref != "" && !isID(ref) && !strings.EqualFold(p.Username, ref) {
		return connector.Profile{}, &connector.Error{Class: connector.Permission,
			Message: fmt.Sprintf("the access token is of the account %q, not of %q", p.Username, ref)}
	}
	c.id, c.username = p.ID, p.Username
	link := *c.site
	link.Path, link.RawQuery, link.Fragment = "/"+p.Username+"/", "", ""
	p.Link = link.String()
	return p, nil
}

func (c *Client) profile(ctx context.Context, ref string) (connector.Profile, error) {
	const byID = "id,username,name"
	switch {
	case c.facebook && isID(ref):
		return c.account(ctx, ref, byID)
	case c.facebook:
		return c.connected(ctx, ref)
	case isID(ref):
		return c.account(ctx, ref, "user_id,"+byID)
	}
	return c.account(ctx, "me", "user_id,"+byID)
}

func (c *Client) account(ctx context.Context, path, fields string) (connector.Profile, error) {
	reply, err := c.graph.Get(ctx, path, url.Values{"fields": {fields}})
	if err != nil {
		return connector.Profile{}, err
	}
	return decodeProfile(reply.Body)
}

// connected finds the account of a token of Facebook Login: the one connected
// to the Page whose token it is, or one connected to a Page of its owner.
func (c *Client) connected(ctx context.Context, name string) (connector.Profile, error) {
	const fields = "instagram_business_account{id,username,name}"
	reply, err := c.graph.Get(ctx, "me", url.Values{"fields": {fields}})
	if err == nil {
		if p, ok := decodeConnected(reply.Body); ok {
			return p, nil
		}
	} else if !graph.NotOffered(err) {
		return connector.Profile{}, err
	}
	var found []connector.Profile
	_, err = c.graph.List(ctx, "me/accounts", url.Values{"fields": {fields}}, func(entry json.RawMessage, _ *transport.Reply) bool {
		p, ok := decodeConnected(entry)
		if ok && (name == "" || strings.EqualFold(p.Username, name)) {
			found = append(found, p)
		}
		return true
	})
	switch {
	case err != nil:
		return connector.Profile{}, err
	case len(found) != 1:
		return connector.Profile{}, &connector.Error{Class: connector.Permission,
			Message: fmt.Sprintf("the access token reaches %d Instagram accounts of this name, not one", len(found))}
	}
	return found[0], nil
}

// isID tells a number that the API knows an account by from a name, which may
// also be digits, but not as many.
func isID(ref string) bool {
	return len(ref) >= 10 && strings.Trim(ref, "0123456789") == ""
}

// notNames are first parts of addresses that name no account.
const notNames = " p reel reels tv explore accounts direct about legal developer share "

// Ref finds the name of an account in the address of its public page. Empty
// when the address names none.
func Ref(pageURL string) string {
	u, err := url.Parse(pageURL)
	if err != nil {
		return ""
	}
	parts := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	if len(parts) > 1 && parts[0] == "stories" {
		parts = parts[1:]
	}
	if len(parts) == 0 || parts[0] == "stories" || strings.Contains(notNames, " "+parts[0]+" ") {
		return ""
	}
	return strings.TrimPrefix(parts[0], "@")
}

// Posts lists the posts and the stories. What was read before an error is
// returned with it. Complete speaks of the posts: Look does not call a story
// gone unless the stories were read to the end as well.
func (c *Client) Posts(ctx context.Context, account string) (connector.Listing[connector.Post], error) {
	var out connector.Listing[connector.Post]
	read := func(kind candor.RecordKind, trouble *error) func(json.RawMessage, *transport.Reply) bool {
		return func(entry json.RawMessage, from *transport.Reply) bool {
			m, err := decodeMedia(entry)
			if err != nil || *trouble != nil {
				return false
			}
			p, ok, err := c.post(ctx, m, kind, from.Answer.SHA, sighting.Listed)
			if !ok || err != nil {
				*trouble = err
				return false
			}
			out.Items = append(out.Items, p)
			c.posts[p.UID] = p
			if m.CommentEnabled != nil && !*m.CommentEnabled {
				c.closed[p.UID] = true
			}
			return true
		}
	}
	var trouble, err error
	out.Complete, err = c.graph.List(ctx, account+"/media", url.Values{"fields": {mediaFields}}, read(candor.Post, &trouble))
	if err == nil {
		err = trouble
	}
	if err != nil {
		out.Complete = false
		return out, fmt.Errorf("list media: %w", err)
	}
	if len(out.Items) >= newest {
		out.Gap = candor.CoverageGap{Reason: candor.GapLimit, Detail: "the platform lists the newest 10,000 posts"}
	}
	complete, err := c.graph.List(ctx, account+"/stories", url.Values{"fields": {storyFields}}, read(candor.Story, &trouble))
	if err == nil {
		err = trouble
	}
	c.stories = unread
	switch {
	case graph.NotOffered(err):
	case graph.Closed(err):
		c.stories = refused
		if out.Gap.Reason == "" { // a limit tells what an absence means, so it stays
			out.Gap.Reason = candor.GapAccess
		} else {
			out.Gap.Detail += "; "
		}
		out.Gap.Detail += fmt.Sprintf("the stories: %s", err)
	case err != nil:
		return out, fmt.Errorf("list stories: %w", err)
	case complete:
		c.stories = whole
	}
	return out, nil
}

// Comments lists the comments and replies of a post, hidden ones included. What
// is answered to a story is a message and no part of it.
func (c *Client) Comments(ctx context.Context, postUID string) (connector.Listing[sighting.Item], error) {
	var out connector.Listing[sighting.Item]
	if c.posts[postUID].Kind == candor.Story {
		return out, nil
	}
	var longer []string // comments with more replies than came along
	complete, err := c.graph.List(ctx, postUID+"/comments", url.Values{"fields": {threadFields}}, func(entry json.RawMessage, from *transport.Reply) bool {
		n, err := decodeComment(entry)
		if err != nil {
			return false
		}
		out.Items = append(out.Items, c.comment(n, postUID, "", from.Answer.SHA, sighting.Listed))
		if len(n.Replies) == 0 || string(n.Replies) == "null" {
			return true
		}
		page, err := graph.DecodePage(n.Replies)
		if err != nil {
			return false
		}
		if page.More {
			longer = append(longer, string(n.ID))
			return true
		}
		return c.replies(page.Entries, &out, string(n.ID), postUID, from.Answer.SHA)
	})
	for _, id := range longer {
		if err != nil {
			break
		}
		var all bool
		all, err = c.graph.List(ctx, id+"/replies", url.Values{"fields": {commentFields}}, func(entry json.RawMessage, from *transport.Reply) bool {
			return c.replies([]json.RawMessage{entry}, &out, id, postUID, from.Answer.SHA)
		})
		complete = complete && all
	}
	if err != nil {
		return out, fmt.Errorf("list comments of %s: %w", postUID, err)
	}
	if c.closed[postUID] && len(out.Items) == 0 {
		// Nothing is shown of comments that there may have been before.
		out.Gap = candor.CoverageGap{Reason: candor.GapClosed, Detail: "comments are turned off at " + c.posts[postUID].URL}
		return out, nil
	}
	out.Complete = complete
	return out, nil
}

func (c *Client) replies(entries []json.RawMessage, out *connector.Listing[sighting.Item], parent, postUID, sha string) bool {
	whole := true
	for _, entry := range entries {
		n, err := decodeComment(entry)
		if err != nil {
			whole = false
			continue
		}
		out.Items = append(out.Items, c.comment(n, postUID, parent, sha, sighting.Listed))
	}
	return whole
}

// Look reads one object by its id. An error means that nothing was learnt about
// any object; Unclear means that this one could not be read.
func (c *Client) Look(ctx context.Context, uid string, kind candor.RecordKind, rootUID string) (sighting.Standing, *sighting.Item, string, error) {
	fields := commentFields
	switch kind {
	case candor.Post:
		fields = mediaFields
	case candor.Story:
		fields = storyFields
	}
	reply, err := c.graph.Get(ctx, uid, url.Values{"fields": {fields}})
	if err != nil {
		standing, sha, ok := graph.Standing(err)
		switch {
		case !ok:
			return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
		case standing == sighting.Gone && kind == candor.Story && c.stories == refused:
			standing = sighting.Denied
		case standing == sighting.Gone && kind == candor.Story && c.stories != whole:
			standing = sighting.Unclear
		}
		return standing, nil, sha, nil
	}
	sha := reply.Answer.SHA
	if kind != candor.Post && kind != candor.Story {
		n, err := decodeComment(reply.Body)
		if err != nil {
			return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
		}
		if string(n.ID) != uid {
			return sighting.Unclear, nil, sha, nil
		}
		item := c.comment(n, rootUID, "", sha, sighting.Direct)
		return sighting.Here, &item, sha, nil
	}
	m, err := decodeMedia(reply.Body)
	if err != nil {
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	}
	if string(m.ID) != uid {
		return sighting.Unclear, nil, sha, nil
	}
	p, ok, err := c.post(ctx, m, kind, sha, sighting.Direct)
	if err != nil {
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	}
	if !ok {
		return sighting.Unclear, nil, sha, nil
	}
	return sighting.Here, &p.Item, sha, nil
}
