package storage

import (
	"encoding/base64"
	"regexp"
)

// A private link opens a request for whoever holds it. It is kept nowhere but
// in a mail that waits to be delivered, and there only sealed, so that the
// database and its backups open no request.

// secret is what candor.NewSecret makes: 52 of its letters and digits.
var secret = regexp.MustCompile(`\b[a-hj-km-np-z02-9]{52}\b`)

// veiled is a sealed secret in a text.
var veiled = regexp.MustCompile(`⟦[A-Za-z0-9_-]+⟧`)

const struck = "•••"

// strike takes private links, sealed ones too, out of a text.
func strike(text string) string {
	return veiled.ReplaceAllString(secret.ReplaceAllString(text, struck), struck)
}

// veil seals the private links in the text of one mail.
func (s *sealer) veil(mailID, text string) string {
	return secret.ReplaceAllStringFunc(text, func(plain string) string {
		return "⟦" + base64.RawURLEncoding.EncodeToString(s.close(mailID, plain)) + "⟧"
	})
}

// reveal opens what veil has sealed. A seal that this key does not open stays.
func (s *sealer) reveal(mailID, text string) string {
	return veiled.ReplaceAllStringFunc(text, func(v string) string {
		sealed, err := base64.RawURLEncoding.DecodeString(v[len("⟦") : len(v)-len("⟧")])
		if err != nil {
			return v // the requester's own brackets
		}
		plain, err := s.open(mailID, sealed)
		if err != nil {
			return v
		}
		return plain
	})
}
