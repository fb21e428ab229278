package crawler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/schedule"
	"github.com/candor-archive/candor/crawler/sighting"
)

const (
	// proofs bounds the captures that one poll asks for although nothing changed.
	proofs = 20
	// lookups bounds the direct look-ups of one poll; the rest waits its turn.
	lookups = 60
	// threadsAtOnce bounds the threads read in one poll. Those read longest ago
	// come first.
	threadsAtOnce = 250
	// requestsAtOnce ends the reading of threads for this poll. What is left is
	// read in the next, which comes soon, after other sources had their turn: one
	// busy account must not hold up the rest, and a poll that is never over is
	// never applied.
	requestsAtOnce = 1000
	// soon is how long a poll that left work behind is followed by the next.
	soon = 30 * time.Second
	// candidates bounds how many known records are compared with a listing.
	// The longest unseen come first, so nothing stays unnoticed.
	candidates = 1000
	// stubborn is how many threads in a row may fail before a poll gives up.
	stubborn = 3
	// nearlyUsed is the share of the allowance, in percent, from which polls
	// come half as often.
	nearlyUsed = 80
)

// accountMemory is what a poll of an account leaves for the next.
type accountMemory struct {
	Who     connector.Profile    `json:"who,omitzero"`      // the account
	WhoAt   time.Time            `json:"who_at,omitzero"`   // when that was read
	Swept   time.Time            `json:"swept,omitzero"`    // when all posts were last listed to the end
	Aged    time.Time            `json:"aged,omitzero"`     // when posts older than the listing were last looked up
	Threads map[string]threadTop `json:"threads,omitempty"` // by the post's id
	Dead    map[string]bool      `json:"dead,omitempty"`    // record ids of deleted posts whose comments are still to be settled
}

// threadTop is how a post stood when its comments were last read.
type threadTop struct {
	Posted   time.Time `json:"p,omitzero"`
	Updated  time.Time `json:"u,omitzero"`
	Comments int       `json:"c"`
	Read     time.Time `json:"r"`          // zero: at once
	Shot     time.Time `json:"s,omitzero"` // when a capture of it was last asked for
}

// accountPoll is one poll of one account.
type accountPoll struct {
	*poll
	api     connector.API
	memory  *accountMemory
	name    string
	read    map[string]bool                // record ids of threads whose comments were read to the end
	witness map[candor.RecordKind][]string // ids seen in listings, newest last
	trouble *trouble
	looked  int
	absent  []absence
	listed  time.Time // the listing of posts goes back to here only; zero: to the first
}

// absence is a record that a complete listing did not have and that a look-up
// called gone.
type absence struct {
	known    candor.Known
	sha      string
	unlisted bool // the platform lists nothing as old: the look-up alone is the evidence
}

// readAccount reads an account by the API of its platform. name is what its
// address calls it; empty when it does not.
func (p *poll) readAccount(ctx context.Context, api connector.API, name string) (*trouble, error) {
	if p.memory.Account == nil {
		p.memory.Account = &accountMemory{}
	}
	m := p.memory.Account
	if m.Threads == nil {
		m.Threads = map[string]threadTop{}
	}
	if m.Dead == nil {
		m.Dead = map[string]bool{}
	}
	acc := &accountPoll{poll: p, api: api, name: name, memory: m, read: map[string]bool{}, witness: map[candor.RecordKind][]string{}}
	err := acc.run(ctx)
	p.slower = api.Used() >= nearlyUsed
	if priced, ok := api.(connector.Priced); ok {
		p.cost = priced.Cost()
	}
	p.ledger.clear(p.memory.Suspects)
	return acc.trouble, err
}

