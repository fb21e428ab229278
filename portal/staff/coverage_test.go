package staff_test

import (
	"html"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
)

func TestEveryReasonOfAGapIsToldInBothLanguages(t *testing.T) {
	s := open(t, nil)
	s.furnish()
	ctx := t.Context()
	src := candor.Source{ID: candor.NewID(), Kind: candor.SourceX, Name: "Larkspur <Fire>", URL: "https://social.example/lfd", Every: 24 * time.Hour,
		CreatedAt: time.Date(2025, 2, 27, 12, 0, 0, 0, time.UTC)}
	must(t, s.store.AddSource(ctx, src, "token", "test"))
	visit := func(day int, sw candor.Sweep) {
		t.Helper()
		// 03:00 UTC is the evening before in Texas.
		sw.SourceID, sw.At = src.ID, time.Date(2025, 3, day+1, 3, 0, 0, 0, time.UTC)
		must(t, s.store.ApplySweep(ctx, sw))
	}
	for i, reason := range candor.GapReasons {
		visit(i+1, candor.Sweep{Error: "stopped", Gaps: []candor.CoverageGap{{Reason: reason, Detail: "code 19" + string(reason)}}, Cost: 1_250_000})
	}
	visit(20, candor.Sweep{}) // nobody came from the 9th to the 19th
	visit(21, candor.Sweep{})
	path := "/staff/sources/" + src.ID + "/coverage"
	for _, lang := range i18n.Languages {
		b := s.as(candor.Auditor, lang)
		w := b.get(path + "?month=2025-03")
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", lang, w.Code, w.Body)
		}
		checkPage(t, "coverage in "+lang, w)
		body := w.Body.String()
		for _, reason := range candor.GapReasons {
			for _, want := range []string{html.EscapeString(i18n.T(lang, "coverage.reason."+string(reason))), html.EscapeString(i18n.T(lang, "coverage.short."+string(reason))), "code 19" + string(reason)} {
				if !strings.Contains(body, want) {
					t.Errorf("%s: %q is not there", lang, want)
				}
			}
		}
		for state, days := range map[string][]string{"missed": {"2025-03-01", "2025-03-08", "2025-03-10", "2025-03-19"}, "full": {"2025-03-21"}} {
			for _, day := range days {
				if cell := cellOf(body, day); !strings.Contains(cell, "cal__day--"+state) || !strings.Contains(cell, html.EscapeString(i18n.T(lang, "coverage.state."+state))) {
					t.Errorf("%s: %s is not %s: %s", lang, day, state, cell)
				}
			}
		}
		if down := i18n.T(lang, "coverage.short.ours"); !strings.Contains(cellOf(body, "2025-03-14"), down) || strings.Contains(cellOf(body, "2025-03-07"), down) {
			t.Errorf("%s: the days we were down are not those: %s", lang, cellOf(body, "2025-03-14"))
		}
		for _, want := range []string{i18n.Dollars(lang, 10_000_000), `<caption`, `scope="col"`, "month=2025-02", "month=2025-04", `id="day-2025-03-01"`} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: %q is not there", lang, want)
			}
		}
		checkPage(t, "a month without visits in "+lang, b.get(path+"?month=2025-04"))
		checkPage(t, "this month in "+lang, b.get(path))
		if first := b.get(path + "?month=2025-02").Body.String(); strings.Contains(first, "month=2025-01") || !strings.Contains(cellOf(first, "2025-02-26"), "cal__day--before") {
			t.Errorf("%s: the first month", lang)
		}
		if list := b.get("/staff/sources").Body.String(); !strings.Contains(list, path) {
			t.Errorf("%s: the list does not lead to it", lang)
		}
	}
	b := s.as(candor.Clerk, "en")
	for query, want := range map[string]int{"?month=2025-01": 404, "?month=9999-01": 404, "?month=x": 400, "?month=2025-13": 400} {
		if w := b.get(path + query); w.Code != want {
			t.Errorf("%s: %d, want %d", query, w.Code, want)
		}
	}
	if w := b.get("/staff/sources/nowhere/coverage"); w.Code != 404 {
		t.Errorf("no such source: %d", w.Code)
	}
	if w := s.browser("en").get(path); w.Code != 303 {
		t.Errorf("without signing in: %d", w.Code)
	}
}

// cellOf is the calendar's cell of a day.
func cellOf(body, day string) string {
	before, after, _ := strings.Cut(body, `datetime="`+day+`"`)
	after, _, _ = strings.Cut(after, "</td>")
	return before[max(0, strings.LastIndex(before, "<td")):] + after
}
