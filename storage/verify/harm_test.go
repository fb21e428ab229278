package verify_test

import (
	"context"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/candor-archive/candor/storage/evidence"
	"github.com/candor-archive/candor/storage/layout"
	"github.com/candor-archive/candor/storage/meta"
	"github.com/candor-archive/candor/storage/object"
)

func hashCount(n int64) int64 { return tlog.StoredHashCount(n) }

func (a *archive) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *archive) open() {
	var err error
	a.objects, err = object.Open("", a.dir)
	a.must(err)
	a.log, err = evidence.Open(context.Background(), a.db.Write, a.dir, "larkspur.example/evidence")
	a.must(err)
}

// exec runs statements on the one connection that sees temporary tables, as
// someone at the database's own prompt would, constraints off.
func (a *archive) exec(statements ...string) {
	a.t.Helper()
	ctx := context.Background()
	conn, err := a.db.Write.DB.Conn(ctx)
	a.must(err)
	defer conn.Close()
	off, on := "PRAGMA foreign_keys = 0", "PRAGMA foreign_keys = 1"
	if a.db.Engine == meta.PostgreSQL {
		off, on = "SET session_replication_role = replica", "SET session_replication_role = DEFAULT"
	}
	for _, q := range append(append([]string{off}, statements...), on) {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			a.t.Fatalf("%s: %v", q, err)
		}
	}
}

func (a *archive) path(sha string) string {
	name := layout.Object(a.dir, sha)
	a.must(os.Chmod(name, 0o600))
	return name
}

func (a *archive) flip(sha string) {
	a.t.Helper()
	b, err := os.ReadFile(a.path(sha))
	a.must(err)
	b[len(b)/2] ^= 1
	a.must(os.WriteFile(a.path(sha), b, 0o600))
}

func (a *archive) truncate(sha string) { a.t.Helper(); a.must(os.Truncate(a.path(sha), 7)) }
func (a *archive) remove(sha string)   { a.t.Helper(); a.must(os.Remove(a.path(sha))) }

// rewriteLog changes an early entry and computes every hash anew, as someone
// without the key but with the source code could.
func (a *archive) rewriteLog() {
	a.t.Helper()
	ctx := context.Background()
	a.exec("UPDATE evidence_entry SET at = at + 1000000 WHERE seq = 0")
	var all []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		list := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			list[i] = all[x]
		}
		return list, nil
	})
	for seq := int64(0); ; seq++ {
		e, err := a.log.Entry(ctx, seq)
		if err != nil {
			break
		}
		fresh, err := tlog.StoredHashes(seq, evidence.Leaf(e), read)
		a.must(err)
		all = append(all, fresh...)
	}
	for i, h := range all {
		_, err := a.db.Write.NewRaw("UPDATE evidence_hash SET hash = ? WHERE idx = ?", h[:], i).Exec(ctx)
		a.must(err)
	}
}

// foreignKey makes a key that is not the log's.
func (a *archive) foreignKey() string {
	a.t.Helper()
	db, err := meta.Open(context.Background(), filepath.Join(a.dir, "other.db"))
	a.must(err)
	defer db.Close()
	_, err = evidence.Open(context.Background(), db.Write, a.dir, "larkspur.example/evidence")
	a.must(err)
	return a.dir
}
