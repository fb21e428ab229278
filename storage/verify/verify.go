// Package verify checks an archive from what is stored alone: the database, the
// objects, the published checkpoints and the log's public key. It shares only
// the entry format with package evidence and recomputes everything else, so
// that a mistake of the writer is not repeated by the reader. It changes
// nothing.
//
// It finds any flipped bit in an object, a missing object, a row that was
// edited, added or removed where the evidence log covers it, and an entry that
// was changed, dropped or put elsewhere, and names it. It cannot find what
// someone did who rewrote the database, the published checkpoints and held the
// signing key too; for that, checkpoints must be kept by others.
package verify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/candor-archive/candor/storage/object"
)

// Config says what to check.
type Config struct {
	DB       *bun.DB // on SQLite the pool for reading: the check must not hold up writers
	Objects  object.Store
	Dir      string                  // the data directory
	Progress func(done, total int64) // entries and objects so far; total grows as objects become known; may be nil
}

// Report is what was found.
type Report struct {
	Entries  int   // of the evidence log
	Captures int   // covered by it
	Objects  int   // read and hashed
	Bytes    int64 // of those objects
	Faults   []Fault
	More     int // faults beyond the first maxFaults, counted only
}

// maxFaults is how many faults are named; an archive that is gone altogether
// would name millions.
const maxFaults = 10_000

// Sound reports whether no fault was found.
func (r Report) Sound() bool { return len(r.Faults) == 0 }

// Fault is one thing that is not as it should be.
type Fault struct {
	What    string // in short: "object missing"
	Subject string // what it is about: "capture <id>"
	Detail  string // a sentence for people
}

func (f Fault) String() string { return f.What + ": " + f.Detail }

// Archive checks a whole archive. An error means that the check itself could
// not be done; what is wrong with the archive is in the report. It may run
// beside a program that goes on writing: what is added after it began is left
// for the next time.
func Archive(ctx context.Context, c Config) (Report, error) {
	k := &check{Config: c, objects: map[string]*wanted{}, covered: map[string]bool{}}
	// The checkpoints first: each was committed before it was published, so the
	// database read after them must know of all.
	if err := k.readCheckpoints(); err != nil {
		return k.report, err
	}
	opts := &sql.TxOptions{ReadOnly: true}
	if c.DB.Dialect().Name() == dialect.PG {
		opts.Isolation = sql.LevelRepeatableRead
	}
	err := c.DB.RunInTx(ctx, opts, func(ctx context.Context, tx bun.Tx) error {
		k.db = tx
		for _, step := range []func(context.Context) error{k.log, k.rows, k.requests, k.references} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return k.report, fmt.Errorf("verify the database: %w", err)
	}
	if err := k.bytes(ctx); err != nil {
		return k.report, fmt.Errorf("verify the objects: %w", err)
	}
	return k.report, nil
}

// check is one run.
type check struct {
	Config
	db     bun.Tx
	report Report
	done   int64
	total  int64

	checkpoints []checkpoint
	objects     map[string]*wanted
	covered     map[string]bool // tombstones whose closing the log covers
}

func (k *check) fault(what, subject, format string, args ...any) {
	if len(k.report.Faults) >= maxFaults {
		k.report.More++
		return
	}
	k.report.Faults = append(k.report.Faults, Fault{What: what, Subject: subject, Detail: fmt.Sprintf(format, args...)})
}

func (k *check) progress(n int64) {
	k.done += n
	if k.Progress != nil {
		k.Progress(k.done, k.total)
	}
}

// one reads one row, and says whether it is there.
func one(ctx context.Context, q *bun.SelectQuery) (bool, error) {
	err := q.Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
