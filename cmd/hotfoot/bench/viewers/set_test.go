//go:build linux

package viewers

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a WebSocket server that does with each socket what a test wants.
func server(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, upgrade func() *websocket.Conn)) *Set {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle(w, r, func() *websocket.Conn {
			conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
			if err != nil {
				t.Error(err)
				panic(http.ErrAbortHandler)
			}
			return conn
		})
	}))
	t.Cleanup(s.Close)
	set, err := NewSet(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	return set
}

func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// serveUntilGone says hello and waits for the viewer to leave.
func serveUntilGone(conn *websocket.Conn) {
	defer conn.Close()
	if conn.WriteMessage(websocket.TextMessage, []byte("hello")) != nil {
		return
	}
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
	}
}

func TestSet_comesBackWhenItIsTold(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	set := server(t, func(w http.ResponseWriter, _ *http.Request, upgrade func() *websocket.Conn) {
		switch n := asked.Add(1); {
		case n <= 2:
			w.Header().Set("Retry-After", "0")
			http.Error(w, "full", http.StatusServiceUnavailable)
			return
		case n == 3:
			conn := upgrade()
			defer conn.Close()
			_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"bye","code":"overloaded","retry_after_ms":1}`))
			return
		}
		serveUntilGone(upgrade())
	})
	if err := set.Open(limited(t), []Target{{Path: "/a"}, {Path: "/b"}, {Path: "/c"}}, 2); err != nil {
		t.Fatal(err)
	}
	if set.Refused != 3 || set.Len() != 3 || asked.Load() != 6 {
		t.Errorf("refused %d, open %d, asked %d", set.Refused, set.Len(), asked.Load())
	}
	// And again after everything was lost at once.
	set.Drop()
	if err := set.Open(limited(t), []Target{{Path: "/a"}, {Path: "/b"}}, 2); err != nil || set.Len() != 2 {
		t.Errorf("%d are back, %v", set.Len(), err)
	}
}

func TestSet_failsOnARefusalForGood(t *testing.T) {
	t.Parallel()
	set := server(t, func(w http.ResponseWriter, r *http.Request, _ func() *websocket.Conn) { http.NotFound(w, r) })
	if err := set.Open(limited(t), []Target{{Path: "/nowhere"}}, 1); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
}

func TestSet_answersPingsSaysHelloAndNoticesTheEnd(t *testing.T) {
	t.Parallel()
	const text = 100_000 // more than a read takes at once
	heard := make(chan string, 2)
	set := server(t, func(_ http.ResponseWriter, r *http.Request, upgrade func() *websocket.Conn) {
		conn := upgrade()
		defer conn.Close()
		conn.SetPongHandler(func(said string) error { heard <- "pong " + said + r.Header.Get("Authorization"); return nil })
		_, message, err := conn.ReadMessage()
		if err != nil {
			t.Error(err)
			return
		}
		heard <- string(message)
		_ = conn.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("x", 5*text)))
		_ = conn.WriteControl(websocket.PingMessage, []byte("there?"), time.Now().Add(time.Second))
		_ = conn.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("y", text)))
		_, _, _ = conn.ReadMessage() // the pong, and then nothing more
	})
	var sizes []int
	set.Each = func(target int, message []byte, _ time.Time) { sizes = append(sizes, target, len(message)) }
	if err := set.Open(limited(t), []Target{{Path: "/", Bearer: "key", Hello: "hello"}}, 1); err != nil {
		t.Fatal(err)
	}
	if err := set.Run(limited(t), func() bool { return len(heard) == 2 && len(sizes) == 4 }); err != nil {
		t.Fatalf("%v, %d heard, %v", err, len(heard), sizes)
	}
	if a, b := <-heard, <-heard; a != "hello" || b != "pong there?Bearer key" {
		t.Errorf("heard %q and %q", a, b)
	}
	if sizes[1] != 5*text || sizes[3] != text || set.Frames != 2 {
		t.Errorf("%v in %d frames", sizes, set.Frames)
	}
	set.Drop()
	if set.Closed != 0 || set.Len() != 0 {
		t.Errorf("%d closed by the server, %d open", set.Closed, set.Len())
	}
}

func TestSet_Ignore(t *testing.T) {
	t.Parallel()
	speak := make(chan struct{})
	set := server(t, func(_ http.ResponseWriter, _ *http.Request, upgrade func() *websocket.Conn) {
		conn := upgrade()
		defer conn.Close()
		_ = conn.WriteMessage(websocket.TextMessage, []byte("first"))
		<-speak
		_ = conn.WriteMessage(websocket.TextMessage, []byte("second"))
	})
	if err := set.Open(limited(t), []Target{{Path: "/"}, {Path: "/"}}, 2); err != nil {
		t.Fatal(err)
	}
	heard := map[int]int{}
	set.Each = func(target int, _ []byte, _ time.Time) { heard[target]++ }
	if err := set.Ignore(true, func(target int) bool { return target == 1 }); err != nil {
		t.Fatal(err)
	}
	close(speak)
	if err := set.Run(limited(t), func() bool { return set.Closed == 1 }); err != nil {
		t.Fatal(err)
	}
	if heard[0] != 1 || heard[1] != 0 {
		t.Errorf("heard %v", heard)
	}
	if err := set.Ignore(false, func(target int) bool { return target == 1 }); err != nil {
		t.Fatal(err)
	}
	if err := set.Run(limited(t), func() bool { return set.Closed == 2 }); err != nil || heard[1] != 1 {
		t.Errorf("heard %v, %v", heard, err)
	}
}
