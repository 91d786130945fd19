//go:build linux

package post

import (
	"context"
	"slices"
	"time"
)

// Burst is many requests at the same moment, each on a connection of its own that is open already and has had one answer.
type Burst struct {
	Addresses   []string // of IPv4, host:port; connections take turns
	Connections int
	First       []byte // what each connection asks before
	Request     []byte
	Ready       func() error // is called between the first requests and the burst
}

// Run answers how long each took, from the moment at which all were let go, the shortest first. Errors: Ready's, a connection that breaks, a refusal.
func (b Burst) Run(ctx context.Context) ([]time.Duration, error) {
	loop, err := connect(b.Addresses, b.Connections)
	if err != nil {
		return nil, err
	}
	defer loop.close()
	if _, err := loop.exchange(ctx, b.First); err != nil {
		return nil, err
	}
	if err := b.Ready(); err != nil {
		return nil, err
	}
	return loop.exchange(ctx, b.Request)
}

// exchange sends a request on every connection and waits for the answers. It answers how long they took, the shortest first.
func (l *loop) exchange(ctx context.Context, request []byte) ([]time.Duration, error) {
	all := l.all()
	took, began := make([]time.Duration, 0, len(all)), time.Now()
	for _, c := range all {
		if err := l.send(c, request); err != nil {
			return nil, err
		}
	}
	for l.underway > 0 && ctx.Err() == nil {
		err := l.await(time.Now().Add(patience), func(_ *conn, at time.Time, refusal error) error {
			took = append(took, at.Sub(began))
			return refusal
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(took)
	return took, ctx.Err()
}
