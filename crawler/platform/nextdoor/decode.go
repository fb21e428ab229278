package nextdoor

import (
	"encoding/json"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
)

// post is a post. Fields that are not here, counts among them, stay in the
// verbatim answer.
type post struct {
	ID       id              `json:"id"`
	Title    string          `json:"title"`
	Body     string          `json:"body"`
	URL      lenient         `json:"url"`
	AuthorID id              `json:"author_id"`
	Epoch    moment          `json:"creation_date_epoch_seconds"`
	Created  moment          `json:"creation_date"`
	Media    []media         `json:"media"`
	Poll     json.RawMessage `json:"poll"`
	// Nil when the answer has no such field or null: then nothing is known of
	// the comments, and a post without any is something else.
	Comments []json.RawMessage `json:"comments"`
}

// comment is a comment or a reply. The names of those who wrote them are
// withheld; their ids are given.
type comment struct {
	ID         id                `json:"id"`
	Body       string            `json:"body"`
	Parent     id                `json:"parent_comment_id"`
	AuthorID   id                `json:"author_id"`
	AuthorName lenient           `json:"author_name"`
	Epoch      moment            `json:"creation_date_epoch_seconds"`
	Created    moment            `json:"creation_date"`
	Media      []media           `json:"media"`
	Comments   []json.RawMessage `json:"comments"`
}

// id is an identifier: a string, or a whole number written as one. It is empty
// when it is neither, or could not stand in an address or within one of our
// own ids.
type id string

// UnmarshalJSON takes what it understands and fails on nothing.
func (i *id) UnmarshalJSON(b []byte) error {
	*i = ""
	s := string(b)
	if len(b) > 0 && b[0] == '"' {
		if json.Unmarshal(b, &s) != nil {
			return nil
		}
	} else if strings.Trim(s, "0123456789") != "" {
		return nil // null, a fraction, an object
	}
	if s == "0" {
		return nil // none
	}
	for _, r := range s {
		if r <= ' ' || r == '/' || r == 0x7f || r == '\uFFFD' {
			return nil
		}
	}
	if len(s) <= 200 {
		*i = id(s)
	}
	return nil
}

// lenient is a text that is no part of the wording: of another type it is
// empty.
type lenient string

// UnmarshalJSON fails on nothing.
func (l *lenient) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*l = lenient(s)
	}
	return nil
}

// moment is a time: Unix seconds, as a number or a text, or ISO 8601 with its
// zone. It is zero when it is none of them: an hour without a zone would be a
// guess, and the verbatim answer has it.
type moment struct{ time.Time }

// UnmarshalJSON fails on nothing.
func (m *moment) UnmarshalJSON(b []byte) error {
	*m = moment{}
	s := strings.Trim(string(b), `"`)
	var t time.Time
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if !(f > 0 && f < 1e12) {
			return nil
		}
		t = time.Unix(int64(f), 0)
	} else {
		for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05.999999999-0700", "2006-01-02 15:04:05Z07:00"} {
			if t, err = time.Parse(form, s); err == nil {
				break
			}
		}
	}
	if t.Year() > 1 && t.Year() < 10000 {
		m.Time = candor.Moment(t)
	}
	return nil
}

func either(a, b moment) time.Time {
	if a.IsZero() {
		return b.Time
	}
	return a.Time
}

// media is a picture or video of a post: an object, or its bare address.
type media struct {
	Photo bool   `json:"is_photo"`
	Video bool   `json:"is_video"`
	URL   string `json:"url"`
}

// UnmarshalJSON reads both forms.
func (m *media) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*m = media{}
		return json.Unmarshal(b, &m.URL)
	}
	type plain media
	return json.Unmarshal(b, (*plain)(m))
}

// videoNames are the endings of the files that the platform takes as videos.
var videoNames = map[string]bool{".mov": true, ".avi": true, ".mpg": true, ".mpeg": true, ".mp4": true, ".m4v": true}

func (m media) kind() string {
	ending := ""
	if u, err := url.Parse(m.URL); err == nil {
		ending = strings.ToLower(path.Ext(u.Path))
	}
	switch {
	case m.Video, !m.Photo && videoNames[ending]:
		return "video"
	}
	return "photo"
}

