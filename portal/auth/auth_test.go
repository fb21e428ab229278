package auth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/auth"
	"github.com/candor-archive/candor/storage"
)

const password = "correct horse battery"

func open(t *testing.T) (*storage.Store, candor.User) {
	t.Helper()
	s, err := storage.Open(t.Context(), storage.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	u := candor.User{ID: candor.NewID(), Email: "ana@larkspur.example", Name: "Ana", Roles: []candor.Role{candor.Clerk}, PasswordHash: auth.HashPassword(password), Language: "en", CreatedAt: candor.Moment(time.Now())}
	if err := s.CreateUser(t.Context(), u, "test"); err != nil {
		t.Fatal(err)
	}
	return s, u
}

func TestPasswords(t *testing.T) {
	hash := auth.HashPassword(password)
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=47104,t=1,p=1$") || hash == auth.HashPassword(password) {
		t.Errorf("hash %s", hash)
	}
	if !auth.VerifyPassword(password, hash) || auth.VerifyPassword(password+" ", hash) {
		t.Error("the password and only the password should match")
	}
	for _, bad := range []string{"", "x", "$argon2id$v=19$m=65536,t=2,p=1$$", "$argon2id$v=19$m=65536,t=0,p=1$AAAA$AAAA", "$argon2i$v=19$m=65536,t=2,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"} {
		if auth.VerifyPassword(password, bad) {
			t.Errorf("%q matches", bad)
		}
	}
	for bad, want := range map[string]string{"short": "auth.password.short", "ana.maria@larkspur.example": "auth.password.email", strings.Repeat("x", 20): "auth.password.same", strings.Repeat("xy", 2000): "auth.password.long"} {
		if err := auth.CheckPassword(bad, "ana.maria@larkspur.example"); err == nil || err.Error() != want {
			t.Errorf("%.20s: %v, want %s", bad, err, want)
		}
	}
	if err := auth.CheckPassword(password, "ana@larkspur.example"); err != nil {
		t.Error(err)
	}
}

