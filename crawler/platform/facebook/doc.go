// Package facebook reads a Facebook Page through the Graph API (v26.0): its
// profile, its published posts, their comments and replies, and single objects
// by id. It turns answers into sightings and classifies refusals; it remembers
// nothing and concludes nothing about deletion.
//
// Answers are kept verbatim, but for the token, as objects; every sighting
// names the answer it was read from, so that fields nobody decodes today are
// not lost. Paging uses the cursor of an answer, never its "next" address,
// which holds the token and may point anywhere.
//
// Not solved here: reels, stories, live videos and visitors' own posts, which
// have listings of their own.
package facebook
