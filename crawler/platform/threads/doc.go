// Package threads reads a Threads account through the Threads API (v1.0): its
// profile, its posts, the conversations below them with hidden and pending
// replies, its replies in the threads of others, and single objects by id. It
// turns answers into sightings; it remembers nothing and concludes nothing
// about deletion.
//
// A reply in a thread of strangers is a root of its own, since their thread is
// not ours to archive. Reposts are left out: they are not the account's words.
// A ghost post is a story: the platform takes it down after a day.
//
// Threads says nothing of edits, and names the authors of replies without an
// id. Answers do not always name a next page, so listings are followed by their
// cursors until nothing comes.
package threads
