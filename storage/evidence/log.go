// Package evidence keeps the append-only log of everything done to a record.
// An entry is durable when the transaction it was appended in commits, and no
// entry is ever changed. The log is a Merkle tree (RFC 6962, as
// golang.org/x/mod/sumdb/tlog builds it) whose stored hashes live in the same
// database as the rows it covers; each append signs a new checkpoint (C2SP
// tlog-checkpoint, as golang.org/x/mod/sumdb/note signs it) in the same
// transaction. After the commit, Published copies the newest checkpoint into a
// file outside the database, so that a database cut back to an earlier state is
// noticed. Someone who can rewrite the database, that file and the key can
// still rewrite history: only checkpoints kept by others help against that.
//
// The log shows that history was not rewritten; it cannot show that what was
// recorded was true. Checking is the work of package verify, which shares only
// the entry format with the writer.
package evidence

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/durable"
	"github.com/candor-archive/candor/storage/layout"
)

// Log is one evidence log. It may be used by many goroutines, and by several
// processes that share the database and the key.
type Log struct {
	db       *bun.DB
	dir      string
	signer   note.Signer
	verifier note.Verifier
	// published is how many entries the newest checkpoint in the file covers. A
	// database that holds fewer has lost some, and nothing may be added to it.
	published atomic.Int64
}

type entryRow struct {
	bun.BaseModel `bun:"table:evidence_entry"`

	Seq     int64  `bun:"seq,pk"`
	At      int64  `bun:"at"`
	Kind    string `bun:"kind"`
	Subject string `bun:"subject"`
	Body    []byte `bun:"body"`
}

type hashRow struct {
	bun.BaseModel `bun:"table:evidence_hash"`

	Idx  int64  `bun:"idx,pk"`
	Hash []byte `bun:"hash"`
}

type headRow struct {
	bun.BaseModel `bun:"table:evidence_head"`

	ID       int64  `bun:"id,pk"`
	Size     int64  `bun:"size"`
	Note     []byte `bun:"note"`
	Verifier string `bun:"verifier"`
}

// Open opens the log in a database, made empty at the first start together with
// its key in dir. The origin names the log in its checkpoints, like
// records.larkspur.example/evidence; the one given at the first start stays.
// When the key is not the one the log was begun with, Open fails with Conflict.
func Open(ctx context.Context, db *bun.DB, dir, origin string) (*Log, error) {
	var head headRow
	err := db.NewSelect().Model(&head).Where("id = 1").Scan(ctx)
	begun := err == nil
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("open evidence log: %w", err)
	}
	if _, err := os.Stat(layout.EvidenceKey(dir)); begun && errors.Is(err, os.ErrNotExist) {
		return nil, candor.Errorf(candor.Conflict,
			"open evidence log: its signing key %s is missing; restore it from a backup, or copy it from the machine the log was begun on", layout.EvidenceKey(dir))
	}
	signer, vkey, err := openKeys(dir, origin)
	if err != nil {
		return nil, fmt.Errorf("open evidence log: %w", err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("open evidence log: %w", err)
	}
	l := &Log{db: db, dir: dir, signer: signer, verifier: v}
	if !begun {
		if err := l.begin(ctx, vkey); err != nil {
			return nil, fmt.Errorf("open evidence log: %w", err)
		}
		if err := db.NewSelect().Model(&head).Where("id = 1").Scan(ctx); err != nil {
			return nil, fmt.Errorf("open evidence log: %w", err)
		}
	}
	if head.Verifier != vkey {
		return nil, candor.Errorf(candor.Conflict,
			"open evidence log: it was begun with another key than %s; restore that key from a backup, or copy it from the machine the log was begun on", layout.EvidenceKey(dir))
	}
	// A database that lost entries may be read and checked; Append refuses it.
	if err := l.Published(ctx); err != nil && !candor.IsKind(err, candor.Conflict) {
		return nil, fmt.Errorf("open evidence log: %w", err)
	}
	return l, nil
}

func (l *Log) begin(ctx context.Context, vkey string) error {
	empty, err := tlog.TreeHash(0, nil)
	if err != nil {
		return err
	}
	signed, err := l.sign(tlog.Tree{N: 0, Hash: empty})
	if err != nil {
		return err
	}
	_, err = l.db.NewInsert().Model(&headRow{ID: 1, Note: signed, Verifier: vkey}).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return err
}

func (l *Log) sign(tree tlog.Tree) ([]byte, error) {
	return note.Sign(&note.Note{Text: checkpointText(l.signer.Name(), tree)}, l.signer)
}

