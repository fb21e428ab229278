package storage

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/meta"
)

// Agency gives the agency; NotFound before set-up.
func (s *Store) Agency(ctx context.Context) (candor.Agency, error) {
	return s.db.Reader().Agency(ctx)
}

// SaveAgency sets the agency up or changes it.
func (s *Store) SaveAgency(ctx context.Context, a candor.Agency, by string) error {
	if strings.TrimSpace(a.Name) == "" || strings.TrimSpace(a.Short) == "" {
		return candor.Errorf(candor.Invalid, "the agency needs a name and a short name")
	}
	if _, err := time.LoadLocation(a.TimeZone); err != nil {
		return candor.Errorf(candor.Invalid, "%q is not a time zone like America/Chicago", a.TimeZone)
	}
	meta.Settle(&a)
	return s.commit(ctx, "save the agency", func(ctx context.Context, t *txn) error {
		if a.CreatedAt.IsZero() {
			a.CreatedAt = t.now
		}
		t.setting("agency", by, "agency saved: %s (%s), zone %s, law %s, designated days %v, optional days %t",
			a.Name, a.Short, a.TimeZone, a.Jurisdiction, a.DesignatedDays, a.OptionalDays)
		return t.SaveAgency(ctx, a)
	})
}

// zone is where the agency's days begin and end; UTC before set-up.
func (s *Store) zone(ctx context.Context) (*time.Location, error) {
	return zoneOf(ctx, s.db.Reader())
}

func zoneOf(ctx context.Context, repo meta.Repo) (*time.Location, error) {
	a, err := repo.Agency(ctx)
	if candor.IsKind(err, candor.NotFound) {
		return time.UTC, nil
	}
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(a.TimeZone)
	if err != nil {
		return nil, candor.Errorf(candor.Invalid, "the agency's time zone: %w", err)
	}
	return zone, nil
}

// CreateUser adds a member of staff; Conflict when the email exists.
func (s *Store) CreateUser(ctx context.Context, u candor.User, by string) error {
	u.Email = strings.ToLower(strings.TrimSpace(u.Email))
	if u.Email == "" {
		return candor.Errorf(candor.Invalid, "a user needs an email address")
	}
	for _, r := range u.Roles {
		if !slices.Contains(candor.Roles, r) {
			return candor.Errorf(candor.Invalid, "there is no role %q", r)
		}
	}
	if u.ID == "" {
		u.ID = candor.NewID()
	}
	meta.Settle(&u)
	return s.commit(ctx, "create a user", func(ctx context.Context, t *txn) error {
		if u.CreatedAt.IsZero() {
			u.CreatedAt = t.now
		}
		t.setting(u.ID, by, "user added with roles %v", u.Roles)
		return t.AddUser(ctx, u)
	})
}

// Users lists every user by name.
func (s *Store) Users(ctx context.Context) ([]candor.User, error) { return s.db.Reader().Users(ctx) }

// User gives one user.
func (s *Store) User(ctx context.Context, id string) (candor.User, error) {
	return s.db.Reader().User(ctx, id)
}

// UserByEmail gives one user by email, in any case of letters.
func (s *Store) UserByEmail(ctx context.Context, email string) (candor.User, error) {
	return s.db.Reader().UserByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
}

// SetUserDisabled opens or closes an account. Closing it ends its sessions.
func (s *Store) SetUserDisabled(ctx context.Context, id string, disabled bool, by string) error {
	return s.commit(ctx, "change a user", func(ctx context.Context, t *txn) error {
		if disabled {
			t.setting(id, by, "user disabled")
		} else {
			t.setting(id, by, "user enabled")
		}
		if err := t.SetUserDisabled(ctx, id, disabled); err != nil {
			return err
		}
		if !disabled {
			return nil
		}
		return t.DeleteUserSessions(ctx, id)
	})
}

// NoteSignIn keeps when a user last signed in.
func (s *Store) NoteSignIn(ctx context.Context, userID string, at time.Time) error {
	return s.db.Writer().NoteSignIn(ctx, userID, at)
}

// failuresKept is how long failed sign-ins are remembered.
const failuresKept = 30 * 24 * time.Hour

// AddSignInFailure notes a failed sign-in under a key (an address, an email).
func (s *Store) AddSignInFailure(ctx context.Context, key string, at time.Time) error {
	return s.commit(ctx, "note a failed sign-in", func(ctx context.Context, t *txn) error {
		return t.AddSignInFailure(ctx, key, at, at.Add(-failuresKept))
	})
}

// SignInFailures counts failed sign-ins under a key since a moment.
func (s *Store) SignInFailures(ctx context.Context, key string, since time.Time) (int, error) {
	return s.db.Reader().SignInFailures(ctx, key, since)
}

// SaveSession adds a session or replaces the one with its hash.
func (s *Store) SaveSession(ctx context.Context, x candor.Session) error {
	if x.Hash == "" {
		return candor.Errorf(candor.Invalid, "a session needs a hash")
	}
	meta.Settle(&x)
	return s.db.Writer().SaveSession(ctx, x)
}

// Session gives a session; NotFound when there is none or it has expired.
func (s *Store) Session(ctx context.Context, hash string) (candor.Session, error) {
	return s.db.Reader().Session(ctx, hash, s.now())
}

// DeleteSession ends a session; ending one that is gone is no error.
func (s *Store) DeleteSession(ctx context.Context, hash string) error {
	return s.db.Writer().DeleteSession(ctx, hash)
}

// DeleteUserSessions ends every session of a user.
func (s *Store) DeleteUserSessions(ctx context.Context, userID string) error {
	return s.db.Writer().DeleteUserSessions(ctx, userID)
}
