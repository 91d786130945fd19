// Package wire writes facts down between Hotfoot's own processes: in Redis hashes, on channels, in the backlog.
//
//	position   fixed-size binary       courier hash, courier channel
//	batch      binary, self-delimiting backlog stream
//	record     JSON                    delivery hash, delivery channel
//	fleet      one kind byte, then a courier id and a position, or a record
//
// Every form starts with its version (JSON: field "v"), since nodes of two releases run side by side during an upgrade. Decoders accept any
// bytes and answer an error for what they do not know; they never panic and never allocate more than the input warrants.
package wire

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"hotfoot/tracking"
)

// errShort and errVersion carry no input: it may be anything.
var (
	errShort   = errors.New("wire: truncated or overlong")
	errVersion = errors.New("wire: unknown version")
	errValue   = errors.New("wire: impossible value")
)

const positionVersion = 1

// PositionSize is the size of a position: version, flags, time, place, five readings. The newest position carries its pace behind that.
const (
	PositionSize = 1 + 1 + 8 + 8 + 8 + 5*4
	NewestSize   = PositionSize + 4
)

// suspicionBit is where the reason of a suspicion begins in a position's flags; below it is a bit for each reading that is known. A release that knows
// of no suspicions takes no notice of it.
const suspicionBit = 5

// AppendPosition writes a position without its pace. Layout, big-endian: version u8, flags u8, recorded_at i64 (Unix ms), lat f64, lon f64,
// accuracy f32, speed f32, heading f32, altitude f32, battery f32. The script position.lua reads the first 30 bytes, and writes the flags.
func AppendPosition(b []byte, p tracking.Position) []byte {
	readings := [5]tracking.Reading{p.AccuracyM, p.SpeedMPS, p.HeadingDeg, p.AltitudeM, p.Battery}
	flags := byte(p.Suspect) << suspicionBit
	for i, r := range readings {
		if r.Known {
			flags |= 1 << i
		}
	}
	b = append(b, positionVersion, flags)
	b = binary.BigEndian.AppendUint64(b, uint64(p.RecordedAt.UnixMilli()))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(p.Lat))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(p.Lon))
	for _, r := range readings {
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(r.Value))
	}
	return b
}

// Position reads what AppendPosition wrote, with or without the pace behind it.
func Position(b []byte) (tracking.Position, error) {
	var p tracking.Position
	if len(b) != PositionSize && len(b) != NewestSize {
		return p, errShort
	}
	if b[0] != positionVersion {
		return p, errVersion
	}
	flags := b[1]
	if p.Suspect = tracking.Suspicion(flags >> suspicionBit); !p.Suspect.Known() {
		return p, errValue
	}
	p.RecordedAt = time.UnixMilli(int64(binary.BigEndian.Uint64(b[2:]))).UTC()
	p.Lat = math.Float64frombits(binary.BigEndian.Uint64(b[10:]))
	p.Lon = math.Float64frombits(binary.BigEndian.Uint64(b[18:]))
	if !(p.Lat >= -90 && p.Lat <= 90 && p.Lon >= -180 && p.Lon <= 180) {
		return p, errValue
	}
	for i, r := range [5]*tracking.Reading{&p.AccuracyM, &p.SpeedMPS, &p.HeadingDeg, &p.AltitudeM, &p.Battery} {
		if flags&(1<<i) != 0 {
			r.Value, r.Known = math.Float32frombits(binary.BigEndian.Uint32(b[26+4*i:])), true
			if math.IsNaN(float64(r.Value)) || math.IsInf(float64(r.Value), 0) {
				return p, errValue
			}
		}
	}
	if len(b) == NewestSize {
		pace := math.Float32frombits(binary.BigEndian.Uint32(b[PositionSize:]))
		// Negative says that it is not known yet: the first fix has no speed.
		p.Pace = tracking.Reading{Value: pace, Known: pace >= 0}
		if !p.Pace.Known {
			p.Pace.Value = 0
		}
	}
	return p, nil
}
