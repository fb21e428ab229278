// Package facebook reads a Facebook Page through the Graph API (v26.0): its
// profile, its published posts, their comments and replies, single objects by
// id, and on demand its reels, its stories and what visitors posted on it. It
// turns answers into sightings and classifies refusals; it remembers nothing
// and concludes nothing about deletion.
//
// Answers are kept verbatim, but for the token, as objects; every sighting
// names the answer it was read from, so that fields nobody decodes today are
// not lost.
//
// Each sort of record is vouched for by the listing it comes from. A listing
// that is refused is a gap and no more: the others still count, and a record
// of the refused sort is not called gone on the word of another listing.
//
// Not solved here: events, live videos and albums, which have listings of
// their own; photos and videos are read as attachments of their posts.
package facebook
