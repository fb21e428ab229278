package bluesky

import (
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
)

// view is a post as the AppView shows it (app.bsky.feed.defs#postView). Fields
// that are not here stay in the verbatim answer.
type view struct {
	URI        string  `json:"uri"`
	Author     author  `json:"author"`
	Record     record  `json:"record"`
	Embed      *embed  `json:"embed"`
	Replies    *int    `json:"replyCount"`
	Indexed    string  `json:"indexedAt"`
	Labels     []label `json:"labels"`
	Threadgate *struct {
		URI    string `json:"uri"`
		Record gate   `json:"record"`
	} `json:"threadgate"`
}

type author struct {
	DID    string  `json:"did"`
	Handle string  `json:"handle"`
	Name   string  `json:"displayName"`
	Labels []label `json:"labels"`
}

type label struct {
	Src string `json:"src"` // who says it
	Val string `json:"val"`
	Neg bool   `json:"neg"` // that it is no longer so
}

// record is a post as its author's server keeps it (app.bsky.feed.post).
type record struct {
	Text    string       `json:"text"`
	Created string       `json:"createdAt"` // as the author's client claims
	Langs   []string     `json:"langs"`
	Facets  []facet      `json:"facets"`
	Embed   *recordEmbed `json:"embed"`
	Reply   *answers     `json:"reply"`
}

// answers is what a post answers, and what that thread began with.
type answers struct {
	Root   ref `json:"root"`
	Parent ref `json:"parent"`
}

type ref struct {
	URI string `json:"uri"`
}

func (r record) parent() string {
	if r.Reply == nil {
		return ""
	}
	return r.Reply.Parent.URI
}

// facet marks a part of the text, counted in bytes.
type facet struct {
	Index struct {
		Start int `json:"byteStart"`
		End   int `json:"byteEnd"`
	} `json:"index"`
	Features []struct {
		Type string `json:"$type"`
		URI  string `json:"uri"`
	} `json:"features"`
}

// gate is what an account allows below a post (app.bsky.feed.threadgate).
type gate struct {
	Post   string   `json:"post"`
	Hidden []string `json:"hiddenReplies"`
}

// embed is what hangs on a post, as the AppView shows it.
type embed struct {
	Type      string    `json:"$type"`
	Images    []picture `json:"images"`
	Items     []picture `json:"items"` // of a gallery
	Gallery   []picture `json:"-"`
	Playlist  string    `json:"playlist"`
	Thumbnail string    `json:"thumbnail"`
	CID       string    `json:"cid"` // of a video
	Alt       string    `json:"alt"`
	External  *external `json:"external"`
	Record    *struct {
		URI    string `json:"uri"`
		Record *ref   `json:"record"` // one deeper when there are media beside it
	} `json:"record"`
	Media json.RawMessage `json:"media"` // an embed, or the pictures of a gallery
}

type picture struct {
	Fullsize string `json:"fullsize"`
	Alt      string `json:"alt"`
}

