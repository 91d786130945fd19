//go:build linux

package feed

import (
	"time"

	"hotfoot/tracking"
)

// Position is the position of a group: a phone's, with the readings that phones send.
func Position(group int, at time.Time) tracking.Position {
	return tracking.Position{
		RecordedAt: at.Truncate(time.Millisecond), Lat: 37 + float64(stamp(group))/1e6, Lon: -122.41,
		AccuracyM: tracking.Read(5), SpeedMPS: tracking.Read(6.1), HeadingDeg: tracking.Read(44.5), Battery: tracking.Read(0.71), Pace: tracking.Read(6.1),
	}
}
