package facebook

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
)

// node is a post or a comment. Fields that are not here stay in the verbatim
// answer.
type node struct {
	ID          string `json:"id"`
	Message     string `json:"message"`
	Story       string `json:"story"`
	Created     string `json:"created_time"`
	Updated     string `json:"updated_time"`
	From        *from  `json:"from"`
	Parent      *from  `json:"parent"`
	Permalink   string `json:"permalink_url"`
	IsHidden    bool   `json:"is_hidden"`
	IsPublished *bool  `json:"is_published"`
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

type from struct {
	ID   string `json:"id"`
	Name string `json:"name"`
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

type listing struct {
	nodes   []node
	skipped int        // entries that were not understood
	more    bool       // the platform says there is another page
	next    url.Values // what to add to the same call to get it
}

func decodeListing(body []byte) (listing, error) {
	var raw struct {
		Data   *[]json.RawMessage `json:"data"`
		Paging *struct {
			Cursors struct {
				After string `json:"after"`
			} `json:"cursors"`
			Next string `json:"next"`
		} `json:"paging"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return listing{}, &Error{Class: connector.Transient, Message: "the listing is not whole JSON: " + err.Error(), Cause: err}
	}
	if raw.Data == nil {
		// An answer without the field is not an empty listing.
		return listing{}, &Error{Class: connector.Refused, Message: "the answer is no listing"}
	}
	var l listing
	for _, entry := range *raw.Data {
		n, err := decodeNode(entry)
		if err != nil {
			l.skipped++
			continue
		}
		l.nodes = append(l.nodes, n)
	}
	if raw.Paging != nil && raw.Paging.Next != "" {
		l.more = true
		l.next = nextPage(raw.Paging.Cursors.After, raw.Paging.Next)
	}
	return l, nil
}

// pagingParams are the only ones taken from a "next" address, and only when
// the answer has no cursor: everything else in it (host, path, token, fields)
// is ours to decide.
var pagingParams = []string{"until", "since", "__paging_token", "after", "offset"}

func nextPage(after, next string) url.Values {
	if after != "" {
		return url.Values{"after": {after}}
	}
	out := url.Values{}
	u, err := url.Parse(next)
	if err != nil {
		return out
	}
	for _, name := range pagingParams {
		if v := u.Query().Get(name); v != "" {
			out.Set(name, v)
		}
	}
	return out
}

func decodeNode(body []byte) (node, error) {
	var n node
	if err := json.Unmarshal(body, &n); err != nil {
		return node{}, &Error{Class: connector.Transient, Message: "the object is not understood: " + err.Error(), Cause: err}
	}
	if n.ID == "" {
		return node{}, &Error{Class: connector.Refused, Message: "the object has no id"}
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
	if err := json.Unmarshal(body, &p); err != nil {
		return connector.Profile{}, &Error{Class: connector.Transient, Message: "the profile is not understood: " + err.Error(), Cause: err}
	}
	if p.ID == "" {
		return connector.Profile{}, &Error{Class: connector.Refused, Message: "the profile has no id"}
	}
	return connector.Profile(p), nil
}

func (c *Client) post(n node, sha, how string) (connector.Post, bool) {
	if n.ID == "" {
		return connector.Post{}, false
	}
	p := connector.Post{Comments: -1, Item: c.item(n, sha, how)}
	p.Kind, p.RootUID = candor.Post, n.ID
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
	return p, true
}

func (c *Client) comment(n node, postUID, sha, how string) (sighting.Item, bool) {
	if n.ID == "" || n.ID == postUID {
		return sighting.Item{}, false
	}
	it := c.item(n, sha, how)
	it.Kind, it.RootUID, it.ParentUID = candor.Comment, postUID, postUID
	if n.Parent != nil && n.Parent.ID != "" && n.Parent.ID != postUID && n.Parent.ID != n.ID {
		it.Kind, it.ParentUID = candor.Reply, n.Parent.ID
	}
	if n.Attachment != nil {
		it.Attachments, it.Fetch = attachments([]attachment{*n.Attachment})
	}
	return it, true
}

func (c *Client) item(n node, sha, how string) sighting.Item {
	it := sighting.Item{
		UID: n.ID, Text: n.Message, PostedAt: parseTime(n.Created), UpdatedAt: parseTime(n.Updated),
		AnswerSHA: sha, How: how, URL: c.permalink(n),
	}
	if n.IsHidden {
		it.State = candor.Hidden
	}
	if n.From != nil {
		it.AuthorID, it.Author, it.ByAgency = n.From.ID, n.From.Name, n.From.ID != "" && n.From.ID == c.pageID
	}
	return it
}

func (c *Client) permalink(n node) string {
	link := n.Permalink
	if link == "" {
		link = "/" + url.PathEscape(n.ID)
	}
	u, err := c.site.Parse(link)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
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
		x.Type, x.URL = "video", first(source, image)
	case strings.Contains(kind, "link") || strings.Contains(kind, "share"):
		x.Type, x.URL = "link", first(a.Unshimmed, a.URL)
		x.Alt = strings.TrimSpace(a.Title + "\n" + a.Description)
	case image != "":
		x.Type, x.URL = "photo", image
	case source != "":
		x.Type, x.URL = "file", source
	default:
		// An event, a place, a profile: something of its own that is pointed to.
		x.Type, x.URL = "link", first(a.Unshimmed, a.URL)
		x.Alt = strings.TrimSpace(a.Title + "\n" + a.Description)
	}
	fetch := safeURL(x.URL)
	x.URL = stableURL(fetch)
	if x.Type == "link" {
		fetch = ""
	}
	return x, fetch, x.URL != "" || x.Alt != ""
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

func safeURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return u.String()
}

// stableURL is the part of an attachment's address that stays the same from
// one answer to the next. The platform's media hosts are interchangeable and
// chosen anew for each answer; taking another host for an edit would fill the
// archive with edits nobody made.
func stableURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	if host, ok := strings.CutPrefix(u.Host, "scontent"); ok && strings.HasSuffix(u.Host, ".fbcdn.net") {
		if i := strings.IndexByte(host, '.'); i >= 0 {
			u.Host = "scontent" + host[i:]
		}
		u.RawQuery = ""
	}
	return u.String()
}
