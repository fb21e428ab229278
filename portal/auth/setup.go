package auth

import (
	"crypto/subtle"
	"sync"

	"github.com/candor-archive/candor"
)

// Setup guards the page that makes the agency and its first administrator. The
// token is made at start, shown to whoever started the program, and works once;
// only its hash is kept, in memory, so a restart makes a new one.
type Setup struct {
	mu   sync.Mutex
	hash string
	used bool
}

// NewSetup makes the guard and the token to print.
func NewSetup() (*Setup, string) {
	token := candor.NewSecret()
	return &Setup{hash: candor.HashSecret(token)}, token
}

// Open reports whether set-up can still be done. A nil Setup is closed.
func (s *Setup) Open() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.used
}

// Close ends the chance to set up: the agency is there, perhaps made through
// another process whose token was another.
func (s *Setup) Close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = true
}

// Use runs do if the token is right and was not used before; when do fails the
// token can be used again. Two at once run one after the other.
func (s *Setup) Use(token string, do func() error) error {
	if s == nil {
		return candor.Errorf(candor.NotFound, "set-up is done")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used {
		return candor.Errorf(candor.NotFound, "set-up is done")
	}
	if subtle.ConstantTimeCompare([]byte(candor.HashSecret(token)), []byte(s.hash)) != 1 {
		return candor.Errorf(candor.Forbidden, "auth.setup_token")
	}
	if err := do(); err != nil {
		return err
	}
	s.used = true
	return nil
}
