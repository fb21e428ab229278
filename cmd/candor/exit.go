package main

// exitError ends the program with a code and one line that says what to do.
type exitError struct {
	code int
	msg  string
}

func (e *exitError) Error() string { return e.msg }

// usage is wrong use: exit code 2, nothing was changed.
func usage(msg string) error { return &exitError{code: 2, msg: msg} }
