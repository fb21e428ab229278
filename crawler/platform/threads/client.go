package threads

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
	DefaultBase = "https://graph.threads.net"
	Version     = "v1.0"
)

// The selection of a thing must be the same wherever it is read, or a look-up
// would pass for an edit.
const (
	baseFields = "id,media_type,media_url,gif_url,permalink,username,text,timestamp,children{id,media_type,media_url,alt_text},alt_text," +
		"link_attachment_url,poll_attachment,text_attachment,is_quote_post,quoted_post{id,permalink},has_replies"
	postFields   = baseFields + ",owner,ghost_post_status"
	replyFields  = baseFields + ",is_reply,is_reply_owned_by_me,root_post,replied_to"
	threadFields = replyFields + ",hide_status"
)

// Config says what to read and with what.
type Config struct {
	Visit   *transport.Visit
	Objects transport.Objects
	Base    string // DefaultBase when empty
	Token   string // long-lived, of the account
	SiteURL string // where visitors find the account
	Limit   int    // entries on one page of a listing; 0 means 100
	Pages   int    // pages of one listing read at most; 0 means 100
}

// Client reads one account. It is used by one goroutine, for one poll.
type Client struct {
	graph    *graph.Client
	site     *url.URL
	id       string
	username string
	kinds    map[string]candor.RecordKind // of the roots listed in this poll
	reach    map[edge]reach
	pending  bool // the API has the edge of pending replies, as far as we know
}

// edge is where roots beside the posts are listed.
type edge string

const (
	replies edge = "replies"
	ghosts  edge = "ghost_posts"
)

// reach is how far a listing was read in this poll.
type reach int

const (
	unread  reach = iota // not asked for, or not to its end
	whole                // to its end, every entry understood
	refused              // our access may not read it
	absent               // the API has none here
)

var _ connector.API = (*Client)(nil)

// New makes a Client. The base must be an http or https address.
func New(cfg Config) (*Client, error) {
	g, err := graph.New(graph.Config{
		Visit: cfg.Visit, Objects: cfg.Objects, Base: cfg.Base, Own: DefaultBase, Version: Version, Token: cfg.Token, Limit: cfg.Limit, Pages: cfg.Pages,
		Cursors: true,
		Optional: []string{
			"alt_text", "gif_url", "link_attachment_url", "poll_attachment", "text_attachment", "owner", "ghost_post_status", "reply_approval_status",
		},
	})
	if err != nil {
		return nil, err
	}
	site, err := url.Parse(cfg.SiteURL)
	if err != nil || site.Host == "" {
		site = &url.URL{Scheme: "https", Host: "www.threads.com", Path: "/"}
	}
	return &Client{graph: g, site: site, kinds: map[string]candor.RecordKind{}, reach: map[edge]reach{}, pending: true}, nil
}

// Used is the heaviest use of the rate limits that the platform reported.
func (c *Client) Used() int { return c.graph.Used() }

// Denial is what the API says of what is deleted or not visible.
func (c *Client) Denial() string { return c.graph.Denial() }

// Media fetches the bytes of an attachment, as connector.API asks.
func (c *Client) Media(ctx context.Context, a *candor.Attachment, from string) error {
	return c.graph.Media(ctx, a, from)
}

// Profile reads the account whose token it is. A token reads its own account
// only, so the name or id in ref is compared.
func (c *Client) Profile(ctx context.Context, ref string) (connector.Profile, error) {
	reply, err := c.graph.Get(ctx, "me", url.Values{"fields": {"id,username,name"}})
	if err != nil {
		return connector.Profile{}, fmt.Errorf("read account %s: %w", ref, err)
	}
	p, err := decodeProfile(reply.Body)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("read account %s: %w", ref, err)
	}
	if ref != "" && ref != p.ID && !strings.EqualFold(p.Username, ref) {
		return connector.Profile{}, &connector.Error{Class: connector.Permission, AnswerSHA: reply.Answer.SHA,
			Message: fmt.Sprintf("the access token is of the account %q, not of %q", p.Username, ref)}
	}
	c.id, c.username = p.ID, p.Username
	link := *c.site
	link.Path, link.RawQuery, link.Fragment = "/@"+p.Username, "", ""
	p.Link = link.String()
	return p, nil
}

// Ref finds the name of an account in the address of its public page. Empty
// when the address names none.
func Ref(pageURL string) string {
	u, err := url.Parse(pageURL)
	if err != nil {
		return ""
	}
	name, ok := strings.CutPrefix(u.Path, "/@")
	name, _, _ = strings.Cut(name, "/")
	if !ok {
		return ""
	}
	return name
}

