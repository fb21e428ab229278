package hook

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"strings"
)

// mostAccounts bounds how many accounts one notice may name.
const mostAccounts = 1000

// about makes the verdict of a notice that names accounts, or none.
func about(ids ...string) Verdict {
	var v Verdict
	seen := map[string]bool{"": true}
	for _, id := range ids {
		if !seen[id] && len(id) <= 200 && len(v.Accounts) < mostAccounts {
			seen[id] = true
			v.Accounts = append(v.Accounts, id)
		}
	}
	v.All = len(v.Accounts) == 0
	return v
}

// account is an id, written as a text or as a whole number. Of another type it
// is empty.
type account string

// UnmarshalJSON fails on nothing.
func (a *account) UnmarshalJSON(b []byte) error {
	*a = ""
	var s string
	switch {
	case len(b) > 0 && b[0] == '"':
		if json.Unmarshal(b, &s) == nil {
			*a = account(s)
		}
	case strings.Trim(string(b), "0123456789") == "":
		*a = account(b)
	}
	return nil
}

// isObject reports whether a body is one JSON object, and no other JSON: what
// signs a notice must not be had by asking for the signature of a bare word.
func isObject(body []byte) bool {
	b := bytes.TrimLeft(body, " \t\r\n")
	return len(b) > 0 && b[0] == '{' && json.Valid(b)
}

// unclear is the verdict on a notice that is rightly signed and not as
// documented: something happened.
var unclear = Verdict{All: true}

// metaNotice reads a notice of Meta: an object of the kind subscribed to, with
// entries by account. Threads sends some of its own shape, with the owner of
// the thread inside.
func metaNotice(body []byte, kind string) Verdict {
	var n struct {
		Object string `json:"object"`
		Entry  []struct {
			ID account `json:"id"`
		} `json:"entry"`
		Values struct {
			Value struct {
				Root struct {
					Owner account `json:"owner_id"`
				} `json:"root_post"`
			} `json:"value"`
		} `json:"values"`
	}
	if !isObject(body) {
		return refused
	}
	// One app may send what concerns its other accounts to the same address.
	if json.Unmarshal(body, &n) != nil || n.Object != "" && n.Object != kind {
		return unclear
	}
	ids := []string{string(n.Values.Value.Root.Owner)}
	for _, e := range n.Entry {
		ids = append(ids, string(e.ID))
	}
	return about(ids...)
}

// xNotice reads a notice of the Account Activity API (for_user_id) or of the X
// Activity API (data.filter.user_id).
func xNotice(body []byte) Verdict {
	var n struct {
		User account `json:"for_user_id"`
		Data struct {
			Filter struct {
				User account `json:"user_id"`
			} `json:"filter"`
		} `json:"data"`
	}
	if !isObject(body) {
		return refused
	}
	if json.Unmarshal(body, &n) != nil {
		return unclear
	}
	return about(string(n.User), string(n.Data.Filter.User))
}

// mastodonNotice reads a notice of a server about any account on it: who wrote
// a post, whom it answers, and whom it names.
func mastodonNotice(body []byte) Verdict {
	var n struct {
		Event  string `json:"event"`
		Object struct {
			ID      account `json:"id"`
			Replied account `json:"in_reply_to_account_id"`
			Account struct {
				ID account `json:"id"`
			} `json:"account"`
			Mentions []struct {
				ID account `json:"id"`
			} `json:"mentions"`
		} `json:"object"`
	}
	if !isObject(body) {
		return refused
	}
	if json.Unmarshal(body, &n) != nil {
		return unclear // a template of the server's own
	}
	ids := []string{string(n.Object.Account.ID), string(n.Object.Replied)}
	if strings.HasPrefix(n.Event, "account.") {
		ids = append(ids, string(n.Object.ID))
	}
	for _, m := range n.Object.Mentions {
		ids = append(ids, string(m.ID))
	}
	return about(ids...)
}

// The namespaces in a notice of YouTube.
const (
	atomSpace    = "http://www.w3.org/2005/Atom"
	youtubeSpace = "http://www.youtube.com/xml/schemas/2015"
	tombSpace    = "http://purl.org/atompub/tombstones/1.0" // RFC 6721
)

// youtubeNotice reads an Atom feed. A video names its channel; a video that was
// deleted or made private (at:deleted-entry) names it in an address, or not at
// all.
func youtubeNotice(body []byte) Verdict {
	d := xml.NewDecoder(bytes.NewReader(body))
	var ids []string
	var path []xml.Name
	feed := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && feed {
			return about(ids...)
		}
		if err != nil {
			return refused
		}
		switch x := token.(type) {
		case xml.StartElement:
			if len(path) == 0 {
				if x.Name != (xml.Name{Space: atomSpace, Local: "feed"}) {
					return refused
				}
				feed = true
			}
			if path = append(path, x.Name); len(path) > 50 {
				return refused
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) < 2 || len(ids) > 2*mostAccounts {
				continue
			}
			text := strings.TrimSpace(string(x))
			switch here, above := path[len(path)-1], path[len(path)-2]; {
			case here == xml.Name{Space: youtubeSpace, Local: "channelId"}:
				ids = append(ids, text)
			case here.Local == "uri" && above == xml.Name{Space: tombSpace, Local: "by"}:
				if u, err := url.Parse(text); err == nil {
					if id, ok := strings.CutPrefix(u.Path, "/channel/"); ok {
						ids = append(ids, strings.TrimSuffix(id, "/"))
					}
				}
			}
		}
	}
}
