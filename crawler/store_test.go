package crawler

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-archive/candor"
)

// archive is a Store that can be looked into.
type archive interface {
	Store
	view(uid string) (candor.RecordView, bool)
	captures() []candor.CaptureSpec // asked for since the last call
	source() candor.Source
	answers() []candor.Answer
}

// fake is a Store in memory. It refuses sweeps that contradict what it holds,
// and fails when it is told to.
type fake struct {
	t       *testing.T
	mu      sync.Mutex
	src     candor.Source
	token   string
	state   []byte
	objects map[string][]byte
	views   map[string]*candor.RecordView // by record id
	uids    map[string]*candor.RecordView // the same by UID
	thin    bool                          // bytes and answers are not kept: a month of them is too much
	specs   []candor.CaptureSpec
	kept    []candor.Answer
	sweeps  []candor.Sweep
	fail    func(what string) error
}

func newFake(t *testing.T, src candor.Source, token string) *fake {
	return &fake{t: t, src: src, token: token, objects: map[string][]byte{}, views: map[string]*candor.RecordView{}, uids: map[string]*candor.RecordView{}, fail: func(string) error { return nil }}
}

func (f *fake) Source(_ context.Context, id string) (candor.Source, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id != f.src.ID {
		return candor.Source{}, candor.Errorf(candor.NotFound, "no source %s", id)
	}
	return f.src, f.fail("source")
}

func (f *fake) Token(context.Context, string) (string, error)       { return f.token, f.fail("token") }
func (f *fake) SourceState(context.Context, string) ([]byte, error) { return f.state, f.fail("state") }

func (f *fake) DueSources(_ context.Context, now time.Time, _ int) ([]candor.Source, error) {
	if f.src.Paused || f.src.NextPollAt.After(now) {
		return nil, nil
	}
	return []candor.Source{f.src}, f.fail("due")
}

func (f *fake) known(v *candor.RecordView) candor.Known {
	k := candor.Known{Record: v.Record}
	if len(v.Revisions) > 0 {
		k.ContentHash = v.Revisions[len(v.Revisions)-1].ContentHash
	}
	for _, x := range v.Tombstones {
		k.HasOpenTomb = k.HasOpenTomb || x.ClosedAt.IsZero()
	}
	return k
}

func (f *fake) Known(_ context.Context, _ string, uids []string) (map[string]candor.Known, error) {
	out := map[string]candor.Known{}
	for _, uid := range uids {
		if v := f.uids[uid]; v != nil {
			out[uid] = f.known(v)
		}
	}
	return out, f.fail("known")
}

func (f *fake) KnownUnseen(_ context.Context, _ string, since time.Time, limit int) ([]candor.Known, error) {
	var out []candor.Known
	for _, v := range f.views {
		s := v.Record.State
		if v.Record.LastSeen.Before(since) && (s.Present()) {
			out = append(out, f.known(v))
		}
	}
	slices.SortFunc(out, func(a, b candor.Known) int {
		if c := a.Record.LastSeen.Compare(b.Record.LastSeen); c != 0 {
			return c
		}
		return strings.Compare(a.Record.ID, b.Record.ID)
	})
	return out[:min(len(out), limit)], f.fail("unseen")
}

func (f *fake) PutObject(_ context.Context, r io.Reader) (string, int64, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return "", 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if strings.Contains(string(b), graphToken) {
		f.t.Error("the token is in an object")
	}
	if f.objects[candor.SHA256(b)] = b; f.thin {
		f.objects[candor.SHA256(b)] = nil
	}
	return candor.SHA256(b), int64(len(b)), f.fail("object")
}

func (f *fake) ApplySweep(_ context.Context, s candor.Sweep) error {
	if err := f.fail("apply"); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	have := func(sha string) {
		if _, ok := f.objects[sha]; sha != "" && !ok {
			f.t.Errorf("the sweep names object %s, which is not stored", sha)
		}
	}
	for _, a := range s.Answers {
		have(a.SHA)
		if strings.Contains(a.URL+a.Header, graphToken) {
			f.t.Error("the token is in an answer")
		}
	}
	for _, c := range s.Changes {
		f.change(s, c, have)
	}
	for _, id := range s.Seen {
		f.views[id].Record.LastSeen = s.At
	}
	if f.thin {
		s.Answers = nil
	}
	f.kept = append(f.kept, s.Answers...)
	f.specs = append(f.specs, s.Captures...)
	f.sweeps = append(f.sweeps, s)
	f.state, f.src.LastError, f.src.LastPollAt, f.src.NextPollAt = s.State, s.Error, s.At, s.NextAt
	if s.Account != nil {
		f.src.AccountID = s.Account.ID
	}
	return f.fail("applied")
}

func (f *fake) change(s candor.Sweep, c candor.Change, have func(string)) {
	r := c.Record
	v := f.views[r.ID]
	if v == nil {
		if f.uids[r.UID] != nil {
			f.t.Errorf("a second record of %s", r.UID)
		}
		v = &candor.RecordView{}
		f.views[r.ID], f.uids[r.UID] = v, v
		if r.ThreadID != r.ID && f.views[r.ThreadID] == nil || r.ParentID != "" && f.views[r.ParentID] == nil {
			f.t.Errorf("%s hangs in the air", r.UID)
		}
	}
	v.Record = r
	if c.Revision != nil {
		if c.Revision.N != len(v.Revisions)+1 || r.Revisions != c.Revision.N {
			f.t.Errorf("%s: revision %d of %d after %d", r.UID, c.Revision.N, r.Revisions, len(v.Revisions))
		}
		have(c.Revision.AnswerSHA)
		for _, a := range c.Attachments {
			have(a.SHA)
		}
		v.Revisions = append(v.Revisions, *c.Revision)
	}
	if c.Tombstone != nil {
		if f.known(v).HasOpenTomb {
			f.t.Errorf("%s: a second tombstone", r.UID)
		}
		have(c.Tombstone.AnswerSHA)
		v.Tombstones = append(v.Tombstones, *c.Tombstone)
	}
	for i := range v.Tombstones {
		if c.Reappeared && v.Tombstones[i].ClosedAt.IsZero() {
			v.Tombstones[i].ClosedAt = s.At
		}
	}
}

func (f *fake) view(uid string) (candor.RecordView, bool) {
	v := f.uids[uid]
	if v == nil {
		return candor.RecordView{}, false
	}
	out := *v
	out.Revisions = slices.Clone(v.Revisions)
	slices.Reverse(out.Revisions) // newest first, as the archive gives them
	return out, true
}

func (f *fake) captures() []candor.CaptureSpec {
	out := f.specs
	f.specs = nil
	return out
}

func (f *fake) source() candor.Source    { return f.src }
func (f *fake) answers() []candor.Answer { return f.kept }
