package x

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
const DefaultBase = "https://api.x.com"

const (
	site = "https://x.com"
	// window is how far back the search of recent posts reaches.
	window = 7 * 24 * time.Hour
	// newestOnly is how many posts, reposts counted, X lists of an account.
	newestOnly = 3200
)

// What is asked for of posts. Numbers and names that nobody decodes today stay
// in the verbatim answers.
const (
	tweetFields = "attachments,author_id,context_annotations,conversation_id,created_at,edit_controls,edit_history_tweet_ids,entities,in_reply_to_user_id,lang,note_tweet,possibly_sensitive,public_metrics,referenced_tweets,reply_settings,source,withheld"
	expansions  = "attachments.media_keys,attachments.poll_ids,author_id,referenced_tweets.id,edit_history_tweet_ids,in_reply_to_user_id"
	mediaFields = "media_key,type,url,preview_image_url,alt_text,variants,width,height,duration_ms"
	userFields  = "created_at,description,name,protected,public_metrics,username"
)

func wanted(q url.Values) url.Values {
	q.Set("tweet.fields", tweetFields)
	q.Set("expansions", expansions)
	q.Set("media.fields", mediaFields)
	return q
}

// Config says what to read and with what.
type Config struct {
	Visit      *transport.Visit
	Objects    transport.Objects
	Base       string // DefaultBase when empty
	Token      string // a Bearer token of an app
	SiteURL    string // where visitors find the account; its host is used for links unless it is X's
	OwnedReads bool   // the app belongs to the account, so that reading its own posts costs less
	Limit      int    // entries on one page of a listing; 0 means 100
	Pages      int    // pages of one listing read at most; 0 means 40
}

// Client reads one account. It is used by one goroutine, for one poll.
type Client struct {
	cfg     Config
	base    *url.URL
	site    string // of links, without a path
	caller  connector.Caller
	account string // its id
	tweeted int    // how many posts the account has, as X counts them
	now     time.Time

	users   map[string]user
	media   map[string]media
	polls   map[string]poll
	firsts  map[string]string   // any id of a post -> its first
	chains  map[string][]string // first id -> all ids, oldest first
	beganBy map[string]string   // thread -> author
	owed    map[string]bool     // pictures and polls that an error kept back
	listed  map[string]seen
	late    int // searches below threads older than the window

	limits  map[string]allowance // by endpoint
	charged map[string]bool
	cost    int64
}

// seen is what a listing told of a post of the account.
type seen struct {
	posted    time.Time
	replies   int  // as X counts them; -1 when it did not say
	reply     bool // it is one itself
	elsewhere bool // and in a thread someone else began
}

var (
	_ connector.API       = (*Client)(nil)
	_ connector.Historian = (*Client)(nil)
	_ connector.Priced    = (*Client)(nil)
)

// New makes a Client. The base must be an http or https address.
func New(cfg Config) (*Client, error) {
	base, err := connector.Base(cfg.Base, DefaultBase)
	if err != nil {
		return nil, err
	}
	if cfg.Pages == 0 {
		cfg.Pages = 40
	}
	c := &Client{
		cfg: cfg, base: base, site: site,
		// A header keeps the token out of every address, ours and the logs'.
		caller: connector.Caller{Visit: cfg.Visit, Objects: cfg.Objects, Header: http.Header{"Authorization": {"Bearer " + cfg.Token}, "Accept": {"application/json"}}},
		users:  map[string]user{}, media: map[string]media{}, polls: map[string]poll{}, firsts: map[string]string{}, chains: map[string][]string{},
		beganBy: map[string]string{}, owed: map[string]bool{}, listed: map[string]seen{}, limits: map[string]allowance{}, charged: map[string]bool{},
	}
	if u, err := url.Parse(cfg.SiteURL); err == nil && connector.WebURL(cfg.SiteURL) != "" && !ours(u.Hostname()) {
		c.site = u.Scheme + "://" + u.Host
	}
	return c, nil
}

// ours reports whether a host is one of X's own.
func ours(host string) bool {
	for _, name := range []string{"x.com", "twitter.com"} {
		if host == name || strings.HasSuffix(host, "."+name) {
			return true
		}
	}
	return false
}

// Used is the share of the fullest of the rate limits that is used.
func (c *Client) Used() int {
	most := 0
	for _, a := range c.limits {
		most = max(most, a.percent)
	}
	return most
}

// Denial is what the API says of what is deleted.
func (c *Client) Denial() string {
	return "the API answered that it does not exist (Not Found Error)"
}

var (
	handle = regexp.MustCompile(`^@?[0-9A-Za-z_]{1,15}$`)
	number = regexp.MustCompile(`^[0-9]{1,20}$`)
)

