package frame

import (
	"strconv"

	"hotfoot/tracking"
)

// AppendPosition writes the frame that moves the marker. It is written by hand because it is the one frame that a busy node writes all day.
func AppendPosition(b []byte, p tracking.Position, ver int64, eta *tracking.ETA) []byte {
	b = append(b, `{"type":"position","sv":`...)
	b = strconv.AppendInt(b, ver, 10)
	b = append(b, ',')
	b = appendFix(b, p)
	b = appendETA(append(b, `,"eta":`...), eta)
	return append(b, '}')
}

// PositionObject is a position as it stands in a snapshot or an answer.
func PositionObject(p tracking.Position) []byte {
	b := append(make([]byte, 0, 200), '{')
	b = appendFix(b, p)
	return append(b, '}')
}

func positionOf(p *tracking.Position) []byte {
	if p == nil {
		return []byte(null)
	}
	return PositionObject(*p)
}

// appendFix writes a fix's fields without braces. Six decimals of a degree are 11 cm, finer than any phone; the rest are phones' own steps.
func appendFix(b []byte, p tracking.Position) []byte {
	b = append(b, `"lat":`...)
	b = appendFloat(b, p.Lat, 6)
	b = append(b, `,"lon":`...)
	b = appendFloat(b, p.Lon, 6)
	b = appendReading(b, `,"heading_deg":`, p.HeadingDeg, 1)
	b = appendReading(b, `,"speed_mps":`, p.SpeedMPS, 2)
	b = appendReading(b, `,"accuracy_m":`, p.AccuracyM, 1)
	b = appendReading(b, `,"altitude_m":`, p.AltitudeM, 1)
	b = appendReading(b, `,"battery":`, p.Battery, 2)
	b = appendReading(b, `,"rounded_m":`, p.RoundedM, 0)
	b = append(b, `,"recorded_at":`...)
	return appendTime(b, p.RecordedAt)
}

func appendReading(b []byte, name string, r tracking.Reading, decimals int) []byte {
	if !r.Known {
		return b
	}
	return appendFloat(append(b, name...), float64(r.Value), decimals)
}
