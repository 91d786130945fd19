package main

import (
	"time"

	"hotfoot/cmd/chaos/proxy"
)

func init() {
	add(Scenario{
		ID: "F31", Name: "network flaps (1 s up, 1 s down; resets, byte by byte)",
		Why: "A network that comes and goes costs time and nothing else, however often.",
		Run: networkFlaps,
	})
}

func networkFlaps(r *Run) {
	spoil := []func(*proxy.Proxy){
		(*proxy.Proxy).Cut,
		func(p *proxy.Proxy) { p.Stall(proxy.Both) },
		(*proxy.Proxy).Slice,
		func(p *proxy.Proxy) { p.LimitData(r.Rand.Int64N(4000)) },
	}
	r.Repeat(1, 10, func(i int) {
		r.Fault(func() {
			for n := range 4 {
				for _, p := range ways(r) {
					spoil[(n+i)%len(spoil)](p)
				}
				r.Wait(time.Second)
				for _, p := range ways(r) {
					p.Heal()
				}
				r.Wait(time.Second)
			}
		})
		failed := len(r.StatusAnswers()) - len(r.StatusAnswers().With(200))
		r.Expect(failed > 0, "statuses fail meanwhile; none did: the fault did nothing")
	})
}

// ways are all proxies between nodes and stores.
func ways(r *Run) (all []*proxy.Proxy) {
	for _, n := range r.Nodes() {
		all = append(all, n.Postgres, n.Redis)
	}
	return all
}
