package tracking

import "math"

// SmoothPace is the courier's smoothed speed after a newer fix: an exponential average over about a minute of distance over time. Steps
// that are too short to measure, too long to mean anything, or faster than any courier leave it as it was.
//
// It is worked out where the newest fix is decided, in a script on Redis; this is the same in Go, and a test holds the two together.
func SmoothPace(before, next Position) Reading {
	dt := next.RecordedAt.Sub(before.RecordedAt).Seconds()
	if dt < 0.5 || dt > 120 {
		return before.Pace
	}
	v := apartM(&before, &next) / dt
	if v > MaxSpeedMPS {
		return before.Pace
	}
	if !before.Pace.Known {
		return Read(v)
	}
	pace := float64(before.Pace.Value)
	return Read(pace + (1-math.Exp(-dt/60))*(v-pace))
}