// Ref finds what names an account in the address of its public page: its
// handle with "@", or its number. Empty when the address names none.
func Ref(pageURL string) string {
	u, err := url.Parse(pageURL)
	if err != nil {
		return ""
	}
	parts := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	if len(parts) == 0 {
		return ""
	}
	switch first := strings.TrimPrefix(parts[0], "@"); strings.ToLower(first) {
	case "home", "search", "explore", "hashtag", "intent", "settings", "notifications", "messages", "login":
		return ""
	case "i":
		if len(parts) >= 3 && parts[1] == "user" && number.MatchString(parts[2]) {
			return parts[2]
		}
		return ""
	default:
		if !handle.MatchString(first) {
			return ""
		}
		return "@" + first // a handle may be all digits, as an id is
	}
}

// Profile reads the account, by what Ref gives or by its id; for an empty ref
// the account of the token, which an app's own token does not have. It must
// come first: later calls compare authors with it.
func (c *Client) Profile(ctx context.Context, ref string) (connector.Profile, error) {
	endpoint, name := "users/by/username", strings.TrimPrefix(ref, "@")
	switch {
	case ref == "":
		endpoint, name = "users/me", ""
	case number.MatchString(ref):
		endpoint = "users"
	case !handle.MatchString(ref):
		return connector.Profile{}, &connector.Error{Class: connector.Refused, Message: fmt.Sprintf("%q is no name an account can have", ref)}
	}
	reply, err := c.get(ctx, endpoint, name, url.Values{"user.fields": {userFields}})
	if err != nil {
		return connector.Profile{}, fmt.Errorf("read account %s: %w", ref, err)
	}
	u, err := decodeUser(reply.Body)
	if err != nil {
		var refused *connector.Error
		if errors.As(err, &refused) {
			refused.AnswerSHA = reply.Answer.SHA
		}
		return connector.Profile{}, fmt.Errorf("read account %s: %w", ref, err)
	}
	if endpoint == "users" && u.ID != ref {
		return connector.Profile{}, &connector.Error{Class: connector.Refused, Message: "the answer is of another account", AnswerSHA: reply.Answer.SHA}
	}
	c.account, c.users[u.ID] = u.ID, u
	if u.Metrics != nil {
		c.tweeted = u.Metrics.Tweets
	}
	c.charge(page{users: []user{u}}, false)
	return connector.Profile{
		ID: u.ID, Name: u.Name, Username: u.Username, Link: c.site + "/" + url.PathEscape(u.Username), Extra: fmt.Sprint(c.tweeted),
	}, nil
}

