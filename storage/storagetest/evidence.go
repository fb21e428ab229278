package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/evidence"
	"github.com/candor-archive/candor/storage/layout"
	"github.com/candor-archive/candor/storage/meta"
)

const origin = "records.larkspur.example/evidence"

// Evidence checks the contract of evidence.Log on one engine.
func Evidence(t *testing.T, open func(t *testing.T) *meta.DB) {
	ctx := context.Background()

	t.Run("entries are numbered from 0 and read back as they were", func(t *testing.T) {
		db, l, dir := newLog(t, open)
		var want []candor.EvidenceEntry
		for _, n := range []int{1, 2, 5, 1, 300} {
			batch := entries(len(want), n)
			if first := appendTo(t, db, l, batch...); first != int64(len(want)) {
				t.Fatalf("first is %d, want %d", first, len(want))
			}
			want = append(want, batch...)
		}
		for i, w := range want {
			w.Seq = int64(i)
			got, err := l.Entry(ctx, w.Seq)
			if err != nil || !got.At.Equal(w.At) || got.Seq != w.Seq || got.Kind != w.Kind || got.Subject != w.Subject || !bytes.Equal(got.Body, w.Body) {
				t.Fatalf("entry %d: %+v (%v), want %+v", i, got, err, w)
			}
		}
		if _, err := l.Entry(ctx, int64(len(want))); !candor.IsKind(err, candor.NotFound) {
			t.Errorf("an entry beyond the end: %v", err)
		}
		CheckLog(t, l, dir, int64(len(want)))
	})
	t.Run("several appends of one transaction follow one another", func(t *testing.T) {
		db, l, dir := newLog(t, open)
		err := db.InTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			for i := range 3 {
				first, err := l.Append(ctx, tx, entries(2*i, 2)...)
				if err != nil || first != int64(2*i) {
					return fmt.Errorf("append %d: first %d, %v", i, first, err)
				}
			}
			return nil
		})
		if err == nil {
			err = l.Published(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		CheckLog(t, l, dir, 6)
	})
	t.Run("what is rolled back never was", func(t *testing.T) {
		db, l, dir := newLog(t, open)
		appendTo(t, db, l, entries(0, 3)...)
		no := errors.New("no")
		err := db.InTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			if _, err := l.Append(ctx, tx, entries(3, 4)...); err != nil {
				return err
			}
			return no
		})
		if !errors.Is(err, no) {
			t.Fatal(err)
		}
		CheckLog(t, l, dir, 3)
		if first := appendTo(t, db, l, entries(3, 1)...); first != 3 {
			t.Errorf("first is %d", first)
		}
		CheckLog(t, l, dir, 4)
	})
	t.Run("an entry that cannot be a leaf is refused", func(t *testing.T) {
		db, l, dir := newLog(t, open)
		for _, change := range []func(*candor.EvidenceEntry){
			func(e *candor.EvidenceEntry) { e.At = time.Time{} },
			func(e *candor.EvidenceEntry) { e.Subject = "two\nlines" },
			func(e *candor.EvidenceEntry) { e.Kind = "" },
			func(e *candor.EvidenceEntry) { e.Body = nil },
		} {
			e := entries(0, 1)[0]
			change(&e)
			err := db.InTx(ctx, func(ctx context.Context, tx bun.Tx) error { _, err := l.Append(ctx, tx, e); return err })
			if !candor.IsKind(err, candor.Invalid) {
				t.Errorf("%+v: %v", e, err)
			}
		}
		CheckLog(t, l, dir, 0)
	})
	t.Run("racing appends leave one log without gaps", func(t *testing.T) {
		db, l, dir := newLog(t, open)
		other, err := evidence.Open(ctx, db.Write, dir, origin) // as another process has it
		if err != nil {
			t.Fatal(err)
		}
		const workers, each = 6, 8
		var firsts []int64
		var mu sync.Mutex
		var wg sync.WaitGroup
		for w := range workers {
			log := []*evidence.Log{l, other}[w%2]
			wg.Go(func() {
				for i := range each {
					n := 1 + i%3
					var first int64
					err := db.InTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
						first, err = log.Append(ctx, tx, entries(w*1000+i*10, n)...)
						return err
					})
					if err == nil {
						err = log.Published(ctx)
					}
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for k := range n {
						firsts = append(firsts, first+int64(k))
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		slices.Sort(firsts)
		for i, seq := range firsts {
			if seq != int64(i) {
				t.Fatalf("place %d holds number %d", i, seq)
			}
		}
		CheckLog(t, l, dir, int64(len(firsts)))
	})
	t.Run("publishing is idempotent, survives a torn line and notices a log cut back", func(t *testing.T) {
		db, l, dir := newLog(t, open)
		appendTo(t, db, l, entries(0, 3)...)
		file := layout.Checkpoints(dir)
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := l.Published(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
			t.Errorf("publishing again changed the file from %q to %q", before, after)
		}
		if err := os.WriteFile(file, append(before, `{"size":4,"no`...), 0o644); err != nil {
			t.Fatal(err)
		}
		appendTo(t, db, l, entries(3, 2)...)
		CheckLog(t, l, dir, 5)

		CutBack(t, db, dir, 3)
		if err := l.Published(ctx); !candor.IsKind(err, candor.Conflict) {
			t.Errorf("published after the cut: %v", err)
		}
		again, err := evidence.Open(ctx, db.Write, dir, origin)
		if err != nil {
			t.Fatalf("a log that was cut back must still be readable: %v", err)
		}
		for name, log := range map[string]*evidence.Log{"the running": l, "a newly opened": again} {
			err = db.InTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				_, err := log.Append(ctx, tx, entries(3, 1)...)
				return err
			})
			if !candor.IsKind(err, candor.Conflict) {
				t.Errorf("%s log appends over the gap: %v", name, err)
			}
		}
	})
	t.Run("the key is made once, private, and must be the log's own", func(t *testing.T) {
		db, l, dir := newLog(t, open)
		appendTo(t, db, l, entries(0, 2)...)
		if st, err := os.Stat(layout.EvidenceKey(dir)); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("key file: %v, %v", st, err)
		}
		if _, err := evidence.Open(ctx, db.Write, dir, "another.example/name"); err != nil {
			t.Errorf("opening with another origin: %v", err)
		}
		if _, err := evidence.Open(ctx, db.Write, t.TempDir(), origin); !candor.IsKind(err, candor.Conflict) {
			t.Errorf("without the key: %v", err)
		}
		elsewhere := t.TempDir()
		if _, err := evidence.Open(ctx, open(t).Write, elsewhere, origin); err != nil {
			t.Fatal(err)
		}
		if _, err := evidence.Open(ctx, db.Write, elsewhere, origin); !candor.IsKind(err, candor.Conflict) {
			t.Errorf("with another log's key: %v", err)
		}
		CheckLog(t, l, dir, 2)
	})
	t.Run("the database refuses to change or delete an entry", func(t *testing.T) {
		db, l, _ := newLog(t, open)
		appendTo(t, db, l, entries(0, 2)...)
		for _, q := range []string{"UPDATE evidence_entry SET subject = 'x' WHERE seq = 0", "DELETE FROM evidence_entry WHERE seq = 1"} {
			if _, err := db.Write.ExecContext(ctx, q); err == nil || !strings.Contains(err.Error(), "never") {
				t.Errorf("%s: %v", q, err)
			}
		}
	})
}

