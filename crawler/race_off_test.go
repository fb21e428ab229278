//go:build !race

package crawler

const watched = false
