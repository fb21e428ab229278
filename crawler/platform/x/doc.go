// Package x reads an account of X through the X API, version 2: who it is, what
// it published, the replies below that for as long as X's search finds them,
// earlier wordings, and single posts by id. It turns answers into sightings and
// classifies refusals; it remembers nothing beyond one poll and concludes
// nothing about deletion.
//
// Each edit of a post is a post of its own with an id of its own. A record is
// the whole chain: it is named by the first id, which never changes, and its
// present wording is that of the last.
//
// An answer of status 200 may carry errors beside its data. They are read
// together: an error about a post that was merely mentioned is nothing to us,
// one about the data itself makes a listing incomplete.
//
// Everything read is charged for; see Client.Cost.
//
// Not solved here: reposts, which are left out; replies that are more than
// seven days old when they are first looked for; replies to what the account
// wrote in other people's threads; and the titles of links, which their sites
// may change.
package x
