package desk_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/desk"
	"github.com/candor-archive/candor/portal/law"
	"github.com/candor-archive/candor/storage"
)

// world is a small agency over the real store: people of every role, a source,
// a post with a capture and a comment that is gone.
type world struct {
	t       *testing.T
	store   *storage.Store
	desk    *desk.Desk
	now     time.Time
	people  map[candor.Role]candor.Principal
	second  candor.Principal // another officer
	post    candor.Record
	comment candor.Record // deleted
	bare    candor.Record // a post without a capture
	extra   candor.Record // another, that nobody marks on the way
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t testing.TB, err error, kind candor.ErrorKind) {
	t.Helper()
	if !candor.IsKind(err, kind) {
		t.Fatalf("got error %v, want kind %s", err, kind)
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Now(), people: map[candor.Role]candor.Principal{}}
	s, err := storage.Open(t.Context(), storage.Config{Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	w.store = s
	ctx := t.Context()
	must(t, s.SaveAgency(ctx, candor.Agency{Name: "City of Larkspur", Short: "LPD", Email: "records@larkspur.example", Phone: "555-0100",
		TimeZone: "America/Chicago", Jurisdiction: "us-tx"}, "test"))
	person := func(role candor.Role, name string) candor.Principal {
		u := candor.User{ID: candor.NewID(), Email: strings.ToLower(name) + "@larkspur.example", Name: name, Roles: []candor.Role{role}, PasswordHash: "-", Language: "en", CreatedAt: candor.Moment(w.now)}
		must(t, s.CreateUser(ctx, u, "test"))
		return u.Principal()
	}
	for _, role := range candor.Roles {
		w.people[role] = person(role, "P-"+string(role))
	}
	w.second = person(candor.Officer, "Second")
	src := candor.Source{ID: candor.NewID(), Kind: candor.SourceFacebook, Name: "Larkspur Police", URL: "https://social.example/lpd", Public: true, Every: time.Minute, CreatedAt: w.now}
	must(t, s.AddSource(ctx, src, "tok", "test"))
	posted := w.now.Add(-48 * time.Hour)
	record := func(kind candor.RecordKind, thread, text string) candor.Change {
		r := candor.Record{ID: candor.NewID(), UID: candor.NewID(), Kind: kind, State: candor.Live, Author: "Larkspur <Police>", Language: "es",
			URL: "https://social.example/p", PostedAt: posted, ThreadID: thread}
		if thread == "" {
			r.ThreadID = r.ID
		} else {
			r.ParentID = thread
		}
		return candor.Change{Record: r, Revision: &candor.Revision{Text: text, ContentHash: candor.HashContent(text, nil), How: "listed", SeenAt: posted}}
	}
	post := record(candor.Post, "", "Cierre de la calle Azalea <b>mañana</b>")
	comment := record(candor.Comment, post.Record.ID, "¿Cuánto dura?")
	bare := record(candor.Post, "", "Sin imagen")
	extra := record(candor.Post, "", "Otra cosa")
	must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, At: posted, Changes: []candor.Change{post, comment, bare, extra}}))
	w.post, w.comment, w.bare, w.extra = post.Record, comment.Record, bare.Record, extra.Record
	w.capture(w.post, w.now.Add(-24*time.Hour), candor.Complete)
	gone := comment.Record
	gone.State = candor.Deleted
	must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, At: w.now.Add(-12 * time.Hour), Changes: []candor.Change{{Record: gone,
		Tombstone: &candor.Tombstone{NotBefore: w.now.Add(-20 * time.Hour), NotAfter: w.now.Add(-12 * time.Hour), NoticedAt: w.now.Add(-12 * time.Hour), How: "asked twice"}}}}))
	w.desk = desk.New(desk.Config{Store: s, Law: law.Load, BaseURL: "https://records.example", Now: w.tick, LinkFloor: time.Millisecond})
	return w
}

