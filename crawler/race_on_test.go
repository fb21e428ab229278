//go:build race

package crawler

// watched is set when the race detector is on, which makes everything many
// times slower.
const watched = true
