package tracking

import (
	"math"
	"time"
)

// ETA is when the courier will be at the door: a best guess and a range that should hold four times out of five.
type ETA struct{ At, Low, High time.Time }

// The first model: straight distance, stretched to streets, over a smoothed speed, plus a pause for each stop before.
const (
	detour    = 1.35             // streets over straight line in a gridded city; from recorded cab trips 1.2 to 1.5
	stopPause = 3 * time.Minute  // parking, stairs and a signature
	doorPause = 30 * time.Second // from the kerb to the door
	spread    = 0.25             // of the driving time, either way
	minSpread = time.Minute
	trustPace = 0.6 // how much the courier's own pace counts against the vehicle's usual one
)

// estimate works an ETA out from the newest fix; usual is the vehicle's pace.
func estimate(from *Position, usual, lat, lon float64, stopsBefore int, now time.Time) ETA {
	speed := usual
	if from.Pace.Known {
		pace := float64(from.Pace.Value)
		// A courier who waits at a light is not slow, and one on a fast road will leave it: both ends are pulled to the usual.
		speed = math.Exp(trustPace*math.Log(clamp(pace, usual/3, usual*3)) + (1-trustPace)*math.Log(usual))
	}
	straight := DistanceM(from.Lat, from.Lon, lat, lon)
	drive := time.Duration(straight * detour / speed * float64(time.Second))
	pauses := time.Duration(stopsBefore)*stopPause + doorPause
	// The fix is older than now: the courier has gone on meanwhile.
	took := max(0, min(now.Sub(from.RecordedAt), LiveAge))
	at := now.Add(max(0, drive-took) + pauses)
	margin := max(minSpread, time.Duration(spread*float64(drive))+time.Duration(stopsBefore)*stopPause/2)
	return ETA{At: at, Low: later(now, at.Add(-margin)), High: at.Add(margin)}
}

// Settles reports whether next says something new beside shown, so that the page does not flicker: it differs by more than a tenth
// of the time left, or by half a minute near the door.
func (shown ETA) Settles(next ETA, now time.Time) bool {
	diff := next.At.Sub(shown.At).Abs()
	left := next.At.Sub(now)
	return diff > max(30*time.Second, left/10)
}

func clamp(v, low, high float64) float64 { return math.Min(math.Max(v, low), high) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
