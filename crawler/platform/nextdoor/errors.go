package nextdoor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/candor-archive/candor/crawler/connector"
)

// decodeError gives what an answer refuses with, or nil when it does not
// refuse. The API's own errors are objects {error, error_description,
// invalid_parameters}. An answer of another shape may come from something
// between us and the platform and says nothing about a record.
func decodeError(status int, body []byte) *connector.Error {
	if status == http.StatusOK {
		return decodeRefusal(body)
	}
	e := &connector.Error{Status: status, Class: connector.Refused, Message: fmt.Sprintf("the server answered %d without saying why", status)}
	said, own := envelope(body)
	if own {
		e.Message = said.text()
	}
	switch {
	case status == http.StatusTooManyRequests:
		e.Class = connector.Throttled
	case status >= 500:
		e.Class = connector.Transient
	case html(body):
		// A gateway, a firewall or a page for browsers: the API speaks JSON.
		e.Class, e.Message = connector.Transient, fmt.Sprintf("the server answered %d with a web page", status)
	case status >= 300 && status < 400:
		e.Message = fmt.Sprintf("the server answered %d, a redirect: the address of the API may have changed", status)
	case status == http.StatusUnauthorized, own && badToken[said.Error]:
		e.Class = connector.BadToken
	case status == http.StatusForbidden:
		e.Class = connector.Permission
	case status == http.StatusNotFound && own:
		e.Class = connector.Vanished
	}
	return e
}

// badToken are the codes of RFC 6749 and RFC 6750 that concern the token,
// whatever the status.
var badToken = map[string]bool{"invalid_token": true, "expired_token": true, "invalid_grant": true}

// decodeRefusal finds an error in an answer of status 200 that holds nothing
// else.
func decodeRefusal(body []byte) *connector.Error {
	var beside struct {
		Posts json.RawMessage `json:"posts"`
	}
	said, own := envelope(body)
	if !own || json.Unmarshal(body, &beside) == nil && beside.Posts != nil {
		return nil
	}
	e := &connector.Error{Status: http.StatusOK, Class: connector.Refused, Message: said.text()}
	if badToken[said.Error] {
		e.Class = connector.BadToken
	}
	return e
}

// refusal is an error of the API.
type refusal struct {
	Error       string          `json:"error"`
	Description string          `json:"error_description"`
	Parameters  json.RawMessage `json:"invalid_parameters"`
	Parameter   json.RawMessage `json:"invalid_parameter"` // both spellings are documented
}

// envelope reads an error of the API; ok is false when the body is not one.
func envelope(body []byte) (r refusal, ok bool) {
	if json.Unmarshal(body, &r) != nil {
		return refusal{}, false
	}
	return r, r.Error != ""
}

func (r refusal) text() string {
	parts := []string{r.Error}
	for _, p := range []string{r.Description, string(r.Parameters), string(r.Parameter)} {
		if p != "" && p != "null" {
			parts = append(parts, p)
		}
	}
	s := strings.ToValidUTF8(strings.Join(parts, ": "), "")
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[:500], "") + "…"
	}
	return s
}

func html(body []byte) bool {
	b := bytes.TrimSpace(body)
	return len(b) > 0 && b[0] == '<'
}