// Verifier is the public key of the log as note verifier text.
func (l *Log) Verifier(ctx context.Context) (string, error) {
	head, err := readHead(ctx, l.db)
	return head.Verifier, err
}

// Append adds entries within a transaction, numbers them from first on (what
// their Seq holds is ignored) and signs the checkpoint that covers them. They
// are in the log when the transaction commits, and never were when it does not.
// Appends wait for each other until their transactions end, so append last.
func (l *Log) Append(ctx context.Context, tx bun.Tx, entries ...candor.EvidenceEntry) (first int64, err error) {
	if len(entries) == 0 {
		return 0, candor.Errorf(candor.Invalid, "append evidence: there is nothing to append")
	}
	// The first statement takes the lock: on PostgreSQL this row's, on SQLite
	// the writer's. What is read after it can't be changed by another.
	lock := tx.NewUpdate().Model((*headRow)(nil)).Set("size = size").Where("id = 1")
	if tx.Dialect().Name() == dialect.SQLite {
		if _, err := lock.Exec(ctx); err != nil {
			return 0, fmt.Errorf("append evidence: %w", err)
		}
	}
	head, err := readHead(ctx, tx)
	if err != nil {
		return 0, fmt.Errorf("append evidence: %w", err)
	}
	if seen := l.published.Load(); head.Size < seen {
		return 0, fmt.Errorf("append evidence: %w", shortened(head.Size, seen, l.dir))
	}
	r := &hashes{ctx: ctx, db: tx}
	rows := make([]entryRow, len(entries))
	for i, e := range entries {
		e.Seq, e.At = head.Size+int64(i), candor.Moment(e.At)
		if err := checkEntry(e); err != nil {
			return 0, fmt.Errorf("append evidence: %w", err)
		}
		rows[i] = entryRow{Seq: e.Seq, At: e.At.UnixMicro(), Kind: string(e.Kind), Subject: e.Subject, Body: e.Body}
		fresh, err := tlog.StoredHashes(e.Seq, Leaf(e), r)
		if err != nil {
			return 0, fmt.Errorf("append evidence: %w", err)
		}
		r.add(tlog.StoredHashIndex(0, e.Seq), fresh)
	}
	tree := tlog.Tree{N: head.Size + int64(len(entries))}
	if tree.Hash, err = tlog.TreeHash(tree.N, r); err != nil {
		return 0, fmt.Errorf("append evidence: %w", err)
	}
	signed, err := l.sign(tree)
	if err != nil {
		return 0, fmt.Errorf("append evidence: sign: %w", err)
	}
	for _, write := range []interface {
		Exec(context.Context, ...any) (sql.Result, error)
	}{
		tx.NewInsert().Model(&rows),
		tx.NewInsert().Model(&r.fresh),
		tx.NewUpdate().Model(&headRow{ID: 1, Size: tree.N, Note: signed}).Column("size", "note").WherePK(),
	} {
		if _, err := write.Exec(ctx); err != nil {
			return 0, fmt.Errorf("append evidence: %w", err)
		}
	}
	return head.Size, nil
}

// Published writes the newest committed checkpoint durably to the file of
// published checkpoints, unless it is there. Call it after the commit, outside
// any transaction, before acknowledging; calling it again does no harm. It
// fails with Conflict when the file knows of more entries than the database:
// then the database was cut back, and Append refuses to write over the gap.
func (l *Log) Published(ctx context.Context) error {
	err := durable.Append(layout.Checkpoints(l.dir), 0o644, func(last []byte) ([]byte, error) {
		var have Published
		var hash tlog.Hash
		if len(last) > 0 {
			var err error
			if have, err = ParsePublished(last); err != nil {
				return nil, err
			}
			tree, err := ParseCheckpoint([]byte(have.Note), l.verifier)
			if err != nil {
				return nil, err
			}
			have.Size, hash = tree.N, tree.Hash
		}
		// Read after the file was locked: every line in it was committed before.
		head, err := readHead(ctx, l.db)
		if err != nil {
			return nil, err
		}
		raise(&l.published, have.Size)
		if head.Size < have.Size {
			return nil, shortened(head.Size, have.Size, l.dir)
		}
		if head.Size == have.Size {
			tree, err := ParseCheckpoint(head.Note, l.verifier)
			if err == nil && have.Size > 0 && tree.Hash != hash {
				err = candor.Errorf(candor.Conflict, "the evidence log is another than the one published in %s: run candor verify", layout.Checkpoints(l.dir))
			}
			return nil, err
		}
		raise(&l.published, head.Size)
		return json.Marshal(Published{Size: head.Size, Note: string(head.Note)})
	})
	if err != nil {
		return fmt.Errorf("publish checkpoint: %w", err)
	}
	return nil
}

