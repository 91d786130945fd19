package fleet

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"hotfoot/cmd/hotfoot/client"
)

// day simulates a courier that is given a run whenever it is idle, and hands each event to visit.
func day(t testing.TB, seed uint64, seconds float64, visit func(*Courier, Event)) {
	city := city(t)
	rng := rand.New(rand.NewPCG(seed, 1))
	c := NewCourier(city, rng, 2)
	deliveries := 0
	for now := 0.0; now < seconds; now += 1 {
		if c.Idle() {
			run := Run{Shop: city.RandomPickup(rng)}
			for range 1 + rng.IntN(3) {
				deliveries++
				id := string(rune('A' + deliveries%26))
				run.Stops = append(run.Stops, Stop{Delivery: id, Door: city.RandomDropoff(rng, run.Shop)})
			}
			c.Begin(run)
		}
		for _, e := range c.Advance(now) {
			visit(c, e)
		}
	}
}

func TestCourier_is_determined_by_its_seed(t *testing.T) {
	t.Parallel()
	record := func(seed uint64) (events []Event) {
		day(t, seed, 1800, func(_ *Courier, e Event) { events = append(events, e) })
		return events
	}
	if a, b := record(5), record(5); !reflect.DeepEqual(a, b) {
		t.Error("two runs with one seed differ")
	}
	if a, b := record(5), record(6); reflect.DeepEqual(a, b) {
		t.Error("the seed makes no difference")
	}
}

func TestCourier_does_not_depend_on_how_often_it_is_looked_at(t *testing.T) {
	t.Parallel()
	city := city(t)
	record := func(step float64) (events []Event) {
		rng := rand.New(rand.NewPCG(9, 9))
		c := NewCourier(city, rng, 2)
		shop := city.RandomPickup(rng)
		c.Begin(Run{Shop: shop, Stops: []Stop{{Delivery: "A", Door: city.RandomDropoff(rng, shop)}}})
		for now := step; now <= 1200; now += step {
			events = append(events, c.Advance(now)...)
		}
		return events
	}
	if a, b := record(0.5), record(1200); !reflect.DeepEqual(a, b) {
		t.Errorf("%d events in small steps, %d in one", len(a), len(b))
	}
}

// allowed are the moves of a delivery that a courier may make.
var allowed = map[string]map[string]bool{
	"":                     {client.StatusPickedUp: true},
	client.StatusPickedUp:  {client.StatusEnRoute: true},
	client.StatusEnRoute:   {client.StatusArriving: true},
	client.StatusArriving:  {client.StatusDelivered: true, client.StatusFailed: true},
	client.StatusFailed:    {client.StatusEnRoute: true},
	client.StatusDelivered: {client.StatusPickedUp: true}, // the next delivery of that letter
}

func TestCourier_reports_statuses_in_the_allowed_order_and_at_the_right_places(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for seed := range uint64(6) {
		status := map[string]string{}
		last := 0.0
		day(t, seed, 4*3600, func(_ *Courier, e Event) {
			if e.At < last {
				t.Fatalf("time ran backwards from %v to %v", last, e.At)
			}
			last = e.At
			if e.Change == nil {
				return
			}
			ch := *e.Change
			count[ch.Status]++
			if !allowed[status[ch.Delivery]][ch.Status] {
				t.Fatalf("%s went from %q to %q", ch.Delivery, status[ch.Delivery], ch.Status)
			}
			status[ch.Delivery] = ch.Status
			switch ch.Status {
			case client.StatusDelivered:
				if ch.Proof == nil {
					t.Fatal("delivered without proof")
				}
			case client.StatusFailed:
				if ch.Reason == "" || ch.Attempt != 1 {
					t.Fatalf("failed: %+v", ch)
				}
			}
		})
	}
	t.Log(count)
	for _, s := range []string{client.StatusPickedUp, client.StatusEnRoute, client.StatusArriving, client.StatusDelivered, client.StatusFailed} {
		if count[s] == 0 {
			t.Errorf("never %s", s)
		}
	}
}

func TestCourier_changes_happen_where_they_should(t *testing.T) {
	t.Parallel()
	city := city(t)
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 3))
		c := NewCourier(city, rng, 2)
		shop := city.RandomPickup(rng)
		door := city.RandomDropoff(rng, shop)
		c.Begin(Run{Shop: shop, Stops: []Stop{{Delivery: "A", Door: door}}})
		for now := 0.0; !c.Idle() && now < 7200; now += 0.25 {
			for _, e := range c.Advance(now) {
				if e.Change == nil {
					continue
				}
				p, _, _ := c.truth()
				switch e.Change.Status {
				case client.StatusPickedUp:
					if d := p.distance(shop.Point); d > 5 {
						t.Errorf("picked up %v m from the shop", d)
					}
				case client.StatusArriving:
					if d := p.distance(door.Point); d > doorstep+5 {
						t.Errorf("arriving %v m from the door", d)
					}
				case client.StatusDelivered:
					if d := p.distance(door.Point); d > 0.1 {
						t.Errorf("delivered %v m from the door", d)
					}
				}
			}
		}
		if !c.Idle() {
			t.Errorf("seed %d: not done after two hours", seed)
		}
	}
}

