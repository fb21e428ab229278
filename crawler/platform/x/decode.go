package x

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
)

// tweet is one wording of a post or reply. The API still calls it so.
type tweet struct {
	ID             string   `json:"id"`
	Text           string   `json:"text"`
	AuthorID       string   `json:"author_id"`
	ConversationID string   `json:"conversation_id"` // the id of the post that began the thread
	CreatedAt      string   `json:"created_at"`      // of this wording
	AnswersUser    string   `json:"in_reply_to_user_id"`
	Lang           string   `json:"lang"`
	History        []string `json:"edit_history_tweet_ids"` // oldest first, this one among them
	Entities       entities `json:"entities"`
	Note           *struct {
		Text     string   `json:"text"`
		Entities entities `json:"entities"`
	} `json:"note_tweet"` // of a long post, whose Text is cut
	Attachments struct {
		MediaKeys []string `json:"media_keys"`
		PollIDs   []string `json:"poll_ids"`
	} `json:"attachments"`
	Referenced []struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	} `json:"referenced_tweets"`
	Metrics *struct {
		Replies *int `json:"reply_count"`
	} `json:"public_metrics"`
	Withheld *struct {
		Copyright bool     `json:"copyright"`
		Countries []string `json:"country_codes"`
	} `json:"withheld"`
}

type entities struct {
	URLs []struct {
		URL      string `json:"url"`
		Expanded string `json:"expanded_url"`
		Display  string `json:"display_url"`
		MediaKey string `json:"media_key"`
	} `json:"urls"`
}

type user struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username"`
	Metrics  *struct {
		Tweets int `json:"tweet_count"`
	} `json:"public_metrics"`
}

type media struct {
	Key      string `json:"media_key"`
	Type     string `json:"type"` // photo, video or animated_gif
	URL      string `json:"url"`  // of a photo
	Preview  string `json:"preview_image_url"`
	Alt      string `json:"alt_text"`
	Variants []struct {
		ContentType string `json:"content_type"`
		BitRate     int    `json:"bit_rate"`
		URL         string `json:"url"`
	} `json:"variants"`
}

type poll struct {
	ID      string `json:"id"`
	Options []struct {
		Label string `json:"label"`
	} `json:"options"`
}

// page is one answer about posts.
type page struct {
	tweets    []tweet
	mentioned []tweet // posts that others of the answer refer to, and their earlier wordings
	users     []user
	media     []media
	polls     []poll
	problems  []problem
	skipped   int // entries that were not understood
	listing   bool
	count     int // how many entries the answer says it has
	next      string
	sha       string
}

