package storage

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/durable"
)

// sealer keeps platform tokens unreadable in the database and its backups. The
// key stays in a file of its own, which backups of the database do not hold.
type sealer struct{ aead cipher.AEAD }

// openSealer reads the key, making one at the first start.
func openSealer(path string) (*sealer, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, candor.Errorf(candor.Unavailable, "make the folder of keys: %w", err)
	}
	text, err := durable.Keep(path, 0o600, func() ([]byte, error) {
		fresh := make([]byte, 32)
		rand.Read(fresh) // never fails since Go 1.24
		return []byte(hex.EncodeToString(fresh) + "\n"), nil
	})
	if err != nil {
		return nil, candor.Errorf(candor.Unavailable, "read the key that seals tokens: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, candor.Errorf(candor.Invalid, "%s does not hold a key: restore it from a backup", path)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &sealer{aead}, nil
}

// close seals a token for one source; "" stays nothing.
func (s *sealer) close(sourceID, token string) []byte {
	if token == "" {
		return nil
	}
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce) // never fails since Go 1.24
	return s.aead.Seal(nonce, nonce, []byte(token), []byte(sourceID))
}

// open gives the token back, to the source it was sealed for only.
func (s *sealer) open(sourceID string, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return "", candor.Errorf(candor.Invalid, "the sealed token is damaged")
	}
	token, err := s.aead.Open(nil, sealed[:n], sealed[n:], []byte(sourceID))
	if err != nil {
		return "", candor.Errorf(candor.Invalid, "the token can't be opened: it was sealed with another key: %w", err)
	}
	return string(token), nil
}
