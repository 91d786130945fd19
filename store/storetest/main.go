package storetest

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

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
	awaitDials()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, "storetest: goroutines are left:", err)
		return 1
	}
	return 0
}

// awaitDials waits for Redis clients that were closed while their server was gone: they sleep for up to a second before they give up dialling. It
// is done once, after all tests, since parallel ones would wait for each other's.
func awaitDials() {
	stacks := make([]byte, 4<<20)
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); {
		if !bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("tryDial")) {
			return
		}
		runtime.Gosched()
	}
}