type external struct {
	URI         string `json:"uri"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

// recordEmbed is what hangs on a post, as its author's server keeps it.
type recordEmbed struct {
	Type   string `json:"$type"`
	Images []struct {
		Image blob   `json:"image"`
		Alt   string `json:"alt"`
	} `json:"images"`
	Items []struct {
		Image blob   `json:"image"`
		Alt   string `json:"alt"`
	} `json:"items"`
	Video    *blob     `json:"video"`
	Alt      string    `json:"alt"`
	External *external `json:"external"`
	Record   *struct {
		URI    string `json:"uri"`
		Record *ref   `json:"record"`
	} `json:"record"`
	Media *recordEmbed `json:"media"`
}

type blob struct {
	Ref struct {
		Link string `json:"$link"`
	} `json:"ref"`
}

// stored is a record with its address, as a server lists it.
type stored struct {
	URI   string          `json:"uri"`
	Value json.RawMessage `json:"value"`
	reply *transport.Reply
}

// postForm is the address of a post: the author's DID and the record's key.
var postForm = regexp.MustCompile(`^at://(did:[a-z]+:[0-9A-Za-z._:%-]{1,256})/app\.bsky\.feed\.post/([0-9A-Za-z._:~-]{1,512})$`)

// didForm is the form of a DID (W3C Decentralized Identifiers) as Bluesky uses it.
var didForm = regexp.MustCompile(`^did:[a-z]+:[0-9A-Za-z._:%-]{1,256}$`)

// parts gives the author and the key of a post; empty when it is none.
func parts(uri string) (did, rkey string) {
	m := postForm.FindStringSubmatch(uri)
	if m == nil || m[2] == "." || m[2] == ".." {
		return "", ""
	}
	return m[1], m[2]
}

func unreadable(what string, err error) error {
	return &connector.Error{Class: connector.Transient, Message: what + " is not understood: " + err.Error(), Cause: err}
}

func noListing(what string) error {
	return &connector.Error{Class: connector.Refused, Message: "the answer is no " + what}
}

func decodeView(body []byte) (view, bool) {
	var v view
	if json.Unmarshal(body, &v) != nil {
		return view{}, false
	}
	did, _ := parts(v.URI)
	if did == "" || v.Author.DID != did {
		return view{}, false
	}
	v.Record.mend(v.URI)
	return v, true
}

func decodeRecord(uri string, body []byte) (record, bool) {
	var r record
	if json.Unmarshal(body, &r) != nil {
		return record{}, false
	}
	r.mend(uri)
	return r, true
}

// mend drops what a post says it answers when that is no post, or itself.
func (r *record) mend(uri string) {
	if r.Reply == nil {
		return
	}
	if did, _ := parts(r.Reply.Parent.URI); did == "" || r.Reply.Parent.URI == uri {
		r.Reply = nil
	}
}

// decodeFeed reads a page of what an account posted. Reposts are left out;
// skipped counts entries that were not understood.
func decodeFeed(body []byte) (list []view, skipped int, cursor string, err error) {
	var raw struct {
		Feed *[]struct {
			Post   json.RawMessage `json:"post"`
			Reason *struct {
				Type string `json:"$type"`
			} `json:"reason"`
		} `json:"feed"`
		Cursor string `json:"cursor"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, 0, "", unreadable("the feed", err)
	}
	if raw.Feed == nil {
		return nil, 0, "", noListing("feed")
	}
	for _, e := range *raw.Feed {
		if e.Reason != nil && strings.HasSuffix(e.Reason.Type, "#reasonRepost") {
			continue
		}
		v, ok := decodeView(e.Post)
		if !ok {
			skipped++
			continue
		}
		list = append(list, v)
	}
	return list, skipped, raw.Cursor, nil
}

// decodePosts reads posts that were asked for by their addresses.
func decodePosts(body []byte) (list []view, skipped int, err error) {
	var raw struct {
		Posts *[]json.RawMessage `json:"posts"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, 0, unreadable("the answer", err)
	}
	if raw.Posts == nil {
		return nil, 0, noListing("list of posts")
	}
	for _, entry := range *raw.Posts {
		v, ok := decodeView(entry)
		if !ok {
			skipped++
			continue
		}
		list = append(list, v)
	}
	return list, skipped, nil
}

// decodeRecords reads a page of the records of one collection.
func decodeRecords(body []byte) (list []stored, cursor string, err error) {
	var raw struct {
		Records *[]stored `json:"records"`
		Cursor  string    `json:"cursor"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, "", unreadable("the listing", err)
	}
	if raw.Records == nil {
		return nil, "", noListing("list of records")
	}
	return *raw.Records, raw.Cursor, nil
}

// node is one place in a thread: a post with what is below it, or the trace of
// one that is not shown.
type node struct {
	Type     string          `json:"$type"`
	URI      string          `json:"uri"`
	NotFound bool            `json:"notFound"`
	Blocked  bool            `json:"blocked"`
	Post     json.RawMessage `json:"post"`
	Replies  *[]node         `json:"replies"` // nil where the server stopped
}

// decodeThread reads a thread. odd is set when something in it has a form we do
// not know; the rest is given.
func decodeThread(body []byte) (top node, odd bool, err error) {
	var raw struct {
		Thread *node `json:"thread"`
	}
	var form *json.UnmarshalTypeError
	if err := json.Unmarshal(body, &raw); errors.As(err, &form) && raw.Thread != nil {
		odd = true // the decoder goes on behind it
	} else if err != nil {
		return node{}, false, unreadable("the thread", err)
	}
	if raw.Thread == nil {
		return node{}, false, noListing("thread")
	}
	return *raw.Thread, odd, nil
}

func decodeProfile(body []byte) (connector.Profile, error) {
	var a author
	if err := json.Unmarshal(body, &a); err != nil {
		return connector.Profile{}, unreadable("the profile", err)
	}
	if !didForm.MatchString(a.DID) {
		return connector.Profile{}, &connector.Error{Class: connector.Refused, Message: "the profile has no DID"}
	}
	return connector.Profile{ID: a.DID, Name: a.name(), Username: a.Handle, Link: site + "/profile/" + a.DID}, nil
}

func (a author) name() string {
	if a.Name != "" {
		return a.Name
	}
	return a.Handle
}

// server finds in a DID document who keeps an account's records.
func server(body []byte) string {
	var doc struct {
		Service []struct {
			ID       string `json:"id"`
			Type     string `json:"type"`
			Endpoint any    `json:"serviceEndpoint"`
		} `json:"service"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return ""
	}
	for _, s := range doc.Service {
		if address, ok := s.Endpoint.(string); ok && strings.HasSuffix(s.ID, "#atproto_pds") && s.Type == "AtprotoPersonalDataServer" {
			u, err := url.Parse(connector.WebURL(address))
			if err != nil || u.Host == "" {
				return ""
			}
			return u.Scheme + "://" + u.Host
		}
	}
	return ""
}

// site is where visitors read posts, and cdn where their pictures are.
const (
	site = "https://bsky.app"
	cdn  = "https://cdn.bsky.app/img/feed_fullsize/plain/"
)

// item makes the sighting of a post that belongs to the thread of root.
func (c *Client) item(v view, root, sha, how string) sighting.Item {
	did, rkey := parts(v.URI)
	it := sighting.Item{
		UID: v.URI, RootUID: root, ParentUID: v.Record.parent(), Kind: candor.Reply,
		AuthorID: did, Author: v.Author.name(), ByAgency: did == c.did,
		// A handle may pass to somebody else, a DID never does.
		URL: site + "/profile/" + did + "/post/" + rkey, Language: language(v.Record.Langs), PostedAt: postedAt(v),
		State: c.state(v), AnswerSHA: sha, How: how,
	}
	switch {
	case it.ParentUID == "" && root == v.URI:
		it.Kind = candor.Post
	case it.ParentUID == root && root != v.URI:
		it.Kind = candor.Comment
	}
	var links []external
	it.Text, links = whole(v.Record)
	if v.Embed != nil {
		c.show(&it, *v.Embed, 0)
	} else if v.Record.Embed != nil {
		c.keep(&it, *v.Record.Embed, 0)
	}
	for _, l := range links {
		attach(&it, candor.Attachment{Type: "link", URL: l.URI, Alt: l.Title}, "")
	}
	return it
}

// postedAt believes the author's clock unless it is ahead of the network, as
// Bluesky does itself.
func postedAt(v view) time.Time {
	claimed, indexed := connector.Time(v.Record.Created), connector.Time(v.Indexed)
	if claimed.IsZero() || !indexed.IsZero() && claimed.After(indexed) {
		return indexed
	}
	return claimed
}

// language is the first language named, without script and region (BCP 47).
func language(langs []string) string {
	if len(langs) == 0 {
		return ""
	}
	p, _, _ := strings.Cut(langs[0], "-")
	if len(p) > 8 {
		return ""
	}
	return strings.ToLower(p)
}

// state is who may see a post: labels of moderators hide it, its author may ask
// that only those who are signed in see it, and the account hides answers below
// its own posts.
func (c *Client) state(v view) candor.RecordState {
	private := false
	for _, l := range slices.Concat(v.Labels, v.Author.Labels) {
		switch {
		case l.Neg:
		case l.Val == "!no-unauthenticated":
			private = true
		case l.Src == v.Author.DID:
		case l.Val == "!hide" || l.Val == "!takedown" || l.Val == "!suspend":
			return candor.Withheld
		}
	}
	switch {
	case c.hidden[v.URI] != "":
		return candor.Hidden
	case private:
		return candor.Private
	}
	return ""
}

// whole gives the text with every shortened address in full, and the addresses
// that stand behind other words.
func whole(r record) (string, []external) {
	facets := slices.Clone(r.Facets)
	slices.SortStableFunc(facets, func(a, b facet) int { return a.Index.Start - b.Index.Start })
	var b strings.Builder
	var links []external
	at := 0
	for _, f := range facets {
		start, end := f.Index.Start, f.Index.End
		if start < at || end <= start || end > len(r.Text) {
			continue
		}
		for _, x := range f.Features {
			to := connector.WebURL(x.URI)
			if x.Type != "app.bsky.richtext.facet#link" || to == "" {
				continue
			}
			shown := r.Text[start:end]
			b.WriteString(r.Text[at:start])
			at = end
			if shortened(shown, x.URI) {
				b.WriteString(x.URI)
			} else {
				b.WriteString(shown)
				if bare(shown) != bare(x.URI) {
					links = append(links, external{URI: to, Title: strings.ToValidUTF8(strings.TrimSpace(shown), "")})
				}
			}
			break
		}
	}
	b.WriteString(r.Text[at:])
	return b.String(), links
}

// shortened reports whether words are the beginning of an address, cut.
func shortened(shown, uri string) bool {
	for _, dots := range []string{"...", "…"} {
		if start, cut := strings.CutSuffix(strings.TrimSpace(shown), dots); cut && bare(start) != "" {
			return strings.HasPrefix(bare(uri), bare(start))
		}
	}
	return false
}

// bare is an address without what is usually not shown of it.
func bare(s string) string {
	s = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(s), "https://"), "http://")
	return strings.TrimSuffix(strings.TrimPrefix(s, "www."), "/")
}

