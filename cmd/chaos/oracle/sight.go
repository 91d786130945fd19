package oracle

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxSnapshotEvents is how many events a snapshot carries at most: of a longer history it has the newest.
const maxSnapshotEvents = 64

// mayLag is for how long a node may not know that it is cut off. A viewer who comes to it from another one is shown less than they have seen, and by
// the client's rule keeps the newer fix. While nothing fails there is no such excuse; see CheckCalm.
const mayLag = 5 * time.Second

// fix is a courier's place at a moment.
type fix struct {
	courier    string // id
	recordedAt int64
}

// shown are the fixes that may be shown: those that Postgres has.
func (c *court) shown() map[fix]bool {
	stored := map[fix]bool{}
	for courier, rows := range c.truth.Positions {
		for _, row := range rows {
			stored[fix{courier, row.RecordedAt}] = true
		}
	}
	return stored
}

// sight is what one viewer knows while their frames are gone through.
type sight struct {
	*court
	viewer *Viewer
	stored map[fix]bool

	epoch, ver int64
	status     string
	courier    string
	marker     map[string]int64 // the newest fix seen, by courier
	here       map[string]int64 // the newest seen on this connection
	greeted    bool             // this connection has had its snapshot
	since      int64            // what this connection was asked to go on from, 0 for nothing
	sinceEpoch int64
	ended      bool     // a final status was shown
	trail      []string // the newest frames that say something about versions
}

// trailLength is how many earlier frames a violation quotes.
const trailLength = 6

// remember keeps a frame for the trail.
func (s *sight) remember(f *Frame) {
	said := f.At.UTC().Format("05.000 ") + f.Type
	switch f.Type {
	case "open":
		said += fmt.Sprintf(" %s since %d.%d", f.Node, f.Epoch, f.Ver)
	case "snapshot":
		said += fmt.Sprintf(" %d.%d with %d events", f.Epoch, f.Ver, len(f.Events))
	case "status":
		said += fmt.Sprintf(" %d.%d", f.Epoch, f.Ver)
	case "view":
		said += fmt.Sprintf(" sv %d", f.SV)
	case "close":
		said += fmt.Sprintf(" %d", f.Code)
	default:
		return
	}
	s.trail = append(s.trail, said)
	if extra := len(s.trail) - trailLength; extra > 0 {
		s.trail = s.trail[extra:]
	}
}

// viewer judges what one viewer saw: I2, I3, I4, I7.
func (c *court) viewer(v *Viewer, stored map[fix]bool) {
	s := &sight{court: c, viewer: v, stored: stored, marker: map[string]int64{}, here: map[string]int64{}}
	for i := range v.Frames {
		f := &v.Frames[i]
		switch f.Type {
		case "open":
			s.greeted, s.sinceEpoch, s.since = false, f.Epoch, f.Ver
			clear(s.here)
		case "snapshot":
			s.snapshot(f)
		case "status":
			s.statusFrame(f)
		case "view", "position":
			s.newer(f)
			if f.Courier != "" {
				s.courier = f.Courier
			}
			s.place(f, f.SV)
		case "tick":
			s.newer(f)
		}
		s.remember(f)
	}
	truth := c.truth.Deliveries[v.Delivery]
	if s.ver != truth.Ver || s.status != truth.Status {
		c.blame("I2", Lost, s.who(), "ended at ver %d %s; Postgres is at ver %d %s", s.ver, s.status, truth.Ver, truth.Status)
	}
}

func (s *sight) who() string { return s.viewer.Name + " of delivery " + s.viewer.Delivery }

func (s *sight) blameAt(f *Frame, invariant string, fault Fault, format string, args ...any) {
	s.blame(invariant, fault, s.who(), f.At.UTC().Format("15:04:05.000 ")+format+"; before it: %s", append(args, strings.Join(s.trail, ", "))...)
}

func (s *sight) snapshot(f *Frame) {
	resumed := !s.greeted && s.since > 0 && f.Epoch == s.sinceEpoch && f.Ver >= s.since
	s.greeted = true
	known := int64(0)
	if f.Epoch == s.epoch {
		known = s.ver
	}
	if f.Ver < known {
		s.blameAt(f, "I2", Disordered, "a snapshot went back from ver %d to %d", known, f.Ver)
	}
	first := f.Ver + 1
	if len(f.Events) > 0 {
		first = f.Events[0].Ver
	}
	// A viewer who knew nothing must be told all of it, one who knew some at least the rest.
	if first > min(known, f.Ver)+1 && len(f.Events) < maxSnapshotEvents {
		s.blameAt(f, "I2", Lost, "a snapshot of ver %d tells events from %d on to a viewer who knew %d", f.Ver, first, known)
	}
	if resumed && first <= s.since {
		s.blameAt(f, "I2", Duplicated, "a snapshot of ver %d tells events from %d on again to a viewer who asked for what follows %d", f.Ver, first, s.since)
	}
	for i, e := range f.Events {
		if e.Ver != first+int64(i) {
			s.blameAt(f, "I2", Disordered, "the events of a snapshot go from ver %d to %d", first+int64(i)-1, e.Ver)
			break
		}
		s.exists(f, e.Ver, e.Status)
	}
	s.exists(f, f.Ver, f.Status)
	s.epoch, s.ver, s.status, s.courier = f.Epoch, f.Ver, f.Status, f.Courier
	s.ended = final(f.Status)
	s.place(f, f.Ver)
}

