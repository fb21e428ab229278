package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/candor-archive/candor"
)

// What a new password's hash costs. Older hashes keep the cost written in them.
const (
	argonTime    = 1
	argonMemory  = 46 * 1024 // KiB
	argonThreads = 1
	saltSize     = 16
	keySize      = 32
)

// MinPassword is how many characters a password has at least.
const MinPassword = 12

const maxPassword = 1024 // longer ones only serve to keep the machine busy

// hashing bounds how many hashes are computed at once: each takes 46 MiB.
var hashing = make(chan struct{}, 2)

// CheckPassword says what is wrong with a new password, as an Invalid error
// whose text is a message id: auth.password.short, auth.password.long,
// auth.password.email, auth.password.same.
func CheckPassword(password, email string) error {
	switch local, _, _ := strings.Cut(email, "@"); {
	case utf8.RuneCountInString(password) < MinPassword:
		return candor.Errorf(candor.Invalid, "auth.password.short")
	case len(password) > maxPassword:
		return candor.Errorf(candor.Invalid, "auth.password.long")
	case strings.EqualFold(password, email) || local != "" && strings.EqualFold(password, local):
		return candor.Errorf(candor.Invalid, "auth.password.email")
	case strings.Count(password, password[:1]) == len(password):
		return candor.Errorf(candor.Invalid, "auth.password.same")
	}
	return nil
}

// HashPassword makes what is stored of a password: argon2id with a salt of its
// own, in the usual encoded form.
func HashPassword(password string) string {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails since Go 1.24
	return encode(derive(password, salt, argonTime, argonMemory, argonThreads, keySize), salt)
}

func derive(password string, salt []byte, time, memory uint32, threads uint8, size uint32) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, time, memory, threads, size)
}

func encode(key, salt []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b.EncodeToString(salt), b.EncodeToString(key))
}

// VerifyPassword reports whether a password is the one of a hash. A hash it
// can't read matches nothing.
func VerifyPassword(password, hash string) bool {
	if len(password) > maxPassword {
		return false
	}
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	var version int
	var memory, time uint32
	var threads uint8
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &threads); err != nil || time == 0 || threads == 0 || memory > 1<<20 || time > 64 {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) < 16 || len(want) > 128 {
		return false
	}
	got := derive(password, salt, time, memory, threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

// dummy is checked when there is no such user, so that the time taken does not
// tell which addresses have an account.
var dummy = sync.OnceValue(func() string { return HashPassword(candor.NewSecret()) })
