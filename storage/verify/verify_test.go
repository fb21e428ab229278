package verify_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/candor-archive/candor/internal/pgtest"
	"github.com/candor-archive/candor/storage/layout"
	"github.com/candor-archive/candor/storage/meta"
	"github.com/candor-archive/candor/storage/storagetest"
	"github.com/candor-archive/candor/storage/verify"
)

func TestASoundArchiveHasNoFaults(t *testing.T) {
	storagetest.Databases(t, func(t *testing.T, open func(t *testing.T) *meta.DB) {
		a := newArchive(t, open(t), t.TempDir())
		var done, total int64
		r, err := verify.Archive(context.Background(), verify.Config{DB: a.db.Read, Objects: a.objects, Dir: a.dir,
			Progress: func(d, n int64) { done, total = d, n }})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Faults {
			t.Error(f)
		}
		if r.Entries != 18 || r.Captures != 3 || r.Objects != 15 || r.Bytes < 9000 {
			t.Errorf("counted %+v", r)
		}
		if done != total || total != int64(r.Entries+r.Objects) {
			t.Errorf("progress ended at %d of %d", done, total)
		}
	})
}

func TestAnEmptyArchiveIsSound(t *testing.T) {
	storagetest.Databases(t, func(t *testing.T, open func(t *testing.T) *meta.DB) {
		a := &archive{t: t, db: open(t), dir: t.TempDir()}
		a.open()
		if r := a.verify(); !r.Sound() {
			t.Error(r.Faults)
		}
	})
}

