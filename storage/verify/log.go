package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/evidence"
	"github.com/candor-archive/candor/storage/layout"
)

// checkpoint is a signed promise that the log's first entries hash to a root.
type checkpoint struct {
	tlog.Tree
	where string
}

type entryRow struct {
	bun.BaseModel `bun:"table:evidence_entry"`

	Seq     int64  `bun:"seq"`
	At      int64  `bun:"at"`
	Kind    string `bun:"kind"`
	Subject string `bun:"subject"`
	Body    []byte `bun:"body"`
}

func (r entryRow) entry() candor.EvidenceEntry {
	return candor.EvidenceEntry{Seq: r.Seq, At: time.UnixMicro(r.At).UTC(), Kind: candor.EvidenceKind(r.Kind), Subject: r.Subject, Body: r.Body}
}

// readCheckpoints reads the published checkpoints, each of which must be
// signed by the log's key and vouch for more entries than the one before.
func (k *check) readCheckpoints() error {
	verifier, err := k.verifier()
	if err != nil || verifier == nil {
		return err
	}
	name := layout.Checkpoints(k.Dir)
	file, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		k.fault("published checkpoints missing", "evidence log", "The file %s, which every checkpoint of the evidence log is copied to, is missing.", name)
		return nil
	}
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	// What follows the last line's end is a write that a crash cut short; it
	// was never acknowledged.
	whole := file[:bytes.LastIndexByte(file, '\n')+1]
	n, bad, first, why, last := 0, 0, 0, error(nil), int64(-1)
	for line := range strings.Lines(string(whole)) {
		n++
		where := fmt.Sprintf("line %d of %s", n, name)
		p, err := evidence.ParsePublished([]byte(line))
		var tree tlog.Tree
		if err == nil {
			tree, err = evidence.ParseCheckpoint([]byte(p.Note), verifier)
		}
		switch {
		case err != nil:
			if bad++; bad == 1 {
				first, why = n, err
			}
			continue
		case tree.N != p.Size || tree.N <= last:
			k.fault("published checkpoint out of place", "evidence log", "The checkpoint in %s covers %d entries, after one that covers %d: lines were moved or edited.", where, tree.N, last)
		}
		last = max(last, tree.N)
		k.checkpoints = append(k.checkpoints, checkpoint{tree, where})
	}
	if bad > 0 {
		k.fault("published checkpoint damaged", "evidence log", "%d lines of %s are not checkpoints signed by this log's key; the first is line %d: %v.", bad, name, first, why)
	}
	return nil
}

func (k *check) verifier() (note.Verifier, error) {
	name := layout.EvidencePublicKey(k.Dir)
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("verify: %w", err)
	}
	v, bad := note.NewVerifier(strings.TrimSpace(string(text)))
	if err != nil || bad != nil {
		k.fault("public key missing", "evidence log", "The public key of the evidence log, %s, is missing or damaged, so no signature can be checked.", name)
		return nil, nil
	}
	return v, nil
}

