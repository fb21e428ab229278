package candor

import (
	"errors"
	"fmt"
)

// ErrorKind says what sort of trouble an error is, so that the program can act
// on it (choose a status code, retry, ask again) without reading its sentence.
type ErrorKind string

// The kinds of error.
const (
	NotFound    ErrorKind = "not_found"   // no such thing, or not one this reader may know of
	Invalid     ErrorKind = "invalid"     // what was asked makes no sense as it stands
	Conflict    ErrorKind = "conflict"    // someone else changed it first, or it exists already
	Forbidden   ErrorKind = "forbidden"   // known person, not allowed
	OnHold      ErrorKind = "on_hold"     // a legal hold forbids it
	Unavailable ErrorKind = "unavailable" // a part we need does not answer; trying later may help
)

// Error carries a kind for the program, a sentence for the person and, when
// there is one, the cause (whose text the sentence already holds).
type Error struct {
	Kind    ErrorKind
	Message string
	Err     error
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of a kind. An operand of %w is kept as the cause.
func Errorf(kind ErrorKind, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

// KindOf tells the kind of an error, or "" when it has none.
func KindOf(err error) ErrorKind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// IsKind reports whether an error is of a kind.
func IsKind(err error, kind ErrorKind) bool { return KindOf(err) == kind }
