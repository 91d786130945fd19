package main

import "strings"

func init() {
	add(Scenario{
		ID: "F11", Name: "Redis that evicts (allkeys-lru)",
		Why: "A Redis that may drop what was accepted is refused at the start, with what to change; who insists is warned.",
		Run: redisUnsafe,
	})
}

func redisUnsafe(r *Run) {
	for setting, fix := range map[[2]string]string{
		{"maxmemory-policy", "allkeys-lru"}: "set maxmemory-policy noeviction",
		{"appendonly", "no"}:                "set appendonly yes",
	} {
		safe := r.Redis.Client.ConfigGet(r.Context(), setting[0]).Val()[setting[0]]
		r.Fault(func() {
			r.Redis.Do(r.Context(), "CONFIG", "SET", setting[0], setting[1])
			serves, said := r.Gateways[0].Try()
			r.Expect(!serves && strings.Contains(said, fix), "a node refuses %s %s and says %q; it served: %t, and said: %s", setting[0], setting[1], fix, serves, said)
			serves, said = r.Gateways[0].Try("HOTFOOT_ALLOW_UNSAFE_STORES=1")
			r.Expect(serves && strings.Contains(said, setting[1]), "a node that is told to runs on it and warns; it served: %t, and said: %s", serves, said)
			r.Redis.Do(r.Context(), "CONFIG", "SET", setting[0], safe)
		})
	}
	serves, said := r.Gateways[0].Try()
	r.Expect(serves && !strings.Contains(said, "unsafe"), "a node starts on a safe Redis without a warning; it served: %t, and said: %s", serves, said)
}
