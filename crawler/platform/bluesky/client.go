package bluesky

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

// The servers that everyone may ask.
const (
	DefaultBase      = "https://public.api.bsky.app" // the AppView
	DefaultDirectory = "https://plc.directory"       // of DIDs
)

// Config says what to read and with what.
type Config struct {
	Visit     *transport.Visit
	Objects   transport.Objects
	Base      string // the AppView; DefaultBase when empty
	Directory string // where DIDs are looked up; DefaultDirectory when both are empty. Without one, Base is asked for records too
	Token     string // not needed; sent to Base only
	SiteURL   string // the account's public page
	Limit     int    // entries on one page of a listing; 0 means 100, the most that servers give
	Pages     int    // pages of one listing read at most; 0 means 200
	Walks     int    // calls made at most to see one thread whole; 0 means 60
}

const (
	// atOnce is how many posts the AppView gives by their addresses in one call.
	atOnce = 25
	// reserve is how many calls are left to the look-ups that follow the threads.
	reserve = 70
)

const postCollection, gateCollection = "app.bsky.feed.post", "app.bsky.feed.threadgate"

// Client reads one account. It is used by one goroutine, for one poll.
type Client struct {
	cfg       Config
	base      *url.URL
	directory *url.URL // nil: there is none
	header    http.Header
	did       string
	me        author
	pds       string               // who keeps the account's records; empty when not known
	alone     bool                 // there is nobody but the AppView to ask
	hosts     map[string]string    // the same by DID, of everyone looked up
	left      map[string]allowance // by host
	used      int

	listed map[string]bool   // what the account's own listing had
	roots  map[string]string // the thread of each post met: decided once in a poll
	claims map[string]int    // how many direct answers a post has, as it says
	hidden map[string]string // what the account hides, with the post below which it does
	gates  bool              // its threadgates were read
	kept   map[string]bool   // posts that only the account's own server shows
}

var (
	_ connector.API     = (*Client)(nil)
	_ connector.Glancer = (*Client)(nil)
)

