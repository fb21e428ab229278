package mastodon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
)

const (
	// deepest bounds every walk up a thread.
	deepest = 5000
	// atOnce is how many statuses a server gives by their ids in one call.
	atOnce = 20
)

// How much of a thread Mastodon shows in one answer: with a token, and without.
// Its limit also counts statuses that it then leaves out, so an answer is
// taken as whole only when it is well below.
const (
	shownToUs    = 4096
	shownToAll   = 60
	deepestToAll = 20
)

// meet notes where a status stands.
func (c *Client) meet(s status) {
	p := place{parent: s.ReplyTo, account: s.Account.ID, replies: -1}
	if s.Replies != nil {
		p.replies = *s.Replies
	}
	c.met[s.ID] = p
}

// climb walks up from a status. root is the topmost one above it that the
// account's listing had, own the topmost that the account wrote at all, and open
// the first one above that was not met yet.
func (c *Client) climb(id string) (root, own, open string) {
	root, own = id, id
	for range deepest {
		p, ok := c.met[id]
		if !ok {
			return root, own, id
		}
		if c.listed[id] {
			root = id
		}
		if c.listed[id] || p.account != "" && p.account == c.accountID {
			own = id
		}
		if p.parent == "" {
			break
		}
		id = p.parent
	}
	return root, own, ""
}

// climbAll reads what stands above listed answers, until their threads are
// known. Answers left over after many calls become roots of their own; waits is
// set when calls are scarce and they can wait.
func (c *Client) climbAll(ctx context.Context, list []seen) (waits bool, err error) {
	for range c.cfg.Walks {
		var open []string
		for _, s := range list {
			if _, _, id := c.climb(s.ID); id != "" && !slices.Contains(open, id) {
				if open = append(open, id); len(open) == atOnce {
					break
				}
			}
		}
		if len(open) == 0 || c.scarce() {
			return len(open) > 0, nil
		}
		if err := c.above(ctx, open); err != nil {
			return false, err
		}
	}
	return false, nil
}

// above reads statuses by their ids: those that cannot be read end a walk up.
func (c *Client) above(ctx context.Context, ids []string) error {
	path, q := "statuses", url.Values{"id[]": ids}
	if c.single {
		ids = ids[:1]
		path, q = "statuses/"+ids[0], nil
	}
	reply, err := c.get(ctx, path, q)
	var refused *connector.Error
	if errors.As(err, &refused) && refused.Stops() || err != nil && refused == nil {
		return err
	}
	var list []status // what is not understood counts as not readable
	if err == nil && c.single {
		if s, err := decodeStatus(reply.Body); err == nil {
			list = []status{s}
		}
	} else if err == nil {
		list, _, _, _ = decodeStatuses(reply.Body)
	}
	if len(list) == 0 && !c.single {
		c.single = true // servers before 4.3 and others do not know this call
		return nil
	}
	for _, id := range ids {
		c.met[id] = place{}
	}
	for _, s := range list {
		if slices.Contains(ids, s.ID) {
			c.meet(s)
		}
	}
	return nil
}

// scarce reports whether the calls that are left are needed for what follows
// the threads. The rest of the threads waits for the next poll, which begins
// with those read longest ago.
func (c *Client) scarce() bool { return c.left.known && c.left.left < min(reserve, c.left.limit/2) }

// Comments lists what is below a status, all levels. Where the server shows a
// part of a thread only, the parts that claim more answers than were shown are
// asked for by themselves. What is below an answer in a thread of the account
// is listed with that thread, and not for the answer again.
func (c *Client) Comments(ctx context.Context, postUID string) (connector.Listing[sighting.Item], error) {
	var out connector.Listing[sighting.Item]
	switch {
	case !idForm.MatchString(postUID):
		return out, nil
	case c.roots[postUID] != "" && c.roots[postUID] != postUID:
		out.Complete = true
		return out, nil
	}
	t := thread{client: c, top: postUID, items: map[string]seen{}, shown: map[string]int{}, asked: map[string]bool{}, cut: map[string]bool{}}
	err := t.read(ctx)
	out.Items = t.list()
	out.Complete = err == nil && t.whole()
	if err != nil {
		return out, fmt.Errorf("list answers to %s: %w", postUID, err)
	}
	switch {
	case out.Complete:
	case t.waits:
		// A gap would say that the server keeps something back. It does not: the
		// thread is read next time.
	case !t.skipped:
		out.Gap = candor.CoverageGap{Reason: candor.GapLimit, Detail: "the server shows only a part of long threads"}
	}
	return out, nil
}

