package mastodon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
)

// Config says what to read and with what.
type Config struct {
	Visit   *transport.Visit
	Objects transport.Objects
	Base    string // the server; that of SiteURL when empty, since there is no common one
	Token   string // may be empty where the server shows public statuses to everyone
	SiteURL string // the account's public page
	Limit   int    // statuses on one page of a listing; 0 means 40, the most that servers give
	Pages   int    // pages of one listing read at most; 0 means 250
	Walks   int    // calls made at most to find the roots of threads, and to see one thread whole; 0 means 60
}

// reserve is how many calls are left to the look-ups that follow the threads.
const reserve = 70

// Client reads one account. It is used by one goroutine, for one poll.
type Client struct {
	cfg       Config
	call      connector.Caller
	base      *url.URL
	accountID string
	left      allowance
	used      int

	met    map[string]place  // what was met in this poll, by id
	listed map[string]bool   // what the account's own listing had
	roots  map[string]string // the thread of each status met: decided once in a poll
	single bool              // the server gives statuses only one by one
}

// place is where a status stands. The zero place is that of one which cannot
// be read.
type place struct {
	parent, account string
	replies         int // as the server counts the direct ones; -1 when it did not say
}

var (
	_ connector.API       = (*Client)(nil)
	_ connector.Glancer   = (*Client)(nil)
	_ connector.Historian = (*Client)(nil)
)

// New makes a Client. The server must be named by Base or SiteURL.
func New(cfg Config) (*Client, error) {
	if cfg.Limit == 0 {
		cfg.Limit = 40
	}
	if cfg.Pages == 0 {
		cfg.Pages = 250
	}
	if cfg.Walks == 0 {
		cfg.Walks = 60
	}
	site := ""
	if u, err := url.Parse(cfg.SiteURL); err == nil && u.Host != "" {
		site = u.Scheme + "://" + u.Host
	}
	base, err := connector.Base(cfg.Base, site)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Accept": {"application/json"}}
	if cfg.Token != "" {
		header.Set("Authorization", "Bearer "+cfg.Token)
	}
	return &Client{
		cfg: cfg, base: base, call: connector.Caller{Visit: cfg.Visit, Objects: cfg.Objects, Header: header},
		met: map[string]place{}, listed: map[string]bool{}, roots: map[string]string{},
	}, nil
}

// Used is the share of the server's allowance that was used, in percent.
func (c *Client) Used() int { return c.used }

// Denial is what a server says of what is deleted or not shown.
func (c *Client) Denial() string {
	return "the server answered that it has no such status, or none that it shows us (404)"
}

// Ref finds what names an account in the address of its public page: its name,
// with "@" before it, to tell it from an id. Empty when the address names none.
func Ref(pageURL string) string {
	u, err := url.Parse(pageURL)
	if err != nil {
		return ""
	}
	parts := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	if len(parts) > 1 && parts[0] == "web" { // where old servers had their pages
		parts = parts[1:]
	}
	switch {
	case len(parts) > 0 && len(parts[0]) > 1 && parts[0][0] == '@':
		return parts[0]
	case len(parts) > 1 && parts[0] == "users":
		return "@" + parts[1]
	}
	return ""
}

// Profile reads the account by its name ("@name") or its id; for an empty ref
// the account whose token it is. It must come first: later calls compare
// authors with it.
func (c *Client) Profile(ctx context.Context, ref string) (connector.Profile, error) {
	path, q := "accounts/verify_credentials", url.Values(nil)
	name, named := strings.CutPrefix(ref, "@")
	switch {
	case named:
		path, q = "accounts/lookup", url.Values{"acct": {name}}
	case idForm.MatchString(ref):
		path = "accounts/" + ref
	case ref != "":
		return connector.Profile{}, candor.Errorf(candor.Invalid, "%q names no account", ref)
	}
	reply, err := c.get(ctx, path, q)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("read account %s: %w", ref, err)
	}
	p, err := decodeAccount(reply.Body)
	if err == nil && ref != "" && !named && p.ID != ref {
		err = &connector.Error{Class: connector.Refused, Message: "the server answered with another account", AnswerSHA: reply.Answer.SHA}
	}
	if err != nil {
		return connector.Profile{}, fmt.Errorf("read account %s: %w", ref, err)
	}
	c.accountID = p.ID
	return p, nil
}

