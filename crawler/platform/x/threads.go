package x

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
)

// stranger stands for an author who is not the account, whoever it is.
const stranger = "?"

// learn takes what an answer tells about everything else: who people are, which
// ids are wordings of one post, and who began which thread.
func (c *Client) learn(p page) {
	for _, u := range p.users {
		c.users[u.ID] = u
	}
	for _, m := range p.media {
		c.media[m.Key] = m
	}
	for _, o := range p.polls {
		c.polls[o.ID] = o
	}
	for _, t := range p.tweets {
		for _, key := range t.Attachments.MediaKeys {
			c.owed[key] = c.media[key].Key == "" && p.broken()
		}
		for _, id := range t.Attachments.PollIDs {
			c.owed[id] = c.polls[id].ID == "" && p.broken()
		}
	}
	for _, list := range [][]tweet{p.tweets, p.mentioned} {
		for _, t := range list {
			if len(t.History) > len(c.chains[t.uid()]) {
				c.chains[t.uid()] = t.History
			}
			for _, id := range t.History {
				c.firsts[id] = t.uid()
			}
		}
	}
	for _, list := range [][]tweet{p.tweets, p.mentioned} {
		for _, t := range list {
			parent, thread := t.answers(), c.first(t.ConversationID)
			switch {
			case parent == "":
				c.began(t.uid(), t.AuthorID)
			case thread != "" && c.first(parent) == thread:
				c.began(thread, t.AnswersUser)
			}
		}
	}
}

func (c *Client) began(thread, author string) {
	if thread != "" && author != "" {
		c.beganBy[thread] = author
	}
}

// first gives the id that names the record of which an id is a wording.
func (c *Client) first(id string) string {
	if f := c.firsts[id]; f != "" {
		return f
	}
	return id
}

// root is the thread that a post of the account belongs to: the account's own
// thread, or what it wrote in someone else's, which is a thread of its own to
// us. It follows from who began the thread, which never changes, so that one
// record never gets two. known is false while that is not known.
func (c *Client) root(t tweet) (root string, known bool) {
	if t.answers() == "" {
		return t.uid(), true
	}
	thread := c.first(t.ConversationID)
	switch c.beganBy[thread] {
	case "":
		return "", false
	case c.account:
		return thread, true
	}
	return t.uid(), true
}

// entry is a post of the account and how it was read.
type entry struct {
	tweet
	sha, how string
}

// place finds out who began the threads that nothing else tells it of. It also
// gives those posts of the account that began one of the threads and are not
// among those listed: X lists the newest only, and a reply needs its thread.
func (c *Client) place(ctx context.Context, list []entry) ([]entry, error) {
	listed := map[string]bool{}
	for _, t := range list {
		listed[t.uid()] = true
	}
	var unknown []string
	for _, t := range list {
		thread := c.first(t.ConversationID)
		if _, known := c.root(t.tweet); !known && thread != "" && !slices.Contains(unknown, thread) {
			unknown = append(unknown, thread)
		}
	}
	for part := range slices.Chunk(unknown, 100) {
		p, err := c.tweets(ctx, "tweets", url.Values{"ids": {strings.Join(part, ",")}, "tweet.fields": {"author_id,conversation_id,edit_history_tweet_ids,in_reply_to_user_id,referenced_tweets"}})
		if err != nil {
			return nil, err
		}
		for _, e := range p.problems {
			for _, id := range part {
				if e.about(id) && e.unauthorized() {
					c.began(id, stranger) // we may read the account's own
				}
			}
		}
	}
	var absent []string
	for _, t := range list {
		if r, known := c.root(t.tweet); known && r != t.uid() && !listed[r] {
			listed[r] = true
			absent = append(absent, r)
		}
	}
	var out []entry
	for part := range slices.Chunk(absent, 100) {
		p, err := c.tweets(ctx, "tweets", wanted(url.Values{"ids": {strings.Join(part, ",")}}))
		if err != nil {
			return out, err
		}
		for _, t := range p.tweets {
			if now, sha, ok, err := c.present(ctx, p, t); err != nil {
				return out, err
			} else if ok && t.AuthorID == c.account {
				out = append(out, entry{now, sha, sighting.Direct})
			}
		}
	}
	return out, nil
}

// present gives the newest wording of a post that was read by another of its
// ids.
func (c *Client) present(ctx context.Context, p page, t tweet) (tweet, string, bool, error) {
	id := t.newest()
	for _, x := range append(slices.Clone(p.tweets), p.mentioned...) {
		if x.ID == id && x.uid() == t.uid() {
			return x, p.sha, true, nil
		}
	}
	p, err := c.tweets(ctx, "tweets", wanted(url.Values{"ids": {id}}))
	if err != nil {
		return tweet{}, "", false, err
	}
	for _, x := range p.tweets {
		if x.ID == id && x.uid() == t.uid() {
			return x, p.sha, true, nil
		}
	}
	return tweet{}, p.sha, false, nil
}

// History gives the wordings of an edited post, oldest first.
func (c *Client) History(ctx context.Context, it sighting.Item) ([]sighting.Item, error) {
	chain := c.chains[it.UID]
	if len(chain) == 0 {
		p, err := c.tweets(ctx, "tweets", wanted(url.Values{"ids": {it.UID}}))
		if err != nil {
			return nil, fmt.Errorf("read the wordings of %s: %w", it.UID, err)
		}
		chain = c.chains[it.UID]
		if len(p.tweets) == 0 || len(chain) == 0 {
			return nil, nil
		}
	}
	if len(chain) < 2 || len(chain) > 100 {
		return nil, nil
	}
	earlier := chain[:len(chain)-1]
	p, err := c.tweets(ctx, "tweets", wanted(url.Values{"ids": {strings.Join(earlier, ",")}}))
	if err != nil {
		return nil, fmt.Errorf("read the wordings of %s: %w", it.UID, err)
	}
	var out []sighting.Item
	for _, id := range earlier {
		i := slices.IndexFunc(p.tweets, func(t tweet) bool { return t.ID == id && t.uid() == it.UID })
		if i < 0 {
			continue // no longer told
		}
		if old, ok := c.item(p.tweets[i], it.RootUID, p.sha, sighting.Told); ok {
			old.Kind, old.ParentUID, old.URL = it.Kind, it.ParentUID, it.URL
			out = append(out, old)
		}
	}
	return append(out, it), nil
}

