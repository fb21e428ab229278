package crawler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/platform/facebook"
	"github.com/candor-archive/candor/crawler/sighting"
)

const (
	// freshFor is how long after posting a post's comments are read in every
	// poll: an edit or a hiding moves no number we could go by.
	freshFor = 14 * 24 * time.Hour
	// rereadAfter is how often the comments of older posts are read.
	rereadAfter = 24 * time.Hour
	// lookups bounds the direct look-ups of one poll; the rest waits its turn.
	lookups = 60
	// threadsAtOnce bounds the threads read in one poll. Those read longest ago
	// come first.
	threadsAtOnce = 250
	// candidates bounds how many known records are compared with a listing.
	// The longest unseen come first, so nothing stays unnoticed.
	candidates = 1000
	// stubborn is how many threads in a row may fail before a poll gives up.
	stubborn = 3
	// nearlyUsed is the share of the allowance, in percent, from which polls
	// come half as often.
	nearlyUsed = 80
)

// facebookMemory is what a poll of a Page leaves for the next.
type facebookMemory struct {
	PageID  string               `json:"page_id,omitempty"`
	Threads map[string]threadTop `json:"threads,omitempty"` // by the post's id
	Dead    map[string]bool      `json:"dead,omitempty"`    // record ids of deleted posts whose comments are still to be settled
}

// threadTop is how a post stood when its comments were last read.
type threadTop struct {
	Updated  time.Time `json:"u,omitzero"`
	Comments int       `json:"c"`
	Read     time.Time `json:"r"`
}

// facebookPoll is one poll of one Page.
type facebookPoll struct {
	*poll
	api     *facebook.Client
	memory  *facebookMemory
	pageID  string
	read    map[string]bool                // record ids of threads whose comments were read to the end
	witness map[candor.RecordKind][]string // ids seen in listings, newest last
	trouble *trouble
	looked  int
	absent  []absence
}

// absence is a record that a complete listing did not have and that a look-up
// called gone.
type absence struct {
	known candor.Known
	sha   string
}

func (p *poll) facebook(ctx context.Context) (*trouble, error) {
	if p.token == "" {
		return &trouble{err: errors.New("no access token is set for this source")}, nil
	}
	api, err := facebook.New(facebook.Config{Visit: p.visit, Objects: p.store, Base: p.src.APIURL, Token: p.token, SiteURL: p.src.URL})
	if err != nil {
		return &trouble{err: err}, nil
	}
	if p.memory.Facebook == nil {
		p.memory.Facebook = &facebookMemory{}
	}
	m := p.memory.Facebook
	if m.Threads == nil {
		m.Threads = map[string]threadTop{}
	}
	if m.Dead == nil {
		m.Dead = map[string]bool{}
	}
	f := &facebookPoll{poll: p, api: api, memory: m, read: map[string]bool{}, witness: map[candor.RecordKind][]string{}}
	err = f.run(ctx)
	p.slower = api.Usage().Percent >= nearlyUsed
	p.ledger.clear(p.memory.Suspects)
	return f.trouble, err
}

// run does the steps in order. A step that fails leaves its trouble and what
// it learnt; only trouble that will meet every call ends the poll.
func (f *facebookPoll) run(ctx context.Context) error {
	if err := f.profile(ctx); err != nil || f.trouble != nil {
		return err
	}
	posts, err := f.posts(ctx)
	if err != nil || f.hopeless() {
		return err
	}
	unseen, err := f.store.KnownUnseen(ctx, f.src.ID, f.at, candidates)
	if err != nil {
		return fmt.Errorf("find records not seen: %w", err)
	}
	for _, k := range unseen {
		f.ledger.learn(k)
	}
	if posts.Complete {
		err := f.look(ctx, unseen, func(r candor.Record) bool { return r.Kind == candor.Post })
		if err != nil || f.hopeless() {
			return err
		}
	}
	if err := f.comments(ctx, posts.Items); err != nil || f.hopeless() {
		return err
	}
	err = f.look(ctx, unseen, func(r candor.Record) bool {
		return r.Kind != candor.Post && (f.read[r.ThreadID] || f.memory.Dead[r.ThreadID])
	})
	if err != nil {
		return err
	}
	return f.conclude(ctx, unseen)
}

