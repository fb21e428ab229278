package storage

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/internal/pgtest"
)

// clockwork is an archive whose time is set by the test.
type clockwork struct {
	*Store
	t       *testing.T
	mu      sync.Mutex
	now     time.Time
	notices []candor.Notice
}

func onBothClocks(t *testing.T, test func(t *testing.T, s *clockwork)) {
	for engine, database := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "" }, "postgres": pgtest.Start} {
		t.Run(engine, func(t *testing.T) {
			c := &clockwork{t: t, now: time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)}
			c.Store = open(t, Config{Dir: t.TempDir(), Database: database(t), Now: func() time.Time {
				c.mu.Lock()
				defer c.mu.Unlock()
				return c.now
			}})
			c.Notify(func(n candor.Notice) candor.Mail {
				c.notices = append(c.notices, n)
				return candor.Mail{To: n.To, Template: string(n.Kind), Subject: string(n.Kind), Body: "about " + n.Source.Name}
			})
			test(t, c)
		})
	}
}

func (c *clockwork) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// visit applies a visit that ends for a reason, or goes well.
func (c *clockwork) visit(sourceID string, reason candor.GapReason, changes ...candor.Change) {
	c.t.Helper()
	v := candor.Sweep{SourceID: sourceID, At: c.Store.now(), Changes: changes}
	if reason != "" {
		v.Error, v.Gaps = "it stopped short", []candor.CoverageGap{{Reason: reason, Detail: "it stopped short"}}
	}
	must(c.t, c.ApplySweep(c.t.Context(), v))
}

func (c *clockwork) hire(email, language string, disabled bool, roles ...candor.Role) {
	c.t.Helper()
	u := candor.User{ID: candor.NewID(), Email: email, Name: "Person " + email, Language: language, Roles: roles}
	must(c.t, c.CreateUser(c.t.Context(), u, "tester"))
	if disabled {
		must(c.t, c.SetUserDisabled(c.t.Context(), u.ID, true, "tester"))
	}
}

// told lists the notices written so far as kind and whom to, and forgets them.
func (c *clockwork) told() []string {
	var out []string
	for _, n := range c.notices {
		out = append(out, fmt.Sprintf("%s %s", n.Kind, n.To))
	}
	c.notices = nil
	return out
}

func (c *clockwork) wantTold(when string, want ...string) {
	c.t.Helper()
	if got := c.told(); strings.Join(got, ", ") != strings.Join(want, ", ") {
		c.t.Errorf("%s: told %v, want %v", when, got, want)
	}
}

func TestALossIsToldAtOnceThenOnScheduleUntilItIsOver(t *testing.T) {
	onBothClocks(t, func(t *testing.T, s *clockwork) {
		src := source(t, s.Store, true)
		s.hire("ana@larkspur.example", "es", false, candor.Admin)
		s.visit(src.ID, "")
		good := s.Store.now()
		s.pass(time.Minute)
		s.visit(src.ID, candor.GapToken)
		if len(s.notices) != 1 || s.notices[0].Language != "es" || s.notices[0].Owner || s.notices[0].Trouble.GoodAt != good {
			t.Fatalf("notices %+v", s.notices)
		}
		if jobs := waitingMails(t, s.Store); len(jobs) != 1 {
			t.Errorf("%d mails wait to be sent", len(jobs))
		}
		s.wantTold("at once", "lost ana@larkspur.example")
		// Four weeks of a visit every six hours, and a look every hour.
		var days []int
		lost := s.Store.now()
		for hour := 1; hour <= 28*24; hour++ {
			s.pass(time.Hour)
			if hour%6 == 0 {
				s.visit(src.ID, candor.GapToken)
			}
			must(t, s.TellOfSources(t.Context()))
			for range s.told() {
				days = append(days, int(s.Store.now().Sub(lost).Hours())/24)
			}
		}
		if fmt.Sprint(days) != "[1 3 7 14 21 28]" {
			t.Errorf("told again after %v days", days)
		}
		r := candor.Record{ID: candor.NewID(), UID: "late", Kind: candor.Post, PostedAt: lost.Add(time.Hour)}
		old := candor.Record{ID: candor.NewID(), UID: "old", Kind: candor.Post, PostedAt: lost.AddDate(-1, 0, 0)}
		s.visit(src.ID, "", wording(r, "posted meanwhile"), wording(old, "posted long before"))
		if len(s.notices) != 1 || s.notices[0].Found != 1 || s.notices[0].Trouble.Until != s.Store.now() {
			t.Fatalf("notices %+v", s.notices)
		}
		s.wantTold("when it is over", "back ana@larkspur.example")
		s.visit(src.ID, "")
		s.pass(48 * time.Hour)
		must(t, s.TellOfSources(t.Context()))
		s.wantTold("afterwards")
		if list, err := s.Troubles(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("troubles that last: %v, %v", list, err)
		}
		s.pass(time.Minute)
		s.visit(src.ID, candor.GapToken)
		s.wantTold("the next loss", "lost ana@larkspur.example")
	})
}