// run does the steps in order. A step that fails leaves its trouble and what
// it learnt; only trouble that will meet every call ends the poll.
func (acc *accountPoll) run(ctx context.Context) error {
	if err := acc.profile(ctx); err != nil || acc.trouble != nil {
		return err
	}
	posts, err := acc.posts(ctx)
	if err != nil || acc.hopeless() {
		return err
	}
	defer acc.proofs(posts.Items)
	if posts.Gap.Reason == candor.GapLimit {
		acc.listed = acc.at
		for _, p := range posts.Items {
			if !p.PostedAt.IsZero() && p.PostedAt.Before(acc.listed) {
				acc.listed = p.PostedAt
			}
		}
	}
	if posts.Complete {
		acc.memory.Swept = acc.at
	} else if len(acc.turn(posts.Items)) == 0 {
		return nil // nothing will be listed to its end, so nothing can be missed
	}
	unseen, err := acc.store.KnownUnseen(ctx, acc.src.ID, acc.at, candidates)
	if err != nil {
		return fmt.Errorf("find records not seen: %w", err)
	}
	for _, k := range unseen {
		acc.ledger.learn(k)
	}
	if posts.Complete {
		err := acc.look(ctx, unseen, func(r candor.Record) bool { return r.ID == r.ThreadID })
		if err != nil || acc.hopeless() {
			return err
		}
	}
	if err := acc.comments(ctx, posts.Items); err != nil || acc.hopeless() {
		return err
	}
	err = acc.look(ctx, unseen, func(r candor.Record) bool {
		return r.ID != r.ThreadID && (acc.read[r.ThreadID] || acc.memory.Dead[r.ThreadID])
	})
	if err != nil {
		return err
	}
	return acc.conclude(ctx, unseen)
}

func (acc *accountPoll) hopeless() bool {
	var e *connector.Error
	return acc.trouble != nil && errors.As(acc.trouble.err, &e) && e.Hopeless()
}

// note keeps trouble with the platform (the first of it, or the one that ended
// the poll) and passes on everything else.
func (acc *accountPoll) note(err error) error {
	var e *connector.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	if acc.trouble == nil || e.Hopeless() {
		acc.trouble = &trouble{err: err, after: e.After}
	}
	if e.Class == connector.Throttled {
		acc.trouble.after = max(acc.trouble.after, 10*time.Minute) // calls made while throttled count too
	}
	return nil
}

// missing notes a gap, each reason once in a poll.
func (acc *accountPoll) missing(g candor.CoverageGap) {
	if g.Reason != "" && !slices.ContainsFunc(acc.gaps, func(o candor.CoverageGap) bool { return o.Reason == g.Reason }) {
		acc.gaps = append(acc.gaps, g)
	}
}

func (acc *accountPoll) profile(ctx context.Context) error {
	if g, ok := acc.api.(connector.Glancer); ok && acc.src.AccountID != "" && acc.recent(acc.memory.WhoAt, acc.policy().Profile) {
		g.Resume(acc.memory.Who)
		return nil
	}
	who, err := acc.api.Profile(ctx, cmp.Or(acc.memory.Who.ID, acc.name))
	if err != nil {
		return acc.note(err)
	}
	acc.memory.Who, acc.memory.WhoAt = who, acc.at
	id := acc.src.AccountID
	if id == "" {
		id = candor.NewID()
	}
	acc.ledger.accountID = id
	acc.account = &candor.Account{
		ID: id, Platform: string(acc.src.Kind), PlatformID: who.ID, Handle: who.Username, Name: who.Name, URL: who.Link, FirstSeen: acc.at,
	}
	return nil
}

func (acc *accountPoll) policy() *schedule.Policy { return &acc.c.cfg.Schedule }

func (acc *accountPoll) recent(last time.Time, every schedule.Period) bool {
	return !last.IsZero() && acc.at.Sub(last) < time.Duration(every)
}

// posts reads the newest posts, or all of them when it is time, when something
// is missing among the newest, or when something was missed before. What was
// read before an error counts.
func (acc *accountPoll) posts(ctx context.Context) (connector.Listing[connector.Post], error) {
	g, ok := acc.api.(connector.Glancer)
	if ok && acc.recent(acc.memory.Swept, acc.policy().Sweep) && len(acc.poll.memory.Suspects) == 0 {
		list, err := g.Newest(ctx, acc.memory.Who.ID)
		if err != nil || list.Complete || !acc.missesSome(list.Items) {
			return acc.taken(ctx, list, err)
		}
	}
	list, err := acc.api.Posts(ctx, acc.memory.Who.ID)
	return acc.taken(ctx, list, err)
}

// missesSome reports whether the newest posts lack one that the last listings
// had among them, or share none with them: then more is to be learnt.
func (acc *accountPoll) missesSome(list []connector.Post) bool {
	if len(list) == 0 {
		return len(acc.memory.Threads) > 0
	}
	oldest, known := acc.at, false
	there := map[string]bool{}
	for _, p := range list {
		there[p.UID] = true
		if _, ok := acc.memory.Threads[p.UID]; ok {
			known = true
		}
		if !p.PostedAt.IsZero() && p.PostedAt.Before(oldest) {
			oldest = p.PostedAt
		}
	}
	for uid, top := range acc.memory.Threads {
		if top.Posted.After(oldest) && !there[uid] {
			return true
		}
	}
	return !known
}