// Threads older than what the search reaches are searched, too, as long as they
// are not older than lateFor and have replies: it finds the new ones, but never
// all. late bounds how many of them in one poll, since none is ever complete and
// so all come up again each time.
const (
	lateFor = 30 * 24 * time.Hour
	late    = 25
)

// Comments lists the replies below a post of the account, on all levels, as
// far as X's search of recent posts reaches: seven days.
//
// For a younger thread the listing counts as complete when the search was read
// to its end, although X does not promise that its search has everything. What
// it leaves out is only a reason to look a record up by its id, and X answers
// that in so many words ("Not Found Error" or the post itself). So an
// incomplete index costs look-ups and cannot make a deletion out of nothing;
// never to call the listing complete would leave every deletion unnoticed.
func (c *Client) Comments(ctx context.Context, postUID string) (connector.Listing[sighting.Item], error) {
	var out connector.Listing[sighting.Item]
	known, listed := c.listed[postUID]
	if listed && known.reply {
		// What hangs below a reply in the account's own thread is read with the
		// thread. In someone else's it is not read at all.
		out.Complete = !known.elsewhere
		if known.elsewhere && known.replies != 0 {
			out.Gap = candor.CoverageGap{Reason: candor.GapLimit, Detail: "replies to what the account wrote in other people's threads are not read"}
		}
		return out, nil
	}
	posted := known.posted
	if posted.IsZero() {
		posted = born(postUID)
	}
	age := c.now.Sub(posted)
	if age >= window {
		out.Gap = candor.CoverageGap{Reason: candor.GapWindow, Detail: "X's search finds replies of the last seven days only"}
		if known.replies == 0 || age >= lateFor || c.late >= late {
			return out, nil
		}
		c.late++
	}
	chain := c.chains[postUID]
	if len(chain) == 0 || len(chain) > 6 {
		chain = []string{postUID}
	}
	var queries []string
	for _, id := range chain { // a reply may name the wording it was written below
		queries = append(queries, "conversation_id:"+id)
	}
	q := wanted(url.Values{"query": {strings.Join(queries, " OR ")}, "max_results": {c.limit(10)}})
	list, whole, err := c.list(ctx, "tweets/search/recent", "next_token", q)
	for _, t := range list {
		if t.uid() == postUID {
			continue // the search finds what began the thread, too
		}
		it, ok := c.item(t.tweet, postUID, t.sha, t.how)
		if !ok {
			whole, out.Gap = false, pictureless(t.uid())
			continue
		}
		if it.ParentUID == "" || c.first(t.ConversationID) != postUID {
			whole = false // not what was searched for
			continue
		}
		out.Items = append(out.Items, it)
	}
	if errors.Is(err, errTooLong) {
		out.Gap, err = longer("the replies below "+postUID), nil
	}
	if err != nil {
		return out, fmt.Errorf("list replies of %s: %w", postUID, err)
	}
	out.Complete = whole && age < window
	return out, nil
}

// Look reads one post or reply by its id. X says in so many words when one does
// not exist.
func (c *Client) Look(ctx context.Context, uid string, kind candor.RecordKind, rootUID string) (sighting.Standing, *sighting.Item, string, error) {
	p, err := c.tweets(ctx, "tweets", wanted(url.Values{"ids": {uid}}))
	var refused *connector.Error
	if errors.As(err, &refused) && !refused.Stops() {
		if refused.Class == connector.Permission {
			return sighting.Denied, nil, refused.AnswerSHA, nil
		}
		return sighting.Unclear, nil, refused.AnswerSHA, nil
	}
	if err != nil {
		return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
	}
	for _, t := range p.tweets {
		if t.uid() != uid {
			continue
		}
		now, sha, ok, err := c.present(ctx, p, t)
		if errors.As(err, &refused) && !refused.Stops() {
			return sighting.Unclear, nil, refused.AnswerSHA, nil
		}
		if err != nil {
			return sighting.Unclear, nil, "", fmt.Errorf("look up %s: %w", uid, err)
		}
		root := rootUID
		if root == "" || now.answers() == "" {
			root = uid
		}
		if it, had := c.item(now, root, sha, sighting.Direct); ok && had {
			return sighting.Here, &it, sha, nil
		}
		return sighting.Unclear, nil, sha, nil
	}
	if len(p.tweets) > 0 || p.skipped > 0 {
		return sighting.Unclear, nil, p.sha, nil
	}
	for _, e := range p.problems {
		if e.about(uid) && !e.aside() {
			return standing(e), nil, p.sha, nil
		}
	}
	return sighting.Unclear, nil, p.sha, nil
}

// standing is what an error about the post that was asked for says of it. The
// words of an "Authorization Error" do not always tell whether its author
// protects it or was suspended; then nothing more is said than that we may not
// read it.
func standing(e problem) sighting.Standing {
	said := strings.ToLower(e.Detail)
	switch {
	case e.notFound():
		return sighting.Gone
	case strings.Contains(said, "suspend"):
		return sighting.Withheld
	case !e.unauthorized():
		return sighting.Unclear
	case strings.Contains(said, "protect"):
		return sighting.Private
	}
	return sighting.Denied
}
