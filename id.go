package candor

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"time"
)

var idEncoding = base32.NewEncoding("abcdefghjkmnpqrstuvwxyz023456789").WithPadding(base32.NoPadding)

// NewID makes a public id: 128 random bits in 26 lower-case letters and digits
// that are hard to misread aloud.
func NewID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return idEncoding.EncodeToString(b[:])
}

// NewSecret makes a capability (a private link, a session): 256 random bits.
// Only HashSecret of it is ever stored.
func NewSecret() string {
	var b [32]byte
	rand.Read(b[:])
	return idEncoding.EncodeToString(b[:])
}

// HashSecret is what is stored of a secret made by NewSecret. A plain hash is
// enough because the secret has 256 bits of its own.
func HashSecret(secret string) string { return SHA256([]byte(secret)) }

// SHA256 is the lower-case hexadecimal SHA-256 of b, the address of an object.
func SHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Moment brings a time to what both databases keep: UTC, microseconds.
func Moment(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}
