package meta

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/candor-archive/candor"
)

// Repo holds every statement. Make one with DB.Reader, DB.Writer or DB.In.
type Repo struct {
	db     bun.IDB
	engine Engine
}

// chunk is how many values one IN list takes: enough to be quick, few enough
// to keep statements readable in a log.
const chunk = 500

// list runs a query and gives its rows, all times in UTC.
func list[Row any](ctx context.Context, q *bun.SelectQuery, doing string) ([]Row, error) {
	var rows []Row
	if err := q.Model(&rows).Scan(ctx); err != nil {
		return nil, failure(err, doing)
	}
	for i := range rows {
		inUTC(reflect.ValueOf(&rows[i]).Elem())
	}
	return rows, nil
}

// one is list for exactly one row; without any it fails with NotFound.
func one[Row any](ctx context.Context, q *bun.SelectQuery, what string) (Row, error) {
	var zero Row
	rows, err := list[Row](ctx, q.Limit(1), "read "+what)
	if err != nil {
		return zero, err
	}
	if len(rows) == 0 {
		return zero, candor.Errorf(candor.NotFound, "there is no such %s", what)
	}
	return rows[0], nil
}

// each unwraps rows into the values they hold.
func each[Row, T any](rows []Row, err error, value func(Row) T) ([]T, error) {
	if err != nil {
		return nil, err
	}
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = value(r)
	}
	return out, nil
}

// insert adds rows (a struct or a slice of them; an empty slice adds nothing).
func (r Repo) insert(ctx context.Context, rows any, what string) error {
	if v := reflect.Indirect(reflect.ValueOf(rows)); v.Kind() == reflect.Slice && v.Len() == 0 {
		return nil
	}
	_, err := r.db.NewInsert().Model(rows).Exec(ctx)
	return failure(err, "add "+what)
}

// changed turns the result of an update into NotFound when no row was there.
func changed(res sql.Result, err error, what string) error {
	if err != nil {
		return failure(err, "change "+what)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return failure(err, "change "+what)
	}
	if n == 0 {
		return candor.Errorf(candor.NotFound, "there is no such %s", what)
	}
	return nil
}

// failure gives a database error its kind: a broken uniqueness is a Conflict,
// a missing parent is Invalid, anything else means the database is in trouble.
func failure(err error, doing string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return candor.Errorf(candor.Unavailable, "%s: %w", doing, err)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "23505":
			return candor.Errorf(candor.Conflict, "%s: it exists already: %w", doing, err)
		case "23503":
			return candor.Errorf(candor.Invalid, "%s: it refers to something that is not there: %w", doing, err)
		case "22021": // bytes that are not text, in an id or a word someone sent
			return candor.Errorf(candor.Invalid, "%s: that is not text: %w", doing, err)
		}
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
			return candor.Errorf(candor.Conflict, "%s: it exists already: %w", doing, err)
		case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
			return candor.Errorf(candor.Invalid, "%s: it refers to something that is not there: %w", doing, err)
		}
	}
	return candor.Errorf(candor.Unavailable, "%s: %w", doing, err)
}

var timeType = reflect.TypeFor[time.Time]()

// inUTC puts every time of a row in UTC: drivers give the machine's zone.
func inUTC(v reflect.Value) {
	walk(v, func(t time.Time) time.Time { return t.UTC() }, nil)
}

// Settle brings a value (a pointer to a struct, or to a slice of structs) to
// exactly what both engines will give back: times in UTC to the microsecond,
// text that is valid UTF-8 without the zero byte. What the evidence log covers
// must be computed from settled values, or a later check would differ.
func Settle(v any) {
	walk(reflect.ValueOf(v).Elem(), candor.Moment, plain)
}

// plain makes text that both engines can hold and look for: valid UTF-8
// without the zero byte. Whatever someone sends as an id goes through it.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func walk(v reflect.Value, moment func(time.Time) time.Time, text func(string) string) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == timeType {
			if v.CanSet() {
				v.Set(reflect.ValueOf(moment(v.Interface().(time.Time))))
			}
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walk(v.Field(i), moment, text)
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), moment, text)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			walk(v.Index(i), moment, text)
		}
	case reflect.String:
		if text != nil && v.CanSet() {
			if s := v.String(); s != "" {
				if t := text(s); t != s {
					v.SetString(t)
				}
			}
		}
	}
}

// chunks calls f with parts of a list.
func chunks(ids []string, f func(part []string) error) error {
	for len(ids) > 0 {
		n := min(len(ids), chunk)
		if err := f(ids[:n]); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// Entangled reports whether PostgreSQL ended a transaction only because it and
// another waited for each other; run again, it may well succeed.
func Entangled(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001")
}