func decodeUser(body []byte) (user, error) {
	var raw struct {
		Data   *user    `json:"data"`
		Errors problems `json:"errors"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return user{}, &connector.Error{Class: connector.Transient, Message: "the account is not understood: " + err.Error(), Cause: err}
	}
	switch {
	case raw.Data != nil && number.MatchString(raw.Data.ID) && raw.Data.Username != "":
		return *raw.Data, nil
	case len(raw.Errors) > 0:
		return user{}, &connector.Error{Class: connector.Vanished, Message: raw.Errors[0].String()}
	}
	return user{}, &connector.Error{Class: connector.Refused, Message: "the account has no id or no name"}
}

// Posts lists what the account published, newest first, its replies among it;
// reposts are left out. What was read before an error is returned with it.
func (c *Client) Posts(ctx context.Context, account string) (connector.Listing[connector.Post], error) {
	var out connector.Listing[connector.Post]
	q := wanted(url.Values{"max_results": {c.limit(5)}, "exclude": {"retweets"}})
	list, whole, err := c.list(ctx, "users/"+account+"/tweets", "pagination_token", q)
	tooLong := errors.Is(err, errTooLong)
	if err == nil || tooLong {
		var more []entry
		if more, err = c.place(ctx, list); err == nil {
			list = append(list, more...)
		}
	}
	for _, t := range list {
		root, known := c.root(t.tweet)
		if !known {
			// Who began its thread can no longer be told. Known records are found
			// when they are looked up, each in the thread it is known to be in.
			if err != nil {
				continue // it was not asked
			}
			out.Gap = candor.CoverageGap{Reason: candor.GapPlatform, Detail: "replies in threads whose beginning is deleted cannot be placed, " + t.uid() + " for one"}
			continue
		}
		it, ok := c.item(t.tweet, root, t.sha, t.how)
		if !ok {
			whole, out.Gap = false, pictureless(t.uid())
			continue
		}
		p := connector.Post{Item: it, Comments: -1}
		if t.Metrics != nil && t.Metrics.Replies != nil {
			p.Comments = max(*t.Metrics.Replies, 0)
		}
		c.listed[it.UID] = seen{posted: it.PostedAt, replies: p.Comments, reply: it.ParentUID != "", elsewhere: it.ParentUID != "" && root == it.UID}
		out.Items = append(out.Items, p)
	}
	if err != nil {
		return out, fmt.Errorf("list posts: %w", err)
	}
	switch {
	case out.Gap.Reason != "":
	case tooLong:
		out.Gap = longer("the posts")
	case c.tweeted > newestOnly:
		out.Gap = candor.CoverageGap{Reason: candor.GapLimit, Detail: fmt.Sprintf("X lists the newest %d posts of an account, reposts counted; this one has %d", newestOnly, c.tweeted)}
	}
	out.Complete = whole
	return out, nil
}

func longer(what string) candor.CoverageGap {
	return candor.CoverageGap{Reason: candor.GapLimit, Detail: what + " are more than one visit reads"}
}

func pictureless(uid string) candor.CoverageGap {
	return candor.CoverageGap{Reason: candor.GapPlatform, Detail: "X did not give the pictures or videos of " + uid + " and perhaps others"}
}

// list walks a listing by its tokens and gives the present wording of each of
// its entries. It reports whether the listing was read to its end and
// understood.
func (c *Client) list(ctx context.Context, path, cursor string, q url.Values) (out []entry, whole bool, err error) {
	whole = true
	had, tokens, older := map[string]bool{}, map[string]bool{}, map[string]bool{}
	finish := func() ([]entry, bool) {
		for uid := range older {
			whole = whole && had[uid] // only an earlier wording came: the present one is missing
		}
		return out, whole
	}
	for range c.cfg.Pages {
		p, err := c.tweets(ctx, path, q)
		if err == nil && !p.listing {
			err = c.noListing(p)
		}
		if err != nil {
			out, _ = finish()
			return out, false, err
		}
		whole = p.whole() && whole
		for _, t := range p.tweets {
			switch {
			case t.ID != t.newest():
				older[t.uid()] = true
			case !had[t.uid()]: // a list that moves while it is read may show one twice
				had[t.uid()] = true
				out = append(out, entry{t, p.sha, sighting.Listed})
			}
		}
		if p.next == "" {
			out, whole = finish()
			return out, whole, nil
		}
		if tokens[p.next] {
			return out, false, &connector.Error{Class: connector.Transient, Message: "the listing says there is more but gives no new token", AnswerSHA: p.sha}
		}
		tokens[p.next] = true
		q.Set(cursor, p.next)
	}
	return out, false, errTooLong
}

// errTooLong ends a listing that is longer than one poll reads.
var errTooLong = errors.New("longer than one visit reads")

// noListing is the refusal in an answer of status 200 that lists nothing.
func (c *Client) noListing(p page) error {
	e := &connector.Error{Class: connector.Refused, Status: http.StatusOK, Message: "the answer is no listing", AnswerSHA: p.sha}
	if len(p.problems) > 0 {
		first := p.problems[0]
		e.Message = first.String()
		switch {
		case first.notFound():
			e.Class = connector.Vanished
		case first.unauthorized():
			e.Class = connector.Permission
		}
	}
	return e
}

// tweets makes a call whose answer is about posts, and takes in all it tells.
func (c *Client) tweets(ctx context.Context, path string, q url.Values) (page, error) {
	endpoint, id := path, ""
	if rest, ok := strings.CutPrefix(path, "users/"); ok {
		id, endpoint = strings.TrimSuffix(rest, "/tweets"), "users/tweets"
	}
	reply, err := c.get(ctx, endpoint, id, q)
	if err != nil {
		return page{}, err
	}
	p, err := decodePage(reply.Body)
	if err != nil {
		var refused *connector.Error
		if errors.As(err, &refused) {
			refused.AnswerSHA = reply.Answer.SHA
		}
		return page{}, err
	}
	p.sha = reply.Answer.SHA
	c.charge(p, endpoint == "users/tweets")
	c.learn(p)
	return p, nil
}

// Media fetches a picture or video.
func (c *Client) Media(ctx context.Context, a *candor.Attachment, from string) error {
	return c.caller.Media(ctx, a, from)
}

// limit is the number of entries asked for; each endpoint has a least.
func (c *Client) limit(least int) string {
	if c.cfg.Limit <= 0 {
		return "100"
	}
	return fmt.Sprint(min(max(c.cfg.Limit, least), 100))
}

// get makes one call, keeps its answer and turns a refusal into an *Error. The
// endpoint is that of the rate limits, which are counted for each.
func (c *Client) get(ctx context.Context, endpoint, id string, q url.Values) (*transport.Reply, error) {
	if a := c.limits[endpoint]; a.regain > 0 {
		return nil, &connector.Error{Class: connector.Throttled, Message: "X reports that our calls are used up", After: a.regain}
	}
	path := endpoint
	switch {
	case endpoint == "users/tweets":
		path = "users/" + url.PathEscape(id) + "/tweets"
	case id != "":
		path += "/" + url.PathEscape(id)
	}
	u := *c.base
	u.Path = strings.TrimRight(u.Path, "/") + "/2/" + path
	u.RawQuery = q.Encode()
	reply, err := c.caller.Call(ctx, u.String())
	if err != nil {
		return nil, err
	}
	c.now = reply.Answer.FetchedAt
	c.limits[endpoint] = parseAllowance(reply.Header, c.now)
	if refused := decodeError(reply.Answer.Status, reply.Header, reply.Body, c.now); refused != nil {
		refused.AnswerSHA = reply.Answer.SHA
		refused.After = max(refused.After, reply.RetryAfter)
		if refused.Class == connector.Throttled {
			c.limits[endpoint] = allowance{percent: 100, regain: refused.After}
		}
		return nil, refused
	}
	return reply, nil
}
