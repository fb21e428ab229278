// Package behaviour knows what to do to the pages of particular sites so that
// all of a thread is on show before it is captured, and how to tell that a page
// is not what was asked for but something that stands in its way: a sign-in
// page, a block, a challenge, a notice that there is nothing.
//
// Both are rules in small YAML files, one a site, that ship with the program and
// can be replaced or added to by an operator. A behaviour only expands: it
// clicks what its file names, never follows a link, never sends a form, and
// stops at stated limits. What it did is recorded step by step.
//
// The package names no browser. Package page lends it a page to work on.
package behaviour
