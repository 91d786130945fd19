package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"hotfoot/cmd/chaos/load"
	"hotfoot/cmd/chaos/oracle"
	"hotfoot/cmd/chaos/rig"
)

// Run is one row while it runs: the deployment, the faults done to it, and what is expected of it meanwhile. Everything on the rig may be used;
// what is still broken when the scenario returns is healed.
type Run struct {
	*rig.Rig
	Long bool
	Rand *rand.Rand // for the scenario itself; the load has its own

	env      *Env
	ctx      context.Context
	log      *oracle.Log
	load     *load.Load
	tell     func(format string, args ...any)
	repeats  int
	faults   int
	spans    []span
	recovery []time.Duration
	excepted Excepted

	mu    sync.Mutex
	found []oracle.Violation
}

// span is when a fault lasted.
type span struct{ from, to time.Time }

// Context ends when the row must stop.
func (r *Run) Context() context.Context { return r.ctx }

// Repeat does something so many times: fewer in the short form.
func (r *Run) Repeat(short, long int, do func(i int)) {
	n := short
	if r.Long {
		n = long
	}
	r.repeats = max(r.repeats, n)
	for i := range n {
		r.check()
		do(i)
	}
}

// Pick is the short form's value, or the long one's.
func (r *Run) Pick(short, long time.Duration) time.Duration {
	if r.Long {
		return long
	}
	return short
}

// Fault counts a fault and answers how long the recovery from it took. do injects it, lets it last, and ends it; recovery begins when do returns.
func (r *Run) Fault(do func()) time.Duration {
	r.check()
	r.faults++
	s := span{from: time.Now()}
	do()
	s.to = time.Now()
	r.spans = append(r.spans, s)
	r.check()
	took := r.recover(s)
	r.recovery = append(r.recovery, took)
	return took
}

// Wait lets a fault last.
func (r *Run) Wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.ctx.Done():
	}
	r.check()
}

// Until waits for a condition, within a bound that is itself an expectation.
func (r *Run) Until(what string, within time.Duration, holds func() bool) bool {
	deadline := time.Now().Add(within)
	for !holds() {
		if time.Now().After(deadline) {
			r.Expect(false, "%s did not happen within %v", what, within)
			return false
		}
		r.Wait(pollEvery)
	}
	return true
}

// Sight is what viewers show now: all, or those at these nodes.
func (r *Run) Sight(nodes ...*rig.Node) load.Sight { return r.load.Sight(nodes...) }

// pollEvery is how often conditions are looked at.
const pollEvery = 50 * time.Millisecond

// Expect notes a promise of this row that was broken.
func (r *Run) Expect(kept bool, format string, args ...any) {
	if !kept {
		r.blame(oracle.Violation{Invariant: "row", Fault: oracle.Wrong, Who: "expected", Detail: fmt.Sprintf(format, args...)})
	}
}

func (r *Run) blame(v ...oracle.Violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = append(r.found, v...)
}

// abort ends a row that cannot go on; the rig's own failures come here.
type abort struct{ err error }

func (r *Run) fail(err error) { panic(abort{err}) }

// check ends the scenario when the row must stop.
func (r *Run) check() {
	if err := r.ctx.Err(); err != nil {
		r.fail(fmt.Errorf("the row was stopped: %w", context.Cause(r.ctx)))
	}
}
