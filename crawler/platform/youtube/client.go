package youtube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
)

// DefaultBase is the address of the API.
const DefaultBase = "https://youtube.googleapis.com"

const (
	path = "/youtube/v3/"
	site = "https://www.youtube.com"
)

// dailyUnits is the allowance of a project for one day, unless Google grants
// more.
const dailyUnits = 10_000

// closedAsked bounds how many videos without a number of comments are asked
// for their comments in one poll. An agency may have turned comments off for
// thousands of recordings, and a call that learns so costs as much as any.
const closedAsked = 20

// Config says what to read and with what.
type Config struct {
	Visit   *transport.Visit
	Objects transport.Objects
	Base    string        // DefaultBase when empty
	Token   string        // an API key ("AIza…") or an OAuth access token
	SiteURL string        // where visitors find the channel; its host is used for links unless it is YouTube's
	Every   time.Duration // how often the channel is polled, to tell the use of a day; 0 when not known
	Limit   int           // entries on one page of a listing; 0 means as many as the platform gives
	Calls   int           // calls made for one listing at most; 0 means 200
}

// Client reads one channel. It is used by one goroutine, for one poll.
type Client struct {
	cfg       Config
	base      *url.URL
	site      string // of links, without a path
	key       bool   // the token is an API key
	caller    connector.Caller
	channelID string
	uploads   string // playlist of the uploads

	units     int              // spent in this poll
	spent     *connector.Error // the refusal after which nothing is asked any more
	left      int              // calls left for the listing being read
	private   map[string]bool  // videos that the list of uploads calls private
	withdrawn map[string]bool  // videos read, but not shown to everyone
	silent    map[string]bool  // videos without a number of comments
	closed    int              // videos that were said to have comments turned off
	publicly  bool             // the token may not read what is held for review
}

var _ connector.API = (*Client)(nil)

// New makes a Client. The base must be an http or https address.
func New(cfg Config) (*Client, error) {
	base, err := connector.Base(cfg.Base, DefaultBase)
	if err != nil {
		return nil, err
	}
	if cfg.Calls == 0 {
		cfg.Calls = 200
	}
	c := &Client{
		cfg: cfg, base: base, site: site, key: strings.HasPrefix(cfg.Token, "AIza"),
		private: map[string]bool{}, withdrawn: map[string]bool{}, silent: map[string]bool{},
	}
	if u, err := url.Parse(cfg.SiteURL); err == nil && connector.WebURL(cfg.SiteURL) != "" && !youTube(u.Hostname()) {
		c.site = u.Scheme + "://" + u.Host
	}
	// A header keeps the credential out of every address, ours and the logs'.
	header := http.Header{"Accept": {"application/json"}}
	if c.key {
		header.Set("X-Goog-Api-Key", cfg.Token)
	} else {
		header.Set("Authorization", "Bearer "+cfg.Token)
	}
	c.caller = connector.Caller{Visit: cfg.Visit, Objects: cfg.Objects, Header: header}
	return c, nil
}

func youTube(host string) bool {
	return host == "youtube.com" || strings.HasSuffix(host, ".youtube.com") || host == "youtu.be"
}

// Units is how much of the day's allowance this poll has spent so far, in the
// platform's units, calls tried again within one request not counted.
func (c *Client) Units() int { return c.units }

// Used is the share of a day's allowance, in percent, that polls like this one
// use; only this one when it is not known how often they come.
func (c *Client) Used() int {
	if c.spent != nil {
		return 100
	}
	polls := 1.0
	if c.cfg.Every > 0 {
		polls = float64(24*time.Hour) / float64(c.cfg.Every)
	}
	return int(min(100, float64(c.units)*polls*100/dailyUnits))
}

// Denial is what the API says of what is deleted. It says the same of what its
// caller may not see, and without the owner's access that may be more.
func (c *Client) Denial() string {
	if c.key || c.publicly {
		return "the API had no entry for its id (it is deleted, or neither shown to the public nor to this access)"
	}
	return "the API had no entry for its id"
}

