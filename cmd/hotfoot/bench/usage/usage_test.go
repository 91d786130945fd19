//go:build linux

package usage

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]stat{
		"42 (redis-server) S 7 42 42 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 5 0 1": {parent: 7, cpu: 2 * time.Second},
		"42 (a ) b) c) R 9 42 42 0 -1 4194560 1 2 3 4 1 2 0 0 20 0 5 0 1":        {parent: 9, cpu: 30 * time.Millisecond},
		"42 (cut off) S 7": {},
		"":                 {},
		"no parentheses":   {},
	} {
		if got := parseStat([]byte(text)); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}

func TestParseRSS(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"Name:\thotfoot\nVmHWM:\t  999 kB\nVmRSS:\t   12345 kB\nRssAnon:\t 1 kB\n": 12345 << 10,
		"Name:\tkthread\nThreads:\t1\n":                                            0,
		"Name:\tVmRSS:\n":                                                          0,
		"\nVmRSS:":                                                                 0,
	} {
		if got := parseRSS([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestParseSchedstat(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"1500000000 20 3\n": 1500 * time.Millisecond, "7\n": 0, "": 0, "x 1 2": 0} {
		if got := parseSchedstat([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("42 (x) S 7 42 42 0 -1 4194560 1 2 3 4 150 50 0 0"))
	f.Add([]byte("\nVmRSS:\t 5 kB"))
	f.Fuzz(func(t *testing.T, b []byte) {
		parseStat(b)
		parseRSS(b)
		parseSchedstat(b)
	})
}

func TestOf(t *testing.T) {
	t.Parallel()
	if err := Check(); err != nil {
		t.Fatal(err)
	}
	before := Of(os.Getpid())
	spin := 0
	for deadline := time.Now().Add(10 * time.Second); Of(os.Getpid()).CPU-before.CPU < 30*time.Millisecond; spin++ {
		if time.Now().After(deadline) {
			t.Fatal("work costs nothing")
		}
	}
	if Of(os.Getpid()).RSS < 1<<20 {
		t.Errorf("a Go process has %d bytes", Of(os.Getpid()).RSS)
	}
	if got := Of(1 << 30); got != (Usage{}) {
		t.Errorf("a process that is not there has used %+v", got)
	}
}

func TestFamily(t *testing.T) {
	t.Parallel()
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Wait() }()
	defer in.Close()
	family := Family(os.Getpid())
	if family[0] != os.Getpid() || !slices.Contains(family, child.Process.Pid) {
		t.Errorf("%v, want %d and its child %d", family, os.Getpid(), child.Process.Pid)
	}
}
