package evidence

import (
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/candor-archive/candor"
)

// leafHeader begins every leaf and names the version of its encoding.
const leafHeader = "candor-evidence/1"

// Leaf is the canonical encoding of an entry: the bytes whose RFC 6962 leaf
// hash, SHA-256(0x00 || leaf), is the entry's place in the tree. It is six
// lines and the body:
//
//	candor-evidence/1
//	<seq, decimal>
//	<at, UTC, RFC 3339 with six decimals: 2026-11-22T16:05:00.000000Z>
//	<kind>
//	<subject>
//	<length of the body in bytes, decimal>
//	<body, byte for byte>
//
// Kind and subject hold no newline, so no two entries have the same leaf.
func Leaf(e candor.EvidenceEntry) []byte {
	return fmt.Appendf(nil, "%s\n%d\n%s\n%s\n%s\n%d\n%s", leafHeader, e.Seq,
		e.At.UTC().Format("2006-01-02T15:04:05.000000Z"), e.Kind, e.Subject, len(e.Body), e.Body)
}

func checkEntry(e candor.EvidenceEntry) error {
	switch {
	case e.At.IsZero():
		return candor.Errorf(candor.Invalid, "evidence of %s %s has no time", e.Kind, e.Subject)
	case e.Kind == "" || strings.ContainsAny(string(e.Kind)+e.Subject, "\n\r"):
		return candor.Errorf(candor.Invalid, "evidence of kind %q and subject %q cannot be written as a leaf", e.Kind, e.Subject)
	case len(e.Body) == 0:
		return candor.Errorf(candor.Invalid, "evidence of %s %s has no body", e.Kind, e.Subject)
	}
	return nil
}

// checkpointText is the body of a C2SP checkpoint: origin, size, root.
func checkpointText(origin string, tree tlog.Tree) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, tree.N, tree.Hash)
}

// ParseCheckpoint checks the signature of a checkpoint and gives the tree it
// vouches for. The origin must be the verifier's name.
func ParseCheckpoint(signed []byte, v note.Verifier) (tlog.Tree, error) {
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 || lines[0] != v.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint: it is not one of the log %s", v.Name())
	}
	var tree tlog.Tree
	if _, err := fmt.Sscanf(lines[1], "%d", &tree.N); err != nil || tree.N < 0 || fmt.Sprint(tree.N) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("checkpoint: bad size %q", lines[1])
	}
	if tree.Hash, err = tlog.ParseHash(lines[2]); err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: bad root %q", lines[2])
	}
	return tree, nil
}

// Published is one line of the file of published checkpoints.
type Published struct {
	Size int64  `json:"size"`
	Note string `json:"note"` // the signed checkpoint
}

// ParsePublished reads one line of that file, without checking the signature.
func ParsePublished(line []byte) (Published, error) {
	var p Published
	if err := json.Unmarshal(line, &p); err != nil {
		return p, fmt.Errorf("published checkpoint: %w", err)
	}
	return p, nil
}