func (f *facebookPoll) hopeless() bool {
	var e *facebook.Error
	return f.trouble != nil && errors.As(f.trouble.err, &e) && e.Hopeless()
}

// note keeps trouble with the platform (the first of it, or the one that ended
// the poll) and passes on everything else.
func (f *facebookPoll) note(err error) error {
	var e *facebook.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	if f.trouble == nil || e.Hopeless() {
		f.trouble = &trouble{err: err, after: e.After}
	}
	if e.Class == facebook.Throttled {
		f.trouble.after = max(f.trouble.after, 10*time.Minute) // calls made while throttled count too
	}
	return nil
}

func (f *facebookPoll) profile(ctx context.Context) error {
	ref := f.memory.PageID
	if ref == "" {
		ref = facebook.Ref(f.src.URL)
	}
	if ref == "" {
		ref = "me" // with a Page's own token, the Page
	}
	who, err := f.api.Profile(ctx, ref)
	if err != nil {
		return f.note(err)
	}
	f.pageID, f.memory.PageID = who.ID, who.ID
	id := f.src.AccountID
	if id == "" {
		id = candor.NewID()
	}
	f.ledger.accountID = id
	f.account = &candor.Account{
		ID: id, Platform: string(f.src.Kind), PlatformID: who.ID, Handle: who.Username, Name: who.Name, URL: who.Link, FirstSeen: f.at,
	}
	return nil
}

// posts reads the listing of posts. What was read before an error counts.
func (f *facebookPoll) posts(ctx context.Context) (facebook.Listing[facebook.Post], error) {
	list, err := f.api.Posts(ctx, f.pageID)
	if err := f.note(err); err != nil {
		return list, err
	}
	items := make([]sighting.Item, len(list.Items))
	for i, p := range list.Items {
		items[i] = p.Item
	}
	return list, f.take(ctx, items)
}