// thread is one thread as it is put together from several answers.
type thread struct {
	client  *Client
	top     string
	items   map[string]seen
	ids     []string        // of the items, in the order they were met
	shown   map[string]int  // direct answers met, by id
	asked   map[string]bool // whose answers were asked for
	cut     map[string]bool // and whose may have been cut
	skipped bool            // something was not understood, or could not be asked for
	waits   bool            // calls were scarce
}

func (t *thread) read(ctx context.Context) error {
	c := t.client
	for id := t.top; id != ""; id = t.next() {
		switch {
		case c.scarce():
			t.waits = true
			return nil
		case len(t.asked) >= c.cfg.Walks:
			t.cut[id] = true
			return nil
		}
		t.asked[id] = true
		reply, err := c.get(ctx, "statuses/"+id+"/context", nil)
		var refused *connector.Error
		if id != t.top && errors.As(err, &refused) && !refused.Stops() {
			t.skipped = true // it went away while we read
			continue
		}
		if err != nil {
			return err
		}
		above, list, skipped, err := decodeContext(reply.Body)
		if err != nil {
			return err
		}
		if id == t.top {
			t.place(above)
		}
		t.skipped = t.skipped || skipped > 0
		t.take(id, list, reply.Answer.SHA)
	}
	return nil
}

// place decides to which thread the status belongs that was asked for, when it
// was not listed in this poll.
func (t *thread) place(above []status) {
	c := t.client
	if c.roots[t.top] != "" {
		return
	}
	for _, s := range above {
		c.meet(s)
	}
	if _, met := c.met[t.top]; !met && len(above) > 0 {
		c.met[t.top] = place{parent: above[len(above)-1].ID, account: c.accountID, replies: -1}
	}
	_, c.roots[t.top], _ = c.climb(t.top)
}

// take adds one answer.
func (t *thread) take(id string, list []status, sha string) {
	for _, s := range list {
		if _, have := t.items[s.ID]; have || s.ID == t.top || boost(s) {
			continue
		}
		t.items[s.ID] = seen{s, sha}
		t.ids = append(t.ids, s.ID)
		t.shown[s.ReplyTo]++
		t.client.meet(s)
	}
	most, down := shownToUs, shownToUs
	if t.client.cfg.Token == "" {
		most, down = shownToAll, deepestToAll
	}
	t.cut[id] = len(list) > most/2
	for _, s := range list {
		t.cut[id] = t.cut[id] || t.depth(s.ID, id) > down/2
	}
}

// next is a status that claims more answers than were shown and was not asked
// for by itself yet.
func (t *thread) next() string {
	for _, id := range t.ids {
		if !t.asked[id] && t.claims(id) > t.shown[id] {
			return id
		}
	}
	return ""
}

func (t *thread) claims(id string) int {
	p, ok := t.client.met[id]
	if !ok {
		return -1
	}
	return p.replies
}

// whole reports whether everything that is shown to us was met. A status that
// claims more answers than were shown although its own answer was small has
// such as the server shows nobody, or not us.
func (t *thread) whole() bool {
	if t.skipped || t.waits {
		return false
	}
	for id, cut := range t.cut {
		if n := t.claims(id); cut && (n < 0 || n > t.shown[id]) {
			return false
		}
	}
	return true
}

// depth is how far a status stands below another, as far as what is between
// them was shown.
func (t *thread) depth(id, below string) int {
	for n := range deepest {
		if id == below {
			return n
		}
		s, ok := t.items[id]
		if !ok {
			return n
		}
		id = s.ReplyTo
	}
	return deepest
}

// list gives the sightings, parents before what hangs on them. Each belongs to
// the thread of its parent, unless that was decided already.
func (t *thread) list() []sighting.Item {
	c := t.client
	depth := make(map[string]int, len(t.ids))
	for _, id := range t.ids {
		depth[id] = t.depth(id, t.top)
	}
	slices.SortStableFunc(t.ids, func(a, b string) int {
		return cmp.Or(depth[a]-depth[b], connector.Time(t.items[a].Created).Compare(connector.Time(t.items[b].Created)))
	})
	top := cmp.Or(c.roots[t.top], t.top)
	out := make([]sighting.Item, 0, len(t.ids))
	for _, id := range t.ids {
		s := t.items[id]
		root := cmp.Or(c.roots[id], c.roots[s.ReplyTo], top)
		c.roots[id] = root
		if s.ReplyTo == "" {
			s.ReplyTo = t.top
		}
		out = append(out, c.item(s.status, root, s.sha, sighting.Listed))
	}
	return out
}
