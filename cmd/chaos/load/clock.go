package load

import (
	"math/rand/v2"
	"time"
)

// clock is what a phone believes that the time is.
type clock func(now time.Time, random *rand.Rand) time.Time

func rightClock(now time.Time, _ *rand.Rand) time.Time { return now }

// off is a clock that is wrong by the same time always.
func off(by time.Duration) clock {
	return func(now time.Time, _ *rand.Rand) time.Time { return now.Add(by) }
}

// from is a clock that was set to some other time when the phone's battery came back.
func from(began time.Time) clock {
	return func(now time.Time, _ *rand.Rand) time.Time {
		return began.Add(time.Duration(now.UnixNano() % int64(time.Hour)))
	}
}

// jumping is a clock that is put right and wrong again all the time; now and then by so little that its fixes are believed.
func jumping(now time.Time, random *rand.Rand) time.Time {
	jumps := []time.Duration{0, 0, -time.Hour, time.Hour, -30 * time.Second, 40 * time.Second, -24 * time.Hour}
	return now.Add(jumps[random.IntN(len(jumps))])
}

// wrongClocks are those that phones have in turn when the row asks for it; every third is right.
var wrongClocks = []clock{
	off(time.Hour), jumping, rightClock,
	off(-time.Hour), jumping, rightClock,
	from(time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)), off(-90 * time.Second), rightClock,
	from(time.Date(2038, 1, 19, 3, 14, 0, 0, time.UTC)), off(50 * time.Second), rightClock,
}

// clockOf is the clock of one courier's phone. One that does not count tells its fixes apart by their times alone, so its clock goes forward.
func clockOf(wrong bool, m manner, i int) clock {
	if !wrong || m == uncounted {
		return rightClock
	}
	return wrongClocks[i%len(wrongClocks)]
}
