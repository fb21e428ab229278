// Package instagram reads an Instagram professional account through the
// Instagram API (v26.0): its profile, its posts, carousels, reels and stories,
// their comments and replies, hidden ones included, and single objects by id.
// It turns answers into sightings; it remembers nothing and concludes nothing
// about deletion.
//
// The host decides the kind of login the token comes from: Instagram Login at
// graph.instagram.com, Facebook Login (through the Page that the account is
// connected to) at graph.facebook.com.
//
// Instagram says nothing of edits, so a changed caption is only seen by
// comparing. It gives comments no address of their own: theirs is the post's.
// Not had at all: comments of restricted users until they are approved, comments
// of age-gated media and of live videos, re-shared stories, and the bytes of
// media with licensed music.
package instagram
