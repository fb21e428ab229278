package threads

import (
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/platform/graph"
	"github.com/candor-archive/candor/crawler/sighting"
)

// repost is the type of what only shows another's post again.
const repost = "REPOST_FACADE"

// node is a post, a reply, or a part of a carousel. Fields that are not here
// stay in the verbatim answer.
type node struct {
	ID         graph.ID   `json:"id"`
	Type       string     `json:"media_type"`
	MediaURL   string     `json:"media_url"`
	GIF        string     `json:"gif_url"`
	Permalink  string     `json:"permalink"`
	Owner      *graph.Ref `json:"owner"`
	Username   string     `json:"username"`
	Text       string     `json:"text"`
	Timestamp  string     `json:"timestamp"`
	AltText    string     `json:"alt_text"`
	Link       string     `json:"link_attachment_url"`
	Ghost      string     `json:"ghost_post_status"`
	HasReplies *bool      `json:"has_replies"`
	OwnReply   bool       `json:"is_reply_owned_by_me"`
	Root       *graph.Ref `json:"root_post"`
	RepliedTo  *graph.Ref `json:"replied_to"`
	HideStatus string     `json:"hide_status"`
	Approval   string     `json:"reply_approval_status"`
	Children   *struct {
		Data []node `json:"data"`
	} `json:"children"`
	Quoted *struct {
		ID        graph.ID `json:"id"`
		Permalink string   `json:"permalink"`
	} `json:"quoted_post"`
	Poll *struct {
		A string `json:"option_a"`
		B string `json:"option_b"`
		C string `json:"option_c"`
		D string `json:"option_d"`
	} `json:"poll_attachment"`
	Long *struct {
		Text string `json:"plaintext"`
		Link string `json:"link_attachment_url"`
	} `json:"text_attachment"`
}

func (n node) root() string {
	if n.Root == nil {
		return ""
	}
	return string(n.Root.ID)
}

func decodeNode(body []byte) (node, error) {
	var n node
	if err := graph.Decode(body, &n); err != nil {
		return node{}, err
	}
	if n.ID == "" {
		return node{}, &connector.Error{Class: connector.Refused, Message: "the object has no id"}
	}
	return n, nil
}

func decodeProfile(body []byte) (connector.Profile, error) {
	var p struct {
		ID       graph.ID `json:"id"`
		Name     string   `json:"name"`
		Username string   `json:"username"`
	}
	if err := graph.Decode(body, &p); err != nil {
		return connector.Profile{}, err
	}
	if p.ID == "" || p.Username == "" {
		return connector.Profile{}, &connector.Error{Class: connector.Refused, Message: "the account has no id or no name"}
	}
	return connector.Profile{ID: string(p.ID), Name: p.Name, Username: p.Username}, nil
}

// post makes a sighting of a post of the account.
func (c *Client) post(n node, kind candor.RecordKind, sha, how string) connector.Post {
	p := connector.Post{Comments: -1, Item: c.item(n, sha, how)}
	p.Kind, p.RootUID = kind, p.UID
	if n.Ghost != "" {
		p.Kind = candor.Story
	}
	if p.Author == "" || p.ByAgency { // the listing is of the account's own
		p.AuthorID, p.Author, p.ByAgency = c.id, c.username, true
	}
	if n.HasReplies != nil && !*n.HasReplies {
		p.Comments = 0 // else the platform does not say how many
	}
	return p
}

// elsewhere makes a sighting of a reply of the account in a thread of others.
func (c *Client) elsewhere(n node, sha, how string) connector.Post {
	p := c.post(n, candor.Reply, sha, how)
	p.Kind = candor.Reply
	return p
}

// reply makes a sighting of a reply below a root of ours.
func (c *Client) reply(n node, root, sha, how string) sighting.Item {
	it := c.item(n, sha, how)
	it.Kind, it.RootUID, it.ParentUID = candor.Comment, root, root
	if n.RepliedTo != nil && n.RepliedTo.ID != "" && n.RepliedTo.ID != n.ID && string(n.RepliedTo.ID) != root {
		it.Kind, it.ParentUID = candor.Reply, string(n.RepliedTo.ID)
	}
	switch n.HideStatus {
	case "", "NOT_HUSHED", "UNHUSHED":
	case "BLOCKED", "RESTRICTED":
		it.State = candor.Withheld
	default: // HIDDEN, COVERED; what else there may be is not shown to everyone either
		it.State = candor.Hidden
	}
	return it
}

func (c *Client) item(n node, sha, how string) sighting.Item {
	it := sighting.Item{
		UID: string(n.ID), Author: n.Username, URL: connector.WebURL(n.Permalink), Text: n.words(), PostedAt: graph.Time(n.Timestamp), AnswerSHA: sha, How: how,
	}
	if n.Owner != nil {
		it.AuthorID = string(n.Owner.ID)
	}
	it.ByAgency = n.OwnReply || it.AuthorID != "" && it.AuthorID == c.id || it.Author != "" && strings.EqualFold(it.Author, c.username)
	if it.ByAgency {
		it.AuthorID = c.id
	}
	it.Attachments, it.Fetch = n.attachments()
	return it
}

// words is what a person reads: the text, the longer text attached to it, and
// the choices of a poll. How many chose what is a count.
func (n node) words() string {
	parts := []string{n.Text}
	if n.Long != nil {
		parts = append(parts, n.Long.Text)
	}
	if n.Poll != nil {
		poll := "Poll:"
		for _, choice := range []string{n.Poll.A, n.Poll.B, n.Poll.C, n.Poll.D} {
			if choice != "" {
				poll += "\n- " + choice
			}
		}
		parts = append(parts, poll)
	}
	text := ""
	for _, p := range parts {
		if p != "" && text != "" {
			text += "\n\n"
		}
		text += p
	}
	return text
}

const withheld = "the API gave no address for it, as for flagged content"

// attachments gives what a node carries, in the order it is shown.
func (n node) attachments() (out []candor.Attachment, fetch []string) {
	add := func(a candor.Attachment, from string) {
		if a.URL != "" || a.Alt != "" || a.Failure != "" {
			a.N = len(out) + 1
			out, fetch = append(out, a), append(fetch, from)
		}
	}
	parts := []node{n}
	if n.Type == "CAROUSEL_ALBUM" {
		parts = nil
		if n.Children != nil {
			parts = n.Children.Data
		}
	}
	for _, p := range parts {
		switch p.Type {
		case "IMAGE":
			add(graph.Attachment("photo", p.MediaURL, n.Permalink, p.AltText, withheld))
		case "VIDEO":
			add(graph.Attachment("video", p.MediaURL, n.Permalink, p.AltText, withheld))
		case "AUDIO":
			add(graph.Attachment("file", p.MediaURL, n.Permalink, p.AltText, withheld))
		}
	}
	if n.GIF != "" {
		add(graph.Attachment("photo", n.GIF, n.Permalink, "", withheld))
	}
	link := func(address, alt string) {
		add(candor.Attachment{ID: candor.NewID(), Type: "link", URL: connector.WebURL(address), Alt: alt}, "")
	}
	if n.Link != "" {
		link(n.Link, "")
	}
	if n.Long != nil && n.Long.Link != "" {
		link(n.Long.Link, "")
	}
	if n.Quoted != nil && n.Quoted.ID != "" {
		link(n.Quoted.Permalink, "Quoted post "+string(n.Quoted.ID))
	}
	return out, fetch
}
