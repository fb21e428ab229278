package main

import (
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures"
	"github.com/candor-archive/candor/render/browser"
	"github.com/candor-archive/candor/storage/queue"
)

// TestAnEditThatNoPollHasToldShowsAsADisagreement reads and captures the pretend
// city's thread about a water main as the program does: what is captured agrees
// with what was polled, until the post is edited and captured before the next poll.
func TestAnEditThatNoPollHasToldShowsAsADisagreement(t *testing.T) {
	if _, err := browser.Find(os.Getenv); err != nil {
		t.Skip("Chrome is not installed:", err)
	}
	city, err := fixtures.Start(t.Context(), fixtures.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer city.Close()
	play := func(acts int) {
		for range acts {
			city.Controller().Act()
		}
	}
	dir := filepath.Join(t.TempDir(), "archive")
	store := openArchive(t, dir)
	defer store.Close()
	if err := seed(t.Context(), store, city, staffPassword); err != nil {
		t.Fatal(err)
	}
	var allow []string
	for _, address := range []string{city.PageURL, city.APIURL} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		allow = append(allow, u.Host)
	}
	k, err := openWorks(t.Context(), WorkSettings{CaptureWorkers: 1, Renditions: []string{"desktop"}}, store, dir, allow, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	sources, err := store.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	poll := func() {
		t.Helper()
		for _, src := range sources {
			if src.Kind == candor.SourceFacebook {
				if err := k.crawler.Poll(t.Context(), src.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
	}

	// The post with its comments and answers, as it was before the correction.
	play(6)
	poll()
	found, err := store.Search(t.Context(), candor.Query{Text: `"water main break"`, Kind: candor.Post})
	if err != nil || len(found.Hits) != 1 {
		t.Fatalf("found %+v (%v)", found.Hits, err)
	}
	post := found.Hits[0].Record
	capture := func() candor.Agreement {
		t.Helper()
		spec := candor.CaptureSpec{ID: candor.NewID(), URL: post.URL, Profile: candor.Desktop, Policy: candor.PolicyScroll, SourceID: post.SourceID,
			RecordID: post.ID, ScheduledAt: candor.Moment(time.Now())}
		if err := k.capture(t.Context(), candor.CaptureJob{Spec: spec}, queue.Attempt{N: 1, Max: 1}); err != nil {
			t.Fatal(err)
		}
		a, err := store.Agreement(t.Context(), spec.ID)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := capture(); a.Mismatches != 0 || a.Words != candor.MatchFound || a.Author != candor.MatchFound || a.Posted != candor.MatchFound ||
		a.Comments != candor.MatchFound || a.Known == 0 || a.Found != a.Known {
		t.Errorf("the thread does not agree: %+v", a)
	}

	play(1) // the correction
	a := capture()
	if a.Mismatches != 1 || a.Words != candor.MatchPart || a.Findings[0].Kind != candor.FoundDiffering || a.Findings[0].RecordID != post.ID ||
		!strings.Contains(a.Findings[0].Data, "4th Street") || !strings.Contains(a.Findings[0].Screen, "6th Street") {
		t.Errorf("captured before the correction was polled: %+v", a)
	}

	poll()
	if a := capture(); a.Mismatches != 0 || a.Words != candor.MatchFound {
		t.Errorf("captured after the correction was polled: %+v", a)
	}
}
