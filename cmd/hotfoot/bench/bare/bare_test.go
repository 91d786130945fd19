//go:build linux

package bare_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hotfoot/cmd/hotfoot/bench/bare"
	"hotfoot/cmd/hotfoot/bench/viewers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a server until the test ends.
func start(t *testing.T) *bare.Server {
	t.Helper()
	server, err := bare.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		defer server.Close()
		if err := server.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); running.Wait() })
	return server
}

func TestServer_bringsAnUpdateToItsTopic(t *testing.T) {
	t.Parallel()
	server := start(t)
	set, err := viewers.NewSet(server.Sockets)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := set.Open(ctx, []viewers.Target{{Path: "/0"}, {Path: "/7"}, {Path: "/7"}}, 2); err != nil {
		t.Fatal(err)
	}
	feed, err := net.Dial("tcp", server.Feed)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	// In two pieces, and for a topic that nobody watches in between.
	message := `{"type":"position","sv":4,"lat":37.000042,"lon":-122}`
	b := bare.AppendUpdate(bare.AppendUpdate(nil, 9, []byte(message)), 7, []byte(message))
	got := map[int]int{}
	set.Each = func(target int, message []byte, _ time.Time) {
		if n, ok := viewers.Stamp(message); ok && n == 42 && viewers.KindOf(message) == viewers.Position {
			got[target]++
		}
	}
	for _, piece := range [][]byte{b[:len(b)-20], b[len(b)-20:]} {
		if _, err := feed.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := set.Run(ctx, func() bool { return len(got) == 2 }); err != nil {
		t.Fatalf("%v after %v", err, got)
	}
	if got[1] != 1 || got[2] != 1 {
		t.Errorf("got %v, want one each for the two who watch topic 7", got)
	}
}

func TestServer_dropsWhoShakesNoHand(t *testing.T) {
	t.Parallel()
	server := start(t)
	conn, err := net.Dial("tcp", server.Sockets)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET /etc/passwd HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := conn.Read(make([]byte, 100)); err == nil {
		t.Errorf("%d bytes came back", n)
	}
}
