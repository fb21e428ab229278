package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/evidence"
	"github.com/candor-archive/candor/storage/layout"
	"github.com/candor-archive/candor/storage/meta"
	"github.com/candor-archive/candor/storage/object"
	"github.com/candor-archive/candor/storage/verify"
)

// archive is a little archive with one of everything the log covers, put
// together from the parts package storage is put together from.
type archive struct {
	t       *testing.T
	db      *meta.DB
	dir     string
	objects object.Store
	log     *evidence.Log
	now     time.Time

	captures   []candor.Capture
	files      [][]candor.Artefact
	revision   candor.Revision
	tombstones []candor.Tombstone
	request    candor.Request
	events     []candor.Event
	messages   []candor.Message
	production candor.Production
	release    candor.Release
}

func newArchive(t *testing.T, db *meta.DB, dir string) *archive {
	t.Helper()
	a := &archive{t: t, db: db, dir: dir, now: time.Date(2026, 11, 22, 15, 4, 5, 678912000, time.UTC)}
	a.open()
	a.fill()
	return a
}

// copied is the same archive on SQLite in a directory of its own, which is
// much quicker than filling it again.
func (a *archive) copied(t *testing.T) *archive {
	t.Helper()
	b := *a
	b.t, b.dir = t, t.TempDir()
	if err := os.CopyFS(b.dir, os.DirFS(a.dir)); err != nil {
		t.Fatal(err)
	}
	var err error
	if b.db, err = meta.Open(context.Background(), layout.Database(b.dir)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.db.Close(); err != nil {
			t.Error(err)
		}
	})
	b.open()
	return &b
}

func (a *archive) verify() verify.Report {
	a.t.Helper()
	r, err := verify.Archive(context.Background(), verify.Config{DB: a.db.Read, Objects: a.objects, Dir: a.dir})
	if err != nil {
		a.t.Fatal(err)
	}
	return r
}

func (a *archive) put(content string) (sha string, size int64) {
	a.t.Helper()
	sha, size, err := a.objects.Put(context.Background(), strings.NewReader(content))
	if err != nil {
		a.t.Fatal(err)
	}
	return sha, size
}

// tx runs one transaction, appends what it covers and publishes.
func (a *archive) tx(f func(ctx context.Context, r meta.Repo) ([]candor.EvidenceEntry, error)) {
	a.t.Helper()
	a.now = a.now.Add(time.Minute)
	ctx := context.Background()
	err := a.db.InTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		entries, err := f(ctx, a.db.In(tx))
		if err != nil {
			return err
		}
		for i := range entries {
			entries[i].At = a.now
		}
		_, err = a.log.Append(ctx, tx, entries...)
		return err
	})
	if err == nil {
		err = a.log.Published(ctx)
	}
	if err != nil {
		a.t.Fatal(err)
	}
}

func one(kind candor.EvidenceKind, id string, body []byte, err error) ([]candor.EvidenceEntry, error) {
	return []candor.EvidenceEntry{{Kind: kind, Subject: id, Body: body}}, err
}

func (a *archive) fill() {
	source := candor.Source{ID: "source", Kind: candor.SourceFacebook, Name: "Larkspur PD", URL: "https://social.example/larkspur", Public: true, CreatedAt: a.now}
	a.tx(func(ctx context.Context, r meta.Repo) ([]candor.EvidenceEntry, error) {
		err := r.AddSource(ctx, source, nil)
		return one(candor.EvidenceSettings, source.ID, candor.SettingsBody(a.now, "clerk", "added the source Larkspur PD"), err)
	})
	a.post()
	for n := range 3 {
		a.capture(n)
	}
	a.requestRoad()
}

