package staff_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/auth"
	"github.com/candor-archive/candor/portal/desk"
	"github.com/candor-archive/candor/portal/exhibit"
	"github.com/candor-archive/candor/portal/i18n"
	"github.com/candor-archive/candor/portal/law"
	"github.com/candor-archive/candor/portal/staff"
	"github.com/candor-archive/candor/portal/view"
	"github.com/candor-archive/candor/storage"
)

const password = "correct horse battery"

// site is the staff side over the real store, with as much around it as the
// portal puts there: who asks, their language, and what an error becomes.
type site struct {
	t        *testing.T
	store    *storage.Store
	desk     *desk.Desk
	handler  http.Handler
	sessions *auth.Sessions
	post     candor.Record
	gone     candor.Record
	request  candor.Request
	log      safeBuffer
	access   func(ctx context.Context, src candor.Source, token string) (candor.Account, error) // a platform that can be asked
}

var status = map[candor.ErrorKind]int{candor.NotFound: 404, candor.Invalid: 400, candor.Conflict: 409, candor.Forbidden: 403}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, setup *auth.Setup) *site {
	t.Helper()
	store, err := storage.Open(t.Context(), storage.Config{Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	s := &site{t: t, store: store}
	s.sessions = auth.NewSessions(auth.Config{Store: store, BaseURL: "http://localhost"})
	s.desk = desk.New(desk.Config{Store: store, Law: law.Load, BaseURL: "http://localhost"})
	pages := staff.New(staff.Config{Store: store, Desk: s.desk, Sessions: s.sessions, Setup: setup, Log: slog.New(slog.NewTextHandler(&s.log, nil)),
		Access: func(ctx context.Context, src candor.Source, token string) (candor.Account, error) {
			return s.access(ctx, src, token)
		},
		Exhibits: exhibit.Minter{Secret: []byte(strings.Repeat("x", 32)), Origin: "http://localhost:2", Now: time.Now}})
	mux := http.NewServeMux()
	for _, route := range pages.Routes() {
		mux.HandleFunc(route.Pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := route.Handler(w, r); err != nil {
				code, ok := status[candor.KindOf(err)]
				if !ok {
					t.Errorf("%s %s: %v", r.Method, r.URL, err)
					code = 500
				}
				http.Error(w, err.Error(), code)
			}
		})
	}
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := view.FrameOf(r.Context())
		if c, err := r.Cookie("lang"); err == nil {
			f.Lang = c.Value
		}
		if a, err := store.Agency(r.Context()); err == nil {
			f.Agency = a
			f.Zone, _ = time.LoadLocation(a.TimeZone)
		}
		f.Principal = s.sessions.Principal(r)
		mux.ServeHTTP(w, r.WithContext(view.WithFrame(r.Context(), f)))
	})
	return s
}

// furnish gives the site an agency, its people and something to work on.
func (s *site) furnish() {
	t, ctx := s.t, s.t.Context()
	must(t, s.store.SaveAgency(ctx, candor.Agency{Name: "City of Larkspur", Short: "LPD", Email: "records@larkspur.example", TimeZone: "America/Chicago", Jurisdiction: "us-tx"}, "test"))
	hash := auth.HashPassword(password)
	for _, role := range candor.Roles {
		must(t, s.store.CreateUser(ctx, candor.User{ID: candor.NewID(), Email: string(role) + "@larkspur.example", Name: "Person " + string(role), Roles: []candor.Role{role}, PasswordHash: hash, Language: "en", CreatedAt: candor.Moment(time.Now())}, "test"))
	}
	src := candor.Source{ID: candor.NewID(), Kind: candor.SourceFacebook, Name: "Larkspur Police", URL: "https://social.example/lpd", Public: true, Every: time.Minute, CreatedAt: candor.Moment(time.Now())}
	must(t, s.store.AddSource(ctx, src, "token", "test"))
	add := func(text string) candor.Change {
		r := candor.Record{ID: candor.NewID(), UID: candor.NewID(), Kind: candor.Post, State: candor.Live, Author: "Larkspur Police", URL: "https://social.example/p"}
		r.ThreadID = r.ID
		return candor.Change{Record: r, Revision: &candor.Revision{Text: text, ContentHash: candor.HashContent(text, nil), How: "listed"}}
	}
	post, gone := add("Road closed on Azalea <script>alert(1)</script>"), add("Road opened")
	must(t, s.store.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Changes: []candor.Change{post, gone}}))
	s.post, s.gone = post.Record, gone.Record
	text := "Road closed on Azalea until Friday"
	del := gone.Record
	del.State = candor.Deleted
	must(t, s.store.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Error: "the platform said no", Changes: []candor.Change{
		{Record: post.Record, Revision: &candor.Revision{Text: text, ContentHash: candor.HashContent(text, nil), How: "listed"}},
		{Record: del, Tombstone: &candor.Tombstone{NotBefore: time.Now(), NotAfter: time.Now(), NoticedAt: time.Now(), How: "asked twice"}}}}))
	rec, err := s.desk.File(ctx, candor.Principal{Kind: candor.Visitor}, desk.FilingInput{Text: "All about <Azalea>", Email: "maria@example.org", Language: "es", AboutID: s.post.ID})
	must(t, err)
	s.request = rec.Request
}

