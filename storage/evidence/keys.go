package evidence

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/durable"
	"github.com/candor-archive/candor/storage/layout"
)

// openKeys reads the signing key, made at the first start, and the text of its
// public half. The name in the key is the log's origin for good: a key made
// before keeps its own, whatever origin is asked for now.
func openKeys(dir, origin string) (signer note.Signer, verifier string, err error) {
	if err := durable.MkdirAll(layout.Keys(dir)); err != nil {
		return nil, "", fmt.Errorf("evidence keys: %w", err)
	}
	name := layout.EvidenceKey(dir)
	text, err := durable.Keep(name, 0o600, func() ([]byte, error) { return makeKey(origin) })
	if err != nil {
		return nil, "", fmt.Errorf("evidence keys: %w", err)
	}
	skey := strings.TrimSpace(string(text))
	signer, err = note.NewSigner(skey)
	if err != nil {
		// The library's error may quote the key.
		return nil, "", candor.Errorf(candor.Invalid, "evidence keys: %s does not hold a signing key; restore it from a backup", name)
	}
	if verifier, err = publicHalf(skey); err != nil {
		return nil, "", candor.Errorf(candor.Invalid, "evidence keys: %s does not hold a signing key; restore it from a backup", name)
	}
	pub := layout.EvidencePublicKey(dir)
	have, err := os.ReadFile(pub)
	if errors.Is(err, fs.ErrNotExist) {
		if err := durable.WriteFile(pub, []byte(verifier+"\n"), 0o644); err != nil {
			return nil, "", fmt.Errorf("evidence keys: %w", err)
		}
		return signer, verifier, nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("evidence keys: %w", err)
	}
	if strings.TrimSpace(string(have)) != verifier {
		return nil, "", candor.Errorf(candor.Conflict, "evidence keys: %s is not the public half of %s; restore both from the same backup", pub, name)
	}
	return signer, verifier, nil
}

// makeKey makes the key of a new log.
func makeKey(origin string) ([]byte, error) {
	skey, _, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, err
	}
	if _, err := note.NewSigner(skey); err != nil {
		return nil, candor.Errorf(candor.Invalid, "a log cannot be called %q: no spaces and no plus sign", origin)
	}
	return []byte(skey + "\n"), nil
}

// publicHalf works out the verifier text of a signer text that NewSigner took.
func publicHalf(skey string) (string, error) {
	parts := strings.SplitN(skey, "+", 5) // PRIVATE+KEY+name+hash+key
	key, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(parts) != 5 || len(key) != 1+ed25519.SeedSize {
		return "", errors.New("malformed key")
	}
	pub := ed25519.NewKeyFromSeed(key[1:]).Public().(ed25519.PublicKey)
	return note.NewEd25519VerifierKey(parts[2], pub)
}