// Posts lists the account's posts, its ghost posts, and its replies in threads
// of others. What was read before an error is returned with it. Complete speaks
// of the posts: Look holds back where another listing would have to vouch.
func (c *Client) Posts(ctx context.Context, account string) (connector.Listing[connector.Post], error) {
	var out connector.Listing[connector.Post]
	own := map[string]bool{} // posts of the account, reposts included
	take := func(p connector.Post, from *transport.Reply) {
		if p.Kind == candor.Story && from.Answer.FetchedAt.Sub(p.PostedAt) >= candor.StoryLife {
			return // the account's own archive: shown to nobody any more
		}
		if c.kinds[p.UID] == "" {
			c.kinds[p.UID] = p.Kind
			out.Items = append(out.Items, p)
		}
	}
	clear(c.kinds)
	var err error
	out.Complete, err = c.graph.List(ctx, account+"/threads", url.Values{"fields": {postFields}}, func(entry json.RawMessage, from *transport.Reply) bool {
		n, err := decodeNode(entry)
		if err != nil {
			return false
		}
		own[string(n.ID)] = true
		if n.Type != repost {
			take(c.post(n, candor.Post, from.Answer.SHA, sighting.Listed), from)
		}
		return true
	})
	if err != nil {
		return out, fmt.Errorf("list posts: %w", err)
	}
	err = c.more(ctx, account, ghosts, postFields, &out.Gap, func(n node, from *transport.Reply) bool {
		own[string(n.ID)] = true
		take(c.post(n, candor.Story, from.Answer.SHA, sighting.Listed), from)
		return true
	})
	if err != nil {
		return out, err
	}
	err = c.more(ctx, account, replies, replyFields, &out.Gap, func(n node, from *transport.Reply) bool {
		switch root := n.root(); {
		case own[root], n.Type == repost:
			return true // the conversation of that post has it
		case root != "" && !out.Complete:
			return false // it may be below a post of ours that we did not come to
		}
		take(c.elsewhere(n, from.Answer.SHA, sighting.Listed), from)
		return true
	})
	return out, err
}

// more reads a listing beside the posts. One that is refused is a gap, and is
// not asked again.
func (c *Client) more(ctx context.Context, account string, of edge, fields string, gap *candor.CoverageGap, each func(node, *transport.Reply) bool) error {
	if c.reach[of] == refused || c.reach[of] == absent {
		return nil
	}
	c.reach[of] = unread
	complete, err := c.graph.List(ctx, account+"/"+string(of), url.Values{"fields": {fields}}, func(entry json.RawMessage, from *transport.Reply) bool {
		n, err := decodeNode(entry)
		return err == nil && each(n, from)
	})
	switch {
	case graph.NotOffered(err):
		c.reach[of] = absent
	case graph.Closed(err):
		c.reach[of] = refused
		if gap.Reason == "" {
			gap.Reason = candor.GapAccess
		} else {
			gap.Detail += "; "
		}
		gap.Detail += fmt.Sprintf("the account's %s: %s", of, err)
	case err != nil:
		return fmt.Errorf("list %s: %w", of, err)
	case complete:
		c.reach[of] = whole
	}
	return nil
}

// Comments lists the conversation below a post, all levels, oldest first, with
// hidden replies and those that wait for approval. Below a reply of ours in a
// thread of others it walks down the replies to it. Answers to a ghost post are
// messages and no part of it.
func (c *Client) Comments(ctx context.Context, postUID string) (connector.Listing[sighting.Item], error) {
	switch c.kinds[postUID] {
	case candor.Story:
		return connector.Listing[sighting.Item]{}, nil
	case candor.Reply:
		return c.below(ctx, postUID)
	}
	var out connector.Listing[sighting.Item]
	seen := map[string]bool{}
	take := func(path string, held bool) (bool, error) {
		q := url.Values{"fields": {threadFields}, "reverse": {"false"}}
		return c.graph.List(ctx, postUID+"/"+path, q, func(entry json.RawMessage, from *transport.Reply) bool {
			n, err := decodeNode(entry)
			if err != nil {
				return false
			}
			if uid := string(n.ID); uid != postUID && !seen[uid] {
				it := c.reply(n, postUID, from.Answer.SHA, sighting.Listed)
				if held {
					it.State = candor.Held
				}
				seen[uid] = true
				out.Items = append(out.Items, it)
			}
			return true
		})
	}
	complete, err := take("conversation", false)
	if err != nil {
		return out, fmt.Errorf("list conversation of %s: %w", postUID, err)
	}
	if c.pending {
		all, err := take("pending_replies", true)
		switch {
		case graph.NotOffered(err) && (strings.Contains(err.Error(), "nonexisting") || strings.Contains(err.Error(), "Unknown path")):
			c.pending = false
		case graph.Closed(err):
			// Approvals are not turned on for this post: nothing waits.
		case err != nil:
			return out, fmt.Errorf("list pending replies of %s: %w", postUID, err)
		default:
			complete = complete && all
		}
	}
	out.Complete = complete
	return out, nil
}

