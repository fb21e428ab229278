package view

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/candor-archive/candor/portal/i18n"
)

const flashCookie = "flash"

// Flash is a sentence shown once, on the page after the one that did something.
type Flash struct {
	Kind string            `json:"k"` // success, error, info
	ID   string            `json:"i"` // message id, so that nobody can put words of theirs there
	Data map[string]string `json:"d,omitempty"`
}

// Text is the sentence in a language.
func (f Flash) Text(lang string) string {
	data := i18n.Data{}
	for k, v := range f.Data {
		data[k] = v
	}
	return i18n.T(lang, f.ID, data)
}

// SetFlash leaves a sentence for the next page. Call it before redirecting.
func SetFlash(w http.ResponseWriter, f Flash) {
	b, err := json.Marshal(f)
	if err != nil {
		return // strings only: cannot happen, and a flash is a courtesy
	}
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Value: base64.RawURLEncoding.EncodeToString(b),
		Path: "/", MaxAge: 60, HttpOnly: true, Secure: SecureCookies(), SameSite: http.SameSiteLaxMode})
}

func readFlash(r *http.Request) *Flash {
	c, err := r.Cookie(flashCookie)
	if err != nil {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return nil
	}
	var f Flash
	if json.Unmarshal(b, &f) != nil || !i18n.Has(f.ID) {
		return nil // not one of ours
	}
	if f.Kind != "success" && f.Kind != "error" {
		f.Kind = "info"
	}
	return &f
}

func clearFlash(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: SecureCookies(), SameSite: http.SameSiteLaxMode})
}
