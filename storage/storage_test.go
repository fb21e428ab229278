package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/internal/pgtest"
	"github.com/candor-archive/candor/storage/queue"
)

// onBoth runs a test on an empty archive of each engine, set up for an agency.
func onBoth(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Run("sqlite", func(t *testing.T) { test(t, open(t, Config{Dir: t.TempDir()})) })
	t.Run("postgres", func(t *testing.T) { test(t, open(t, Config{Dir: t.TempDir(), Database: pgtest.Start(t)})) })
}

func open(t *testing.T, c Config) *Store {
	t.Helper()
	s, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	dirs.Store(s, c.Dir)
	t.Cleanup(func() {
		dirs.Delete(s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Agency(t.Context()); candor.IsKind(err, candor.NotFound) {
		must(t, s.SaveAgency(t.Context(), candor.Agency{Name: "City of Larkspur", Short: "LPD", TimeZone: "America/Chicago",
			Jurisdiction: "us-tx", DesignatedDays: []candor.Date{"2026-12-24"}}, "set-up"))
	}
	return s
}

// dirOf is the data directory of an archive opened by open.
func dirOf(t *testing.T, s *Store) string {
	t.Helper()
	dir, ok := dirs.Load(s)
	if !ok {
		t.Fatal("the archive was not opened by open")
	}
	return dir.(string)
}

var dirs sync.Map // data directories, by *Store

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, err error, kind candor.ErrorKind) {
	t.Helper()
	if !candor.IsKind(err, kind) {
		t.Fatalf("error %v, want %s", err, kind)
	}
}

func source(t *testing.T, s *Store, public bool) candor.Source {
	t.Helper()
	x := candor.Source{ID: candor.NewID(), Kind: candor.SourceFacebook, Name: "Larkspur Police", URL: "https://social.example/lpd",
		APIURL: "https://api.example", Public: public, Every: time.Minute}
	must(t, s.AddSource(t.Context(), x, "tok-12345", "tester"))
	return x
}

// put stores bytes and gives their hash.
func put(t *testing.T, s *Store, body string) string {
	t.Helper()
	sha, _, err := s.PutObject(t.Context(), bytes.NewReader([]byte(body)))
	must(t, err)
	return sha
}

// wording is a change that brings a record with new words.
func wording(r candor.Record, text string) candor.Change {
	return candor.Change{Record: r, Revision: &candor.Revision{Text: text, ContentHash: candor.HashContent(text, nil), How: "listed"}}
}

// thread puts a post and one comment on it into the archive.
func addThread(t *testing.T, s *Store, src candor.Source) (post, comment candor.Record) {
	t.Helper()
	post = candor.Record{ID: candor.NewID(), UID: "p-" + candor.NewID(), Kind: candor.Post, State: candor.Live, URL: "https://social.example/p", Author: "Larkspur Police"}
	post.ThreadID = post.ID
	comment = candor.Record{ID: candor.NewID(), UID: "c-" + candor.NewID(), Kind: candor.Comment, State: candor.Live, ThreadID: post.ID, ParentID: post.ID, Author: "Maria"}
	must(t, s.ApplySweep(t.Context(), candor.Sweep{SourceID: src.ID, Changes: []candor.Change{
		wording(post, "Road closure on Azalea Street"), wording(comment, "How long will it last?"),
	}}))
	return post, comment
}

// made writes the files of a capture as render would.
func made(t testing.TB, spec candor.CaptureSpec, text string) (candor.Manifest, string) {
	t.Helper()
	return madeAt(t, spec, text, candor.Complete, time.Now(), time.Now())
}

// madeAt is made with the outcome and the times of the visit.
func madeAt(t testing.TB, spec candor.CaptureSpec, text string, outcome candor.Outcome, started, finished time.Time) (candor.Manifest, string) {
	t.Helper()
	dir := t.TempDir()
	m := candor.Manifest{Version: 1, ID: spec.ID, URL: spec.URL, FinalURL: spec.URL, Title: "A page", Outcome: outcome,
		HTTPStatus: 200, Profile: spec.Profile, Policy: spec.Policy, Started: started, Finished: finished, Browser: "Chromium/156"}
	write := func(kind candor.ArtefactKind, name, body string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		m.Files = append(m.Files, candor.File{Kind: kind, Path: name, SHA256: candor.SHA256([]byte(body)), Size: int64(len(body)), MediaType: "text/plain"})
	}
	write(candor.Screenshot, "screenshot.png", "png of "+spec.ID)
	write(candor.Snapshot, "snapshot.html", "<html>"+spec.ID)
	write(candor.Text, "text.txt", text)
	write(candor.Exchanges, "exchanges.jsonl", "{}\n")
	write(candor.Body, "bodies/x", "body of "+spec.ID)
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return m, dir
}

func specFor(r candor.Record) candor.CaptureSpec {
	return candor.CaptureSpec{ID: candor.NewID(), URL: "https://social.example/p", Profile: candor.Desktop, Policy: candor.PolicyScroll,
		SourceID: r.SourceID, RecordID: r.ID, Why: "new", ScheduledAt: time.Now()}
}

// capture commits a capture of a record.
func capture(t *testing.T, s *Store, r candor.Record) candor.Capture {
	t.Helper()
	spec := specFor(r)
	m, dir := made(t, spec, "words on the screen")
	c, err := s.CommitCapture(t.Context(), spec, m, dir)
	must(t, err)
	return c
}

func logSize(t *testing.T, s *Store) int64 {
	t.Helper()
	for n := int64(0); ; n++ {
		if _, err := s.EvidenceEntry(t.Context(), n); candor.IsKind(err, candor.NotFound) {
			return n
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func waitingCaptures(t *testing.T, s *Store) []candor.CaptureJob {
	t.Helper()
	jobs, err := queue.Waiting[candor.CaptureJob](t.Context(), s.db.Read)
	must(t, err)
	return jobs
}

func waitingMails(t *testing.T, s *Store) []candor.MailJob {
	t.Helper()
	jobs, err := queue.Waiting[candor.MailJob](t.Context(), s.db.Read)
	must(t, err)
	return jobs
}

func TestASourcesTokenIsReadableOnlyThroughItsKey(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		src := source(t, s, true)
		token, err := s.Token(t.Context(), src.ID)
		must(t, err)
		if token != "tok-12345" {
			t.Errorf("token %q", token)
		}
		sealed, _, err := s.db.Reader().SourceSecrets(t.Context(), src.ID)
		must(t, err)
		if bytes.Contains(sealed, []byte("tok-12345")) {
			t.Error("the token is kept in clear")
		}
		if _, err := s.seal.open("another source", sealed); err == nil {
			t.Error("the token opens for another source")
		}
		must(t, s.RemoveSource(t.Context(), src.ID, "tester"))
		if list, err := s.Sources(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("sources after removal: %v, %v", list, err)
		}
		if token, err := s.Token(t.Context(), src.ID); err != nil || token != "" {
			t.Errorf("token after removal: %q, %v", token, err)
		}
	})
}

func TestTheKeyThatSealsTokensIsItsOwnersOnly(t *testing.T) {
	dir := t.TempDir()
	open(t, Config{Dir: dir})
	info, err := os.Stat(filepath.Join(dir, "keys", "seal.key"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
}

func TestSourcesAreDueWhenTheirTimeHasCome(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		due := func(at time.Time) int {
			list, err := s.DueSources(ctx, at, 10)
			must(t, err)
			return len(list)
		}
		if due(time.Now()) != 1 {
			t.Error("a new source is not due")
		}
		at := time.Now()
		must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, At: at, NextAt: at.Add(time.Hour), State: []byte("cursor"), Error: "slow down"}))
		if due(time.Now()) != 0 || due(at.Add(time.Hour)) != 1 {
			t.Error("a polled source is not due at its next time")
		}
		must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, At: at, NextAt: at.Add(time.Hour)}))
		if state, err := s.SourceState(ctx, src.ID); err != nil || string(state) != "cursor" {
			t.Errorf("state %q, %v: a sweep without one must leave it", state, err)
		}
		must(t, s.PollNow(ctx, src.ID))
		if due(time.Now()) != 1 {
			t.Error("PollNow does not make it due")
		}
		must(t, s.SetSourcePaused(ctx, src.ID, true, "tester"))
		if due(time.Now()) != 0 {
			t.Error("a paused source is due")
		}
	})
}

