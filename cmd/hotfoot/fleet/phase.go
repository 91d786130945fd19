package fleet

import (
	"math"

	"hotfoot/cmd/hotfoot/client"
)

const (
	// doorstep is how far from the door, along the road, a courier counts as arriving.
	doorstep = 150.0

	// failShare is how many first tries find nobody.
	failShare = 0.03
)

var failures = []string{"nobody home", "no access to the building", "customer asked to come back later"}

var proofs = []client.Proof{{LeftAt: "front door"}, {LeftAt: "front door"}, {LeftAt: "lobby"}, {LeftAt: "reception"}}

// finishPhase does what the end of the phase brings: a fix, as apps take one with each tap, and the changes.
//
//	idle ─Begin─► toShop ─► atShop ─► enRoute ─► arriving ─► atDoor ─┬─► idle      nothing left
//	                                     ▲                           ├─► enRoute   next stop
//	                                     └───────── beforeTry ◄──────┘             same door again
func (c *Courier) finishPhase(events []Event) []Event {
	changes := func(list ...Change) []Event {
		events = append(events, c.fix())
		for _, change := range list {
			events = append(events, Event{At: c.now, Change: &change})
		}
		return events
	}
	switch c.phase {
	case toShop:
		c.drive = nil
		c.enter(atShop, c.between(40, 150))
		return events
	case atShop:
		var list []Change
		for _, s := range c.stops {
			list = append(list, s.change(client.StatusPickedUp))
		}
		return changes(append(list, c.leave())...)
	case enRoute:
		c.enter(arriving, max(1, c.drive.seconds()-(c.now-c.started)))
		return changes(c.stops[0].change(client.StatusArriving))
	case arriving:
		c.drive = nil
		c.enter(atDoor, c.between(15, 60))
		return events
	case atDoor:
		list := []Change{c.handOver()}
		switch {
		case len(c.stops) == 0:
			c.enter(idle, math.Inf(1))
		case c.stops[0].Door == c.place:
			c.enter(beforeTry, c.between(60, 180))
		default:
			list = append(list, c.leave())
		}
		return changes(list...)
	case beforeTry:
		return changes(c.leave())
	}
	return events
}

func (c *Courier) enter(p phase, seconds float64) {
	c.phase, c.until = p, c.now+seconds
}

// leave drives to the first of the stops. A door nearer than the doorstep is reached soon, but never at once.
func (c *Courier) leave() Change {
	c.driveTo(c.stops[0].Door)
	c.enter(enRoute, max(2, c.drive.when(c.drive.route.Metres()-doorstep)))
	return c.stops[0].change(client.StatusEnRoute)
}

// handOver ends the first stop: delivered, or failed and tried once more after all others.
func (c *Courier) handOver() Change {
	s := c.stops[0]
	c.stops = c.stops[1:]
	if !s.second && c.rng.Float64() < failShare {
		change := s.change(client.StatusFailed)
		change.Reason = failures[c.rng.IntN(len(failures))]
		s.second = true
		c.stops = append(c.stops, s)
		return change
	}
	change := s.change(client.StatusDelivered)
	change.Proof = &proofs[c.rng.IntN(len(proofs))]
	return change
}

func (s Stop) change(status string) Change {
	attempt := 1
	if s.second {
		attempt = 2
	}
	return Change{Delivery: s.Delivery, Status: status, Attempt: attempt}
}