var channelID = regexp.MustCompile(`^UC[0-9A-Za-z_-]{22}$`)

// Ref finds what names a channel in the address of its public page: its id, its
// handle with "@", or "user/" and its old user name. Addresses of the form
// "/c/name", which the API cannot look up, give "c/name", so that Profile can
// say so. Empty when the address names no channel.
func Ref(pageURL string) string {
	u, err := url.Parse(pageURL)
	if err != nil {
		return ""
	}
	parts := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	if len(parts) == 0 {
		return ""
	}
	switch first := parts[0]; first {
	case "channel", "user", "c":
		if len(parts) < 2 {
			return ""
		}
		if first == "channel" {
			return parts[1]
		}
		return first + "/" + parts[1]
	case "watch", "playlist", "shorts", "live", "embed", "results", "feed", "post", "hashtag":
		return ""
	default:
		if strings.HasPrefix(first, "@") {
			return first
		}
		return "c/" + first
	}
}

// Profile reads the channel, by what Ref gives or by its id; for an empty ref
// the channel of the token's owner. It must come first: it also tells where
// the uploads are listed.
func (c *Client) Profile(ctx context.Context, ref string) (connector.Profile, error) {
	q := url.Values{"part": {"snippet,contentDetails"}}
	name, old := strings.CutPrefix(ref, "user/")
	switch {
	case ref == "" && c.key:
		return connector.Profile{}, &connector.Error{Class: connector.Refused, Message: "the address names no channel, and an API key belongs to none: give the address that begins with youtube.com/@"}
	case ref == "":
		q.Set("mine", "true")
	case strings.HasPrefix(ref, "@"):
		q.Set("forHandle", ref)
	case old:
		q.Set("forUsername", name)
	case channelID.MatchString(ref):
		q.Set("id", ref)
	default:
		return connector.Profile{}, &connector.Error{Class: connector.Refused, Message: fmt.Sprintf(
			"the API cannot look up a channel by %q: give the address that begins with youtube.com/@ or youtube.com/channel/", ref)}
	}
	ch, err := c.channel(ctx, q)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("read channel %s: %w", ref, err)
	}
	if q.Has("id") && ch.ID != ref || ch.ContentDetails.RelatedPlaylists.Uploads == "" {
		return connector.Profile{}, &connector.Error{Class: connector.Refused, Message: "the answer is of another channel, or does not say where its uploads are"}
	}
	c.channelID, c.uploads = ch.ID, ch.ContentDetails.RelatedPlaylists.Uploads
	return connector.Profile{
		ID: ch.ID, Name: ch.Snippet.Title, Username: strings.TrimPrefix(ch.Snippet.CustomURL, "@"), Link: c.site + "/channel/" + url.PathEscape(ch.ID),
		Extra: c.uploads,
	}, nil
}

// channel reads the one channel that a query names.
func (c *Client) channel(ctx context.Context, q url.Values) (channel, error) {
	l, sha, err := c.get(ctx, "channels", channelList, q)
	if err != nil {
		return channel{}, err
	}
	if len(l.items) == 0 && l.total <= 0 {
		return channel{}, &connector.Error{Class: connector.Vanished, Message: "there is no such channel, or it is closed", AnswerSHA: sha}
	}
	var ch channel
	if len(l.items) != 1 || json.Unmarshal(l.items[0], &ch) != nil || ch.ID == "" || ch.Snippet == nil {
		return channel{}, &connector.Error{Class: connector.Refused, Message: "the answer is not one channel", AnswerSHA: sha}
	}
	return ch, nil
}

