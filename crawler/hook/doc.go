// Package hook takes the notices that platforms send of their own accord
// (webhooks) and turns them into one thing only: a wish that a source be polled
// soon. Nothing a notice says is believed or stored. A platform promises neither
// delivery nor order, a removal comes without its text, and whoever learnt the
// secret could send one; what happened is told by the poll.
//
// Read is pure: from a request and a secret it tells whether the request is
// refused, is a challenge to be answered, or concerns accounts. New puts it
// behind HTTP with an address for each source, one answer for everything that is
// refused, no second hint from the same notice, and a bounded rate of polls.
//
// The standards behind it are Meta's Webhooks (X-Hub-Signature-256), the V2
// Webhooks of X (challenge-response check), W3C WebSub as YouTube's hub speaks
// it, and Mastodon's admin webhooks.
package hook