// browser keeps its cookies.
type browser struct {
	s       *site
	cookies map[string]string
}

func (s *site) browser(lang string) *browser { return &browser{s, map[string]string{"lang": lang}} }

func (b *browser) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(form.Encode()))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, v := range b.cookies {
		r.AddCookie(&http.Cookie{Name: k, Value: v})
	}
	w := httptest.NewRecorder()
	b.s.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return w
}

func (b *browser) get(path string) *httptest.ResponseRecorder { return b.do("GET", path, nil) }
func (b *browser) post(path string, pairs ...string) *httptest.ResponseRecorder {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.do("POST", path, form)
}

// as signs a role in, without the cost of a password.
func (s *site) as(role candor.Role, lang string) *browser {
	s.t.Helper()
	b := s.browser(lang)
	u, err := s.store.UserByEmail(s.t.Context(), string(role)+"@larkspur.example")
	must(s.t, err)
	w := httptest.NewRecorder()
	must(s.t, s.sessions.StartStaff(w, httptest.NewRequest("POST", "/staff/sign-in", nil), u))
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c.Value
	}
	return b
}

func (b *browser) walk(t *testing.T, path string, pairs ...string) {
	t.Helper()
	if w := b.post(path, pairs...); w.Code != http.StatusSeeOther {
		t.Fatalf("POST %s: %d %s", path, w.Code, w.Body)
	}
}

// leftover is a message id or a template's fault that reached a page.
var leftover = regexp.MustCompile(`[>" ](staff|auth|desk|law|production|stage|disposition|kind|state|outcome|layout|day|month)\.[a-z_.]+[a-z_]|<no value>|ZgotmplZ|%!`)

func checkPage(t *testing.T, where string, w *httptest.ResponseRecorder) {
	t.Helper()
	body := w.Body.String()
	if bad := leftover.FindString(body); bad != "" {
		t.Errorf("%s: %q is left over", where, bad)
	}
	if strings.Contains(body, "<script") {
		t.Errorf("%s: a script", where)
	}
	if n := strings.Count(body, "<h1"); n != 1 {
		t.Errorf("%s: %d main headings", where, n)
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(`\bid="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		if ids[m[1]] {
			t.Errorf("%s: the id %s stands twice", where, m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`<label[^>]* for="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		if !ids[m[1]] {
			t.Errorf("%s: a label for %s, which is not there", where, m[1])
		}
	}
}

func TestEveryPageSpeaksBothLanguagesAtEveryStage(t *testing.T) {
	s := open(t, nil)
	s.furnish()
	id := "/staff/requests/" + s.request.ID
	look := func(stage string) {
		t.Helper()
		for _, lang := range i18n.Languages {
			for role, paths := range map[candor.Role][]string{
				candor.Officer: {"/staff", "/staff/requests", "/staff/requests?show=all", id, id + "?q=road", "/staff/archive?q=road", "/staff/archive?state=deleted", "/staff/records/" + s.post.ID, "/staff/records/" + s.gone.ID, "/staff/sources", "/staff/outbox", "/staff/evidence"},
				candor.Auditor: {"/staff", id}, candor.Admin: {"/staff", "/staff/people", "/staff/sources", "/staff/outbox"}, candor.Comms: {"/staff"},
			} {
				b := s.as(role, lang)
				for _, path := range paths {
					w := b.get(path)
					if w.Code != 200 {
						t.Fatalf("%s %s %s at %s: %d %s", role, lang, path, stage, w.Code, w.Body)
					}
					checkPage(t, lang+" "+path+" at "+stage, w)
				}
			}
		}
	}
	officer := s.as(candor.Officer, "en")
	look("received")
	officer.walk(t, id+"/accept")
	look("searching")
	officer.walk(t, id+"/message", "body", "Hola")
	officer.walk(t, id+"/note", "note", "internal")
	officer.walk(t, id+"/mark", "record", s.post.ID, "record", s.gone.ID)
	look("reviewing")
	officer.walk(t, id+"/propose", "release_note", "look")
	look("approving")
	for _, lang := range i18n.Languages {
		for _, role := range []candor.Role{candor.Officer, candor.Approver} {
			checkPage(t, lang+" decide", s.as(role, lang).get(id+"/decide"))
		}
	}
	if w := officer.post(id + "/approve"); w.Code != http.StatusForbidden {
		t.Errorf("the preparer approves: %d", w.Code)
	}
	approver := s.as(candor.Approver, "en")
	if w := approver.post(id+"/reject", "reason", ""); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("sent back without a reason: %d", w.Code)
	}
	approver.walk(t, id+"/approve")
	look("approved")
	officer.walk(t, id+"/release")
	look("released")
	checkPage(t, "close", officer.get(id+"/close"))
	if w := officer.post(id+"/close", "disposition", "not_custodian"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("closed without saying which office: %d", w.Code)
	}
	officer.walk(t, id+"/close", "disposition", "released_full")
	look("closed")
	officer.walk(t, id+"/reopen", "reason", "there is more")
	look("reopened")
}