// Posts lists the uploads, newest first. What was read before an error is
// returned with it.
func (c *Client) Posts(ctx context.Context, account string) (connector.Listing[connector.Post], error) {
	var out connector.Listing[connector.Post]
	whole, seen := true, map[string]bool{}
	c.left = c.cfg.Calls
	q := url.Values{"part": {"snippet,contentDetails,status"}, "playlistId": {c.uploads}, "maxResults": {c.limit(50)}}
	ended, err := c.walk(ctx, "playlistItems", playlistList, q, func(l list, _ string) error {
		var page []playlistItem
		for _, raw := range l.items {
			var p playlistItem
			if json.Unmarshal(raw, &p) != nil || p.videoID() == "" {
				whole = false
				continue
			}
			if !seen[p.videoID()] { // a list that moves while it is read may show one twice
				seen[p.videoID()] = true
				page = append(page, p)
			}
		}
		posts, understood, err := c.videos(ctx, page)
		out.Items = append(out.Items, posts...)
		whole = whole && understood
		return err
	})
	switch {
	case says(err, "playlistNotFound"):
		return c.withoutUploads(ctx, out, account, err)
	case err != nil:
		return out, fmt.Errorf("list uploads: %w", err)
	case !ended:
		out.Gap = tooLong("uploads")
	}
	out.Complete = ended && whole
	return out, nil
}

// withoutUploads is for a channel whose list of uploads does not exist. That
// is so when it has none, but then the channel must say so as well.
func (c *Client) withoutUploads(ctx context.Context, out connector.Listing[connector.Post], account string, cause error) (connector.Listing[connector.Post], error) {
	ch, err := c.channel(ctx, url.Values{"part": {"snippet,statistics"}, "id": {account}})
	if err == nil && ch.ID == account && ch.Statistics.VideoCount == "0" && len(out.Items) == 0 {
		out.Complete = true
		return out, nil
	}
	return out, fmt.Errorf("list uploads: %w", errors.Join(cause, err))
}

// videos reads the videos of one page of the uploads. It reports whether every
// entry was understood: one without a video is only where the list itself says
// that the video is private or deleted.
func (c *Client) videos(ctx context.Context, page []playlistItem) ([]connector.Post, bool, error) {
	if len(page) == 0 {
		return nil, true, nil
	}
	ids := make([]string, len(page))
	for i, p := range page {
		ids[i] = p.videoID()
	}
	c.left--
	l, sha, err := c.get(ctx, "videos", videoList, url.Values{"part": {videoParts}, "id": {strings.Join(ids, ",")}})
	if err != nil {
		return nil, false, err
	}
	found := map[string]connector.Post{}
	for _, raw := range l.items {
		var v video
		if json.Unmarshal(raw, &v) != nil {
			continue // its entry will be found to have no video
		}
		if p, ok := c.post(v, sha, sighting.Listed); ok {
			found[v.ID] = p
			c.silent[v.ID] = v.Statistics != nil && v.Statistics.CommentCount == nil
		}
	}
	var out []connector.Post
	understood := true
	for _, entry := range page {
		p, ok := found[entry.videoID()]
		switch {
		case ok:
			c.withdrawn[p.UID] = p.State == candor.Private
			out = append(out, p)
		case entry.private():
			c.private[entry.videoID()] = true
		case entry.deleted():
		default:
			understood = false
		}
	}
	return out, understood, nil
}

const videoParts = "snippet,contentDetails,status,statistics"

// Comments lists the comments and replies below a video. With the access of
// its owner those that wait for review or were set aside as spam are among
// them.
func (c *Client) Comments(ctx context.Context, postUID string) (connector.Listing[sighting.Item], error) {
	closed := connector.Listing[sighting.Item]{Gap: candor.CoverageGap{Reason: candor.GapClosed, Detail: "comments are turned off for " + postUID}}
	if c.silent[postUID] && c.closed >= closedAsked {
		// The API gives no number of comments where they are turned off. What it
		// said of the others is taken to hold for this one.
		return closed, nil
	}
	c.left = c.cfg.Calls
	t := &talk{Client: c, post: postUID, seen: map[string]bool{}, whole: true}
	err := t.read(ctx, "")
	if says(err, "commentsDisabled") {
		c.closed++
		return closed, nil
	}
	for _, status := range []string{"heldForReview", "likelySpam"} {
		if err != nil || c.key || c.publicly {
			break
		}
		err = t.read(ctx, status)
		var refused *connector.Error
		if errors.As(err, &refused) && refused.Class == connector.Permission {
			c.publicly, err = true, nil
		}
	}
	if !c.key && c.publicly {
		t.out.Gap = candor.CoverageGap{Reason: candor.GapAccess, Detail: "comments held for review are shown to the channel's owner only; the token is not the owner's or lacks the scope youtube.force-ssl"}
	}
	if err != nil {
		return t.out, fmt.Errorf("list comments of %s: %w", postUID, err)
	}
	t.out.Complete = t.whole
	return t.out, nil
}

