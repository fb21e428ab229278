// Package candor holds the words and rules of the trade: what a source, a
// record, a capture, a request and a release are, and what may happen to them.
//
// Nothing here does input or output and nothing here imports another package of
// this project, so that every room (crawler, render, storage, portal) can speak
// the same language without knowing the others. Values of these types are what
// travels between rooms; cmd/candor joins the rooms.
//
// All times are UTC with microsecond precision, the finest both databases keep.
// All ids are random and opaque unless a comment says otherwise. Hashes are
// SHA-256 in lower-case hexadecimal.
package candor