func TestWithoutSigningInThereIsNothing(t *testing.T) {
	s := open(t, nil)
	s.furnish()
	id := "/staff/requests/" + s.request.ID
	b := s.browser("en")
	for _, path := range []string{"/staff", id, "/staff/archive", "/staff/records/" + s.post.ID, "/staff/people", "/staff/outbox", "/staff/evidence"} {
		if w := b.get(path); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/staff/sign-in") {
			t.Errorf("%s: %d to %s", path, w.Code, w.Header().Get("Location"))
		}
	}
	if w := b.post(id + "/accept"); w.Code != http.StatusSeeOther {
		t.Errorf("accept: %d", w.Code)
	}
	if r, err := s.store.Request(t.Context(), s.request.ID); err != nil || r.Stage != candor.Received {
		t.Errorf("the request moved to %s, %v", r.Stage, err)
	}
}

func TestPagesRefuseWhatARoleMayNot(t *testing.T) {
	s := open(t, nil)
	s.furnish()
	id := "/staff/requests/" + s.request.ID
	for role, paths := range map[candor.Role][]string{
		candor.Comms:   {"/staff/requests", id, "/staff/people", "/staff/outbox", "/staff/evidence"},
		candor.Clerk:   {"/staff/people", "/staff/evidence", id + "/close"},
		candor.Admin:   {"/staff/requests", id},
		candor.Auditor: {"/staff/people", "/staff/outbox"},
	} {
		b := s.as(role, "en")
		for _, path := range paths {
			if w := b.get(path); w.Code != http.StatusForbidden {
				t.Errorf("%s gets %s: %d", role, path, w.Code)
			}
		}
		if w := b.post("/staff/people", "name", "X", "email", "x@larkspur.example", "role", "admin", "password", password); role != candor.Admin && w.Code != http.StatusForbidden {
			t.Errorf("%s adds people: %d", role, w.Code)
		}
		if w := b.post("/staff/sources", "kind", "page", "name", "x", "url", "https://x.example", "minutes", "5"); role != candor.Admin && w.Code != http.StatusForbidden {
			t.Errorf("%s adds sources: %d", role, w.Code)
		}
	}
}

func TestMailIsReadOnlyByWhoMayKnowItsRequester(t *testing.T) {
	s := open(t, nil)
	s.furnish()
	mails, err := s.store.Outbox(t.Context(), 10)
	must(t, err)
	if len(mails) != 1 || !strings.Contains(mails[0].Body, "/r/") {
		t.Fatalf("outbox %+v", mails)
	}
	must(t, s.store.SetMailState(t.Context(), mails[0].ID, "failed", "550 maria@example.org is unknown here", time.Now()))
	path := "/staff/outbox/" + mails[0].ID
	if w := s.as(candor.Officer, "en").get(path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "/r/") {
		t.Errorf("officer: %d", w.Code)
	}
	admin := s.as(candor.Admin, "en")
	if w := admin.get(path); w.Code != http.StatusForbidden {
		t.Errorf("admin reads the private link: %d", w.Code)
	}
	list := admin.get("/staff/outbox").Body.String()
	if strings.Contains(list, "maria@") || !strings.Contains(list, "is unknown here") || strings.Contains(list, path) {
		t.Errorf("admin's outbox: %s", list)
	}
}