// below walks down the replies to a reply of ours. The platform may keep those
// of strangers to itself: that is a gap, not a failure.
func (c *Client) below(ctx context.Context, root string) (connector.Listing[sighting.Item], error) {
	out := connector.Listing[sighting.Item]{Complete: true}
	seen := map[string]bool{root: true}
	for next := []string{root}; len(next) > 0; next = next[1:] {
		if len(seen) > deepest {
			out.Complete = false
			return out, nil
		}
		q := url.Values{"fields": {threadFields}, "reverse": {"false"}}
		complete, err := c.graph.List(ctx, next[0]+"/replies", q, func(entry json.RawMessage, from *transport.Reply) bool {
			n, err := decodeNode(entry)
			if err != nil {
				return false
			}
			if uid := string(n.ID); !seen[uid] {
				seen[uid] = true
				it := c.reply(n, root, from.Answer.SHA, sighting.Listed)
				if it.Kind = candor.Reply; n.RepliedTo == nil {
					it.ParentUID = next[0]
				}
				out.Items = append(out.Items, it)
				if n.HasReplies != nil && *n.HasReplies {
					next = append(next, uid)
				}
			}
			return true
		})
		out.Complete = out.Complete && complete
		if graph.Closed(err) {
			out.Complete = false
			out.Gap = candor.CoverageGap{Reason: candor.GapAccess, Detail: fmt.Sprintf("the replies to %s: %s", next[0], err)}
		} else if err != nil {
			return out, fmt.Errorf("list replies to %s: %w", next[0], err)
		}
	}
	return out, nil
}

// deepest is how many replies below one of ours are followed.
const deepest = 1000

// Look reads one object by its id. An error means that nothing was learnt about
// any object; Unclear means that this one could not be read.
func (c *Client) Look(ctx context.Context, uid string, kind candor.RecordKind, rootUID string) (sighting.Standing, *sighting.Item, string, error) {
	isPost, isElsewhere := kind == candor.Post || kind == candor.Story, kind == candor.Reply && rootUID == uid
	fields := threadFields
	switch {
	case isPost:
		fields = postFields
	case isElsewhere:
		fields = replyFields
	}
	reply, err := c.graph.Get(ctx, uid, url.Values{"fields": {fields}})
	if err != nil {
		standing, sha, ok := graph.Standing(err)
		if !ok {
			return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
		}
		if standing == sighting.Gone {
			switch {
			case kind == candor.Story && c.reach[ghosts] != absent: // else they are among the posts
				standing = c.reach[ghosts].vouches()
			case isElsewhere:
				standing = c.reach[replies].vouches()
			}
		}
		return standing, nil, sha, nil
	}
	sha := reply.Answer.SHA
	n, err := decodeNode(reply.Body)
	if err != nil {
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	}
	var item sighting.Item
	switch {
	case string(n.ID) != uid || n.Type == repost:
		return sighting.Unclear, nil, sha, nil
	case isPost:
		item = c.post(n, kind, sha, sighting.Direct).Item
	case isElsewhere:
		item = c.elsewhere(n, sha, sighting.Direct).Item
	default:
		item = c.reply(n, rootUID, sha, sighting.Direct)
		if waits, err := c.waits(ctx, uid); err != nil {
			return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
		} else if waits {
			item.State = candor.Held
		}
	}
	return sighting.Here, &item, sha, nil
}

// waits asks whether a reply waits for approval. Conversations do not say, so
// it is no part of the common selection; and what waits must not be taken for
// shown to everyone.
func (c *Client) waits(ctx context.Context, uid string) (bool, error) {
	reply, err := c.graph.Get(ctx, uid, url.Values{"fields": {"id,reply_approval_status"}})
	if graph.Closed(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	n, err := decodeNode(reply.Body)
	status := strings.ToLower(n.Approval)
	return status == "pending" || status == "ignored", err
}

// vouches is what it means that the platform calls something gone, by the
// listing that would have it.
func (r reach) vouches() sighting.Standing {
	switch r {
	case whole:
		return sighting.Gone
	case refused:
		return sighting.Denied
	}
	return sighting.Unclear
}