// seen is a status with the answer it was read from.
type seen struct {
	status
	sha string
}

// Posts lists the statuses of the account, answers to others included: posts
// first, then answers, oldest first. What was read before an error is returned
// with it, but for answers whose thread could not be told.
func (c *Client) Posts(ctx context.Context, accountID string) (connector.Listing[connector.Post], error) {
	var out connector.Listing[connector.Post]
	list, end, whole, err := c.list(ctx, accountID, c.cfg.Pages)
	waits := false
	if err == nil {
		waits, err = c.climbAll(ctx, list)
	}
	for _, s := range list {
		root, own, open := c.climb(s.ID)
		if waits && open != "" || err != nil && (open != "" || own != root) {
			continue // another root may come to light when the rest can be read
		}
		out.Items = append(out.Items, c.post(s, root))
	}
	out.Items = parentsFirst(out.Items)
	switch {
	case err != nil:
		return out, fmt.Errorf("list statuses: %w", err)
	case !end:
		out.Gap = candor.CoverageGap{Reason: candor.GapLimit, Detail: fmt.Sprintf("only the newest %d statuses were listed", len(list))}
	}
	out.Complete = end && whole && !waits
	return out, nil
}

// Resume stands in for Profile.
func (c *Client) Resume(p connector.Profile) { c.accountID = p.ID }

// Newest lists the newest statuses, with one call, and a few more for what they
// answer. It never claims to have shown all there is.
func (c *Client) Newest(ctx context.Context, accountID string) (connector.Listing[connector.Post], error) {
	var out connector.Listing[connector.Post]
	list, _, _, err := c.list(ctx, accountID, 1)
	waits := false
	if err == nil {
		waits, err = c.climbAll(ctx, list)
	}
	for _, s := range list {
		_, own, open := c.climb(s.ID)
		if (waits || err != nil) && open != "" {
			continue
		}
		out.Items = append(out.Items, c.post(s, own))
	}
	out.Items = parentsFirst(out.Items)
	if err != nil {
		err = fmt.Errorf("list the newest statuses: %w", err)
	}
	return out, err
}

// post makes the sighting of a listed status. Its thread is decided once.
func (c *Client) post(s seen, root string) connector.Post {
	root = cmp.Or(c.roots[s.ID], root)
	c.roots[s.ID] = root
	p := connector.Post{Item: c.item(s.status, root, s.sha, sighting.Listed), Comments: -1}
	if s.Replies != nil {
		p.Comments = *s.Replies
	}
	return p
}

// parentsFirst puts posts before answers, and answers in the order of time.
func parentsFirst(list []connector.Post) []connector.Post {
	var posts, answers []connector.Post
	for _, p := range list {
		if p.Kind == candor.Post {
			posts = append(posts, p)
		} else {
			answers = append(answers, p)
		}
	}
	slices.SortStableFunc(answers, func(a, b connector.Post) int { return a.PostedAt.Compare(b.PostedAt) })
	return append(posts, answers...)
}

// list reads the account's listing, newest first. Its end is an empty page: a
// page that is short, or has no link to a next one, is not taken for the last.
// whole is set when every entry was understood.
func (c *Client) list(ctx context.Context, accountID string, pages int) (list []seen, end, whole bool, err error) {
	if !idForm.MatchString(accountID) {
		return nil, false, false, candor.Errorf(candor.Invalid, "%q is no account id", accountID)
	}
	have, asked := map[string]bool{}, map[string]bool{}
	whole = true
	q := url.Values{"limit": {fmt.Sprint(c.cfg.Limit)}, "exclude_reblogs": {"true"}}
	for range pages {
		reply, err := c.get(ctx, "accounts/"+accountID+"/statuses", q)
		if err != nil {
			return list, false, false, err
		}
		page, n, skipped, err := decodeStatuses(reply.Body)
		if err != nil || n == 0 {
			return list, err == nil, whole, err
		}
		whole = whole && skipped == 0
		lowest := ""
		for _, s := range page {
			if lowest == "" || older(s.ID, lowest) {
				lowest = s.ID
			}
			if have[s.ID] || boost(s) {
				continue
			}
			have[s.ID], c.listed[s.ID] = true, true
			c.meet(s)
			list = append(list, seen{s, reply.Answer.SHA})
		}
		next := cmp.Or(nextMaxID(strings.Join(reply.Header.Values("Link"), ",")), lowest)
		if next == "" || asked[next] {
			return list, false, false, &connector.Error{Class: connector.Transient, Message: "the listing does not end and gives no new cursor"}
		}
		asked[next] = true
		q.Set("max_id", next)
	}
	return list, false, whole, nil
}

