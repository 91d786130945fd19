package fleet

import (
	"slices"
	"time"
)

// stray is how far from the middle of its track a point may be dated and still say when the track began. Phones hand
// out fixes that are weeks old, and nobody wants to wait those weeks again.
const stray = 7 * 24 * time.Hour

// span is the time a track covers.
type span struct {
	player     *player
	start, end time.Time
}

// alignOrigins decides which recorded time is played first. Tracks that were recorded at the same time stay in step;
// those that were not, as files of different days, begin together instead of waiting for each other.
//
//	recorded   ├──A──┤                    ├──C──┤
//	              ├──B──┤
//	replayed   ├──A──┤
//	              ├──B──┤
//	           ├──C──┤
func alignOrigins(players []*player) {
	spans := make([]span, 0, len(players))
	for _, p := range players {
		spans = append(spans, newSpan(p))
	}
	slices.SortStableFunc(spans, func(a, b span) int { return a.start.Compare(b.start) })
	var origin, end time.Time
	for i, s := range spans {
		if i == 0 || s.start.After(end) {
			origin, end = s.start, s.end
		}
		if s.end.After(end) {
			end = s.end
		}
		s.player.origin = origin
	}
}

func newSpan(p *player) span {
	times := make([]time.Time, 0, len(p.points))
	for _, point := range p.points {
		times = append(times, point.Time)
	}
	slices.SortFunc(times, time.Time.Compare)
	middle := times[len(times)/2]
	s := span{player: p, start: middle, end: middle}
	for _, t := range times {
		if middle.Sub(t) <= stray && t.Before(s.start) {
			s.start = t
		}
		if t.Sub(middle) <= stray && t.After(s.end) {
			s.end = t
		}
	}
	return s
}
