package mail

import (
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
)

// Source is the page where staff look after a source.
func (c *Composer) Source(id string) string { return c.BaseURL + "/staff/sources/" + id }

// Notice writes a notice about a source, in the language of whom it goes to. It
// is in every language when that is not known.
func (c *Composer) Notice(n candor.Notice) candor.Mail {
	languages := []string{n.Language}
	if !i18n.Known(n.Language) {
		languages = i18n.Languages
		n.Language = ""
	}
	zone, err := time.LoadLocation(n.Agency.TimeZone)
	if err != nil {
		zone = time.UTC // times in the mail say their zone
	}
	var subjects, bodies []string
	for _, lang := range languages {
		subject, body := c.notice(n, lang, zone)
		subjects, bodies = append(subjects, subject), append(bodies, body)
	}
	return candor.Mail{
		ID: candor.NewID(), To: n.To, Language: n.Language, Template: "source_" + string(n.Kind),
		Subject: strings.Join(subjects, " / "), Body: strings.Join(bodies, "\n\n* * *\n\n"), State: "waiting", CreatedAt: candor.Moment(n.At),
	}
}

func (c *Composer) notice(n candor.Notice, lang string, zone *time.Location) (subject, body string) {
	t, src := n.Trouble, n.Source
	today := candor.DateOf(n.At, zone)
	v := i18n.Data{
		"Source": oneLine(src.Name), "Address": src.URL, "Person": oneLine(n.Name), "Agency": n.Agency.Name,
		"Since": i18n.DateTime(lang, t.Since, zone), "Until": i18n.DateTime(lang, t.Until, zone), "Good": i18n.DateTime(lang, t.GoodAt, zone),
		"Link": c.Source(src.ID) + "#token", "Page": c.Source(src.ID), "Calendar": c.Source(src.ID) + "/coverage", "Count": n.Found,
	}
	word := func(id string) string { return i18n.T(lang, id, map[string]any(v)) }
	var parts []string
	add := func(id string) { parts = append(parts, strings.TrimSpace(word(id))) }

	if n.Name != "" {
		add("source.mail.hello")
	} else {
		add("source.mail.hello_noname")
	}
	switch n.Kind {
	case candor.NoticeLost, candor.NoticeFailing:
		add("source.mail." + string(n.Kind) + ".body")
		add("source.trouble." + string(t.Reason))
		if t.GoodAt.IsZero() {
			add("source.mail.never")
		} else {
			add("source.mail.since")
		}
		add("source.mail." + string(n.Kind) + ".do")
	case candor.NoticeBack:
		begun := t.GoodAt
		if begun.IsZero() {
			begun = t.Since
		}
		v["From"], v["Length"] = i18n.DateTime(lang, begun, zone), i18n.Lasting(lang, t.Until.Sub(begun))
		add("source.mail.back.body")
		if n.Found > 0 {
			add("source.mail.back.found")
		} else {
			add("source.mail.back.none")
		}
		add("source.mail.back.gap")
	case candor.NoticeExpires:
		days := today.DaysUntil(src.TokenExpires)
		v["Date"] = i18n.Day(lang, src.TokenExpires)
		v["Count"] = max(days, 0)
		if days < 0 {
			add("source.mail.expires.past")
		} else {
			add("source.mail.expires.body")
		}
		add("source.mail.expires.do")
	}
	if n.Kind != candor.NoticeBack {
		add("source.mail.again")
	}
	if n.Owner {
		add("source.mail.owner")
	} else {
		add("source.mail.admin")
	}
	return word("source.mail." + string(n.Kind) + ".subject"), strings.Join(parts, "\n\n") + "\n"
}
