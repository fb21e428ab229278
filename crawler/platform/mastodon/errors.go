package mastodon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/transport"
)

// refusal gives what an answer refuses with, or nil when it does not refuse.
// Only the API's own words, an object with "error", say anything about a
// status: a page of HTML comes from something between us and the server.
func refusal(reply *transport.Reply) *connector.Error {
	status := reply.Answer.Status
	if status == http.StatusOK {
		return nil
	}
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	spoke := json.Unmarshal(reply.Body, &said) == nil && said.Error != ""
	e := &connector.Error{Class: classify(status, spoke), Status: status, Message: said.Error, AnswerSHA: reply.Answer.SHA}
	switch {
	case status == http.StatusTooManyRequests:
		e.After = max(reply.RetryAfter, parseAllowance(reply).wait)
	case status >= 300 && status < 400:
		e.Message = "the server points to another address; set the API address to where it has moved"
		return e
	}
	if said.Description != "" {
		e.Message += ": " + said.Description
	}
	if !spoke {
		e.Message = fmt.Sprintf("the server answered %d without saying why", status)
	}
	return e
}

func classify(status int, spoke bool) connector.Class {
	switch {
	case status == http.StatusTooManyRequests:
		return connector.Throttled
	case status >= 300 && status < 400:
		return connector.Refused
	case status >= 500 || !spoke:
		return connector.Transient
	case status == http.StatusUnauthorized:
		return connector.BadToken
	case status == http.StatusForbidden:
		return connector.Permission
	case status == http.StatusNotFound || status == http.StatusGone:
		return connector.Vanished
	}
	return connector.Refused
}

// allowance is how many calls are left, as the server reports it.
type allowance struct {
	limit, left int
	known       bool
	wait        time.Duration // until it is renewed
}

// parseAllowance reads the rate limit headers. Headers of another shape count
// as not sent: they only ever make us slower, never wrong.
func parseAllowance(reply *transport.Reply) allowance {
	limit, err1 := strconv.Atoi(reply.Header.Get("X-RateLimit-Limit"))
	left, err2 := strconv.Atoi(reply.Header.Get("X-RateLimit-Remaining"))
	if err1 != nil || err2 != nil || limit <= 0 || left < 0 {
		return allowance{}
	}
	a := allowance{limit: limit, left: min(left, limit), known: true}
	if reset := connector.Time(reply.Header.Get("X-RateLimit-Reset")); reset.After(reply.Answer.FetchedAt) {
		a.wait = min(reset.Sub(reply.Answer.FetchedAt), 24*time.Hour)
	}
	return a
}

// used is the share that is used, in percent.
func (a allowance) used() int {
	if !a.known {
		return 0
	}
	return 100 - a.left*100/a.limit
}
