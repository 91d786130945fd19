//go:build linux

// Package feed brings updates to a server under measurement, at a fixed rate and each in time, whatever the server makes of it.
//
//	Schedule ── group n is due at began + n × interval ──> Feed ── one write a group ──> Redis, or a bare server
//	                     └───────── Due(stamp) <── a viewer, from the frame alone
//
// An update carries the number of its group in the decimals of its latitude, so that a viewer knows when it was due. A latency is counted from there,
// not from when it was sent: a server that makes the feed wait is late for all that waits behind it. A schedule may be read by anyone; a feed is
// of one goroutine.
package feed

import "time"

// Schedule says when which updates are due. Groups of PerGroup updates go out together, as reports come in batches.
type Schedule struct {
	Began    time.Time
	Interval time.Duration // between groups
	PerGroup int
}

const (
	mostPerGroup = 50
	// The decimals of a latitude in San Francisco, and how many groups fit behind it before they count anew.
	firstStamp = 700_000
	stamps     = 200_000
)

// NewSchedule begins now: perSecond updates, in groups of at most 50 and at least 200 of them a second while the rate allows it.
func NewSchedule(perSecond int) Schedule {
	group := max(1, min(mostPerGroup, perSecond/200))
	return Schedule{Began: time.Now(), Interval: time.Duration(group) * time.Second / time.Duration(perSecond), PerGroup: group}
}

// Single begins now too: one update a group.
func Single(perSecond int) Schedule {
	return Schedule{Began: time.Now(), Interval: time.Second / time.Duration(perSecond), PerGroup: 1}
}

// PerSecond is how many updates are due each second.
func (s Schedule) PerSecond() float64 { return float64(s.PerGroup) / s.Interval.Seconds() }

// At is when a group is due.
func (s Schedule) At(group int) time.Time { return s.Began.Add(time.Duration(group) * s.Interval) }

// stamp is what is hidden in the positions of a group.
func stamp(group int) int { return firstStamp + group%stamps }

// Due is when a position was due, by what is hidden in it; read is when it came. It is false for one that is not of a schedule.
func (s Schedule) Due(stamp int, read time.Time) (time.Time, bool) {
	group := stamp - firstStamp
	if group < 0 || group >= stamps {
		return time.Time{}, false
	}
	// Of the groups with this stamp it is the last one that can be due already.
	if rounds := (int(read.Sub(s.Began)/s.Interval) - group) / stamps; rounds > 0 {
		group += rounds * stamps
	}
	return s.At(group), true
}
