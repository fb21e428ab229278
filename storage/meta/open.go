package meta

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named pgx
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the driver named sqlite

	"github.com/candor-archive/candor"
)

// Engine names a database engine.
type Engine string

// The engines.
const (
	SQLite     Engine = "sqlite"
	PostgreSQL Engine = "postgres"
)

// DB is an open database whose schema is current. On PostgreSQL Write and Read
// are the same pool; on SQLite Write has one connection, which serialises
// writers before they reach the file, and Read cannot write.
type DB struct {
	Engine Engine
	Write  *bun.DB
	Read   *bun.DB
}

// Open opens a database, making a SQLite file that is not there yet, and
// brings its schema up to date. The address is a postgres:// URL, a sqlite://
// URL or the path of a file.
func Open(ctx context.Context, dsn string) (*DB, error) {
	db, file, err := connect(dsn)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx, file); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func connect(dsn string) (db *DB, file string, err error) {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		pool, err := sql.Open("pgx", dsn)
		if err != nil {
			return nil, "", candor.Errorf(candor.Invalid, "read the PostgreSQL address: %w", err)
		}
		pool.SetMaxOpenConns(24)
		pool.SetMaxIdleConns(24)
		pool.SetConnMaxIdleTime(10 * time.Minute)
		b := bun.NewDB(pool, pgdialect.New())
		return &DB{Engine: PostgreSQL, Write: b, Read: b}, "", nil
	}
	file = strings.TrimPrefix(strings.TrimPrefix(dsn, "sqlite://"), "file:")
	if file == "" || strings.Contains(file, "://") {
		return nil, "", candor.Errorf(candor.Invalid, "%q is neither a postgres:// address nor a file for SQLite", dsn)
	}
	if file, err = filepath.Abs(file); err != nil {
		return nil, "", candor.Errorf(candor.Invalid, "find the database file: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, "", candor.Errorf(candor.Unavailable, "make the folder of the database: %w", err)
	}
	// The file holds personal data; SQLite would make it readable to all, and
	// gives its companions (-wal, -shm) the mode of the file.
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, "", candor.Errorf(candor.Unavailable, "open the database file: %w", err)
	}
	f.Close()
	write, err := sqlitePool(file, "_txlock=immediate")
	if err != nil {
		return nil, "", err
	}
	write.SetMaxOpenConns(1)
	read, err := sqlitePool(file, "_pragma=query_only(1)")
	if err != nil {
		write.Close()
		return nil, "", err
	}
	read.SetMaxOpenConns(8)
	read.SetMaxIdleConns(8)
	return &DB{Engine: SQLite, Write: bun.NewDB(write, sqlitedialect.New()), Read: bun.NewDB(read, sqlitedialect.New())}, file, nil
}

// sqlitePool opens a pool. Synchronous FULL: a commit that was acknowledged
// survives a power cut.
func sqlitePool(file, more string) (*sql.DB, error) {
	u := url.URL{Scheme: "file", Path: file, RawQuery: "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_time_format=sqlite&" + more}
	pool, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, candor.Errorf(candor.Unavailable, "open %s: %w", file, err)
	}
	return pool, nil
}

// Close closes both pools.
func (d *DB) Close() error {
	err := d.Write.Close()
	if d.Read != d.Write {
		if e := d.Read.Close(); err == nil {
			err = e
		}
	}
	return err
}

// Ping fails when the database does not answer.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.Read.PingContext(ctx); err != nil {
		return candor.Errorf(candor.Unavailable, "the database does not answer: %w", err)
	}
	return nil
}

// InTx runs f in one transaction: what f wrote is durable when InTx returns
// nil, and nothing of it happened otherwise. Inside f only tx may be used: on
// SQLite there is one writing connection, and f has it.
func (d *DB) InTx(ctx context.Context, f func(ctx context.Context, tx bun.Tx) error) error {
	return d.Write.RunInTx(ctx, nil, f)
}

// Reader is the repository for reading outside a transaction.
func (d *DB) Reader() Repo { return Repo{db: d.Read, engine: d.Engine} }

// Writer is the repository for single statements outside a transaction.
func (d *DB) Writer() Repo { return Repo{db: d.Write, engine: d.Engine} }

// In is the repository inside a transaction.
func (d *DB) In(tx bun.Tx) Repo { return Repo{db: tx, engine: d.Engine} }
