package page

import (
	"bytes"
	"fmt"
	"image/color"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/candor-archive/candor"
)

// tinyPDF is a file that says that it is one.
var tinyPDF = []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")

func TestFilesAreKeptAsWhatTheyAre(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // 3 MiB
	photo := picturePNG(20, 20, color.RGBA{0, 0, 255, 255})
	s := site(t, map[string]any{
		"/minutes.pdf": served("application/pdf", tinyPDF),
		"/film.webm":   served("video/webm", big),
		"/list.json":   served("application/json", []byte(`{"a":1}`)),
		"/pic.png":     served("image/png", photo),
		"/old":         http.RedirectHandler("/data.zip", http.StatusFound),
		"/data.zip": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/zip")
			w.Header().Set("Content-Disposition", "attachment; filename=data.zip")
			w.Write(big)
		},
		"/none": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"/broken.zip": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/zip")
			w.Header().Set("Content-Length", "1000000")
			fmt.Fprint(w, "PK")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
	})
	for _, c := range []struct {
		path, mediaType string
		body            []byte
		picture         bool
	}{
		{"/minutes.pdf", "application/pdf", tinyPDF, false},
		{"/film.webm", "video/webm", big, true},
		{"/list.json", "application/json", []byte(`{"a":1}`), true},
		{"/pic.png", "image/png", photo, true},
		{"/old", "application/zip", big, false},
	} {
		t.Run(c.path[1:], func(t *testing.T) {
			t.Parallel()
			got := capture(t, s.URL+c.path)
			if c.path != "/film.webm" { // whose picture is black: it is no film
				got.want(candor.Complete, "")
			}
			f, ok := got.File(candor.Original)
			if !ok {
				t.Fatalf("the file is not kept: %+v %+v", got.Steps, got.Files)
			}
			if f.MediaType != c.mediaType || f.SHA256 != candor.SHA256(c.body) || f.Truncated {
				t.Errorf("kept is %+v", f)
			}
			if _, ok := got.File(candor.Screenshot); ok != c.picture {
				t.Errorf("there is a picture: %v, want %v", ok, c.picture)
			}
			if got.HTTPStatus != 200 || got.RemoteAddr == "" {
				t.Errorf("status %d from %q", got.HTTPStatus, got.RemoteAddr)
			}
			if c.path == "/old" && got.FinalURL != s.URL+"/data.zip" {
				t.Errorf("the final address is %s", got.FinalURL)
			}
			pointed := false
			for _, x := range got.exchanges() {
				pointed = pointed || x.Body != nil && x.Body.SHA256 == f.SHA256 && x.Status == 200
			}
			if !pointed {
				t.Error("no exchange points to the file")
			}
		})
	}
	t.Run("broken", func(t *testing.T) {
		t.Parallel()
		got := capture(t, s.URL+"/broken.zip")
		if got.Outcome == candor.Complete {
			t.Error("half a file passes for a whole one")
		}
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		capture(t, s.URL+"/none").want(candor.Failed, "no content")
	})
}

func TestFileThatTurnsIntoAPageIsNoCompleteCapture(t *testing.T) {
	var asked atomic.Int64
	s := site(t, map[string]any{"/": func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			served("application/pdf", tinyPDF)(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<h1>Minutes</h1>")
	}})
	c := capture(t, s.URL)
	c.want(candor.Failed, "to a page")
	if f, ok := c.File(candor.Original); !ok || f.SHA256 != candor.SHA256([]byte("<h1>Minutes</h1>")) {
		t.Errorf("kept is %+v", c.Files)
	}
}

func TestOnlyTheLastOfSeveralFilesIsTheOriginal(t *testing.T) {
	s := site(t, map[string]any{
		"/": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Refresh", "0;url=/second")
			fmt.Fprint(w, "first")
		},
		"/second": served("text/plain", []byte("second")),
	})
	c := capture(t, s.URL)
	var kept []string
	for _, f := range c.Files {
		if f.Kind == candor.Original {
			kept = append(kept, f.SHA256)
		}
	}
	if len(kept) != 1 || kept[0] != candor.SHA256([]byte("second")) {
		t.Errorf("%d originals, final address %s", len(kept), c.FinalURL)
	}
}

func TestThereIsNoPictureOfAPageThatCannotBeHad(t *testing.T) {
	s := site(t, map[string]any{
		"/gone": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404); fmt.Fprint(w, "<h1>Not here</h1>") },
		"/away": `<!DOCTYPE html><title>A</title><script>location='http://127.0.0.1:8099/'</script>`,
	})
	for url, c := range map[string]struct {
		reason  string
		picture bool
	}{
		s.URL + "/gone":            {"404", true},
		s.URL + "/away":            {"refused", false},
		"http://127.0.0.1:8099/":   {"refused", false},
		"https://127.0.0.1:8099/":  {"refused", false},
		"http://nowhere.invalid/":  {"could not be", false},
		"https://nowhere.invalid/": {"could not be", false},
	} {
		t.Run(strings.NewReplacer("/", "_", ":", "_").Replace(strings.TrimPrefix(url, s.URL)), func(t *testing.T) {
			t.Parallel()
			got := capture(t, url)
			got.want(candor.Failed, c.reason)
			for _, kind := range []candor.ArtefactKind{candor.Screenshot, candor.Snapshot, candor.Text, candor.Thumbnail} {
				if _, ok := got.File(kind); ok != c.picture {
					t.Errorf("there is a %s: %v, want %v", kind, ok, c.picture)
				}
			}
			if _, ok := got.File(candor.Exchanges); !ok {
				t.Error("there are no exchanges")
			}
		})
	}
}
