// Package form reads submitted forms: sizes are limited before anything is
// read, values are trimmed, and what is wrong is kept per field, in the
// reader's language, for the summary above the form and the field itself.
package form

import (
	"errors"
	"net/http"
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/candor-archive/candor"
)

// Limit is the most a form without files may weigh.
const Limit = 256 << 10

// Parse reads a form of a request of at most max bytes. It fails with Invalid
// when it is malformed or too large (then the cause is a *http.MaxBytesError).
func Parse(w http.ResponseWriter, r *http.Request, max int64) error {
	r.Body = http.MaxBytesReader(w, r.Body, max)
	// In this order: ParseMultipartForm forgets what ParseForm found wrong with a
	// form that is not multipart, and would give half a form as a whole one.
	err := r.ParseForm()
	if err == nil {
		if err = r.ParseMultipartForm(1 << 20); errors.Is(err, http.ErrNotMultipart) {
			err = nil
		}
	}
	if err != nil {
		return candor.Errorf(candor.Invalid, "read form: %w", err)
	}
	return nil
}

// Text gives a field's value with its ends trimmed and line ends made plain.
// Bytes that are not UTF-8 and control characters are dropped.
func Text(r *http.Request, field string) string {
	s := strings.ToValidUTF8(r.PostFormValue(field), "")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' || c == 0x7f {
			return -1
		}
		return c
	}, s)
	return strings.TrimSpace(s)
}

// Line is Text of a field that has one line.
func Line(r *http.Request, field string) string {
	return strings.Join(strings.Fields(Text(r, field)), " ")
}

// FieldError is what is wrong with one field, in the reader's language.
type FieldError struct {
	Field string
	Text  string
}

// Errors are what is wrong with a form, in the order of its fields.
type Errors []FieldError

// Add notes that a field is wrong. Only the first trouble of a field is kept.
func (e *Errors) Add(field, text string) {
	if e.For(field) == "" {
		*e = append(*e, FieldError{field, text})
	}
}

// For gives what is wrong with a field, or "".
func (e Errors) For(field string) string {
	for _, x := range e {
		if x.Field == field {
			return x.Text
		}
	}
	return ""
}

// Longer reports whether s has more than n characters.
func Longer(s string, n int) bool { return utf8.RuneCountInString(s) > n }

// Email reports whether s is one plain email address.
func Email(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 {
		return false
	}
	_, domain, _ := strings.Cut(s, "@")
	return strings.Contains(domain, ".") && !strings.HasSuffix(domain, ".")
}