// Each harm is done to a fresh archive; the report must name what was harmed.
func TestEveryHarmIsFoundAndNamed(t *testing.T) {
	harms := []harm{
		{"a bit of an object is flipped", func(a *archive) { a.flip(a.files[1][2].SHA) },
			[]string{"object changed: The bytes of object {f12}", "snapshot snapshot.bin of capture capture-1"}},
		{"an object is shortened", func(a *archive) { a.truncate(a.files[1][2].SHA) }, []string{"object changed: The bytes of object {f12}"}},
		{"an object is deleted", func(a *archive) { a.remove(a.files[2][1].SHA) },
			[]string{"object missing: The object {f21} is missing. It is the screenshot screenshot.bin of capture capture-2"}},
		{"a manifest is deleted", func(a *archive) { a.remove(a.captures[0].ManifestSHA) }, []string{"object missing", "manifest manifest.json of capture capture-0"}},
		{"a platform answer is changed", func(a *archive) { a.flip(a.revision.AnswerSHA) }, []string{"object changed", "platform answer answer"}},
		{"a bundle is deleted", func(a *archive) { a.remove(a.production.BundleSHA) }, []string{"object missing", "bundle of production production"}},
		{"a capture row is edited", func(a *archive) { a.exec("UPDATE captures SET url = 'https://other.example/' WHERE id = 'capture-1'") },
			[]string{`row changed: The capture capture-1`, `url was "https://social.example/larkspur/1_2" and is "https://other.example/"`, "row differs from manifest"}},
		{"a capture is moved in time", func(a *archive) {
			a.exec("UPDATE captures SET finished_at = '2025-01-01 00:00:00+00:00' WHERE id = 'capture-1'")
		}, []string{"row changed: The capture capture-1", "finished was"}},
		{"a capture is given another entry", func(a *archive) { a.exec("UPDATE captures SET evidence_seq = 2 WHERE id = 'capture-2'") },
			[]string{"capture-2 says entry 2"}},
		{"an artefact row is deleted", func(a *archive) { a.exec("DELETE FROM artefacts WHERE capture_id = 'capture-0' AND n = 2") },
			[]string{"row changed: The capture capture-0", "row missing: The file snapshot.bin (snapshot) of capture capture-0"}},
		{"an artefact row is edited where the log does not look", func(a *archive) {
			a.exec("UPDATE artefacts SET media_type = 'text/html' WHERE capture_id = 'capture-0' AND n = 1")
		}, []string{"row differs from manifest: File 1 of capture capture-0"}},
		{"a file is passed off as another rendition's", func(a *archive) {
			a.exec("UPDATE artefacts SET rendition = 'mobile' WHERE capture_id = 'capture-0' AND n = 1")
		}, []string{"row differs from manifest: File 1 of capture capture-0"}},
		{"a capture is deleted with its files", func(a *archive) {
			a.exec("DELETE FROM artefacts WHERE capture_id = 'capture-1'", "DELETE FROM captures WHERE id = 'capture-1'")
		}, []string{"row missing: The evidence log (entry 6) covers the capture capture-1"}},
		{"a capture is added by hand", func(a *archive) {
			a.exec("CREATE TEMP TABLE forged AS SELECT * FROM captures WHERE id = 'capture-1'", "UPDATE forged SET id = 'forged'", "INSERT INTO captures SELECT * FROM forged")
		}, []string{"row without evidence: The capture forged"}},
		{"a revision is reworded", func(a *archive) { a.exec("UPDATE revisions SET text = 'Road open' WHERE id = 'revision'") },
			[]string{"row changed: The revision revision", "text_sha256 was"}},
		{"a photo's description is changed", func(a *archive) { a.exec("UPDATE attachments SET alt = '' WHERE id = 'photo'") },
			[]string{"row changed: The revision revision"}},
		{"a tombstone is opened again", func(a *archive) {
			a.exec("UPDATE tombstones SET closed_at = '0001-01-01 00:00:00+00:00' WHERE id = 'tombstone-1'")
		}, []string{"row changed: The tombstone tombstone-1"}},
		{"a tombstone is closed by hand", func(a *archive) {
			a.exec("UPDATE tombstones SET closed_at = '2026-11-23 00:00:00+00:00' WHERE id = 'tombstone-2'")
		}, []string{"row without evidence: The tombstone tombstone-2"}},
		{"an event is edited", func(a *archive) { a.exec("UPDATE events SET detail = 'nothing' WHERE id = 'event-4'") },
			[]string{"row changed: The request event event-4"}},
		{"an event is deleted", func(a *archive) { a.exec("DELETE FROM events WHERE id = 'event-6'") },
			[]string{"covers the request event event-6", "event missing: The history of request LPD-2026-000001 (request) has no event 6"}},
		{"a message is edited", func(a *archive) { a.exec("UPDATE messages SET body = 'We are not.' WHERE id = 'message-2'") },
			[]string{"row changed: The request event event-3"}},
		{"a request is reworded", func(a *archive) { a.exec("UPDATE requests SET text = 'Nothing, thank you.'") },
			[]string{"row changed: The words of request LPD-2026-000001"}},
		{"a request is moved back", func(a *archive) { a.exec("UPDATE requests SET stage = 'searching'") },
			[]string{`stands at stage "searching" in the database, but its history has brought it to "closed"`}},
		{"a production gets another file", func(a *archive) { a.exec("UPDATE production_items SET name = 'other.png'") },
			[]string{"row changed: The production production"}},
		{"a release is redated", func(a *archive) { a.exec("UPDATE releases SET at = '2026-01-01 00:00:00+00:00'") },
			[]string{"row changed: The release release"}},
		{"an entry is edited", func(a *archive) { a.exec("UPDATE evidence_entry SET subject = 'capture-9' WHERE seq = 6") },
			[]string{"entry changed: Entry 6 of the evidence log", "row without evidence: The capture capture-1"}},
		{"an entry about settings is edited", func(a *archive) {
			a.exec("UPDATE evidence_entry SET body = (SELECT body FROM evidence_entry WHERE seq = 1) WHERE seq = 0")
		}, []string{"entry changed: Entry 0"}},
		{"two entries are swapped", func(a *archive) {
			a.exec("UPDATE evidence_entry SET seq = 900 WHERE seq = 5", "UPDATE evidence_entry SET seq = 5 WHERE seq = 7", "UPDATE evidence_entry SET seq = 7 WHERE seq = 900")
		}, []string{"entry changed: Entry 5", "entry changed: Entry 7"}},
		{"an entry is dropped from the middle", func(a *archive) { a.exec("DELETE FROM evidence_entry WHERE seq = 6") },
			[]string{"entry missing: Entry 6", "row without evidence: The capture capture-1"}},
		{"the newest entry is dropped with its hashes", func(a *archive) {
			a.exec("DELETE FROM evidence_entry WHERE seq = 17", fmt.Sprintf("DELETE FROM evidence_hash WHERE idx >= %d", hashCount(17)))
		}, []string{"entry missing: Entry 17", "row without evidence: The request event event-8"}},
		{"the log is cut back to an older checkpoint", func(a *archive) { storagetest.CutBack(a.t, a.db, a.dir, 15) },
			[]string{"log shorter than its checkpoint: A checkpoint for 18 entries was signed", "row without evidence: The request event event-8"}},
		{"the log is cut back and so is all it covered", func(a *archive) {
			storagetest.CutBack(a.t, a.db, a.dir, 17)
			a.exec("DELETE FROM events WHERE id = 'event-8'", "UPDATE requests SET stage = 'releasing'")
		}, []string{"log shorter than its checkpoint: A checkpoint for 18 entries was signed"}},
		{"the log is rewritten with all its hashes", func(a *archive) { a.rewriteLog() },
			[]string{"log differs from its checkpoint: The first 1 entries"}},
		{"the head is edited", func(a *archive) { a.exec("UPDATE evidence_head SET size = 12") }, []string{"log and its head disagree"}},
		{"a tree hash is edited", func(a *archive) {
			a.exec("UPDATE evidence_hash SET hash = (SELECT hash FROM evidence_hash WHERE idx = 0) WHERE idx = 2")
		}, []string{"tree hash changed: A hash stored above entry 1"}},
		{"the published checkpoints are gone", func(a *archive) { a.must(os.Remove(layout.Checkpoints(a.dir))) }, []string{"published checkpoints missing"}},
		{"a published checkpoint is edited", func(a *archive) {
			file, err := os.ReadFile(layout.Checkpoints(a.dir))
			a.must(err)
			a.must(os.WriteFile(layout.Checkpoints(a.dir), []byte(strings.Replace(string(file), `\n3\n`, `\n4\n`, 1)), 0o600))
		}, []string{"published checkpoint damaged: 1 lines of", "the first is line 3"}},
		{"the public key is replaced", func(a *archive) {
			other := &archive{t: a.t, db: a.db, dir: a.t.TempDir()}
			text, err := os.ReadFile(layout.EvidencePublicKey(other.foreignKey()))
			a.must(err)
			a.must(os.WriteFile(layout.EvidencePublicKey(a.dir), text, 0o600))
		}, []string{"published checkpoint damaged: 16 lines", "another key"}},
	}
	// The checks are the same statements on both engines; PostgreSQL is given
	// one harm of each sort, as making a database there takes long.
	also := []string{"a capture row is edited", "a tombstone is opened again", "an event is deleted", "two entries are swapped",
		"the newest entry is dropped with its hashes", "a capture is added by hand"}
	t.Run("SQLite", func(t *testing.T) {
		dir := t.TempDir()
		db, err := meta.Open(context.Background(), layout.Database(dir))
		if err != nil {
			t.Fatal(err)
		}
		sound := newArchive(t, db, dir)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		for _, h := range harms {
			t.Run(h.name, func(t *testing.T) { h.check(sound.copied(t)) })
		}
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		for _, h := range harms {
			if slices.Contains(also, h.name) {
				t.Run(h.name, func(t *testing.T) {
					db, err := meta.Open(context.Background(), pgtest.Start(t))
					if err != nil {
						t.Fatal(err)
					}
					defer db.Close()
					h.check(newArchive(t, db, t.TempDir()))
				})
			}
		}
	})
}

type harm struct {
	name string
	do   func(a *archive)
	want []string // each must be in the text of some fault
}

// check does the harm and reads the report.
func (h harm) check(a *archive) {
	t := a.t
	storagetest.Unfreeze(t, a.db)
	h.do(a)
	r := a.verify()
	var all []string
	for _, f := range r.Faults {
		if f.What == "" || f.Subject == "" || !strings.HasSuffix(f.Detail, ".") {
			t.Errorf("half a fault: %+v", f)
		}
		all = append(all, f.String())
	}
	text := strings.Join(all, "\n")
	for _, want := range h.want {
		want = strings.NewReplacer("{f12}", a.files[1][2].SHA, "{f21}", a.files[2][1].SHA).Replace(want)
		if !strings.Contains(text, want) {
			t.Errorf("nothing says %q in:\n%s", want, text)
		}
	}
	if len(all) > 6 {
		t.Errorf("one harm is blamed on %d things:\n%s", len(all), text)
	}
}