func (acc *accountPoll) taken(ctx context.Context, list connector.Listing[connector.Post], err error) (connector.Listing[connector.Post], error) {
	acc.missing(list.Gap)
	if err := acc.note(err); err != nil {
		return list, err
	}
	items := make([]sighting.Item, len(list.Items))
	for i, p := range list.Items {
		items[i] = p.Item
	}
	return list, acc.take(ctx, items)
}

// take compares items with the archive and fetches what new wordings need.
func (acc *accountPoll) take(ctx context.Context, items []sighting.Item) error {
	if err := acc.know(ctx, items); err != nil {
		return err
	}
	// What others hang on comes first, whatever the order of the listing.
	rank := map[candor.RecordKind]int{candor.Post: 0, candor.Story: 0, candor.Comment: 1, candor.Reply: 2}
	slices.SortStableFunc(items, func(a, b sighting.Item) int { return rank[a.Kind] - rank[b.Kind] })
	for _, it := range items {
		missed, err := acc.history(ctx, it)
		if err != nil {
			return err
		}
		for _, earlier := range missed {
			if err := acc.fetch(ctx, acc.ledger.told(earlier), earlier); err != nil {
				return err
			}
		}
		if err := acc.fetch(ctx, acc.ledger.sight(it), it); err != nil {
			return err
		}
		if it.How == sighting.Listed {
			acc.witness[it.Kind] = append(acc.witness[it.Kind], it.UID)
		}
	}
	return nil
}

// history gives the wordings before the present one that the archive does not
// have, where the platform tells them.
func (acc *accountPoll) history(ctx context.Context, it sighting.Item) ([]sighting.Item, error) {
	teller, ok := acc.api.(connector.Historian)
	if !ok || it.UpdatedAt.IsZero() || !acc.ledger.worded(it) {
		return nil, nil
	}
	all, err := teller.History(ctx, it)
	if err != nil || len(all) == 0 {
		return nil, acc.note(err) // the present wording is taken all the same
	}
	return acc.ledger.unheard(it, all[:len(all)-1]), nil
}

// fetch gets the bytes of what a new wording carries.
func (acc *accountPoll) fetch(ctx context.Context, c *candor.Change, it sighting.Item) error {
	if c == nil || c.Revision == nil {
		return nil
	}
	for i := range c.Attachments {
		if i >= len(it.Fetch) || it.Fetch[i] == "" {
			continue
		}
		if err := acc.api.Media(ctx, &c.Attachments[i], it.Fetch[i]); err != nil {
			return err
		}
	}
	return nil
}

// comments reads the threads whose turn it is.
func (acc *accountPoll) comments(ctx context.Context, posts []connector.Post) error {
	turn, listed := acc.turn(posts), map[string]bool{}
	for _, p := range posts {
		listed[p.UID] = true
	}
	slices.SortStableFunc(turn, func(a, b connector.Post) int {
		return acc.memory.Threads[a.UID].Read.Compare(acc.memory.Threads[b.UID].Read)
	})
	failed := 0
	for i, post := range turn {
		if i == threadsAtOnce || acc.visit.Requests() >= requestsAtOnce {
			for _, p := range turn[i:] {
				if acc.at.Sub(acc.memory.Threads[p.UID].Read) >= acc.src.Every {
					acc.left++ // it was passed over, and not only read a moment ago
				}
			}
			return nil
		}
		list, err := acc.api.Comments(ctx, post.UID)
		acc.missing(list.Gap)
		var refused *connector.Error
		if !listed[post.UID] && errors.As(err, &refused) && !refused.Stops() {
			acc.memory.Swept = time.Time{} // nobody said that it is still there: list everything next time
			continue
		}
		if err := acc.note(err); err != nil {
			return err
		}
		if !listed[post.UID] {
			if err := acc.know(ctx, []sighting.Item{{UID: post.UID}}); err != nil {
				return err
			}
		}
		if err := acc.take(ctx, list.Items); err != nil {
			return err
		}
		if acc.hopeless() {
			return nil
		}
		if err != nil {
			if failed++; failed >= stubborn {
				return nil
			}
			continue
		}
		failed = 0
		// What the platform keeps back today it will keep back in a minute.
		if list.Complete || list.Gap.Reason != "" {
			acc.read[acc.ledger.byUID[post.UID].Record.ID] = list.Complete
			top := acc.memory.Threads[post.UID]
			top.Posted, top.Updated, top.Comments, top.Read = post.PostedAt, post.UpdatedAt, post.Comments, acc.at
			acc.memory.Threads[post.UID] = top
		}
	}
	return nil
}

