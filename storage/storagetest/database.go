package storagetest

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/candor-archive/candor/internal/pgtest"
	"github.com/candor-archive/candor/storage/meta"
)

// Databases runs a test on each engine; open gives an empty, migrated database
// that is closed when the test ends.
func Databases(t *testing.T, test func(t *testing.T, open func(t *testing.T) *meta.DB)) {
	for name, dsn := range map[string]func(t *testing.T) string{
		"SQLite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "candor.db") },
		"PostgreSQL": func(t *testing.T) string { return pgtest.Start(t) },
	} {
		t.Run(name, func(t *testing.T) {
			test(t, func(t *testing.T) *meta.DB {
				t.Helper()
				db, err := meta.Open(context.Background(), dsn(t))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := db.Close(); err != nil {
						t.Error(err)
					}
				})
				return db
			})
		})
	}
}