// tick is the clock: it moves on a little each time it is read, so that what
// happened later is later.
func (w *world) tick() time.Time {
	w.now = w.now.Add(time.Millisecond)
	return w.now
}

// capture puts a capture of a record into the archive and gives its id.
func (w *world) capture(r candor.Record, at time.Time, outcome candor.Outcome) string {
	w.t.Helper()
	dir := w.t.TempDir()
	spec := candor.CaptureSpec{ID: candor.NewID(), URL: r.URL, Profile: candor.Desktop, Policy: candor.PolicyLoad, RecordID: r.ID, ScheduledAt: at}
	m := candor.Manifest{Version: 1, ID: spec.ID, URL: spec.URL, FinalURL: spec.URL, Title: "A page", Outcome: outcome, HTTPStatus: 200,
		Profile: spec.Profile, Policy: spec.Policy, Scheduled: candor.Moment(at), Started: candor.Moment(at), Finished: candor.Moment(at), Browser: "Chromium"}
	for _, f := range []struct {
		kind       candor.ArtefactKind
		name, mime string
	}{{candor.Screenshot, "screenshot.png", "image/png"}, {candor.Snapshot, "snapshot.html", "text/html"}, {candor.Text, "text.txt", "text/plain"}, {candor.Exchanges, "exchanges.jsonl", "text/plain"}} {
		body := []byte(f.name + " of " + spec.ID)
		must(w.t, os.WriteFile(filepath.Join(dir, f.name), body, 0o600))
		m.Files = append(m.Files, candor.File{Kind: f.kind, Path: f.name, SHA256: candor.SHA256(body), Size: int64(len(body)), MediaType: f.mime})
	}
	raw, err := json.Marshal(m)
	must(w.t, err)
	must(w.t, os.WriteFile(filepath.Join(dir, "manifest.json"), raw, 0o600))
	_, err = w.store.CommitCapture(w.t.Context(), spec, m, dir)
	must(w.t, err)
	return spec.ID
}

func (w *world) file(lang string) (desk.Receipt, candor.Principal) {
	w.t.Helper()
	rec, err := w.desk.File(w.t.Context(), candor.Principal{Kind: candor.Visitor}, desk.FilingInput{Text: "Todo sobre la calle Azalea", Name: "María Ruiz", Email: "maria@example.org", Language: lang})
	must(w.t, err)
	return rec, candor.Principal{Kind: candor.Requester, RequestID: rec.Request.ID}
}

func (w *world) stage(id string) candor.Stage {
	w.t.Helper()
	r, err := w.store.Request(w.t.Context(), id)
	must(w.t, err)
	return r.Stage
}

// to walks a request to a stage.
func (w *world) to(id string, stage candor.Stage) {
	w.t.Helper()
	ctx, officer := w.t.Context(), w.people[candor.Officer]
	if stage == candor.Received {
		return
	}
	must(w.t, w.desk.Accept(ctx, officer, id))
	if stage == candor.Searching {
		return
	}
	must(w.t, w.desk.Mark(ctx, officer, id, []string{w.post.ID, w.comment.ID, w.bare.ID}))
	if stage == candor.Reviewing {
		return
	}
	must(w.t, w.desk.Propose(ctx, officer, id, "please look"))
	if stage == candor.Approving {
		return
	}
	must(w.t, w.desk.Approve(ctx, w.second, id, ""))
	if stage == candor.Releasing {
		return
	}
	must(w.t, w.desk.Release(ctx, officer, id, ""))
	must(w.t, w.desk.Close(ctx, officer, id, candor.ReleasedFull, ""))
}

func readAll(t testing.TB, r io.ReadCloser) []byte {
	t.Helper()
	defer r.Close()
	b, err := io.ReadAll(r)
	must(t, err)
	return b
}

func (w *world) mails(id string) []candor.Mail {
	w.t.Helper()
	all, err := w.store.Outbox(w.t.Context(), 100)
	must(w.t, err)
	var out []candor.Mail
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].RequestID == id {
			out = append(out, all[i])
		}
	}
	return out
}
