package bluesky

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
)

func decodeInto(body []byte, v any) bool { return json.Unmarshal(body, v) == nil }

// below is how many levels are asked for at once, the most that is allowed. A
// server may give fewer.
const below = "1000"

// scarce reports whether the calls that are left are needed for what follows
// the threads. The rest of the threads waits for the next poll, which begins
// with those read longest ago.
func (c *Client) scarce() bool {
	a := c.left[c.base.Host]
	return a.known && a.left < min(reserve, a.limit/2)
}

// Comments lists what is below a post, all levels, with what the account has
// hidden there. Where the server stops, the rest is asked for by itself. What is
// below an answer in a thread of the account is listed with that thread, and
// not for the answer again.
func (c *Client) Comments(ctx context.Context, postUID string) (connector.Listing[sighting.Item], error) {
	var out connector.Listing[sighting.Item]
	if did, _ := parts(postUID); did == "" {
		return out, nil
	}
	switch {
	case c.roots[postUID] != "" && c.roots[postUID] != postUID:
		out.Complete = true
		return out, nil
	case c.kept[postUID]:
		return out, nil // the network shows neither it nor what is below
	}
	t := thread{client: c, top: postUID, met: map[string]bool{postUID: true}, asked: map[string]bool{}, shown: map[string]int{}, stopped: map[string]bool{}}
	if did, _ := parts(postUID); did == c.did {
		if err := c.readGates(ctx); err != nil {
			return out, fmt.Errorf("list answers to %s: %w", postUID, err)
		}
	}
	err := t.read(ctx)
	if err == nil {
		err = t.unseen(ctx)
	}
	out.Items = t.list()
	out.Complete = err == nil && !t.odd && !t.waits && len(t.stopped) == 0
	if err != nil {
		return out, fmt.Errorf("list answers to %s: %w", postUID, err)
	}
	switch {
	case out.Complete:
	case t.waits:
		// A gap would say that the server keeps something back. It does not: the
		// thread is read next time.
	case len(t.stopped) > 0:
		out.Gap = candor.CoverageGap{Reason: candor.GapLimit, Detail: "some threads are longer than is read in one visit"}
	}
	return out, nil
}

// readGates reads once in a poll what the account hides below its posts.
func (c *Client) readGates(ctx context.Context) error {
	if c.gates || c.pds == "" {
		return nil
	}
	q := url.Values{"repo": {c.did}, "collection": {gateCollection}, "limit": {fmt.Sprint(c.cfg.Limit)}}
	_, err := c.pages(ctx, c.records(), "com.atproto.repo.listRecords", q, c.cfg.Pages, func(reply *transport.Reply) (string, error) {
		page, cursor, err := decodeRecords(reply.Body)
		for _, r := range page {
			var g gate
			if decodeInto(r.Value, &g) {
				c.hide(g)
			}
		}
		return cursor, err
	})
	var e *connector.Error
	if errors.As(err, &e) && e.Class == connector.Refused && c.directory == nil {
		c.pds, c.alone, err = "", true, nil // the AppView shows the gate with the thread
	}
	c.gates = err == nil
	return err
}

// hide notes what a threadgate of the account hides.
func (c *Client) hide(g gate) {
	if did, _ := parts(g.Post); did != c.did {
		return
	}
	for _, uri := range g.Hidden {
		if did, _ := parts(uri); did != "" {
			c.hidden[uri] = g.Post
		}
	}
}

// thread is one thread as it is put together from several answers.
type thread struct {
	client  *Client
	top     string
	items   []seen // parents before what hangs on them
	met     map[string]bool
	asked   map[string]bool
	shown   map[string]int  // direct answers met, by address
	stopped map[string]bool // where the server stopped although there is more
	short   []string        // what claims more answers than were shown
	apart   []string        // what is there but not shown within the thread
	odd     bool            // something was not understood
	waits   bool            // calls were scarce
}

func (t *thread) read(ctx context.Context) error {
	c := t.client
	for uri := t.top; uri != ""; uri = t.next() {
		switch {
		case c.scarce():
			t.waits = true
			return nil
		case len(t.asked) >= c.cfg.Walks:
			t.stopped[uri] = true
			return nil
		}
		t.asked[uri] = true
		reply, _, err := c.ask(ctx, c.base, "app.bsky.feed.getPostThread", url.Values{"uri": {uri}, "depth": {below}, "parentHeight": {"0"}})
		var e *connector.Error
		if uri != t.top && errors.As(err, &e) && !e.Stops() {
			t.odd = true // it went away while we read
			continue
		}
		if err != nil {
			return err
		}
		top, odd, err := decodeThread(reply.Body)
		if err != nil {
			return err
		}
		t.odd = t.odd || odd
		t.take(top, uri, reply.Answer.SHA)
	}
	return nil
}

