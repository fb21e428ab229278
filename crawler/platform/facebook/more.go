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

// edge is where a record is listed. Its id and kind tell, but for visitors'
// posts.
type edge string

const (
	posts    edge = "published_posts"
	reels    edge = "video_reels"
	stories  edge = "stories"
	visitors edge = "visitor_posts"
	comments edge = "comments"
)

// reach is how far a listing was read in this poll.
type reach int

const (
	unread  reach = iota // not asked for, or not to its end
	whole                // to its end, every entry understood
	refused              // our access may not read it
	absent               // the API has none here
)

const (
	reelFields  = "id,title,description,created_time,updated_time,permalink_url,published,source," + countFields
	storyFields = "post_id,status,creation_time,media_type,media_id,url"
)

func edgeOf(uid string, kind candor.RecordKind) edge {
	switch {
	case kind == candor.Story:
		return stories
	case kind != candor.Post:
		return comments
	case strings.Contains(uid, "_"): // Page and post; a video has a number of its own
		return posts
	}
	return reels
}

func (e edge) fields() string {
	switch e {
	case stories:
		return "id"
	case reels:
		return reelFields
	case comments:
		return commentFields
	}
	return postFields
}

// more reads the listings beside the posts. One that is refused is a gap, and
// is not asked again.
func (c *Client) more(ctx context.Context, page string, out *connector.Listing[connector.Post]) error {
	for _, l := range []struct {
		of     edge
		fields string
		read   func(context.Context, json.RawMessage, *transport.Reply) (*connector.Post, error)
	}{
		{reels, reelFields, c.readReel},
		{stories, storyFields, c.readStory},
		{visitors, postFields, c.readVisitor},
	} {
		if c.reach[l.of] == refused || c.reach[l.of] == absent || l.of == visitors && c.cfg.Visitor == nil {
			continue
		}
		c.reach[l.of] = unread
		var trouble error
		complete, err := c.graph.List(ctx, page+"/"+string(l.of), url.Values{"fields": {l.fields}}, func(entry json.RawMessage, from *transport.Reply) bool {
			if trouble != nil {
				return false
			}
			p, err := l.read(ctx, entry, from)
			if err != nil {
				trouble = err
				return false
			}
			if p != nil && p.UID != "" {
				out.Items = append(out.Items, *p)
			}
			return p != nil
		})
		if err == nil {
			err = trouble
		}
		switch {
		case graph.NotOffered(err):
			c.reach[l.of] = absent
		case graph.Closed(err):
			c.reach[l.of] = refused
			if out.Gap.Reason == "" {
				out.Gap.Reason = candor.GapAccess
			} else {
				out.Gap.Detail += "; "
			}
			out.Gap.Detail += fmt.Sprintf("the Page's %s: %s", l.of, err)
		case err != nil:
			return fmt.Errorf("list %s: %w", l.of, err)
		case complete:
			c.reach[l.of] = whole
		}
	}
	return nil
}

// vouched is what it means that the platform calls an object gone: only the
// listing that would have it can bear that out. Published posts and comments
// are the caller's to check, by what Posts and Comments said.
func (c *Client) vouched(ctx context.Context, of edge, uid string) (sighting.Standing, error) {
	switch of {
	case comments:
		return sighting.Gone, nil
	case posts:
		if c.cfg.Visitor == nil {
			return sighting.Gone, nil
		}
		theirs, err := c.cfg.Visitor(ctx, uid)
		if err != nil || !theirs {
			return sighting.Gone, err
		}
		of = visitors
	}
	switch c.reach[of] {
	case whole:
		return sighting.Gone, nil
	case refused:
		return sighting.Denied, nil
	}
	return sighting.Unclear, nil
}

// A reader gives nil for an entry that is not understood, and a post without
// an id for one that is left out. An error ends the listing.

func (c *Client) readReel(_ context.Context, entry json.RawMessage, from *transport.Reply) (*connector.Post, error) {
	n, err := decodeNode(entry)
	if err != nil {
		return nil, nil
	}
	p := c.reel(n, from.Answer.SHA, sighting.Listed)
	return &p, nil
}

func (c *Client) reel(n node, sha, how string) connector.Post {
	p := c.post(n, sha, how)
	p.Text = strings.TrimSpace(n.Title + "\n\n" + n.Description)
	if n.Published != nil && !*n.Published {
		p.State = candor.Hidden
	}
	a, fetch := graph.Attachment("video", n.Source, p.URL, "", "the API gave no address for the video")
	a.N = 1
	p.Attachments, p.Fetch = []candor.Attachment{a}, []string{fetch}
	return p
}

func (c *Client) readVisitor(_ context.Context, entry json.RawMessage, from *transport.Reply) (*connector.Post, error) {
	n, err := decodeNode(entry)
	if err != nil {
		return nil, nil
	}
	p := c.post(n, from.Answer.SHA, sighting.Listed)
	if n.From == nil {
		p.AuthorID, p.ByAgency = "", false // the platform does not name every visitor
	}
	return &p, nil
}

func (c *Client) readStory(ctx context.Context, entry json.RawMessage, from *transport.Reply) (*connector.Post, error) {
	n, err := decodeStory(entry)
	if err != nil {
		return nil, nil
	}
	if !strings.EqualFold(n.Status, "PUBLISHED") {
		return &connector.Post{}, nil // the Page's own archive: shown to nobody any more
	}
	p := connector.Post{Item: sighting.Item{
		UID: string(n.PostID), Kind: candor.Story, RootUID: string(n.PostID), AuthorID: c.pageID, ByAgency: true, URL: c.resolve(n.URL),
		PostedAt: graph.Time(string(n.Created)), AnswerSHA: from.Answer.SHA, How: sighting.Listed,
	}}
	if n.MediaID != "" {
		a, fetch, err := c.storyMedia(ctx, n)
		if err != nil {
			return nil, err
		}
		p.Attachments, p.Fetch = []candor.Attachment{a}, []string{fetch}
	}
	c.stories[p.UID] = p.Item
	return &p, nil
}

// storyMedia asks where the picture or video of a story is; the listing names
// only its id. The id is what stays the same, so it is what the attachment
// stands at.
func (c *Client) storyMedia(ctx context.Context, n storyNode) (candor.Attachment, string, error) {
	a := candor.Attachment{ID: candor.NewID(), N: 1, Type: "photo", URL: c.resolve("/" + url.PathEscape(string(n.MediaID)))}
	fields := "images"
	if strings.Contains(strings.ToLower(n.MediaType), "video") {
		a.Type, fields = "video", "source"
	}
	reply, err := c.graph.Get(ctx, string(n.MediaID), url.Values{"fields": {fields}})
	switch {
	case graph.Closed(err):
		a.Failure = "the API did not say where it is: " + err.Error()
		return a, "", nil
	case err != nil:
		return a, "", fmt.Errorf("read media of story %s: %w", n.PostID, err)
	}
	fetch := decodeMediaSource(reply.Body)
	if fetch == "" {
		a.Failure = "the API did not say where it is"
	}
	return a, fetch, nil
}
