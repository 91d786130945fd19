//go:build linux

package post

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestBurst_Run(t *testing.T) {
	t.Parallel()
	const connections = 20
	var ready, refuse bool
	var mu sync.Mutex
	before, at := 0, 0
	together := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if want := map[bool]string{false: "/first", true: "/x"}[ready]; r.URL.Path != want {
			t.Errorf("%s was asked for, want %s", r.URL.Path, want)
		}
		if !ready {
			before++
		} else if at++; at == connections {
			close(together)
		}
		waiting, refused, together := ready && !refuse, refuse, together
		mu.Unlock()
		if refused {
			http.Error(w, "no", http.StatusTeapot)
		}
		if waiting {
			<-together // which only comes when all are sent before any is answered
		}
	}))
	defer server.Close()
	first, request := AppendGet(nil, "/first", "", ""), AppendGet(nil, "/x", "", "")
	burst := Burst{Addresses: []string{server.Listener.Addr().String()}, Connections: connections, First: first, Request: request, Ready: func() error {
		mu.Lock()
		defer mu.Unlock()
		ready = true
		return nil
	}}
	took, err := burst.Run(t.Context())
	mu.Lock()
	if err != nil || len(took) != connections || before < connections || at != connections {
		t.Fatalf("%d answers, %d before and %d in the burst, %v", len(took), before, at, err)
	}
	mu.Unlock()
	if !slices.IsSorted(took) || took[0] <= 0 || took[connections-1] > time.Minute {
		t.Errorf("they took %v", took)
	}

	// They are read later than that. On a busy machine a server takes as long, but not each time.
	for try := 1; took[0] >= leaveFor; try++ {
		if try == 50 {
			t.Fatalf("the first of an answer's moments is when it was read, not when it came: %v", took[0])
		}
		mu.Lock()
		ready, before, at, together = false, 0, 0, make(chan struct{})
		mu.Unlock()
		if took, err = burst.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	set := func(refused bool) {
		mu.Lock()
		defer mu.Unlock()
		ready, refuse, at = false, refused, 0
	}
	set(true)
	if _, err := burst.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "418") {
		t.Errorf("a burst that is refused ends with %v", err)
	}

	set(false)
	failed := errors.New("no")
	burst.Ready = func() error { return failed }
	_, err = burst.Run(t.Context())
	mu.Lock()
	defer mu.Unlock()
	if !errors.Is(err, failed) || at != 0 {
		t.Errorf("a burst that was not ready sent %d requests and ended with %v", at, err)
	}
}