// boost reports whether an entry only passes on another status.
func boost(s status) bool { return len(s.Reblog) > 0 && string(s.Reblog) != "null" }

// Look reads one status by its id.
func (c *Client) Look(ctx context.Context, uid string, _ candor.RecordKind, rootUID string) (sighting.Standing, *sighting.Item, string, error) {
	if !idForm.MatchString(uid) {
		return sighting.Unclear, nil, "", nil
	}
	reply, err := c.get(ctx, "statuses/"+uid, nil)
	var refused *connector.Error
	if errors.As(err, &refused) && !refused.Stops() {
		how := sighting.Unclear
		switch refused.Class {
		case connector.Vanished:
			how = sighting.Gone
		case connector.Permission:
			how = sighting.Denied
		}
		return how, nil, refused.AnswerSHA, nil
	}
	if err != nil {
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	}
	s, err := decodeStatus(reply.Body)
	if err != nil && errors.As(err, &refused) && refused.Stops() {
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	}
	if err != nil || s.ID != uid {
		return sighting.Unclear, nil, reply.Answer.SHA, nil
	}
	it := c.item(s, cmp.Or(rootUID, c.roots[uid], uid), reply.Answer.SHA, sighting.Direct)
	return sighting.Here, &it, reply.Answer.SHA, nil
}

// History gives the wordings that the server still tells. A server that tells
// none is no trouble: many do not keep them.
func (c *Client) History(ctx context.Context, it sighting.Item) ([]sighting.Item, error) {
	if it.UpdatedAt.IsZero() || !idForm.MatchString(it.UID) {
		return nil, nil
	}
	reply, err := c.get(ctx, "statuses/"+it.UID+"/history", nil)
	var refused *connector.Error
	if errors.As(err, &refused) && !refused.Stops() {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read history of %s: %w", it.UID, err)
	}
	edits, err := decodeHistory(reply.Body)
	if err != nil {
		return nil, fmt.Errorf("read history of %s: %w", it.UID, err)
	}
	var out []sighting.Item
	for _, e := range edits {
		told := it
		e.wording.into(&told)
		told.How, told.AnswerSHA, told.UpdatedAt = sighting.Told, reply.Answer.SHA, connector.Time(e.Created)
		if !told.UpdatedAt.After(it.PostedAt) {
			told.UpdatedAt = time.Time{} // the first wording
		}
		out = append(out, told)
	}
	slices.SortStableFunc(out, func(a, b sighting.Item) int { return a.UpdatedAt.Compare(b.UpdatedAt) })
	return out, nil
}

// Media fetches the bytes of an attachment.
func (c *Client) Media(ctx context.Context, a *candor.Attachment, from string) error {
	return c.call.Media(ctx, a, from)
}

// get makes one call and turns a refusal into an error.
func (c *Client) get(ctx context.Context, path string, q url.Values) (*transport.Reply, error) {
	if c.left.known && c.left.left == 0 {
		return nil, &connector.Error{Class: connector.Throttled, Message: "the server reports that our calls are used up", After: c.left.wait}
	}
	u := *c.base
	u.Path = strings.TrimRight(u.Path, "/") + "/api/v1/" + path
	u.RawQuery = q.Encode()
	reply, err := c.call.Call(ctx, u.String())
	if err != nil {
		return nil, err
	}
	c.left = parseAllowance(reply)
	c.used = max(c.used, c.left.used())
	if refused := refusal(reply); refused != nil {
		return nil, refused
	}
	return reply, nil
}
