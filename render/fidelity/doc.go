// Package fidelity judges captures from outside: it visits the live page again
// by itself, opens the snapshot from the disk in a browser without scripts and
// without a network, and says how far the two, and our own screenshot, are the
// same. It promises to be independent of what it judges: it shares no code with
// the serialiser, with settling or with the taking of pictures, only the
// comparison of two pictures and the browser's switches.
//
// Its benchmarks print the figures of docs/fidelity.md; its page list keeps
// them from getting worse. Nothing of it is part of the program.
package fidelity
