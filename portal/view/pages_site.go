package view

import (
	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/form"
)

// TextPage is a page of words only: about, accessibility, security.
type TextPage struct {
	Page
	Sections []Section
	Contact  string
}

// Section is a heading with its paragraphs, as message ids.
type Section struct {
	Heading string
	Paras   []string
}

// VerifyPage explains how to check the archive, and checks one file.
type VerifyPage struct {
	Page
	Checkpoint string
	Key        string // public key of the log, as a note verifier key
	Errors     form.Errors
	Capture    string // what was typed
	Result     *Checked
	MaxBytes   int64
}

// Checked is what was found out about one file.
type Checked struct {
	Name     string
	SHA      string
	Size     int64
	Found    bool
	Artefact candor.Artefact
	Capture  candor.Capture
	Href     string
	Sound    bool // the capture's entry in the evidence log covers exactly this hash
	Asked    bool // a capture was named
}
