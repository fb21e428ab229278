package connector

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/transport"
)

// Caller makes the calls of a connector and keeps every answer.
type Caller struct {
	Visit   *transport.Visit
	Objects transport.Objects
	Header  http.Header // sent with each call; where the token goes, since addresses are logged
}

// Call asks for an address and keeps the answer, whatever its status. An
// *Error of class Transient says that there was none or that it was cut; any
// other error is trouble of ours.
func (c *Caller) Call(ctx context.Context, address string) (*transport.Reply, error) {
	reply, err := c.Visit.Get(ctx, address, c.Header)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, &Error{Class: Transient, Message: err.Error(), Cause: err}
	}
	if err := c.Visit.Keep(ctx, c.Objects, reply); err != nil {
		return nil, err
	}
	if reply.Answer.Truncated {
		return nil, &Error{Class: Transient, Message: "the answer is larger than the limit", Status: reply.Answer.Status, AnswerSHA: reply.Answer.SHA}
	}
	return reply, nil
}

// Media fetches the bytes of an attachment, without credentials: a media
// address is not the API's. A failure is written into the attachment; an error
// means that the poll cannot go on.
func (c *Caller) Media(ctx context.Context, a *candor.Attachment, from string) error {
	reply, err := c.Visit.Fetch(ctx, from)
	switch {
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		a.Failure = err.Error()
		return nil
	case reply.Answer.Status != http.StatusOK:
		a.Failure = fmt.Sprintf("the server answered %d", reply.Answer.Status)
		return nil
	case reply.Answer.Truncated:
		a.Failure = "larger than the limit for one file"
		return nil
	}
	sha, size, err := c.Objects.PutObject(ctx, bytes.NewReader(reply.Body))
	if err != nil {
		return fmt.Errorf("keep attachment: %w", err)
	}
	a.SHA, a.Size, a.MediaType = sha, size, mediaType(reply)
	return nil
}

func mediaType(r *transport.Reply) string {
	if t, _, _ := strings.Cut(r.Answer.MediaType, ";"); t != "" && t != "application/octet-stream" {
		return strings.TrimSpace(t)
	}
	return http.DetectContentType(r.Body)
}

// Base reads the address of an API, or the platform's own when it is empty.
func Base(address, own string) (*url.URL, error) {
	if address == "" {
		address = own
	}
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, candor.Errorf(candor.Invalid, "the API address %q is not a web address", address)
	}
	return u, nil
}

// WebURL gives an address back if it is one of the web, else "".
func WebURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return u.String()
}

// Time reads a time in the form of RFC 3339; zero when it is not said, or not in
// that form, or absurd. The verbatim answer has it all the same.
func Time(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if year := t.UTC().Year(); err != nil || year <= 1 || year > 9999 {
		return time.Time{}
	}
	return candor.Moment(t)
}
