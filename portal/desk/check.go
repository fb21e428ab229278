package desk

import (
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/candor-archive/candor"
)

// The most characters each field holds.
const (
	MaxText    = 20000 // a request, a message
	MaxReason  = 4000
	MaxNote    = 4000
	MaxSummary = 500
	MaxName    = 200
	MaxEmail   = 254
	MaxPhone   = 40
	MaxPostal  = 500
	MaxMarks   = 500 // records marked at once
)

// clean brings text from a form to what is kept: line ends as \n, no control
// characters, no blanks around.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return '\n'
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1 // control characters, and those that turn the direction of what follows
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

func cleanLine(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// text checks one field and gives it cleaned.
func text(field, s string, limit int, needed bool) (string, error) {
	s = clean(s)
	if s == "" && needed {
		return "", invalid(field, "desk.field.missing", 0)
	}
	if utf8.RuneCountInString(s) > limit {
		return "", invalid(field, "desk.field.too_long", limit)
	}
	return s, nil
}

func line(field, s string, limit int, needed bool) (string, error) {
	return text(field, cleanLine(s), limit, needed)
}

// email checks an address: one plain address, no display name.
func email(field, s string, needed bool) (string, error) {
	s, err := line(field, s, MaxEmail, needed)
	if err != nil || s == "" {
		return s, err
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" || strings.ContainsAny(s, "\"<>(),;: ") {
		return "", invalid(field, "desk.field.email", 0)
	}
	at := strings.LastIndexByte(s, '@')
	if !strings.Contains(s[at+1:], ".") || strings.HasSuffix(s, ".") {
		return "", invalid(field, "desk.field.email", 0)
	}
	return s[:at] + "@" + strings.ToLower(s[at+1:]), nil
}

// ahead checks that a day is today or later on the agency's calendar.
func ahead(field string, d, today candor.Date) error {
	if !d.Valid() || d < today || d > today.Add(366*3) {
		return invalid(field, "desk.field.date", 0)
	}
	return nil
}

// hour checks a time of day as forms give it: 17:00.
func hour(field, s string) (string, error) {
	t, err := time.Parse("15:04", cleanLine(s))
	if err != nil {
		return "", invalid(field, "desk.field.missing", 0)
	}
	return t.Format("15:04"), nil
}