func attach(it *sighting.Item, a candor.Attachment, from string) {
	a.ID, a.N = candor.NewID(), len(it.Attachments)+1
	it.Attachments, it.Fetch = append(it.Attachments, a), append(it.Fetch, from)
}

// deepest bounds embeds within embeds; there are two levels.
const deepest = 3

// show adds what hangs on a post, from the AppView's view of it.
func (c *Client) show(it *sighting.Item, e embed, depth int) {
	var media embed
	if len(e.Media) > 0 {
		if json.Unmarshal(e.Media, &e.Gallery) != nil && json.Unmarshal(e.Media, &media) == nil && depth < deepest {
			c.show(it, media, depth+1)
		}
	}
	for _, p := range slices.Concat(e.Images, e.Items, e.Gallery) {
		if from := connector.WebURL(p.Fullsize); from != "" {
			attach(it, candor.Attachment{Type: "photo", URL: unformatted(from), Alt: p.Alt}, from)
		}
	}
	if to := connector.WebURL(e.Playlist); to != "" {
		from := connector.WebURL(e.Thumbnail)
		if original := c.original(it.AuthorID, e.CID); original != "" {
			from = original // the playlist itself holds no pictures
		}
		attach(it, candor.Attachment{Type: "video", URL: to, Alt: e.Alt}, from)
	}
	e.External.attach(it)
	if e.Record != nil {
		quote(it, e.Record.URI, e.Record.Record)
	}
}

