package transport

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// redacted stands where a credential was.
const redacted = "REDACTED"

// credentialParams are query parameters that carry a credential on one
// platform or another.
var credentialParams = map[string]bool{
	"access_token": true, "appsecret_proof": true, "client_secret": true, "oauth_token": true, "id_token": true,
	"refresh_token": true, "input_token": true, "fb_exchange_token": true, "api_key": true, "apikey": true,
}

// credentialHeaders are answered with credentials or session identities.
var credentialHeaders = []string{"Set-Cookie", "Set-Cookie2", "Authorization", "Proxy-Authorization", "Www-Authenticate", "Authentication-Info"}

// tokenInText finds a token inside an address inside a body: platforms put
// ours into the "next" links of a listing. A backslash ends it because JSON
// may write & as \u0026.
var tokenInText = regexp.MustCompile(`(?i)((?:access_token|appsecret_proof)(?:=|%3D))[^&"'\\\s<>%#]+`)

// secrets removes credentials: those named to it and those recognised by the
// place where they stand.
type secrets struct{ forms []string }

func newSecrets(values []string) secrets {
	var s secrets
	for _, v := range values {
		if len(v) < 8 {
			continue // would match ordinary words; the place still gives it away
		}
		for _, form := range []string{v, url.QueryEscape(v), url.PathEscape(v), strings.ReplaceAll(v, "/", `\/`), strings.ReplaceAll(v, "|", `\u007c`)} {
			if !slices.Contains(s.forms, form) {
				s.forms = append(s.forms, form)
			}
		}
	}
	// A longer form first, so that a shorter one within it leaves no remains.
	slices.SortFunc(s.forms, func(a, b string) int { return len(b) - len(a) })
	return s
}

func (s secrets) text(t string) string {
	for _, f := range s.forms {
		t = strings.ReplaceAll(t, f, redacted)
	}
	return tokenInText.ReplaceAllString(t, "${1}"+redacted)
}

func (s secrets) body(b []byte, mediaType string) []byte {
	for _, f := range s.forms {
		if bytes.Contains(b, []byte(f)) {
			b = bytes.ReplaceAll(b, []byte(f), []byte(redacted))
		}
	}
	if !textual(mediaType) {
		return b // a picture's bytes are never touched by a guess
	}
	if low := bytes.ToLower(b); !bytes.Contains(low, []byte("access_token")) && !bytes.Contains(low, []byte("appsecret_proof")) {
		return b // nearly always, and much quicker than the search
	}
	return tokenInText.ReplaceAll(b, []byte("${1}"+redacted))
}

func textual(mediaType string) bool {
	m := strings.ToLower(mediaType)
	return m == "" || strings.HasPrefix(m, "text/") || strings.Contains(m, "json") || strings.Contains(m, "xml") || strings.Contains(m, "javascript")
}

func (s secrets) url(u *url.URL) string {
	c := *u
	c.User = nil
	if c.RawQuery != "" {
		parts := strings.Split(c.RawQuery, "&")
		kept := parts[:0:0]
		for _, p := range parts {
			name, _, _ := strings.Cut(p, "=")
			if n, err := url.QueryUnescape(name); err == nil {
				name = n
			}
			if !credentialParams[strings.ToLower(name)] {
				kept = append(kept, p)
			}
		}
		c.RawQuery = strings.Join(kept, "&")
	}
	return s.text(c.String())
}

func (s secrets) header(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		for _, v := range values {
			if slices.Contains(credentialHeaders, http.CanonicalHeaderKey(name)) {
				v = redacted
			}
			out.Add(name, s.text(v))
		}
	}
	return out
}

// headerLines writes headers as "Name: value" lines in the order of names.
func headerLines(h http.Header) string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		for _, v := range h[name] {
			b.WriteString(name + ": " + strings.NewReplacer("\r", " ", "\n", " ").Replace(v) + "\n")
		}
	}
	return b.String()
}
