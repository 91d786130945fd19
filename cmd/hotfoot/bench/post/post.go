//go:build linux

// Package post sends requests over kept-alive connections and reads the answers, for little: a client of a bench must not cost as much as the server.
//
//	Run ── n connections, each one request after another ──> server
//
// Requests are written as bytes that were made before; of an answer the status and the length are read. Either each connection is as fast as its
// answers come, or requests are due at a fixed rate and latency counts from then. An answer that is neither 200 nor 202 ends the run, since a figure about
// refusals would be none; but who asks more of a server than it can do may have those counted that are refused for it, with 503.
package post

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"hotfoot/cmd/hotfoot/bench/stats"
)

// Load is what to send where.
type Load struct {
	Addresses   []string // connections take turns
	Connections int
	Began       time.Time // what due times count from; the zero time is when Run is called
	Requests    int       // how many at most; 0 is as many as there is time for
	Overload    bool      // answers of 503 are counted and do not end the run
	PerSecond   int       // requests that are due each second, over all connections; 0 is as fast as answers come
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

// Run sends until ctx ends or Requests are answered; requests under way are finished then. Errors: a connection that breaks, a refusal.
func (l Load) Run(ctx context.Context) (Result, error) {
	var wait sync.WaitGroup
	var number, refused atomic.Int64
	histograms, errs := make([]stats.Histogram, l.Connections), make([]error, l.Connections)
	began := time.Now()
	if l.Began.IsZero() {
		l.Began = began
	}
	for i := range l.Connections {
		wait.Go(func() {
			c := &connection{load: &l, index: i, number: &number, refused: &refused, latency: &histograms[i]}
			errs[i] = c.run(ctx)
		})
	}
	wait.Wait()
	r := Result{Took: time.Since(began), Latency: &stats.Histogram{}}
	for i := range histograms {
		r.Latency.Add(&histograms[i])
	}
	r.Requests, r.Refused = r.Latency.Count(), int(refused.Load())
	return r, errors.Join(errs...)
}

// connection is one of a load's.
type connection struct {
	load    *Load
	index   int
	number  *atomic.Int64 // of requests
	refused *atomic.Int64
	latency *stats.Histogram
}

func (c *connection) run(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.load.Addresses[c.index%len(c.load.Addresses)])
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	defer conn.Close()
	answers := bufio.NewReaderSize(conn, answerBuffer)
	var b []byte
	for ctx.Err() == nil {
		n, due := int(c.number.Add(1)-1), time.Now()
		if c.load.Requests > 0 && n >= c.load.Requests {
			break
		}
		if c.load.PerSecond > 0 {
			due = c.load.Began.Add(time.Duration(n) * time.Second / time.Duration(c.load.PerSecond))
			if !sleepUntil(ctx, due) {
				break
			}
		}
		b = c.load.Request(b[:0], c.index, n, due)
		err := exchange(conn, answers, b)
		if c.load.Overload && errors.Is(err, errOverload) {
			c.refused.Add(1)
		} else if err != nil {
			return err
		}
		c.latency.Record(time.Since(due))
	}
	return nil
}

func sleepUntil(ctx context.Context, due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

var lengthName = []byte("Content-Length:")

// errOverload is an answer of 503, which has been read to its end.
var errOverload = errors.New("the server is asked too much")

// answerBuffer holds a usual answer.
const answerBuffer = 8 << 10

// maxAnswer bounds a body: receipts of a few hundred points.
const maxAnswer = 1 << 20

// readAnswer reads one answer to its end.
func readAnswer(r *bufio.Reader) error {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	accepted := bytes.HasPrefix(status, []byte("HTTP/1.1 200")) || bytes.HasPrefix(status, []byte("HTTP/1.1 202"))
	refusal := ""
	if !accepted {
		refusal = string(bytes.TrimSpace(status))
	}
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, lengthName); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || length < 0 || length > maxAnswer {
				return fmt.Errorf("an answer of %q bytes", value)
			}
		}
	}
	if length < 0 {
		return errors.New("an answer without a length")
	}
	if !accepted {
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return err
		}
		if bytes.HasPrefix([]byte(refusal), []byte("HTTP/1.1 503")) {
			return fmt.Errorf("%w: %s", errOverload, bytes.TrimSpace(body))
		}
		return fmt.Errorf("%s: %s", refusal, bytes.TrimSpace(body))
	}
	_, err = r.Discard(length)
	return err
}

// AppendGet writes a GET. bearer is the key, "" for none; control is a Cache-Control header's value, "" for none.
func AppendGet(b []byte, path, bearer, control string) []byte {
	b = append(append(append(b, "GET "...), path...), " HTTP/1.1\r\nHost: bench"...)
	if bearer != "" {
		b = append(append(b, "\r\nAuthorization: Bearer "...), bearer...)
	}
	if control != "" {
		b = append(append(b, "\r\nCache-Control: "...), control...)
	}
	return append(b, "\r\n\r\n"...)
}

// AppendRequest writes a POST with a JSON body. prefer is a Prefer header's value, "" for none.
func AppendRequest(b []byte, path, bearer, prefer string, body []byte) []byte {
	b = append(append(append(b, "POST "...), path...), " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	if bearer != "" {
		b = append(append(b, "\r\nAuthorization: Bearer "...), bearer...)
	}
	if prefer != "" {
		b = append(append(b, "\r\nPrefer: "...), prefer...)
	}
	return append(append(b, "\r\n\r\n"...), body...)
}
