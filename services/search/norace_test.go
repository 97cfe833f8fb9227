//go:build !race

package search

// raceDetector says that tests take ten times as long, and so do a tenth.
const raceDetector = false
