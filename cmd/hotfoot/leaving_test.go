package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

func TestLeaving(t *testing.T) {
	t.Parallel()
	var draining atomic.Bool
	l := &leaving{draining: &draining}
	server := httptest.NewUnstartedServer(l.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	server.Config.ConnState = l.count
	server.Start()
	defer server.Close()
	ask := func() *http.Response {
		t.Helper()
		response, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		return response
	}
	if response := ask(); response.Close {
		t.Error("an answer ends its connection though the node stays")
	}
	draining.Store(true)
	began := time.Now()
	l.wait(t.Context())
	if took := time.Since(began); took < leaveFor {
		t.Errorf("a connection that may be used was waited for %v, want %v", took, leaveFor)
	}
	if response := ask(); !response.Close {
		t.Error("an answer of a node that stops does not end its connection")
	}
	began = time.Now()
	l.wait(t.Context())
	if took := time.Since(began); took >= leaveFor || l.open.Load() != 0 {
		t.Errorf("waited %v for %d connections", took, l.open.Load())
	}
}
