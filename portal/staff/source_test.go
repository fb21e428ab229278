package staff_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
	"github.com/candor-archive/candor/portal/mail"
)

// safeBuffer may be written by many at once.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

const (
	goodToken  = "EAAgood0token0of0the0police0page"
	otherToken = "EAAother0token0of0the0fire0page"
	deadToken  = "EAAdead0token0that0was0withdrawn"
)

// platform answers as one with two pages, and repeats the token in what it
// refuses, as a careless one may.
func platform(_ context.Context, src candor.Source, token string) (candor.Account, error) {
	switch token {
	case "", goodToken:
		return candor.Account{Platform: string(src.Kind), PlatformID: "1", Name: "Larkspur Police Department"}, nil
	case otherToken:
		return candor.Account{Platform: string(src.Kind), PlatformID: "2", Name: "Larkspur Fire"}, nil
	}
	return candor.Account{}, &candor.AccessError{Reason: candor.GapToken, Said: "malformed access token " + token}
}

// police is the source of the site, which has read its account once.
func (s *site) police() candor.Source {
	s.t.Helper()
	s.access = platform
	list, err := s.store.Sources(s.t.Context())
	must(s.t, err)
	for _, src := range list {
		if src.Name == "Larkspur Police" {
			must(s.t, s.store.ApplySweep(s.t.Context(), candor.Sweep{SourceID: src.ID, NextAt: time.Now().Add(time.Hour),
				Account: &candor.Account{Platform: "facebook", PlatformID: "1", Name: "Larkspur Police Department"}}))
			return src
		}
	}
	s.t.Fatal("the site has no source")
	return candor.Source{}
}

func (s *site) source(id string) candor.Source {
	s.t.Helper()
	src, err := s.store.Source(s.t.Context(), id)
	must(s.t, err)
	return src
}

func (s *site) lose(id string, reason candor.GapReason) {
	s.t.Helper()
	must(s.t, s.store.ApplySweep(s.t.Context(), candor.Sweep{SourceID: id, Error: "token (code 190): <b>it ended</b>",
		Gaps: []candor.CoverageGap{{Reason: reason}}}))
}

func TestASourceHasAPageInEveryStateAndLanguage(t *testing.T) {
	s := open(t, nil)
	s.furnish()
	src := s.police()
	website := candor.Source{ID: candor.NewID(), Kind: candor.SourceWebsite, Name: "Website", URL: "https://larkspur.example/"}
	must(t, s.store.AddSource(t.Context(), website, "", "test"))
	open := candor.Source{ID: candor.NewID(), Kind: candor.SourceBluesky, Name: "On Bluesky", URL: "https://bsky.example/lpd"}
	must(t, s.store.AddSource(t.Context(), open, "", "test"))
	look := func(when string) {
		t.Helper()
		for _, lang := range i18n.Languages {
			for _, role := range []candor.Role{candor.Admin, candor.Clerk} {
				b := s.as(role, lang)
				for _, path := range []string{"/staff", "/staff/outbox", "/staff/sources/" + src.ID, "/staff/sources/" + website.ID, "/staff/sources/" + open.ID} {
					w := b.get(path)
					if w.Code != http.StatusOK {
						t.Fatalf("%s %s %s %s: %d %s", when, lang, role, path, w.Code, w.Body)
					}
					checkPage(t, when+" "+lang+" "+path, w)
					if strings.Contains(w.Body.String(), "source.") || strings.Contains(w.Body.String(), "<b>it ended") {
						t.Errorf("%s %s %s: an id or what the platform said as it came", when, lang, path)
					}
				}
			}
		}
	}
	look("sound")
	for _, reason := range candor.GapReasons {
		s.lose(src.ID, reason)
		s.lose(website.ID, reason)
		look(string(reason))
	}
	admin := s.as(candor.Admin, "en")
	if w := admin.get("/staff"); !strings.Contains(w.Body.String(), `<a href="/staff/sources/`+src.ID+`">Larkspur Police</a>`) {
		t.Error("the home page does not lead to the source that is lost")
	}
	must(t, s.store.SetSourcePaused(t.Context(), src.ID, true, "test"))
	look("paused")
	admin.walk(t, "/staff/sources/"+src.ID+"/resume", "back", "source")
	if w := admin.get("/staff/sources/" + candor.NewID()); w.Code != http.StatusNotFound {
		t.Errorf("a source that is not there: %d", w.Code)
	}
	if body := s.as(candor.Clerk, "en").get("/staff/sources/" + src.ID).Body.String(); strings.Contains(body, "<form method=\"post\" action=\"/staff/sources") || !strings.Contains(body, "Person admin") {
		t.Error("a clerk is not told whom to ask, or is offered what is refused")
	}
}

