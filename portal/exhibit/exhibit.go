// Package exhibit shows archived pages on an origin of their own, so that what
// was captured from strangers can never act with the rights of the portal.
//
// An address holds a capability: which capture, until when, signed with a key
// that only the portal has. The portal mints it after candor.Allow said yes.
// Every answer is sandboxed by its headers, with scripts off and no outside
// address reachable, and no cookie is ever read or set here.
package exhibit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/candor-archive/candor"
)

// Life is how long a capability is good for.
const Life = 15 * time.Minute

// Policy is the content security policy of every snapshot.
const Policy = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline' data:; font-src data:; media-src data:; frame-src data: about:"

// Source gives the bytes. The public one refuses what is not public, each time.
type Source interface {
	OpenArtefact(ctx context.Context, captureID string, kind candor.ArtefactKind) (io.ReadSeekCloser, candor.Artefact, error)
}

// Minter makes capabilities.
type Minter struct {
	Secret []byte
	Origin string // of the exhibits: http://localhost:8081
	Now    func() time.Time
}

const (
	everyone = "p" // only what the public side gives
	staff    = "s"
)

// URL gives an address under which a principal's browser can see the snapshot
// of a capture for the next quarter of an hour. It fails with Forbidden when
// the principal may not read it.
func (m Minter) URL(p candor.Principal, c candor.Capture) (string, error) {
	scope := everyone
	if c.Visibility != candor.Public {
		scope = staff
		if p.Kind != candor.Staff {
			return "", candor.Errorf(candor.Forbidden, "show snapshot of capture %s: not public", c.ID)
		}
	}
	if !candor.Allow(p, candor.MayRead, candor.Target{Visibility: c.Visibility}) {
		return "", candor.Errorf(candor.Forbidden, "show snapshot of capture %s: not allowed", c.ID)
	}
	until := strconv.FormatInt(m.Now().Add(Life).Unix(), 36)
	claim := scope + "." + until + "." + c.ID
	return m.Origin + "/x/" + claim + "." + sign(m.Secret, claim), nil
}

func sign(secret []byte, claim string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("candor exhibit\n" + claim))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// open checks a capability.
func open(secret []byte, token string, now time.Time) (scope, captureID string, err error) {
	refuse := candor.Errorf(candor.NotFound, "no such exhibit, or its time is over")
	i := strings.LastIndexByte(token, '.')
	if i < 0 || !hmac.Equal([]byte(token[i+1:]), []byte(sign(secret, token[:i]))) {
		return "", "", refuse
	}
	parts := strings.SplitN(token[:i], ".", 3)
	if len(parts) != 3 {
		return "", "", refuse
	}
	until, err := strconv.ParseInt(parts[1], 36, 64)
	if err != nil || now.Unix() > until {
		return "", "", refuse
	}
	return parts[0], parts[2], nil
}

// Config is what a Handler is made of.
type Config struct {
	Secret []byte
	Portal string // origin that may frame exhibits
	Public Source
	Staff  Source // everything; reached only by capabilities minted for staff
	Now    func() time.Time
	Log    *slog.Logger
}

// New makes the handler of the exhibits' origin: /x/{capability}, and nothing
// else.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /x/{token}", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", Policy+"; frame-ancestors "+c.Portal)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "private, no-store")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		scope, id, err := open(c.Secret, r.PathValue("token"), c.Now())
		if err != nil {
			http.Error(w, "404", http.StatusNotFound)
			return
		}
		source := c.Public
		if scope == staff {
			source = c.Staff
		}
		body, a, err := source.OpenArtefact(r.Context(), id, candor.Snapshot)
		if err != nil {
			if !candor.IsKind(err, candor.NotFound) {
				c.Log.Error("exhibit", "capture", id, "err", err)
			}
			http.Error(w, "404", http.StatusNotFound)
			return
		}
		defer body.Close()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("ETag", `"`+a.SHA+`"`)
		http.ServeContent(w, r, "", time.Time{}, body)
	})
	return mux
}
