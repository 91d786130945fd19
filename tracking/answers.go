package tracking

import (
	"context"
	"time"
)

// Computation is something that is worked out from many rows, and how old what came out may get before it is worked out again.
//
// An answer is as good as new while nothing of its segment has changed since, up to Life; and whatever has changed, up to Rest. For Grace after that it
// is still given while somebody works out a new one. So nobody is shown what was changed more than Rest + Grace ago; and with both 0 nobody is shown what
// was changed before they asked.
type Computation struct {
	Name string // in keys and metrics: small letters, and another name when the form of the answer changes
	Life time.Duration
	// Rest bounds how often it is worked out, however often things change.
	Rest   time.Duration
	Grace  time.Duration
	AtOnce int // how many of it one node may work out at once; the others wait for their turn
}

// Question is what is asked of a Computation.
type Question struct {
	Computation *Computation
	Segment     ID     // the merchant or courier all of whose changes make the answer stale
	Arguments   string // in one spelling: what is asked in two ways is worked out twice
	Again       bool   // nothing that is kept will do, and the answer is not kept
}

// Source is where an Answer was found.
type Source string

// The sources.
const (
	FromMemory Source = "memory" // this process had it
	FromHot    Source = "hot"    // the hot store had it
	FromStale  Source = "stale"  // something has changed, or its time is over, and it is being worked out again
	Computed   Source = "miss"   // it was worked out for this question
	Collapsed  Source = "shared" // it was worked out for somebody who asked at the same time
	Uncached   Source = "direct" // the hot store is away
	AskedAgain Source = "again"  // the asker wanted nothing that is kept
)

// Sources lists every source, for metrics.
var Sources = []Source{FromMemory, FromHot, FromStale, Computed, Collapsed, Uncached, AskedAgain}

// Answer is what came out. Value is shared with everybody who asks: nobody may change it.
type Answer struct {
	Value  any
	Source Source
	Age    time.Duration // since it was begun to be worked out
}

// Work is how a question is answered when no answer is kept, and how an answer is written down and read.
type Work struct {
	Compute func(ctx context.Context) (any, error)
	Encode  func(any) ([]byte, error)
	Decode  func([]byte) (any, error)
}

// Answers keeps what was computed. With the hot store away everything is computed, but the same thing once for all who ask meanwhile, and no more at
// once than AtOnce. Errors: those of Compute, which are not kept; CodeUnavailable (not in time), CodeOverloaded (too many different questions wait).
type Answers interface {
	Answer(ctx context.Context, q Question, w Work) (Answer, error)
}

// Ask is Answer for a type.
func Ask[T any](ctx context.Context, answers Answers, q Question, encode func(T) ([]byte, error), decode func([]byte) (T, error), compute func(context.Context) (T, error)) (T, Answer, error) {
	answer, err := answers.Answer(ctx, q, Work{
		Compute: func(ctx context.Context) (any, error) { return compute(ctx) },
		Encode:  func(v any) ([]byte, error) { return encode(v.(T)) },
		Decode:  func(b []byte) (any, error) { return decode(b) },
	})
	value, _ := answer.Value.(T)
	return value, answer, err
}
