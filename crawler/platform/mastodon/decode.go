package mastodon

import (
	"encoding/json"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
)

// status is a post or an answer. Fields that are not here stay in the verbatim
// answer.
type status struct {
	ID             string          `json:"id"`
	URI            string          `json:"uri"`
	URL            string          `json:"url"`
	Created        string          `json:"created_at"`
	Edited         string          `json:"edited_at"`
	ReplyTo        string          `json:"in_reply_to_id"`
	ReplyToAccount string          `json:"in_reply_to_account_id"`
	Visibility     string          `json:"visibility"`
	Language       string          `json:"language"`
	Account        account         `json:"account"`
	Reblog         json.RawMessage `json:"reblog"`
	Replies        *int            `json:"replies_count"`
	wording
}

// wording is what an edit changes. It is the same in a status and in its
// history.
type wording struct {
	Content string  `json:"content"`
	Spoiler string  `json:"spoiler_text"`
	Media   []media `json:"media_attachments"`
	Poll    *struct {
		Options []struct {
			Title string `json:"title"`
		} `json:"options"`
	} `json:"poll"`
}

type account struct {
	ID       string `json:"id"`
	Acct     string `json:"acct"`
	Username string `json:"username"`
	Name     string `json:"display_name"`
	URL      string `json:"url"`
}

type media struct {
	Type        string `json:"type"`
	URL         string `json:"url"`
	RemoteURL   string `json:"remote_url"`
	Description string `json:"description"`
}

// edit is one entry of a history.
type edit struct {
	Created string `json:"created_at"`
	wording
}

// idForm is the form of ids: numbers on Mastodon, ULIDs on GoToSocial, letters
// and digits elsewhere. Ids become part of addresses.
var idForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

func unreadable(what string, err error) error {
	return &connector.Error{Class: connector.Transient, Message: what + " is not understood: " + err.Error(), Cause: err}
}

func decodeStatus(body []byte) (status, error) {
	var s status
	if err := json.Unmarshal(body, &s); err != nil {
		return status{}, unreadable("the status", err)
	}
	if !idForm.MatchString(s.ID) {
		return status{}, &connector.Error{Class: connector.Refused, Message: "the status has no id"}
	}
	if !idForm.MatchString(s.ReplyTo) || s.ReplyTo == s.ID {
		s.ReplyTo = ""
	}
	return s, nil
}

// decodeStatuses reads a list. skipped counts entries that were not understood;
// n is how many there were.
func decodeStatuses(body []byte) (list []status, n, skipped int, err error) {
	var raw *[]json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, 0, 0, unreadable("the listing", err)
	}
	if raw == nil {
		return nil, 0, 0, &connector.Error{Class: connector.Refused, Message: "the answer is no listing"}
	}
	list, skipped = statuses(*raw)
	return list, len(*raw), skipped, nil
}

func statuses(raw []json.RawMessage) (list []status, skipped int) {
	for _, entry := range raw {
		s, err := decodeStatus(entry)
		if err != nil {
			skipped++
			continue
		}
		list = append(list, s)
	}
	return list, skipped
}

// decodeContext reads what is above and below a status. What is not understood
// counts only below.
func decodeContext(body []byte) (above, below []status, skipped int, err error) {
	var raw struct {
		Ancestors   []json.RawMessage  `json:"ancestors"`
		Descendants *[]json.RawMessage `json:"descendants"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, nil, 0, unreadable("the thread", err)
	}
	if raw.Descendants == nil {
		return nil, nil, 0, &connector.Error{Class: connector.Refused, Message: "the answer is no thread"}
	}
	above, _ = statuses(raw.Ancestors)
	below, skipped = statuses(*raw.Descendants)
	return above, below, skipped, nil
}

func decodeHistory(body []byte) ([]edit, error) {
	var list []edit
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, unreadable("the history", err)
	}
	return list, nil
}

func decodeAccount(body []byte) (connector.Profile, error) {
	var a account
	if err := json.Unmarshal(body, &a); err != nil {
		return connector.Profile{}, unreadable("the account", err)
	}
	if !idForm.MatchString(a.ID) {
		return connector.Profile{}, &connector.Error{Class: connector.Refused, Message: "the account has no id"}
	}
	return connector.Profile{ID: a.ID, Name: a.name(), Username: a.Acct, Link: connector.WebURL(a.URL)}, nil
}

func (a account) name() string {
	for _, s := range []string{a.Name, a.Acct, a.Username} {
		if s != "" {
			return s
		}
	}
	return ""
}

// nextMaxID finds where a listing goes on, in the Link header (RFC 8288). Only
// the cursor is taken: the rest of the address is ours to decide.
func nextMaxID(header string) string {
	for _, entry := range strings.Split(header, ",") {
		target, params, _ := strings.Cut(entry, ";")
		target = strings.TrimSpace(target)
		if !strings.Contains(strings.ReplaceAll(params, `"`, ""), "rel=next") || !strings.HasPrefix(target, "<") {
			continue
		}
		u, err := url.Parse(strings.Trim(target, "<>"))
		if err != nil {
			continue
		}
		if id := u.Query().Get("max_id"); idForm.MatchString(id) {
			return id
		}
	}
	return ""
}

