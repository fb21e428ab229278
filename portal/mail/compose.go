// Package mail writes to requesters, and to staff about sources: it composes
// each message from the catalogues in the reader's own language, and delivers
// what waits in the outbox. Nothing is ever attached; what is released is
// fetched from the portal, where rights are checked each time.
package mail

import (
	"net/url"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
)

// Templates are the messages there are, as candor.Transitions names them.
var Templates = []string{"received", "accepted", "message", "cannot_produce", "released", "closed", "withdrawn", "reopened", "new_link"}

// Composer makes messages. It is safe for use by many at once.
type Composer struct {
	BaseURL string // of the portal, without a slash at the end
}

// Data is what a message speaks about. Fields a template does not need stay
// empty.
type Data struct {
	Agency  candor.Agency
	Request candor.Request
	Secret  string      // of the private link: received and new_link only
	Due     candor.Date // of the main clock
	Text    string      // a person's words: a message, a reason, the request itself
	Date    candor.Date // the day named in a cannot_produce notice
	Hour    string      // and its hour
	Count   int         // of released files
	Zone    *time.Location
}

// Link is the address that opens one request. Whoever has it is the requester.
func (c *Composer) Link(secret string) string { return c.BaseURL + "/r/" + secret }

// Track is the page where a requester asks for a fresh link.
func (c *Composer) Track(number string) string {
	return c.BaseURL + "/track?number=" + url.QueryEscape(number)
}

// Compose makes a message for the outbox, waiting to be delivered. A template
// that does not exist is Invalid.
func (c *Composer) Compose(template string, d Data, now time.Time) (candor.Mail, error) {
	id := "mail." + template
	lang := d.Request.Language
	if !i18n.Known(lang) {
		lang = i18n.Languages[0]
	}
	if !i18n.Has(id + ".subject") {
		return candor.Mail{}, candor.Errorf(candor.Invalid, "there is no mail template %q", template)
	}
	v := i18n.Data{
		"Number": d.Request.Number, "Name": oneLine(d.Request.Name), "Agency": d.Agency.Name, "Email": d.Agency.Email, "Phone": d.Agency.Phone,
		"Received": i18n.DateTime(lang, d.Request.ReceivedAt, d.Zone), "Track": c.Track(d.Request.Number), "Hour": d.Hour, "Count": d.Count,
	}
	if d.Date != "" {
		v["Date"] = i18n.Day(lang, d.Date)
	}
	if d.Due != "" {
		v["Due"] = i18n.Day(lang, d.Due)
	}
	if d.Secret != "" {
		v["Link"] = c.Link(d.Secret)
	}
	if d.Request.Disposition != "" {
		v["Disposition"] = i18n.T(lang, "disposition."+string(d.Request.Disposition))
	}
	t := func(id string) string { return i18n.T(lang, id, map[string]any(v)) }

	var b strings.Builder
	add := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(strings.TrimRight(p, "\n") + "\n\n")
		}
	}
	if d.Request.Name != "" {
		add(t("mail.hello"))
	} else {
		add(t("mail.hello_noname"))
	}
	add(t(id + ".body"))
	if d.Due != "" && i18n.Has(id+".due") {
		add(t(id + ".due"))
	}
	if d.Text != "" {
		if i18n.Has(id + ".copy") {
			add(t(id + ".copy"))
		}
		if i18n.Has(id + ".reason") {
			add(t(id + ".reason"))
		}
		add(quote(d.Text))
	}
	if i18n.Has(id + ".can") {
		add(t(id + ".can"))
	}
	if d.Secret == "" {
		add(t("mail.track"))
	}
	if d.Agency.Phone != "" {
		add(t("mail.contact_phone"))
	} else if d.Agency.Email != "" {
		add(t("mail.contact"))
	}
	b.WriteString(t("mail.footer") + "\n")
	return candor.Mail{
		ID: candor.NewID(), RequestID: d.Request.ID, To: d.Request.Email, Language: lang, Template: template,
		Subject: t(id + ".subject"), Body: b.String(), State: "waiting", CreatedAt: candor.Moment(now),
	}, nil
}

// quote sets a person's words apart, so that they can't pass for ours.
func quote(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\r\n", "\n")
	return "> " + strings.ReplaceAll(s, "\n", "\n> ")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
