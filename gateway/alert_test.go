package gateway

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"hotfoot/tracking"
)

// A whole fleet falls silent and comes back, more of them than a map is told of in the time: no map is cut off for it, and each ends with what stands, whether
// it kept up or took nothing for a while.
func TestFleet_everybody_falls_silent(t *testing.T) {
	t.Parallel()
	const couriers = 30_000
	c := newCity(t, couriers)
	awake, asleep := c.newMap(), c.newMap()
	screens := map[*opsSocket]*screen{awake: newScreen(), asleep: newScreen()}
	said := 0 // alerts, to the map that keeps up
	take := func(v *opsSocket) {
		for _, text := range v.taken() {
			if err := screens[v].apply(text); err != nil {
				t.Fatal(err)
			}
			if v == awake {
				said += strings.Count(string(text), `"kind":"silent"`)
			}
		}
	}
	second := func(seconds int, views ...*opsSocket) {
		for tick := range 4 * seconds {
			c.now = c.now.Add(frameEvery)
			c.tick(c.now, tick%4 == 0)
			for _, v := range views {
				take(v)
			}
		}
	}
	for v := range screens {
		v.ask(viewCity)
	}
	ids := c.ids()
	for _, id := range ids {
		c.units[id].stops = 1 // somebody waits for each
	}
	c.stir(ids)
	second(2, awake, asleep)

	c.now = c.now.Add(tracking.SilentAfter)
	bounded := func() {
		t.Helper()
		for v := range screens {
			if len(v.alerts) > couriers {
				t.Errorf("%d alerts wait for %d couriers", len(v.alerts), couriers)
			}
		}
	}
	second(5, awake) // 10,000 alerts
	if said != 10_000 || len(screens[awake].alerts) != said {
		t.Fatalf("%d alerts were told, and %d stand", said, len(screens[awake].alerts))
	}
	bounded()
	quiet := ids[:100]
	c.stir(ids[100:])
	second(10, awake) // who was told of is over, which of the others need not be said
	bounded()
	second(10, awake, asleep)
	want := map[string]bool{}
	for _, id := range quiet {
		want["silent "+id.String()] = true
	}
	for v, page := range screens {
		if v.conn.outbox.last != nil {
			t.Fatal("a map was cut off")
		}
		if !maps.Equal(page.alerts, want) {
			t.Errorf("%d alerts stand, want those of %d couriers", len(page.alerts), len(want))
		}
	}
	if told := said - 10_000; told > 10_000+len(quiet) {
		t.Errorf("%d alerts were told when they came back", told)
	}
	if !slices.ContainsFunc(quiet, func(id tracking.ID) bool { return c.units[id].silent }) {
		t.Error("nobody is silent any more")
	}
}
