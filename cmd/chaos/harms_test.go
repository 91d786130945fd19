package main

import (
	"math/rand/v2"
	"testing"

	"hotfoot/cmd/chaos/rig"
)

func TestRun_harm(t *testing.T) {
	t.Parallel()
	// draw is what a seed makes of a deployment in which nothing runs.
	draw := func(seed uint64) (names []string, parts map[string]bool) {
		r := &Run{Rand: rand.New(rand.NewPCG(seed, 0)), Rig: &rig.Rig{
			Postgres: &rig.Postgres{}, Redis: &rig.Redis{}, API: []*rig.Node{{Name: "api-1"}}, Gateways: []*rig.Node{{Name: "gateway-1"}},
		}}
		parts = map[string]bool{}
		for range 500 {
			h := r.harm(true)
			if h.name == "" || h.part == "" || h.begin == nil || h.end == nil {
				t.Fatalf("%+v cannot be done or undone", h)
			}
			names, parts[h.part] = append(names, h.name), true
		}
		return names, parts
	}
	names, parts := draw(1)
	for _, part := range []string{"postgres", "redis", "api-1", "gateway-1", "api-1 Postgres", "api-1 Redis", "gateway-1 Postgres", "gateway-1 Redis"} {
		if !parts[part] {
			t.Errorf("nothing is ever done to %s", part)
		}
	}
	again, _ := draw(1)
	other, _ := draw(2)
	same := true
	for i := range names {
		if names[i] != again[i] {
			t.Fatalf("one seed does %q and then %q", names[i], again[i])
		}
		same = same && names[i] == other[i]
	}
	if same {
		t.Error("two seeds do the same")
	}
}
