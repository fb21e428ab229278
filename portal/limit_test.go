package portal_test

import (
	"net/http"
	"testing"

	"github.com/candor-archive/candor"
)

// Looking for words on a picture costs as a search does.
func TestFindingWordsOnPicturesIsSlowedLikeSearching(t *testing.T) {
	w := newWorld(t)
	c := w.commit(w.source, w.post, "Elm Street is closed", candor.Partial, rich)
	at, record := w.captureURL(c), "/archive/"+w.post.ID
	b := w.browser("en")
	for i := range 100 {
		path := at
		if i%2 == 1 {
			path = record
		}
		if a := b.get(path + "?q=elm"); a.StatusCode != http.StatusTooManyRequests {
			a.want(t, 200)
			continue
		}
		if i < 20 {
			t.Errorf("stopped after %d", i)
		}
		b.get("/archive?q=elm").want(t, 429)
		b.get(at).want(t, 200)
		b.get(record+"?q=+").want(t, 200)
		return
	}
	t.Error("a hundred in a moment were all let through")
}
