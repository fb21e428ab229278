package desk

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/mail"
)

type mailData = mail.Data

// freshLinks is how many fresh links one request gets in an hour; more would
// let someone who knows number and address keep its requester out.
const freshLinks = 5

// SendFreshLink mails a new private link to the requester, if number and
// address belong together; the old link stops working. What is found or not
// cannot be told from outside: the answer is the same, after the same time.
// Only trouble on our side (not: nothing found) is an error.
func (d *Desk) SendFreshLink(ctx context.Context, number, address string) error {
	number, err := line("number", number, 40, true)
	if err != nil {
		return err
	}
	address, err = email("email", address, true)
	if err != nil {
		return err
	}
	floor := time.NewTimer(d.floor)
	defer floor.Stop()
	err = d.sendFreshLink(ctx, strings.ToUpper(number), address)
	select {
	case <-floor.C:
	case <-ctx.Done():
	}
	return err
}

func (d *Desk) sendFreshLink(ctx context.Context, number, address string) error {
	r, err := d.store.RequestByNumber(ctx, number)
	if candor.IsKind(err, candor.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if r.Email == "" || subtle.ConstantTimeCompare([]byte(strings.ToLower(r.Email)), []byte(strings.ToLower(address))) != 1 {
		return nil
	}
	key := "link:" + r.ID
	n, err := d.store.SignInFailures(ctx, key, d.now().Add(-time.Hour))
	if err != nil {
		return err
	}
	if n >= freshLinks {
		d.log.Warn("a fresh link was asked for too often", "request", r.ID)
		return nil
	}
	if err := d.store.AddSignInFailure(ctx, key, candor.Moment(d.now())); err != nil {
		return err
	}
	secret := candor.NewSecret()
	_, err = d.act(ctx, candor.Principal{Kind: candor.System}, r, candor.EvNewLink, candor.Target{}, func(t candor.Transition, a *candor.Act) error {
		a.LinkHash = candor.HashSecret(secret)
		a.Mails, err = d.notify(ctx, r, t.Mail, mailData{Secret: secret})
		return err
	})
	return err
}
