package main

import (
	"context"
	"net/http"
	"time"

	"hotfoot/tracking/key"
)

func init() {
	add(Scenario{
		ID: "F10", Name: "Redis full, then Postgres away too",
		Why: "A full Redis costs nobody anything: positions become durable directly, viewers see everything, the backlog drains. And nothing is shown that is then refused.",
		Run: redisFull,
	})
}

func redisFull(r *Run) {
	r.Repeat(1, 10, func(int) {
		fullAlone(r)
		fullWithoutPostgres(r)
	})
}

// fillUp makes Redis refuse whatever would need more memory.
func fillUp(r *Run) { r.Redis.Do(r.Context(), "CONFIG", "SET", "maxmemory", "100kb") }

func makeRoom(r *Run) { r.Redis.Do(r.Context(), "CONFIG", "SET", "maxmemory", "0") }

// fullAlone has Redis full, at first with batches that wait for Postgres.
func fullAlone(r *Run) {
	refused := r.Redis.Errors(r.Context(), "OOM")
	var full time.Time
	r.Fault(func() {
		// What is slow to answer makes the backlog grow and opens no breaker.
		for _, n := range r.API {
			n.Postgres.Delay(150 * time.Millisecond)
		}
		r.Until("a backlog", 5*time.Second, func() bool { return backlog(r) >= 20 })
		fillUp(r)
		r.tell("full with %d batches in the backlog", backlog(r))
		for _, n := range r.API {
			n.Postgres.Heal()
		}
		r.Until("the worker of a full Redis drains it", 5*time.Second, func() bool { return backlog(r) == 0 })
		full = time.Now()
		r.Wait(r.Pick(3*time.Second, 30*time.Second))
		watching, shown := r.Shown("position", full.Add(-10*time.Second), full), r.Shown("position", full, time.Now())
		r.Expect(10*shown >= 8*watching, "viewers are shown positions; %d were before, %d are now", watching, shown)
		makeRoom(r)
	})
	r.Expect(r.Redis.Errors(r.Context(), "OOM") > refused, "Redis refuses; the fault did nothing")
	for kind, answers := range map[string]Answers{"statuses": r.StatusAnswers(), "positions": r.PositionAnswers()} {
		answers = answers.since(full)
		r.Expect(len(answers) > 0 && len(answers.With(http.StatusOK)) == len(answers), "%s are answered 200 by a full Redis; answers were %v", kind, answers.Codes())
	}
	delays := r.Delays(nil)
	r.Expect(delays.Quantile(1) < seenWithin, "viewers are shown statuses within %v; the longest took %v", seenWithin, delays.Quantile(1))
}

// fullWithoutPostgres has nobody who could keep a position, and phones that do not send again what was refused.
func fullWithoutPostgres(r *Run) {
	given := r.load.GivenUp()
	r.load.GiveUp(true)
	defer r.load.GiveUp(false)
	r.Fault(func() {
		fillUp(r)
		r.Wait(200 * time.Millisecond)
		r.Postgres.Kill()
		r.Wait(r.Pick(2*time.Second, 10*time.Second))
		r.Postgres.Restart()
		makeRoom(r)
	})
	refused := r.PositionAnswers().With(http.StatusServiceUnavailable)
	r.Expect(len(refused) > 0 && r.load.GivenUp() > given, "phones give up what is refused; %d reports were refused, %d fixes given up: the fault did nothing",
		len(refused), r.load.GivenUp()-given)
	late := r.After(refused, settledWithin+200*time.Millisecond)
	r.Expect(late.Slowest() < time.Second, "positions are refused quickly; the slowest took %v", late.Slowest())
}

// backlog is how many batches wait for Postgres.
func backlog(r *Run) (batches int64) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	for p := range key.Partitions {
		n, err := r.Redis.Client.XLen(ctx, key.Positions(p)).Result()
		if err != nil {
			r.fail(err)
		}
		batches += n
	}
	return batches
}
