package main

import (
	"context"
	"strconv"
	"time"

	"hotfoot/cmd/chaos/oracle"
	"hotfoot/tracking/key"
)

// storedWithin is how soon what waits in the backlog is in Postgres, once that is back.
const storedWithin = 5 * time.Second

// expectAcceptedStored expects that what phones were told is accepted has come to Postgres by itself. It is for rows in which Redis keeps what it
// has, and no worker dies with entries in hand: those would be taken over only after a minute.
func expectAcceptedStored(r *Run) {
	now := time.Now()
	if !r.Until("what was accepted leaves the backlog", storedWithin, func() bool { return !waiting(r, now) }) {
		return
	}
	truth, err := oracle.Read(r.Context(), r.Postgres.Pool)
	if err != nil {
		r.fail(err)
	}
	r.blame(oracle.CheckAccepted(r.log.Facts(), truth, now)...)
}

// waiting reports whether something that was accepted by then waits for Postgres.
func waiting(r *Run, then time.Time) bool {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	for p := range key.Partitions {
		entries, err := r.Redis.Client.XRangeN(ctx, key.Positions(p), "-", strconv.FormatInt(then.UnixMilli(), 10), 1).Result()
		if err != nil {
			r.fail(err)
		}
		if len(entries) > 0 {
			return true
		}
	}
	return false
}
