package auth

import (
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"github.com/candor-archive/candor"
)

// The two sessions a browser may have at once: a member of staff who opens a
// requester's link does not lose their own.
const (
	staffCookie     = "candor-staff"
	requesterCookie = "candor-request"
)

// How long sessions last.
const (
	staffIdle         = 30 * time.Minute
	staffAbsolute     = 12 * time.Hour
	requesterIdle     = 24 * time.Hour
	requesterAbsolute = 24 * time.Hour
)

// sqlStore is a sessions.Store over storage: the cookie holds a random secret,
// the database its hash and everything else. So a session ends when its row
// does, and a copy of the database opens nothing.
type sqlStore struct {
	store  Store
	secure bool // cookies go over HTTPS only
	now    func() time.Time
}

var _ sessions.Store = (*sqlStore)(nil)

// What Values hold. Everything else a caller puts there is kept too.
const (
	valueUser    = "user"
	valueRequest = "request"
	valueAgent   = "agent"
	valueRow     = "row" // the candor.Session as it was read; never stored in Data
)

// cookieName has the prefix that makes browsers insist on HTTPS, this very
// host and the path "/".
func (s *sqlStore) cookieName(name string) string {
	if s.secure {
		return "__Host-" + name
	}
	return name
}

// Get gives the request's session, read once per request.
func (s *sqlStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New reads the session the cookie names, or makes an empty one. A cookie that
// names nothing (expired, ended, invented) is no error: it is just not signed in.
func (s *sqlStore) New(r *http.Request, name string) (*sessions.Session, error) {
	out := sessions.NewSession(s, name)
	out.Options = &sessions.Options{Path: "/", HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode}
	out.IsNew = true
	c, err := r.Cookie(s.cookieName(name))
	if err != nil || len(c.Value) < 32 || len(c.Value) > 128 {
		return out, nil
	}
	row, err := s.store.Session(r.Context(), candor.HashSecret(c.Value))
	if candor.IsKind(err, candor.NotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	now := s.now()
	idle := staffIdle
	if name == requesterCookie {
		idle = requesterIdle
	}
	// The kind of session is part of what the row says, not of the cookie's name.
	if (name == staffCookie) != (row.UserID != "") || !now.Before(row.ExpiresAt) || now.Sub(row.UsedAt) >= idle {
		return out, nil
	}
	if len(row.Data) > 0 {
		if err := (securecookie.GobEncoder{}).Deserialize(row.Data, &out.Values); err != nil {
			return out, nil // written by another version: sign in again
		}
	}
	out.ID, out.IsNew = c.Value, false
	out.Values[valueUser], out.Values[valueRequest], out.Values[valueAgent], out.Values[valueRow] = row.UserID, row.RequestID, row.Agent, row
	return out, nil
}

// Save writes the session and its cookie. A session without an ID gets a new
// secret; one with MaxAge below zero ends.
func (s *sqlStore) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	now := candor.Moment(s.now())
	if session.Options.MaxAge < 0 {
		s.setCookie(w, session.Name(), "", session.Options)
		if session.ID == "" {
			return nil
		}
		return s.store.DeleteSession(r.Context(), candor.HashSecret(session.ID))
	}
	row, old := session.Values[valueRow].(candor.Session)
	if session.ID == "" || !old {
		session.ID = candor.NewSecret()
		absolute := staffAbsolute
		if session.Name() == requesterCookie {
			absolute = requesterAbsolute
		}
		row = candor.Session{Hash: candor.HashSecret(session.ID), CreatedAt: now, ExpiresAt: now.Add(absolute)}
	}
	row.UsedAt = now
	row.UserID, _ = session.Values[valueUser].(string)
	row.RequestID, _ = session.Values[valueRequest].(string)
	row.Agent, _ = session.Values[valueAgent].(string)
	data := map[any]any{}
	for k, v := range session.Values {
		if k != valueRow && k != valueUser && k != valueRequest && k != valueAgent {
			data[k] = v
		}
	}
	var err error
	if row.Data, err = (securecookie.GobEncoder{}).Serialize(data); err != nil {
		return candor.Errorf(candor.Invalid, "session values: %w", err)
	}
	if err := s.store.SaveSession(r.Context(), row); err != nil {
		return err
	}
	session.Values[valueRow], session.IsNew = row, false
	s.setCookie(w, session.Name(), session.ID, session.Options)
	return nil
}

func (s *sqlStore) setCookie(w http.ResponseWriter, name, value string, o *sessions.Options) {
	// No lifetime: the browser drops it when it closes, the database when it is time.
	c := &http.Cookie{Name: s.cookieName(name), Value: value, Path: "/", HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode}
	if o.MaxAge < 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func agent(r *http.Request) string {
	a := strings.ToValidUTF8(r.UserAgent(), "")
	if len(a) > 200 {
		a = strings.ToValidUTF8(a[:200], "")
	}
	return a
}
