package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"hotfoot/tracking"
)

const (
	cityBox  = `[-122.6,37.6,-122.3,37.9]`
	viewCity = `{"type":"view","bbox":` + cityBox + `,"zoom":12}`
)

// stir moves these couriers a little.
func (c *city) stir(ids []tracking.ID) {
	for _, id := range ids {
		p := c.units[id].newest
		c.moved(id, c.fix(p.Lat, p.Lon))
	}
}

func (c *city) ids() (ids []tracking.ID) {
	for _, u := range c.slots {
		ids = append(ids, u.courier.ID)
	}
	return ids
}

// A map with more in its window than its budget has room for is sent no more than that; and nobody on it waits longer than all others together take.
func TestOps_a_map_is_sent_what_its_budget_allows(t *testing.T) {
	t.Parallel()
	const couriers, seconds = 2000, 60
	c := newCity(t, couriers)
	v, page := c.newMap(), newScreen()
	v.ask(viewCity)
	v.purse.rate, v.purse.most, v.purse.credit = 40_000, 100_000, 100_000
	ids := c.ids()
	heardAt, longest, began := map[tracking.ID]int{}, 0, c.now
	for tick := range seconds * 4 {
		c.stir(ids)
		c.now = c.now.Add(frameEvery)
		c.tick(c.now, tick%4 == 0)
		for _, text := range v.taken() {
			if err := page.apply(text); err != nil {
				t.Fatal(err)
			}
			var f opsText
			if err := json.Unmarshal(text, &f); err != nil {
				t.Fatal(err)
			}
			for _, courier := range f.Couriers {
				longest = max(longest, tick-heardAt[courier.ID])
				heardAt[courier.ID] = tick
			}
		}
	}
	earned := int(40_000 * c.now.Sub(began).Seconds())
	if least, most := earned, earned+100_000+2_000; page.bytes < least || page.bytes > most {
		t.Errorf("%d bytes in %d s, want %d to %d", page.bytes, seconds, least, most)
	}
	// Described, which they all are the first time, a courier takes 250 bytes.
	if fair := couriers * 250 / 40_000 * 4; longest > fair+4 || len(heardAt) != couriers {
		t.Errorf("of %d couriers %d were heard of; the longest wait was %d ticks, and %d are fair", couriers, len(heardAt), longest, fair)
	}
	// What is owed to nobody's budget comes at once, whatever waits.
	id := tracking.NewID()
	c.stir(ids)
	c.changed(tracking.Record{Epoch: 1, Delivery: tracking.Delivery{ID: id, Status: tracking.Created, Ver: 1, Rev: 1}, Events: []tracking.Event{{Ver: 1, Status: tracking.Created}}})
	v.purse.credit = -1_000_000
	c.tick(c.now, false)
	for _, text := range v.taken() {
		if err := page.apply(text); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Contains(page.events, id.String()+" 1") {
		t.Error("an event waited for the budget")
	}
}

// However many maps show a courier, a position is encoded once. It is not parallel: it counts allocations.
func TestFleet_encodes_a_position_once(t *testing.T) {
	const couriers, maps = 500, 20
	tick := func(maps int) float64 {
		c := newCity(t, couriers)
		views := make([]*opsSocket, maps)
		for i := range views {
			views[i] = c.newMap()
			views[i].ask(viewCity)
		}
		ids := c.ids()
		return testing.AllocsPerRun(10, func() {
			c.stir(ids)
			c.now = c.now.Add(frameEvery)
			c.tick(c.now, false)
			for _, v := range views {
				if v.purse.credit = v.purse.most; len(v.taken()) != 1 {
					t.Fatal("a map was sent no frame")
				}
			}
		})
	}
	one, many := tick(1), tick(maps)
	t.Logf("%v allocations for a tick of %d positions and one map, %v for %d maps", one, couriers, many, maps)
	if each := (many - one) / (maps - 1); each > 20 {
		t.Errorf("another map costs %v allocations a tick", each)
	}
	if one > 1.1*couriers+50 {
		t.Errorf("a position costs %v allocations", one/couriers)
	}
}

// A map may ask for another window hundreds of times a second: it is answered as often as there are frames, and with what it asked for last.
func TestOps_a_flood_of_windows_costs_one_answer(t *testing.T) {
	t.Parallel()
	c := newCity(t, 400)
	v, page := c.newMap(), newScreen()
	for tick := range 8 {
		for i := range 500 {
			v.ask(fmt.Sprintf(`{"type":"view","bbox":[%v,37.6,-122.3,37.9],"zoom":12}`, -170+float64(i)/100))
		}
		v.ask(viewCity)
		c.now = c.now.Add(frameEvery)
		c.tick(c.now, false)
		texts := v.taken()
		if len(texts) != 1 {
			t.Fatalf("tick %d: %d frames", tick, len(texts))
		}
		if err := page.apply(texts[0]); err != nil {
			t.Fatal(err)
		}
		if len(page.inView) != 400 {
			t.Fatalf("tick %d: %d couriers", tick, len(page.inView))
		}
	}
	if v.conn.outbox.last != nil {
		t.Error("it was closed")
	}
}

// A fleet that nobody looks at is kept for a while, so that a page that is loaded again costs nothing, and then no longer.
func TestFleet_lingers(t *testing.T) {
	t.Parallel()
	c := newCity(t, 0)
	now := time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC)
	c.hub.now = func() time.Time { return now }
	merchant := tracking.NewID()
	f := c.hub.joinFleet(merchant, idle{})
	c.hub.leaveFleet(f)
	c.hub.closeIdle(f, now.Add(linger-time.Second))
	if again := c.hub.joinFleet(merchant, idle{}); again != f {
		t.Error("it was made anew")
	}
	c.hub.closeIdle(f, now.Add(time.Hour))
	c.hub.leaveFleet(f)
	now = now.Add(linger)
	c.hub.closeIdle(f, now)
	if again := c.hub.joinFleet(merchant, idle{}); again == f {
		t.Error("it was kept")
	}
}
