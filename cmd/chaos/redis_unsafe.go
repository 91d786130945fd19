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
	for _, unsafe := range []struct{ setting, value, safe string }{
		{"maxmemory-policy", "allkeys-lru", "noeviction"},
		{"appendonly", "no", "yes"},
	} {
		r.Fault(func() {
			r.Redis.Do(r.Context(), "CONFIG", "SET", unsafe.setting, unsafe.value)
			fix := "set " + unsafe.setting + " " + unsafe.safe
			serves, said := r.Gateways[0].Try()
			r.Expect(!serves && strings.Contains(said, fix), "a node refuses %s %s and says %q; it served: %t, and said: %s",
				unsafe.setting, unsafe.value, fix, serves, said)
			serves, said = r.Gateways[0].Try("HOTFOOT_ALLOW_UNSAFE_STORES=1")
			r.Expect(serves && strings.Contains(said, "unsafe store"), "a node that is told to runs on it and warns; it served: %t, and said: %s", serves, said)
			r.Redis.Do(r.Context(), "CONFIG", "SET", unsafe.setting, unsafe.safe)
		})
	}
	serves, said := r.Gateways[0].Try()
	r.Expect(serves && !strings.Contains(said, "unsafe store"), "a node starts on a safe Redis without a warning; it served: %t, and said: %s", serves, said)
}
