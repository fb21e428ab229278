package mail_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
	"github.com/candor-archive/candor/portal/mail"
)

func TestEveryNoticeIsWholeInBothLanguages(t *testing.T) {
	leftover := regexp.MustCompile(`\{\{|<no value>|\b(source|mail|month|weekday|time)\.[a-z_0-9.]+`)
	c := mail.Composer{BaseURL: "https://records.example"}
	at := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	n := candor.Notice{To: "ana@larkspur.example", Name: "Ana\r\nBcc: x", Agency: candor.Agency{Name: "City of Larkspur", TimeZone: "America/Chicago"},
		Source: candor.Source{ID: "s1", Name: "Larkspur\nPolice", URL: "https://social.example/lpd", TokenExpires: "2026-11-30"}, At: at,
		Trouble: candor.Trouble{Since: at.Add(-50 * time.Hour), GoodAt: at.Add(-51 * time.Hour), Until: at}}
	for _, lang := range append([]string{""}, i18n.Languages...) {
		for _, kind := range candor.NoticeKinds {
			for _, reason := range candor.GapReasons {
				n.Kind, n.Language, n.Trouble.Reason = kind, lang, reason
				m := c.Notice(n)
				if bad := leftover.FindString(m.Subject + m.Body); bad != "" {
					t.Errorf("%s %s: %q is left over in\n%s\n%s", lang, kind, bad, m.Subject, m.Body)
				}
				if strings.ContainsAny(m.Subject, "\r\n") || strings.Contains(m.Body, "\nBcc") || !strings.Contains(m.Subject, "Larkspur Police") {
					t.Errorf("%s %s: subject %q", lang, kind, m.Subject)
				}
				want := map[candor.NoticeKind]string{candor.NoticeLost: "#token", candor.NoticeExpires: "#token", candor.NoticeFailing: "", candor.NoticeBack: "/coverage"}[kind]
				if !strings.Contains(m.Body, "https://records.example/staff/sources/s1"+want+"\n") {
					t.Errorf("%s %s does not lead to what helps:\n%s", lang, kind, m.Body)
				}
				en, es := strings.Contains(m.Body, "Hello Ana"), strings.Contains(m.Body, "Hola, Ana")
				if en != (lang != "es") || es != (lang != "en") {
					t.Errorf("for %q the mail is in English: %t, in Spanish: %t", lang, en, es)
				}
				if m.Language != lang || m.To != n.To || m.State != "waiting" || m.RequestID != "" {
					t.Errorf("mail %+v", m)
				}
			}
		}
	}
}

func TestTheMailThatItWorksAgainCountsWhatWasMissed(t *testing.T) {
	c := mail.Composer{BaseURL: "https://records.example"}
	at := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	n := candor.Notice{Kind: candor.NoticeBack, Language: "en", At: at, Found: 3, Source: candor.Source{Name: "Police"},
		Trouble: candor.Trouble{Since: at.Add(-50 * time.Hour), GoodAt: at.Add(-51 * time.Hour), Until: at}}
	if body := c.Notice(n).Body; !strings.Contains(body, "2 days 3 hours") || !strings.Contains(body, "3 posts and comments") {
		t.Error(body)
	}
	n.Found, n.Trouble.GoodAt = 0, time.Time{}
	if body := c.Notice(n).Body; !strings.Contains(body, "2 days 2 hours") || !strings.Contains(body, "found no posts") {
		t.Error(body)
	}
	n = candor.Notice{Kind: candor.NoticeExpires, Language: "en", At: at, Source: candor.Source{Name: "Police", TokenExpires: "2026-11-24"}}
	if body := c.Notice(n).Body; !strings.Contains(body, "in 1 day: Tuesday, November 24, 2026") {
		t.Error(body)
	}
	n.Source.TokenExpires = "2026-11-20"
	if body := c.Notice(n).Body; !strings.Contains(body, "was to end") {
		t.Error(body)
	}
}
