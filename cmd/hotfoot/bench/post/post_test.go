//go:build linux

package post

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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

	load.PerSecond = 100
	paced, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if r, err = load.Run(paced); err != nil || r.Requests == 0 || float64(r.Requests) > 100*r.Took.Seconds()+4 {
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
	load.PerSecond = 0
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
		r := bufio.NewReader(strings.NewReader(text))
		if err := readAnswer(r); err == nil && !strings.HasPrefix(text, "HTTP/1.1 20") {
			t.Errorf("%q passes for an answer", text)
		}
	})
}
