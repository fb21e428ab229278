// Package mastodon reads one account of a server that speaks the client API of
// Mastodon (docs.joinmastodon.org; GoToSocial, Pleroma and others speak it
// too): who it is, its statuses, the threads below them, single statuses by id
// and the earlier wordings of edited ones. It remembers nothing beyond a poll
// and concludes nothing about deletion.
//
// A status belongs to the thread of the topmost status of the account above
// it. So what the account and others write below a post is one thread with that
// post, and what the account writes below a stranger's post is the root of a
// thread of its own.
//
// A server answers "not found" alike for what was deleted, for what its author
// no longer shows us, and for what a suspended account wrote.
//
// Not kept as content: link previews, which the server makes by itself some
// time after the status, and quoted statuses other than by the address that the
// server puts into the text, because either may appear and go without anybody
// editing. Both are in the verbatim answers.
package mastodon