// New makes a Client. Base and Directory must be http or https addresses.
func New(cfg Config) (*Client, error) {
	if cfg.Limit == 0 {
		cfg.Limit = 100
	}
	if cfg.Pages == 0 {
		cfg.Pages = 200
	}
	if cfg.Walks == 0 {
		cfg.Walks = 60
	}
	if cfg.Base == "" && cfg.Directory == "" {
		cfg.Directory = DefaultDirectory
	}
	c := &Client{
		cfg: cfg, header: http.Header{"Accept": {"application/json"}},
		hosts: map[string]string{}, left: map[string]allowance{}, roots: map[string]string{},
		claims: map[string]int{}, hidden: map[string]string{}, kept: map[string]bool{},
	}
	var err error
	if c.base, err = connector.Base(cfg.Base, DefaultBase); err != nil {
		return nil, err
	}
	if cfg.Directory != "" {
		if c.directory, err = connector.Base(cfg.Directory, ""); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Used is the share of the allowance that was used, in percent, at the server
// where it is the most.
func (c *Client) Used() int { return c.used }

// Denial is what servers say of what does not exist.
func (c *Client) Denial() string {
	return "the author's server answered that it could not locate the record, and Bluesky did not show it"
}

// Ref finds what names an account in the address of its public page: its handle
// or DID. Empty when the address names none.
func Ref(pageURL string) string {
	u, err := url.Parse(pageURL)
	if err != nil {
		return ""
	}
	parts := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	if len(parts) < 2 || parts[0] != "profile" {
		return ""
	}
	return strings.TrimPrefix(parts[1], "@")
}

// Profile reads the account by its handle or DID. It must come first: later
// calls compare authors with it.
func (c *Client) Profile(ctx context.Context, name string) (connector.Profile, error) {
	if name == "" {
		return connector.Profile{}, candor.Errorf(candor.Invalid, "the address names no account; it must look like %s/profile/name", site)
	}
	p, err := c.profile(ctx, name)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("read account %s: %w", name, err)
	}
	return p, nil
}

func (c *Client) profile(ctx context.Context, name string) (connector.Profile, error) {
	did := name
	if !didForm.MatchString(did) {
		reply, _, err := c.ask(ctx, c.base, "com.atproto.identity.resolveHandle", url.Values{"handle": {name}})
		if err != nil {
			return connector.Profile{}, err
		}
		a, err := decodeProfile(reply.Body)
		if err != nil {
			return connector.Profile{}, err
		}
		did = a.ID
	}
	reply, _, err := c.ask(ctx, c.base, "app.bsky.actor.getProfile", url.Values{"actor": {did}})
	if err != nil {
		return connector.Profile{}, err
	}
	p, err := decodeProfile(reply.Body)
	if err == nil && p.ID != did {
		err = &connector.Error{Class: connector.Refused, Message: "the server answered with another account", AnswerSHA: reply.Answer.SHA}
	}
	if err != nil {
		return connector.Profile{}, err
	}
	c.did, c.me = did, author{DID: did, Handle: p.Username, Name: p.Name}
	c.pds = ""
	err = c.findServer(ctx)
	var e *connector.Error
	if err != nil && !errors.As(err, &e) {
		return connector.Profile{}, err
	}
	p.Extra = c.pds // asked for again when it is needed and not known
	return p, nil
}

// Resume stands in for Profile.
func (c *Client) Resume(p connector.Profile) {
	c.did, c.pds, c.me = p.ID, p.Extra, author{DID: p.ID, Handle: p.Username, Name: p.Name}
	if c.pds != "" {
		c.hosts[c.did] = c.pds
	}
}

// findServer finds who keeps the account's records.
func (c *Client) findServer(ctx context.Context) (err error) {
	if c.pds == "" && !c.alone {
		c.pds, err = c.host(ctx, c.did)
	}
	return err
}

// host finds the server that keeps someone's records, by the DID document
// (did:plc and did:web).
func (c *Client) host(ctx context.Context, did string) (string, error) {
	if c.directory == nil {
		return c.base.String(), nil
	}
	if h, known := c.hosts[did]; known {
		return h, nil
	}
	address := c.directory.String() + "/" + did
	if name, web := strings.CutPrefix(did, "did:web:"); web {
		if strings.ContainsAny(name, ":%") {
			return "", &connector.Error{Class: connector.Refused, Message: did + " is no DID of Bluesky"}
		}
		address = "https://" + name + "/.well-known/did.json"
	}
	reply, err := c.call(ctx, address, c.header)
	if err != nil {
		return "", err
	}
	h := ""
	if reply.Answer.Status == http.StatusOK {
		h = server(reply.Body)
	}
	switch {
	case reply.Answer.Status == http.StatusTooManyRequests || reply.Answer.Status >= 500:
		return "", &connector.Error{Class: connector.Transient, Status: reply.Answer.Status, Message: "the directory did not say who keeps the records of " + did, AnswerSHA: reply.Answer.SHA}
	case h == "", strings.HasPrefix(h, "http:") && c.directory.Scheme == "https":
		return "", &connector.Error{Class: connector.Refused, Status: reply.Answer.Status, Message: "the directory names no server for the records of " + did, AnswerSHA: reply.Answer.SHA}
	}
	c.hosts[did] = h
	return h, nil
}

// seen is a post with the answer it was read from.
type seen struct {
	view
	sha string
}

// Posts lists what the account posted, answers to others included: posts
// first, then answers, oldest first. The AppView's list is held against that of
// the account's own server, where that is known: what only the latter has is
// withheld by the network. What was read before an error is returned with it,
// but for answers whose thread could not be told.
func (c *Client) Posts(ctx context.Context, accountID string) (connector.Listing[connector.Post], error) {
	var out connector.Listing[connector.Post]
	list, whole, err := c.feed(ctx, accountID, c.cfg.Pages, &out.Gap)
	if err == nil && c.pds != "" {
		var more []seen
		var all bool
		more, all, err = c.settle(ctx, list, &out.Gap)
		list, whole = append(list, more...), whole && all
	}
	listed := map[string]bool{}
	for _, s := range list {
		listed[s.URI] = true
	}
	for _, s := range list {
		root := c.above(s.view)
		if root != s.URI && err != nil {
			continue // its thread, or that it is hidden, may come to light when the rest can be read
		}
		if !listed[root] {
			root = s.URI
		}
		out.Items = append(out.Items, c.post(s, root))
	}
	out.Complete = whole && err == nil
	out.Items = parentsFirst(out.Items)
	if err != nil {
		err = fmt.Errorf("list posts: %w", err)
	}
	return out, err
}

// Newest lists the newest posts as the AppView shows them, with one call, and
// another for what the account hides. It never claims to have shown all there
// is.
func (c *Client) Newest(ctx context.Context, accountID string) (connector.Listing[connector.Post], error) {
	var out connector.Listing[connector.Post]
	var gap candor.CoverageGap // that there are older ones is no gap
	list, _, err := c.feed(ctx, accountID, 1, &gap)
	for _, s := range list {
		root := c.above(s.view)
		if root != s.URI && err != nil {
			continue // that it is hidden may come to light when the rest can be read
		}
		out.Items = append(out.Items, c.post(s, root))
	}
	out.Items = parentsFirst(out.Items)
	if err != nil {
		err = fmt.Errorf("list the newest posts: %w", err)
	}
	return out, err
}

// above is the post of the account that a post's thread began with; itself when
// that is a stranger's thread.
func (c *Client) above(v view) string {
	if v.Record.Reply == nil {
		return v.URI
	}
	if did, _ := parts(v.Record.Reply.Root.URI); did != c.did {
		return v.URI
	}
	return v.Record.Reply.Root.URI
}

// post makes the sighting of a listed post. Its thread is decided once.
func (c *Client) post(s seen, root string) connector.Post {
	root = cmp.Or(c.roots[s.URI], root)
	c.roots[s.URI] = root
	p := connector.Post{Item: c.item(s.view, root, s.sha, sighting.Listed), Comments: c.count(s.view)}
	if c.kept[s.URI] {
		p.State = candor.Withheld
	}
	return p
}

func (c *Client) count(v view) int {
	if v.Replies == nil {
		return -1
	}
	c.claims[v.URI] = *v.Replies
	return *v.Replies
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

// feed reads the AppView's list of what the account posted, and what the account
// hides. What was read before an error is returned with it.
func (c *Client) feed(ctx context.Context, accountID string, most int, gap *candor.CoverageGap) (list []seen, whole bool, err error) {
	if accountID != c.did || c.did == "" {
		return nil, false, candor.Errorf(candor.Invalid, "%q is not the account whose profile was read", accountID)
	}
	have := map[string]bool{}
	whole = true
	q := url.Values{"actor": {c.did}, "filter": {"posts_with_replies"}, "limit": {fmt.Sprint(c.cfg.Limit)}}
	more, err := c.pages(ctx, c.base, "app.bsky.feed.getAuthorFeed", q, most, func(reply *transport.Reply) (string, error) {
		page, skipped, cursor, err := decodeFeed(reply.Body)
		whole = whole && skipped == 0
		for _, v := range page {
			if v.Author.DID == c.did && !have[v.URI] {
				have[v.URI] = true
				list = append(list, seen{v, reply.Answer.SHA})
				if v.Threadgate != nil {
					c.hide(v.Threadgate.Record)
				}
			}
		}
		return cursor, err
	})
	if more {
		*gap = candor.CoverageGap{Reason: candor.GapLimit, Detail: fmt.Sprintf("only the newest %d posts were listed", len(list))}
	}
	if err == nil {
		err = c.findServer(ctx)
	}
	if err == nil {
		err = c.readGates(ctx) // the account may hide answers of its own
	}
	return list, whole && !more && err == nil, err
}

// settle holds the AppView's list against that of the account's own server and
// gives what it lacks. all is set when that server's list was read to its end
// and understood.
func (c *Client) settle(ctx context.Context, list []seen, gap *candor.CoverageGap) (lacking []seen, all bool, err error) {
	have := map[string]bool{}
	for _, s := range list {
		have[s.URI] = true
	}
	var missing []stored
	all = true
	q := url.Values{"repo": {c.did}, "collection": {postCollection}, "limit": {fmt.Sprint(c.cfg.Limit)}}
	more, err := c.pages(ctx, c.records(), "com.atproto.repo.listRecords", q, c.cfg.Pages, func(reply *transport.Reply) (string, error) {
		page, cursor, err := decodeRecords(reply.Body)
		for _, r := range page {
			switch did, _ := parts(r.URI); {
			case did != c.did:
				all = false // not a post of this account
			case !have[r.URI]:
				have[r.URI] = true
				r.reply = reply
				missing = append(missing, r)
			}
		}
		return cursor, err
	})
	var e *connector.Error
	switch {
	case errors.As(err, &e) && e.Class == connector.Refused && c.directory == nil:
		c.pds, c.alone = "", true // it lists no records
		return nil, true, nil
	case err != nil:
		return nil, false, err
	case more:
		all = false
		*gap = candor.CoverageGap{Reason: candor.GapLimit, Detail: fmt.Sprintf("only the newest %d posts were listed", len(have))}
	}
	uris := make([]string, len(missing))
	for i, r := range missing {
		uris[i] = r.URI
	}
	shown, skipped, err := c.posts(ctx, uris)
	if err != nil || skipped > 0 {
		return shown, false, err
	}
	for _, s := range shown {
		delete(have, s.URI)
	}
	for _, r := range missing {
		if !have[r.URI] {
			continue // shown
		}
		rec, ok := decodeRecord(r.URI, r.Value)
		posted := connector.Time(rec.Created)
		if !ok || r.reply.Answer.FetchedAt.Sub(posted).Abs() < settling {
			all = false // not understood, or too new for the AppView
			continue
		}
		c.kept[r.URI] = true
		lacking = append(lacking, seen{view{URI: r.URI, Author: c.me, Record: rec}, r.reply.Answer.SHA})
	}
	return append(shown, lacking...), all, nil
}

// settling is how long a post may take to come from its author's server to the
// AppView.
const settling = 15 * time.Minute

// records is the server of the account's records.
func (c *Client) records() *url.URL {
	u, err := url.Parse(c.pds)
	if err != nil || u.Host == "" {
		return c.base
	}
	return u
}

// posts reads posts by their addresses. Those that are not shown are left out;
// skipped counts what was not understood.
func (c *Client) posts(ctx context.Context, uris []string) (list []seen, skipped int, err error) {
	for chunk := range slices.Chunk(uris, atOnce) {
		reply, _, err := c.ask(ctx, c.base, "app.bsky.feed.getPosts", url.Values{"uris": chunk})
		if err != nil {
			return list, skipped, err
		}
		page, n, err := decodePosts(reply.Body)
		if err != nil {
			return list, skipped, err
		}
		skipped += n
		for _, v := range page {
			if slices.Contains(chunk, v.URI) {
				list = append(list, seen{v, reply.Answer.SHA})
			}
		}
	}
	return list, skipped, nil
}

// pages reads a listing to its end, or as many pages as are wanted at most: then
// more is set.
func (c *Client) pages(ctx context.Context, at *url.URL, method string, q url.Values, most int, each func(*transport.Reply) (string, error)) (more bool, err error) {
	asked := map[string]bool{}
	for range most {
		reply, _, err := c.ask(ctx, at, method, q)
		if err != nil {
			return false, err
		}
		cursor, err := each(reply)
		if err != nil || cursor == "" {
			return false, err
		}
		if asked[cursor] {
			return false, &connector.Error{Class: connector.Transient, Message: "the listing says there is more but gives no new cursor", AnswerSHA: reply.Answer.SHA}
		}
		asked[cursor] = true
		q.Set("cursor", cursor)
	}
	return true, nil
}

// Look reads one post by its address. What the AppView does not show is asked
// of its author's server: only that server's word that it does not exist counts.
func (c *Client) Look(ctx context.Context, uid string, _ candor.RecordKind, rootUID string) (sighting.Standing, *sighting.Item, string, error) {
	did, rkey := parts(uid)
	if did == "" {
		return sighting.Unclear, nil, "", nil
	}
	err := c.findServer(ctx)
	if err == nil {
		err = c.readGates(ctx) // whether it is hidden is not said by itself
	}
	if err != nil {
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	}
	reply, _, err := c.ask(ctx, c.base, "app.bsky.feed.getPosts", url.Values{"uris": {uid}})
	var e *connector.Error
	if errors.As(err, &e) && !e.Stops() {
		return sighting.Unclear, nil, e.AnswerSHA, nil
	}
	var list []view
	skipped := 0
	if err == nil {
		list, skipped, err = decodePosts(reply.Body)
	}
	if err != nil {
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	}
	for _, v := range list {
		if v.URI == uid {
			it := c.item(v, cmp.Or(rootUID, c.roots[uid], uid), reply.Answer.SHA, sighting.Direct)
			return sighting.Here, &it, reply.Answer.SHA, nil
		}
	}
	if skipped > 0 || len(list) > 0 {
		return sighting.Unclear, nil, reply.Answer.SHA, nil
	}
	how, sha, err := c.exists(ctx, did, rkey)
	if err != nil {
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	}
	return how, nil, cmp.Or(sha, reply.Answer.SHA), nil
}

// exists asks the author's server for a record that the AppView does not show.
// Trouble with a server that is not the account's own settles only this record.
func (c *Client) exists(ctx context.Context, did, rkey string) (sighting.Standing, string, error) {
	var e *connector.Error
	host, err := c.host(ctx, did)
	switch {
	case errors.As(err, &e) && did != c.did:
		return sighting.Unclear, e.AnswerSHA, nil
	case err != nil:
		return sighting.Unclear, "", err
	}
	at, err := url.Parse(host)
	if err != nil {
		return sighting.Unclear, "", nil
	}
	uri := "at://" + did + "/" + postCollection + "/" + rkey
	reply, said, err := c.ask(ctx, at, "com.atproto.repo.getRecord", url.Values{"repo": {did}, "collection": {postCollection}, "rkey": {rkey}})
	switch {
	case err == nil:
		var r stored
		if decodeInto(reply.Body, &r) && r.URI == uri {
			return sighting.Withheld, reply.Answer.SHA, nil // it is there, and nobody is shown it
		}
		return sighting.Unclear, reply.Answer.SHA, nil
	case !errors.As(err, &e):
		return sighting.Unclear, "", err
	case e.Class == connector.Vanished:
		return sighting.Gone, e.AnswerSHA, nil
	case said.Name == "RepoTakendown" || said.Name == "RepoSuspended" || said.Name == "AccountTakedown":
		return sighting.Withheld, e.AnswerSHA, nil
	case said.Name == "RepoDeactivated" || said.Name == "AccountDeactivated":
		return sighting.Private, e.AnswerSHA, nil
	case e.Stops() && (did == c.did || at.Host == c.base.Host || e.Class == connector.Throttled):
		return sighting.Unclear, "", err
	}
	return sighting.Unclear, e.AnswerSHA, nil
}

// Media fetches the bytes of an attachment.
func (c *Client) Media(ctx context.Context, a *candor.Attachment, from string) error {
	return (&connector.Caller{Visit: c.cfg.Visit, Objects: c.cfg.Objects}).Media(ctx, a, from)
}

// ask makes one XRPC query and turns a refusal into an error.
func (c *Client) ask(ctx context.Context, at *url.URL, method string, q url.Values) (*transport.Reply, refusal, error) {
	u := *at
	u.Path = strings.TrimRight(u.Path, "/") + "/xrpc/" + method
	u.RawQuery = q.Encode()
	header := c.header
	if c.cfg.Token != "" && at.Scheme == c.base.Scheme && at.Host == c.base.Host {
		header = header.Clone()
		header.Set("Authorization", "Bearer "+c.cfg.Token)
	}
	if a := c.left[u.Host]; a.known && a.left == 0 {
		return nil, refusal{}, &connector.Error{Class: connector.Throttled, Message: "the server reports that our calls are used up", After: a.wait}
	}
	reply, err := c.call(ctx, u.String(), header)
	if err != nil {
		return nil, refusal{}, err
	}
	a := parseAllowance(reply)
	c.left[u.Host] = a
	c.used = max(c.used, a.used())
	if e, said := refused(reply); e != nil {
		return nil, said, e
	}
	return reply, refusal{}, nil
}

func (c *Client) call(ctx context.Context, address string, header http.Header) (*transport.Reply, error) {
	return (&connector.Caller{Visit: c.cfg.Visit, Objects: c.cfg.Objects, Header: header}).Call(ctx, address)
}
