// Package storage is the archive: where everything is kept, whether it is still
// the same, and who touched it. It opens the whole store from one Config and
// joins its parts: rows (meta), bytes (object), the append-only log (evidence),
// search (index) and jobs (queue).
//
// Each method that changes something does so in one transaction: the rows, the
// evidence entries that cover them, what the index holds of them and the jobs
// that follow from them are there together when it returns nil, and durable, or
// none of them is. Objects are durable before rows refer to them.
//
// Store reads everything and is for staff; Public reads only what everyone may
// see. Nothing here fetches anything from the outside world.
package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/evidence"
	"github.com/candor-archive/candor/storage/index"
	"github.com/candor-archive/candor/storage/layout"
	"github.com/candor-archive/candor/storage/meta"
	"github.com/candor-archive/candor/storage/object"
	"github.com/candor-archive/candor/storage/queue"
)

// Config says where the archive is. Only Dir is needed.
type Config struct {
	Dir       string           // data directory: keys, checkpoints and, by default, everything
	Database  string           // postgres:// URL or SQLite file; DIR/candor.db when empty
	Objects   string           // s3:// URL; DIR/objects when empty
	Search    string           // URL of a Meilisearch server; the embedded index when empty
	SearchKey string           // its API key
	Now       func() time.Time // time.Now when nil
	Log       *slog.Logger     // silent when nil
}

// Store is an open archive. It may be used by many goroutines at once, and on
// PostgreSQL by many processes.
type Store struct {
	db       *meta.DB
	objects  object.Store
	evidence *evidence.Log
	index    index.Index
	queue    *queue.Queue
	seal     *sealer
	notice   func(candor.Notice) candor.Mail // nil: notices wait
	now      func() time.Time
	log      *slog.Logger
}

// Open opens the archive, making what is not there yet, and brings its schema
// up to date. The caller closes it.
func Open(ctx context.Context, c Config) (_ *Store, err error) {
	if c.Dir == "" {
		return nil, candor.Errorf(candor.Invalid, "the archive needs a data directory")
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, candor.Errorf(candor.Unavailable, "make the data directory: %w", err)
	}
	now, log := c.Now, c.Log
	if now == nil {
		now = time.Now
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if c.Database == "" {
		c.Database = layout.Database(c.Dir)
	}
	s := &Store{log: log, now: func() time.Time { return candor.Moment(now()) }}
	defer func() {
		if err != nil {
			s.Close() // the first error is the one to tell
		}
	}()
	if s.seal, err = openSealer(layout.SealKey(c.Dir)); err != nil {
		return nil, err
	}
	if s.db, err = meta.Open(ctx, c.Database); err != nil {
		return nil, err
	}
	if s.objects, err = object.Open(c.Objects, c.Dir); err != nil {
		return nil, err
	}
	// The origin only has to be a name no other log has; it stays for ever.
	if s.evidence, err = evidence.Open(ctx, s.db.Write, c.Dir, "candor/"+candor.NewID()); err != nil {
		return nil, err
	}
	if s.index, err = index.Open(ctx, s.db.Write, s.db.Read, c.Search, c.SearchKey, log); err != nil {
		return nil, err
	}
	if s.queue, err = queue.New(queue.Config{Driver: s.db.QueueDriver(), DB: s.db.Write, Dir: c.Dir, Log: log}); err != nil {
		return nil, err
	}
	if err := s.db.Writer().DeleteExpiredSessions(ctx, s.now()); err != nil {
		return nil, err
	}
	return s, nil
}

// Close stops the jobs, waiting for those at work, and closes every part.
func (s *Store) Close() error {
	var errs []error
	if s.queue != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		errs = append(errs, s.queue.Stop(ctx))
		cancel()
	}
	if s.index != nil {
		errs = append(errs, s.index.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// Ready fails with Unavailable when the archive can't do its work now.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.db.Ping(ctx); err != nil {
		return err
	}
	if _, err := s.evidence.Checkpoint(ctx); err != nil {
		return candor.Errorf(candor.Unavailable, "the evidence log does not answer: %w", err)
	}
	return nil
}

// Jobs is the queue, for adding handlers, starting and stopping.
func (s *Store) Jobs() *queue.Queue { return s.queue }

// txn is one transaction under way: its statements, its moment and what the
// evidence log has to cover when it ends.
type txn struct {
	meta.Repo
	tx      bun.Tx
	now     time.Time
	entries []candor.EvidenceEntry
}

// cover notes that the log must cover a body.
func (t *txn) cover(kind candor.EvidenceKind, subject string, body []byte) {
	t.entries = append(t.entries, candor.EvidenceEntry{At: t.now, Kind: kind, Subject: subject, Body: body})
}

// setting notes a change to sources, users or the agency.
func (t *txn) setting(subject, by, format string, args ...any) {
	t.cover(candor.EvidenceSettings, subject, candor.SettingsBody(t.now, by, fmt.Sprintf(format, args...)))
}

// tries is how often a transaction is begun again when PostgreSQL ended it to
// untie it from another.
const tries = 4

// commit runs f in one transaction and ends it with the evidence entries f
// noted. f may run more than once and must not depend on its earlier runs.
func (s *Store) commit(ctx context.Context, doing string, f func(ctx context.Context, t *txn) error) error {
	var covered bool
	var err error
	for range tries {
		covered = false
		err = s.db.InTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			t := &txn{Repo: s.db.In(tx), tx: tx, now: s.now()}
			if err := f(ctx, t); err != nil {
				return err
			}
			covered = len(t.entries) > 0
			if !covered {
				return nil
			}
			_, err := s.evidence.Append(ctx, tx, t.entries...)
			return err
		})
		if !meta.Entangled(err) {
			break
		}
	}
	if err != nil {
		return wrap(err, doing)
	}
	if covered {
		s.publish(ctx)
	}
	return nil
}

// publish copies the newest checkpoint out of the database. The commit it
// follows is durable already, so trouble here is for the operator to see and
// not a reason to tell the caller that nothing happened; the next commit
// publishes this one's entries too.
func (s *Store) publish(ctx context.Context) {
	if err := s.evidence.Published(context.WithoutCancel(ctx)); err != nil {
		s.log.Error("the checkpoint was not copied to its file", "error", err)
	}
}

// wrap adds what was being done, keeping the kind. What has no kind is trouble
// with a part of the archive.
func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	kind := candor.KindOf(err)
	if kind == "" {
		kind = candor.Unavailable
	}
	return candor.Errorf(kind, "%s: %w", doing, err)
}

// sizes gives the true sizes of objects rows are about to refer to. It fails
// with Invalid when one is not stored: rows must never refer to bytes that are
// not there. The empty hash stands for no object and has no size.
func (s *Store) sizes(ctx context.Context, shas []string) (map[string]int64, error) {
	sizes := map[string]int64{"": 0}
	for _, sha := range shas {
		if _, ok := sizes[sha]; ok {
			continue
		}
		size, err := s.objects.Stat(ctx, sha)
		if candor.IsKind(err, candor.NotFound) {
			return nil, candor.Errorf(candor.Invalid, "object %s must be stored before it is referred to", sha)
		}
		if err != nil {
			return nil, err
		}
		sizes[sha] = size
	}
	return sizes, nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