func raise(v *atomic.Int64, to int64) {
	for {
		have := v.Load()
		if have >= to || v.CompareAndSwap(have, to) {
			return
		}
	}
}

func shortened(have, want int64, dir string) error {
	return candor.Errorf(candor.Conflict, "the evidence log holds %d entries, but %d were published in %s: "+
		"the database was cut back or restored from an older copy; restore a newer one and run candor verify", have, want, layout.Checkpoints(dir))
}

// Checkpoint gives the newest signed checkpoint.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) {
	head, err := readHead(ctx, l.db)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	return head.Note, nil
}

// Entry reads one entry; NotFound when the log is not that long.
func (l *Log) Entry(ctx context.Context, seq int64) (candor.EvidenceEntry, error) {
	var row entryRow
	err := l.db.NewSelect().Model(&row).Where("seq = ?", seq).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return candor.EvidenceEntry{}, candor.Errorf(candor.NotFound, "there is no evidence entry %d", seq)
	}
	if err != nil {
		return candor.EvidenceEntry{}, fmt.Errorf("read evidence entry %d: %w", seq, err)
	}
	return candor.EvidenceEntry{
		Seq: row.Seq, At: time.UnixMicro(row.At).UTC(), Kind: candor.EvidenceKind(row.Kind), Subject: row.Subject, Body: row.Body,
	}, nil
}

// Proof proves that an entry is in the tree of the newest checkpoint, for
// tlog.CheckRecord with the RFC 6962 leaf hash of Leaf.
func (l *Log) Proof(ctx context.Context, seq int64) (tlog.RecordProof, tlog.Tree, error) {
	head, err := readHead(ctx, l.db)
	if err != nil {
		return nil, tlog.Tree{}, fmt.Errorf("prove entry %d: %w", seq, err)
	}
	tree, err := ParseCheckpoint(head.Note, l.verifier)
	if err != nil {
		return nil, tlog.Tree{}, fmt.Errorf("prove entry %d: %w", seq, err)
	}
	if seq < 0 || seq >= tree.N {
		return nil, tlog.Tree{}, candor.Errorf(candor.NotFound, "there is no evidence entry %d", seq)
	}
	p, err := tlog.ProveRecord(tree.N, seq, &hashes{ctx: ctx, db: l.db})
	if err != nil {
		return nil, tlog.Tree{}, fmt.Errorf("prove entry %d: %w", seq, err)
	}
	return p, tree, nil
}

// readHead reads the head; inside a PostgreSQL transaction it locks it.
func readHead(ctx context.Context, db bun.IDB) (headRow, error) {
	var head headRow
	q := db.NewSelect().Model(&head).Where("id = 1")
	if _, tx := db.(bun.Tx); tx && db.Dialect().Name() == dialect.PG {
		q = q.For("UPDATE")
	}
	err := q.Scan(ctx)
	return head, err
}

// hashes reads the tree's stored hashes, those just computed first.
type hashes struct {
	ctx   context.Context
	db    bun.IDB
	fresh []hashRow // to be written
	known map[int64][]byte
}

func (h *hashes) add(idx int64, list []tlog.Hash) {
	if h.known == nil {
		h.known = map[int64][]byte{}
	}
	for i, x := range list {
		h.fresh = append(h.fresh, hashRow{Idx: idx + int64(i), Hash: x[:]})
		h.known[idx+int64(i)] = x[:]
	}
}

// ReadHashes is tlog.HashReader.
func (h *hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make(map[int64][]byte, len(indexes))
	var ask []int64
	for _, i := range indexes {
		if hash, ok := h.known[i]; ok {
			found[i] = hash
		} else {
			ask = append(ask, i)
		}
	}
	if len(ask) > 0 {
		var rows []hashRow
		if err := h.db.NewSelect().Model(&rows).Where("idx IN (?)", bun.List(ask)).Scan(h.ctx); err != nil {
			return nil, fmt.Errorf("read tree hashes: %w", err)
		}
		for _, row := range rows {
			found[row.Idx] = row.Hash
		}
	}
	list := make([]tlog.Hash, len(indexes))
	for n, i := range indexes {
		if len(found[i]) != tlog.HashSize {
			return nil, fmt.Errorf("tree hash %d is missing", i)
		}
		copy(list[n][:], found[i])
	}
	return list, nil
}