// turn gives the posts whose comments are to be read: of those just listed, and
// of those known before that this listing does not reach.
func (acc *accountPoll) turn(posts []connector.Post) []connector.Post {
	var out []connector.Post
	listed, oldest := map[string]bool{}, acc.at
	for _, p := range posts {
		listed[p.UID] = true
		if !p.PostedAt.IsZero() && p.PostedAt.Before(oldest) {
			oldest = p.PostedAt
		}
		if acc.due(p, acc.memory.Threads[p.UID]) {
			out = append(out, p)
		}
	}
	if acc.memory.Swept.Equal(acc.at) && acc.listed.IsZero() {
		return out // that was all of them
	}
	for uid, top := range acc.memory.Threads {
		if listed[uid] || top.Posted.IsZero() || !top.Posted.Before(oldest) {
			continue
		}
		if top.Read.IsZero() || acc.at.Sub(top.Read) >= acc.policy().Threads.Every(acc.at.Sub(top.Posted)) {
			out = append(out, connector.Post{Item: sighting.Item{UID: uid, PostedAt: top.Posted, UpdatedAt: top.Updated}, Comments: top.Comments})
		}
	}
	return out
}

func (acc *accountPoll) due(p connector.Post, last threadTop) bool {
	switch {
	case last.Read.IsZero(), p.Comments < 0, p.Comments != last.Comments, !p.UpdatedAt.Equal(last.Updated):
		return true
	}
	age := time.Duration(0)
	if !p.PostedAt.IsZero() {
		age = acc.at.Sub(p.PostedAt)
	}
	return acc.at.Sub(last.Read) >= acc.policy().Threads.Every(age)
}

// proofs asks for captures of posts that are due for one although nothing is
// known to have changed, and notes which were asked for anyway.
func (acc *accountPoll) proofs(posts []connector.Post) {
	asked := 0
	for _, p := range posts {
		k, known := acc.ledger.byUID[p.UID]
		top, read := acc.memory.Threads[p.UID]
		if !known || !read {
			continue
		}
		if _, changed := acc.ledger.why[k.Record.ID]; !changed {
			if top.Shot.IsZero() {
				top.Shot = acc.at // from before this was noted; it was captured when it was new
			}
			due := acc.at.Sub(top.Shot) >= acc.policy().Proof.Every(acc.at.Sub(p.PostedAt))
			if !due || asked == proofs || !k.Record.State.Shown() {
				acc.memory.Threads[p.UID] = top
				continue
			}
			asked++
			acc.ledger.capture(k.Record, whyProof)
		}
		top.Shot = acc.at
		acc.memory.Threads[p.UID] = top
	}
}

// look asks for records, one by one, that a complete listing did not have:
// they may be gone, or only no longer listed.
func (acc *accountPoll) look(ctx context.Context, unseen []candor.Known, listed func(candor.Record) bool) error {
	for _, k := range unseen {
		r := k.Record
		if acc.ledger.touched[r.ID] || !listed(r) {
			continue
		}
		if r.Kind == candor.Story && !r.PostedAt.IsZero() && acc.at.Sub(r.PostedAt) >= candor.StoryLife {
			acc.ledger.stand(k, candor.Expired, candor.Moment(r.PostedAt.Add(candor.StoryLife)))
			continue
		}
		beyond := r.ID == r.ThreadID && r.PostedAt.Before(acc.listed)
		if beyond && !acc.aged(r.UID) {
			continue
		}
		if acc.looked++; acc.looked > lookups {
			return nil
		}
		root := acc.ledger.byID[r.ThreadID].UID
		how, item, sha, err := acc.api.Look(ctx, r.UID, r.Kind, root)
		if err != nil {
			if err := acc.note(err); err != nil {
				return err
			}
			return nil // nothing reliable will come after it
		}
		switch how {
		case sighting.Here:
			if err := acc.take(ctx, []sighting.Item{*item}); err != nil {
				return err
			}
		case sighting.Gone:
			acc.absent = append(acc.absent, absence{k, sha, beyond})
		default:
			// Of what no listing reaches, an answer that settles nothing says nothing.
			if acc.trouble == nil && !(beyond && how == sighting.Unclear) {
				acc.ledger.unread(acc.poll.memory.Suspects, k, how.State())
			}
		}
	}
	return nil
}