// listing is an answer with posts.
type listing struct {
	posts   []post
	count   int    // entries, understood or not
	whole   bool   // every entry was understood, and none is said to be missing
	refusal string // an error beside the posts
}

func decodeListing(body []byte) (listing, error) {
	var raw struct {
		Posts  *[]json.RawMessage `json:"posts"`
		Length *int               `json:"posts_length"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return listing{}, &connector.Error{Class: connector.Transient, Message: "the listing is not understood: " + err.Error(), Cause: err}
	}
	if raw.Posts == nil {
		// An answer without the field is not an empty listing.
		return listing{}, &connector.Error{Class: connector.Refused, Message: "the answer is no listing"}
	}
	l := listing{count: len(*raw.Posts), whole: true}
	for _, entry := range *raw.Posts {
		var p post
		if json.Unmarshal(entry, &p) != nil || p.ID == "" {
			l.whole = false
			continue
		}
		l.posts = append(l.posts, p)
	}
	if raw.Length != nil && *raw.Length > l.count {
		l.whole = false
	}
	if said, own := envelope(body); own {
		l.whole, l.refusal = false, said.text()
	}
	return l, nil
}

// decodePost finds one post in an answer: by itself, wrapped, or in a listing.
func decodePost(body []byte, uid string) (post, bool) {
	if l, err := decodeListing(body); err == nil {
		for _, p := range l.posts {
			if string(p.ID) == uid {
				return p, true
			}
		}
		return post{}, false
	}
	var p post
	if json.Unmarshal(unwrap(body, "post"), &p) != nil || string(p.ID) != uid {
		return post{}, false
	}
	return p, true
}

func decodeComment(body []byte, uid string) (comment, bool) {
	var x comment
	if json.Unmarshal(unwrap(body, "comment"), &x) != nil || string(x.ID) != uid {
		return comment{}, false
	}
	return x, true
}

func unwrap(body []byte, name string) []byte {
	var outer map[string]json.RawMessage
	if json.Unmarshal(body, &outer) == nil {
		if inner := outer[name]; len(inner) > 0 && inner[0] == '{' {
			return inner
		}
	}
	return body
}

// deepest bounds how far replies are followed into one another.
const deepest = 50

// flatten gives the comments of a post, parents first, at most limit of them.
// whole is false when one was not understood or left out.
func flatten(p post, limit int) (list []comment, whole bool) {
	seen := map[id]bool{}
	var walk func([]json.RawMessage, id, int) bool
	walk = func(entries []json.RawMessage, above id, depth int) bool {
		if len(entries) > 0 && depth > deepest {
			return false
		}
		whole := true
		for _, entry := range entries {
			var x comment
			if json.Unmarshal(entry, &x) != nil || x.ID == "" {
				whole = false
				continue
			}
			if seen[x.ID] {
				continue
			}
			if len(list) >= limit {
				return false
			}
			seen[x.ID] = true
			if x.Parent == "" {
				x.Parent = above // the nesting tells as well
			}
			list = append(list, x)
			whole = walk(x.Comments, x.ID, depth+1) && whole
		}
		return whole
	}
	whole = walk(p.Comments, "", 1) && p.Comments != nil
	return list, whole
}

func decodeProfile(body []byte) (p connector.Profile, private bool, err error) {
	var raw struct {
		ID       id      `json:"id"`
		First    lenient `json:"first_name"`
		Last     lenient `json:"last_name"`
		Business lenient `json:"business_name"`
		Agency   lenient `json:"agency_name"`
		Link     lenient `json:"agency_url_at_nextdoor"`
		IsAgency flag    `json:"is_agency_profile"`
		IsNeighb flag    `json:"is_neighbor_profile"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return p, false, &connector.Error{Class: connector.Transient, Message: "the profile is not understood: " + err.Error(), Cause: err}
	}
	if raw.ID == "" {
		return p, false, &connector.Error{Class: connector.Refused, Message: "the profile has no id"}
	}
	p = connector.Profile{ID: string(raw.ID), Link: connector.WebURL(string(raw.Link))}
	for _, name := range []string{string(raw.Agency), string(raw.Business), string(raw.First + " " + raw.Last)} {
		if p.Name = strings.TrimSpace(name); p.Name != "" {
			break
		}
	}
	// Only what is said outright counts: an older answer has neither field.
	return p, raw.IsAgency == no && raw.IsNeighb == yes, nil
}

