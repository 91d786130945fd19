//go:build linux

package post

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestLoad_Run(t *testing.T) {
	t.Parallel()
	var got atomic.Int64
	refuse := new(atomic.Bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" && r.Method == http.MethodGet && r.Header.Get("Cache-Control") == "no-cache" {
			http.Error(w, "later", http.StatusServiceUnavailable)
			return
		}
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || string(body) != `{"n":1}` || r.Header.Get("Authorization") != "Bearer k" || r.Header.Get("Prefer") != "wait=5" || refuse.Load() {
			http.Error(w, "no", http.StatusTeapot)
			return
		}
		got.Add(1)
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"ok":true}`)
	}))
	defer server.Close()
	load := Load{
		Addresses: []string{server.Listener.Addr().String()}, Connections: 4,
		Request: func(b []byte, _, _ int, _ time.Time) []byte {
			return AppendRequest(b, "/x", "k", "wait=5", []byte(`{"n":1}`))
		},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	r, err := load.Run(ctx)
	if err != nil || r.Requests == 0 || int64(r.Requests) != got.Load() {
		t.Fatalf("%d answered, %d seen, %v", r.Requests, got.Load(), err)
	}

	load.PerSecond, load.For = 100, 300*time.Millisecond
	if r, err = load.Run(t.Context()); err != nil || r.Requests == 0 || float64(r.Requests) > 100*r.Took.Seconds()+4 {
		t.Errorf("%d answered at 100 a second in %v, %v", r.Requests, r.Took, err)
	}

	busy := Load{Addresses: load.Addresses, Connections: 1, Requests: 3, Overload: true, Request: func(b []byte, _, n int, _ time.Time) []byte {
		return AppendGet(b, "/busy", "", "no-cache")
	}}
	if r, err := busy.Run(t.Context()); err != nil || r.Requests != 3 || r.Refused != 3 {
		t.Errorf("%d answered and %d refused of 3, %v", r.Requests, r.Refused, err)
	}

	refuse.Store(true)
	refused, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	load.PerSecond, load.For = 0, 0
	short := load
	short.Connections = 1
	if _, err := short.Run(refused); err == nil || !strings.Contains(err.Error(), "418") {
		t.Errorf("a refusal is told as %v", err)
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}")
	f.Add("HTTP/1.1 429 Slow\r\nContent-Length: 99999999999999999999\r\n\r\n{}")
	f.Add("HTTP/1.1 200 OK\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		size, refusal, err := cutAnswer([]byte(text))
		if size > 0 && refusal == nil && !strings.HasPrefix(text, "HTTP/1.1 20") {
			t.Errorf("%q passes for an answer", text)
		}
		if size < 0 || size > len(text) || err != nil && size > 0 {
			t.Errorf("%q is cut after %d bytes, %v", text, size, err)
		}
		// In pieces it is the same.
		if size > 0 {
			if part, _, _ := cutAnswer([]byte(text[:size-1])); part != 0 {
				t.Errorf("%q passes for all of %q", text[:part], text[:size])
			}
		}
	})
}

// A request that does not fit into the socket at once, and an answer that comes in pieces.
func TestLoad_Run_in_pieces(t *testing.T) {
	t.Parallel()
	const large = 8 << 20
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if n != large || err != nil {
			t.Errorf("%d bytes of %d came, %v", n, large, err)
		}
		w.Header().Set("Content-Length", "300000")
		for range 3 {
			_, _ = w.Write(bytes.Repeat([]byte("x"), 100_000))
			_ = http.NewResponseController(w).Flush()
		}
	}))
	defer server.Close()
	body := bytes.Repeat([]byte("y"), large)
	load := Load{Addresses: []string{server.Listener.Addr().String()}, Connections: 2, Requests: 6, Request: func(b []byte, _, _ int, _ time.Time) []byte {
		return AppendRequest(b, "/", "", "", body)
	}}
	if r, err := load.Run(t.Context()); err != nil || r.Requests != 6 {
		t.Errorf("%d answered, %v", r.Requests, err)
	}
}

// However few requests are due, no connection is idle for so long that the server ends it.
func TestLoad_Run_turns(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[r.RemoteAddr]++
	}))
	defer server.Close()
	load := Load{Addresses: []string{server.Listener.Addr().String()}, Connections: 5, Requests: 20, PerSecond: 200, Request: func(b []byte, _, _ int, _ time.Time) []byte {
		return AppendGet(b, "/", "", "")
	}}
	if r, err := load.Run(t.Context()); err != nil || r.Requests != 20 {
		t.Fatalf("%d answered, %v", r.Requests, err)
	}
	mu.Lock()
	defer mu.Unlock()
	for address, n := range asked {
		if len(asked) != 5 || n < 2 {
			t.Errorf("%s asked %d times of 20, one of %d connections", address, n, len(asked))
		}
	}
}

func TestLoad_Run_failures(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"closed": "", "no length": "HTTP/1.1 200 OK\r\n\r\n", "more than asked": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", "half": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			go func() {
				if conn, err := server.Accept(); err == nil {
					_, _ = conn.Read(make([]byte, 1000))
					_, _ = io.WriteString(conn, answer)
					_ = conn.Close()
				}
			}()
			load := Load{Addresses: []string{server.Addr().String()}, Connections: 1, Requests: 2, Request: func(b []byte, _, _ int, _ time.Time) []byte {
				return AppendGet(b, "/", "", "")
			}}
			if r, err := load.Run(t.Context()); err == nil || r.Requests != 0 {
				t.Errorf("%d answered, %v", r.Requests, err)
			}
		})
	}
	if _, err := (Load{Addresses: []string{"[::1]:80"}, Connections: 1}).Run(t.Context()); err == nil {
		t.Error("an address of IPv6 is taken")
	}
}
