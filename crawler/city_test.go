package crawler

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures"
)

// town is the sample city with a crawler and a real archive.
type town struct {
	*testing.T
	city    *fixtures.City
	now     time.Time
	crawler *Crawler
	archive *kept
}

func newTown(t *testing.T, source func(*fixtures.City) candor.Source, token bool) *town {
	w := &town{T: t, now: time.Now().UTC().Truncate(time.Second)}
	clock := func() time.Time { return w.now }
	city, err := fixtures.Start(t.Context(), fixtures.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := city.Close(); err != nil {
			t.Error(err)
		}
	})
	w.city = city
	src, secret := source(city), ""
	src.ID, src.Public, src.Every = candor.NewID(), true, every
	if token {
		secret = city.Token
	}
	w.archive = openArchive(t, src, secret, clock)
	w.crawler = quick(Config{Store: w.archive, HTTP: &http.Client{}, Now: clock})
	return w
}

func (w *town) poll() candor.Sweep {
	w.Helper()
	w.now = w.now.Add(every)
	if err := w.crawler.Poll(w.Context(), w.archive.id); err != nil {
		w.Fatal(err)
	}
	last := w.archive.sweeps[len(w.archive.sweeps)-1]
	if last.Error != "" {
		w.Fatalf("poll had trouble: %s", last.Error)
	}
	return last
}

func (w *town) record(uid string, state candor.RecordState, revisions int) candor.RecordView {
	w.Helper()
	v, ok := w.archive.view(uid)
	if !ok {
		w.Fatalf("%s is not known", uid)
	}
	if v.Record.State != state || v.Record.Revisions != revisions {
		w.Errorf("%s is %s with %d revisions, want %s with %d", uid, v.Record.State, v.Record.Revisions, state, revisions)
	}
	return v
}

func TestSampleCitysPageIsFollowed(t *testing.T) {
	w := newTown(t, func(c *fixtures.City) candor.Source {
		return candor.Source{Kind: candor.SourceFacebook, Name: "Larkspur PD", URL: c.PageURL, APIURL: c.APIURL}
	}, true)
	play := w.city.Controller()
	id := func(uid string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return uid
	}
	first := w.poll()
	if len(first.Changes) < 20 || len(first.Captures) < 5 {
		t.Fatalf("the first poll brought %d changes and %d captures", len(first.Changes), len(first.Captures))
	}
	pictures := 0
	for _, c := range first.Changes {
		for _, a := range c.Attachments {
			if a.Type == "photo" && (a.SHA == "" || a.MediaType != "image/jpeg") {
				t.Errorf("photo of %s was not kept: %+v", c.Record.UID, a)
			}
			pictures++
		}
	}
	if pictures == 0 {
		t.Error("no post had a photo")
	}
	// The threads of older posts are not read again yet.
	if again := w.poll(); len(again.Changes) != 0 || len(again.Captures) != 0 || len(again.Seen) < 20 {
		t.Errorf("nothing happened, but there were %d changes, %d captures and %d seen", len(again.Changes), len(again.Captures), len(again.Seen))
	}

	dog := id(play.PostID("lost-dog"))
	var main, rick, answer, spam string
	for {
		said, more := play.Act()
		if !more {
			break
		}
		switch {
		case strings.Contains(said, "posts about a water-main"):
			main = id(play.PostID("water-main"))
		case strings.Contains(said, "angry comment"):
			rick = id(play.CommentID("nobody knocks on a single door"))
		case strings.Contains(said, "answers Rick"):
			answer = id(play.CommentID("Officers are going door to door"))
		case strings.Contains(said, "advertises"):
			spam = id(play.CommentID("CHEAP bottled water"))
		}
		w.poll()
	}
	for range 3 {
		w.poll()
	}
	w.record(main, candor.Edited, 2)
	w.record(rick, candor.Deleted, 1)
	w.record(answer, candor.Deleted, 1)
	w.record(spam, candor.Hidden, 1)
	v := w.record(dog, candor.Deleted, 1)
	if len(v.Tombstones) != 1 || len(v.Thread) == 0 {
		t.Errorf("the deleted post has %d tombstones and %d comments", len(v.Tombstones), len(v.Thread))
	}
	for _, r := range v.Thread {
		if r.State != candor.Unknown {
			t.Errorf("%s hung on a deleted post and is %s", r.UID, r.State)
		}
	}
	for _, a := range w.archive.answers() {
		if strings.Contains(a.URL+a.Header, w.city.Token) {
			t.Errorf("the token is kept in %s", a.URL)
		}
	}
}

// A listing that comes back short but well formed must not bury anything.
func TestShortListingsOfTheSampleCityBuryNothing(t *testing.T) {
	w := newTown(t, func(c *fixtures.City) candor.Source {
		return candor.Source{Kind: candor.SourceFacebook, Name: "Larkspur PD", URL: c.PageURL, APIURL: c.APIURL}
	}, true)
	w.poll()
	for range 4 {
		w.city.Controller().CutListing(1000)
		for _, c := range w.poll().Changes {
			t.Errorf("a short listing changed %s to %s", c.Record.UID, c.Record.State)
		}
	}
}

func TestSampleCitysWebsiteIsFollowed(t *testing.T) {
	w := newTown(t, func(c *fixtures.City) candor.Source {
		return candor.Source{Kind: candor.SourceWebsite, Name: "City of Larkspur", URL: c.SiteURL + "/"}
	}, false)
	play := w.city.Controller()
	first := w.poll()
	if len(first.Changes) < 8 || len(first.Captures) != len(first.Changes) {
		t.Fatalf("the first poll brought %d pages and %d captures", len(first.Changes), len(first.Captures))
	}
	gulf := w.city.SiteURL + "/news/gulf-avenue-closure/"
	if v := w.record(gulf, candor.Live, 1); v.Record.PostedAt.IsZero() || v.Record.Language != "en" {
		t.Errorf("article is %+v", v.Record)
	}
	if v := w.record(w.city.SiteURL+"/es/policia/", candor.Live, 1); v.Record.Language != "es" {
		t.Errorf("Spanish page is %+v", v.Record)
	}
	if again := w.poll(); len(again.Changes) != 0 || len(again.Captures) != 0 || len(again.Seen) != len(first.Changes) {
		t.Errorf("nothing happened, but there were %d changes, %d captures and %d seen", len(again.Changes), len(again.Captures), len(again.Seen))
	}
	play.Story()
	w.poll()
	w.record(gulf, candor.Edited, 2)
	w.record(w.city.SiteURL+"/news/pecan-water-main/", candor.Live, 1)
	if play.TrapHits() != 0 {
		t.Error("the address that robots.txt forbids was visited")
	}
	if err := play.RemoveArticle("gulf-avenue-closure"); err != nil {
		t.Fatal(err)
	}
	w.poll()
	w.record(gulf, candor.Edited, 2)
	w.poll()
	if v := w.record(gulf, candor.Deleted, 2); len(v.Tombstones) != 1 || !strings.Contains(v.Tombstones[0].How, "404") {
		t.Errorf("tombstones are %+v", v.Tombstones)
	}
}
