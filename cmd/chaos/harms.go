package main

import (
	"fmt"
	"time"

	"hotfoot/cmd/chaos/proxy"
)

// harm is something that can be done to one part of a deployment, and undone. Two harms to one part would undo each other.
type harm struct {
	name, part string
	begin, end func()
}

// harm draws one of those that the rig knows.
func (r *Run) harm(failpoints bool) harm {
	switch n := r.Rand.IntN(12); {
	case n < 2:
		return r.harmToPostgres()
	case n < 5:
		return r.harmToRedis()
	case n < 8:
		return r.harmToNode(failpoints)
	default:
		return r.harmToWay()
	}
}

func (r *Run) harmToPostgres() harm {
	harms := []harm{
		{name: "Postgres killed", begin: r.Postgres.Kill, end: r.Postgres.Restart},
		{name: "Postgres paused", begin: r.Postgres.Pause, end: r.Postgres.Resume},
		{
			name: "Postgres' connections ended",
			begin: func() {
				r.Postgres.Exec(r.ctx, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
			},
			end: func() {},
		},
	}
	h := harms[r.Rand.IntN(len(harms))]
	h.part = "postgres"
	return h
}

func (r *Run) harmToRedis() harm {
	do := func(args ...any) func() { return func() { r.Redis.Do(r.ctx, args...) } }
	harms := []harm{
		{name: "Redis killed", begin: r.Redis.Kill, end: r.Redis.Restart},
		{name: "Redis paused", begin: r.Redis.Pause, end: r.Redis.Resume},
		{name: "Redis killed and emptied", begin: r.Redis.Kill, end: r.Redis.RestartEmpty},
		{name: "Redis emptied", begin: r.Redis.RestartEmpty, end: func() {}},
		{name: "Redis full", begin: do("CONFIG", "SET", "maxmemory", "1"), end: do("CONFIG", "SET", "maxmemory", "0")},
		{name: "Pub/Sub connections killed", begin: do("CLIENT", "KILL", "TYPE", "pubsub"), end: do("CLIENT", "KILL", "TYPE", "pubsub")},
		{name: "Redis' connections killed", begin: do("CLIENT", "KILL", "TYPE", "normal"), end: func() {}},
	}
	h := harms[r.Rand.IntN(len(harms))]
	h.part = "redis"
	return h
}

func (r *Run) harmToNode(failpoints bool) harm {
	nodes := r.Nodes()
	n := nodes[r.Rand.IntN(len(nodes))]
	again := func() { n.Restart() }
	harms := []harm{
		{name: n.Name + " killed", begin: n.Kill, end: again},
		{name: n.Name + " paused", begin: n.Pause, end: n.Resume},
		{name: n.Name + " stopped in order", begin: func() { n.Terminate() }, end: again},
	}
	if failpoints {
		steps := append(append([]string(nil), apiSteps...), workerSteps...)
		step, action := steps[r.Rand.IntN(len(steps))], []string{"kill", "error", "delay 300ms"}[r.Rand.IntN(3)]
		env := fmt.Sprintf("HOTFOOT_FAILPOINTS=%s=%s@%d", step, action, 2+r.Rand.IntN(20))
		harms = append(harms, harm{name: n.Name + " with " + step + " " + action, begin: func() { n.Restart(env) }, end: again})
	}
	h := harms[r.Rand.IntN(len(harms))]
	h.part = n.Name
	return h
}

// harmToWay is to the way from one node to one store.
func (r *Run) harmToWay() harm {
	nodes := r.Nodes()
	n := nodes[r.Rand.IntN(len(nodes))]
	way, store := n.Postgres, "Postgres"
	if r.Rand.IntN(2) == 0 {
		way, store = n.Redis, "Redis"
	}
	delay, bytes := r.some(20*time.Millisecond, 300*time.Millisecond), r.Rand.Int64N(2000)
	harms := []harm{
		{name: "cut", begin: way.Cut},
		{name: "stalled", begin: func() { way.Stall(proxy.Both) }},
		{name: "stalled up", begin: func() { way.Stall(proxy.Up) }},
		{name: "stalled down", begin: func() { way.Stall(proxy.Down) }},
		{name: "frozen as far as it is open", begin: way.Freeze},
		{name: fmt.Sprintf("slower by %v", delay.Round(time.Millisecond)), begin: func() { way.Delay(delay) }},
		{name: fmt.Sprintf("cut after %d bytes of replies", bytes), begin: func() { way.LimitData(bytes) }},
		{name: "in single bytes", begin: way.Slice},
	}
	h := harms[r.Rand.IntN(len(harms))]
	h.name, h.part, h.end = n.Name+"'s way to "+store+" "+h.name, n.Name+" "+store, way.Heal
	return h
}