// talk is what is read below one video.
type talk struct {
	*Client
	post  string
	seen  map[string]bool
	whole bool
	out   connector.Listing[sighting.Item]
}

// read lists the threads of one moderation status; empty for those published.
func (t *talk) read(ctx context.Context, status string) error {
	q := url.Values{"part": {"snippet,replies"}, "videoId": {t.post}, "maxResults": {t.limit(100)}, "order": {"time"}, "textFormat": {"plainText"}}
	if status != "" {
		q.Set("moderationStatus", status)
	}
	ended, err := t.walk(ctx, "commentThreads", threadList, q, func(l list, sha string) error {
		for _, raw := range l.items {
			var th thread
			if json.Unmarshal(raw, &th) != nil || th.Snippet.TopLevelComment == nil {
				t.whole = false
				continue
			}
			top := *th.Snippet.TopLevelComment
			t.take(top, sha, status != "")
			for _, reply := range th.Replies.Comments {
				t.takeRaw(reply, sha, status != "")
			}
			// The number counts replies that nobody may see any more, so that more
			// than it is reason to ask, but fewer is no sign of a cut answer.
			if top.ID != "" && th.Snippet.TotalReplyCount > len(th.Replies.Comments) {
				if err := t.replies(ctx, top.ID, status != ""); err != nil {
					return err
				}
			}
		}
		return nil
	})
	t.ended(ended || err != nil)
	return err
}

// replies lists all replies of a thread.
func (t *talk) replies(ctx context.Context, parent string, held bool) error {
	q := url.Values{"part": {"snippet"}, "parentId": {parent}, "maxResults": {t.limit(100)}, "textFormat": {"plainText"}}
	ended, err := t.walk(ctx, "comments", commentList, q, func(l list, sha string) error {
		for _, raw := range l.items {
			t.takeRaw(raw, sha, held)
		}
		return nil
	})
	var refused *connector.Error
	if errors.As(err, &refused) && refused.Class == connector.Vanished {
		t.whole, err = false, nil // taken down while we read
	}
	t.ended(ended || err != nil)
	return err
}

func (t *talk) ended(yes bool) {
	if !yes {
		t.whole, t.out.Gap = false, tooLong("comments of "+t.post)
	}
}

func (t *talk) takeRaw(raw json.RawMessage, sha string, held bool) {
	var m comment
	if json.Unmarshal(raw, &m) != nil {
		t.whole = false
		return
	}
	t.take(m, sha, held)
}

// take takes a comment. One that is published and hangs in a thread with one
// that is not comes up in both listings; the first word counts.
func (t *talk) take(m comment, sha string, held bool) {
	it, ok := t.comment(m, t.post, sha, sighting.Listed, held)
	if !ok {
		t.whole = false
		return
	}
	if !t.seen[it.UID] {
		t.seen[it.UID] = true
		t.out.Items = append(t.out.Items, it)
	}
}

func tooLong(what string) candor.CoverageGap {
	return candor.CoverageGap{Reason: candor.GapLimit, Detail: "the " + what + " are more than one visit reads"}
}

