package meta

import (
	"context"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/internal/pgtest"
)

// onBoth runs a test on an empty database of each engine.
func onBoth(t *testing.T, test func(t *testing.T, db *DB)) {
	for _, engine := range []Engine{SQLite, PostgreSQL} {
		t.Run(string(engine), func(t *testing.T) {
			dsn := filepath.Join(t.TempDir(), "candor.db")
			if engine == PostgreSQL {
				dsn = pgtest.Start(t)
			}
			db, err := Open(t.Context(), dsn)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			test(t, db)
		})
	}
}

// columns gives every column of our tables as table.column.
func columns(t *testing.T, db *DB) []string {
	t.Helper()
	query := `SELECT m.name || '.' || p.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'`
	if db.Engine == PostgreSQL {
		query = `SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = current_schema()`
	}
	var all, ours []string
	if err := db.Read.NewRaw(query).Scan(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		table, _, _ := strings.Cut(c, ".")
		if !strings.HasPrefix(table, "river_") && !strings.HasPrefix(table, "goose_") && !strings.HasPrefix(table, "sqlite_") {
			ours = append(ours, c)
		}
	}
	slices.Sort(ours)
	return ours
}

func TestBothEnginesHaveTheSameTablesAndColumns(t *testing.T) {
	found := map[Engine][]string{}
	onBoth(t, func(t *testing.T, db *DB) { found[db.Engine] = columns(t, db) })
	if len(found) < 2 {
		t.Skip("PostgreSQL is not installed")
	}
	// What full-text search needs is each engine's own affair.
	own := func(list []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(c string) bool { return strings.HasPrefix(c, "search_") || strings.Contains(c, "_fts") })
	}
	if diff := cmp.Diff(own(found[SQLite]), own(found[PostgreSQL])); diff != "" {
		t.Errorf("SQLite (-) and PostgreSQL (+) differ:\n%s", diff)
	}
}

func TestEveryRowFitsItsTable(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		have := columns(t, db)
		for _, m := range models {
			table := db.Write.Table(reflect.TypeOf(m))
			var want []string
			for _, f := range table.Fields {
				want = append(want, table.Name+"."+f.Name)
			}
			slices.Sort(want)
			got := slices.DeleteFunc(slices.Clone(have), func(c string) bool { return !strings.HasPrefix(c, table.Name+".") })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("fields (-) and columns (+) of %s differ:\n%s", table.Name, diff)
			}
		}
	})
}

// fill sets every field of a struct to something that is not zero and easily
// spoilt on the way: quotes, accents, backslashes, an odd microsecond.
func fill(v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == timeType:
		v.Set(reflect.ValueOf(time.Date(2026, 11, 22, 23, 59, 58, 123456000+*n*1000, time.UTC)))
	case v.Type() == reflect.TypeFor[[]byte]():
		v.SetBytes([]byte{0, 255, 'x', '\'', byte(*n)})
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "BaseModel" {
				fill(v.Field(i), n)
			}
		}
	case v.Kind() == reflect.String:
		v.SetString("¿Cómo? 'it''s' \"q\" \\n ? ?0 {x} <&> 🚓 " + strings.Repeat("z", *n%5) + candor.NewID())
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.Int, v.Kind() == reflect.Int64:
		v.SetInt(int64(*n) + 1<<40)
	case v.Kind() == reflect.Slice:
		s := reflect.MakeSlice(v.Type(), 2, 2)
		fill(s.Index(0), n)
		fill(s.Index(1), n)
		v.Set(s)
	}
}

