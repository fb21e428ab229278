// Package bluesky reads one account of Bluesky through XRPC (atproto.com): its
// profile, posts, threads and hidden answers. Everything can be read without a
// token. It remembers nothing beyond a poll and concludes nothing about
// deletion.
//
// Two servers are asked. The AppView shows the network as readers see it, with
// threads, labels and addresses of pictures. The server that keeps the account's
// own records (its PDS, found by its DID) is the authority on what exists: the
// AppView's list of an account's posts is known to end early at times, and what
// the AppView leaves out may be there all the same.
//
// An edit changes a record's CID and leaves no other trace: earlier wordings and
// times of edits cannot be had.
//
// A thread begins with a post of the account, or with what the account answers
// in a stranger's thread.
package bluesky