func TestPeopleSignInAndOut(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		u := candor.User{ID: candor.NewID(), Email: " Ana@Larkspur.example ", Name: "Ana", Roles: []candor.Role{candor.Officer, candor.Clerk}}
		must(t, s.CreateUser(ctx, u, "set-up"))
		got, err := s.UserByEmail(ctx, "ANA@larkspur.example")
		must(t, err)
		if got.ID != u.ID || len(got.Roles) != 2 || got.Roles[0] != candor.Officer {
			t.Errorf("user %+v", got)
		}
		u.ID = candor.NewID()
		wantKind(t, s.CreateUser(ctx, u, "set-up"), candor.Conflict)
		u.Email, u.Roles = "b@larkspur.example", []candor.Role{"king"}
		wantKind(t, s.CreateUser(ctx, u, "set-up"), candor.Invalid)

		x := candor.Session{Hash: candor.HashSecret("x"), UserID: got.ID, Data: []byte{1, 2}, ExpiresAt: time.Now().Add(time.Hour)}
		must(t, s.SaveSession(ctx, x))
		x.Data = []byte{3}
		must(t, s.SaveSession(ctx, x))
		have, err := s.Session(ctx, x.Hash)
		must(t, err)
		if !bytes.Equal(have.Data, x.Data) {
			t.Errorf("session data %v", have.Data)
		}
		must(t, s.SetUserDisabled(ctx, got.ID, true, "admin"))
		_, err = s.Session(ctx, x.Hash)
		wantKind(t, err, candor.NotFound)
		x.ExpiresAt = time.Now().Add(-time.Second)
		must(t, s.SaveSession(ctx, x))
		_, err = s.Session(ctx, x.Hash)
		wantKind(t, err, candor.NotFound)

		now := time.Now()
		for range 3 {
			must(t, s.AddSignInFailure(ctx, "10.0.0.1", now))
		}
		if n, err := s.SignInFailures(ctx, "10.0.0.1", now.Add(-time.Minute)); err != nil || n != 3 {
			t.Errorf("failures %d, %v", n, err)
		}
		if n, err := s.SignInFailures(ctx, "10.0.0.1", now.Add(time.Minute)); err != nil || n != 0 {
			t.Errorf("failures since later %d, %v", n, err)
		}
	})
}

