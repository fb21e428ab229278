package x

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/candor-archive/candor/crawler/connector"
)

// problem is an error of the API: a problem document (RFC 9457) that is the
// whole answer, or one of the "errors" beside its data.
type problem struct {
	Type       string `json:"type"`
	Title      string `json:"title"`
	Detail     string `json:"detail"`
	Status     int    `json:"status"`
	Reason     string `json:"reason"`
	Message    string `json:"message"` // of the older form, with Code
	Code       int    `json:"code"`
	Parameter  string `json:"parameter"`
	ResourceID string `json:"resource_id"`
	Value      any    `json:"value"`
}

// problems reads errors one by one: one that is not understood still counts.
type problems []problem

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (l *problems) UnmarshalJSON(b []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil {
		list = []json.RawMessage{b}
	}
	for _, raw := range list {
		var p problem
		if json.Unmarshal(raw, &p) != nil {
			p = problem{Title: "an error that is not understood"}
		}
		*l = append(*l, p)
	}
	return nil
}

// kind is the last part of the type, which is an address whose host has
// changed before.
func (p problem) kind() string { return p.Type[strings.LastIndexByte(p.Type, '/')+1:] }

// about reports whether the error is about this id.
func (p problem) about(id string) bool {
	v, _ := p.Value.(string)
	return p.ResourceID == id || p.ResourceID == "" && v == id
}

// notFound reports whether the API says that something does not exist. A
// suspended user has the same type with the title "Forbidden".
func (p problem) notFound() bool {
	return p.kind() == "resource-not-found" && p.Title == "Not Found Error"
}

func (p problem) unauthorized() bool {
	return p.kind() == "not-authorized-for-resource" || p.Title == "Authorization Error"
}

// aside reports whether the error is about something that is merely mentioned:
// the name of an expansion says by whom. Media are not, since they belong to
// the post.
func (p problem) aside() bool {
	switch p.Parameter {
	case "referenced_tweets.id", "author_id", "in_reply_to_user_id", "edit_history_tweet_ids", "entities.mentions.username":
		return true
	}
	return false
}

func (p problem) String() string {
	for _, s := range []string{p.Detail, p.Message, p.Title, p.Reason} {
		if s != "" {
			return s
		}
	}
	return "no reason given"
}

// How long to stay away when the answer names no time.
const (
	shortStay = 15 * time.Minute // a window of the rate limits
	longStay  = time.Hour        // a month's cap, or an empty purse
)

// decodeError gives what an answer refuses with, or nil when it does not
// refuse. at is when it came. Errors beside data are not refusals.
func decodeError(status int, header http.Header, body []byte, at time.Time) *connector.Error {
	var envelope struct {
		problem
		Errors   problems        `json:"errors"`
		Data     json.RawMessage `json:"data"`
		Meta     json.RawMessage `json:"meta"`
		Includes json.RawMessage `json:"includes"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		switch {
		case status == http.StatusTooManyRequests:
			return &connector.Error{Class: connector.Throttled, Status: status, Message: "the server answered 429 without saying why", After: wait(header, at, shortStay)}
		case status == http.StatusUnauthorized && !bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")):
			return &connector.Error{Class: connector.BadToken, Status: status, Message: "the server answered 401"}
		}
		// Not the API speaks but something between us and it: nothing is learnt.
		return &connector.Error{Class: connector.Transient, Status: status, Message: fmt.Sprintf("the server answered %d with something else than the API's answers", status)}
	}
	p := envelope.problem
	whole := p.Title != "" || p.Type != "" // the problem is the answer
	if status == http.StatusOK && (!whole || envelope.Data != nil || envelope.Meta != nil) {
		return nil
	}
	if !whole && len(envelope.Errors) > 0 {
		p = envelope.Errors[0]
	} else if len(envelope.Errors) > 0 && envelope.Errors[0].Message != "" {
		p.Detail += " " + envelope.Errors[0].Message
	}
	if status == http.StatusOK && p.Status != 0 {
		status = p.Status
	}
	e := &connector.Error{Class: classify(status, p), Code: p.Code, Status: status, Message: p.String()}
	if e.Class == connector.Throttled {
		stay := shortStay
		if p.kind() == "usage-capped" || status == http.StatusPaymentRequired {
			stay = longStay
		}
		e.After = wait(header, at, stay)
	}
	return e
}

func classify(status int, p problem) connector.Class {
	switch p.kind() {
	case "usage-capped":
		return connector.Throttled
	case "client-forbidden", "unsupported-authentication", "not-authorized-for-resource":
		return connector.Permission
	}
	switch p.Code {
	case 88:
		return connector.Throttled
	case 32, 89:
		return connector.BadToken
	}
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusPaymentRequired:
		return connector.Throttled
	case status == http.StatusUnauthorized:
		return connector.BadToken
	case status == http.StatusForbidden:
		return connector.Permission
	case status >= 500:
		return connector.Transient
	}
	return connector.Refused
}

// wait is how long it is until the limit of an endpoint is renewed.
func wait(header http.Header, at time.Time, otherwise time.Duration) time.Duration {
	reset, err := strconv.ParseInt(header.Get("X-Rate-Limit-Reset"), 10, 64)
	if err != nil {
		return otherwise
	}
	d := time.Unix(reset, 0).Sub(at)
	if d <= 0 || d > 31*24*time.Hour {
		return otherwise
	}
	return d
}

// allowance is one endpoint's, as the headers of its last answer tell it.
type allowance struct {
	percent int           // used
	regain  time.Duration // until calls are let through again; 0 while they are
}

// parseAllowance reads the headers of the rate limit. Headers of another shape
// count as not sent.
func parseAllowance(header http.Header, at time.Time) allowance {
	limit, err1 := strconv.Atoi(header.Get("X-Rate-Limit-Limit"))
	left, err2 := strconv.Atoi(header.Get("X-Rate-Limit-Remaining"))
	if err1 != nil || err2 != nil || limit <= 0 || left > limit || left < 0 {
		return allowance{}
	}
	a := allowance{percent: int(100 * (float64(limit) - float64(left)) / float64(limit))}
	if left == 0 {
		a.regain = wait(header, at, shortStay)
	}
	return a
}
