package facebook

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/platform/graph"
	"github.com/candor-archive/candor/crawler/sighting"
)

// node is a post or a comment. Fields that are not here stay in the verbatim
// answer.
type node struct {
	ID          graph.ID   `json:"id"`
	Message     string     `json:"message"`
	Story       string     `json:"story"`
	Created     string     `json:"created_time"`
	Updated     string     `json:"updated_time"`
	From        *graph.Ref `json:"from"`
	Parent      *graph.Ref `json:"parent"`
	Permalink   string     `json:"permalink_url"`
	IsHidden    bool       `json:"is_hidden"`
	IsPublished *bool      `json:"is_published"`
	Title       string     `json:"title"` // of a video, as the next three
	Description string     `json:"description"`
	Published   *bool      `json:"published"`
	Source      string     `json:"source"`
	Attachments *struct {
		Data []attachment `json:"data"`
	} `json:"attachments"`
	Attachment *attachment `json:"attachment"`
	Comments   *struct {
		Summary *struct {
			Total *int `json:"total_count"`
		} `json:"summary"`
	} `json:"comments"`
}

type attachment struct {
	MediaType   string `json:"media_type"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	URL         string `json:"url"`
	Unshimmed   string `json:"unshimmed_url"`
	Media       *struct {
		Image *struct {
			Src string `json:"src"`
		} `json:"image"`
		Source string `json:"source"`
	} `json:"media"`
	Sub *struct {
		Data []attachment `json:"data"`
	} `json:"subattachments"`
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
		ID       string `json:"id"`
		Name     string `json:"name"`
		Username string `json:"username"`
		Link     string `json:"link"`
	}
	if err := graph.Decode(body, &p); err != nil {
		return connector.Profile{}, err
	}
	if p.ID == "" {
		return connector.Profile{}, &connector.Error{Class: connector.Refused, Message: "the profile has no id"}
	}
	return connector.Profile{ID: p.ID, Name: p.Name, Username: p.Username, Link: p.Link}, nil
}

// storyNode is an entry of the listing of stories.
type storyNode struct {
	PostID    graph.ID `json:"post_id"`
	Status    string   `json:"status"`
	Created   graph.ID `json:"creation_time"` // Unix seconds, as a string or a number
	MediaType string   `json:"media_type"`
	MediaID   graph.ID `json:"media_id"`
	URL       string   `json:"url"`
}

func decodeStory(body []byte) (storyNode, error) {
	var n storyNode
	if err := graph.Decode(body, &n); err != nil {
		return storyNode{}, err
	}
	if n.PostID == "" {
		return storyNode{}, &connector.Error{Class: connector.Refused, Message: "the story has no id"}
	}
	return n, nil
}

// decodeMediaSource finds the address of a video, or of a photo's largest form.
func decodeMediaSource(body []byte) string {
	var m struct {
		Source string `json:"source"`
		Images []struct {
			Width  int    `json:"width"`
			Source string `json:"source"`
		} `json:"images"`
	}
	if err := graph.Decode(body, &m); err != nil {
		return ""
	}
	source, width := m.Source, 0
	for _, i := range m.Images {
		if source == "" || i.Width > width {
			source, width = i.Source, i.Width
		}
	}
	return connector.WebURL(source)
}

func (c *Client) post(n node, sha, how string) connector.Post {
	p := connector.Post{Comments: -1, Item: c.item(n, sha, how)}
	p.Kind, p.RootUID = candor.Post, p.UID
	if n.From == nil {
		p.AuthorID, p.ByAgency = c.pageID, true // the listing is of what the Page itself published
	}
	if p.Text == "" {
		p.Text = n.Story
	}
	if n.IsPublished != nil && !*n.IsPublished {
		p.State = candor.Hidden // withdrawn from the public, still readable by its owner
	}
	if n.Attachments != nil {
		p.Attachments, p.Fetch = attachments(n.Attachments.Data)
	}
	if n.Comments != nil && n.Comments.Summary != nil && n.Comments.Summary.Total != nil {
		p.Comments = *n.Comments.Summary.Total
	}
	return p
}

func (c *Client) comment(n node, postUID, sha, how string) (sighting.Item, bool) {
	it := c.item(n, sha, how)
	if it.UID == postUID {
		return sighting.Item{}, false
	}
	it.Kind, it.RootUID, it.ParentUID = candor.Comment, postUID, postUID
	if n.Parent != nil && n.Parent.ID != "" && n.Parent.ID != n.ID && string(n.Parent.ID) != postUID {
		it.Kind, it.ParentUID = candor.Reply, string(n.Parent.ID)
	}
	if n.Attachment != nil {
		it.Attachments, it.Fetch = attachments([]attachment{*n.Attachment})
	}
	return it, true
}

func (c *Client) item(n node, sha, how string) sighting.Item {
	it := sighting.Item{
		UID: string(n.ID), Text: n.Message, PostedAt: graph.Time(n.Created), UpdatedAt: graph.Time(n.Updated),
		AnswerSHA: sha, How: how, URL: c.permalink(n),
	}
	if n.IsHidden {
		it.State = candor.Hidden
	}
	if n.From != nil {
		it.AuthorID, it.Author = string(n.From.ID), n.From.Name
		it.ByAgency = it.AuthorID != "" && it.AuthorID == c.pageID
	}
	return it
}

func (c *Client) permalink(n node) string {
	if n.Permalink == "" {
		return c.resolve("/" + url.PathEscape(string(n.ID)))
	}
	return c.resolve(n.Permalink)
}

// resolve makes a web address of a link that may be relative; "" of any other.
func (c *Client) resolve(link string) string {
	u, err := c.site.Parse(link)
	if err != nil || link == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return u.String()
}

// attachments flattens albums: their pictures, in order, in place of the album.
func attachments(list []attachment) (out []candor.Attachment, fetch []string) {
	var walk func([]attachment, int)
	walk = func(list []attachment, depth int) {
		for _, a := range list {
			if a.Sub != nil && len(a.Sub.Data) > 0 && depth < 3 {
				walk(a.Sub.Data, depth+1)
				continue
			}
			if x, from, ok := a.attachment(); ok {
				x.N = len(out) + 1
				out, fetch = append(out, x), append(fetch, from)
			}
		}
	}
	walk(list, 0)
	return out, fetch
}

// attachment gives one attachment and the address its bytes are fetched from;
// a link has none, its target is a page of its own.
func (a attachment) attachment() (candor.Attachment, string, bool) {
	image, source := "", ""
	if a.Media != nil {
		source = a.Media.Source
		if a.Media.Image != nil {
			image = a.Media.Image.Src
		}
	}
	kind := strings.ToLower(a.MediaType + " " + a.Type)
	x := candor.Attachment{ID: candor.NewID(), Alt: a.Description}
	switch {
	case strings.Contains(kind, "video"):
		x.Type, x.URL = "video", cmp.Or(source, image)
	case strings.Contains(kind, "link") || strings.Contains(kind, "share"):
		x.Type, x.URL = "link", cmp.Or(a.Unshimmed, a.URL)
		x.Alt = strings.TrimSpace(a.Title + "\n" + a.Description)
	case image != "":
		x.Type, x.URL = "photo", image
	case source != "":
		x.Type, x.URL = "file", source
	default:
		// An event, a place, a profile: something of its own that is pointed to.
		x.Type, x.URL = "link", cmp.Or(a.Unshimmed, a.URL)
		x.Alt = strings.TrimSpace(a.Title + "\n" + a.Description)
	}
	fetch := connector.WebURL(x.URL)
	x.URL = graph.StableURL(fetch)
	if x.Type == "link" {
		fetch = ""
	}
	return x, fetch, x.URL != "" || x.Alt != ""
}