// older compares ids of one server, which grow with time.
func older(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

// item makes the sighting of a status that belongs to the thread of root.
func (c *Client) item(s status, root, sha, how string) sighting.Item {
	it := sighting.Item{
		UID: s.ID, RootUID: root, ParentUID: s.ReplyTo, Kind: candor.Reply,
		AuthorID: s.Account.ID, Author: s.Account.name(), ByAgency: s.Account.ID != "" && s.Account.ID == c.accountID,
		URL: connector.WebURL(s.URL), Language: primary(s.Language), PostedAt: connector.Time(s.Created), UpdatedAt: connector.Time(s.Edited),
		State: state(s.Visibility), AnswerSHA: sha, How: how,
	}
	switch {
	case s.ReplyTo == "" && s.ReplyToAccount == "" && root == s.ID:
		it.Kind = candor.Post
	case s.ReplyTo == root && root != s.ID:
		it.Kind = candor.Comment
	}
	if it.URL == "" {
		it.URL = connector.WebURL(s.URI)
	}
	s.wording.into(&it)
	return it
}

// into fills in what an edit changes.
func (w wording) into(it *sighting.Item) {
	text, links := readable(w.Content)
	lines := []string{}
	if w.Spoiler != "" {
		lines = append(lines, w.Spoiler)
	}
	if text != "" {
		lines = append(lines, text)
	}
	if w.Poll != nil {
		for _, o := range w.Poll.Options {
			lines = append(lines, o.Title)
		}
	}
	it.Text, it.HTML = strings.Join(lines, "\n"), w.Content
	it.Attachments, it.Fetch = nil, nil
	add := func(a candor.Attachment, from string) {
		a.ID, a.N = candor.NewID(), len(it.Attachments)+1
		it.Attachments, it.Fetch = append(it.Attachments, a), append(it.Fetch, from)
	}
	for _, m := range w.Media {
		from, stays := connector.WebURL(m.URL), connector.WebURL(m.RemoteURL)
		// A server keeps a copy of what others publish, under an address that
		// changes when the copy is dropped and made anew. The original's stays.
		if stays == "" {
			stays = from
		}
		if from == "" {
			from = stays
		}
		if stays != "" || m.Description != "" {
			add(candor.Attachment{Type: mediaKind(m.Type, stays), URL: stays, Alt: m.Description}, from)
		}
	}
	for _, l := range links {
		if to := connector.WebURL(l.href); to != "" {
			add(candor.Attachment{Type: "link", URL: to, Alt: l.text}, "")
		}
	}
}

// mediaKind goes by the address where the server does not know yet: the kind
// must not change when it does.
func mediaKind(kind, address string) string {
	if kind == "" || kind == "unknown" {
		u, err := url.Parse(address)
		if err != nil {
			return "file"
		}
		switch strings.ToLower(path.Ext(u.Path)) {
		case ".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".heic":
			return "photo"
		case ".mp4", ".m4v", ".mov", ".webm":
			return "video"
		}
		return "file"
	}
	switch kind {
	case "image":
		return "photo"
	case "video", "gifv":
		return "video"
	}
	return "file"
}

// state is who may see a status. What we do not know is not taken as shown to
// everyone.
func state(visibility string) candor.RecordState {
	switch visibility {
	case "public", "unlisted", "":
		return ""
	}
	return candor.Private
}

// primary is the language of a tag (BCP 47), without script and region.
func primary(tag string) string {
	p, _, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	if len(p) > 8 {
		return ""
	}
	return strings.ToLower(p)
}
