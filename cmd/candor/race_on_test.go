//go:build race

package main

// raceEnabled makes the program under test race-checked too.
const raceEnabled = true
