package main

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// leaving ends kept-alive connections in order when a node stops: every answer is then the last of its connection and says so. Without it a client
// may send its next request into a connection that is being closed as idle, and cannot know whether it was served.
type leaving struct {
	draining *atomic.Bool
	open     atomic.Int64 // connections; sockets that were upgraded aside
}

// wrap has answers say that they are the last, once the node drains.
func (l *leaving) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// count is the server's ConnState.
func (l *leaving) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		l.open.Add(1)
	case http.StateHijacked, http.StateClosed:
		l.open.Add(-1)
	}
}

// leaveFor is how long clients have to use up their connections: those that are busy do in much less, and the others are hardly used at all.
const leaveFor = time.Second

// wait returns when no connection is open, or leaveFor is over.
func (l *leaving) wait(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, leaveFor)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for l.open.Load() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