func (s *sight) statusFrame(f *Frame) {
	s.exists(f, f.Ver, f.Status)
	switch {
	case !s.greeted:
		s.blameAt(f, "I2", Disordered, "status ver %d came before the snapshot", f.Ver)
	case f.Epoch != s.epoch:
		s.blameAt(f, "I2", Disordered, "status ver %d is of epoch %d, the snapshot of %d", f.Ver, f.Epoch, s.epoch)
	case f.Ver <= s.ver:
		s.blameAt(f, "I2", Duplicated, "status ver %d came again after %d", f.Ver, s.ver)
	case f.Ver > s.ver+1:
		s.blameAt(f, "I2", Lost, "status ver %d came after %d", f.Ver, s.ver)
	}
	if f.Epoch == s.epoch && f.Ver == s.ver+1 {
		s.ver, s.status = f.Ver, f.Status
		s.ended = final(f.Status)
	}
}

// newer judges the version that a frame of another kind carries.
func (s *sight) newer(f *Frame) {
	if s.greeted && f.SV > s.ver {
		s.blameAt(f, "I2", Lost, "a %s frame knows ver %d, and status %d has not been told", f.Type, f.SV, s.ver+1)
	}
}

// exists judges a status that was shown: I4.
func (s *sight) exists(f *Frame, ver int64, status string) {
	if e, lost := s.facts.lostEvent(s.viewer.Delivery, ver, f.Epoch, f.At); lost && e.Status == status {
		return
	}
	if got := s.truth.statusAt(s.viewer.Delivery, ver); got != status {
		s.blameAt(f, "I4", Lost, "a %s frame shows ver %d as %s; Postgres has %q there", f.Type, ver, status, got)
	}
}

// place judges a marker that was shown under a version: I3, I4, I7.
func (s *sight) place(f *Frame, ver int64) {
	if f.Position == 0 {
		return
	}
	status := s.truth.statusAt(s.viewer.Delivery, ver)
	if e, lost := s.facts.lostEvent(s.viewer.Delivery, ver, s.epoch, f.At); lost {
		status = e.Status
	}
	if !underway(status) {
		s.blameAt(f, "I7", Wrong, "a %s frame shows a position at ver %d, which is %q", f.Type, ver, status)
	} else if s.ended {
		s.blameAt(f, "I7", Wrong, "a %s frame shows a position after the delivery had ended", f.Type)
	}
	if f.Type != "position" && !f.Visible {
		s.blameAt(f, "I7", Wrong, "a %s frame shows a position and says that it is hidden", f.Type)
	}
	if last := max(s.here[s.courier], s.marker[s.courier]-mayLag.Milliseconds()); f.Position < last {
		s.blameAt(f, "I3", Disordered, "a %s frame moves the marker of %s back from %s to %s", f.Type, s.courier, clock(s.marker[s.courier]), clock(f.Position))
	}
	s.here[s.courier] = max(s.here[s.courier], f.Position)
	s.marker[s.courier] = max(s.marker[s.courier], f.Position)
	if id, ok := s.truth.Couriers[s.courier]; !ok || !s.had(s.stored, fix{id, f.Position}, f.At) {
		s.blameAt(f, "I4", Lost, "a %s frame shows %s at %s; Postgres has no such position", f.Type, s.courier, clock(f.Position))
	}
}

// had reports whether Postgres has a fix, or had it when it was shown.
func (c *court) had(stored map[fix]bool, shown fix, at time.Time) bool {
	return stored[shown] || c.facts.lostPosition(shown.courier, at, func(p Point) bool { return p.RecordedAt == shown.recordedAt })
}

// liveMap judges what a dispatcher saw: I3, I4.
func (c *court) liveMap(m *Map, stored map[fix]bool) {
	marker := map[string]int64{}
	for _, p := range m.Positions {
		if last := marker[p.Courier]; p.RecordedAt < last {
			c.blame("I3", Disordered, m.Name, "%s the marker of courier %s moves back from %s to %s",
				p.At.UTC().Format("15:04:05.000"), p.Courier, clock(last), clock(p.RecordedAt))
		}
		marker[p.Courier] = max(marker[p.Courier], p.RecordedAt)
		if !c.had(stored, fix{p.Courier, p.RecordedAt}, p.At) {
			c.blame("I4", Lost, m.Name, "shows courier %s at %s; Postgres has no such position", p.Courier, clock(p.RecordedAt))
		}
	}
	for _, e := range m.Events {
		if lost, ok := c.facts.lostEvent(e.Delivery, e.Ver, 0, e.At); ok && lost.Status == e.Status {
			continue
		}
		if got := c.truth.statusAt(e.Delivery, e.Ver); got != e.Status {
			c.blame("I4", Lost, m.Name, "shows ver %d of delivery %s as %s; Postgres has %q there", e.Ver, e.Delivery, e.Status, got)
		}
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
