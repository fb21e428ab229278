// Package platformtest is what the tests of the connectors share: an object
// store in memory, and the check that what a connector reads is so. It knows no
// platform and no pretend server.
package platformtest

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
)

// Objects keeps bytes in memory, by their SHA-256.
type Objects map[string][]byte

// PutObject implements transport.Objects.
func (o Objects) PutObject(_ context.Context, r io.Reader) (sha string, size int64, err error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return "", 0, err
	}
	sha = candor.SHA256(b)
	o[sha] = b
	return sha, int64(len(b)), nil
}

// Truth is what a post or comment is like on its network.
type Truth struct {
	Text         string
	State        candor.RecordState
	Edited       time.Time // as the platform tells it; zero when it does not
	Kind         candor.RecordKind
	Root, Parent string
	Here         bool // it was not deleted
}

// ReadsTrue reads an account once and fails the test when something read is
// not so, or when a look-up of what a complete listing lacks says otherwise than
// the network. A platform that refuses the account or its posts gives nothing to
// judge. It counts what was missing, and what of it was called gone.
func ReadsTrue(t testing.TB, api connector.API, account string, want map[string]Truth) (absent, gone int) {
	t.Helper()
	ctx := context.Background()
	if _, err := api.Profile(ctx, account); err != nil {
		return 0, 0
	}
	posts, err := api.Posts(ctx, account)
	if err != nil {
		return 0, 0
	}
	got, read := map[string]sighting.Item{}, map[string]bool{}
	for _, p := range posts.Items {
		got[p.UID] = p.Item
		l, err := api.Comments(ctx, p.UID)
		read[p.UID] = err == nil && l.Complete
		for _, it := range l.Items {
			got[it.UID] = it
		}
	}
	for uid, it := range got {
		w, known := want[uid]
		if !known || !w.Here || it.Text != w.Text || it.State != w.State || !it.UpdatedAt.Equal(w.Edited) || it.Kind != w.Kind || it.ParentUID != w.Parent || it.RootUID != w.Root {
			t.Fatalf("%s reads %+v, but it is %+v", uid, it, w)
		}
	}
	for uid, w := range want {
		if _, have := got[uid]; have || w.Parent == "" && !posts.Complete || w.Parent != "" && !read[w.Root] {
			continue
		}
		absent++
		how, _, _, err := api.Look(ctx, uid, w.Kind, w.Root)
		if err == nil && (how == sighting.Here) != w.Here {
			t.Fatalf("%s is %s, but here is %v", uid, how, w.Here)
		}
		if how == sighting.Gone {
			gone++
		}
	}
	return absent, gone
}
