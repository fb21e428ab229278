package storage

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/candor-archive/candor"
)

// withMobile adds a further rendition to the files of a capture.
func withMobile(t *testing.T, m *candor.Manifest, dir, text string) {
	t.Helper()
	must(t, os.Mkdir(filepath.Join(dir, "mobile"), 0o700))
	for _, f := range []struct {
		kind candor.ArtefactKind
		name string
		body string
	}{{candor.Screenshot, "mobile/screenshot.png", "mobile png of " + m.ID}, {candor.Text, "mobile/text.txt", text}} {
		must(t, os.WriteFile(filepath.Join(dir, f.name), []byte(f.body), 0o600))
		m.Files = append(m.Files, candor.File{Kind: f.kind, Path: f.name, SHA256: candor.SHA256([]byte(f.body)), Size: int64(len(f.body)),
			MediaType: "text/plain", Rendition: string(candor.Mobile)})
	}
	raw, err := json.Marshal(m)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "manifest.json"), raw, 0o600))
}

func TestRenditionsOfACaptureAreKeptApartAndVerified(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		page := candor.Record{ID: candor.NewID(), UID: "https://larkspur.example/roads", Kind: candor.Page, State: candor.Live}
		must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Changes: []candor.Change{{Record: page}}}))
		spec := specFor(page)
		m, dir := made(t, spec, "wide words")
		// First in the manifest, so that nothing but the name keeps it apart.
		withMobile(t, &m, dir, "narrow words")
		n := len(m.Files)
		m.Files = append(m.Files[n-2:n:n], m.Files[:n-2]...)
		must(t, rewrite(m, dir))
		_, err := s.CommitCapture(ctx, spec, m, dir)
		must(t, err)

		v, err := s.Capture(ctx, spec.ID)
		must(t, err)
		proper, ok := v.Artefact(candor.Screenshot)
		if !ok || proper.Name != "screenshot.png" {
			t.Errorf("the capture proper's picture is %q", proper.Name)
		}
		mobile, ok := v.Rendition("mobile", candor.Screenshot)
		if !ok || mobile.Name != "mobile/screenshot.png" || mobile.SHA == proper.SHA {
			t.Errorf("the mobile picture is %q", mobile.Name)
		}
		if names := v.Renditions(); len(names) != 1 || names[0] != "mobile" {
			t.Errorf("renditions %v", names)
		}
		for words, want := range map[string]int{"wide": 1, "narrow": 0} {
			if got, err := s.Public().Search(ctx, candor.Query{Text: words}); err != nil || got.Total != want {
				t.Errorf("%q is found %d times (%v), want %d: the capture proper's words count", words, got.Total, err, want)
			}
		}
		report, err := s.Verify(ctx, dirOf(t, s), nil)
		must(t, err)
		if len(report.Faults) > 0 {
			t.Errorf("the archive is not sound: %v", report.Faults)
		}
	})
}

func TestThePublicOpensARenditionOnlyOfACaptureItMaySee(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	ctx, src := t.Context(), source(t, s, true)
	post, comment := addThread(t, s, src)
	spec := specFor(post)
	m, dir := made(t, spec, "words")
	withMobile(t, &m, dir, "words on a phone")
	_, err := s.CommitCapture(ctx, spec, m, dir)
	must(t, err)

	body, a, err := s.Public().OpenRendition(ctx, spec.ID, "mobile", candor.Text)
	must(t, err)
	raw, err := io.ReadAll(body)
	must(t, err)
	must(t, body.Close())
	if string(raw) != "words on a phone" || a.Rendition != "mobile" {
		t.Errorf("%q of %+v", raw, a)
	}
	refused := func(ctx context.Context, rendition string, kind candor.ArtefactKind) {
		t.Helper()
		_, _, err := s.Public().OpenRendition(ctx, spec.ID, rendition, kind)
		wantKind(t, err, candor.NotFound)
	}
	refused(ctx, "mobile", candor.Exchanges)
	refused(ctx, "mobile", candor.Snapshot) // it has none, and the capture proper's does not stand in
	refused(ctx, "tablet", candor.Text)

	hidden := comment
	hidden.State = candor.Hidden
	must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Changes: []candor.Change{{Record: hidden}}}))
	for _, kind := range []candor.ArtefactKind{candor.Screenshot, candor.Text} {
		refused(ctx, "mobile", kind)
		refused(ctx, "", kind)
	}
	if _, err := s.Capture(ctx, spec.ID); err != nil {
		t.Errorf("staff do not see it: %v", err)
	}
}