// next is a post that claims more answers than were shown, and was not asked
// for by itself yet.
func (t *thread) next() string {
	for len(t.short) > 0 {
		uri := t.short[0]
		t.short = t.short[1:]
		if !t.asked[uri] && (t.stopped[uri] || t.client.claims[uri] > t.shown[uri]) {
			return uri
		}
	}
	return ""
}

// take adds one answer. Its top is the post that was asked for.
func (t *thread) take(top node, uri, sha string) {
	c := t.client
	v, ok := decodeView(top.Post)
	switch {
	case !ok || v.URI != uri:
		t.odd = true // withdrawn while we read, or behind a block
		return
	case uri == t.top && v.Threadgate != nil:
		c.hide(v.Threadgate.Record)
	}
	if uri == t.top && c.roots[uri] == "" { // it was not listed in this poll
		c.roots[uri] = c.above(v)
	}
	c.count(v)
	delete(t.stopped, uri)
	if top.Replies == nil && c.claims[uri] > 0 {
		t.stopped[uri] = true
	}
	type place struct {
		node
		parent string
	}
	var open []place
	push := func(n node, parent string) {
		if n.Replies != nil {
			for _, r := range *n.Replies {
				open = append(open, place{r, parent})
			}
		}
	}
	push(top, uri)
	for len(open) > 0 {
		p := open[0]
		open = open[1:]
		if p.NotFound || p.Blocked {
			if !t.met[p.URI] {
				t.met[p.URI] = true
				t.shown[p.parent]++
				if p.Blocked {
					// Its author and that of the post above do not want to see each other. It
					// is there for everyone, though not in this place.
					t.apart = append(t.apart, p.URI)
				}
			}
			continue // what is not found, a look-up will have to tell again
		}
		v, ok := decodeView(p.Post)
		if !ok {
			t.odd = true
			continue
		}
		if !t.met[v.URI] {
			t.met[v.URI] = true
			if v.Record.Reply == nil {
				v.Record.Reply = &answers{Parent: ref{p.parent}} // it hangs here, whatever it says
			}
			t.items = append(t.items, seen{v, sha})
			t.shown[p.parent]++
		}
		c.count(v)
		if c.claims[v.URI] > 0 {
			if p.Replies == nil && !t.asked[v.URI] {
				t.stopped[v.URI] = true
			}
			t.short = append(t.short, v.URI)
		}
		push(p.node, v.URI)
	}
}

// unseen reads what is part of the thread but was not shown in its place:
// blocked answers, and those hidden by the account.
func (t *thread) unseen(ctx context.Context) error {
	c := t.client
	if t.waits {
		return nil
	}
	blocked := len(t.apart)
	for uri, post := range c.hidden {
		if post == t.top && !t.met[uri] {
			t.apart = append(t.apart, uri)
		}
	}
	slices.Sort(t.apart[blocked:])
	uris := slices.DeleteFunc(slices.Clone(t.apart), func(uri string) bool { did, _ := parts(uri); return did == "" })
	list, skipped, err := c.posts(ctx, uris)
	t.odd = t.odd || skipped > 0
	for _, s := range list {
		// A gate may name what was never part of the thread.
		if s.Record.Reply == nil || c.hidden[s.URI] == t.top && s.Record.Reply.Root.URI != t.top {
			continue
		}
		t.met[s.URI] = true
		c.count(s.view)
		t.items = append(t.items, s)
	}
	return err
}

func (t *thread) root() string {
	if root := t.client.roots[t.top]; root != "" {
		return root
	}
	return t.top
}

// list gives the sightings. Each belongs to the thread of what it answers,
// unless that was decided already.
func (t *thread) list() []sighting.Item {
	c := t.client
	out := make([]sighting.Item, 0, len(t.items))
	for _, s := range t.items {
		root := c.roots[s.URI]
		if did, _ := parts(s.URI); root == "" && did == c.did {
			root = c.above(s.view) // as when it is listed
		}
		if root == "" {
			root = c.roots[s.Record.parent()]
		}
		if root == "" {
			root = t.root()
		}
		c.roots[s.URI] = root
		out = append(out, c.item(s.view, root, s.sha, sighting.Listed))
	}
	return out
}
