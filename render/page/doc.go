// Package page turns one visit of one address into one capture: the picture of
// the whole page, the DOM as a self-contained file, the words with their places,
// and every exchange with the network, all of the same moment, with a manifest
// that says how each step ended.
//
// A page that cannot be captured is a result, not an error: its manifest says
// failed or partial and why. An error means that the worker was in trouble and
// the capture should be tried again. Nothing here decides what to visit or where
// captures are kept.
package page
