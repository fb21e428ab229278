package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/index"
	"github.com/candor-archive/candor/storage/meta"
)

// An OpenIndex gives a database and an index over it, both empty, and what
// waits until everything put can be found (nothing, for an embedded engine).
type OpenIndex func(t *testing.T) (db *meta.DB, ix index.Index, settle func())

// Index checks what every engine promises: filters, visibility before
// counting, exact totals and facets, words, phrases and exclusions, and
// snippets in our marks. Ranking and the reach of slips are each engine's own.
func Index(t *testing.T, open OpenIndex) {
	db, ix, settle := open(t)
	put(t, db, ix, corpus()...)
	settle()
	staff, public := candor.StaffOnly, candor.Public

	for _, c := range []struct {
		name string
		q    candor.Query
		want string // ids, newest first
	}{
		{"no words: everything", candor.Query{Visibility: staff}, "p6 p5 p4 p3 p2 p1 c1"},
		{"no words, public", candor.Query{Visibility: public}, "p6 p4 p3 p2 p1 c1"},
		{"no visibility said: public only", candor.Query{}, "p6 p4 p3 p2 p1 c1"},
		{"a word", candor.Query{Text: "council", Visibility: staff}, "p6 p1"},
		{"case and accents do not matter", candor.Query{Text: "VACUNACIÓN", Visibility: staff}, "p3 p2"},
		{"accents may be left out", candor.Query{Text: "vacunacion", Visibility: staff}, "p3 p2"},
		{"all words must occur", candor.Query{Text: "city council", Visibility: staff}, "p6 p1"},
		{"a phrase", candor.Query{Text: `"city council"`, Visibility: staff}, "p1"},
		{"a phrase in typographic quotes", candor.Query{Text: "“city council”", Visibility: staff}, "p1"},
		{"an exclusion", candor.Query{Text: "council -budget", Visibility: staff}, "p6"},
		{"only an exclusion", candor.Query{Text: "-council", Visibility: staff}, "p5 p4 p3 p2 c1"},
		{"an excluded phrase", candor.Query{Text: `council -"city council"`, Visibility: staff}, "p6"},
		{"a number with dashes", candor.Query{Text: "713-555-0100", Visibility: staff}, "p4"},
		{"those digits in another order", candor.Query{Text: "0100-555-713", Visibility: staff}, ""},
		{"a word only staff may see, asked by staff", candor.Query{Text: "suspect", Visibility: staff}, "p5"},
		{"a word only staff may see, asked by the public", candor.Query{Text: "suspect", Visibility: public}, ""},
		{"kind", candor.Query{Kind: candor.Comment, Visibility: staff}, "c1"},
		{"state", candor.Query{State: candor.Edited, Visibility: staff}, "p2"},
		{"source", candor.Query{SourceID: "web", Visibility: staff}, "p6 p4"},
		{"language", candor.Query{Language: "es", Visibility: staff}, "p3 p2"},
		{"word and filter", candor.Query{Text: "council", SourceID: "web", Visibility: staff}, "p6"},
		{"a day, the agency's", candor.Query{From: "2026-03-02", To: "2026-03-02", Zone: houston(t), Visibility: staff}, "p2"},
		{"the same day in UTC", candor.Query{From: "2026-03-02", To: "2026-03-02", Visibility: staff}, "p1"},
		{"from a day on", candor.Query{From: "2026-03-04", Zone: houston(t), Visibility: staff}, "p6 p5 p4"},
		{"up to a day", candor.Query{To: "2026-03-01", Zone: houston(t), Visibility: staff}, "p1 c1"},
		{"nothing but signs", candor.Query{Text: "!? ...", Visibility: staff}, ""},
		{"a filter nobody meets", candor.Query{SourceID: `x" OR "1"="1`, Visibility: staff}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.q.Sort = "newest"
			if got := found(t, ix, c.q); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
			c.q.Sort = ""
			if got, want := fields(found(t, ix, c.q)), fields(c.want); !slices.Equal(got, want) {
				t.Errorf("in its own order found %q, want %q", got, want)
			}
		})
	}
	t.Run("oldest first", func(t *testing.T) {
		if got := found(t, ix, candor.Query{Visibility: staff, Sort: "oldest"}); got != "c1 p1 p2 p3 p4 p5 p6" {
			t.Errorf("found %q", got)
		}
	})
	t.Run("totals and facets count what is found and no more", func(t *testing.T) {
		for vis, want := range map[candor.Visibility]string{
			staff:  "7 kind[post=5 comment=1 page=1] state[live=5 edited=1 hidden=1] source[fb=5 web=2] language[en=4 es=2]",
			public: "6 kind[post=4 comment=1 page=1] state[live=5 edited=1] source[fb=4 web=2] language[en=3 es=2]",
		} {
			f, err := ix.Search(context.Background(), candor.Query{Visibility: vis, PerPage: 2})
			if err != nil {
				t.Fatal(err)
			}
			if got := tally(f); got != want {
				t.Errorf("%s: %s\nwant %s", vis, got, want)
			}
		}
	})
	t.Run("pages follow one another without gap or double", func(t *testing.T) {
		for _, sort := range []string{"newest", "oldest", ""} {
			var all []string
			for n := 1; n <= 5; n++ {
				f, err := ix.Search(context.Background(), candor.Query{Visibility: staff, Sort: sort, Page: n, PerPage: 2})
				if err != nil || f.Total != 7 {
					t.Fatalf("page %d: total %d, %v", n, f.Total, err)
				}
				all = append(all, f.IDs...)
			}
			slices.Sort(all)
			if got := strings.Join(all, " "); got != "c1 p1 p2 p3 p4 p5 p6" {
				t.Errorf("sort %q: %s", sort, got)
			}
		}
	})
	t.Run("snippets mark what was found", func(t *testing.T) {
		for text, want := range map[string]string{
			"budget":         "The city council meets about the [budget] on Monday.",
			`"city council"`: "The [city] [council] meets about the budget on Monday.",
			"vacunacion":     "Jornada de [vacunación] en el parque.",
		} {
			f, err := ix.Search(context.Background(), candor.Query{Text: text, Visibility: public, Sort: "oldest"})
			if err != nil || len(f.IDs) == 0 {
				t.Fatalf("%s: %v, %v", text, f.IDs, err)
			}
			got := strings.NewReplacer(string(candor.SnippetOpen), "[", string(candor.SnippetClose), "]").Replace(f.Snippets[f.IDs[0]])
			if got != want {
				t.Errorf("%s: %q, want %q", text, got, want)
			}
		}
	})
	t.Run("a day that does not exist is Invalid", func(t *testing.T) {
		for _, q := range []candor.Query{{From: "2026-02-30"}, {To: "soon"}} {
			if _, err := ix.Search(context.Background(), q); !candor.IsKind(err, candor.Invalid) {
				t.Errorf("%v: %v", q, err)
			}
		}
	})
	t.Run("a changed document is found as it is now", func(t *testing.T) {
		d := corpus()[1]
		d.Text, d.Visibility, d.State = "Reworded entirely.", candor.StaffOnly, candor.Deleted
		put(t, db, ix, d)
		settle()
		for text, want := range map[string]string{"budget": "", "reworded": d.RecordID} {
			if got := found(t, ix, candor.Query{Text: text, Visibility: staff}); got != want {
				t.Errorf("staff, %s: %q, want %q", text, got, want)
			}
			if got := found(t, ix, candor.Query{Text: text, Visibility: public}); got != "" {
				t.Errorf("public, %s: %q", text, got)
			}
		}
		put(t, db, ix, corpus()[1])
		settle()
		if got := found(t, ix, candor.Query{Text: "budget"}); got != d.RecordID {
			t.Errorf("put back: %q", got)
		}
	})
	t.Run("what is rolled back is not found", func(t *testing.T) {
		no := errors.New("no")
		err := db.InTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			if err := ix.Put(ctx, tx, doc("ghost", "fb", "en", "A ghostly announcement.", time.Now())); err != nil {
				return err
			}
			return no
		})
		if !errors.Is(err, no) {
			t.Fatal(err)
		}
		settle()
		if got := found(t, ix, candor.Query{Text: "ghostly", Visibility: staff}); got != "" {
			t.Errorf("found %q", got)
		}
	})
}