// keep adds what hangs on a post, from the record alone, with the same
// addresses.
func (c *Client) keep(it *sighting.Item, e recordEmbed, depth int) {
	if e.Media != nil && depth < deepest {
		c.keep(it, *e.Media, depth+1)
	}
	for _, p := range slices.Concat(e.Images, e.Items) {
		if cid := p.Image.Ref.Link; cidForm.MatchString(cid) {
			attach(it, candor.Attachment{Type: "photo", URL: cdn + it.AuthorID + "/" + cid, Alt: p.Alt}, c.original(it.AuthorID, cid))
		}
	}
	if e.Video != nil && cidForm.MatchString(e.Video.Ref.Link) {
		cid := e.Video.Ref.Link
		to := "https://video.bsky.app/watch/" + url.QueryEscape(it.AuthorID) + "/" + cid + "/playlist.m3u8"
		attach(it, candor.Attachment{Type: "video", URL: to, Alt: e.Alt}, c.original(it.AuthorID, cid))
	}
	e.External.attach(it)
	if e.Record != nil {
		quote(it, e.Record.URI, e.Record.Record)
	}
}

var cidForm = regexp.MustCompile(`^[0-9A-Za-z]{10,200}$`)

// original is where a file can be had as it was uploaded, where that is known.
func (c *Client) original(did, cid string) string {
	if did != c.did || c.pds == "" || !cidForm.MatchString(cid) {
		return ""
	}
	return c.pds + "/xrpc/com.atproto.sync.getBlob?" + url.Values{"did": {did}, "cid": {cid}}.Encode()
}

// unformatted drops the format that ends a picture's address ("@jpeg"): the
// picture is named by what comes before.
func unformatted(address string) string {
	slash := strings.LastIndexByte(address, '/')
	if at := strings.LastIndexByte(address, '@'); at > slash && slash > len("https://") {
		return address[:at]
	}
	return address
}

func (x *external) attach(it *sighting.Item) {
	if x == nil {
		return
	}
	if to := connector.WebURL(x.URI); to != "" {
		attach(it, candor.Attachment{Type: "link", URL: to, Alt: strings.TrimSpace(x.Title + "\n" + x.Description)}, "")
	}
}

// quote adds a record that is shown within the post: a link, whether or not it
// can still be seen.
func quote(it *sighting.Item, uri string, deeper *ref) {
	if deeper != nil && deeper.URI != "" {
		uri = deeper.URI
	}
	rest, ok := strings.CutPrefix(uri, "at://")
	p := strings.Split(rest, "/")
	if !ok || len(p) != 3 || !didForm.MatchString(p[0]) {
		return
	}
	kinds := map[string]string{"app.bsky.feed.post": "/post/", "app.bsky.feed.generator": "/feed/", "app.bsky.graph.list": "/lists/"}
	address := site + "/profile/" + p[0]
	if kind := kinds[p[1]]; kind != "" {
		address += kind + url.PathEscape(p[2])
	}
	attach(it, candor.Attachment{Type: "link", URL: address, Alt: uri}, "")
}
