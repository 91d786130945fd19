package main

import (
	"context"
	"fmt"
	"time"

	"hotfoot/cmd/chaos/oracle"
)

// Recovery is over when for this long every request of couriers has succeeded within calmAnswer, and every viewer shows the truth of Postgres
// and is told live:true. It is counted up to the last thing that became so.
const (
	calmFor      = 500 * time.Millisecond
	calmAnswer   = time.Second
	recoverLimit = 30 * time.Second
)

// recover measures how long the deployment needs after a fault.
func (r *Run) recover(s span) time.Duration {
	deadline := s.to.Add(recoverLimit)
	trueAt := time.Time{} // since when viewers show the truth
	versions, err := r.versions()
	for {
		before := versions
		trouble := err
		if trouble == nil {
			// What Postgres had a moment ago must be shown by now.
			trouble = r.load.Converged(before)
		}
		if trouble != nil {
			trueAt = time.Time{}
		} else if trueAt.IsZero() {
			trueAt = time.Now()
		}
		goodAt, calm := r.calm(s.to)
		if !calm && trouble == nil {
			trouble = fmt.Errorf("requests of couriers do not all succeed yet")
		}
		if trouble == nil {
			took := max(trueAt.Sub(s.to), goodAt.Sub(s.to))
			r.tell("fault %d lasted %v, recovered in %v", r.faults, s.to.Sub(s.from).Round(10*time.Millisecond), took.Round(10*time.Millisecond))
			return took
		}
		if time.Now().After(deadline) {
			r.blame(oracle.Violation{
				Invariant: "recovery", Fault: oracle.Wrong, Who: fmt.Sprintf("fault %d", r.faults),
				Detail: fmt.Sprintf("not recovered %v after its end: %v", recoverLimit, trouble),
			})
			r.tell("fault %d: not recovered within %v", r.faults, recoverLimit)
			return recoverLimit
		}
		versions, err = r.versions()
		r.Wait(pollEvery)
	}
}

// calm reports whether couriers' requests have all succeeded lately, and since when: from the first success of each kind after the last failure.
func (r *Run) calm(since time.Time) (goodAt time.Time, calm bool) {
	badAt := since
	good := map[oracle.Kind]time.Time{}
	for _, a := range r.log.AnswersSince(since) {
		if a.Kind != oracle.Positions && a.Kind != oracle.Statuses {
			continue
		}
		if !a.OK() || a.Took > calmAnswer {
			badAt = a.Done()
			clear(good)
		} else if _, ok := good[a.Kind]; !ok {
			good[a.Kind] = a.Done()
		}
	}
	for _, at := range good {
		if at.After(goodAt) {
			goodAt = at
		}
	}
	return goodAt, len(good) == 2 && time.Since(badAt) >= calmFor
}

// versions are what Postgres has now.
func (r *Run) versions() (map[string]oracle.StoredDelivery, error) {
	ctx, cancel := context.WithTimeout(r.ctx, 2*time.Second)
	defer cancel()
	return oracle.Deliveries(ctx, r.Postgres.Pool)
}
