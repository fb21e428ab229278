package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/candor-archive/candor"
)

// Outbox is what delivery needs of storage.
type Outbox interface {
	Agency(ctx context.Context) (candor.Agency, error)
	Mail(ctx context.Context, id string) (candor.Mail, error)
	// SetMailState notes how a delivery went. State "sent" also takes the
	// private link out of the stored text.
	SetMailState(ctx context.Context, id, state, errText string, at time.Time) error
}

// Deliverer delivers the outbox's messages, one job each.
type Deliverer struct {
	Outbox Outbox
	Server *Server // nil: no mail server; messages are kept for staff to read
	Now    func() time.Time
	Log    *slog.Logger
	Tries  int // after so many tries a message counts as failed; 8 when zero
}

// Deliver does one job of the queue. It gives an error only when trying again
// later may help; what can't be delivered is noted with the server's words.
func (d *Deliverer) Deliver(ctx context.Context, job candor.MailJob) error {
	m, err := d.Outbox.Mail(ctx, job.MailID)
	if err != nil {
		return fmt.Errorf("deliver mail %s: %w", job.MailID, err)
	}
	if m.State == "sent" || m.State == "failed" || m.State == "kept" {
		return nil // the job ran before
	}
	if d.Server == nil {
		d.log().Info("mail kept in the outbox: no mail server is set", "mail", m.ID, "template", m.Template)
		return d.Outbox.SetMailState(ctx, m.ID, "kept", "", d.now())
	}
	agency, err := d.Outbox.Agency(ctx)
	if err != nil {
		return fmt.Errorf("deliver mail %s: %w", m.ID, err)
	}
	err = d.Server.send(ctx, agency, m)
	if err == nil {
		return d.Outbox.SetMailState(ctx, m.ID, "sent", "", d.now())
	}
	tries := d.Tries
	if tries == 0 {
		tries = 8
	}
	if permanent(err) || m.Attempts+1 >= tries {
		d.log().Warn("mail could not be delivered", "mail", m.ID, "template", m.Template, "err", err)
		return d.Outbox.SetMailState(ctx, m.ID, "failed", err.Error(), d.now())
	}
	if noteErr := d.Outbox.SetMailState(ctx, m.ID, "waiting", err.Error(), d.now()); noteErr != nil {
		err = errors.Join(err, noteErr)
	}
	return fmt.Errorf("deliver mail %s: %w", m.ID, err)
}

func (d *Deliverer) now() time.Time {
	if d.Now != nil {
		return candor.Moment(d.Now())
	}
	return candor.Moment(time.Now())
}

func (d *Deliverer) log() *slog.Logger {
	if d.Log != nil {
		return d.Log
	}
	return slog.Default()
}

// Server is the agency's mail server.
type Server struct {
	host, user, password string
	port                 int
	tls                  bool // from the first byte
	from                 string
}

// ParseServer reads smtp://user:password@host:port or smtps://… and the
// address that mails come from; an empty from is the agency's own. Without
// TLS from the start, STARTTLS is used when offered, and is required before a
// password is sent anywhere but to this machine.
func ParseServer(rawURL, from string) (*Server, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, candor.Errorf(candor.Invalid, "the mail server's address is not a URL like smtp://user:password@host:587")
	}
	s := &Server{host: u.Hostname(), user: u.User.Username(), from: from}
	s.password, _ = u.User.Password()
	switch u.Scheme {
	case "smtp":
		s.port = 587
	case "smtps":
		s.port, s.tls = 465, true
	default:
		return nil, candor.Errorf(candor.Invalid, "the mail server's address must begin with smtp:// or smtps://")
	}
	if s.host == "" {
		return nil, candor.Errorf(candor.Invalid, "the mail server's address names no host")
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil || s.port < 1 || s.port > 65535 {
			return nil, candor.Errorf(candor.Invalid, "the mail server's port %q is not a port", p)
		}
	}
	return s, nil
}

// send hands one message to the server. Each step is bounded.
func (s *Server) send(ctx context.Context, agency candor.Agency, m candor.Mail) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	msg := gomail.NewMsg()
	from := s.from
	if from == "" {
		from = agency.Email
	}
	if err := msg.FromFormat(agency.Name, from); err != nil {
		return fmt.Errorf("the address mails come from: %w", err)
	}
	if err := msg.To(m.To); err != nil {
		return &undeliverable{err}
	}
	if agency.Email != "" && agency.Email != from {
		if err := msg.ReplyTo(agency.Email); err != nil {
			return fmt.Errorf("the agency's address: %w", err)
		}
	}
	msg.Subject(m.Subject)
	// The same message tried twice has the same id, so that readers can fold it.
	msg.SetMessageIDWithValue(m.ID + "@" + s.domain(from))
	msg.SetDateWithValue(m.CreatedAt)
	msg.SetGenHeader(gomail.Header("Auto-Submitted"), "auto-generated")
	if m.Language != "" { // else it is in several
		msg.SetGenHeader(gomail.Header("Content-Language"), m.Language)
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Body)

	c, err := gomail.NewClient(s.host, s.options()...)
	if err != nil {
		return fmt.Errorf("mail server %s: %w", s.host, err)
	}
	if err := c.DialWithContext(ctx); err != nil {
		return fmt.Errorf("mail server %s: %w", s.host, err)
	}
	err = c.Send(msg)
	_ = c.Close() // the message is taken or not by now; how the server says goodbye changes nothing
	if msg.IsDelivered() {
		return nil
	}
	if err == nil {
		err = errors.New("the server did not take the message")
	}
	return err
}

func (s *Server) options() []gomail.Option {
	opts := []gomail.Option{gomail.WithPort(s.port), gomail.WithTimeout(20 * time.Second), gomail.WithoutNoop()}
	switch {
	case s.tls:
		opts = append(opts, gomail.WithSSL())
	case s.user != "" && !local(s.host):
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	}
	if s.user != "" {
		opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.user), gomail.WithPassword(s.password))
		if local(s.host) && !s.tls {
			opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthPlainNoEnc))
		}
	}
	return opts
}

func (s *Server) domain(from string) string {
	for i := len(from) - 1; i >= 0; i-- {
		if from[i] == '@' {
			return from[i+1:]
		}
	}
	return s.host
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// undeliverable is a message no retry will deliver.
type undeliverable struct{ err error }

func (u *undeliverable) Error() string { return u.err.Error() }
func (u *undeliverable) Unwrap() error { return u.err }

// permanent reports whether the server refused this very message for good.
// Trouble with the connection, sign-in or TLS is ours to mend and is retried.
func permanent(err error) bool {
	var u *undeliverable
	if errors.As(err, &u) {
		return true
	}
	var se *gomail.SendError
	if !errors.As(err, &se) || se.IsTemp() {
		return false
	}
	return se.ErrorCode() >= 500 && se.ErrorCode() < 600
}
