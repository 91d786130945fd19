//go:build linux

package feed

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"hotfoot/cmd/hotfoot/bench/bare"
	"hotfoot/cmd/hotfoot/bench/firstversion"
	"hotfoot/tracking"
	"hotfoot/tracking/frame"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

// Update is the position of a group in every form that it may be needed in, so that what is equal for all topics is written once.
type Update struct {
	group    int
	position tracking.Position
	newest   []byte // as position.lua publishes it
	frame    []byte // as a gateway would write it
	first    firstversion.Position
}

func newUpdate(group int, at time.Time) Update {
	p := Position(group, at)
	u := Update{group: group, position: p, newest: appendNewest(nil, p)}
	u.frame = frame.AppendPosition(nil, p, 4, &tracking.ETA{At: at.Add(4 * time.Minute), Low: at.Add(3 * time.Minute), High: at.Add(5 * time.Minute)})
	u.first = ToFirst(p)
	u.first.Type = "position"
	return u
}

// ToFirst is a position as the first version has it, without its courier.
func ToFirst(p tracking.Position) firstversion.Position {
	return firstversion.Position{
		Lat: p.Lat, Lon: p.Lon, AccuracyM: float64(p.AccuracyM.Value), SpeedMPS: float64(p.SpeedMPS.Value), HeadingDeg: float64(p.HeadingDeg.Value),
		Battery: float64(p.Battery.Value), RecordedAt: p.RecordedAt,
	}
}

// ToBare encodes for a bare server, which is given the finished frame.
func ToBare(b []byte, topic int, u Update) []byte {
	return bare.AppendUpdate(b, uint32(topic), u.frame)
}

// ToHotfoot encodes what the script position.lua publishes, for topics that are these couriers.
func ToHotfoot(couriers []tracking.ID) Encode {
	channels := make([]string, len(couriers))
	for i, id := range couriers {
		channels[i] = key.Courier(id)
	}
	return func(b []byte, topic int, u Update) []byte { return appendPublish(b, channels[topic], u.newest) }
}

// ToFleet encodes what the script publishes for the live maps of a merchant. The couriers are spread evenly over San Francisco, and each moves a metre or
// two from one update to the next.
func ToFleet(merchant tracking.ID, couriers []tracking.ID) Encode {
	channels, prefixes := make([]string, len(couriers)), make([][]byte, len(couriers))
	for i, id := range couriers {
		channels[i], prefixes[i] = key.Fleet(key.Partition(id), merchant), wire.AppendFleetPositionPrefix(nil, id)
	}
	return func(b []byte, topic int, u Update) []byte {
		p := u.position
		_, p.Lat = math.Modf(float64(topic) * 0.6180339887)
		_, p.Lon = math.Modf(float64(topic) * 0.7548776662)
		p.Lat = South + p.Lat*(North-South) + float64(u.group%100)*1e-5
		p.Lon = West + p.Lon*(East-West)
		return appendPublish(b, channels[topic], appendNewest(prefixes[topic][:17:17], p))
	}
}

// Where the couriers of a live map are.
const (
	South, North = 37.71, 37.81
	West, East   = -122.51, -122.39
)

// appendNewest writes a position with its pace, as the script does.
func appendNewest(b []byte, p tracking.Position) []byte {
	return binary.BigEndian.AppendUint32(wire.AppendPosition(b, p), math.Float32bits(p.Pace.Value))
}

// ToFirstVersion encodes what the first version publishes.
func ToFirstVersion(couriers []tracking.ID) Encode {
	return func(b []byte, topic int, u Update) []byte {
		u.first.CourierID = couriers[topic].String()
		// It cannot fail: there are texts, a time and finite numbers in it.
		message, _ := json.Marshal(u.first)
		return appendPublish(b, firstversion.Channel(u.first.CourierID), message)
	}
}

// appendPublish writes the command as Redis wants it.
func appendPublish(b []byte, channel string, message []byte) []byte {
	b = append(b, "*3\r\n$7\r\nPUBLISH\r\n$"...)
	b = strconv.AppendInt(b, int64(len(channel)), 10)
	b = append(append(append(b, "\r\n"...), channel...), "\r\n$"...)
	b = strconv.AppendInt(b, int64(len(message)), 10)
	return append(append(append(b, "\r\n"...), message...), "\r\n"...)
}