// log checks the tree: every entry is where its number says, hashes to what is
// stored for it, and all together give the roots that were signed.
func (k *check) log(ctx context.Context) error {
	var head struct {
		bun.BaseModel `bun:"table:evidence_head"`

		Size     int64  `bun:"size"`
		Note     []byte `bun:"note"`
		Verifier string `bun:"verifier"`
	}
	found, err := one(ctx, k.db.NewSelect().Model(&head).Where("id = 1"))
	if err != nil {
		return err
	}
	if !found {
		k.fault("evidence log missing", "evidence log", "The database holds no evidence log.")
	}
	k.checkHead(head.Size, head.Note, head.Verifier, found)
	k.total = head.Size
	slices.SortStableFunc(k.checkpoints, func(a, b checkpoint) int { return int(min(1, max(-1, a.N-b.N))) })

	w := &walk{check: k, stored: &storedHashes{db: k.db}, marks: k.checkpoints}
	if err := w.signed(); err != nil {
		return err
	}
	for {
		var rows []entryRow
		if err := k.db.NewSelect().Model(&rows).Where("seq >= ?", w.size).Order("seq").Limit(500).Scan(ctx); err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		for _, row := range rows {
			if err := w.missing(ctx, row.Seq); err != nil {
				return err
			}
			if err := w.entry(ctx, row.entry()); err != nil {
				return err
			}
			k.report.Entries++
			k.progress(1)
			if err := k.subject(ctx, row.entry()); err != nil {
				return err
			}
		}
	}
	if found && w.size > head.Size {
		k.fault("log and its head disagree", "evidence log", "The database says its evidence log has %d entries, but it holds %d.", head.Size, w.size)
	}
	if err := w.missing(ctx, head.Size); err != nil {
		return err
	}
	if len(w.marks) > 0 {
		last := w.marks[len(w.marks)-1]
		k.fault("log shorter than its checkpoint", "evidence log", "A checkpoint for %d entries was signed (%s), but the evidence log holds %d: "+
			"entries were dropped, or the database is older than that checkpoint.", last.N, last.where, k.report.Entries)
	}
	return nil
}

// walk goes through the log and grows its tree.
type walk struct {
	*check
	tree
	stored *storedHashes
	marks  []checkpoint // not reached yet
	sound  int64        // how many entries a signed root has vouched for
	broken bool         // the tree cannot be continued
}

// signed compares the tree with the checkpoints of its size.
func (w *walk) signed() error {
	for len(w.marks) > 0 && w.marks[0].N == w.size {
		root, err := w.root()
		switch {
		case err != nil:
			return err
		case root == w.marks[0].Hash:
			w.sound = w.size
		case w.broken: // said already
		default:
			w.fault("log differs from its checkpoint", "evidence log", "The first %d entries of the evidence log do not give the root signed for them in %s: "+
				"an entry from %d to %d was changed, dropped, added or moved.", w.size, w.marks[0].where, w.sound, max(w.sound, w.size-1))
			w.broken = true // all after it would differ for the same reason
		}
		w.marks = w.marks[1:]
	}
	return nil
}

// missing names the entries that are not there up to one that is, and fills
// their places with the hashes stored for them, so that the rest can be checked.
func (w *walk) missing(ctx context.Context, upTo int64) error {
	if upTo-w.size > maxFaults {
		w.fault("entries missing", "evidence log", "The evidence log lacks its entries %d to %d.", w.size, upTo-1)
		w.broken, w.size = true, upTo
		return nil
	}
	for w.size < upTo {
		w.fault("entry missing", entryName(w.size), "Entry %d of the evidence log is missing.", w.size)
		have, err := w.stored.next(ctx, w.size, w.completes())
		if err != nil {
			return err
		}
		if have == nil {
			have, w.broken = make([]tlog.Hash, w.completes()), true
		}
		w.add(have[0])
		w.replace(have)
		if err := w.signed(); err != nil {
			return err
		}
	}
	return nil
}

// entry adds an entry to the tree and compares what it completes.
func (w *walk) entry(ctx context.Context, e candor.EvidenceEntry) error {
	have, err := w.stored.next(ctx, e.Seq, w.completes())
	if err != nil {
		return err
	}
	fresh := w.add(tlog.RecordHash(evidence.Leaf(e)))
	switch {
	case have == nil:
		w.fault("tree hash missing", entryName(e.Seq), "The hash stored for entry %d of the evidence log is missing.", e.Seq)
	case have[0] != fresh[0]:
		w.fault("entry changed", entryName(e.Seq), "Entry %d of the evidence log (%s %s) is not what was written there: it was edited, or moved from another place.", e.Seq, e.Kind, e.Subject)
		// The tree goes on from what was stored, so that one changed entry does
		// not make all after it look changed; the signed root judges that.
		w.replace(have)
	case !w.broken && !slices.Equal(have, fresh):
		w.fault("tree hash changed", entryName(e.Seq), "A hash stored above entry %d of the evidence log is not that of the entries below it.", e.Seq)
	}
	return w.signed()
}

