package fleet

import (
	"math"
	"math/rand/v2"

	"hotfoot/cmd/hotfoot/client"
)

// Stop is a delivery and the door it goes to.
type Stop struct {
	Delivery string
	Door     Place
	second   bool // the first try failed
}

// Run is what a courier is sent out with: things from one shop to one or more doors, in order.
type Run struct {
	Shop  Place
	Stops []Stop
}

// Event is what a courier's phone notices at some time, in seconds of the simulation: a fix or a change of status.
type Event struct {
	At     float64
	Fix    *Fix
	Change *Change
}

// Change is what the courier did with a delivery.
type Change struct {
	Delivery string
	Status   string
	Reason   string
	Proof    *client.Proof
	Attempt  int // 1, or 2 after a failed one
}

// phase is what a courier is doing.
type phase int

const (
	idle      phase = iota // standing where the last run ended
	toShop                 // driving to the shop
	atShop                 // waiting for the things
	enRoute                // driving to the first of the stops
	arriving               // the last metres
	atDoor                 // ringing, waiting, handing over
	beforeTry              // standing at a door for a second try
)

// Courier is a simulated courier. Time is given by the caller in seconds from any start and never runs backwards;
// the same seed and the same calls give the same events. Not safe for concurrent use.
type Courier struct {
	city    *City
	rng     *rand.Rand
	vehicle vehicle
	pace    float64
	gps     *receiver
	every   float64 // seconds between fixes on the move

	now     float64
	nextFix float64
	phase   phase
	until   float64 // end of the phase
	place   Place   // where the courier stands, or will when the drive ends
	drive   *drive  // nil while standing
	started float64 // when the drive began
	shop    Place
	stops   []Stop // the first is the one being made
	battery float64
}

// NewCourier returns an idle courier at a random shop, whose phone takes a fix about every so many seconds.
func NewCourier(city *City, rng *rand.Rand, every float64) *Courier {
	c := &Courier{
		city: city, rng: rng, vehicle: randomVehicle(rng), pace: randomPace(rng), gps: newReceiver(rng), every: every,
		until: math.Inf(1), place: city.RandomPickup(rng), battery: 0.35 + 0.6*rng.Float64(),
	}
	c.nextFix = every * rng.Float64()
	return c
}

// randomPace is how much faster or slower than others somebody drives.
func randomPace(rng *rand.Rand) float64 { return min(max(1+0.12*rng.NormFloat64(), 0.75), 1.3) }

// Idle tells whether the courier has nothing to do.
func (c *Courier) Idle() bool { return c.phase == idle }

// Begin sends an idle courier out.
func (c *Courier) Begin(run Run) {
	c.shop = run.Shop
	c.stops = append([]Stop(nil), run.Stops...)
	c.phase = toShop
	c.driveTo(run.Shop)
	c.until = c.started + c.drive.seconds()
}

// Advance lets time pass and returns what happened, in order.
func (c *Courier) Advance(to float64) []Event {
	var events []Event
	for {
		next := min(c.until, c.nextFix)
		if next > to {
			c.now = max(c.now, to)
			return events
		}
		c.now = max(c.now, next)
		if c.until <= next {
			events = c.finishPhase(events)
			continue
		}
		events = append(events, c.fix())
		c.nextFix = c.now + c.fixInterval()*(0.85+0.3*c.rng.Float64())
	}
}

// longestSkip bounds skip by two hours, in which every run ends.
const longestSkip = 2 * 3600.0

// skip lets time pass unseen until the run is where it should be, or over. It returns what the phone sees then and
// what changed meanwhile.
func (c *Courier) skip(reached func(*Courier) bool) (Fix, []Change) {
	var changes []Change
	for !c.Idle() && !reached(c) && c.now < longestSkip {
		for _, e := range c.Advance(c.now + 1) {
			if e.Change != nil {
				changes = append(changes, *e.Change)
			}
		}
	}
	return *c.fix().Fix, changes
}

// fixInterval is longer for an idle courier, as phones do to save the battery.
func (c *Courier) fixInterval() float64 {
	if c.phase == idle {
		return 5 * c.every
	}
	return c.every
}

// truth is where the courier really is.
func (c *Courier) truth() (p Point, heading, speed float64) {
	if c.drive == nil {
		return c.place.Point, 0, 0
	}
	return c.drive.at(c.now - c.started)
}

// fix reads the sensors. A heading below walking pace would be noise, so the phone gives none.
func (c *Courier) fix() Event {
	p, heading, speed := c.truth()
	f := &Fix{Heading: -1, Battery: c.charge(), truth: p}
	f.Point, f.Accuracy = c.gps.observe(c.now, p)
	f.Speed = max(0, speed+0.3*c.rng.NormFloat64())
	if speed > 0.8 {
		f.Heading = math.Mod(heading+4*c.rng.NormFloat64()+360, 360)
	} else {
		f.Speed = min(f.Speed, 0.4)
	}
	return Event{At: c.now, Fix: f}
}

// charge is the battery's level: it loses 9% an hour and is put on a power bank when it gets low.
func (c *Courier) charge() float64 {
	const drain, low, full = 0.09 / 3600, 0.15, 0.95
	return low + math.Mod(c.battery-low-c.now*drain+1e6*(full-low), full-low)
}

func (c *Courier) driveTo(p Place) {
	c.started, c.drive = c.now, nil
	if r, ok := c.city.Route(c.place, p); ok {
		c.drive = newDrive(r, c.vehicle, c.pace, c.rng)
	} else {
		c.drive = standStill(p.Point)
	}
	c.place = p
}

// between draws a number of seconds.
func (c *Courier) between(low, high float64) float64 { return low + (high-low)*c.rng.Float64() }
