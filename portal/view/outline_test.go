package view

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// long is a layout with a word to a run, each on its own line.
func long(n int, word func(i int) string) Layout {
	l := Layout{Width: 1000, Height: 10 * n}
	at := 0
	for i := range n {
		w := word(i)
		l.Runs = append(l.Runs, LayoutRun{Text: w, Box: [4]float64{0, float64(10 * i), 50, 10}, Start: at})
		at += len(w) + 1
	}
	return l
}

// Every spelling of a page is another word and every term may stand in another
// form: nothing costs more.
func TestLookingThroughTheLongestPageTakesSeconds(t *testing.T) {
	l := long(maxRuns+1, func(i int) string { return fmt.Sprintf("é%08dationalizing", i) })
	var q []string
	for i := range 25 {
		q = append(q, fmt.Sprintf("é%08dationalized", i))
	}
	began := time.Now()
	o := l.Find(context.Background(), strings.Join(q, " "))
	took := time.Since(began)
	t.Logf("%d runs in %s", len(l.Runs), took)
	if o == nil || len(o.Marks) != maxTerms || !o.Cut {
		t.Fatalf("it gives %+v", o)
	}
	if took > 30*time.Second {
		t.Errorf("one search took %s", took)
	}
	// A phrase that nearly stands at every word.
	l = long(maxRuns, func(int) string { return "a" })
	began = time.Now()
	if o = l.Find(context.Background(), `"`+strings.Repeat("a ", 190)+`b"`); o == nil || len(o.Marks) != 0 || o.Cut {
		t.Errorf("a phrase that stands nowhere gives %+v", o)
	}
	if o = l.Find(context.Background(), `"`+strings.Repeat("a ", 190)+`"`); o == nil || o.More != maxRuns-maxMarks {
		t.Errorf("a phrase that stands everywhere gives %+v", o)
	}
	if took = time.Since(began); took > 30*time.Second {
		t.Errorf("two phrases took %s", took)
	}
}

func TestNothingIsLookedForWhenNobodyWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	l := long(10, func(int) string { return "word" })
	if o := l.Find(ctx, "word"); o != nil {
		t.Errorf("it gives %+v", o)
	}
	if _, err := ReadLayout(ctx, strings.NewReader(`{"width":1,"height":1,"runs":[{"text":"a"}]}`)); err == nil {
		t.Error("a layout was read for nobody")
	}
}

func TestLargeLayoutsAreReadFromTheirBeginning(t *testing.T) {
	file := func(l Layout) string {
		runs, err := json.Marshal(l.Runs)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"version":1,"title":"x","width":%d,"height":%d,"runs":%s,"links":[]}`, l.Width, l.Height, runs)
	}
	for _, c := range []struct {
		about string
		in    string
		runs  int // at least
		cut   bool
		fails bool
	}{
		{"short", file(long(3, func(int) string { return "a" })), 3, false, false},
		{"empty", `{"width":10,"height":10,"runs":[],"links":[]}`, 0, false, false},
		{"too many bytes", file(long(1000, func(int) string { return strings.Repeat("abc ", 5000) })), 300, true, false},
		{"another order", `{"runs":[{"text":"a"}],"height":10,"width":10}`, 1, false, false},
		{"broken off", `{"width":10,"height":10,"runs":[{"text":"a"},`, 0, false, true},
		{"another thing", `[1,2]`, 0, false, true},
		{"nothing", ``, 0, false, true},
	} {
		l, err := ReadLayout(context.Background(), strings.NewReader(c.in))
		if (err != nil) != c.fails || len(l.Runs) < c.runs || l.Cut != c.cut {
			t.Errorf("%s: %d runs, cut %v, %v", c.about, len(l.Runs), l.Cut, err)
		}
		if !c.fails && (l.Width == 0 || l.Height == 0) {
			t.Errorf("%s has no size", c.about)
		}
	}
}