// decodePage reads an answer whose data are posts. One without data is whole
// as long as it says why: a listing in "meta", a look-up in "errors".
func decodePage(body []byte) (page, error) {
	var raw struct {
		Data     *[]json.RawMessage `json:"data"`
		Includes struct {
			Users  []json.RawMessage `json:"users"`
			Tweets []json.RawMessage `json:"tweets"`
			Media  []json.RawMessage `json:"media"`
			Polls  []json.RawMessage `json:"polls"`
		} `json:"includes"`
		Errors problems `json:"errors"`
		Meta   *struct {
			Count *int   `json:"result_count"`
			Next  string `json:"next_token"`
		} `json:"meta"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return page{}, &connector.Error{Class: connector.Transient, Message: "the answer is not whole JSON of the expected form: " + err.Error(), Cause: err}
	}
	if raw.Data == nil && raw.Meta == nil && len(raw.Errors) == 0 {
		return page{}, &connector.Error{Class: connector.Refused, Message: "the answer has neither posts nor a reason why not"}
	}
	p := page{problems: raw.Errors, listing: raw.Meta != nil && raw.Meta.Count != nil}
	if raw.Data != nil {
		for _, entry := range *raw.Data {
			var t tweet
			if json.Unmarshal(entry, &t) != nil || t.ID == "" {
				p.skipped++
				continue
			}
			p.tweets = append(p.tweets, t)
		}
	}
	if p.listing {
		p.count, p.next = *raw.Meta.Count, raw.Meta.Next
	}
	// What is not understood of these is missed where it is needed.
	p.mentioned = each[tweet](raw.Includes.Tweets)
	p.users = each[user](raw.Includes.Users)
	p.media = each[media](raw.Includes.Media)
	p.polls = each[poll](raw.Includes.Polls)
	return p, nil
}

func each[T any](list []json.RawMessage) []T {
	var out []T
	for _, raw := range list {
		var v T
		if json.Unmarshal(raw, &v) == nil {
			out = append(out, v)
		}
	}
	return out
}

// broken reports whether there is an error about the data themselves.
func (p page) broken() bool {
	return slices.ContainsFunc(p.problems, func(e problem) bool { return !e.aside() })
}

// whole reports whether a listing's page has all that it says it has, and no
// error about its own entries.
func (p page) whole() bool {
	return p.listing && p.count == len(p.tweets) && p.skipped == 0 && !p.broken()
}

// uid is the id of the first wording, which names the record.
func (t tweet) uid() string {
	if len(t.History) > 0 && t.History[0] != "" {
		return t.History[0]
	}
	return t.ID
}

// newest is the id of the present wording.
func (t tweet) newest() string {
	if n := len(t.History); n > 0 && t.History[n-1] != "" {
		return t.History[n-1]
	}
	return t.ID
}

// answers is the id of the post that this one is a reply to; empty when it is
// none.
func (t tweet) answers() string {
	for _, r := range t.Referenced {
		if r.Type == "replied_to" && r.ID != t.ID {
			return r.ID
		}
	}
	return ""
}

// item makes a sighting of a wording. The thread is given: the wording alone
// does not tell to whom it belongs. ok is false when an error kept back one of
// its pictures or its poll: without them it would read as another wording.
func (c *Client) item(t tweet, root, sha, how string) (sighting.Item, bool) {
	it := sighting.Item{
		UID: t.uid(), Kind: candor.Post, RootUID: root, AuthorID: t.AuthorID, ByAgency: t.AuthorID != "" && t.AuthorID == c.account,
		Text: c.text(t), PostedAt: connector.Time(t.CreatedAt), AnswerSHA: sha, How: how,
	}
	if len(t.Lang) == 2 {
		it.Language = t.Lang // longer ones say that there is none
	}
	if parent := t.answers(); parent != "" {
		it.Kind, it.ParentUID = candor.Reply, c.first(parent)
		if it.ParentUID == root {
			it.Kind = candor.Comment
		}
	}
	if t.uid() != t.ID {
		it.UpdatedAt = it.PostedAt
		it.PostedAt = born(t.uid())
	}
	name := "i" // an address that works whoever wrote it
	if u, ok := c.users[t.AuthorID]; ok {
		it.Author = u.Name
		if it.Author == "" {
			it.Author = u.Username
		}
		if u.Username != "" {
			name = u.Username
		}
	}
	it.URL = c.site + "/" + url.PathEscape(name) + "/status/" + url.PathEscape(it.UID)
	if w := t.Withheld; w != nil {
		it.State = withheld(w.Copyright, w.Countries)
	}
	ok := true
	for _, id := range t.Attachments.PollIDs {
		ok = ok && !c.owed[id]
	}
	for i, key := range t.Attachments.MediaKeys {
		ok = ok && !c.owed[key]
		m, have := c.media[key]
		if !have && !strings.HasPrefix(key, "3_") {
			m.Type = "video" // a key begins with a number for the type
		}
		a, from := m.attachment()
		a.N = i + 1
		it.Attachments, it.Fetch = append(it.Attachments, a), append(it.Fetch, from)
	}
	return it, ok
}

// withheld tells whether a post is blocked everywhere. Blocked in some
// countries it is still shown to everyone else.
func withheld(copyright bool, countries []string) candor.RecordState {
	if copyright {
		return candor.Withheld
	}
	for _, code := range countries {
		if code == "XX" || code == "XY" { // all countries; all, after a notice under the DMCA
			return candor.Withheld
		}
	}
	return ""
}

// attachment gives what belongs to a post and the address its bytes are fetched
// from.
func (m media) attachment() (candor.Attachment, string) {
	a := candor.Attachment{Type: "photo", URL: connector.WebURL(m.URL), Alt: m.Alt}
	if m.Type != "" && m.Type != "photo" {
		a.Type, a.URL = "video", ""
		best := -1
		for _, v := range m.Variants {
			if u := connector.WebURL(v.URL); u != "" && v.ContentType == "video/mp4" && v.BitRate > best {
				best, a.URL = v.BitRate, u
			}
		}
	}
	if from := a.URL; from != "" {
		return a, from
	}
	// Without a file the still picture at least names it.
	a.URL, a.Failure = connector.WebURL(m.Preview), "X gave no address for the file"
	return a, ""
}

// escapes are the only ones the API makes.
var escapes = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

// ownMedia finds the links that X puts at the end of a post for its pictures.
var ownMedia = regexp.MustCompile(`^https?://(?:www\.)?(?:x|twitter)\.com/[^/]+/status/[0-9]+/(?:photo|video)/[0-9]+$`)

// text is what a person reads: the long form if there is one, short links as
// where they lead to, without the links to the post's own pictures, and the
// choices of a poll below it.
func (c *Client) text(t tweet) string {
	text, urls := t.Text, t.Entities.URLs
	if t.Note != nil && t.Note.Text != "" {
		text, urls = t.Note.Text, slices.Concat(t.Note.Entities.URLs, urls)
	}
	text = escapes.Replace(text)
	var pairs []string
	for _, u := range urls {
		switch {
		case u.URL == "":
		case len(t.Attachments.MediaKeys) > 0 && (u.MediaKey != "" || ownMedia.MatchString(u.Expanded)):
			if cut, ok := strings.CutSuffix(strings.TrimRight(text, " \n"), u.URL); ok {
				text = strings.TrimRight(cut, " \n")
			}
		case connector.WebURL(u.Expanded) != "":
			pairs = append(pairs, u.URL, u.Expanded)
		}
	}
	text = strings.NewReplacer(pairs...).Replace(text) // in one pass: nothing put in is replaced again
	for _, id := range t.Attachments.PollIDs {
		for _, o := range c.polls[id].Options {
			text += "\n☐ " + o.Label
		}
	}
	return text
}

// epoch is when X's ids begin to count.
const epoch = 1288834974657

// born is when an id was given out: the upper bits of an id are milliseconds
// (the scheme is known as Snowflake). Zero for ids that are older than it.
func born(id string) time.Time {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n < 1<<40 {
		return time.Time{}
	}
	return candor.Moment(time.UnixMilli(n>>22 + epoch).Truncate(time.Second)) // as exact as the API tells it
}
