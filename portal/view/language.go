package view

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/candor-archive/candor/portal/i18n"
)

const languageCookie = "lang"

var secureCookies atomic.Bool

// UseSecureCookies says that the site is served over HTTPS, so that cookies
// are only ever sent there.
func UseSecureCookies(on bool) { secureCookies.Store(on) }

// SecureCookies reports what UseSecureCookies said.
func SecureCookies() bool { return secureCookies.Load() }

// Language is the language to answer a request in.
func Language(r *http.Request) string {
	asked := ""
	if c, err := r.Cookie(languageCookie); err == nil {
		asked = c.Value
	}
	return i18n.Choose(asked, r.Header.Get("Accept-Language"))
}

// KeepLanguage remembers a reader's choice for a year.
func KeepLanguage(w http.ResponseWriter, lang string) {
	http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: lang, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
		HttpOnly: true, Secure: SecureCookies(), SameSite: http.SameSiteLaxMode})
}

// SwitchLanguage is for forms whose language switch is one of their buttons:
// it remembers the choice and gives the request in that language, so that the
// same page can be shown again with everything that was typed.
func SwitchLanguage(w http.ResponseWriter, r *http.Request, lang string) *http.Request {
	if !i18n.Known(lang) {
		return r
	}
	KeepLanguage(w, lang)
	f := FrameOf(r.Context())
	f.Lang = lang
	return r.WithContext(WithFrame(r.Context(), f))
}