func TestOtherTroubleIsToldAfterADay(t *testing.T) {
	onBothClocks(t, func(t *testing.T, s *clockwork) {
		src := source(t, s.Store, true)
		s.hire("ana@larkspur.example", "en", false, candor.Admin)
		for range 23 {
			s.visit(src.ID, candor.GapPlatform)
			s.pass(time.Hour)
		}
		must(t, s.TellOfSources(t.Context()))
		s.wantTold("within a day")
		s.visit(src.ID, "")
		s.wantTold("when nobody knew of it")
		s.pass(time.Minute)
		s.visit(src.ID, candor.GapThrottled)
		s.pass(25 * time.Hour)
		s.visit(src.ID, candor.GapPlatform)
		s.wantTold("after a day", "failing ana@larkspur.example")
		s.pass(time.Minute)
		s.visit(src.ID, candor.GapToken)
		s.wantTold("when it turns out to be a loss", "lost ana@larkspur.example")
	})
}

func TestWhoIsTold(t *testing.T) {
	onBothClocks(t, func(t *testing.T, s *clockwork) {
		s.hire("admin@larkspur.example", "en", false, candor.Admin)
		s.hire("second@larkspur.example", "en", false, candor.Operator, candor.Admin)
		s.hire("former@larkspur.example", "en", true, candor.Admin)
		s.hire("owner@larkspur.example", "es", false, candor.Comms)
		for owner, want := range map[string]string{
			"":                        "lost admin@larkspur.example, lost second@larkspur.example",
			" Owner@larkspur.example": "lost owner@larkspur.example",
			"agency@other.example":    "lost agency@other.example",
			"former@larkspur.example": "lost admin@larkspur.example, lost second@larkspur.example",
		} {
			src := candor.Source{ID: candor.NewID(), Kind: candor.SourceFacebook, URL: "https://social.example/x", Owner: owner}
			must(t, s.AddSource(t.Context(), src, "tok", "tester"))
			s.visit(src.ID, candor.GapToken)
			s.wantTold("owner "+owner, want)
		}
	})
}

func TestNobodyIsRemindedOfWhatStaffStopped(t *testing.T) {
	onBothClocks(t, func(t *testing.T, s *clockwork) {
		s.hire("admin@larkspur.example", "en", false, candor.Admin)
		paused, removed := source(t, s.Store, true), source(t, s.Store, true)
		for _, src := range []candor.Source{paused, removed} {
			s.visit(src.ID, candor.GapToken)
		}
		s.told()
		must(t, s.SetSourcePaused(t.Context(), paused.ID, true, "tester"))
		must(t, s.RemoveSource(t.Context(), removed.ID, "tester"))
		s.pass(10 * 24 * time.Hour)
		must(t, s.TellOfSources(t.Context()))
		s.wantTold("while paused or removed")
		must(t, s.SetSourcePaused(t.Context(), paused.ID, false, "tester"))
		must(t, s.TellOfSources(t.Context()))
		s.wantTold("the steps that passed, as one", "lost admin@larkspur.example")
		must(t, s.TellOfSources(t.Context()))
		s.wantTold("again")
	})
}

