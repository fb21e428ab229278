// Package crawler knows what is due, what changed and what the platform said.
//
// A poll reads one source, compares what it was shown with what the archive
// knows, and applies everything it learnt as one candor.Sweep: verbatim
// answers, records, revisions, tombstones and the captures to be made. A poll
// may run twice: the second run finds nothing new. A poll that fails midway
// applies what it is certain of and says why it stopped; it never concludes
// that anything was deleted.
//
// What one look at a platform shows is read by the connectors below this
// package; what changed is decided in change.go and absence.go, which do no
// input or output. Drawing pages is left to whoever works the capture jobs.
package crawler