// link makes the parents a row refers to, so that it can be written.
func link(t *testing.T, r Repo, row any) any {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil && !candor.IsKind(err, candor.Conflict) {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	must(r.AddSource(ctx, candor.Source{ID: "s"}, nil))
	must(r.AddRecord(ctx, Stored{Record: candor.Record{ID: "r", SourceID: "s", UID: "u"}}))
	must(r.AddRevision(ctx, candor.Revision{ID: "v", RecordID: "r", N: 1}, nil))
	must(r.AddCapture(ctx, candor.Capture{ID: "c"}, nil))
	must(r.AddRequest(ctx, candor.Request{ID: "q", Number: "n"}))
	must(r.AddEvent(ctx, candor.Event{ID: "e", RequestID: "q", N: 1}, nil))
	must(r.AddProduction(ctx, candor.Production{ID: "p", RequestID: "q"}))
	v := reflect.ValueOf(row).Elem()
	set := func(field, value string) {
		if f := v.FieldByName(field); f.IsValid() && f.Kind() == reflect.String {
			f.SetString(value)
		}
	}
	set("SourceID", "s")
	set("RecordID", "r")
	set("RevisionID", "v")
	set("CaptureID", "c")
	set("RequestID", "q")
	set("EventID", "e")
	set("ProductionID", "p")
	if a, ok := row.(*agencyRow); ok {
		a.ID = 1
	}
	return row
}

func TestEveryTypeComesBackAsItWasWritten(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		roundTrip[agencyRow](t, db)
		roundTrip[userRow](t, db)
		roundTrip[sessionRow](t, db)
		roundTrip[signInFailureRow](t, db)
		roundTrip[accountRow](t, db)
		roundTrip[sourceRow](t, db)
		roundTrip[recordRow](t, db)
		roundTrip[pageTextRow](t, db)
		roundTrip[revisionRow](t, db)
		roundTrip[attachmentRow](t, db)
		roundTrip[tombstoneRow](t, db)
		roundTrip[answerRow](t, db)
		roundTrip[captureRow](t, db)
		roundTrip[artefactRow](t, db)
		roundTrip[agreementRow](t, db)
		roundTrip[dayRow](t, db)
		roundTrip[pauseRow](t, db)
		roundTrip[troubleRow](t, db)
		roundTrip[requestRow](t, db)
		roundTrip[linkRow](t, db)
		roundTrip[eventRow](t, db)
		roundTrip[messageRow](t, db)
		roundTrip[responsiveRow](t, db)
		roundTrip[productionRow](t, db)
		roundTrip[itemRow](t, db)
		roundTrip[releaseRow](t, db)
		roundTrip[mailRow](t, db)
	})
}

func roundTrip[Row any](t *testing.T, db *DB) {
	t.Helper()
	ctx := t.Context()
	var full, empty Row
	n := 0
	fill(reflect.ValueOf(&full).Elem(), &n)
	rows := []*Row{&full, &empty}
	switch any(full).(type) {
	case agencyRow, pageTextRow, agreementRow: // there can be only one
		rows = rows[:1]
	}
	for _, row := range rows {
		link(t, db.Writer(), row)
		if err := db.Writer().insert(ctx, row, "row"); err != nil {
			t.Errorf("%T: %v", *row, err)
			return
		}
		all, err := list[Row](ctx, db.Reader().db.NewSelect(), "rows")
		if err != nil {
			t.Errorf("%T: %v", *row, err)
			return
		}
		if !slices.ContainsFunc(all, func(got Row) bool { return reflect.DeepEqual(got, *row) }) {
			t.Errorf("%T does not come back:\n%s", *row, cmp.Diff(*row, all[len(all)-1]))
		}
	}
}

func TestSettledTextSurvivesBothEngines(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		m := candor.Mail{ID: "m", Body: "a\x00b \xff c", CreatedAt: time.Now().In(time.FixedZone("x", 3600))}
		Settle(&m)
		if err := db.Writer().AddMails(t.Context(), []candor.Mail{m}); err != nil {
			t.Fatal(err)
		}
		got, err := db.Reader().Mail(t.Context(), "m")
		if err != nil {
			t.Fatal(err)
		}
		if got != m {
			t.Errorf("settled mail changed:\n%s", cmp.Diff(m, got))
		}
	})
}