// take compares items with the archive and fetches what new wordings need.
func (f *facebookPoll) take(ctx context.Context, items []sighting.Item) error {
	if err := f.know(ctx, items); err != nil {
		return err
	}
	// What others hang on comes first, whatever the order of the listing.
	rank := map[candor.RecordKind]int{candor.Post: 0, candor.Comment: 1, candor.Reply: 2}
	slices.SortStableFunc(items, func(a, b sighting.Item) int { return rank[a.Kind] - rank[b.Kind] })
	for _, it := range items {
		c := f.ledger.sight(it)
		if it.How == sighting.Listed {
			f.witness[it.Kind] = append(f.witness[it.Kind], it.UID)
		}
		if c == nil || c.Revision == nil {
			continue
		}
		for i := range c.Attachments {
			if i >= len(it.Fetch) || it.Fetch[i] == "" {
				continue
			}
			if err := f.api.Media(ctx, &c.Attachments[i], it.Fetch[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// comments reads the threads whose turn it is.
func (f *facebookPoll) comments(ctx context.Context, posts []facebook.Post) error {
	turn := slices.DeleteFunc(slices.Clone(posts), func(p facebook.Post) bool { return !f.due(p, f.memory.Threads[p.UID]) })
	slices.SortStableFunc(turn, func(a, b facebook.Post) int {
		return f.memory.Threads[a.UID].Read.Compare(f.memory.Threads[b.UID].Read)
	})
	failed := 0
	for _, post := range turn[:min(len(turn), threadsAtOnce)] {
		list, err := f.api.Comments(ctx, post.UID)
		if err := f.note(err); err != nil {
			return err
		}
		if err := f.take(ctx, list.Items); err != nil {
			return err
		}
		if f.hopeless() {
			return nil
		}
		if err != nil {
			if failed++; failed >= stubborn {
				return nil
			}
			continue
		}
		failed = 0
		if list.Complete {
			f.read[f.ledger.byUID[post.UID].Record.ID] = true
			f.memory.Threads[post.UID] = threadTop{Updated: post.UpdatedAt, Comments: post.Comments, Read: f.at}
		}
	}
	return nil
}

func (f *facebookPoll) due(p facebook.Post, last threadTop) bool {
	switch {
	case last.Read.IsZero(), p.Comments < 0, p.Comments != last.Comments, !p.UpdatedAt.Equal(last.Updated):
		return true
	case p.PostedAt.IsZero() || f.at.Sub(p.PostedAt) < freshFor:
		return true
	}
	return f.at.Sub(last.Read) >= rereadAfter
}

// look asks for records, one by one, that a complete listing did not have:
// they may be gone, or only no longer listed.
func (f *facebookPoll) look(ctx context.Context, unseen []candor.Known, listed func(candor.Record) bool) error {
	for _, k := range unseen {
		r := k.Record
		if f.ledger.touched[r.ID] || !listed(r) {
			continue
		}
		if f.looked++; f.looked > lookups {
			return nil
		}
		root := f.ledger.byID[r.ThreadID].UID
		how, item, sha, err := f.api.Look(ctx, r.UID, r.Kind, root)
		if err != nil {
			if err := f.note(err); err != nil {
				return err
			}
			return nil // nothing reliable will come after it
		}
		switch how {
		case sighting.Here:
			if err := f.take(ctx, []sighting.Item{*item}); err != nil {
				return err
			}
		case sighting.Gone:
			f.absent = append(f.absent, absence{k, sha})
		default:
			if f.trouble == nil {
				f.ledger.unread(f.poll.memory.Suspects, k)
			}
		}
	}
	return nil
}

// conclude weighs the absences, if nothing at all went wrong in this poll and
// the token is shown to work after the answers that said gone.
func (f *facebookPoll) conclude(ctx context.Context, unseen []candor.Known) error {
	if f.trouble != nil {
		return nil
	}
	shown := map[candor.RecordKind]string{}
	for _, a := range f.absent {
		kind := a.known.Record.Kind
		if _, asked := shown[kind]; !asked {
			w, err := f.testify(ctx, kind)
			if err != nil || f.trouble != nil {
				return err
			}
			shown[kind] = w
		}
	}
	for _, a := range f.absent {
		r := a.known.Record
		w := shown[r.Kind]
		switch {
		case w == "":
			continue
		case f.memory.Dead[r.ThreadID] && r.ID != r.ThreadID:
			// No listing can show its absence any more.
			f.ledger.lose(a.known)
		default:
			found := finding{answerSHA: a.sha, said: "the API answered that it does not exist or is not visible (100/33)", witness: w}
			if f.ledger.missed(f.poll.memory.Suspects, a.known, found) && r.ID == r.ThreadID {
				f.memory.Dead[r.ID] = true
				delete(f.memory.Threads, r.UID)
			}
		}
	}
	f.settleDead(unseen)
	return nil
}

// testify shows that the token still reads another object of the same kind, or
// failing that of another kind, or the Page. It gives the id that was read.
func (f *facebookPoll) testify(ctx context.Context, kind candor.RecordKind) (string, error) {
	others := map[candor.RecordKind][]candor.RecordKind{
		candor.Post:    {candor.Post},
		candor.Comment: {candor.Comment, candor.Reply, candor.Post},
		candor.Reply:   {candor.Reply, candor.Comment, candor.Post},
	}
	for _, k := range others[kind] {
		list := f.witness[k]
		if len(list) == 0 {
			continue
		}
		uid := list[len(list)-1]
		how, _, _, err := f.api.Look(ctx, uid, k, "")
		if err != nil {
			return "", f.note(err)
		}
		if how == sighting.Here {
			return uid, nil
		}
		return "", nil
	}
	if _, err := f.api.Profile(ctx, f.pageID); err != nil {
		return "", f.note(err)
	}
	return f.pageID, nil
}

// settleDead forgets deleted posts when no comment of theirs waits any more.
func (f *facebookPoll) settleDead(unseen []candor.Known) {
	waiting := map[string]bool{}
	for _, k := range unseen {
		r := k.Record
		if r.ID != r.ThreadID && !f.ledger.touched[r.ID] {
			waiting[r.ThreadID] = true
		}
	}
	for id := range f.memory.Dead {
		root, known := f.ledger.byID[id]
		back := known && root.State != candor.Deleted
		// A full list may hide more behind its end.
		if back || (!waiting[id] && len(unseen) < candidates && !(known && f.ledger.touched[id])) {
			delete(f.memory.Dead, id)
		}
	}
}
