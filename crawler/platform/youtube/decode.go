package youtube

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
)

// The kinds of answer. An answer of another kind is not an empty list.
const (
	channelList  = "youtube#channelListResponse"
	playlistList = "youtube#playlistItemListResponse"
	videoList    = "youtube#videoListResponse"
	threadList   = "youtube#commentThreadListResponse"
	commentList  = "youtube#commentListResponse"
)

// list is one page of an answer.
type list struct {
	items []json.RawMessage
	next  string // token of the next page; empty on the last
	total int    // how many there are in all, as far as that is said; -1 when it is not
}

// decodeList reads a page. The API leaves out "items" where it has none, so it
// is the kind that shows that a list was meant.
func decodeList(body []byte, kind string) (list, error) {
	var raw struct {
		Kind     string            `json:"kind"`
		Items    []json.RawMessage `json:"items"`
		Next     string            `json:"nextPageToken"`
		PageInfo struct {
			Total *int `json:"totalResults"`
		} `json:"pageInfo"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return list{}, &connector.Error{Class: connector.Transient, Message: "the list is not whole JSON: " + err.Error(), Cause: err}
	}
	if raw.Kind != kind {
		return list{}, &connector.Error{Class: connector.Refused, Message: "the answer is not a " + kind}
	}
	l := list{items: raw.Items, next: raw.Next, total: -1}
	if raw.PageInfo.Total != nil {
		l.total = *raw.PageInfo.Total
	}
	return l, nil
}

type channel struct {
	ID      string `json:"id"`
	Snippet *struct {
		Title     string `json:"title"`
		CustomURL string `json:"customUrl"`
	} `json:"snippet"`
	ContentDetails struct {
		RelatedPlaylists struct {
			Uploads string `json:"uploads"`
		} `json:"relatedPlaylists"`
	} `json:"contentDetails"`
	Statistics struct {
		VideoCount json.Number `json:"videoCount"`
	} `json:"statistics"`
}

// playlistItem is an entry of the list of uploads.
type playlistItem struct {
	Snippet struct {
		Title      string `json:"title"`
		ResourceID struct {
			VideoID string `json:"videoId"`
		} `json:"resourceId"`
	} `json:"snippet"`
	ContentDetails struct {
		VideoID string `json:"videoId"`
	} `json:"contentDetails"`
	Status struct {
		PrivacyStatus string `json:"privacyStatus"`
	} `json:"status"`
}

func (p playlistItem) videoID() string {
	if p.ContentDetails.VideoID != "" {
		return p.ContentDetails.VideoID
	}
	return p.Snippet.ResourceID.VideoID
}

// private and deleted report whether the list itself says why the video cannot
// be had. The titles are those the API puts in place of the real ones.
func (p playlistItem) private() bool {
	return p.Status.PrivacyStatus == "private" || p.Snippet.Title == "Private video"
}

func (p playlistItem) deleted() bool {
	return p.Status.PrivacyStatus == "privacyStatusUnspecified" || p.Snippet.Title == "Deleted video"
}

type video struct {
	ID      string `json:"id"`
	Snippet *struct {
		PublishedAt     string               `json:"publishedAt"`
		ChannelID       string               `json:"channelId"`
		ChannelTitle    string               `json:"channelTitle"`
		Title           string               `json:"title"`
		Description     string               `json:"description"`
		DefaultLanguage string               `json:"defaultLanguage"`
		Thumbnails      map[string]thumbnail `json:"thumbnails"`
	} `json:"snippet"`
	Status *struct {
		PrivacyStatus string `json:"privacyStatus"`
	} `json:"status"`
	Statistics *struct {
		CommentCount *json.Number `json:"commentCount"`
	} `json:"statistics"`
}

type thumbnail struct {
	URL string `json:"url"`
}

type thread struct {
	Snippet struct {
		TopLevelComment *comment `json:"topLevelComment"`
		TotalReplyCount int      `json:"totalReplyCount"`
	} `json:"snippet"`
	Replies struct {
		Comments []json.RawMessage `json:"comments"`
	} `json:"replies"`
}

type comment struct {
	ID      string `json:"id"`
	Snippet *struct {
		AuthorDisplayName string `json:"authorDisplayName"`
		AuthorChannelID   struct {
			Value string `json:"value"`
		} `json:"authorChannelId"`
		VideoID          string  `json:"videoId"`
		ParentID         string  `json:"parentId"`
		TextDisplay      string  `json:"textDisplay"`
		TextOriginal     *string `json:"textOriginal"`
		ImageURL         string  `json:"imageUrl"`
		ModerationStatus string  `json:"moderationStatus"`
		PublishedAt      string  `json:"publishedAt"`
		UpdatedAt        string  `json:"updatedAt"`
	} `json:"snippet"`
}

// post makes a sighting of a video.
func (c *Client) post(v video, sha, how string) (connector.Post, bool) {
	if v.ID == "" || v.Snippet == nil {
		return connector.Post{}, false
	}
	s := v.Snippet
	p := connector.Post{Comments: -1, Item: sighting.Item{
		UID: v.ID, Kind: candor.Post, RootUID: v.ID, AuthorID: s.ChannelID, Author: s.ChannelTitle,
		ByAgency: s.ChannelID != "" && s.ChannelID == c.channelID, URL: c.watch(v.ID, ""),
		Text: s.Title, Language: primary(s.DefaultLanguage), PostedAt: connector.Time(s.PublishedAt), AnswerSHA: sha, How: how,
	}}
	if s.Description != "" {
		p.Text += "\n\n" + s.Description
	}
	if v.Status != nil && (v.Status.PrivacyStatus == "private" || v.Status.PrivacyStatus == "unlisted") {
		p.State = candor.Private
	}
	if v.Statistics != nil && v.Statistics.CommentCount != nil {
		if n, err := v.Statistics.CommentCount.Int64(); err == nil && n >= 0 && n < 1<<31 {
			p.Comments = int(n)
		}
	}
	if lasting, from := picture(s.Thumbnails); lasting != "" {
		p.Attachments = append(p.Attachments, candor.Attachment{N: 1, Type: "photo", URL: lasting, Alt: s.Title})
		p.Fetch = append(p.Fetch, from)
	}
	p.Attachments = append(p.Attachments, candor.Attachment{
		N: len(p.Attachments) + 1, Type: "video", URL: p.URL, Failure: "YouTube's API does not give the file of a video",
	})
	p.Fetch = append(p.Fetch, "")
	return p, true
}

// picture gives the address that names a video's thumbnail and the one its
// bytes are fetched from. The largest is fetched. It is named by a small one,
// which is there from the start: the larger come as the video is processed, and
// that is nobody's edit. Nor is it one that a broadcast ends, during which the
// name has another ending.
func picture(sizes map[string]thumbnail) (lasting, from string) {
	for _, name := range []string{"maxres", "standard", "high", "medium", "default"} {
		u := connector.WebURL(sizes[name].URL)
		if u == "" {
			continue
		}
		if from == "" {
			from = u
		}
		if lasting == "" || name == "high" {
			lasting = u
		}
	}
	return strings.Replace(lasting, "_live.jpg", ".jpg", 1), from
}

// comment makes a sighting of a comment or reply. root is the video; when it is
// not known, the answer's own word is taken. held says that the listing was one
// of comments that are not published.
func (c *Client) comment(m comment, root, sha, how string, held bool) (sighting.Item, bool) {
	if m.ID == "" || m.Snippet == nil {
		return sighting.Item{}, false
	}
	s := m.Snippet
	if root == "" {
		root = s.VideoID
	}
	if m.ID == root || s.VideoID != "" && s.VideoID != root {
		return sighting.Item{}, false
	}
	it := sighting.Item{
		UID: m.ID, Kind: candor.Comment, RootUID: root, ParentUID: root, AuthorID: s.AuthorChannelID.Value, Author: s.AuthorDisplayName,
		ByAgency: s.AuthorChannelID.Value != "" && s.AuthorChannelID.Value == c.channelID,
		Text:     s.TextDisplay, PostedAt: connector.Time(s.PublishedAt), AnswerSHA: sha, How: how,
	}
	if root != "" {
		it.URL = c.watch(root, m.ID)
	}
	if s.TextOriginal != nil {
		it.Text = *s.TextOriginal
	}
	// The id of a reply is that of the thread, a dot, and its own.
	parent, _, reply := strings.Cut(m.ID, ".")
	if s.ParentID != "" {
		parent, reply = s.ParentID, true
	}
	if reply && parent != "" && parent != m.ID {
		it.Kind, it.ParentUID = candor.Reply, parent
	}
	if t := connector.Time(s.UpdatedAt); !t.Equal(it.PostedAt) {
		it.UpdatedAt = t
	}
	switch {
	case s.ModerationStatus == "heldForReview" || s.ModerationStatus == "likelySpam":
		it.State = candor.Held
	case s.ModerationStatus == "rejected":
		it.State = candor.Hidden
	case held && s.ModerationStatus == "":
		it.State = candor.Held
	case c.withdrawn[root]:
		it.State = candor.Private // shown to those only who see the video
	}
	if u := connector.WebURL(s.ImageURL); u != "" {
		it.Attachments, it.Fetch = []candor.Attachment{{N: 1, Type: "photo", URL: u}}, []string{u}
	}
	return it, true
}

// watch is the page that shows a video, and a comment on top of the others.
func (c *Client) watch(videoID, commentID string) string {
	link := c.site + "/watch?v=" + url.QueryEscape(videoID)
	if commentID != "" {
		link += "&lc=" + url.QueryEscape(commentID)
	}
	return link
}

// primary is the language of a tag of BCP 47, without region and script.
func primary(tag string) string {
	lang, _, _ := strings.Cut(tag, "-")
	if len(lang) != 2 {
		return ""
	}
	return strings.ToLower(lang)
}
