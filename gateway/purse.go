package gateway

import "time"

const (
	// perSecond is how many bytes a second a map is sent, at most, once it is full: two megabits, which an office's line has for each of its
	// dispatchers, and enough for five thousand couriers who report every four seconds. Who has more in the window sees each a little less often.
	perSecond = 256 << 10
	// atOnceBytes is what it may be sent at once beyond that, after it was quiet: a window of seven thousand couriers with their names.
	atOnceBytes = 2 << 20
)

// purse is what one map may still be sent now. Everything is paid from it, and what is never held back may take it below zero; then positions and
// clusters wait until it is filled again.
type purse struct {
	rate, most int // bytes a second; bytes
	credit     int
	filled     time.Time
}

func newPurse(now time.Time) purse {
	return purse{rate: perSecond, most: atOnceBytes, credit: atOnceBytes, filled: now}
}

func (p *purse) fill(now time.Time) {
	since := min(max(0, now.Sub(p.filled)), time.Hour)
	p.credit = min(p.most, p.credit+int(since.Seconds()*float64(p.rate)))
	p.filled = now
}
