package main

import (
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/chaos/load"
	"hotfoot/cmd/chaos/oracle"
	"hotfoot/tracking/key"
)

func init() {
	add(Scenario{
		ID: "F23", Name: "backlog full while Postgres is away",
		Why:  "At its limit phones are told to keep their fixes, nothing that was taken is trimmed, and the backlog drains without holding up the living.",
		Size: load.Size{ReportEvery: 40 * time.Millisecond},
		Env:  []string{"HOTFOOT_BACKLOG_MB=1"},
		Run:  backlogFull,
	})
}

const (
	// catchUp is how much faster than they come fixes must leave a backlog.
	catchUp = 3
	// answerNoise is how much a slow answer may vary on a machine that has much else to do.
	answerNoise = 100 * time.Millisecond
	historyRate = "hotfoot_history_points_total"
	// manyFull is how many partitions are full when it can be felt; twenty couriers share about seventeen.
	manyFull = 5
)

func backlogFull(r *Run) {
	r.Repeat(1, 5, func(int) {
		began, stored := time.Now(), r.Metric(historyRate, r.API...)
		r.Wait(2 * time.Second)
		ingest := (r.Metric(historyRate, r.API...) - stored) / time.Since(began).Seconds()
		before := r.positionsSince(began)
		r.Fault(func() {
			r.Postgres.Kill()
			r.Until("the backlog is full", 20*time.Second, func() bool { return r.standing().full >= manyFull })
			held := r.standing()
			r.Wait(r.Pick(time.Second, time.Minute))
			now := r.standing()
			r.Expect(now.added-held.added == now.batches-held.batches, "nothing is trimmed: %d batches came, and there are %d more", now.added-held.added, now.batches-held.batches)
			r.Postgres.Restart()
			r.drain(now, ingest, before)
		})
		taken, refused := r.PositionAnswers().With(http.StatusAccepted), r.PositionAnswers().With(http.StatusServiceUnavailable)
		r.Expect(len(taken) > 0 && len(refused) > 0, "the fault did nothing: positions were answered %v", r.PositionAnswers().Codes())
		for _, a := range refused {
			r.Expect(a.Problem == "overloaded" && a.RetryAfter > 0, "positions of %s were refused as %q, to be tried again after %v", a.Who, a.Problem, a.RetryAfter)
		}
		r.tell("positions were answered %v", r.PositionAnswers().Codes())
	})
}

// drain measures how a backlog drains, and whether the living wait for it.
func (r *Run) drain(full standing, ingest float64, before Answers) {
	restarted := time.Now()
	r.Until("the backlog begins to drain", 5*time.Second, func() bool { return r.standing().batches < full.batches*9/10 })
	began, stored := time.Now(), r.Metric(historyRate, r.API...)
	r.Until("the backlog drains", 20*time.Second, func() bool { return r.standing().batches < full.batches/20 })
	drained := time.Since(began)
	rate := (r.Metric(historyRate, r.API...) - stored) / drained.Seconds()
	r.Expect(rate >= catchUp*ingest, "a backlog drains at least %d times as fast as it fills, %.0f fixes a second; it did at %.0f", catchUp, ingest, rate)
	r.Wait(time.Second)
	during := r.positionsSince(restarted)
	slower, usual := during.Quantile(0.99), before.Quantile(0.99)
	r.Expect(slower <= max(2*usual, answerNoise), "the living do not wait: 99 of 100 reports are answered within %v; it took %v", usual, slower)
	r.tell("%d batches drained in %v, from %v after the restart on, at %.0f fixes a second; they come at %.0f. 99 of 100 reports were answered within %v before, %v meanwhile",
		full.batches, drained.Round(time.Millisecond), began.Sub(restarted).Round(time.Millisecond), rate, ingest, usual.Round(100*time.Microsecond), slower.Round(100*time.Microsecond))
}

// positionsSince are the answers to reports that were sent since then and taken at once.
func (r *Run) positionsSince(t time.Time) Answers {
	return Answers(r.log.AnswersSince(t)).where(func(a oracle.Answer) bool {
		return a.Kind == oracle.Positions && a.Code == http.StatusAccepted && a.At.After(t)
	})
}

// standing is what waits for Postgres.
type standing struct {
	batches, added int64 // now, and since the beginning
	full           int   // partitions that take no more
}

func (r *Run) standing() (b standing) {
	const limit = 1 << 20 / key.Partitions
	for p := range key.Partitions {
		info, err := r.Redis.Client.XInfoStream(r.ctx, key.Positions(p)).Result()
		if err != nil {
			if redis.HasErrorPrefix(err, "ERR no such key") {
				continue
			}
			r.fail(err)
		}
		bytes, err := r.Redis.Client.Get(r.ctx, key.BacklogBytes(p)).Int64()
		if err != nil && err != redis.Nil {
			r.fail(err)
		}
		b.batches += info.Length
		b.added += info.EntriesAdded
		if bytes >= limit {
			b.full++
		}
	}
	return b
}
