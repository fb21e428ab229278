// Package nextdoor reads the account of one Nextdoor member through the
// Publish API (also called Share API): its profile, its posts with the comments
// below them, and single records by id. It turns answers into sightings and
// classifies refusals; it remembers nothing and concludes nothing about
// deletion.
//
// The API gives the posts of the member whose token it is and of nobody else,
// so an agency whose staff post under their own accounts needs a source for
// each of them. It gives the newest posts only: a listing as long as that limit
// is never called complete.
//
// Nextdoor shows the reference of this API to approved partners. What is here
// follows the public part of it and clients that were published; what is not
// confirmed is marked where it stands.
//
// Not solved here: members with several profiles, among which the API chooses
// by a "secure profile id"; direct messages, and the dates of events, which the
// API does not give.
package nextdoor
