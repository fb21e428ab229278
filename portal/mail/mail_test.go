package mail_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/jhillyerd/enmime/v2"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
	"github.com/candor-archive/candor/portal/mail"
)

// carriesSecret says which mails hold a private link; no other may.
func carriesSecret(template string) bool { return template == "received" || template == "new_link" }

func TestEveryMailIsWholeInBothLanguages(t *testing.T) {
	leftover := regexp.MustCompile(`\{\{|<no value>|\b(mail|disposition|month|weekday|time)\.[a-z_0-9.]+`)
	for _, lang := range i18n.Languages {
		for _, template := range mail.Templates {
			c := mail.Composer{BaseURL: "https://records.example"}
			d := mail.Data{Agency: candor.Agency{Name: "City of Larkspur", Email: "records@larkspur.example", Phone: "555-0100"},
				Request: candor.Request{ID: "r1", Number: "LPD-2026-000007", Language: lang, Name: "María\r\nBcc: x", Email: "maria@example.org",
					Disposition: candor.NoRecords, ReceivedAt: time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)},
				Text: "Their words\n{{.Link}}", Due: "2026-12-08", Date: "2026-12-10", Hour: "17:00", Count: 2}
			if carriesSecret(template) {
				d.Secret = "s3cret"
			}
			m, err := c.Compose(template, d, time.Now())
			if err != nil {
				t.Fatalf("%s %s: %v", lang, template, err)
			}
			body := strings.ReplaceAll(m.Body, "> {{.Link}}", "")
			if bad := leftover.FindString(m.Subject + body); bad != "" {
				t.Errorf("%s %s: %q is left over in\n%s\n%s", lang, template, bad, m.Subject, m.Body)
			}
			if !strings.Contains(m.Subject, "LPD-2026-000007") || strings.ContainsAny(m.Subject, "\r\n") {
				t.Errorf("%s %s: subject %q", lang, template, m.Subject)
			}
			if strings.Contains(m.Body, "/r/s3cret") != carriesSecret(template) {
				t.Errorf("%s %s: private link in body: %v", lang, template, !carriesSecret(template))
			}
			if !carriesSecret(template) && !strings.Contains(m.Body, "https://records.example/track?number=LPD-2026-000007") {
				t.Errorf("%s %s does not say how to get to the request", lang, template)
			}
			if m.Language != lang || m.To != "maria@example.org" || m.State != "waiting" || m.Template != template {
				t.Errorf("mail %+v", m)
			}
		}
	}
}

func TestEveryTransitionsMailExists(t *testing.T) {
	for _, step := range candor.Transitions {
		if step.Mail != "" && !slices.Contains(mail.Templates, step.Mail) {
			t.Errorf("%s asks for the mail %s, which there is not", step.Event, step.Mail)
		}
	}
	if _, err := (&mail.Composer{}).Compose("nonsense", mail.Data{}, time.Now()); !candor.IsKind(err, candor.Invalid) {
		t.Errorf("got %v", err)
	}
}

// outbox is storage's part of delivery, in memory.
type outbox struct {
	mu   sync.Mutex
	mail candor.Mail
}

func (o *outbox) Agency(context.Context) (candor.Agency, error) {
	return candor.Agency{Name: "Ciudad de Larkspur", Email: "records@larkspur.example"}, nil
}

func (o *outbox) Mail(context.Context, string) (candor.Mail, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mail, nil
}

func (o *outbox) SetMailState(_ context.Context, _, state, errText string, _ time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mail.State, o.mail.Error = state, errText
	o.mail.Attempts++
	return nil
}

// server is a real SMTP server on loopback.
type server struct {
	mu     sync.Mutex
	got    [][]byte
	refuse error // to RCPT
}

func (s *server) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{s}, nil }

type session struct{ s *server }

func (x *session) Reset()                               {}
func (x *session) Logout() error                        { return nil }
func (x *session) Mail(string, *smtp.MailOptions) error { return nil }
func (x *session) Rcpt(string, *smtp.RcptOptions) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	return x.s.refuse
}
func (x *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.got = append(x.s.got, b)
	return err
}

func start(t *testing.T, refuse error) (*server, string) {
	t.Helper()
	s := &server{refuse: refuse}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := smtp.NewServer(s)
	srv.Domain = "localhost"
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-done; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return s, "smtp://" + l.Addr().String()
}