// post adds a record with a revision, a photo, and two tombstones, the first
// of them closed.
func (a *archive) post() {
	answer, answerSize := a.put(`{"id":"1_2","message":"Road closed <b>today</b>"}`)
	photo, photoSize := a.put("not really a photo")
	record := candor.Record{ID: "record", SourceID: "source", UID: "1_2", Kind: candor.Post, ThreadID: "record", Language: "en",
		State: candor.Live, Visibility: candor.Public, Revisions: 1, FirstSeen: a.now, LastSeen: a.now, StateSince: a.now}
	attachments := []candor.Attachment{{ID: "photo", RevisionID: "revision", N: 1, Type: "photo", URL: "https://cdn.example/p.jpg?sig=1",
		Alt: "A barrier", SHA: photo, MediaType: "image/jpeg", Size: photoSize}}
	a.revision = candor.Revision{ID: "revision", RecordID: "record", N: 1, Text: "Road closed today", HTML: "Road closed <b>today</b>",
		ContentHash: candor.HashContent("Road closed today", attachments), SeenAt: a.now, How: "listed", AnswerSHA: answer}
	a.tx(func(ctx context.Context, r meta.Repo) ([]candor.EvidenceEntry, error) {
		if err := r.AddRecord(ctx, meta.Stored{Record: record}); err != nil {
			return nil, err
		}
		if err := r.SaveAnswer(ctx, candor.Answer{ID: "answer", SourceID: "source", Method: "GET", URL: "https://api.example/1_2", Status: 200,
			SHA: answer, Size: answerSize, FetchedAt: a.now, LastAt: a.now, Times: 1}); err != nil {
			return nil, err
		}
		return one(candor.EvidenceRevision, "revision", a.revision.EvidenceBody(attachments), r.AddRevision(ctx, a.revision, attachments))
	})
	for _, id := range []string{"tombstone-1", "tombstone-2"} {
		t := candor.Tombstone{ID: id, RecordID: "record", NotBefore: a.now, NotAfter: a.now.Add(time.Second), NoticedAt: a.now.Add(2 * time.Second), How: "asked twice", AnswerSHA: answer}
		a.tombstones = append(a.tombstones, t)
		a.tx(func(ctx context.Context, r meta.Repo) ([]candor.EvidenceEntry, error) {
			return one(candor.EvidenceTombstone, id, t.EvidenceBody(), r.AddTombstone(ctx, t))
		})
	}
	a.tx(func(ctx context.Context, r meta.Repo) ([]candor.EvidenceEntry, error) {
		t := a.tombstones[0]
		t.ClosedAt = a.now
		return one(candor.EvidenceTombstone, t.ID, t.EvidenceBody(), r.CloseTombstone(ctx, t.ID, t.ClosedAt))
	})
}

func (a *archive) capture(n int) {
	a.t.Helper()
	id := fmt.Sprintf("capture-%d", n)
	m := candor.Manifest{Version: 1, ID: id, URL: "https://social.example/larkspur/1_2", FinalURL: "https://social.example/larkspur/posts/1_2",
		Title: "Larkspur\x00 \xff\xfePD", Outcome: candor.Complete, HTTPStatus: 200, Profile: candor.Desktop, Policy: candor.PolicyLoad,
		Started: a.now.Add(123 * time.Nanosecond), Finished: a.now.Add(time.Second + 999*time.Nanosecond), Browser: "Chromium 156"}
	for i, kind := range []candor.ArtefactKind{candor.Screenshot, candor.Snapshot, candor.Text} {
		content := fmt.Sprintf("%s of %s: %s", kind, id, bytes.Repeat([]byte("x"), 1000*i))
		sha, size := a.put(content)
		m.Files = append(m.Files, candor.File{Kind: kind, Path: string(kind) + ".bin", SHA256: sha, Size: size, MediaType: "application/octet-stream", Width: i})
	}
	raw, err := json.Marshal(m)
	if err != nil {
		a.t.Fatal(err)
	}
	sha, size := a.put(string(raw))
	files := []candor.Artefact{{CaptureID: id, Kind: candor.ManifestF, Name: "manifest.json", SHA: sha, Size: size, MediaType: "application/json"}}
	for i, f := range m.Files {
		files = append(files, candor.Artefact{CaptureID: id, N: i + 1, Kind: f.Kind, Name: f.Path, SHA: f.SHA256, Size: f.Size, MediaType: f.MediaType, Width: f.Width})
	}
	a.tx(func(ctx context.Context, r meta.Repo) ([]candor.EvidenceEntry, error) {
		c := candor.Capture{ID: id, SourceID: "source", RecordID: "record", URL: m.URL, FinalURL: m.FinalURL, Title: m.Title, Profile: m.Profile,
			Policy: m.Policy, Outcome: m.Outcome, HTTPStatus: 200, Why: "new", ScheduledAt: a.now, StartedAt: m.Started, FinishedAt: m.Finished,
			CommittedAt: a.now, Browser: m.Browser, ManifestSHA: sha, Visibility: candor.Public}
		meta.Settle(&c)
		c.EvidenceSeq = int64(5 + n) // settings, revision, three about tombstones
		a.captures, a.files = append(a.captures, c), append(a.files, files)
		return one(candor.EvidenceCapture, id, c.EvidenceBody(files), r.AddCapture(ctx, c, files))
	})
}

