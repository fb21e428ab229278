package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
)

// DecodeError gives what an answer refuses with, or nil when it does not
// refuse. An error envelope counts whatever the status is, and whatever stands
// beside it.
func DecodeError(status int, body []byte) *connector.Error {
	var envelope struct {
		Error *struct {
			Message   string `json:"message"`
			Code      int    `json:"code"`
			Subcode   int    `json:"error_subcode"`
			Transient bool   `json:"is_transient"`
		} `json:"error"`
	}
	err := json.Unmarshal(body, &envelope)
	if err == nil && envelope.Error != nil {
		e := envelope.Error
		return &connector.Error{Class: classify(e.Code, e.Subcode, e.Transient, status), Code: e.Code, Subcode: e.Subcode, Status: status, Message: e.Message}
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
	return &connector.Error{Class: class, Status: status, Message: fmt.Sprintf("the server answered %d without saying why", status)}
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

// NotOffered reports whether an edge was refused because there is none of the
// kind, which is nothing to report. The same code is used for a missing
// permission, which is, and is told apart by its wording.
func NotOffered(err error) bool {
	var e *connector.Error
	if !errors.As(err, &e) || e.Class != connector.Refused || e.Code != 100 && e.Code != 2500 {
		return false
	}
	words := strings.ToLower(e.Message)
	return !strings.Contains(words, "permission") && !strings.Contains(words, "requires")
}

// Closed reports whether the platform refused an edge to us for good reasons
// of its own, in its own error envelope: trying again will not help.
func Closed(err error) bool {
	var e *connector.Error
	return errors.As(err, &e) && e.Code != 0 && !e.Stops()
}

// Standing is what a refused look-up says of the one object. ok is false when
// the error says nothing about any object.
func Standing(err error) (s sighting.Standing, sha string, ok bool) {
	var e *connector.Error
	if !errors.As(err, &e) || e.Stops() {
		return sighting.Unclear, "", false
	}
	switch e.Class {
	case connector.Vanished:
		return sighting.Gone, e.AnswerSHA, true
	case connector.Permission:
		return sighting.Denied, e.AnswerSHA, true
	}
	return sighting.Unclear, e.AnswerSHA, true
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

// ParseUsage reads the usage headers. A header of another shape counts as not
// sent: it only ever makes us slower, never wrong.
func ParseUsage(h http.Header) Usage {
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
