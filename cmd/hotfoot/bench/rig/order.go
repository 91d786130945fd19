//go:build linux

package rig

import (
	"math/rand/v2"
	"time"

	"hotfoot/tracking"
)

// order is a delivery of the day beside those of the fleet, and how it went.
type order struct {
	id       tracking.ID
	courier  *tracking.ID // nil when nobody has been found yet
	course   course
	created  time.Time
	step     time.Duration // between two events
	place    int64         // in the courier's route
	before   int           // stops of it that come first
	from, to *time.Time
}

// course is the statuses that a delivery has had, in this order.
type course []tracking.Status

// Of a hundred deliveries of a day, so many take each course.
var courses = []struct {
	percent int
	course  course
}{
	{82, course{tracking.Created, tracking.Assigned, tracking.PickedUp, tracking.EnRoute, tracking.Arriving, tracking.Delivered}},
	{11, course{tracking.Created, tracking.Assigned}},
	{3, course{tracking.Created, tracking.Cancelled}},
	{2, course{tracking.Created, tracking.Assigned, tracking.PickedUp, tracking.EnRoute, tracking.Failed, tracking.Returned}},
	{1, course{tracking.Created, tracking.Assigned, tracking.PickedUp, tracking.EnRoute, tracking.Failed}},
	{1, course{tracking.Created}},
}

func (c course) last() tracking.Status { return c[len(c)-1] }

// late is how many of a hundred windows were missed.
const late = 8

// newOrder makes the i-th of the day. stops says how many stops each of the fleet has.
func newOrder(dice *rand.Rand, i int, fleet []Courier, stops []int, now time.Time) order {
	midnight := now.Truncate(24 * time.Hour)
	past := now.Sub(midnight)
	o := order{created: midnight.Add(time.Duration(dice.Float64() * 0.95 * float64(past))).Truncate(time.Millisecond), place: int64(i/len(fleet)) + 2}
	left := dice.IntN(100)
	for _, c := range courses {
		if o.course = c.course; left < c.percent {
			break
		}
		left -= c.percent
	}
	if len(o.course) > 1 && o.course[1] == tracking.Assigned {
		o.courier, o.before = &fleet[i%len(fleet)].ID, stops[i%len(fleet)]
		if o.course.last().OnRoute() {
			stops[i%len(fleet)]++
		}
	}
	o.id = idAt(dice, o.created)
	took := min(time.Duration(20+dice.IntN(40))*time.Minute, now.Sub(o.created))
	o.step = (took / time.Duration(len(o.course))).Truncate(time.Millisecond)
	if dice.IntN(100) < 80 {
		promised := o.ended().Add(time.Duration(1+dice.IntN(30)) * time.Minute)
		if dice.IntN(100) < late && len(o.course) > 1 {
			promised = o.ended().Add(-o.step / 2)
		}
		o.from, o.to = &o.created, &promised
	}
	return o
}

// ended is when the newest event was.
func (o *order) ended() time.Time { return o.created.Add(o.step * time.Duration(len(o.course)-1)) }

var deliveryColumns = []string{
	"id", "merchant_id", "status", "ver", "rev", "published_rev", "courier_id", "route_order", "stops_before", "pickup_lat", "pickup_lon", "pickup_name",
	"dropoff_lat", "dropoff_lon", "dropoff_address", "window_from", "window_to", "created_at", "updated_at", "finished_at",
}

func (o *order) row(owner tracking.ID) []any {
	ver := int64(len(o.course))
	var place *int64
	var before *int
	if o.courier != nil {
		place, before = &o.place, &o.before
	}
	var finished *time.Time
	if o.course.last().Final() {
		end := o.ended()
		finished = &end
	}
	return []any{
		o.id, owner, string(o.course.last()), ver, ver, ver, o.courier, place, before, 37.7812, -122.4112, "Corner Kitchen",
		37.7893, -122.401, "1 Main Street", o.from, o.to, o.created, o.ended(), finished,
	}
}

var eventColumns = []string{"delivery_id", "ver", "status", "at", "actor_kind", "actor_id", "courier_id"}

// events are the rows of all orders' events.
func events(orders []order) [][]any {
	var rows [][]any
	for i := range orders {
		o := &orders[i]
		for n, status := range o.course {
			kind, actor, courier := "courier", o.courier, o.courier
			if n < 2 {
				kind, actor = "merchant", nil
			}
			if n == 0 {
				courier = nil
			}
			rows = append(rows, []any{o.id, int64(n + 1), string(status), o.created.Add(o.step * time.Duration(n)), kind, actor, courier})
		}
	}
	return rows
}

// idAt is an id as the API makes them, for a moment of the past, from these dice.
func idAt(dice *rand.Rand, at time.Time) tracking.ID {
	var id tracking.ID
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (8 * (5 - i)))
	}
	high, low := dice.Uint64(), dice.Uint64()
	for i := range 8 {
		id[8+i] = byte(low >> (8 * i))
	}
	id[6], id[7] = byte(high)&0x0f|0x70, byte(high>>8)
	id[8] = id[8]&0x3f | 0x80
	return id
}