func doc(id, source, language, text string, at time.Time) candor.Doc {
	return candor.Doc{RecordID: id, Kind: candor.Post, State: candor.Live, SourceID: source, Language: language,
		Visibility: candor.Public, Author: "Larkspur Police Department", Time: at, Text: text}
}

func corpus() []candor.Doc {
	day := func(d, hour int) time.Time { return time.Date(2026, 3, d, hour, 0, 0, 0, time.UTC) }
	list := []candor.Doc{
		doc("c1", "fb", "", "Thank you!", day(1, 20)),
		doc("p1", "fb", "en", "The city council meets about the budget on Monday.", day(2, 4)), // still the 1st in Texas
		doc("p2", "fb", "es", "Jornada de vacunación en el parque.", day(3, 1)),                // still the 2nd
		doc("p3", "fb", "es", "¿Dónde será la VACUNACIÓN?\nEn la biblioteca municipal.", day(3, 15)),
		doc("p4", "web", "", "Call 713-555-0100 to report a pothole.", day(4, 15)),
		doc("p5", "fb", "en", "Do you know this suspect? Call the station.", day(5, 15)),
		doc("p6", "web", "en", "A council of elders advises the city.", day(6, 15)),
	}
	list[0].Kind, list[0].Language = candor.Comment, "en"
	list[2].State = candor.Edited
	list[5].State, list[5].Visibility = candor.Hidden, candor.StaffOnly
	list[6].Kind = candor.Page
	return list
}

func houston(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func put(t *testing.T, db *meta.DB, ix index.Index, docs ...candor.Doc) {
	t.Helper()
	err := db.InTx(context.Background(), func(ctx context.Context, tx bun.Tx) error { return ix.Put(ctx, tx, docs...) })
	if err != nil {
		t.Fatal(err)
	}
}

func found(t *testing.T, ix index.Index, q candor.Query) string {
	t.Helper()
	f, err := ix.Search(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if f.Total != len(f.IDs) || len(f.Snippets) != len(f.IDs) {
		t.Errorf("total %d and %d snippets for %v", f.Total, len(f.Snippets), f.IDs)
	}
	return strings.Join(f.IDs, " ")
}

func fields(s string) []string {
	list := strings.Fields(s)
	slices.Sort(list)
	return list
}

func tally(f index.Found) string {
	out := fmt.Sprint(f.Total)
	for _, name := range []string{"kind", "state", "source", "language"} {
		var parts []string
		for _, x := range f.Facets[name] {
			parts = append(parts, fmt.Sprintf("%s=%d", x.Value, x.Count))
		}
		out += fmt.Sprintf(" %s%v", name, parts)
	}
	return out
}