func TestABundleIsTheSameBytesEachTime(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	obj := put(t, s, "screenshot")
	a, size, err := s.SealBundle(t.Context(), []candor.BundleFile{{Name: "b/letter.txt", Data: []byte("hello")}, {Name: "a.png", SHA: obj}})
	must(t, err)
	b, _, err := s.SealBundle(t.Context(), []candor.BundleFile{{Name: "a.png", SHA: obj}, {Name: "b/letter.txt", Data: []byte("hello")}})
	must(t, err)
	if a != b || size == 0 {
		t.Errorf("bundles differ: %s %s", a, b)
	}
	r, err := s.OpenObject(t.Context(), a)
	must(t, err)
	defer r.Close()
	raw, err := io.ReadAll(r)
	must(t, err)
	if candor.SHA256(raw) != a {
		t.Error("the object is not what its hash says")
	}
	for _, bad := range []string{"../x", "/x", "a//b", "", "C:x", `a\b`} {
		_, _, err := s.SealBundle(t.Context(), []candor.BundleFile{{Name: bad, Data: []byte("x")}})
		wantKind(t, err, candor.Invalid)
	}
	_, _, err = s.SealBundle(t.Context(), []candor.BundleFile{{Name: "gone.png", SHA: candor.SHA256([]byte("never stored"))}})
	wantKind(t, err, candor.NotFound)
}

func TestWhatIsNotTextFindsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		for _, id := range []string{"\x00", "\xff\xfe", "' OR 1=1 --", "?", "%"} {
			_, err := s.Public().Record(t.Context(), id)
			if !candor.IsKind(err, candor.NotFound) && !candor.IsKind(err, candor.Invalid) {
				t.Errorf("record %q: %v", id, err)
			}
			if _, err := s.RequestByLink(t.Context(), id); !candor.IsKind(err, candor.NotFound) && !candor.IsKind(err, candor.Invalid) {
				t.Errorf("link %q: %v", id, err)
			}
			if got, err := s.Public().Search(t.Context(), candor.Query{Text: id}); err != nil || got.Total != 0 {
				t.Errorf("search %q: %+v, %v", id, got, err)
			}
		}
	})
}

func TestASourcesAddressHoldsNoCredentials(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	for _, address := range []string{"https://me:pw@city.example/", "https://me@city.example/", "ftp://city.example/", "city.example"} {
		err := s.AddSource(t.Context(), candor.Source{Kind: candor.SourcePage, URL: address}, "", "tester")
		if !candor.IsKind(err, candor.Invalid) || strings.Contains(err.Error(), "pw") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if all, err := s.Sources(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("kept %v (%v)", all, err)
	}
}