// A worker on its own knows no portal to link to; the portal tells for it.
func TestWhatAWorkerMeetsThePortalTells(t *testing.T) {
	onBothClocks(t, func(t *testing.T, s *clockwork) {
		s.hire("admin@larkspur.example", "en", false, candor.Admin)
		src := source(t, s.Store, true)
		write := s.notice
		s.Notify(nil)
		s.visit(src.ID, candor.GapToken)
		must(t, s.TellOfSources(t.Context()))
		s.Notify(write)
		must(t, s.TellOfSources(t.Context()))
		must(t, s.TellOfSources(t.Context()))
		s.wantTold("by the portal", "lost admin@larkspur.example")
		s.Notify(nil)
		s.pass(time.Minute)
		s.visit(src.ID, "")
		s.Notify(write)
		must(t, s.TellOfSources(t.Context()))
		must(t, s.TellOfSources(t.Context()))
		s.wantTold("by the portal", "back admin@larkspur.example")
	})
}

func TestTheEndOfATokenIsToldBeforehand(t *testing.T) {
	onBothClocks(t, func(t *testing.T, s *clockwork) {
		ctx := t.Context()
		s.hire("admin@larkspur.example", "en", false, candor.Admin)
		src := source(t, s.Store, true)
		expire := func(d candor.Date) {
			t.Helper()
			x, err := s.Source(ctx, src.ID)
			must(t, err)
			x.TokenExpires = d
			must(t, s.UpdateSource(ctx, x, "tester"))
		}
		today := candor.Date("2026-11-23")
		expire(today.Add(20))
		var days []int
		zone, err := time.LoadLocation("America/Chicago")
		must(t, err)
		for range 25 * 24 {
			must(t, s.TellOfSources(ctx))
			for range s.told() {
				days = append(days, candor.DateOf(s.Store.now(), zone).DaysUntil(today.Add(20)))
			}
			s.pass(time.Hour)
		}
		if fmt.Sprint(days) != "[14 7 1]" {
			t.Errorf("reminded %v days before", days)
		}
		expire(today.Add(30))
		must(t, s.TellOfSources(ctx))
		s.wantTold("of another day", "expires admin@larkspur.example")
		must(t, s.SetSourceToken(ctx, src.ID, "tok-67890", "", candor.Account{}, "tester"))
		s.pass(20 * 24 * time.Hour)
		must(t, s.TellOfSources(ctx))
		s.wantTold("of a token that is replaced")
	})
}

func TestATokenOfAnotherAccountIsNotKept(t *testing.T) {
	onBothClocks(t, func(t *testing.T, s *clockwork) {
		ctx, src := t.Context(), source(t, s.Store, true)
		account := candor.Account{Platform: "facebook", PlatformID: "1", Name: "Larkspur Police"}
		must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Account: &account, State: []byte("where it stopped"), NextAt: s.Store.now().Add(time.Hour)}))
		before := logSize(t, s.Store)
		wantKind(t, s.SetSourceToken(ctx, src.ID, "tok-of-another", "", candor.Account{PlatformID: "2"}, "tester"), candor.Conflict)
		wantKind(t, s.SetSourceToken(ctx, src.ID, "tok-of-nobody", "", candor.Account{}, "tester"), candor.Conflict)
		wantKind(t, s.SetSourceToken(ctx, src.ID, "", "", account, "tester"), candor.Invalid)
		if token, err := s.Token(ctx, src.ID); err != nil || token != "tok-12345" || logSize(t, s.Store) != before {
			t.Fatalf("token %q, %v", token, err)
		}
		s.pass(time.Minute)
		must(t, s.SetSourceToken(ctx, src.ID, "tok-67890", "2027-01-20", account, "user-1"))
		token, err := s.Token(ctx, src.ID)
		must(t, err)
		state, err := s.SourceState(ctx, src.ID)
		must(t, err)
		x, err := s.Source(ctx, src.ID)
		must(t, err)
		if token != "tok-67890" || string(state) != "where it stopped" || x.TokenSetBy != "user-1" || x.TokenSetAt != s.Store.now() ||
			x.TokenExpires != "2027-01-20" || x.NextPollAt.After(s.Store.now()) {
			t.Errorf("token %q, state %q, source %+v", token, state, x)
		}
		entry, err := s.EvidenceEntry(ctx, before)
		must(t, err)
		if entry.Subject != src.ID || strings.Contains(string(entry.Body), "tok-") || !strings.Contains(string(entry.Body), "user-1") {
			t.Errorf("evidence %s", entry.Body)
		}
		website := candor.Source{ID: candor.NewID(), Kind: candor.SourceWebsite, URL: "https://larkspur.example/"}
		must(t, s.AddSource(ctx, website, "", "tester"))
		wantKind(t, s.SetSourceToken(ctx, website.ID, "tok-67890", "", candor.Account{}, "tester"), candor.Invalid)
	})
}

