package page

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"
)

// secretHeaders carry credentials, and nothing with credentials is kept.
var secretHeaders = map[string]bool{"cookie": true, "set-cookie": true, "set-cookie2": true, "authorization": true, "authentication-info": true,
	"proxy-authorization": true, "x-api-key": true, "x-auth-token": true, "x-access-token": true, "x-amz-security-token": true,
	"x-csrf-token": true, "x-xsrf-token": true}

// addressHeaders hold an address, which may hold a token.
var addressHeaders = map[string]bool{"referer": true, "location": true, "content-location": true, "refresh": true, "link": true, "origin": true,
	"sourcemap": true, ":path": true}

// secretNames are the fields of queries, fragments, forms and JSON objects that
// carry credentials, in lower case and without - and _.
var secretNames = map[string]bool{"accesstoken": true, "idtoken": true, "refreshtoken": true, "oauthtoken": true, "authtoken": true, "bearertoken": true,
	"usertoken": true, "sessiontoken": true, "csrftoken": true, "xsrftoken": true, "oauthverifier": true, "apikey": true, "appsecret": true,
	"appsecretproof": true, "clientsecret": true, "password": true, "passwd": true, "pwd": true, "jwt": true, "sessionid": true,
	"phpsessid": true, "jsessionid": true, "aspsessionid": true, "xamzsecuritytoken": true, "fbexchangetoken": true, "inputtoken": true}

const removed = "[removed]"

func secretName(s string) bool {
	return len(s) > 2 && secretNames[strings.ToLower(strings.NewReplacer("-", "", "_", "", ".", "").Replace(s))]
}

// clean takes what may be a credential out of an address: a user name and
// password, and the values of such fields of its query and fragment. An address
// without any comes back as it is, byte for byte.
func clean(raw string) string {
	rest, fragment, fragmented := strings.Cut(raw, "#")
	path, query, queried := strings.Cut(rest, "?")
	path = pathSession.ReplaceAllString(path, ";${1}="+removed)
	if scheme, after, ok := strings.Cut(path, "://"); ok {
		host, tail, slashed := strings.Cut(after, "/")
		if at := strings.LastIndexByte(host, '@'); at >= 0 {
			path = scheme + "://" + host[at+1:]
			if slashed {
				path += "/" + tail
			}
		}
	}
	if queried {
		path += "?" + fields(query)
	}
	if fragmented {
		path += "#" + fields(fragment)
	}
	return path
}

var pathSession = regexp.MustCompile(`(?i);(jsessionid|phpsessid|sid)=[^;/?#]*`)

// fields removes the values of secret fields from what a form or a query sends.
func fields(s string) string {
	if !strings.Contains(s, "=") {
		return s
	}
	parts := strings.Split(s, "&")
	for i, p := range parts {
		name, value, ok := strings.Cut(p, "=")
		// A fragment may put a path of its own before its fields.
		at := strings.LastIndexByte(name, '?') + 1
		plain, err := url.QueryUnescape(name[at:])
		if err != nil {
			plain = name[at:]
		}
		if ok && value != "" && secretName(plain) {
			parts[i] = name + "=" + removed
		}
	}
	return strings.Join(parts, "&")
}

var secretJSON = regexp.MustCompile(`"([A-Za-z0-9_.-]{3,40})"(\s*:\s*)"(?:[^"\\]|\\.)*"`)

// cleanBody removes secret fields from what a request sent.
func cleanBody(mediaType string, b []byte) []byte {
	switch {
	case strings.HasPrefix(mediaType, "application/x-www-form-urlencoded"):
		return []byte(fields(string(b)))
	case strings.Contains(mediaType, "json"), bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")):
		return secretJSON.ReplaceAllFunc(b, func(m []byte) []byte {
			f := secretJSON.FindSubmatch(m)
			if !secretName(string(f[1])) {
				return m
			}
			return []byte(`"` + string(f[1]) + `"` + string(f[2]) + `"` + removed + `"`)
		})
	case strings.HasPrefix(mediaType, "multipart/form-data"):
		if bytes.Contains(bytes.ToLower(b), []byte("password")) {
			return []byte(removed)
		}
	}
	return b
}
