package main

import (
	"time"

	"hotfoot/cmd/chaos/proxy"
)

func init() {
	add(Scenario{
		ID: "F14", Name: "black hole between one gateway and Redis",
		Why: "Nobody gets an error, and yet the gateway notices: its viewers are told live:false, see statuses by way of Postgres, and are live again soon after.",
		Run: redisBlackHole,
	})
}

// Promises to the viewers of a gateway that is cut off without a word.
const (
	noticedWithin = 5 * time.Second
	polledWithin  = 5 * time.Second
	resyncWithin  = 3 * time.Second
)

func redisBlackHole(r *Run) {
	ways := []proxy.Way{proxy.Both, proxy.Down, proxy.Up}
	r.Repeat(2, 12, func(i int) {
		way, gateway := ways[i%len(ways)], r.Gateways[i%len(r.Gateways)]
		var noticed time.Duration
		back := r.Fault(func() {
			began := time.Now()
			gateway.Redis.Stall(way)
			r.Until("viewers of a gateway without Redis are told live:false", noticedWithin, func() bool {
				s := r.Sight(gateway)
				return s.Connected > 0 && s.Live == 0
			})
			noticed = time.Since(began)
			r.Wait(r.Pick(1500*time.Millisecond, time.Minute))
			other := r.Gateways[(i+1)%len(r.Gateways)]
			r.Expect(r.Sight(other).Dark == 0, "viewers of the other gateway stay live; %+v", r.Sight(other))
			gateway.Redis.Heal()
		})
		delays := r.Delays(gateway)
		r.tell("noticed after %v; %d statuses took %v, at most %v; back after %v", noticed.Round(time.Millisecond), len(delays),
			delays.Quantile(0.5).Round(time.Millisecond), delays.Quantile(1).Round(time.Millisecond), back.Round(time.Millisecond))
		r.Expect(len(delays) > 0 && delays.Quantile(1) < polledWithin, "statuses reach viewers of the gateway within %v; %d took up to %v",
			polledWithin, len(delays), delays.Quantile(1))
		r.Expect(back < resyncWithin, "viewers are live again within %v; it took %v", resyncWithin, back)
	})
}