func (k *check) checkHead(size int64, signed []byte, vkey string, found bool) {
	if !found {
		return
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		k.fault("checkpoint damaged", "evidence log", "The database does not say with which key its evidence log was begun: %v.", err)
		return
	}
	if text, err := os.ReadFile(layout.EvidencePublicKey(k.Dir)); err == nil && strings.TrimSpace(string(text)) != vkey {
		k.fault("another key", "evidence log", "The evidence log in the database was begun with another key than the one in %s.", layout.EvidencePublicKey(k.Dir))
		return
	}
	tree, err := evidence.ParseCheckpoint(signed, v)
	if err != nil {
		k.fault("checkpoint damaged", "evidence log", "The newest checkpoint in the database is not signed by this log's key: %v.", err)
		return
	}
	if tree.N != size {
		k.fault("log and its head disagree", "evidence log", "The database says its evidence log has %d entries, its newest checkpoint says %d.", size, tree.N)
	}
	k.checkpoints = append(k.checkpoints, checkpoint{tree, "the newest checkpoint in the database"})
}

func entryName(seq int64) string { return fmt.Sprintf("evidence entry %d", seq) }

// tree grows a Merkle tree keeping only the roots of its complete parts.
type tree struct {
	size int64
	edge []part // complete subtrees from left to right
}

type part struct {
	level int
	hash  tlog.Hash
}

// completes says how many hashes the next leaf completes, itself included.
func (t *tree) completes() int { return bits.TrailingZeros64(uint64(t.size+1)) + 1 }

// add appends a leaf hash and gives the hashes this completes, itself first.
func (t *tree) add(leaf tlog.Hash) []tlog.Hash {
	p := part{0, leaf}
	fresh := []tlog.Hash{leaf}
	for len(t.edge) > 0 && t.edge[len(t.edge)-1].level == p.level {
		left := t.edge[len(t.edge)-1]
		t.edge = t.edge[:len(t.edge)-1]
		p = part{p.level + 1, tlog.NodeHash(left.hash, p.hash)}
		fresh = append(fresh, p.hash)
	}
	t.edge = append(t.edge, p)
	t.size++
	return fresh
}

// replace puts stored hashes in place of those add just completed.
func (t *tree) replace(stored []tlog.Hash) {
	t.edge[len(t.edge)-1].hash = stored[len(stored)-1]
}

func (t *tree) root() (tlog.Hash, error) {
	if len(t.edge) == 0 {
		return tlog.TreeHash(0, nil)
	}
	h := t.edge[len(t.edge)-1].hash
	for i := len(t.edge) - 2; i >= 0; i-- {
		h = tlog.NodeHash(t.edge[i].hash, h)
	}
	return h, nil
}

// storedHashes reads the hashes the writer stored, in order.
type storedHashes struct {
	db    bun.Tx
	ahead map[int64][]byte
	upTo  int64
}

// next gives the n hashes stored when an entry was written, or nil when one of
// them is missing.
func (s *storedHashes) next(ctx context.Context, seq int64, n int) ([]tlog.Hash, error) {
	first := tlog.StoredHashIndex(0, seq)
	if first+int64(n) > s.upTo {
		var rows []struct {
			bun.BaseModel `bun:"table:evidence_hash"`

			Idx  int64  `bun:"idx"`
			Hash []byte `bun:"hash"`
		}
		s.upTo = first + 1000
		if err := s.db.NewSelect().Model(&rows).Where("idx >= ?", first).Where("idx < ?", s.upTo).Scan(ctx); err != nil {
			return nil, err
		}
		s.ahead = make(map[int64][]byte, len(rows))
		for _, r := range rows {
			s.ahead[r.Idx] = r.Hash
		}
	}
	list := make([]tlog.Hash, n)
	for i := range list {
		b := s.ahead[first+int64(i)]
		if len(b) != tlog.HashSize {
			return nil, nil
		}
		copy(list[i][:], b)
	}
	return list, nil
}
