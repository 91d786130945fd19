package tracking

import (
	"slices"
	"time"
)

// Vehicle is how a courier moves.
type Vehicle string

// The vehicles.
const (
	Foot    Vehicle = "foot"
	Bike    Vehicle = "bike"
	Scooter Vehicle = "scooter"
	Car     Vehicle = "car"
	Van     Vehicle = "van"
)

// Vehicles lists every vehicle once.
var Vehicles = []Vehicle{Foot, Bike, Scooter, Car, Van}

// Pace is the vehicle's usual speed through a city, stops included, in metres per second.
func (v Vehicle) Pace() float64 {
	switch v {
	case Foot:
		return 1.3
	case Bike:
		return 4.0
	case Scooter:
		return 5.5
	default:
		return 6.0
	}
}

// Courier is somebody who delivers for one merchant.
type Courier struct {
	ID         ID
	MerchantID ID
	Name       string
	Vehicle    Vehicle
	Phone      string
	OnDuty     bool
	// HiddenZones are where no customer ever sees them; at most MaxZones.
	HiddenZones []Zone
	Rev         int64
	CreatedAt   time.Time
}

// Validate checks the rules that need no store. The error is CodeInvalid and names the field.
func (c Courier) Validate() error {
	if c.Name == "" {
		return Invalid("name", "must not be empty")
	}
	if err := validText("name", c.Name, 200); err != nil {
		return err
	}
	if !slices.Contains(Vehicles, c.Vehicle) {
		return Invalid("vehicle", "must be one of foot, bike, scooter, car, van")
	}
	if err := validText("phone", c.Phone, 40); err != nil {
		return err
	}
	return validZones(c.HiddenZones)
}
