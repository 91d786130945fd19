//go:build linux

// Package post sends requests over kept-alive connections and reads the answers, for little: a client of a bench must not cost as much as the server.
//
//	Load.Run ──> loop: n connections, each one request after another, read by one goroutine with epoll ──> server
//
// Requests are written as bytes that were made before; of an answer the status and the length are read. Either each connection is as fast as its
// answers come, or requests are due at a fixed rate and latency counts from then. An answer that is neither 200 nor 202 ends the run, since a figure about
// refusals would be none; but who asks more of a server than it can do may have those counted that are refused for it, with 503.
//
// Or the connections are a courier app's sockets: then requests are messages with positions, and answers are their receipts. Pings stay unanswered, as no run lasts
// until a server minds.
package post

import (
	"context"
	"errors"
	"slices"
	"time"

	"hotfoot/cmd/hotfoot/bench/stats"
)

// Load is what to send where.
type Load struct {
	Addresses   []string // of IPv4, host:port; connections take turns
	Connections int
	Began       time.Time     // what due times count from; the zero time is when Run is called
	Requests    int           // how many at most; 0 is as many as there is time for
	Overload    bool          // answers of 503 are counted and do not end the run
	For         time.Duration // how long to send once connections are open; 0 is until the context ends
	PerSecond   int           // requests that are due each second, over all connections; 0 is as fast as answers come
	// Open is the handshake of a connection that is to be a socket; nil for HTTP.
	Open func(connection int) []byte
	// Request appends the n-th request of all to b; connection is one of Connections and sends one at a time. due is when it ought to be sent.
	Request func(b []byte, connection, n int, due time.Time) []byte
}

// Result is what was answered.
type Result struct {
	Requests int
	Refused  int // of them, for overload
	Took     time.Duration
	Latency  *stats.Histogram // from due to answered
}

// Run sends until ctx or its time ends, or Requests are answered; requests under way are finished then. Errors: a connection that breaks, a refusal.
func (l Load) Run(ctx context.Context) (Result, error) {
	loop, err := connect(l.Addresses, l.Connections)
	if err != nil {
		return Result{}, err
	}
	defer loop.close()
	if l.Open != nil {
		if err := loop.open(ctx, l.Open); err != nil {
			return Result{}, err
		}
	}
	if l.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.For)
		defer cancel()
	}
	began := time.Now()
	if l.Began.IsZero() {
		l.Began = began
	}
	r := &run{Load: l, loop: loop, ctx: ctx, idle: loop.all(), result: Result{Latency: &stats.Histogram{}}}
	next, err := r.send()
	for err == nil && (loop.underway > 0 || r.more()) {
		if err = loop.await(next, r.answered); err == nil {
			next, err = r.send()
		}
	}
	r.result.Took = time.Since(began)
	return r.result, err
}

// run is a load that is being sent.
type run struct {
	Load
	loop   *loop
	ctx    context.Context
	sent   int
	idle   []*conn
	result Result
}

// more reports whether anything is to be sent yet.
func (r *run) more() bool { return r.ctx.Err() == nil && (r.Requests == 0 || r.sent < r.Requests) }

// send gives what is due to connections that have nothing to do. It answers when to look again at the latest.
func (r *run) send() (next time.Time, err error) {
	now := time.Now()
	next = now.Add(patience)
	if end, ok := r.ctx.Deadline(); ok && end.After(now) && end.Before(next) {
		next = end
	}
	for len(r.idle) > 0 && r.more() {
		due := time.Now()
		if r.PerSecond > 0 {
			now, due = due, r.Began.Add(time.Duration(r.sent)*time.Second/time.Duration(r.PerSecond))
			if due.After(now) {
				return earlier(due, next), nil
			}
		}
		// The one that has been idle longest: a server closes those that say nothing for long.
		c := r.idle[0]
		r.idle = slices.Delete(r.idle, 0, 1)
		c.due, c.request = due, r.Request(c.request[:0], c.index, r.sent, due)
		r.sent++
		if err := r.loop.send(c, c.request); err != nil {
			return next, err
		}
	}
	return next, nil
}

// answered counts an answer, and has its connection send what is next before others are looked at.
func (r *run) answered(c *conn, at time.Time, refusal error) error {
	switch {
	case r.Overload && errors.Is(refusal, errOverload):
		r.result.Refused++
	case refusal != nil:
		return refusal
	}
	r.result.Requests++
	r.result.Latency.Record(at.Sub(c.due))
	r.idle = append(r.idle, c)
	_, err := r.send()
	return err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