// flag is yes, no or not said. The platform writes it as true or "true".
type flag int

const (
	unsaid flag = iota
	yes
	no
)

// UnmarshalJSON fails on nothing.
func (f *flag) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `"`)) {
	case "true":
		*f = yes
	case "false":
		*f = no
	default:
		*f = unsaid
	}
	return nil
}

func (c *Client) post(p post, sha, how string) sighting.Item {
	it := sighting.Item{
		UID: string(p.ID), Kind: candor.Post, RootUID: string(p.ID),
		// The API gives a member's own posts only.
		AuthorID: string(p.AuthorID), Author: c.who.Name, ByAgency: true,
		URL: connector.WebURL(string(p.URL)), Text: wording(p.Title, p.Body), PostedAt: either(p.Epoch, p.Created),
		AnswerSHA: sha, How: how,
	}
	if it.AuthorID == "" {
		it.AuthorID = c.who.ID
	}
	it.Attachments, it.Fetch = attachments(p.Media)
	said := len(p.Poll) > 0 && string(p.Poll) != "null"
	if said || it.Text == "" && len(it.Attachments) == 0 {
		it.Attachments, it.Fetch = append(it.Attachments, withheld(len(it.Attachments)+1, "Nextdoor does not give the content of this post, as with polls")), append(it.Fetch, "")
	}
	return it
}

// commentUID names a comment. Comments are numbered apart from posts, so the
// number alone could be a post's.
func commentUID(post string, n id) string { return post + "/" + string(n) }

func (c *Client) comment(x comment, postUID, sha, how string) sighting.Item {
	it := sighting.Item{
		UID: commentUID(postUID, x.ID), Kind: candor.Comment, RootUID: postUID, ParentUID: postUID,
		AuthorID: string(x.AuthorID), Author: strings.TrimSpace(string(x.AuthorName)), ByAgency: c.self[string(x.AuthorID)],
		Text: x.Body, PostedAt: either(x.Epoch, x.Created), AnswerSHA: sha, How: how,
	}
	if x.Parent != "" && x.Parent != x.ID {
		it.Kind, it.ParentUID = candor.Reply, commentUID(postUID, x.Parent)
	}
	if it.ByAgency && it.Author == "" {
		it.Author = c.who.Name
	}
	// A comment has no address of its own that the API tells: its post shows it.
	it.URL = connector.WebURL(string(c.read[postUID].post.URL))
	it.Attachments, it.Fetch = attachments(x.Media)
	if it.Text == "" && len(it.Attachments) == 0 {
		it.Attachments, it.Fetch = []candor.Attachment{withheld(1, "Nextdoor does not give what is attached to a comment")}, []string{""}
	}
	return it
}

// wording joins title and body. A title that the platform made from the first
// words of the body is not repeated.
func wording(title, body string) string {
	title = strings.TrimSpace(title)
	begin := strings.TrimSpace(strings.TrimSuffix(strings.TrimSuffix(title, "…"), "..."))
	switch {
	case begin == "" || strings.HasPrefix(strings.TrimSpace(body), begin):
		return body
	case strings.TrimSpace(body) == "":
		return title
	}
	return title + "\n\n" + body
}

// attachments gives what belongs to a post and where its bytes are had.
func attachments(list []media) (out []candor.Attachment, fetch []string) {
	for _, m := range list {
		from := connector.WebURL(m.URL)
		a := candor.Attachment{ID: candor.NewID(), N: len(out) + 1, Type: m.kind(), URL: from}
		switch {
		case from == "" && a.Type == "video":
			a.Failure = "Nextdoor does not give videos through its API"
		case from == "":
			a.Failure = "the platform gave no address for it"
		}
		out, fetch = append(out, a), append(fetch, from)
	}
	return out, fetch
}

// withheld stands for content that is known to be there and not given.
func withheld(n int, why string) candor.Attachment {
	return candor.Attachment{ID: candor.NewID(), N: n, Type: "file", Failure: why}
}
