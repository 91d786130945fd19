//go:build !race

package fleet

// raceEnabled is true when the race detector slows the tests down: limits on time mean nothing then.
const raceEnabled = false
