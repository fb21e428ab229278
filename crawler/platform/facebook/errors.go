package facebook

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Class sorts refusals by what can be done about them.
type Class string

// The classes.
const (
	Throttled  Class = "throttled"  // come back later; calls made meanwhile count too
	BadToken   Class = "token"      // the token is expired, revoked or wrong
	Permission Class = "permission" // the token may not read this
	Vanished   Class = "gone"       // 100/33: deleted, or not visible to this token
	Transient  Class = "transient"  // may work next time
	Refused    Class = "refused"    // anything else
)

// Error is an answer that is not what was asked for.
type Error struct {
	Class     Class
	Code      int
	Subcode   int
	Status    int // of HTTP
	Message   string
	After     time.Duration // the platform's wish how long to stay away; 0 when it has none
	AnswerSHA string
	cause     error
}

func (e *Error) Error() string {
	if e.Code == 0 {
		return fmt.Sprintf("%s: %s", e.Class, e.Message)
	}
	return fmt.Sprintf("%s (code %d/%d): %s", e.Class, e.Code, e.Subcode, e.Message)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Stops reports whether further calls in this poll would learn nothing
// reliable.
func (e *Error) Stops() bool {
	return e.Class == Throttled || e.Class == BadToken || e.Class == Transient
}

// Hopeless reports whether every further call will end the same way, so that
// the poll must end here.
func (e *Error) Hopeless() bool { return e.Class == Throttled || e.Class == BadToken }

func asError(err error, target **Error) bool { return errors.As(err, target) }

// decodeError gives what an answer refuses with, or nil when it does not
// refuse. An error envelope counts whatever the status is.
func decodeError(status int, body []byte) *Error {
	var envelope struct {
		Error *struct {
			Message   string `json:"message"`
			Type      string `json:"type"`
			Code      int    `json:"code"`
			Subcode   int    `json:"error_subcode"`
			Transient bool   `json:"is_transient"`
		} `json:"error"`
	}
	err := json.Unmarshal(body, &envelope)
	if err == nil && envelope.Error != nil {
		e := envelope.Error
		return &Error{Class: classify(e.Code, e.Subcode, e.Transient, status), Code: e.Code, Subcode: e.Subcode, Status: status, Message: e.Message}
	}
	if status == http.StatusOK {
		return nil
	}
	class := Refused
	switch {
	case status == http.StatusTooManyRequests:
		class = Throttled
	case status >= 500:
		class = Transient
	}
	// An answer of another shape may come from something between us and the
	// platform: it says nothing about the object.
	return &Error{Class: class, Status: status, Message: fmt.Sprintf("the server answered %d without saying why", status)}
}

func classify(code, subcode int, transient bool, status int) Class {
	switch code {
	case 4, 17, 32, 613, 80001, 80002:
		return Throttled
	case 190, 102, 104:
		return BadToken
	case 100:
		if subcode == 33 {
			return Vanished
		}
	case 1, 2:
		return Transient
	}
	switch {
	case transient:
		return Transient
	case code == 10 || (code >= 200 && code <= 299):
		return Permission
	case status == http.StatusTooManyRequests:
		return Throttled
	case status >= 500 && code == 0:
		return Transient
	}
	return Refused
}

// Usage is how much of the allowance is used, as the platform reports it.
type Usage struct {
	Percent int           // of the fullest limit
	Regain  time.Duration // until calls are let through again; 0 while they are
}

// Exhausted reports whether another call would be refused, and be counted.
func (u Usage) Exhausted() bool { return u.Percent >= 98 || u.Regain > 0 }

func (u Usage) add(o Usage) Usage {
	return Usage{Percent: max(u.Percent, o.Percent), Regain: max(u.Regain, o.Regain)}
}

type usageCounts struct {
	CallCount    float64 `json:"call_count"`
	TotalTime    float64 `json:"total_time"`
	TotalCPUTime float64 `json:"total_cputime"`
	Regain       float64 `json:"estimated_time_to_regain_access"` // minutes
}

// parseUsage reads the usage headers. A header of another shape counts as not
// sent: it only ever makes us slower, never wrong.
func parseUsage(h http.Header) Usage {
	var u Usage
	add := func(c usageCounts) {
		minutes := min(max(c.Regain, 0), 7*24*60)
		u = u.add(Usage{
			Percent: int(min(max(c.CallCount, c.TotalTime, c.TotalCPUTime, 0), 1000)),
			Regain:  time.Duration(minutes * float64(time.Minute)),
		})
	}
	for _, name := range []string{"X-App-Usage", "X-Page-Usage"} {
		var c usageCounts
		if json.Unmarshal([]byte(h.Get(name)), &c) == nil {
			add(c)
		}
	}
	var business map[string][]usageCounts
	if json.Unmarshal([]byte(h.Get("X-Business-Use-Case-Usage")), &business) == nil {
		for _, list := range business {
			for _, c := range list {
				add(c)
			}
		}
	}
	return u
}
