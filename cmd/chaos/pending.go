package main

import (
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/chaos/rig"
	"hotfoot/tracking/key"
)

// The group of workers in each partition's stream of positions, and how long an entry is a worker's before another one takes it.
const (
	workersGroup = "history"
	claimedAfter = time.Minute
)

// entry is one in a worker's hands.
type entry struct{ stream, id, consumer string }

// pending are the entries that workers have had in their hands for so long.
func (r *Run) pending(idle time.Duration) (entries []entry) {
	for p := range key.Partitions {
		stream := key.Positions(p)
		args := &redis.XPendingExtArgs{Stream: stream, Group: workersGroup, Idle: idle, Start: "-", End: "+", Count: 10_000}
		found, err := r.Redis.Client.XPendingExt(r.ctx, args).Result()
		if err != nil && !redis.HasErrorPrefix(err, "NOGROUP") {
			r.fail(err)
		}
		for _, e := range found {
			entries = append(entries, entry{stream, e.ID, e.Consumer})
		}
	}
	return entries
}

// age makes entries look as if their workers had had them in their hands for longer than a worker may: instead of waiting a minute.
func (r *Run) age(entries []entry) {
	for _, e := range entries {
		r.Redis.Do(r.ctx, "XCLAIM", e.stream, workersGroup, e.consumer, 0, e.id, "IDLE", strconv.FormatInt((2*claimedAfter).Milliseconds(), 10), "JUSTID")
	}
}

// expectClaimed expects that entries which a worker has dropped are taken over by another one and settled. In the short form they are aged, and a
// worker is started anew, since that claims first of all; in the long form it just takes its time.
func (r *Run) expectClaimed(dropped []entry, starting *rig.Node) {
	within := claimedAfter + 25*time.Second
	if !r.Long {
		within = 5 * time.Second
		r.age(dropped)
		starting.Restart()
	}
	began := time.Now()
	r.Until("entries that a worker dropped are settled by another", within, func() bool {
		left := map[entry]bool{}
		for _, e := range r.pending(0) {
			left[entry{stream: e.stream, id: e.id}] = true
		}
		for _, e := range dropped {
			if left[entry{stream: e.stream, id: e.id}] {
				return false
			}
		}
		return true
	})
	r.tell("%d entries that a worker dropped were settled by another within %v", len(dropped), time.Since(began).Round(time.Millisecond))
}