// aged reports whether a post older than what the platform lists is looked up
// in this poll: some of them from time to time, and what was missed at once.
func (acc *accountPoll) aged(uid string) bool {
	if _, missed := acc.poll.memory.Suspects[uid]; missed {
		return true
	}
	if acc.recent(acc.memory.Aged, acc.policy().Sweep) && !acc.memory.Aged.Equal(acc.at) {
		return false
	}
	acc.memory.Aged = acc.at
	return true
}

// conclude weighs the absences, if nothing at all went wrong in this poll and
// the token is shown to work after the answers that said gone.
func (acc *accountPoll) conclude(ctx context.Context, unseen []candor.Known) error {
	if acc.trouble != nil {
		return nil
	}
	shown := map[candor.RecordKind]string{}
	for _, a := range acc.absent {
		kind := a.known.Record.Kind
		if _, asked := shown[kind]; !asked {
			w, err := acc.testify(ctx, kind)
			if err != nil || acc.trouble != nil {
				return err
			}
			shown[kind] = w
		}
	}
	for _, a := range acc.absent {
		r := a.known.Record
		w := shown[r.Kind]
		switch {
		case w == "":
			continue
		case acc.memory.Dead[r.ThreadID] && r.ID != r.ThreadID:
			// No listing can show its absence any more.
			acc.ledger.lose(a.known)
		default:
			found := finding{answerSHA: a.sha, said: acc.api.Denial(), witness: w, unlisted: a.unlisted}
			switch buried := acc.ledger.missed(acc.poll.memory.Suspects, a.known, found); {
			case r.ID != r.ThreadID:
				if !buried {
					acc.again(r.ThreadID)
				}
			case buried:
				acc.memory.Dead[r.ID] = true
				delete(acc.memory.Threads, r.UID)
			}
		}
	}
	acc.settleDead(unseen)
	return nil
}

// again has the comments of a post read in the next poll too: what was missed
// once is looked for a second time soon.
func (acc *accountPoll) again(rootID string) {
	uid := acc.ledger.byID[rootID].UID
	if top, ok := acc.memory.Threads[uid]; ok {
		top.Read = time.Time{}
		acc.memory.Threads[uid] = top
	}
}

// testify shows that the token still reads another object of the same kind, or
// failing that of another kind, or the account. It gives the id that was read.
func (acc *accountPoll) testify(ctx context.Context, kind candor.RecordKind) (string, error) {
	others := map[candor.RecordKind][]candor.RecordKind{
		candor.Post:    {candor.Post},
		candor.Story:   {candor.Story, candor.Post},
		candor.Comment: {candor.Comment, candor.Reply, candor.Post},
		candor.Reply:   {candor.Reply, candor.Comment, candor.Post},
	}
	for _, k := range others[kind] {
		list := acc.witness[k]
		if len(list) == 0 {
			continue
		}
		uid := list[len(list)-1]
		how, _, _, err := acc.api.Look(ctx, uid, k, "")
		if err != nil {
			return "", acc.note(err)
		}
		if how == sighting.Here {
			return uid, nil
		}
		return "", nil
	}
	if _, err := acc.api.Profile(ctx, acc.memory.Who.ID); err != nil {
		return "", acc.note(err)
	}
	return acc.memory.Who.ID, nil
}

// settleDead forgets deleted posts when no comment of theirs waits any more.
func (acc *accountPoll) settleDead(unseen []candor.Known) {
	waiting := map[string]bool{}
	for _, k := range unseen {
		r := k.Record
		if r.ID != r.ThreadID && !acc.ledger.touched[r.ID] {
			waiting[r.ThreadID] = true
		}
	}
	for id := range acc.memory.Dead {
		root, known := acc.ledger.byID[id]
		back := known && root.State != candor.Deleted
		// A full list may hide more behind its end.
		if back || (!waiting[id] && len(unseen) < candidates && !(known && acc.ledger.touched[id])) {
			delete(acc.memory.Dead, id)
		}
	}
}