// requestRoad files a request and takes it to its end.
func (a *archive) requestRoad() {
	text := "All posts about the road, please. ¿Y en español?"
	a.request = candor.Request{ID: "request", Number: "LPD-2026-000001", Stage: candor.Received, Text: text, Name: "A. Person", ReceivedAt: a.now, UpdatedAt: a.now}
	a.messages = []candor.Message{
		{ID: "message-1", RequestID: "request", Author: "A. Person", Body: text, At: a.now},
		{ID: "message-2", RequestID: "request", Outgoing: true, AuthorID: "user-1", Author: "Clerk", Body: "We are looking.", At: a.now},
	}
	bundle, bundleSize := a.put("a ZIP, in truth")
	items := []candor.ProductionItem{{ID: "item", ProductionID: "production", N: 1, RecordID: "record", CaptureID: "capture-0", Kind: candor.Screenshot,
		Name: "screenshot.png", SHA: a.files[0][1].SHA, ParentSHA: a.files[0][1].SHA, Size: a.files[0][1].Size}}
	for i, step := range []struct {
		kind     candor.EventKind
		messages []candor.Message
	}{
		{candor.EvSubmitted, a.messages[:1]}, {candor.EvAccepted, nil}, {candor.EvMessageOut, a.messages[1:]}, {candor.EvMarked, nil},
		{candor.EvProposed, nil}, {candor.EvApproved, nil}, {candor.EvReleased, nil}, {candor.EvClosed, nil},
	} {
		a.tx(func(ctx context.Context, r meta.Repo) (entries []candor.EvidenceEntry, err error) {
			was := a.request.Stage
			if i == 0 {
				err = r.AddRequest(ctx, a.request)
			} else {
				move, stepErr := a.request.Step(step.kind)
				if stepErr != nil {
					return nil, stepErr
				}
				if move.To != "" {
					a.request.Stage = move.To
				}
				err = r.UpdateRequest(ctx, a.request, was)
			}
			if err != nil {
				return nil, err
			}
			e := candor.Event{ID: fmt.Sprintf("event-%d", i+1), RequestID: "request", N: i + 1, Kind: step.kind, At: a.now, ActorKind: candor.Staff, ActorID: "user-1", Actor: "Clerk", Law: "us-tx-1"}
			a.events = append(a.events, e)
			entries, err = one(candor.EvidenceEvent, e.ID, e.EvidenceBody(step.messages), r.AddEvent(ctx, e, step.messages))
			if err != nil {
				return nil, err
			}
			switch step.kind {
			case candor.EvProposed:
				a.production = candor.Production{ID: "production", RequestID: "request", State: candor.ProductionProposed, PreparedBy: "user-1", PreparedAt: a.now, BundleSHA: bundle, BundleSize: bundleSize}
				entries = append(entries, candor.EvidenceEntry{Kind: candor.EvidenceProduction, Subject: "production", Body: a.production.EvidenceBody(items)})
				if err = r.AddProduction(ctx, a.production); err == nil {
					err = r.AddItems(ctx, items)
				}
			case candor.EvReleased:
				a.release = candor.Release{ID: "release", RequestID: "request", ProductionID: "production", By: "user-1", At: a.now, To: "requester"}
				entries = append(entries, candor.EvidenceEntry{Kind: candor.EvidenceRelease, Subject: "release", Body: a.release.EvidenceBody()})
				err = r.AddRelease(ctx, a.release)
			}
			return entries, err
		})
	}
}
