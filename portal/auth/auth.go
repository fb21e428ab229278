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
	DeleteUserSessions(ctx context.Context, userID string) error
}

// How much guessing is let through before sign-in pauses.
const (
	window       = 15 * time.Minute
	perAccount   = 8  // wrong passwords for one address
	perComputer  = 30 // wrong passwords from one computer
	perEverybody = 600
)

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
	keys := []struct {
		key string
		max int
	}{{"account:" + candor.SHA256([]byte(email)), perAccount}, {"from:" + from, perComputer}, {"all", perEverybody}}
	for _, k := range keys {
		n, err := store.SignInFailures(ctx, k.key, now.Add(-window))
		if err != nil {
			return candor.User{}, err
		}
		if n >= k.max {
			return candor.User{}, ErrTooMany
		}
	}
	fail := func() error {
		for _, k := range keys {
			if err := store.AddSignInFailure(ctx, k.key, candor.Moment(now)); err != nil {
				return err
			}
		}
		return ErrRefused
	}
	u, err := store.UserByEmail(ctx, email)
	if candor.IsKind(err, candor.NotFound) {
		VerifyPassword(password, dummy())
		return candor.User{}, fail()
	}
	if err != nil {
		return candor.User{}, err
	}
	if ok := VerifyPassword(password, u.PasswordHash); !ok || u.Disabled {
		return candor.User{}, fail()
	}
	if err := store.NoteSignIn(ctx, u.ID, candor.Moment(now)); err != nil {
		return candor.User{}, err
	}
	return u, nil
}
