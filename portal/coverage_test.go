package portal_test

import (
	"context"
	"html"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
)

func TestEveryoneSeesTheGapsOfPublicSources(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	add := func(public bool) candor.Source {
		s := candor.Source{ID: candor.NewID(), Kind: candor.SourceX, Name: "Larkspur Fire", URL: "https://social.example/lfd", APIURL: "https://api.internal.example",
			Public: public, Every: 24 * time.Hour, CreatedAt: time.Date(2025, 2, 27, 12, 0, 0, 0, time.UTC)}
		w.must(w.store.AddSource(ctx, s, "", "test"))
		for i, reason := range candor.GapReasons {
			w.must(w.store.ApplySweep(ctx, candor.Sweep{SourceID: s.ID, At: time.Date(2025, 3, i+2, 3, 0, 0, 0, time.UTC), Cost: 1_250_000,
				Error: "confidential words", Gaps: []candor.CoverageGap{{Reason: reason, Detail: "confidential words of " + string(reason)}}}))
		}
		return s
	}
	public, private := add(true), add(false)
	for _, lang := range i18n.Languages {
		b := w.browser(lang)
		page := b.get("/coverage/"+public.ID+"?month=2025-03").want(t, 200, "Larkspur Fire", `datetime="2025-03-01"`, "<caption", "month=2025-04").
			without(t, "confidential", "internal.example", "<script", i18n.Dollars(lang, 10_000_000), i18n.Dollars(lang, 1_250_000))
		for _, reason := range candor.GapReasons {
			page.want(t, 200, html.EscapeString(i18n.T(lang, "coverage.reason."+string(reason))))
		}
		b.get("/coverage/"+public.ID).want(t, 200, html.EscapeString(i18n.T(lang, "coverage.short.ours"))) // nobody came since
		b.get("/coverage").want(t, 200, "/coverage/"+public.ID, "/coverage/"+w.source.ID).without(t, private.ID, "Internal page", "confidential")
		b.get("/").want(t, 200, `href="/coverage"`)
		for _, path := range []string{"/coverage/" + private.ID, "/coverage/" + private.ID + "?month=2025-03", "/coverage/" + candor.NewID(),
			"/coverage/" + public.ID + "?month=2025-01", "/coverage/" + public.ID + "?month=2999-01"} {
			b.get(path).want(t, 404).without(t, "Larkspur Fire")
		}
		b.get("/coverage/"+public.ID+"?month=soon").want(t, 400)
	}
}
