package auth

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"github.com/candor-archive/candor"
)

// Config is what Sessions are made of.
type Config struct {
	Store   Store
	BaseURL string           // of the portal: https makes cookies Secure with the __Host- prefix
	Now     func() time.Time // time.Now when nil
	Log     *slog.Logger
}

// Sessions knows who is asking. It is safe for use by many at once.
type Sessions struct {
	store *sqlStore
	log   *slog.Logger
}

// NewSessions makes them.
func NewSessions(c Config) *Sessions {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Sessions{store: &sqlStore{store: c.Store, secure: strings.HasPrefix(c.BaseURL, "https://"), now: c.Now}, log: c.Log}
}

// StartStaff signs a user in, in a session with a new secret: one that was
// there before, perhaps put there by someone else, ends.
func (s *Sessions) StartStaff(w http.ResponseWriter, r *http.Request, u candor.User) error {
	return s.start(w, r, staffCookie, map[any]any{valueUser: u.ID, valueAgent: agent(r)})
}

// StartRequester lets this browser follow one request, after its private link
// was opened: the secret leaves the address bar.
func (s *Sessions) StartRequester(w http.ResponseWriter, r *http.Request, requestID string) error {
	return s.start(w, r, requesterCookie, map[any]any{valueRequest: requestID, valueAgent: agent(r)})
}

func (s *Sessions) start(w http.ResponseWriter, r *http.Request, name string, values map[any]any) error {
	session, err := s.store.Get(r, name)
	if err != nil {
		return err
	}
	if session.ID != "" {
		if err := s.store.store.DeleteSession(r.Context(), candor.HashSecret(session.ID)); err != nil {
			return err
		}
	}
	session.ID, session.Values = "", values
	return session.Save(r, w)
}

// End signs out: of the staff session below /staff, of the requester's
// elsewhere. Ending what was never begun is fine.
func (s *Sessions) End(w http.ResponseWriter, r *http.Request) error {
	name := requesterCookie
	if staffSide(r) {
		name = staffCookie
	}
	session, err := s.store.Get(r, name)
	if err != nil {
		return err
	}
	session.Options.MaxAge = -1
	session.Values = map[any]any{}
	return session.Save(r, w)
}

// Principal says who is asking. Below /staff only a staff session counts;
// elsewhere a requester's comes first. The user is looked up each time, so
// that someone disabled is out at once. Trouble reading makes a visitor.
func (s *Sessions) Principal(r *http.Request) candor.Principal {
	if !staffSide(r) {
		if session := s.read(r, requesterCookie); session != nil {
			id, _ := session.Values[valueRequest].(string)
			return candor.Principal{Kind: candor.Requester, RequestID: id}
		}
	}
	if u, ok := s.User(r); ok {
		return u.Principal()
	}
	return candor.Principal{Kind: candor.Visitor}
}

// User gives the member of staff who is signed in, if any.
func (s *Sessions) User(r *http.Request) (candor.User, bool) {
	session := s.read(r, staffCookie)
	if session == nil {
		return candor.User{}, false
	}
	id, _ := session.Values[valueUser].(string)
	u, err := s.store.store.User(r.Context(), id)
	if err != nil {
		if !candor.IsKind(err, candor.NotFound) {
			s.log.Error("the session's user could not be read", "err", err)
		}
		return candor.User{}, false
	}
	return u, !u.Disabled
}

// read gives a live session and moves its idle time on, at most once a minute.
func (s *Sessions) read(r *http.Request, name string) *sessions.Session {
	session, err := s.store.Get(r, name)
	if err != nil {
		s.log.Error("the session could not be read", "err", err)
		return nil
	}
	if session.ID == "" || session.IsNew {
		return nil
	}
	row, ok := session.Values[valueRow].(candor.Session)
	if now := candor.Moment(s.store.now()); ok && now.Sub(row.UsedAt) >= time.Minute {
		row.UsedAt = now
		// Only the row changes; the cookie stays as it is.
		if err := s.store.store.SaveSession(r.Context(), row); err != nil {
			s.log.Error("the session's use could not be noted", "err", err)
		} else {
			session.Values[valueRow] = row
		}
	}
	return session
}

func staffSide(r *http.Request) bool {
	return r.URL.Path == "/staff" || strings.HasPrefix(r.URL.Path, "/staff/")
}
