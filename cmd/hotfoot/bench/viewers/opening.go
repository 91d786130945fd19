//go:build linux

package viewers

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"hotfoot/cmd/hotfoot/bench/socket"
)

// Target is what a socket asks for.
type Target struct {
	Path   string // with its query
	Bearer string // a key, for what needs one
	Hello  string // what to say as soon as the handshake is done; "" is nothing
}

// opening is one call of Open.
type opening struct {
	targets  []Target
	tried    int // targets that were tried at least once
	inFlight int
	arrived  int
	retries  retries
}

// Open connects a socket for each target, with at most inFlight that have not had their first message yet, and returns when all have. Errors: the
// context's, a refusal without Retry-After, and a system that has no socket left.
func (s *Set) Open(ctx context.Context, targets []Target, inFlight int) error {
	o := &opening{targets: targets}
	err := s.Run(ctx, func() bool {
		for s.failure == nil && o.inFlight < inFlight {
			target, ok := o.next(time.Now())
			if !ok {
				break
			}
			o.inFlight++
			s.fail(s.dial(target, o))
		}
		return s.failure == nil && o.arrived == len(targets)
	})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("viewers: %d of %d sockets had their first message: %w", o.arrived, len(targets), err)
	}
	return err
}

// next is the target to try now.
func (o *opening) next(now time.Time) (target int, ok bool) {
	if len(o.retries) > 0 && !o.retries[0].due.After(now) {
		return heap.Pop(&o.retries).(retry).target, true
	}
	if o.tried == len(o.targets) {
		return 0, false
	}
	o.tried++
	return o.tried - 1, true
}

// again has a target tried once more, within a time.
func (o *opening) again(target int, within time.Duration) {
	o.inFlight--
	heap.Push(&o.retries, retry{target, time.Now().Add(rand.N(within))})
}

// request is the handshake of a target.
func (o *opening) request(host string, target int) []byte {
	t := o.targets[target]
	return socket.Handshake(host, t.Path, t.Bearer)
}

type retry struct {
	target int
	due    time.Time
}

// retries is a heap by due.
type retries []retry

func (r retries) Len() int           { return len(r) }
func (r retries) Less(i, j int) bool { return r[i].due.Before(r[j].due) }
func (r retries) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }

// Push implements heap.Interface.
func (r *retries) Push(x any) { *r = append(*r, x.(retry)) }

// Pop implements heap.Interface.
func (r *retries) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	*r = (*r)[:last]
	return x
}
