package main

import (
	"net/http"
	"time"

	"hotfoot/cmd/chaos/proxy"
)

func init() {
	add(Scenario{
		ID: "F31", Name: "network flaps (1 s up, 1 s down; resets, black holes, byte by byte)",
		Why: "A network that comes and goes costs time and nothing else, however often.",
		Run: networkFlaps,
	})
}

func networkFlaps(r *Run) {
	spoil := []func(*proxy.Proxy){
		(*proxy.Proxy).Cut,
		func(p *proxy.Proxy) { p.Stall(proxy.Both) },
		func(p *proxy.Proxy) { p.LimitData(r.Rand.Int64N(4000)) },
		(*proxy.Proxy).Slice,
		(*proxy.Proxy).Heal,
	}
	r.Repeat(1, 10, func(int) {
		r.Fault(func() {
			for n := range 5 {
				if n > 0 {
					r.Wait(time.Second)
				}
				for _, p := range ways(r) {
					kind := n
					if n == len(spoil)-1 {
						kind = r.Rand.IntN(len(spoil)) // to each its own
					}
					spoil[kind](p)
				}
				r.Wait(time.Second)
				for _, p := range ways(r) {
					p.Heal()
				}
			}
		})
		answers := r.StatusAnswers()
		r.Expect(len(answers.Without(http.StatusOK)) > 0 && len(answers.With(http.StatusOK)) > 0, "statuses fail and succeed by turns; answers were %v", answers.Codes())
	})
}

// ways are all proxies between nodes and stores.
func ways(r *Run) (all []*proxy.Proxy) {
	for _, n := range r.Nodes() {
		all = append(all, n.Postgres, n.Redis)
	}
	return all
}
