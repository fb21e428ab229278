package facebook

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/candor-archive/candor/crawler/connector"
)

// Error is a refusal of the Graph API, with its code and subcode.
type Error = connector.Error

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
	class := connector.Refused
	switch {
	case status == http.StatusTooManyRequests:
		class = connector.Throttled
	case status >= 500:
		class = connector.Transient
	}
	// An answer of another shape may come from something between us and the
	// platform: it says nothing about the object.
	return &Error{Class: class, Status: status, Message: fmt.Sprintf("the server answered %d without saying why", status)}
}

func classify(code, subcode int, transient bool, status int) connector.Class {
	switch code {
	case 4, 17, 32, 613, 80001, 80002:
		return connector.Throttled
	case 190, 102, 104:
		return connector.BadToken
	case 100:
		if subcode == 33 {
			return connector.Vanished
		}
	case 1, 2:
		return connector.Transient
	}
	switch {
	case transient:
		return connector.Transient
	case code == 10 || (code >= 200 && code <= 299):
		return connector.Permission
	case status == http.StatusTooManyRequests:
		return connector.Throttled
	case status >= 500 && code == 0:
		return connector.Transient
	}
	return connector.Refused
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
