package gateway

import (
	"testing"
	"time"

	"hotfoot/tracking"
)

// watched opens fifty maps: of the whole city, of districts, of streets, of the country from afar, and some that search.
func (c *city) watched() (views []*opsSocket) {
	for i := range 50 {
		lat, lon := citySouth+c.rand.Float64()*cityWide, cityWest+c.rand.Float64()*cityWide
		switch {
		case i < 10:
			views = append(views, c.look(cityWest, citySouth, cityWest+cityWide, citySouth+cityWide, 12, ""))
		case i < 30:
			views = append(views, c.look(lon-0.05, lat-0.05, lon+0.05, lat+0.05, 13, ""))
		case i < 43:
			views = append(views, c.look(lon-0.01, lat-0.01, lon+0.01, lat+0.01, 16, ""))
		case i < 48:
			views = append(views, c.look(-124, 36, -120, 39, 8, ""))
		default:
			views = append(views, c.look(cityWest, citySouth, cityWest+cityWide, citySouth+cityWide, 12, `"q":"courier 77"`))
		}
	}
	return views
}

// Twenty thousand couriers who report every four seconds, fifty maps: a tick, and the positions of a quarter of a second before it.
func BenchmarkFleet(b *testing.B) {
	const couriers, moving = 20_000, 1250
	c := newCity(b, couriers)
	views := c.watched()
	ids := make([]tracking.ID, 0, couriers)
	for id := range c.units {
		ids = append(ids, id)
	}
	second, bytes := 0, 0
	step := func() (positions, tick, longest time.Duration) {
		fixes := make([]tracking.Position, moving)
		for i := range fixes {
			newest := c.units[ids[i]].newest
			fixes[i] = c.fix(newest.Lat+(c.rand.Float64()-0.5)*0.0006, newest.Lon+(c.rand.Float64()-0.5)*0.0006)
		}
		began := time.Now()
		for i, p := range fixes {
			c.moved(ids[i], p)
		}
		positions = time.Since(began)
		ids = append(ids[moving:], ids[:moving]...)
		c.now = c.now.Add(frameEvery)
		tick, longest = c.timedTick(c.now, second%4 == 0)
		second++
		for _, v := range views {
			for _, text := range v.taken() {
				bytes += len(text)
			}
		}
		return positions, tick, longest
	}
	for range 40 { // until all windows are full
		step()
	}
	bytes = 0
	var positions, ticks, longest time.Duration
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		p, t, l := step()
		positions, ticks, longest = positions+p, ticks+t, max(longest, l)
	}
	n := float64(b.N)
	b.ReportMetric(float64(positions.Nanoseconds())/n/moving, "ns/position")
	b.ReportMetric(float64(ticks.Microseconds())/n, "µs/tick")
	b.ReportMetric(float64(longest.Microseconds()), "µs-longest-hold")
	b.ReportMetric(float64(bytes)/n/1000, "kB/tick")
}

// timedTick is tick with a watch on it.
func (c *city) timedTick(now time.Time, second bool) (all, longest time.Duration) {
	began := time.Now()
	views := c.find(now, second)
	all = time.Since(began)
	longest = all
	for _, v := range views {
		began := time.Now()
		v.turn()
		c.mu.Lock()
		v.next(now, second)
		c.mu.Unlock()
		took := time.Since(began)
		all, longest = all+took, max(longest, took)
	}
	return all, longest
}

// The pass of every second over twenty thousand couriers and as many deliveries, of which none has just changed.
func BenchmarkFleet_age(b *testing.B) {
	const couriers = 20_000
	c := newCity(b, couriers)
	for _, id := range c.ids() {
		c.changed(tracking.Record{Epoch: 1, Delivery: tracking.Delivery{
			ID: tracking.NewID(), Status: tracking.EnRoute, Ver: 1, Rev: 1, CourierID: id, Window: tracking.Window{To: c.now.Add(time.Hour)},
		}})
	}
	b.ReportAllocs()
	for b.Loop() {
		c.age(c.now)
	}
}

// A map asks for another part of the city: what it is told then is encoded already, as it is while couriers stand.
func BenchmarkFleet_another_window(b *testing.B) {
	c := newCity(b, 20_000)
	v := c.newMap()
	b.ReportAllocs()
	for b.Loop() {
		c.now = c.now.Add(frameEvery)
		lat, lon := citySouth+c.rand.Float64()*cityWide, cityWest+c.rand.Float64()*cityWide
		v.ask(bbox{West: lon - 0.01, South: lat - 0.01, East: lon + 0.01, North: lat + 0.01, Zoom: 15}.message())
		c.tick(c.now, false)
		if len(v.taken()) != 1 {
			b.Fatal("no answer")
		}
	}
}
