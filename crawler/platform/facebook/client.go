package facebook

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
	DefaultBase = "https://graph.facebook.com"
	Version     = "v26.0"
)

const (
	profileFields = "id,name,username,link"
	attachFields  = "media_type,type,media,title,description,url,unshimmed_url,target,subattachments"
	postFields    = "id,message,story,created_time,updated_time,from,permalink_url,is_hidden,is_published,attachments{" + attachFields + "}," + countFields
	countFields   = "comments.limit(0).summary(true).filter(stream)"
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
	// More asks for reels, stories and visitors' posts too, a call or more each.
	More bool
	// Visitor reports whether the archive holds a post as a visitor's. A post's id
	// does not tell, and while visitors' posts are refused to us the platform
	// calls them gone. Visitors' posts are not read without it.
	Visitor func(ctx context.Context, uid string) (bool, error)
}

// Client reads one Page. It is used by one goroutine, for one poll.
type Client struct {
	cfg     Config
	graph   *graph.Client
	site    *url.URL
	pageID  string
	reach   map[edge]reach
	stories map[string]sighting.Item // by id, as listed in this poll
}

var _ connector.API = (*Client)(nil)

// New makes a Client. The base must be an http or https address.
func New(cfg Config) (*Client, error) {
	g, err := graph.New(graph.Config{
		Visit: cfg.Visit, Objects: cfg.Objects, Base: cfg.Base, Own: DefaultBase, Version: Version, Token: cfg.Token, Limit: cfg.Limit, Pages: cfg.Pages,
	})
	if err != nil {
		return nil, err
	}
	site, err := url.Parse(cfg.SiteURL)
	if err != nil || site.Host == "" {
		site = &url.URL{Scheme: "https", Host: "www.facebook.com", Path: "/"}
	}
	return &Client{cfg: cfg, graph: g, site: site, reach: map[edge]reach{}, stories: map[string]sighting.Item{}}, nil
}

// Used is the heaviest use of the rate limits that the platform reported.
func (c *Client) Used() int { return c.graph.Used() }

// Denial is what the Graph API says of what is deleted or not visible.
func (c *Client) Denial() string { return c.graph.Denial() }

// Media fetches the bytes of an attachment, as connector.API asks.
func (c *Client) Media(ctx context.Context, a *candor.Attachment, from string) error {
	return c.graph.Media(ctx, a, from)
}

// Profile reads the Page itself, by id or name; for an empty ref the Page whose
// token it is. It must come first: later calls compare authors with it.
func (c *Client) Profile(ctx context.Context, ref string) (connector.Profile, error) {
	if ref == "" {
		ref = "me"
	}
	reply, err := c.graph.Get(ctx, ref, url.Values{"fields": {profileFields}})
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

// Posts lists the published posts, and after them what Config.More asks for.
// What was read before an error is returned with it. Complete speaks of the
// published posts: Look holds back where another listing would have to vouch.
func (c *Client) Posts(ctx context.Context, page string) (connector.Listing[connector.Post], error) {
	var out connector.Listing[connector.Post]
	var err error
	out.Complete, err = c.graph.List(ctx, page+"/published_posts", url.Values{"fields": {postFields}}, func(entry json.RawMessage, from *transport.Reply) bool {
		n, err := decodeNode(entry)
		if err == nil {
			out.Items = append(out.Items, c.post(n, from.Answer.SHA, sighting.Listed))
		}
		return err == nil
	})
	if err != nil {
		return out, fmt.Errorf("list posts: %w", err)
	}
	if c.cfg.More {
		err = c.more(ctx, page, &out)
	}
	return out, err
}

// Comments lists the comments and replies of a post, oldest first, hidden ones
// included. Those of a story are messages to the Page and no part of it.
func (c *Client) Comments(ctx context.Context, postUID string) (connector.Listing[sighting.Item], error) {
	var out connector.Listing[sighting.Item]
	if _, ok := c.stories[postUID]; ok {
		return out, nil
	}
	var err error
	q := url.Values{"fields": {commentFields}, "filter": {"stream"}, "order": {"chronological"}}
	out.Complete, err = c.graph.List(ctx, postUID+"/comments", q, func(entry json.RawMessage, from *transport.Reply) bool {
		n, err := decodeNode(entry)
		if err != nil {
			return false
		}
		item, ok := c.comment(n, postUID, from.Answer.SHA, sighting.Listed)
		if ok {
			out.Items = append(out.Items, item)
		}
		return ok
	})
	if err != nil {
		return out, fmt.Errorf("list comments of %s: %w", postUID, err)
	}
	return out, nil
}

// Look reads one object by its id. An error means that nothing was learnt
// about any object (no answer, throttled, token refused, passing trouble);
// Unclear means that this one could not be read.
func (c *Client) Look(ctx context.Context, uid string, kind candor.RecordKind, rootUID string) (sighting.Standing, *sighting.Item, string, error) {
	of := edgeOf(uid, kind)
	reply, err := c.graph.Get(ctx, uid, url.Values{"fields": {of.fields()}})
	if err != nil {
		standing, sha, ok := graph.Standing(err)
		if !ok {
			return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
		}
		if standing == sighting.Gone {
			if standing, err = c.vouched(ctx, of, uid); err != nil {
				return sighting.Unclear, nil, "", err
			}
		}
		return standing, nil, sha, nil
	}
	sha := reply.Answer.SHA
	n, err := decodeNode(reply.Body)
	if err != nil {
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	}
	if string(n.ID) != uid {
		return sighting.Unclear, nil, sha, nil
	}
	var item sighting.Item
	ok := true
	switch of {
	case stories:
		// Only the listing tells what a story shows.
		item, ok = c.stories[uid]
		item.AnswerSHA, item.How = sha, sighting.Direct
	case reels:
		item = c.reel(n, sha, sighting.Direct).Item
	case comments:
		item, ok = c.comment(n, rootUID, sha, sighting.Direct)
	case posts:
		item = c.post(n, sha, sighting.Direct).Item
	}
	if !ok {
		return sighting.Unclear, nil, sha, nil
	}
	return sighting.Here, &item, sha, nil
}
