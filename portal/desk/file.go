package desk

import (
	"context"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
	"github.com/candor-archive/candor/portal/mail"
)

// receipts is how many receipts one address is mailed in an hour. Nobody has
// shown yet that the address is theirs, and the mail holds their words: more
// would let anyone fill a stranger's mailbox in the agency's name. The request
// itself is filed all the same.
const receipts = 10

// File files a request. Anyone may; nothing but the words is needed.
func (d *Desk) File(ctx context.Context, p candor.Principal, in FilingInput) (Receipt, error) {
	if !candor.Allow(p, candor.MayCreateRequest, candor.Target{}) {
		return Receipt{}, refuse(candor.MayCreateRequest)
	}
	r, err := filing(in)
	if err != nil {
		return Receipt{}, err
	}
	agency, err := d.store.Agency(ctx)
	if err != nil {
		return Receipt{}, err
	}
	profile, err := d.law(agency.Jurisdiction)
	if err != nil {
		return Receipt{}, err
	}
	cal, err := calendar(agency, profile)
	if err != nil {
		return Receipt{}, err
	}
	if r.AboutID != "" {
		// A requester points at what they saw: something public, or nothing.
		view, err := d.store.Record(ctx, r.AboutID)
		switch {
		case candor.IsKind(err, candor.NotFound) || err == nil && view.Record.Visibility != candor.Public:
			r.AboutID = ""
		case err != nil:
			return Receipt{}, err
		}
	}
	now := candor.Moment(d.now())
	secret := candor.NewSecret()
	r.ID, r.Stage, r.Law, r.Channel = candor.NewID(), candor.Received, profile.Version(), "portal"
	r.ReceivedAt, r.UpdatedAt = now, now
	event := candor.Event{ID: candor.NewID(), RequestID: r.ID, N: 1, Kind: candor.EvSubmitted, At: now, ActorKind: candor.Requester, Law: r.Law}
	var due candor.Date
	if c := mainClock(candor.Clocks(profile, cal, []candor.Event{event}, candor.DateOf(now, cal.Zone))); c != nil {
		due = c.Due
	}
	// Composed once beforehand, so that a mail that can't be written is an error
	// now and not in the middle of the store's transaction.
	compose := func(number string) (candor.Mail, error) {
		numbered := r
		numbered.Number = number
		return d.mail.Compose("received", mail.Data{Agency: agency, Request: numbered, Secret: secret, Due: due, Text: r.Text, Zone: cal.Zone}, now)
	}
	if _, err := compose(""); err != nil {
		return Receipt{}, err
	}
	mailed, err := d.mayMail(ctx, r.Email, now)
	if err != nil {
		return Receipt{}, err
	}
	filed, err := d.store.FileRequest(ctx, candor.Filing{
		Request: r,
		Message: candor.Message{ID: candor.NewID(), RequestID: r.ID, Author: r.Name, Body: r.Text, Language: r.Language, At: now},
		Event:   event,
		Mails: func(number string) []candor.Mail {
			if !mailed {
				return nil
			}
			m, err := compose(number)
			if err != nil {
				d.log.Error("the receipt could not be written", "request", r.ID, "err", err) // it could a moment ago
				return nil
			}
			return []candor.Mail{m}
		},
		LinkHash: candor.HashSecret(secret),
	})
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{Request: filed, Secret: secret, Due: due, Mailed: mailed}, nil
}

// mayMail counts a receipt to an address and reports whether it may be sent.
func (d *Desk) mayMail(ctx context.Context, address string, now time.Time) (bool, error) {
	if address == "" {
		return false, nil
	}
	key := "receipt:" + candor.SHA256([]byte(strings.ToLower(address)))
	n, err := d.store.SignInFailures(ctx, key, now.Add(-time.Hour))
	if err != nil {
		return false, err
	}
	if n >= receipts {
		d.log.Warn("a receipt was not mailed: its address got many within the hour")
		return false, nil
	}
	return true, d.store.AddSignInFailure(ctx, key, now)
}

func filing(in FilingInput) (r candor.Request, err error) {
	if r.Text, err = text("text", in.Text, MaxText, true); err != nil {
		return r, err
	}
	if r.Name, err = line("name", in.Name, MaxName, false); err != nil {
		return r, err
	}
	if r.Email, err = email("email", in.Email, false); err != nil {
		return r, err
	}
	if r.Phone, err = line("phone", in.Phone, MaxPhone, false); err != nil {
		return r, err
	}
	if r.Postal, err = text("postal", in.Postal, MaxPostal, false); err != nil {
		return r, err
	}
	if r.AboutID, err = line("about", in.AboutID, 64, false); err != nil {
		return r, err
	}
	r.Language = in.Language
	if !i18n.Known(r.Language) {
		r.Language = i18n.Languages[0]
	}
	return r, nil
}
