package storagetest

import (
	"context"
	"testing"

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
