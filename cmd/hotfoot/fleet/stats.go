package fleet

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"hotfoot/cmd/hotfoot/client"
)

// Stats counts what a fleet did.
type Stats struct {
	Positions uint64 // points that the server answered for
	Batches   uint64 // reports they came in
	Statuses  uint64 // status changes that were accepted
	Rejected  uint64 // points that the server rejected
	Errors    uint64 // requests that failed in the end
	Late      uint64 // turns that came more than an interval late: the machine or the server cannot keep up
}

type counters struct{ positions, batches, statuses, rejected, errors, late atomic.Uint64 }

func (c *counters) read() Stats {
	return Stats{
		Positions: c.positions.Load(), Batches: c.batches.Load(), Statuses: c.statuses.Load(),
		Rejected: c.rejected.Load(), Errors: c.errors.Load(), Late: c.late.Load(),
	}
}

// quiet is how long a kind of error is counted in silence after it was logged.
const quiet = 10 * time.Second

// complaints logs errors once per kind and quiet period, with how many there were: a thousand couriers that cannot
// reach the server are one line, not a thousand.
type complaints struct {
	log   *slog.Logger
	mu    sync.Mutex
	kinds map[string]*kind
}

type kind struct {
	logged time.Time
	since  int
}

func newComplaints(log *slog.Logger) *complaints {
	return &complaints{log: log, kinds: map[string]*kind{}}
}

// about counts err as something that went wrong while doing what.
func (c *complaints) about(doing string, err error) {
	name := doing
	var p *client.Problem
	if errors.As(err, &p) {
		name += " " + p.Code
	}
	c.mu.Lock()
	k := c.kinds[name]
	if k == nil {
		k = &kind{}
		c.kinds[name] = k
	}
	k.since++
	times, due := k.since, time.Since(k.logged) >= quiet
	if due {
		k.logged, k.since = time.Now(), 0
	}
	c.mu.Unlock()
	if due {
		c.log.Warn("courier request failed", "doing", doing, "times", times, "err", err)
	}
}
