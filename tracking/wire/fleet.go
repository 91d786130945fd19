package wire

import "hotfoot/tracking"

// What a fleet message carries.
const (
	fleetPosition = 'p'
	fleetRecord   = 'r'
)

// Fleet is one message for live maps: a courier's newest position, or a delivery's record.
type Fleet struct {
	CourierID tracking.ID // with Position
	Position  *tracking.Position
	Record    *tracking.Record
}

// FleetPositionPrefix is what stands before a newest position on a fleet channel; the script position.lua puts the two together.
func FleetPositionPrefix(courier tracking.ID) []byte {
	return append([]byte{fleetPosition}, courier[:]...)
}

// FleetRecord is a record as a fleet message.
func FleetRecord(record []byte) []byte { return append([]byte{fleetRecord}, record...) }

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
	}
	return Fleet{}, errVersion
}
