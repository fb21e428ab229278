package meta

import (
	"context"
	"time"

	"github.com/candor-archive/candor"
)

// Agency gives the agency, or NotFound before set-up.
func (r Repo) Agency(ctx context.Context) (candor.Agency, error) {
	row, err := one[agencyRow](ctx, r.db.NewSelect(), "agency")
	return row.Agency, err
}

// SaveAgency writes the one agency.
func (r Repo) SaveAgency(ctx context.Context, a candor.Agency) error {
	_, err := r.db.NewInsert().Model(&agencyRow{ID: 1, Agency: a}).On("CONFLICT (id) DO UPDATE").
		Set("name = EXCLUDED.name, short = EXCLUDED.short, email = EXCLUDED.email, phone = EXCLUDED.phone, address = EXCLUDED.address").
		Set("time_zone = EXCLUDED.time_zone, jurisdiction = EXCLUDED.jurisdiction, designated_days = EXCLUDED.designated_days").
		Set("optional_days = EXCLUDED.optional_days").Exec(ctx)
	return failure(err, "save the agency")
}

// AddUser adds a user; Conflict when the email exists.
func (r Repo) AddUser(ctx context.Context, u candor.User) error {
	return r.insert(ctx, &userRow{User: u}, "user "+u.Email)
}

// Users lists every user by name.
func (r Repo) Users(ctx context.Context) ([]candor.User, error) {
	rows, err := list[userRow](ctx, r.db.NewSelect().Order("name", "id"), "list users")
	return each(rows, err, func(x userRow) candor.User { return x.User })
}

// User gives one user by id.
func (r Repo) User(ctx context.Context, id string) (candor.User, error) {
	row, err := one[userRow](ctx, r.db.NewSelect().Where("id = ?", plain(id)), "user")
	return row.User, err
}

// UserByEmail gives one user by lower-case email.
func (r Repo) UserByEmail(ctx context.Context, email string) (candor.User, error) {
	row, err := one[userRow](ctx, r.db.NewSelect().Where("email = ?", plain(email)), "user")
	return row.User, err
}

// SetUserDisabled opens or closes an account.
func (r Repo) SetUserDisabled(ctx context.Context, id string, disabled bool) error {
	res, err := r.db.NewUpdate().Model((*userRow)(nil)).Set("disabled = ?", disabled).Where("id = ?", id).Exec(ctx)
	return changed(res, err, "user")
}

// NoteSignIn keeps when a user last signed in.
func (r Repo) NoteSignIn(ctx context.Context, id string, at time.Time) error {
	res, err := r.db.NewUpdate().Model((*userRow)(nil)).Set("last_sign_in = ?", candor.Moment(at)).Where("id = ?", id).Exec(ctx)
	return changed(res, err, "user")
}

// AddSignInFailure notes a failed sign-in and forgets those before horizon.
func (r Repo) AddSignInFailure(ctx context.Context, key string, at, horizon time.Time) error {
	row := signInFailureRow{ID: candor.NewID(), Key: key, At: at}
	Settle(&row)
	if err := r.insert(ctx, &row, "a failed sign-in"); err != nil {
		return err
	}
	_, err := r.db.NewDelete().Model((*signInFailureRow)(nil)).Where("at < ?", candor.Moment(horizon)).Exec(ctx)
	return failure(err, "forget old failed sign-ins")
}

// SignInFailures counts failed sign-ins of a key since a moment.
func (r Repo) SignInFailures(ctx context.Context, key string, since time.Time) (int, error) {
	n, err := r.db.NewSelect().Model((*signInFailureRow)(nil)).Where("key = ?", plain(key)).Where("at >= ?", candor.Moment(since)).Count(ctx)
	return int(n), failure(err, "count failed sign-ins")
}

// SaveSession adds a session or replaces what is kept under its hash.
func (r Repo) SaveSession(ctx context.Context, s candor.Session) error {
	_, err := r.db.NewInsert().Model(&sessionRow{Session: s}).On("CONFLICT (hash) DO UPDATE").
		Set("user_id = EXCLUDED.user_id, request_id = EXCLUDED.request_id, data = EXCLUDED.data").
		Set("used_at = EXCLUDED.used_at, expires_at = EXCLUDED.expires_at, agent = EXCLUDED.agent").Exec(ctx)
	return failure(err, "save a session")
}

// Session gives a session that has not expired by now.
func (r Repo) Session(ctx context.Context, hash string, now time.Time) (candor.Session, error) {
	row, err := one[sessionRow](ctx, r.db.NewSelect().Where("hash = ?", plain(hash)).Where("expires_at > ?", candor.Moment(now)), "session")
	return row.Session, err
}

// DeleteSession ends a session; ending one that is gone is no error.
func (r Repo) DeleteSession(ctx context.Context, hash string) error {
	_, err := r.db.NewDelete().Model((*sessionRow)(nil)).Where("hash = ?", plain(hash)).Exec(ctx)
	return failure(err, "end a session")
}

// DeleteUserSessions ends every session of a user.
func (r Repo) DeleteUserSessions(ctx context.Context, userID string) error {
	_, err := r.db.NewDelete().Model((*sessionRow)(nil)).Where("user_id = ?", userID).Where("user_id <> ''").Exec(ctx)
	return failure(err, "end a user's sessions")
}

// DeleteExpiredSessions forgets sessions that ended by now.
func (r Repo) DeleteExpiredSessions(ctx context.Context, now time.Time) error {
	_, err := r.db.NewDelete().Model((*sessionRow)(nil)).Where("expires_at <= ?", candor.Moment(now)).Exec(ctx)
	return failure(err, "forget expired sessions")
}

// DeleteRequestSessions ends every session a private link of a request opened.
func (r Repo) DeleteRequestSessions(ctx context.Context, requestID string) error {
	_, err := r.db.NewDelete().Model((*sessionRow)(nil)).Where("request_id = ?", requestID).Where("request_id <> ''").Exec(ctx)
	return failure(err, "end a request's sessions")
}