func TestTimesCompareInOrderWhateverTheirFraction(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		for i, d := range []time.Duration{0, 100 * time.Millisecond, 123456 * time.Microsecond, 130 * time.Millisecond, time.Second} {
			if err := db.Writer().AddSource(t.Context(), candor.Source{ID: string(rune('a' + i)), NextPollAt: base.Add(d)}, nil); err != nil {
				t.Fatal(err)
			}
		}
		due, err := db.Reader().DueSources(t.Context(), base.Add(123456*time.Microsecond), 10)
		if err != nil {
			t.Fatal(err)
		}
		var ids string
		for _, s := range due {
			ids += s.ID
		}
		if ids != "abc" {
			t.Errorf("due: %q, want abc", ids)
		}
	})
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		err := db.InTx(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			r := db.In(tx)
			if err := r.AddSource(ctx, candor.Source{ID: "s"}, nil); err != nil {
				return err
			}
			return r.AddRecord(ctx, Stored{Record: candor.Record{ID: "r", SourceID: "nowhere", UID: "u"}})
		})
		if !candor.IsKind(err, candor.Invalid) {
			t.Errorf("a record of no source: %v, want invalid", err)
		}
		if _, err := db.Reader().Source(t.Context(), "s"); !candor.IsKind(err, candor.NotFound) {
			t.Errorf("the source of the failed transaction: %v, want not found", err)
		}
	})
}

func TestNumbersAreGivenOnceHoweverManyAsk(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		seen := map[int]bool{}
		for range 20 {
			wg.Go(func() {
				err := db.InTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
					n, err := db.In(tx).NextNumber(ctx, "LPD", 2026)
					mu.Lock()
					defer mu.Unlock()
					if seen[n] {
						t.Errorf("number %d was given twice", n)
					}
					seen[n] = true
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if !seen[1] || !seen[20] || len(seen) != 20 {
			t.Errorf("numbers given: %v", seen)
		}
	})
}

func TestManyStartersMigrateOnce(t *testing.T) {
	for _, engine := range []Engine{SQLite, PostgreSQL} {
		t.Run(string(engine), func(t *testing.T) {
			dsn := filepath.Join(t.TempDir(), "candor.db")
			if engine == PostgreSQL {
				dsn = pgtest.Start(t)
			}
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					db, err := Open(context.Background(), dsn)
					if err != nil {
						t.Error(err)
						return
					}
					db.Close()
				})
			}
			wg.Wait()
		})
	}
}

// An archive that is older than the count must not be said to have missed the
// days before.
func TestSourcesOlderThanTheCountWereNotCounted(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		folder, err := fs.Sub(migrations, "migrations/"+string(db.Engine))
		if err != nil {
			t.Fatal(err)
		}
		dialect := goose.DialectSQLite3
		if db.Engine == PostgreSQL {
			dialect = goose.DialectPostgres
		}
		goosed, err := goose.NewProvider(dialect, db.Write.DB, folder)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := goosed.DownTo(ctx, 4); err != nil {
			t.Fatal(err)
		}
		// As that version wrote them.
		for id, paused := range map[string]bool{"a": false, "p": true} {
			if _, err := db.Write.NewRaw("INSERT INTO sources VALUES (?, 'page', '', '', '', '', '', '', ?, 1, ?, ?, ?, '', ?, NULL, NULL, ?)",
				id, true, paused, created, created, created, false).Exec(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := goosed.Up(ctx); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]int{"a": 1, "p": 2} {
			got, err := db.Reader().Pauses(ctx, id)
			if err != nil || len(got) != want {
				t.Fatalf("pauses of %s: %+v, %v", id, got, err)
			}
			if p := got[0]; p.Why != candor.PauseUncounted || !p.Since.Equal(created) || time.Since(p.Until).Abs() > time.Minute {
				t.Errorf("%s: %+v", id, p)
			}
			if want == 2 && (got[1].Why != candor.PauseByStaff || !got[1].Until.IsZero() || got[1].Since != got[0].Until) {
				t.Errorf("the pause that lasts: %+v", got[1])
			}
		}
	})
}
