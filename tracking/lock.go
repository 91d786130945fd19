package tracking

import (
	"context"
	"time"
)

// Resource is a piece of work that should not be done twice at the same time, on whatever node: its kind, a word of the program, and what it is done
// for; the zero ID when there is one of its kind.
type Resource struct {
	Work string
	Of   ID
}

// String names it in logs and in the truth.
func (r Resource) String() string { return r.Work + ":" + r.Of.String() }

// Lease is a lock that somebody holds for a while.
type Lease struct {
	Resource Resource
	Token    string // who holds it: known to nobody else
	// Fence is higher than that of every lease on the resource before. A writer that has seen a higher one refuses this one's work: its holder has
	// slept past its time, and another has begun.
	Fence int64
}

// Locks hands out leases, so that work is not doubled. They are a courtesy and no proof: a holder may pause past its time without noticing, and a
// hot store that loses its memory gives the same lease again. What must be right rests on the fence that the writer checks, or on work that may be
// done twice.
//
// Errors: CodeConflict (another holds it, or this lease has ended), CodeUnavailable, at once when the store is known to be away.
type Locks interface {
	// Acquire takes a resource for a while. after is the highest fence that the writer has seen, which the lease's will exceed; 0 when there is none.
	Acquire(ctx context.Context, r Resource, life time.Duration, after int64) (Lease, error)
	// Extend lets a lease that has not ended live this much longer from now.
	Extend(ctx context.Context, l Lease, life time.Duration) error
	// Release ends a lease; one that has ended by itself, or is another's by now, is left alone.
	Release(ctx context.Context, l Lease) error
}
