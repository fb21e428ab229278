package storage

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/candor-archive/candor"
)

func TestACaptureIsCommittedOnceHoweverOftenItIsDone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		post, _ := addThread(t, s, src)
		spec := specFor(post)
		m, dir := made(t, spec, "words")
		before := logSize(t, s)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, err := s.CommitCapture(ctx, spec, m, dir); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		again, dir2 := made(t, spec, "other words of a later attempt")
		c, err := s.CommitCapture(ctx, spec, again, dir2)
		must(t, err)
		if n := logSize(t, s) - before; n != 1 {
			t.Errorf("the log grew by %d entries, want 1", n)
		}
		v, err := s.Capture(ctx, spec.ID)
		must(t, err)
		if v.Capture != c || len(v.Artefacts) != 6 || v.Artefacts[0].Kind != candor.ManifestF || v.Record.ID != post.ID || v.Source.ID != src.ID {
			t.Errorf("view %+v", v)
		}
		if !bytes.Equal(v.Entry.Body, v.Capture.EvidenceBody(v.Artefacts)) {
			t.Errorf("the rows are not what the log covers:\n%s\n%s", v.Entry.Body, v.Capture.EvidenceBody(v.Artefacts))
		}
		for _, a := range v.Artefacts {
			r, err := s.OpenObject(ctx, a.SHA)
			must(t, err)
			raw, err := io.ReadAll(r)
			must(t, err)
			r.Close()
			if candor.SHA256(raw) != a.SHA || int64(len(raw)) != a.Size {
				t.Errorf("object of %s is not what the artefact says", a.Name)
			}
		}
	})
}

func TestACaptureThatIsNotWhatItsManifestSaysIsRefused(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	secret := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(secret, []byte("words"), 0o600))
	spoil := map[string]func(m *candor.Manifest, dir string) error{
		"a changed file": func(m *candor.Manifest, dir string) error {
			return os.WriteFile(filepath.Join(dir, "screenshot.png"), []byte("other"), 0o600)
		},
		"a missing file": func(m *candor.Manifest, dir string) error { return os.Remove(filepath.Join(dir, "text.txt")) },
		"another size":   func(m *candor.Manifest, dir string) error { m.Files[0].Size++; return rewrite(*m, dir) },
		"another manifest": func(m *candor.Manifest, dir string) error {
			m.Title = "changed"
			return nil
		},
		"no outcome": func(m *candor.Manifest, dir string) error { m.Outcome = "fine"; return rewrite(*m, dir) },
		"a link out of the directory": func(m *candor.Manifest, dir string) error {
			name := filepath.Join(dir, "text.txt")
			if err := os.Remove(name); err != nil {
				return err
			}
			return os.Symlink(secret, name)
		},
		"a path out of the directory": func(m *candor.Manifest, dir string) error {
			m.Files[2].Path = "../" + filepath.Base(dir) + "/text.txt"
			return rewrite(*m, dir)
		},
	}
	for name, f := range spoil {
		t.Run(name, func(t *testing.T) {
			before := logSize(t, s)
			spec := specFor(candor.Record{})
			m, dir := made(t, spec, "words")
			must(t, f(&m, dir))
			_, err := s.CommitCapture(t.Context(), spec, m, dir)
			wantKind(t, err, candor.Invalid)
			_, err = s.Capture(t.Context(), spec.ID)
			wantKind(t, err, candor.NotFound)
			if n := logSize(t, s); n != before {
				t.Error("the log covers it")
			}
		})
	}
}

func rewrite(m candor.Manifest, dir string) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "manifest.json"), raw, 0o600)
}

func TestACaptureOfNothingKnownLeavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		before := logSize(t, s)
		spec := specFor(candor.Record{ID: "no such record"})
		m, dir := made(t, spec, "words")
		_, err := s.CommitCapture(t.Context(), spec, m, dir)
		wantKind(t, err, candor.NotFound)
		_, err = s.Capture(t.Context(), spec.ID)
		wantKind(t, err, candor.NotFound)
		if n := logSize(t, s); n != before {
			t.Error("the log covers it")
		}
	})
}

func TestAPageIsFoundByTheWordsOfItsNewestCapture(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		page := candor.Record{ID: candor.NewID(), UID: "https://larkspur.example/permits", Kind: candor.Page, State: candor.Live, Language: "es"}
		must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Changes: []candor.Change{{Record: page}}}))
		spec := specFor(page)
		m, dir := made(t, spec, "Permisos de construcción en línea")
		_, err := s.CommitCapture(ctx, spec, m, dir)
		must(t, err)
		found := func(words string) int {
			t.Helper()
			got, err := s.Public().Search(ctx, candor.Query{Text: words})
			must(t, err)
			if got.Total == 1 && got.Hits[0].CaptureID != spec.ID {
				t.Errorf("hit %+v has not the capture", got.Hits[0])
			}
			return got.Total
		}
		if found("construccion") != 1 {
			t.Error("the page is not found by its words")
		}
		// A later poll that changes the record keeps the captured words.
		must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Changes: []candor.Change{wording(page, "Trámites")}}))
		if found("construccion") != 1 || found("tramites") != 1 {
			t.Error("the page is not found by both its words")
		}
	})
}

func TestEveryoneReadsWhatWasOnScreenAndNoMore(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		post, _ := addThread(t, s, src)
		c := capture(t, s, post)
		r, a, err := s.Public().OpenArtefact(ctx, c.ID, candor.Text)
		must(t, err)
		raw, err := io.ReadAll(r)
		must(t, err)
		r.Close()
		if string(raw) != "words on the screen" || a.Name != "text.txt" {
			t.Errorf("text %q of %+v", raw, a)
		}
		for _, kind := range []candor.ArtefactKind{candor.Exchanges, candor.Body} {
			_, _, err := s.Public().OpenArtefact(ctx, c.ID, kind)
			wantKind(t, err, candor.NotFound)
		}
		v, err := s.Public().Record(ctx, post.ID)
		must(t, err)
		if len(v.Captures) != 1 || v.Captures[0].ID != c.ID || len(v.Thread) != 1 {
			t.Errorf("view %+v", v)
		}
		n, err := s.Public().Counts(ctx)
		must(t, err)
		if n.Records != 2 || n.Captures != 1 || n.Sources != 1 || !n.Latest.Equal(c.CommittedAt) || n.Today != 1 {
			t.Errorf("counts %+v", n)
		}
		if list, err := s.Public().Recent(ctx, 5); err != nil || len(list) != 1 {
			t.Errorf("recent %v, %v", list, err)
		}
	})
}

func TestTheArchiveOpensAgainAsItWas(t *testing.T) {
	dir := t.TempDir()
	first := open(t, Config{Dir: dir})
	src := source(t, first, true)
	post, _ := addThread(t, first, src)
	c := capture(t, first, post)
	note, err := first.Checkpoint(t.Context())
	must(t, err)
	second := open(t, Config{Dir: dir, Now: func() time.Time { return time.Now().Add(time.Hour) }})
	again, err := second.Checkpoint(t.Context())
	must(t, err)
	if !bytes.Equal(note, again) {
		t.Error("the checkpoint changed by opening")
	}
	if v, err := second.Capture(t.Context(), c.ID); err != nil || v.Capture != c {
		t.Errorf("capture %+v, %v", v.Capture, err)
	}
	if token, err := second.Token(t.Context(), src.ID); err != nil || token == "" {
		t.Errorf("token %q, %v", token, err)
	}
	must(t, second.Ready(t.Context()))
}
