package graph

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
)

// Page is one page of a listing.
type Page struct {
	Entries []json.RawMessage
	More    bool       // the platform says that there is another page
	Next    url.Values // what to add to the same call to get it
	After   string     // the cursor behind the last entry, given on last pages too
}

// DecodePage reads one page of a listing. Nothing but a listing passes for one:
// an answer without the field is not an empty listing.
func DecodePage(body []byte) (Page, error) {
	var raw struct {
		Data   *[]json.RawMessage `json:"data"`
		Paging *struct {
			Cursors struct {
				After string `json:"after"`
			} `json:"cursors"`
			Next string `json:"next"`
		} `json:"paging"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return Page{}, &connector.Error{Class: connector.Transient, Message: "the listing is not whole JSON: " + err.Error(), Cause: err}
	}
	if raw.Data == nil {
		return Page{}, &connector.Error{Class: connector.Refused, Message: "the answer is no listing"}
	}
	p := Page{Entries: *raw.Data}
	if raw.Paging != nil {
		p.After = raw.Paging.Cursors.After
		if raw.Paging.Next != "" {
			p.More, p.Next = true, nextPage(p.After, raw.Paging.Next)
		}
	}
	return p, nil
}

// pagingParams are the only ones taken from a "next" address, and only when
// the answer has no cursor: everything else in it (host, path, token, fields)
// is ours to decide.
var pagingParams = []string{"until", "since", "__paging_token", "after", "offset"}

func nextPage(after, next string) url.Values {
	if after != "" {
		return url.Values{"after": {after}}
	}
	out := url.Values{}
	u, err := url.Parse(next)
	if err != nil {
		return out
	}
	for _, name := range pagingParams {
		if v := u.Query().Get(name); v != "" {
			out.Set(name, v)
		}
	}
	return out
}

// Decode reads an answer that is one object. What it decodes into must be
// checked for an id by the caller.
func Decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return &connector.Error{Class: connector.Transient, Message: "the object is not understood: " + err.Error(), Cause: err}
	}
	return nil
}

// ID is an id, which the platforms write as a string and sometimes as a number.
type ID string

// UnmarshalJSON implements json.Unmarshaler.
func (id *ID) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] != '"' {
		var n json.Number
		if err := json.Unmarshal(b, &n); err != nil {
			return err
		}
		*id = ID(n)
		return nil
	}
	return json.Unmarshal(b, (*string)(id))
}

// Ref is a thing that another one points to.
type Ref struct {
	ID       ID     `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username"`
}

// graphTime is the time form of the platforms, which is not RFC 3339.
const graphTime = "2006-01-02T15:04:05-0700"

// Time reads a time; zero when it is not said, or not in a form we know (the
// verbatim answer has it).
func Time(s string) time.Time {
	for _, form := range []string{graphTime, time.RFC3339} {
		if t, err := time.Parse(form, s); err == nil && t.UTC().Year() > 1 && t.UTC().Year() < 10000 {
			return candor.Moment(t)
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 && n < 1<<36 { // Unix seconds
		return candor.Moment(time.Unix(n, 0))
	}
	return time.Time{}
}

// StableURL is the part of a media address that stays the same from one answer
// to the next. The media hosts are interchangeable and chosen anew for each
// answer, and so is the signature behind "?"; taking another host for an edit
// would fill the archive with edits nobody made. Addresses elsewhere are left
// alone.
func StableURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	label, _, _ := strings.Cut(u.Host, ".")
	name, _, _ := strings.Cut(label, "-")
	switch {
	case name != "scontent" && name != "video" && name != "instagram":
		return u.String()
	case strings.HasSuffix(u.Host, ".cdninstagram.com"), name == "instagram" && strings.HasSuffix(u.Host, ".fbcdn.net"):
		u.Host = "scontent.cdninstagram.com"
	case strings.HasSuffix(u.Host, ".fbcdn.net"):
		u.Host = name + ".xx.fbcdn.net"
	default:
		return u.String()
	}
	u.RawQuery, u.Fragment = "", ""
	return u.String()
}

// Attachment makes an attachment of an address that the API gave for its
// bytes. Where it gave none, the attachment stands at link, the page that shows
// it, and says why its bytes are missing.
func Attachment(kind, address, link, alt, failure string) (a candor.Attachment, fetch string) {
	a = candor.Attachment{ID: candor.NewID(), Type: kind, Alt: alt}
	if fetch = connector.WebURL(address); fetch != "" {
		a.URL = StableURL(fetch)
	} else {
		a.URL, a.Failure = connector.WebURL(link), failure
	}
	return a, fetch
}
