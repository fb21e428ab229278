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

// media is a post, a reel, a story, or a part of a carousel. Fields that are
// not here stay in the verbatim answer.
type media struct {
	ID             graph.ID        `json:"id"`
	Caption        string          `json:"caption"`
	AltText        string          `json:"alt_text"`
	Type           string          `json:"media_type"`
	Product        string          `json:"media_product_type"`
	URL            string          `json:"media_url"`
	Permalink      string          `json:"permalink"`
	Timestamp      string          `json:"timestamp"`
	Username       string          `json:"username"`
	Owner          *graph.Ref      `json:"owner"`
	Comments       *int            `json:"comments_count"`
	CommentEnabled *bool           `json:"is_comment_enabled"`
	Children       json.RawMessage `json:"children"`
}

// comment is a comment or a reply.
type comment struct {
	ID        graph.ID        `json:"id"`
	Text      string          `json:"text"`
	Timestamp string          `json:"timestamp"`
	Username  string          `json:"username"`
	From      *graph.Ref      `json:"from"`
	Hidden    bool            `json:"hidden"`
	ParentID  graph.ID        `json:"parent_id"`
	Replies   json.RawMessage `json:"replies"`
}

func decodeMedia(body []byte) (media, error) {
	var m media
	if err := graph.Decode(body, &m); err != nil {
		return media{}, err
	}
	if m.ID == "" {
		return media{}, &connector.Error{Class: connector.Refused, Message: "the media has no id"}
	}
	return m, nil
}

func decodeComment(body []byte) (comment, error) {
	var n comment
	if err := graph.Decode(body, &n); err != nil {
		return comment{}, err
	}
	if n.ID == "" {
		return comment{}, &connector.Error{Class: connector.Refused, Message: "the comment has no id"}
	}
	return n, nil
}

// decodeProfile reads an account. Instagram Login knows two ids for it: the
// edges take, and comments name, the one called user_id.
func decodeProfile(body []byte) (connector.Profile, error) {
	var p struct {
		UserID   graph.ID `json:"user_id"`
		ID       graph.ID `json:"id"`
		Name     string   `json:"name"`
		Username string   `json:"username"`
	}
	if err := graph.Decode(body, &p); err != nil {
		return connector.Profile{}, err
	}
	if p.UserID == "" {
		p.UserID = p.ID
	}
	if p.UserID == "" || p.Username == "" {
		return connector.Profile{}, &connector.Error{Class: connector.Refused, Message: "the account has no id or no name"}
	}
	return connector.Profile{ID: string(p.UserID), Name: p.Name, Username: p.Username}, nil
}

// decodeConnected reads the account that is connected to a Page.
func decodeConnected(body []byte) (connector.Profile, bool) {
	var page struct {
		Account json.RawMessage `json:"instagram_business_account"`
	}
	if json.Unmarshal(body, &page) != nil || len(page.Account) == 0 {
		return connector.Profile{}, false
	}
	p, err := decodeProfile(page.Account)
	return p, err == nil
}

// post makes a sighting of a media. ok is false when a carousel's parts are
// not understood; an error comes only of the calls that a long carousel takes.
func (c *Client) post(ctx context.Context, m media, kind candor.RecordKind, sha, how string) (p connector.Post, ok bool, err error) {
	parts, ok, err := c.parts(ctx, m)
	if !ok || err != nil {
		return connector.Post{}, false, err
	}
	p = connector.Post{Comments: -1, Item: sighting.Item{
		UID: string(m.ID), Kind: kind, RootUID: string(m.ID), Author: m.Username, URL: connector.WebURL(m.Permalink), Text: m.Caption,
		PostedAt: graph.Time(m.Timestamp), AnswerSHA: sha, How: how,
	}}
	if strings.EqualFold(m.Product, "STORY") {
		p.Kind = candor.Story
	}
	// The listing is of the account's own media; where it shares one with another
	// account, the name says whose it is.
	if p.ByAgency = m.Username == "" || strings.EqualFold(m.Username, c.username); p.ByAgency {
		p.AuthorID, p.Author = c.id, c.username
	} else if m.Owner != nil {
		p.AuthorID = string(m.Owner.ID)
	}
	if m.Comments != nil {
		p.Comments = *m.Comments
	}
	for _, part := range parts {
		link := part.Permalink
		if link == "" {
			link = m.Permalink
		}
		kind := "photo"
		if part.Type == "VIDEO" {
			kind = "video"
		}
		a, fetch := graph.Attachment(kind, part.URL, link, part.AltText, "the API gave no address for it, as for licensed music and flagged content")
		a.N = len(p.Attachments) + 1
		p.Attachments, p.Fetch = append(p.Attachments, a), append(p.Fetch, fetch)
	}
	return p, true, nil
}

// parts gives the pictures and videos of a media: its children, or itself.
func (c *Client) parts(ctx context.Context, m media) (out []media, ok bool, err error) {
	if m.Type != "CAROUSEL_ALBUM" {
		return []media{m}, true, nil
	}
	add := func(entry json.RawMessage, _ *transport.Reply) bool {
		child, err := decodeMedia(entry)
		if err == nil {
			out = append(out, child)
		}
		return err == nil
	}
	page, err := graph.DecodePage(m.Children)
	if err == nil && !page.More {
		ok = true
		for _, entry := range page.Entries {
			ok = add(entry, nil) && ok
		}
		return out, ok, nil
	}
	ok, err = c.graph.List(ctx, string(m.ID)+"/children", url.Values{"fields": {childFields}}, add)
	if graph.Closed(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("list children of %s: %w", m.ID, err)
	}
	return out, ok, nil
}

// comment makes a sighting of a comment. below is the comment it was listed
// under; empty when that is not known from the listing.
func (c *Client) comment(n comment, postUID, below, sha, how string) sighting.Item {
	it := sighting.Item{
		UID: string(n.ID), Kind: candor.Comment, RootUID: postUID, ParentUID: postUID, Author: n.Username, URL: c.posts[postUID].URL,
		Text: n.Text, PostedAt: graph.Time(n.Timestamp), AnswerSHA: sha, How: how,
	}
	parent := string(n.ParentID)
	if parent == "" {
		parent = below
	}
	if parent != "" && parent != postUID && parent != it.UID {
		it.Kind, it.ParentUID = candor.Reply, parent
	}
	if n.Hidden {
		it.State = candor.Hidden
	}
	if n.From != nil {
		it.AuthorID = string(n.From.ID)
		if it.Author == "" {
			it.Author = n.From.Username
		}
	}
	it.ByAgency = it.AuthorID != "" && it.AuthorID == c.id || it.Author != "" && strings.EqualFold(it.Author, c.username)
	return it
}