func TestSignInSlowsGuessingDown(t *testing.T) {
	s, _ := open(t)
	ctx, now := t.Context(), time.Now()
	if _, err := auth.SignIn(ctx, s, " ANA@larkspur.example ", password, "10.0.0.1", now); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.SignIn(ctx, s, "nobody@larkspur.example", password, "10.0.0.1", now); err != auth.ErrRefused {
		t.Errorf("nobody: %v", err)
	}
	for i := range 8 {
		if _, err := auth.SignIn(ctx, s, "ana@larkspur.example", "wrong wrong wrong", "10.0.0.2", now); err != auth.ErrRefused {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	// The right password does not help now, from there; from elsewhere it does.
	if _, err := auth.SignIn(ctx, s, "ana@larkspur.example", password, "10.0.0.2", now); err != auth.ErrTooMany {
		t.Errorf("after eight wrong ones: %v", err)
	}
	if _, err := auth.SignIn(ctx, s, "ana@larkspur.example", password, "10.0.0.3", now); err != nil {
		t.Errorf("from another computer: %v", err)
	}
	if _, err := auth.SignIn(ctx, s, "ana@larkspur.example", password, "10.0.0.2", now.Add(16*time.Minute)); err != nil {
		t.Errorf("a quarter of an hour later: %v", err)
	}
}

func TestNobodyCanLockSomeoneElseOut(t *testing.T) {
	s, _ := open(t)
	ctx, now := t.Context(), time.Now()
	if _, err := auth.SignIn(ctx, s, "ana@larkspur.example", password, "10.0.0.1", now); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for i := range 10 {
		for range 8 {
			switch _, err := auth.SignIn(ctx, s, "ana@larkspur.example", "wrong wrong wrong", fmt.Sprintf("192.0.2.%d", i), now); err {
			case auth.ErrRefused:
				tried++
			case auth.ErrTooMany:
			default:
				t.Fatal(err)
			}
		}
	}
	if tried > 50 {
		t.Errorf("%d passwords of one account were tried within a quarter of an hour", tried)
	}
	if _, err := auth.SignIn(ctx, s, "ana@larkspur.example", password, "203.0.113.9", now); err != auth.ErrTooMany {
		t.Errorf("a computer she never used: %v", err)
	}
	if _, err := auth.SignIn(ctx, s, "ana@larkspur.example", password, "10.0.0.1", now); err != nil {
		t.Errorf("her own computer: %v", err)
	}
}

func TestColleaguesOnOneNetworkDoNotLockOneAnotherOut(t *testing.T) {
	s, _ := open(t)
	ctx, now := t.Context(), time.Now()
	if _, err := auth.SignIn(ctx, s, "ana@larkspur.example", password, "10.0.0.1", now); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		if _, err := auth.SignIn(ctx, s, fmt.Sprintf("p%d@larkspur.example", i), "wrong wrong wrong", "10.0.0.1", now); err != auth.ErrRefused {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	if _, err := auth.SignIn(ctx, s, "bob@larkspur.example", password, "10.0.0.1", now); err != auth.ErrTooMany {
		t.Errorf("someone never seen there: %v", err)
	}
	if _, err := auth.SignIn(ctx, s, "ana@larkspur.example", password, "10.0.0.1", now); err != nil {
		t.Errorf("someone who works there: %v", err)
	}
}

func TestGuessesSentAtOnceAreCountedOneByOne(t *testing.T) {
	s, _ := open(t)
	var looked atomic.Int64
	var all sync.WaitGroup
	now := time.Now()
	for range 40 {
		all.Go(func() {
			if _, err := auth.SignIn(t.Context(), s, "ana@larkspur.example", "wrong wrong wrong", "10.0.0.2", now); err == auth.ErrRefused {
				looked.Add(1)
			}
		})
	}
	all.Wait()
	if n := looked.Load(); n < 8 || n > 9 { // two are looked at at once
		t.Errorf("%d of 40 passwords were looked at", n)
	}
}

func TestADisabledPersonDoesNotGetIn(t *testing.T) {
	s, u := open(t)
	if err := s.SetUserDisabled(t.Context(), u.ID, true, "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.SignIn(t.Context(), s, u.Email, password, "10.0.0.1", time.Now()); err != auth.ErrRefused {
		t.Errorf("got %v", err)
	}
}

// browser keeps cookies as browsers do.
type browser struct{ cookies map[string]string }

func (b *browser) do(path string, h func(w http.ResponseWriter, r *http.Request)) *http.Response {
	r := httptest.NewRequest("GET", path, nil)
	for k, v := range b.cookies {
		r.AddCookie(&http.Cookie{Name: k, Value: v})
	}
	w := httptest.NewRecorder()
	h(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return w.Result()
}

type desk struct {
	t        *testing.T
	sessions *auth.Sessions
	now      time.Time
}

func (d *desk) start(b *browser, u candor.User) *http.Response {
	return b.do("/staff/sign-in", func(w http.ResponseWriter, r *http.Request) {
		if err := d.sessions.StartStaff(w, r, u); err != nil {
			d.t.Fatal(err)
		}
	})
}

func (d *desk) who(b *browser, path string) (p candor.Principal) {
	b.do(path, func(w http.ResponseWriter, r *http.Request) { p = d.sessions.Principal(r) })
	return p
}

func setup(t *testing.T, base string) (*storage.Store, candor.User, *desk) {
	s, u := open(t)
	d := &desk{t: t, now: time.Now()}
	d.sessions = auth.NewSessions(auth.Config{Store: s, BaseURL: base, Now: func() time.Time { return d.now }})
	return s, u, d
}

func TestStaffSessionsEndWhenTheyShould(t *testing.T) {
	s, u, d := setup(t, "http://localhost")
	b := &browser{map[string]string{}}
	d.start(b, u)
	if p := d.who(b, "/staff"); p.UserID != u.ID || p.Kind != candor.Staff {
		t.Fatalf("principal %+v", p)
	}
	for range 6 { // used every 25 minutes it lives
		d.now = d.now.Add(25 * time.Minute)
		if d.who(b, "/staff").Kind != candor.Staff {
			t.Fatal("a session in use ended")
		}
	}
	d.now = d.now.Add(31 * time.Minute)
	if d.who(b, "/staff").Kind != candor.Visitor {
		t.Error("an idle session lives")
	}
	d.start(b, u)
	for range 40 {
		d.now = d.now.Add(20 * time.Minute)
		d.who(b, "/staff")
	}
	if d.who(b, "/staff").Kind != candor.Visitor {
		t.Error("a session lives longer than twelve hours")
	}
	d.start(b, u)
	if err := s.SetUserDisabled(t.Context(), u.ID, true, "test"); err != nil {
		t.Fatal(err)
	}
	if d.who(b, "/staff").Kind != candor.Visitor {
		t.Error("a disabled person is still in")
	}
}

func TestSignInChangesTheSecretAndSignOutEndsIt(t *testing.T) {
	_, u, d := setup(t, "http://localhost")
	planted := candor.NewSecret()
	b := &browser{map[string]string{"candor-staff": planted}}
	d.start(b, u)
	first := b.cookies["candor-staff"]
	if first == planted || first == "" {
		t.Fatal("a secret put there before is used")
	}
	d.start(b, u)
	if b.cookies["candor-staff"] == first {
		t.Error("signing in again keeps the secret")
	}
	old := &browser{map[string]string{"candor-staff": first}}
	if d.who(old, "/staff").Kind != candor.Visitor {
		t.Error("the session from before signing in again lives")
	}
	stolen := &browser{map[string]string{"candor-staff": b.cookies["candor-staff"]}}
	b.do("/staff/sign-out", func(w http.ResponseWriter, r *http.Request) {
		if err := d.sessions.End(w, r); err != nil {
			t.Fatal(err)
		}
	})
	if len(b.cookies) != 0 || d.who(stolen, "/staff").Kind != candor.Visitor {
		t.Error("signing out leaves the session")
	}
}

func TestARequestersSessionOpensOneRequestForADay(t *testing.T) {
	s, u, d := setup(t, "http://localhost")
	if err := s.SaveAgency(t.Context(), candor.Agency{Name: "L", Short: "LPD", TimeZone: "America/Chicago", Jurisdiction: "us-tx"}, "test"); err != nil {
		t.Fatal(err)
	}
	filed, err := s.FileRequest(t.Context(), candor.Filing{Request: candor.Request{Text: "x", Language: "en"}, Message: candor.Message{Body: "x", Language: "en"}, Event: candor.Event{Kind: candor.EvSubmitted, ActorKind: candor.Requester}, LinkHash: candor.HashSecret("s")})
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{map[string]string{}}
	b.do("/r/x", func(w http.ResponseWriter, r *http.Request) {
		if err := d.sessions.StartRequester(w, r, filed.ID); err != nil {
			t.Fatal(err)
		}
	})
	if p := d.who(b, "/my-request"); p.Kind != candor.Requester || p.RequestID != filed.ID || p.UserID != "" {
		t.Errorf("principal %+v", p)
	}
	if p := d.who(b, "/staff"); p.Kind != candor.Visitor {
		t.Errorf("a requester is %+v on the staff side", p)
	}
	// The same secret under the other cookie's name is not a staff session.
	if p := d.who(&browser{map[string]string{"candor-staff": b.cookies["candor-request"]}}, "/staff"); p.Kind != candor.Visitor {
		t.Errorf("a requester's secret opens the staff side: %+v", p)
	}
	d.start(b, u)
	if d.who(b, "/staff").Kind != candor.Staff || d.who(b, "/my-request").Kind != candor.Requester {
		t.Error("a member of staff should keep both")
	}
	d.now = d.now.Add(25 * time.Hour)
	if d.who(b, "/my-request").Kind != candor.Visitor {
		t.Error("a day is over")
	}
}

func TestCookiesAreGuarded(t *testing.T) {
	store, u, d := setup(t, "https://records.example")
	res := d.start(&browser{map[string]string{}}, u)
	c := res.Cookies()[0]
	if c.Name != "__Host-candor-staff" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie %+v", c)
	}
	if _, err := store.Session(t.Context(), c.Value); err == nil {
		t.Error("the secret itself is in the database")
	}
}

func TestSetUpWorksOnce(t *testing.T) {
	setup, token := auth.NewSetup()
	did := 0
	do := func() error { did++; return nil }
	if err := setup.Use("wrong", do); !candor.IsKind(err, candor.Forbidden) || did != 0 {
		t.Errorf("wrong code: %v", err)
	}
	if err := setup.Use(token, func() error { return candor.Errorf(candor.Unavailable, "disk full") }); err == nil || !setup.Open() {
		t.Error("a set-up that failed should be possible again")
	}
	if err := setup.Use(token, do); err != nil || did != 1 || setup.Open() {
		t.Errorf("right code: %v, %d", err, did)
	}
	if err := setup.Use(token, do); !candor.IsKind(err, candor.NotFound) || did != 1 {
		t.Errorf("again: %v, %d", err, did)
	}
	late, token := auth.NewSetup()
	if late.Close(); late.Open() || late.Use(token, do) == nil || did != 1 {
		t.Error("a set-up that was closed can be used")
	}
	var none *auth.Setup
	none.Close()
	if none.Open() || none.Use(token, do) == nil {
		t.Error("no set-up should be closed")
	}
}
