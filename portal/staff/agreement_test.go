package staff_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
)

// captureOf commits a capture of a record that shows some words.
func (s *site) captureOf(r candor.Record, words string) candor.Capture {
	s.t.Helper()
	dir, now := s.t.TempDir(), time.Now()
	spec := candor.CaptureSpec{ID: candor.NewID(), URL: "https://social.example/p", RecordID: r.ID, Profile: candor.Desktop, Policy: candor.PolicyScroll, ScheduledAt: now}
	m := candor.Manifest{Version: 1, ID: spec.ID, URL: spec.URL, FinalURL: spec.URL, Title: "A post", Outcome: candor.Complete, HTTPStatus: 200,
		Profile: spec.Profile, Policy: spec.Policy, Started: now, Shot: now, Finished: now,
		Files: []candor.File{{Kind: candor.Text, Path: "text.txt", SHA256: candor.SHA256([]byte(words)), Size: int64(len(words)), MediaType: "text/plain"}}}
	raw, err := json.Marshal(m)
	must(s.t, err)
	must(s.t, os.WriteFile(filepath.Join(dir, "text.txt"), []byte(words), 0o600))
	must(s.t, os.WriteFile(filepath.Join(dir, "manifest.json"), raw, 0o600))
	c, err := s.store.CommitCapture(s.t.Context(), spec, m, dir)
	must(s.t, err)
	return c
}

func TestStaffSeeWhereScreenAndDataDisagree(t *testing.T) {
	s := open(t, nil)
	s.furnish()
	record := "/staff/records/" + s.post.ID
	heads := map[string][]string{ // of the section, and of what the record's page says
		"en": {"What the platform’s data says and what the screen shows", "The newest capture and the platform’s data disagree in 1 point."},
		"es": {"Qué dicen los datos de la plataforma y qué muestra la pantalla", "La captura más reciente y los datos de la plataforma no coinciden en 1 punto."},
	}
	look := func(path string) map[string]string {
		t.Helper()
		out := map[string]string{}
		for _, lang := range i18n.Languages {
			w := s.as(candor.Officer, lang).get(path)
			if w.Code != 200 {
				t.Fatalf("%s %s: %d %s", lang, path, w.Code, w.Body)
			}
			checkPage(t, lang+" "+path, w)
			if strings.Contains(w.Body.String(), "agreement.") {
				t.Errorf("%s %s: a message id is left over", lang, path)
			}
			out[lang] = w.Body.String()
		}
		return out
	}

	agrees := s.captureOf(s.post, "Larkspur Police\nJust now\nRoad closed on Azalea until Friday\n0 comments")
	for lang, page := range look("/staff/captures/" + agrees.ID) {
		if !strings.Contains(page, heads[lang][0]) || strings.Contains(page, `class="finding"`) || strings.Contains(page, "agreement-note") {
			t.Errorf("%s: a capture that agrees is shown otherwise", lang)
		}
	}
	for lang, page := range look(record) {
		if strings.Contains(page, "agreement-note") {
			t.Errorf("%s: the record's page tells of a disagreement", lang)
		}
	}

	old := s.captureOf(s.post, "Larkspur Police\nJust now\nRoad closed on Azalea <script>alert(1)</script>\n0 comments")
	for lang, page := range look("/staff/captures/" + old.ID) {
		for _, want := range []string{heads[lang][0], `class="finding"`, "until Friday", "&lt;script&gt;alert(1)", `href="` + record + `"`, "agreement-note"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: a capture of an earlier wording lacks %q", lang, want)
			}
		}
	}
	for lang, page := range look(record) {
		if !strings.Contains(page, heads[lang][1]) || !strings.Contains(page, "/staff/captures/"+old.ID+"#agreement") {
			t.Errorf("%s: the record's page does not tell", lang)
		}
	}

	still := s.captureOf(s.gone, "Larkspur Police\nJust now\nRoad opened")
	for lang, page := range look("/staff/captures/" + still.ID) {
		if strings.Contains(page, `class="finding"`) {
			t.Errorf("%s: two words are held against a deleted post", lang)
		}
	}
}