func TestStaffChangeASource(t *testing.T) {
	s := open(t, nil)
	s.furnish()
	src := s.police()
	at := "/staff/sources/" + src.ID
	fields := []string{"name", "Police", "department", "Public safety", "language", "es", "owner", "Ana@larkspur.example", "minutes", "20"}
	for _, role := range []candor.Role{candor.Clerk, candor.Officer, candor.Comms, candor.Auditor} {
		b := s.as(role, "en")
		for _, path := range []string{"", "/test", "/token"} {
			if w := b.post(at+path, fields...); w.Code != http.StatusForbidden {
				t.Errorf("%s posts to %s: %d", role, path, w.Code)
			}
		}
	}
	b := s.as(candor.Operator, "es")
	w := b.post(at, "name", "", "language", "fr", "owner", "nobody", "minutes", "often")
	if w.Code != http.StatusUnprocessableEntity || strings.Count(w.Body.String(), "usa-error-message") != 4 {
		t.Errorf("a form that makes no sense: %d", w.Code)
	}
	checkPage(t, "wrong form", w)
	b.walk(t, at, fields...)
	got := s.source(src.ID)
	if got.Name != "Police" || got.Department != "Public safety" || got.Language != "es" || got.Owner != "ana@larkspur.example" || got.Every != 20*time.Minute || got.Public {
		t.Errorf("source %+v", got)
	}
	if got.URL != src.URL || got.Kind != src.Kind {
		t.Errorf("what cannot be changed was: %+v", got)
	}
	got.Every = 10 * time.Second
	must(t, s.store.UpdateSource(t.Context(), got, "test"))
	b.walk(t, at, "name", "Police", "minutes", "1")
	if got := s.source(src.ID); got.Every != 10*time.Second || got.Owner != "" {
		t.Errorf("10 seconds, shown as 1 minute and left alone, became %s; owner %q", got.Every, got.Owner)
	}
}

func TestATokenIsTestedBeforeItIsKept(t *testing.T) {
	s := open(t, nil)
	s.furnish()
	src := s.police()
	at := "/staff/sources/" + src.ID
	b := s.as(candor.Admin, "en")
	kept := func() string {
		t.Helper()
		token, err := s.store.Token(t.Context(), src.ID)
		must(t, err)
		return token
	}
	if w := b.post(at + "/test"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "The token reads Larkspur Police Department") {
		t.Errorf("test: %d %s", w.Code, w.Body)
	}
	for _, c := range []struct{ token, expires, want string }{
		{deadToken, "", "does not accept this token"},
		{otherToken, "", "reads another account: Larkspur Fire"},
		{"", "", "Paste the new access token"},
		{goodToken, "2020-01-01", "not a day in the future"},
		{goodToken, "soon", "not a day in the future"},
		{strings.Repeat("x", 5000), "", "too long"},
	} {
		w := b.post(at+"/token", "token", c.token, "expires", c.expires)
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("token %.20q, end %q: %d, want %q", c.token, c.expires, w.Code, c.want)
		}
		checkPage(t, c.want, w)
		if kept() != "token" {
			t.Fatalf("%.20q is kept", kept())
		}
	}
	day := string(candor.DateOf(time.Now(), time.UTC).Add(60))
	b.walk(t, at+"/token", "token", " "+goodToken+"\n", "expires", day)
	got := s.source(src.ID)
	if kept() != goodToken || string(got.TokenExpires) != day || got.NextPollAt.After(time.Now()) {
		t.Errorf("token %q, source %+v", kept(), got)
	}
	if body := b.get(at).Body.String(); !strings.Contains(body, "by Person admin") || !strings.Contains(body, "The new token reads Larkspur Police Department") {
		t.Error("the page does not say who set the token, or that it was")
	}
	later := string(candor.DateOf(time.Now(), time.UTC).Add(90))
	b.walk(t, at+"/token", "token", "", "expires", later)
	if got := s.source(src.ID); string(got.TokenExpires) != later || kept() != goodToken {
		t.Errorf("another end: %+v", got)
	}
	count := func() int {
		t.Helper()
		list, err := s.store.Sources(t.Context())
		must(t, err)
		return len(list)
	}
	before := count()
	add := []string{"kind", "facebook", "name", "Again", "url", "https://social.example/again", "minutes", "15", "owner", "ana@larkspur.example", "token"}
	if w := b.post("/staff/sources", append(add, deadToken)...); w.Code != http.StatusUnprocessableEntity || count() != before {
		t.Errorf("a source with a dead token: %d", w.Code)
	}
	b.walk(t, "/staff/sources", append(add, goodToken)...)
	if count() != before+1 {
		t.Error("a source with a good token was not added")
	}
}