// Look reads one video or comment by its id. An answer of success without an
// entry is how the API says that there is none; it has no other way, and what
// its caller may not see looks the same (Denial says so).
func (c *Client) Look(ctx context.Context, uid string, kind candor.RecordKind, rootUID string) (sighting.Standing, *sighting.Item, string, error) {
	method, answer, q := "comments", commentList, url.Values{"part": {"snippet"}, "id": {uid}, "textFormat": {"plainText"}}
	if kind == candor.Post {
		method, answer, q = "videos", videoList, url.Values{"part": {videoParts}, "id": {uid}}
	}
	l, sha, err := c.get(ctx, method, answer, q)
	var refused *connector.Error
	if errors.As(err, &refused) && !refused.Stops() {
		switch refused.Class {
		case connector.Vanished:
			return sighting.Gone, nil, refused.AnswerSHA, nil
		case connector.Permission:
			return sighting.Denied, nil, refused.AnswerSHA, nil
		}
		return sighting.Unclear, nil, refused.AnswerSHA, nil
	}
	if err != nil {
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	}
	switch {
	case len(l.items) == 0 && l.total <= 0 && l.next == "" && c.private[uid]:
		return sighting.Private, nil, sha, nil
	case len(l.items) == 0 && l.total <= 0 && l.next == "":
		return sighting.Gone, nil, sha, nil
	case len(l.items) != 1:
		return sighting.Unclear, nil, sha, nil
	}
	if kind == candor.Post {
		var v video
		if json.Unmarshal(l.items[0], &v) == nil && v.ID == uid {
			if p, ok := c.post(v, sha, sighting.Direct); ok {
				return sighting.Here, &p.Item, sha, nil
			}
		}
		return sighting.Unclear, nil, sha, nil
	}
	var m comment
	if json.Unmarshal(l.items[0], &m) == nil && m.ID == uid {
		if it, ok := c.comment(m, rootUID, sha, sighting.Direct, false); ok {
			return sighting.Here, &it, sha, nil
		}
	}
	return sighting.Unclear, nil, sha, nil
}

// Media fetches a picture.
func (c *Client) Media(ctx context.Context, a *candor.Attachment, from string) error {
	return c.caller.Media(ctx, a, from)
}

func (c *Client) limit(most int) string {
	if c.cfg.Limit > 0 {
		most = min(most, c.cfg.Limit)
	}
	return fmt.Sprint(most)
}

// walk reads a listing page by page. It reports whether it came to the end;
// it may not, when the calls for one listing are used up.
func (c *Client) walk(ctx context.Context, method, kind string, q url.Values, each func(list, string) error) (bool, error) {
	seen := map[string]bool{}
	for c.left > 0 {
		c.left--
		l, sha, err := c.get(ctx, method, kind, q)
		if err != nil {
			return false, err
		}
		if err := each(l, sha); err != nil {
			return false, err
		}
		if l.next == "" {
			return true, nil
		}
		if seen[l.next] {
			return false, &connector.Error{Class: connector.Transient, Message: "the listing says there is more but gives no new page token", AnswerSHA: sha}
		}
		seen[l.next] = true
		q.Set("pageToken", l.next)
	}
	return false, nil
}

// get makes one call and gives the page it answers with and the SHA-256 of the
// answer. A refusal is a *connector.Error.
func (c *Client) get(ctx context.Context, method, kind string, q url.Values) (list, string, error) {
	if c.spent != nil {
		return list{}, "", c.spent
	}
	u := *c.base
	u.Path = strings.TrimRight(u.Path, "/") + path + method
	u.RawQuery = q.Encode()
	c.units++
	reply, err := c.caller.Call(ctx, u.String())
	if err != nil {
		return list{}, "", err
	}
	sha := reply.Answer.SHA
	refused := decodeError(reply.Answer.Status, reply.Body, reply.Answer.FetchedAt)
	if refused == nil {
		l, err := decodeList(reply.Body, kind)
		if err == nil || !errors.As(err, &refused) {
			return l, sha, err
		}
	}
	refused.AnswerSHA = sha
	refused.After = max(refused.After, reply.RetryAfter)
	if refused.Class == connector.Throttled {
		c.spent = refused // calls made now would be refused as well, and counted
	}
	return list{}, sha, refused
}
