package wire

import (
	"encoding/json"
	"fmt"

	"hotfoot/tracking"
)

// What a fleet message carries.
const (
	fleetPosition = 'p'
	fleetRecord   = 'r'
	fleetCourier  = 'c'
)

// Fleet is one message for live maps: a courier's newest position, a delivery's record, or a courier who comes, goes or changes.
type Fleet struct {
	CourierID tracking.ID // with Position
	Position  *tracking.Position
	Record    *tracking.Record
	Courier   *tracking.Courier
}

// AppendFleetPositionPrefix writes what stands before a newest position on a fleet channel; the script position.lua puts the two together.
func AppendFleetPositionPrefix(b []byte, courier tracking.ID) []byte {
	return append(append(b, fleetPosition), courier[:]...)
}

// FleetRecord is a record as a fleet message.
func FleetRecord(record []byte) []byte { return append([]byte{fleetRecord}, record...) }

type fleetCourierJSON struct {
	V       int         `json:"v"`
	ID      tracking.ID `json:"id"`
	Name    string      `json:"name"`
	Vehicle string      `json:"vehicle"`
	OnDuty  bool        `json:"duty"`
	Rev     int64       `json:"rev"`
}

// FleetCourier is a courier as a fleet message.
func FleetCourier(c tracking.Courier) ([]byte, error) {
	b, err := json.Marshal(fleetCourierJSON{V: recordVersion, ID: c.ID, Name: c.Name, Vehicle: string(c.Vehicle), OnDuty: c.OnDuty, Rev: c.Rev})
	return append([]byte{fleetCourier}, b...), err
}

func courier(b []byte) (tracking.Courier, error) {
	var j fleetCourierJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return tracking.Courier{}, fmt.Errorf("wire: courier: %w", err)
	}
	if j.V != recordVersion {
		return tracking.Courier{}, errVersion
	}
	if j.ID.IsZero() {
		return tracking.Courier{}, errValue
	}
	return tracking.Courier{ID: j.ID, Name: j.Name, Vehicle: tracking.Vehicle(j.Vehicle), OnDuty: j.OnDuty, Rev: j.Rev}, nil
}

// ParseFleet reads a fleet message.
func ParseFleet(b []byte) (Fleet, error) {
	if len(b) == 0 {
		return Fleet{}, errShort
	}
	switch b[0] {
	case fleetPosition:
		if len(b) < 17 {
			return Fleet{}, errShort
		}
		p, err := Position(b[17:])
		return Fleet{CourierID: tracking.ID(b[1:17]), Position: &p}, err
	case fleetRecord:
		r, err := Record(b[1:])
		return Fleet{Record: &r}, err
	case fleetCourier:
		c, err := courier(b[1:])
		return Fleet{Courier: &c}, err
	}
	return Fleet{}, errVersion
}
