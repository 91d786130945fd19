//go:build linux

package post

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Burst is many requests at the same moment, each on a connection of its own that is open already and has been answered before. When an answer came the kernel says;
// it is read when others have come too, so that a client on the same cores does not read while servers still write.
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
	if err := loop.stamp(); err != nil {
		return nil, err
	}
	_, err = loop.exchange(ctx, b.First, 0)
	for try := 1; errors.Is(err, errUnstamped) && try < patientTries; try++ {
		_, err = loop.exchange(ctx, b.First, 0)
	}
	if err != nil {
		return nil, err
	}
	if err := b.Ready(); err != nil {
		return nil, err
	}
	return loop.exchange(ctx, b.Request, leaveFor)
}

const (
	leaveFor     = 50 * time.Millisecond // how long answers are left where they are before they are read
	patientTries = 20                    // first requests until the kernel says when each of their answers came
)

var errUnstamped = errors.New("post: the kernel does not say when an answer came")

// exchange sends a request on every connection and waits for the answers, which are left for so long before they are read. It answers how long they took, the
// shortest first.
func (l *loop) exchange(ctx context.Context, request []byte, left time.Duration) ([]time.Duration, error) {
	all := l.all()
	// The kernel's clock is the wall's.
	took, began := make([]time.Duration, 0, len(all)), time.Now().Round(0)
	for _, c := range all {
		if err := l.send(c, request); err != nil {
			return nil, err
		}
	}
	unstamped := false
	for l.underway > 0 && ctx.Err() == nil {
		time.Sleep(left)
		err := l.await(time.Now().Add(patience), func(_ *conn, at time.Time, refusal error) error {
			took, unstamped = append(took, at.Sub(began)), unstamped || at.IsZero()
			return refusal
		})
		if err != nil {
			return nil, err
		}
	}
	if unstamped {
		return nil, errUnstamped
	}
	slices.Sort(took)
	return took, ctx.Err()
}