func TestChangesOfASourceAreEvidence(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		x, err := s.Source(ctx, src.ID)
		must(t, err)
		before := logSize(t, s)
		must(t, s.UpdateSource(ctx, x, "tester"))
		if logSize(t, s) != before {
			t.Error("a change of nothing is an entry")
		}
		x.Name, x.Department, x.Language, x.Owner, x.Every = "Police", "Public safety", "es", "Owner@larkspur.example ", 30*time.Second
		must(t, s.UpdateSource(ctx, x, "tester"))
		got, err := s.Source(ctx, src.ID)
		must(t, err)
		if got.Name != "Police" || got.Department != "Public safety" || got.Language != "es" || got.Owner != "owner@larkspur.example" || got.Every != 30*time.Second {
			t.Errorf("source %+v", got)
		}
		entry, err := s.EvidenceEntry(ctx, before)
		must(t, err)
		if body := string(entry.Body); !strings.Contains(body, "Police") || strings.Contains(body, "owner@") || !strings.Contains(body, "another owner") {
			t.Errorf("evidence %s", body)
		}
		x.Name = " "
		wantKind(t, s.UpdateSource(ctx, x, "tester"), candor.Invalid)
		must(t, s.RemoveSource(ctx, src.ID, "tester"))
		x.Name = "Back"
		wantKind(t, s.UpdateSource(ctx, x, "tester"), candor.NotFound)
	})
}

func TestASourceIsTakenOutOfThePublicArchiveAndPutBack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		post, comment := addThread(t, s, src)
		first := capture(t, s, post)
		gone := comment
		gone.SourceID, gone.State = src.ID, candor.Hidden
		must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Changes: []candor.Change{{Record: gone}}}))
		second := capture(t, s, post)
		public := func() (found int, captures map[string]bool) {
			t.Helper()
			r, err := s.Public().Search(ctx, candor.Query{Text: "azalea"})
			must(t, err)
			captures = map[string]bool{}
			for _, id := range []string{first.ID, second.ID} {
				_, err := s.Public().Capture(ctx, id)
				captures[id] = err == nil
			}
			return r.Total, captures
		}
		set := func(to bool) {
			t.Helper()
			x, err := s.Source(ctx, src.ID)
			must(t, err)
			x.Public = to
			must(t, s.UpdateSource(ctx, x, "tester"))
		}
		check := func(when string, found int, shows bool) {
			t.Helper()
			n, captures := public()
			if n != found || captures[first.ID] || captures[second.ID] != shows {
				t.Errorf("%s: %d found, captures %v", when, n, captures)
			}
		}
		check("at first", 1, true)
		set(false)
		check("taken out", 0, false)
		set(true)
		check("put back", 1, true)
		if _, err := s.Public().Record(ctx, comment.ID); err != nil {
			t.Errorf("what was public once: %v", err)
		}
		sound(t, s, dirOf(t, s))
	})
}
