// Package auth says who is asking: it checks passwords (argon2id), slows
// guessing down, and keeps sessions of staff and of requesters who opened their
// private link. What someone may do once they are known is candor.Allow's to
// say, not this package's.
package auth

import (
	"context"
	"strings"
	"time"

	"github.com/candor-archive/candor"
)

// Store is what signing in needs of storage.
type Store interface {
	User(ctx context.Context, id string) (candor.User, error)
	UserByEmail(ctx context.Context, email string) (candor.User, error)
	NoteSignIn(ctx context.Context, userID string, at time.Time) error
	AddSignInFailure(ctx context.Context, key string, at time.Time) error
	SignInFailures(ctx context.Context, key string, since time.Time) (int, error)

	SaveSession(ctx context.Context, s candor.Session) error
	Session(ctx context.Context, hash string) (candor.Session, error)
	DeleteSession(ctx context.Context, hash string) error
}

// How much guessing is let through before sign-in pauses. What others guess must
// not keep the person themselves out: a computer they signed in from of late has
// a count for them alone, and only where they are not known do they share one
// with everybody who tries their address, or who tries from the same place.
const (
	window      = 15 * time.Minute
	perPair     = 8  // wrong passwords for one address from one computer
	perComputer = 30 // wrong passwords from one computer, for who is not known there
	perAccount  = 50 // wrong passwords for one address, where it is not known

	knownFor = 30 * 24 * time.Hour // how long a computer someone signed in from stays known
)

// checking bounds how many sign-ins are looked at at once, from the counting to
// the noting of the result: many sent at the same moment must not all be
// counted as the first.
var checking = make(chan struct{}, 2)

// patience is how long a sign-in waits for its turn.
const patience = 10 * time.Second

// ErrRefused is a wrong address or password; which one is not said.
var ErrRefused = candor.Errorf(candor.Forbidden, "auth.refused")

// ErrTooMany is too many wrong passwords of late; waiting helps.
var ErrTooMany = candor.Errorf(candor.Unavailable, "auth.too_many")

// SignIn checks an address and password and gives the user. From is the
// computer that asks, for counting. A throttled sign-in does not look at the
// password at all, so that guessing goes no faster for it.
func SignIn(ctx context.Context, store Store, email, password, from string, now time.Time) (candor.User, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if len(email) > 254 {
		return candor.User{}, ErrRefused
	}
	g := guesses(email, from)
	// Once before waiting, so that whoever is paused takes up no turn, and once
	// when it is this one's turn.
	if err := g.paused(ctx, store, now); err != nil {
		return candor.User{}, err
	}
	turn := time.NewTimer(patience)
	defer turn.Stop()
	select {
	case checking <- struct{}{}:
		defer func() { <-checking }()
	case <-turn.C:
		return candor.User{}, ErrTooMany
	case <-ctx.Done():
		return candor.User{}, ctx.Err()
	}
	if err := g.paused(ctx, store, now); err != nil {
		return candor.User{}, err
	}
	// Whoever hangs up early is counted all the same.
	ctx = context.WithoutCancel(ctx)
	u, err := store.UserByEmail(ctx, email)
	if candor.IsKind(err, candor.NotFound) {
		VerifyPassword(password, dummy())
		return candor.User{}, g.failed(ctx, store, now)
	}
	if err != nil {
		return candor.User{}, err
	}
	if ok := VerifyPassword(password, u.PasswordHash); !ok || u.Disabled {
		return candor.User{}, g.failed(ctx, store, now)
	}
	if err := store.AddSignInFailure(ctx, g.known, candor.Moment(now)); err != nil {
		return candor.User{}, err
	}
	if err := store.NoteSignIn(ctx, u.ID, candor.Moment(now)); err != nil {
		return candor.User{}, err
	}
	return u, nil
}

// guess is what one try to sign in is counted under.
type guess struct{ pair, computer, account, known string }

func guesses(email, from string) guess {
	account := candor.SHA256([]byte(email))
	pair := candor.SHA256([]byte(email + "\n" + from))
	return guess{pair: "pair:" + pair, computer: "from:" + from, account: "account:" + account, known: "known:" + pair}
}

// paused gives ErrTooMany when there were too many wrong passwords of late.
func (g guess) paused(ctx context.Context, store Store, now time.Time) error {
	for _, k := range []struct {
		key string
		max int
	}{{g.pair, perPair}, {g.computer, perComputer}, {g.account, perAccount}} {
		n, err := store.SignInFailures(ctx, k.key, now.Add(-window))
		if err != nil {
			return err
		}
		if n < k.max {
			continue
		}
		if k.key != g.pair {
			known, err := store.SignInFailures(ctx, g.known, now.Add(-knownFor))
			if err != nil {
				return err
			}
			if known > 0 {
				continue
			}
		}
		return ErrTooMany
	}
	return nil
}

// failed counts a wrong address or password.
func (g guess) failed(ctx context.Context, store Store, now time.Time) error {
	for _, key := range []string{g.pair, g.computer, g.account} {
		if err := store.AddSignInFailure(ctx, key, candor.Moment(now)); err != nil {
			return err
		}
	}
	return ErrRefused
}
