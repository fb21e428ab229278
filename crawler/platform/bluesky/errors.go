package bluesky

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/transport"
)

// refusal is an error in the words of XRPC.
type refusal struct {
	Name    string `json:"error"`
	Message string `json:"message"`
}

// refused gives what an answer refuses with, or nil when it does not refuse. Of
// XRPC's errors most have status 400, whatever they say. Only its own words say
// anything about a record: HTML comes from something between us and the server.
func refused(reply *transport.Reply) (*connector.Error, refusal) {
	status := reply.Answer.Status
	if status == http.StatusOK {
		return nil, refusal{}
	}
	var said refusal
	spoke := json.Unmarshal(reply.Body, &said) == nil && said.Name != ""
	e := &connector.Error{Class: said.class(status, spoke), Status: status, AnswerSHA: reply.Answer.SHA, Message: said.Name}
	if said.Message != "" && said.Message != said.Name {
		e.Message += ": " + said.Message
	}
	if e.Class == connector.Throttled {
		e.After = max(reply.RetryAfter, parseAllowance(reply).wait)
	}
	if !spoke {
		e.Message = fmt.Sprintf("the server answered %d without saying why", status)
	}
	return e, said
}

func (r refusal) class(status int, spoke bool) connector.Class {
	switch {
	case status == http.StatusTooManyRequests || r.Name == "RateLimitExceeded":
		return connector.Throttled
	case status == http.StatusNotImplemented && spoke:
		return connector.Refused
	case status >= 500 || !spoke:
		return connector.Transient
	case r.absent():
		return connector.Vanished
	}
	switch r.Name {
	case "ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired", "AuthRequired":
		return connector.BadToken
	case "RepoTakendown", "RepoSuspended", "RepoDeactivated", "AccountTakedown", "AccountDeactivated", "BlockedActor", "BlockedByActor":
		return connector.Permission
	}
	switch status {
	case http.StatusUnauthorized:
		return connector.BadToken
	case http.StatusForbidden:
		return connector.Permission
	}
	return connector.Refused
}

// absent reports whether a record is said not to exist. The AppView has no name
// for this error, only words.
func (r refusal) absent() bool {
	return r.Name == "RecordNotFound" || r.Name == "NotFound" ||
		r.Name == "InvalidRequest" && strings.HasPrefix(r.Message, "Could not locate record")
}

// allowance is how many calls are left at one server, as it reports it.
type allowance struct {
	limit, left int
	known       bool
	wait        time.Duration // until it is renewed
}

// parseAllowance reads the rate limit headers, which not every server sends.
func parseAllowance(reply *transport.Reply) allowance {
	limit, err1 := strconv.Atoi(reply.Header.Get("RateLimit-Limit"))
	left, err2 := strconv.Atoi(reply.Header.Get("RateLimit-Remaining"))
	if err1 != nil || err2 != nil || limit <= 0 || left < 0 {
		return allowance{}
	}
	a := allowance{limit: limit, left: min(left, limit), known: true}
	if reset, err := strconv.ParseInt(reply.Header.Get("RateLimit-Reset"), 10, 64); err == nil && reset > 0 && reset < 1<<40 {
		a.wait = min(max(0, time.Unix(reset, 0).Sub(reply.Answer.FetchedAt)), 24*time.Hour)
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
