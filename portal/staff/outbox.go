package staff

import (
	"net/http"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/view"
)

// OutboxPage lists the mails that went out, or could not.
type OutboxPage struct {
	view.Page
	Mails   []candor.Mail
	Kept    int  // waiting to be handed over by staff: there is no mail server
	Contact bool // the reader may know whom they go to, and read them
}

func (s *Pages) outbox(w http.ResponseWriter, r *http.Request) error {
	if err := need(r, candor.MayReadOutbox); err != nil {
		return err
	}
	p := OutboxPage{Page: page(r, "outbox", "staff.outbox.title")}
	p.Wide = true
	var err error
	if p.Mails, err = s.Store.Outbox(r.Context(), 200); err != nil {
		return err
	}
	p.Contact = candor.Allow(p.Principal, candor.MayViewContact, candor.Target{})
	for i, m := range p.Mails {
		if !p.Contact && m.RequestID != "" {
			// Whether mail goes out is theirs to see, to whom is not.
			p.Mails[i].To, p.Mails[i].Error = "", strings.ReplaceAll(m.Error, m.To, "…")
		}
		if m.State == "kept" {
			p.Kept++
		}
	}
	return view.Render(w, r, http.StatusOK, "staff/outbox", p)
}

// MailPage is one mail.
type MailPage struct {
	view.Page
	Mail candor.Mail
}

// A mail is as good as its requester's contact: it names them, and holds their
// words and, until it is sent, the private link that acts as them. A mail about
// a source goes to staff and holds nothing of the kind.
func (s *Pages) mail(w http.ResponseWriter, r *http.Request) error {
	if err := need(r, candor.MayReadOutbox); err != nil {
		return err
	}
	m, err := s.Store.Mail(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if m.RequestID != "" {
		if err := need(r, candor.MayViewContact); err != nil {
			return err
		}
	}
	return view.Render(w, r, http.StatusOK, "staff/mail", MailPage{Page: page(r, "outbox", "staff.mail.title"), Mail: m})
}

// EvidencePage shows the signed state of the log.
type EvidencePage struct {
	view.Page
	Checkpoint string
}

func (s *Pages) evidence(w http.ResponseWriter, r *http.Request) error {
	if err := need(r, candor.MayViewAudit); err != nil {
		return err
	}
	note, err := s.Store.Checkpoint(r.Context())
	if err != nil {
		return err
	}
	return view.Render(w, r, http.StatusOK, "staff/evidence", EvidencePage{Page: page(r, "evidence", "staff.evidence.title"), Checkpoint: string(note)})
}
