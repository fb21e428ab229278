package storagetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/index"
	"github.com/candor-archive/candor/storage/meta"
)

func openEmbedded(t *testing.T, open func(t *testing.T) *meta.DB) (*meta.DB, index.Index, func()) {
	t.Helper()
	db := open(t)
	ix, err := index.Open(context.Background(), db.Write, db.Read, "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ix.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, ix, func() {}
}

func TestEmbeddedIndex(t *testing.T) {
	Databases(t, func(t *testing.T, open func(t *testing.T) *meta.DB) {
		Index(t, func(t *testing.T) (*meta.DB, index.Index, func()) { return openEmbedded(t, open) })
	})
}

// What only the embedded engine promises, on both databases: forms of words,
// slips, and that neither tells of what a reader may not see.
func TestEmbeddedIndexKnowsFormsAndSlips(t *testing.T) {
	Databases(t, func(t *testing.T, open func(t *testing.T) *meta.DB) {
		db, ix, _ := openEmbedded(t, open)
		put(t, db, ix, corpus()...)
		secret := doc("p7", "fb", "en", "A councli of spies.", time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC))
		secret.Visibility = candor.StaffOnly
		put(t, db, ix, secret)
		for _, c := range []struct {
			text string
			vis  candor.Visibility
			want string
		}{
			{"meeting", candor.Public, "p1"},         // meets
			{"vacunaciones", candor.Public, "p3 p2"}, // vacunación
			{"potholes", candor.StaffOnly, "p4"},     // its language is not known, so it has the stems of all
			{"libary", candor.Public, ""},
			{"bibliotceas", candor.Public, ""},
			{"bibliotcea", candor.Public, "p3"},   // two letters swapped
			{"budgt", candor.Public, "p1"},        // one missing
			{"budgget", candor.Public, "p1"},      // one too many
			{"budgat meets", candor.Public, "p1"}, // one wrong
			{`"budgt"`, candor.Public, ""},        // in quotes it is meant as typed
			{"-budgt council", candor.Public, "p6 p1"},
			{"councli", candor.StaffOnly, "p7"}, // it occurs, as it stands
			{"councli", candor.Public, "p6 p1"}, // for this reader it does not
			{"suspct", candor.Public, ""},       // nor does what it may be a slip of
			{"suspct", candor.StaffOnly, "p5"},
			{"Larkspur", candor.Public, "p6 p4 p3 p2 p1 c1"}, // the author
		} {
			if got := found(t, ix, candor.Query{Text: c.text, Visibility: c.vis, Sort: "newest"}); got != c.want {
				t.Errorf("%s for %s: %q, want %q", c.text, c.vis, got, c.want)
			}
		}
	})
}

func TestBestAnswersComeFirstAndEveryPageIsReached(t *testing.T) {
	Databases(t, func(t *testing.T, open func(t *testing.T) *meta.DB) {
		db, ix, _ := openEmbedded(t, open)
		at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		docs := []candor.Doc{
			doc("in passing", "fb", "en", "Much was said about many things and, in the end, also about the bridge over the river.", at),
			doc("to the point", "fb", "en", "Bridge closed. The bridge reopens Monday.", at.Add(-time.Hour)),
		}
		for i := range 230 {
			docs = append(docs, doc(fmt.Sprintf("n%03d", i), "fb", "en", "A long note number "+strings.Repeat("and so on ", 20)+"bridges", at.Add(time.Duration(-i)*time.Minute)))
		}
		put(t, db, ix, docs...)
		seen := map[string]bool{}
		for page := 1; page <= 4; page++ {
			f, err := ix.Search(context.Background(), candor.Query{Text: "bridge", Page: page, PerPage: 90})
			if err != nil || f.Total != 232 {
				t.Fatalf("total %d, %v", f.Total, err)
			}
			if page == 1 && (f.IDs[0] != "to the point" || f.IDs[1] != "in passing") {
				t.Errorf("first are %v", f.IDs[:2])
			}
			for _, id := range f.IDs {
				if seen[id] {
					t.Errorf("%s is on two pages", id)
				}
				seen[id] = true
			}
		}
		if len(seen) != 232 {
			t.Errorf("%d of 232 were on some page", len(seen))
		}
	})
}
