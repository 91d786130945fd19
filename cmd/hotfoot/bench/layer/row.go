//go:build linux

package layer

import (
	"time"

	"hotfoot/tracking"
)

// deliveryRow is a delivery with its merchant and the epoch, as both ways read it.
type deliveryRow struct {
	r                  tracking.Record
	courier            *tracking.ID
	before             *int
	from, to, finished *time.Time
	linkGen            int16
}

func (d *deliveryRow) targets() []any {
	o := &d.r.Delivery
	return []any{
		&o.ID, &o.MerchantID, &o.Status, &o.Ver, &d.courier, &d.before, &o.Pickup.Lat, &o.Pickup.Lon, &o.Pickup.Address, &o.Pickup.Name,
		&o.Dropoff.Lat, &o.Dropoff.Lon, &o.Dropoff.Address, &o.Dropoff.Name, &d.from, &d.to, &d.linkGen, &d.finished,
		&d.r.Merchant.Name, &d.r.Merchant.VisibleStops, &d.r.Epoch,
	}
}

func (d *deliveryRow) record() tracking.Record {
	o := &d.r.Delivery
	o.CourierID, o.StopsBefore, o.LinkGen = value(d.courier), value(d.before), uint8(d.linkGen)
	o.Window, o.FinishedAt = tracking.Window{From: value(d.from), To: value(d.to)}, value(d.finished)
	d.r.Merchant.ID = o.MerchantID
	return d.r
}

// courierRow is what a customer may know of the courier, NULL when nobody is assigned.
type courierRow struct {
	name, vehicle *string
	duty          *bool
}

func (c *courierRow) targets() []any { return []any{&c.name, &c.vehicle, &c.duty} }

func (c *courierRow) join(r *tracking.Record) {
	r.Courier = tracking.Courier{ID: r.Delivery.CourierID, Name: value(c.name), Vehicle: tracking.Vehicle(value(c.vehicle)), OnDuty: value(c.duty)}
}

// fixRow is a courier's newest fix, NULL when there is none to be shown.
type fixRow struct {
	at       *time.Time
	lat, lon *float64
	readings [5]*float32
}

func (f *fixRow) targets() []any {
	return []any{&f.at, &f.lat, &f.lon, &f.readings[0], &f.readings[1], &f.readings[2], &f.readings[3], &f.readings[4]}
}

func (f *fixRow) position() *tracking.Position {
	if f.at == nil {
		return nil
	}
	p := &tracking.Position{RecordedAt: *f.at, Lat: value(f.lat), Lon: value(f.lon)}
	for i, reading := range []*tracking.Reading{&p.AccuracyM, &p.SpeedMPS, &p.HeadingDeg, &p.AltitudeM, &p.Battery} {
		if f.readings[i] != nil {
			*reading = tracking.Reading{Value: *f.readings[i], Known: true}
		}
	}
	return p
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