func TestAPlatformThatDoesNotAnswerIsNotWaitedFor(t *testing.T) {
	s := open(t, nil)
	s.furnish()
	src := s.police()
	at := "/staff/sources/" + src.ID + "/test"
	inside, out := make(chan struct{}), make(chan struct{})
	s.access = func(ctx context.Context, src candor.Source, token string) (candor.Account, error) {
		if until, ok := ctx.Deadline(); !ok || time.Until(until) > 10*time.Second {
			t.Errorf("asked without a limit of ten seconds: %v", until)
		}
		close(inside)
		<-out
		return platform(ctx, src, token)
	}
	b, done := s.as(candor.Admin, "en"), make(chan struct{})
	other, second := s.as(candor.Operator, "en"), s.as(candor.Admin, "en")
	go func() {
		defer close(done)
		b.post(at)
	}()
	<-inside
	if w := second.post(at); !strings.Contains(w.Body.String(), "still running") {
		t.Errorf("a second test of the same person: %d %s", w.Code, w.Body)
	}
	s.access = platform
	if w := other.post(at); !strings.Contains(w.Body.String(), "This works") {
		t.Errorf("the test of somebody else: %d", w.Code)
	}
	close(out)
	<-done
	if w := second.post(at); !strings.Contains(w.Body.String(), "This works") {
		t.Errorf("the next test: %d", w.Code)
	}
}

// Whatever is done with tokens, they stand in no page, mail, log or entry.
func TestATokenIsNeverShown(t *testing.T) {
	s := open(t, nil)
	s.furnish()
	src := s.police()
	s.store.Notify((&mail.Composer{BaseURL: "http://localhost"}).Notice)
	b, at := s.as(candor.Admin, "en"), "/staff/sources/"+src.ID
	var seen strings.Builder
	note := func(body string) { seen.WriteString(body + "\n") }
	for _, token := range []string{deadToken, otherToken, goodToken} {
		note(b.post(at+"/token", "token", token, "expires", "2020-01-01").Body.String())
		note(b.post(at+"/token", "token", token).Body.String())
		note(b.post("/staff/sources", "kind", "facebook", "name", "Again", "url", "https://social.example/again", "minutes", "15", "token", token).Body.String())
	}
	note(b.post(at + "/test").Body.String())
	s.lose(src.ID, candor.GapToken)
	for _, path := range []string{"/staff", "/staff/sources", at, "/staff/outbox", "/staff/evidence"} {
		note(b.get(path).Body.String())
	}
	mails, err := s.store.Outbox(t.Context(), 100)
	must(t, err)
	told := 0
	for _, m := range mails {
		note(m.Subject + m.Body)
		if m.Template == "source_lost" {
			told++
			if w := b.get("/staff/outbox/" + m.ID); w.Code != http.StatusOK || !strings.Contains(m.Body, "http://localhost"+at+"#token") {
				t.Errorf("the mail about the source: %d %s", w.Code, m.Body)
			}
		}
	}
	if told != 1 {
		t.Errorf("%d mails tell of the loss, want 1", told)
	}
	for n := int64(0); ; n++ {
		e, err := s.store.EvidenceEntry(t.Context(), n)
		if candor.IsKind(err, candor.NotFound) {
			break
		}
		must(t, err)
		note(string(e.Body))
	}
	note(s.log.String())
	for _, token := range []string{deadToken, otherToken, goodToken} {
		if strings.Contains(seen.String(), token) {
			t.Errorf("%s is shown somewhere", token)
		}
	}
}