func newLog(t *testing.T, open func(t *testing.T) *meta.DB) (*meta.DB, *evidence.Log, string) {
	t.Helper()
	db, dir := open(t), t.TempDir()
	l, err := evidence.Open(context.Background(), db.Write, dir, origin)
	if err != nil {
		t.Fatal(err)
	}
	return db, l, dir
}

func entries(from, n int) []candor.EvidenceEntry {
	list := make([]candor.EvidenceEntry, n)
	for i := range list {
		k := from + i
		list[i] = candor.EvidenceEntry{
			At:   candor.Moment(time.Date(2026, 11, 22, 10, 0, 0, 123456789, time.UTC).Add(time.Duration(k) * time.Second)),
			Kind: candor.EvidenceSettings, Subject: fmt.Sprintf("subject-%d", k), Body: fmt.Appendf(nil, "{\"n\":%d,\"bytes\":\"\x00\xff\n\"}", k),
		}
	}
	return list
}

// appendTo appends in a transaction of its own and publishes.
func appendTo(t *testing.T, db *meta.DB, l *evidence.Log, list ...candor.EvidenceEntry) (first int64) {
	t.Helper()
	ctx := context.Background()
	err := db.InTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		first, err = l.Append(ctx, tx, list...)
		return err
	})
	if err == nil {
		err = l.Published(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	return first
}

// CheckLog checks a log of n entries as an outsider would: the signature of
// its newest checkpoint by the public key, a root computed anew from the
// entries, an inclusion proof for each of up to fifty entries, and every
// published checkpoint against a tree of its size.
func CheckLog(t *testing.T, l *evidence.Log, dir string, n int64) {
	t.Helper()
	ctx := context.Background()
	vkey, err := os.ReadFile(layout.EvidencePublicKey(dir))
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(strings.TrimSpace(string(vkey)))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := l.Checkpoint(ctx)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := evidence.ParseCheckpoint(signed, v)
	if err != nil {
		t.Fatal(err)
	}
	if tree.N != n {
		t.Fatalf("the checkpoint covers %d entries, want %d", tree.N, n)
	}
	own := &memoryTree{}
	roots := map[int64]tlog.Hash{}
	for seq := range n {
		e, err := l.Entry(ctx, seq)
		if err != nil {
			t.Fatal(err)
		}
		own.add(t, seq, evidence.Leaf(e))
		roots[seq+1] = own.root(t, seq+1)
	}
	if own.root(t, n) != tree.Hash {
		t.Fatalf("the root of %d entries is %s, the checkpoint says %s", n, own.root(t, n), tree.Hash)
	}
	for seq := int64(0); seq < n; seq += max(1, n/50) {
		proof, at, err := l.Proof(ctx, seq)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckRecord(proof, at.N, at.Hash, seq, own.leaf(seq)); err != nil {
			t.Errorf("proof of entry %d: %v", seq, err)
		}
		if err := tlog.CheckRecord(proof, at.N, at.Hash, seq, tlog.RecordHash([]byte("another"))); err == nil {
			t.Errorf("the proof of entry %d proves anything", seq)
		}
	}
	if _, _, err := l.Proof(ctx, n); !candor.IsKind(err, candor.NotFound) {
		t.Errorf("proof beyond the end: %v", err)
	}
	file, err := os.ReadFile(layout.Checkpoints(dir))
	if err != nil {
		t.Fatal(err)
	}
	last := int64(0)
	for line := range strings.Lines(string(file)) {
		p, err := evidence.ParsePublished([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		tree, err := evidence.ParseCheckpoint([]byte(p.Note), v)
		if err != nil || tree.N != p.Size || tree.N <= last || roots[tree.N] != tree.Hash {
			t.Errorf("published checkpoint of %d entries after one of %d: %v", p.Size, last, err)
		}
		last = tree.N
	}
	if last != n {
		t.Errorf("%d entries are published, want %d", last, n)
	}
}

// memoryTree is a tree of leaves, apart from the log's own hashes.
type memoryTree struct{ hashes []tlog.Hash }

func (m *memoryTree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for n, i := range indexes {
		list[n] = m.hashes[i]
	}
	return list, nil
}

func (m *memoryTree) add(t *testing.T, n int64, leaf []byte) {
	fresh, err := tlog.StoredHashes(n, leaf, m)
	if err != nil {
		t.Fatal(err)
	}
	m.hashes = append(m.hashes, fresh...)
}

func (m *memoryTree) leaf(n int64) tlog.Hash { return m.hashes[tlog.StoredHashIndex(0, n)] }

func (m *memoryTree) root(t *testing.T, n int64) tlog.Hash {
	h, err := tlog.TreeHash(n, m)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Unfreeze takes away the triggers that keep the program itself from changing
// the log, as someone with the database in their hands would.
func Unfreeze(t *testing.T, db *meta.DB) {
	t.Helper()
	drop := []string{"DROP TRIGGER IF EXISTS evidence_entry_no_update", "DROP TRIGGER IF EXISTS evidence_entry_no_delete"}
	if db.Engine == meta.PostgreSQL {
		drop = []string{"DROP TRIGGER IF EXISTS evidence_entry_frozen ON evidence_entry"}
	}
	for _, q := range drop {
		if _, err := db.Write.ExecContext(context.Background(), q); err != nil {
			t.Fatal(err)
		}
	}
}

// CutBack takes the log back to its first n entries, with the checkpoint it
// had then, as restoring an older copy of the database would.
func CutBack(t *testing.T, db *meta.DB, dir string, n int64) {
	t.Helper()
	Unfreeze(t, db)
	file, err := os.ReadFile(layout.Checkpoints(dir))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		p, err := evidence.ParsePublished([]byte(line))
		if err != nil || p.Size != n {
			continue
		}
		for _, q := range []string{
			fmt.Sprintf("DELETE FROM evidence_entry WHERE seq >= %d", n),
			fmt.Sprintf("DELETE FROM evidence_hash WHERE idx >= %d", tlog.StoredHashCount(n)),
		} {
			if _, err := db.Write.ExecContext(context.Background(), q); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Write.NewRaw("UPDATE evidence_head SET size = ?, note = ?", n, []byte(p.Note)).Exec(context.Background()); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("no checkpoint of %d entries was published", n)
}