func TestCourier_keeps_to_the_streets(t *testing.T) {
	t.Parallel()
	g := city(t).graph
	fixes, rough, offRoad := 0, 0, 0
	var before Event
	day(t, 11, 3*3600, func(_ *Courier, e Event) {
		if e.Fix == nil {
			return
		}
		fixes++
		if before.Fix != nil && e.At-before.At > 1 {
			if implied := before.Fix.distance(e.Fix.Point) / (e.At - before.At); implied > 40 {
				t.Fatalf("noise looks like %v m/s", implied)
			}
		}
		before = e
		truth := e.Fix.truth
		if d := truth.distance(e.Fix.Point); d > 2.5*e.Fix.Accuracy || e.Fix.Accuracy > 80 {
			t.Fatalf("fix is %v m off and says %v m", d, e.Fix.Accuracy)
		}
		if e.Fix.Accuracy > 25 {
			rough++
		}
		// Nodes are at most maxStretch apart, so half of that is as far from one as a road gets.
		_, d, ok := g.nearest(truth, maxSetback+1)
		if !ok {
			t.Fatalf("%v is off the graph", truth)
		}
		if d > maxStretch/2+0.5 {
			offRoad++
			if noise := 1.5; e.Fix.Speed > walkingSpeed+noise {
				t.Fatalf("%v m from the road at %v m/s", d, e.Fix.Speed)
			}
		}
		if e.Fix.Battery < 0.1 || e.Fix.Battery > 1 || e.Fix.Heading >= 360 || e.Fix.Speed < 0 || e.Fix.Speed > 20 {
			t.Fatalf("fix = %+v", e.Fix)
		}
	})
	t.Logf("%d fixes, %.1f%% rough, %.1f%% at a door away from the road", fixes, 100*float64(rough)/float64(fixes), 100*float64(offRoad)/float64(fixes))
	if rough == 0 || rough > fixes/4 {
		t.Errorf("%d of %d fixes are rough", rough, fixes)
	}
}

func TestDrive_obeys_physics(t *testing.T) {
	t.Parallel()
	c := city(t)
	rng := rand.New(rand.NewPCG(12, 12))
	for range 60 {
		from := c.RandomPickup(rng)
		r, ok := c.Route(from, c.RandomDropoff(rng, from))
		if !ok {
			continue
		}
		v := randomVehicle(rng)
		d := newDrive(r, v, 1, rng)
		const dt = 0.1
		metres, speed := d.along(0)
		for s := dt; s < d.seconds()+1; s += dt {
			m, sp := d.along(s)
			if m < metres-1e-6 || m > r.Metres()+1e-6 {
				t.Fatalf("moved from %v to %v m", metres, m)
			}
			if a := (sp - speed) / dt; a > v.accelerate+0.01 && m-metres > 0.2 || sp > v.topSpeed+0.01 {
				t.Fatalf("%s: %v m/s after %v at %v s", v.name, sp, speed, s)
			}
			if moved := m - metres; moved > v.topSpeed*dt+0.01 {
				t.Fatalf("jumped %v m", moved)
			}
			metres, speed = m, sp
		}
		if math.Abs(metres-r.Metres()) > 1e-6 || speed != 0 {
			t.Fatalf("ended after %v of %v m at %v m/s", metres, r.Metres(), speed)
		}
		if at := d.when(r.Metres() / 2); at <= 0 || at >= d.seconds() {
			t.Fatalf("half way at %v of %v s", at, d.seconds())
		}
	}
}

func TestReceiver_errors_hang_together(t *testing.T) {
	t.Parallel()
	r := newReceiver(rand.New(rand.NewPCG(1, 2)))
	here := Point{37.775, -122.415}
	var sum, product, square float64
	previous, _ := here.offset(first(r.observe(0, here)))
	const n = 20000
	for i := 1; i <= n; i++ {
		east, _ := here.offset(first(r.observe(float64(i), here)))
		sum, product, square = sum+east, product+east*previous, square+east*east
		previous = east
	}
	if mean := sum / n; math.Abs(mean) > 3 {
		t.Errorf("errors average %v m", mean)
	}
	if correlation := product / square; correlation < 0.9 || correlation > 0.995 {
		t.Errorf("errors a second apart correlate by %v", correlation)
	}
}

func first(p Point, _ float64) Point { return p }