func TestSigningInAndOut(t *testing.T) {
	s := open(t, nil)
	s.furnish()
	b := s.browser("es")
	checkPage(t, "sign-in", b.get("/staff/sign-in"))
	if w := b.post("/staff/sign-in", "email", "clerk@larkspur.example", "password", "wrong"); w.Code != http.StatusUnprocessableEntity || len(b.cookies) != 1 {
		t.Errorf("wrong password: %d %v", w.Code, b.cookies)
	}
	for next, want := range map[string]string{"/staff/archive?q=x": "/staff/archive?q=x", "//evil.example": "/staff", "https://evil.example/staff": "/staff", `/staff\evil`: "/staff", "/": "/staff"} {
		w := b.post("/staff/sign-in", "email", "clerk@larkspur.example", "password", password, "next", next)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
			t.Errorf("next %q: %d to %q", next, w.Code, w.Header().Get("Location"))
		}
	}
	b.walk(t, "/staff/sign-out")
	if w := b.get("/staff"); w.Code != http.StatusSeeOther {
		t.Errorf("after signing out: %d", w.Code)
	}
}

func TestSetUpMakesAgencyAndAdministratorOnce(t *testing.T) {
	setup, token := auth.NewSetup()
	s := open(t, setup)
	b := s.browser("en")
	checkPage(t, "set-up", b.get("/setup"))
	form := func(token string) []string {
		return []string{"token", token, "agency", "City of Larkspur", "short", "lpd", "email", "records@larkspur.example", "zone", "America/Chicago", "law", "us-tx",
			"person", "Ana", "person_email", "Ana@larkspur.example", "password", password}
	}
	if w := b.post("/setup", form("guess")...); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("wrong code: %d", w.Code)
	}
	if w := b.post("/setup", "token", token); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("empty form: %d", w.Code)
	}
	if _, err := s.store.Agency(t.Context()); !candor.IsKind(err, candor.NotFound) {
		t.Fatal("an agency was made")
	}
	b.walk(t, "/setup", form(token)...)
	if w := b.post("/setup", form(token)...); w.Code != http.StatusNotFound {
		t.Errorf("a second time: %d", w.Code)
	}
	b.walk(t, "/staff/sign-in", "email", "ana@larkspur.example", "password", password)
	if w := b.get("/staff/people"); w.Code != http.StatusOK {
		t.Errorf("the administrator can't manage people: %d", w.Code)
	}
}

func TestAdministratorsManagePeopleAndSources(t *testing.T) {
	s := open(t, nil)
	s.furnish()
	b := s.as(candor.Admin, "en")
	if w := b.post("/staff/people", "name", "X", "email", "clerk@larkspur.example", "role", "clerk", "password", password); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "here already") {
		t.Errorf("the same address twice: %d", w.Code)
	}
	b.walk(t, "/staff/people", "name", "New", "email", "new@larkspur.example", "role", "clerk", "role", "comms", "password", password)
	u, err := s.store.UserByEmail(t.Context(), "new@larkspur.example")
	must(t, err)
	if len(u.Roles) != 2 || !auth.VerifyPassword(password, u.PasswordHash) {
		t.Errorf("user %+v", u)
	}
	clerk := s.as(candor.Clerk, "en")
	old, err := s.store.UserByEmail(t.Context(), "clerk@larkspur.example")
	must(t, err)
	b.walk(t, "/staff/people/"+old.ID+"/disable")
	if w := clerk.get("/staff"); w.Code != http.StatusSeeOther {
		t.Errorf("a disabled person is still in: %d", w.Code)
	}
	me, err := s.store.UserByEmail(t.Context(), "admin@larkspur.example")
	must(t, err)
	if w := b.post("/staff/people/" + me.ID + "/disable"); w.Code != http.StatusConflict {
		t.Errorf("the administrator locked themselves out: %d", w.Code)
	}
	if w := b.post("/staff/sources", "kind", "facebook", "name", "P", "url", "javascript:alert(1)", "minutes", "0"); w.Code != http.StatusUnprocessableEntity || strings.Count(w.Body.String(), "usa-error-message") < 3 {
		t.Errorf("a source that makes no sense: %d", w.Code)
	}
	b.walk(t, "/staff/sources", "kind", "page", "name", "Front page", "url", "https://larkspur.example/", "minutes", "60", "public", "yes")
	list, err := s.store.Sources(t.Context())
	must(t, err)
	for _, src := range list {
		if src.Name != "Front page" {
			continue
		}
		for _, do := range []string{"pause", "resume", "poll"} {
			b.walk(t, "/staff/sources/"+src.ID+"/"+do)
		}
		if !src.Public || src.Every != time.Hour {
			t.Errorf("source %+v", src)
		}
		return
	}
	t.Error("the source is not there")
}
