package api

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"hotfoot/tracking"
)

// ParseReport reads a body: one bare position, or {session?, positions}. It fails as a whole only when it cannot be read as either:
// CodeMalformed, CodeInvalid, CodeTooLarge. A point that is wrong carries its reason instead.
func ParseReport(body []byte) (tracking.PositionReport, error) {
	var report tracking.PositionReport
	if err := checkStrict(body); err != nil {
		return report, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return report, tracking.Invalid("body", "must be a position, or an object with positions")
	}
	list, batch := fields["positions"]
	if !batch {
		for name := range fields {
			if !knownField(name) {
				return report, tracking.Invalid(printable([]byte(name)), "unknown field")
			}
		}
		report.Points = []tracking.Point{parsePoint(body)}
		return report, nil
	}
	for name, value := range fields {
		switch name {
		case "positions":
		case "session":
			if err := json.Unmarshal(value, &report.Session); err != nil {
				return report, tracking.Invalid("session", "must be text")
			}
		default:
			return report, tracking.Invalid(printable([]byte(name)), "unknown field")
		}
	}
	var points []json.RawMessage
	if err := json.Unmarshal(list, &points); err != nil || len(points) == 0 {
		return report, tracking.Invalid("positions", "must be a list of at least one position")
	}
	if len(points) > tracking.MaxPoints {
		err := tracking.Invalid("positions", "must be at most %d; send the rest in another report", tracking.MaxPoints)
		err.Code = tracking.CodeTooLarge
		return report, err
	}
	report.Points = make([]tracking.Point, len(points))
	for i, raw := range points {
		report.Points[i] = parsePoint(raw)
	}
	return report, nil
}

func knownField(name string) bool {
	switch name {
	case "seq", "recorded_at", "lat", "lon", "accuracy_m", "speed_mps", "heading_deg", "altitude_m", "battery", "mock":
		return true
	}
	return false
}

// parsePoint reads one point, field by field, so that the receipt can say which one is wrong.
func parsePoint(raw []byte) tracking.Point {
	var point tracking.Point
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		point.Reject = tracking.RejectMalformed
		return point
	}
	reject := func(why tracking.Reject) {
		if point.Reject == "" {
			point.Reject = why
		}
	}
	p := &point.Position
	if seq, ok := fields["seq"]; ok && !isNull(seq) {
		n, err := strconv.ParseInt(string(seq), 10, 64)
		if err != nil || n < 0 || n > maxSeq {
			reject(tracking.RejectSeq)
		} else {
			point.Seq = n
		}
	}
	if !number(fields["lat"], &p.Lat) || !number(fields["lon"], &p.Lon) {
		reject(tracking.RejectCoordinate)
	}
	var text string
	if err := json.Unmarshal(fields["recorded_at"], &text); err != nil {
		reject(tracking.RejectTime)
	} else if at, err := time.Parse(time.RFC3339, text); err != nil {
		reject(tracking.RejectTime)
	} else {
		p.RecordedAt = at.UTC().Truncate(time.Millisecond)
	}
	for name, target := range map[string]*tracking.Reading{
		"accuracy_m": &p.AccuracyM, "speed_mps": &p.SpeedMPS, "heading_deg": &p.HeadingDeg, "altitude_m": &p.AltitudeM, "battery": &p.Battery,
	} {
		var v float64
		switch value, ok := fields[name]; {
		case !ok || isNull(value):
		case number(value, &v):
			*target = tracking.Read(v)
		default:
			reject(tracking.RejectReading)
		}
	}
	if mock, ok := fields["mock"]; ok && json.Unmarshal(mock, &point.Mock) != nil {
		reject(tracking.RejectMalformed)
	}
	for name := range fields {
		if !knownField(name) {
			reject(tracking.RejectMalformed)
		}
	}
	return point
}

// maxSeq is the highest seq that every part of the way, JavaScript and Lua included, counts exactly.
const maxSeq = 1<<53 - 1

func isNull(raw json.RawMessage) bool { return bytes.Equal(raw, []byte("null")) }

func number(raw json.RawMessage, v *float64) bool {
	if len(raw) == 0 || isNull(raw) {
		return false
	}
	return json.Unmarshal(raw, v) == nil
}