func waiting() *outbox {
	return &outbox{mail: candor.Mail{ID: "m1", To: "maria@example.org", Language: "es", Template: "received", State: "waiting",
		Subject: "Recibimos su solicitud LPD-2026-000001", Body: "Hola, María:\n\nhttps://records.example/r/abc\n.\nfin\n", CreatedAt: time.Now()}}
}

func deliverer(t *testing.T, o *outbox, url string) *mail.Deliverer {
	t.Helper()
	d := &mail.Deliverer{Outbox: o}
	if url != "" {
		srv, err := mail.ParseServer(url, "")
		if err != nil {
			t.Fatal(err)
		}
		d.Server = srv
	}
	return d
}

func TestAMailArrivesAsItWasWritten(t *testing.T) {
	s, url := start(t, nil)
	o := waiting()
	d := deliverer(t, o, url)
	for range 2 { // a job may run twice
		if err := d.Deliver(t.Context(), candor.MailJob{MailID: "m1"}); err != nil {
			t.Fatal(err)
		}
	}
	if o.mail.State != "sent" || len(s.got) != 1 {
		t.Fatalf("state %s, %d mails arrived", o.mail.State, len(s.got))
	}
	e, err := enmime.ReadEnvelope(bytes.NewReader(s.got[0]))
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Errors) > 0 {
		t.Errorf("the mail is not well formed: %v", e.Errors)
	}
	if got := strings.ReplaceAll(e.Text, "\r\n", "\n"); strings.TrimSpace(got) != strings.TrimSpace(o.mail.Body) {
		t.Errorf("text %q, want %q", got, o.mail.Body)
	}
	for header, want := range map[string]string{"Subject": o.mail.Subject, "To": "<maria@example.org>", "From": `"Ciudad de Larkspur" <records@larkspur.example>`,
		"Auto-Submitted": "auto-generated", "Content-Language": "es", "Message-Id": "<m1@larkspur.example>"} {
		if got := e.GetHeader(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
	if len(e.Attachments)+len(e.Inlines) > 0 {
		t.Error("something is attached")
	}
}

func TestWithoutAServerAMailIsKept(t *testing.T) {
	o := waiting()
	if err := deliverer(t, o, "").Deliver(t.Context(), candor.MailJob{MailID: "m1"}); err != nil {
		t.Fatal(err)
	}
	if o.mail.State != "kept" {
		t.Errorf("state %s", o.mail.State)
	}
}

func TestARefusalForGoodIsNotedWithTheServersWords(t *testing.T) {
	_, url := start(t, &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox here"})
	o := waiting()
	if err := deliverer(t, o, url).Deliver(t.Context(), candor.MailJob{MailID: "m1"}); err != nil {
		t.Fatal(err)
	}
	if o.mail.State != "failed" || !strings.Contains(o.mail.Error, "no such mailbox here") {
		t.Errorf("state %s, error %q", o.mail.State, o.mail.Error)
	}
}

func TestPassingTroubleIsTriedAgainUntilItIsEnough(t *testing.T) {
	_, url := start(t, &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "come back later"})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "smtp://" + l.Addr().String()
	l.Close()
	for name, url := range map[string]string{"greylisted": url, "nobody there": nobody} {
		t.Run(name, func(t *testing.T) {
			o := waiting()
			d := deliverer(t, o, url)
			d.Tries = 3
			for try := 1; try <= 2; try++ {
				if err := d.Deliver(t.Context(), candor.MailJob{MailID: "m1"}); err == nil {
					t.Fatalf("try %d asks for no other", try)
				}
				if o.mail.State != "waiting" || o.mail.Error == "" {
					t.Fatalf("state %s, error %q", o.mail.State, o.mail.Error)
				}
			}
			if err := d.Deliver(t.Context(), candor.MailJob{MailID: "m1"}); err != nil || o.mail.State != "failed" {
				t.Errorf("after the last try: state %s, %v", o.mail.State, err)
			}
		})
	}
}

func TestAServersAddressThatMakesNoSenseIsRefusedWithoutItsPassword(t *testing.T) {
	for _, bad := range []string{"http://mail.example", "mail.example:25", "smtp://", "smtp://host:99999"} {
		if _, err := mail.ParseServer(bad, ""); !candor.IsKind(err, candor.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	secret := "smtp://user:hunter2%zz@mail.example"
	if _, err := mail.ParseServer(secret, ""); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows the password: %v", err)
	}
}
