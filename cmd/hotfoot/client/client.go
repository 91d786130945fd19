// Package client speaks Hotfoot's public HTTP API as a merchant's program or a courier's phone does.
//
//	merchant := client.New(baseURL, merchantKey)
//	courier  := merchant.WithKey(courierToken)        // same connections, other identity
//
//	call ──► one attempt ──► 2xx ──────────────────────────────► answer
//	             ▲             4xx ────────────────────────────► *Problem
//	             └── wait ◄──── 429; network, 502, 503, 504 when a repeat is harmless
//
// Guarantees: a call that the server may have carried out is repeated only when a repeat is harmless (reads, PUT,
// positions that all carry a seq, status changes with a client_event_id, deliveries with an idempotency key); a 429
// says the server did nothing, so it is always repeated. Repeats go on until the context ends, with full jitter, never
// before Retry-After.
//
// A Client is safe for concurrent use.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// attemptTimeout bounds one attempt, so that a server that hangs is asked again while the call still has time.
	attemptTimeout = 15 * time.Second

	// maxReply is far above the largest page of a list and keeps a wrong URL from filling the memory.
	maxReply = 16 << 20

	// idleConns keeps a connection warm for each of some thousand couriers that report every few seconds. The default
	// transport keeps two per host and would open a new one for nearly every report.
	idleConns = 4096
)

// Client calls one server under one key.
type Client struct {
	base string
	key  string
	http *http.Client
}

// New returns a client for the server at baseURL, such as http://127.0.0.1:8080.
func New(baseURL, key string) *Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns = idleConns
	t.MaxIdleConnsPerHost = idleConns
	return NewWithTransport(baseURL, key, t)
}

// NewWithTransport returns a client whose requests travel through rt.
func NewWithTransport(baseURL, key string, rt http.RoundTripper) *Client {
	return &Client{base: strings.TrimRight(baseURL, "/"), key: key, http: &http.Client{Transport: rt}}
}

// WithKey returns a client that shares c's connections and identifies itself with key.
func (c *Client) WithKey(key string) *Client {
	return &Client{base: c.base, key: key, http: c.http}
}

// call is one request of the API. op names it in errors.
type call struct {
	op         string
	method     string
	path       string
	header     http.Header
	body       any
	out        any
	harmless   bool          // doing it twice is the same as doing it once
	extraLimit time.Duration // how much longer than usual the server may take, because it was asked to wait
}

func (c *Client) do(ctx context.Context, q call) error {
	var payload []byte
	if q.body != nil {
		var err error
		if payload, err = json.Marshal(q.body); err != nil {
			return fmt.Errorf("%s: encode request: %w", q.op, err)
		}
	}
	for attempt := 0; ; attempt++ {
		err := c.attempt(ctx, q, payload)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !repeatable(err, q.harmless) {
			return fmt.Errorf("%s: %w", q.op, err)
		}
		if waitErr := pause(ctx, delay(attempt, retryAfter(err))); waitErr != nil {
			return fmt.Errorf("%s: gave up after %d attempts: %w", q.op, attempt+1, errors.Join(err, waitErr))
		}
	}
}

func (c *Client) attempt(ctx context.Context, q call, payload []byte) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout+q.extraLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, q.method, c.base+q.path, bytes.NewReader(payload))
	if err != nil {
		return fmt.Errorf("build request: %w", err)
	}
	for name, values := range q.header {
		req.Header[name] = values
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Accept", "application/json, application/problem+json")
	if payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return &unreachable{err}
	}
	defer resp.Body.Close()
	// Reading to the end is what lets the connection be used again.
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return &unreachable{fmt.Errorf("read reply: %w", err)}
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return newProblem(resp, reply, time.Now())
	}
	if q.out == nil {
		return nil
	}
	if err := json.Unmarshal(reply, q.out); err != nil {
		return fmt.Errorf("decode reply: %w", err)
	}
	return nil
}
