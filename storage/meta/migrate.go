package meta

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/candor-archive/candor"
)

//go:embed migrations
var migrations embed.FS

// migrationLock is the PostgreSQL advisory lock starters queue at: "candor" in
// ASCII.
const migrationLock = 0x63616e646f72

// QueueDriver is the driver the job queue uses on this database. Both engines
// give the same transaction type, so a job is queued in the transaction of the
// rows it follows from.
func (d *DB) QueueDriver() riverdriver.Driver[*sql.Tx] {
	if d.Engine == PostgreSQL {
		return riverdatabasesql.New(d.Write.DB)
	}
	return riversqlite.New(d.Write.DB)
}

// migrate brings the schema, ours first and then the queue's, up to date under
// one lock: several starters at once would otherwise trip over one another.
func (d *DB) migrate(ctx context.Context, file string) error {
	unlock, err := d.lockMigrations(ctx, file)
	if err != nil {
		return candor.Errorf(candor.Unavailable, "wait for other starters before migrating: %w", err)
	}
	defer unlock()
	folder, err := fs.Sub(migrations, "migrations/"+string(d.Engine))
	if err != nil {
		return err
	}
	dialect := goose.DialectSQLite3
	if d.Engine == PostgreSQL {
		dialect = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(dialect, d.Write.DB, folder)
	if err != nil {
		return candor.Errorf(candor.Unavailable, "read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return candor.Errorf(candor.Unavailable, "migrate the database: %w", err)
	}
	queue, err := rivermigrate.New(d.QueueDriver(), nil)
	if err != nil {
		return candor.Errorf(candor.Unavailable, "read the queue's migrations: %w", err)
	}
	if _, err := queue.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return candor.Errorf(candor.Unavailable, "migrate the queue: %w", err)
	}
	result, err := queue.Validate(ctx)
	if err != nil {
		return candor.Errorf(candor.Unavailable, "check the queue's schema: %w", err)
	}
	if !result.OK {
		return candor.Errorf(candor.Unavailable, "the queue's schema is not what this version needs: %v", result.Messages)
	}
	return nil
}

// lockMigrations holds a lock no other starter on this database can hold. It
// lives on its own connection (or file), because the migrations need the pool.
func (d *DB) lockMigrations(ctx context.Context, file string) (unlock func(), err error) {
	if d.Engine == PostgreSQL {
		conn, err := d.Write.DB.Conn(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
			conn.Close()
			return nil, err
		}
		return func() {
			// A connection that fails here is dropped, and its lock with it.
			conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrationLock))
			conn.Close()
		}, nil
	}
	f, err := os.OpenFile(file+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			f.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
