package storetest

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// mainRuns tells whether somebody will stop the shared server.
var mainRuns bool

// Main is what TestMain of a package with stores calls: it runs the tests, stops what they shared, fails the run when a goroutine
// is left, and exits.
func Main(m *testing.M) {
	mainRuns = true
	os.Exit(run(m))
}

func run(m *testing.M) int {
	code := m.Run()
	if err := shared.close(); err != nil {
		fmt.Fprintln(os.Stderr, "storetest:", err)
		code = max(code, 1)
	}
	if code != 0 {
		return code // a failed test may well have left something
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, "storetest: goroutines are left:", err)
		return 1
	}
	return 0
}
