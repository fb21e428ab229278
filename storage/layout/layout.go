// Package layout knows every path and key of an archive, as pure functions: a
// data directory and a bucket are laid out alike, and whoever reads an archive
// from outside (a checker, a backup) needs this file and no other.
//
//	DATA/
//	  candor.db             metadata, requests, jobs (when SQLite keeps them)
//	  checkpoints.log       every signed checkpoint that was acknowledged
//	  keys/                 what must never leave the machine, and its public halves
//	  law/                  law profiles of the agency's own, when it has any
//	  objects/ab/cd/<sha>   content by SHA-256, read-only
//	  objects/tmp/          files still being written; never referred to
//	  queue.lock            which process works jobs from here
//	  spool/                what is on its way to a bucket
//	  work/<host>/<pid>/    captures on their way into the archive
package layout

import (
	"path"
	"path/filepath"
)

// Database is the SQLite file.
func Database(dir string) string { return filepath.Join(dir, "candor.db") }

// Checkpoints is the file of published checkpoints, one JSON object a line.
func Checkpoints(dir string) string { return filepath.Join(dir, "checkpoints.log") }

// Keys is the directory of keys; only its owner may read it.
func Keys(dir string) string { return filepath.Join(dir, "keys") }

// EvidenceKey is the private key that signs checkpoints, as note signer text.
func EvidenceKey(dir string) string { return filepath.Join(Keys(dir), "evidence.key") }

// EvidencePublicKey is its public half, as note verifier text.
func EvidencePublicKey(dir string) string { return filepath.Join(Keys(dir), "evidence.pub") }

// SealKey is the key that seals platform tokens at rest.
func SealKey(dir string) string { return filepath.Join(Keys(dir), "seal.key") }

// PortalKey is the key that signs what browsers keep for the portal.
func PortalKey(dir string) string { return filepath.Join(Keys(dir), "portal.key") }

// Laws is the directory of the agency's own law profiles.
func Laws(dir string) string { return filepath.Join(dir, "law") }

// QueueLock is held by the process that works jobs from this directory.
func QueueLock(dir string) string { return filepath.Join(dir, "queue.lock") }

// Spool is where objects wait that are on their way to a bucket.
func Spool(dir string) string { return filepath.Join(dir, "spool") }

// Work is where the processes of one machine put captures together before they
// are committed, each in a folder named for its process id. Machines may share
// the data directory, and process ids are alike in containers.
func Work(dir, host string) string { return filepath.Join(dir, "work", host) }

// Objects is the root of the local object store.
func Objects(dir string) string { return filepath.Join(dir, "objects") }

// ObjectsTemp is where objects are written before they have a name.
func ObjectsTemp(dir string) string { return filepath.Join(Objects(dir), "tmp") }

// Object is the file of one object. The hash must be valid.
func Object(dir, sha string) string { return filepath.Join(dir, filepath.FromSlash(ObjectKey(sha))) }

// ObjectKey is the key of one object in a bucket. The hash must be valid.
func ObjectKey(sha string) string { return path.Join(ObjectPrefix, sha[:2], sha[2:4], sha) }

// ObjectPrefix is what every object's key begins with.
const ObjectPrefix = "objects"

// ValidSHA reports whether s is a SHA-256 as we write it: 64 lower-case
// hexadecimal digits. Nothing else ever becomes part of a path.
func ValidSHA(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
