package youtube

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/candor-archive/candor/crawler/connector"
)

// reason is the word by which the API names a refusal. It is the cause of the
// connector.Error, since the number the API gives is only the status of HTTP.
type reason string

func (r reason) Error() string { return string(r) }

// says reports whether an error is the API's refusal with this reason.
func says(err error, want reason) bool {
	var got reason
	return errors.As(err, &got) && got == want
}

// short is how long to stay away when calls came too fast and the answer names
// no time.
const short = time.Minute

// decodeError gives what an answer refuses with, or nil when it does not
// refuse. An error envelope counts whatever the status is. at is when the
// answer came.
func decodeError(status int, body []byte, at time.Time) *connector.Error {
	var envelope struct {
		Error *struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
			Status  string `json:"status"`
			Errors  []struct {
				Reason  string `json:"reason"`
				Message string `json:"message"`
			} `json:"errors"`
			Details []struct {
				Reason string `json:"reason"`
			} `json:"details"`
		} `json:"error"`
	}
	err := json.Unmarshal(body, &envelope)
	if err == nil && envelope.Error != nil {
		e := envelope.Error
		var reasons []string
		for _, d := range e.Details { // the newer and more exact place
			reasons = append(reasons, d.Reason)
		}
		for _, x := range e.Errors {
			reasons = append(reasons, x.Reason)
		}
		if e.Code >= 400 && e.Code <= 599 {
			status = e.Code // the envelope's own, in case something between changed the outer one
		}
		out := &connector.Error{Class: classify(status, e.Status, reasons), Code: e.Code, Status: status, Message: plain(e.Message)}
		if r := leading(reasons); r != "" {
			out.Cause, out.Message = reason(r), r+": "+out.Message
		}
		if out.Class == connector.Throttled {
			out.After = short
			if daily(reasons) {
				out.After = untilReset(at)
			}
		}
		return out
	}
	switch {
	case status == http.StatusTooManyRequests:
		return &connector.Error{Class: connector.Throttled, Status: status, After: short, Message: "the server answered 429 without saying why"}
	case status == http.StatusUnauthorized && json.Valid(body):
		return &connector.Error{Class: connector.BadToken, Status: status, Message: "the server answered 401 without saying why"}
	case err != nil || status != http.StatusOK:
		// Not the API speaks but something between us and it: nothing is learnt.
		return &connector.Error{Class: connector.Transient, Status: status, Message: fmt.Sprintf("the server answered %d with something else than the API's answers", status)}
	}
	return nil
}

// leading picks the reason that a refusal is known by.
func leading(reasons []string) string {
	for _, r := range reasons {
		if r != "" {
			return r
		}
	}
	return ""
}

func classify(status int, name string, reasons []string) connector.Class {
	for _, r := range reasons {
		switch r {
		case "quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg",
			"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED":
			return connector.Throttled
		case "keyInvalid", "keyExpired", "authError", "API_KEY_INVALID", "ACCESS_TOKEN_EXPIRED":
			return connector.BadToken
		case "processingFailure", "backendError", "internalError":
			return connector.Transient
		}
	}
	switch {
	case status == http.StatusUnauthorized || name == "UNAUTHENTICATED":
		return connector.BadToken
	case status == http.StatusTooManyRequests || name == "RESOURCE_EXHAUSTED":
		return connector.Throttled
	case status == http.StatusForbidden || name == "PERMISSION_DENIED":
		return connector.Permission
	case status == http.StatusNotFound && strings.HasSuffix(strings.ToLower(leading(reasons)), "notfound"):
		return connector.Vanished
	case status >= 500:
		return connector.Transient
	}
	return connector.Refused
}

func daily(reasons []string) bool {
	for _, r := range reasons {
		if r == "quotaExceeded" || strings.HasPrefix(r, "dailyLimitExceeded") {
			return true
		}
	}
	return false
}

// untilReset is how long it is until the allowance is renewed: at midnight of
// the Pacific coast of the United States.
func untilReset(at time.Time) time.Duration {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		zone = time.FixedZone("PST", -8*3600) // at most an hour too long
	}
	y, m, d := at.In(zone).Date()
	return max(time.Date(y, m, d+1, 0, 0, 0, 0, zone).Sub(at), short)
}

var tag = regexp.MustCompile(`<[^<>]*>`)

// plain drops the links that some messages hold.
func plain(message string) string { return strings.TrimSpace(tag.ReplaceAllString(message, "")) }
