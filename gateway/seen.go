package gateway

import "hotfoot/tracking"

// mark is what one map knows of one courier.
type mark uint8

const (
	inside  mark = 1 << iota // in the window, when the last tick looked
	drawn                    // the map has it
	told                     // and knows its name, vehicle and stops as they are
	waiting                  // in the line
)

// seen is what one map has and what it is still owed. Couriers stand in it by their slot: a byte for each, and no more for those that were never in
// the window.
type seen struct {
	marks []mark
	count int // of those inside
	// line are those the map is owed, who waits longest first; of each whatever is newest when its turn comes. It holds no slot twice, so it is never
	// longer than there are slots. A place in the line belongs to the slot: one that is somebody else's by then has come forward, and an empty one, or
	// one whose courier has left the window, is passed over.
	line []int32
	left map[tracking.ID]struct{} // those the map has and must forget
}

// grow makes room for slots. Called before they are looked at.
func (s *seen) grow(slots int) {
	if more := slots - len(s.marks); more > 0 {
		s.marks = append(s.marks, make([]mark, more)...)
	}
}

// startOver forgets everything: the map will, too.
func (s *seen) startOver() {
	clear(s.marks)
	s.count, s.line, s.left = 0, s.line[:0], nil
}

// enter notes that a courier is in the window, leave that it is not.
func (s *seen) enter(u *unit) {
	if s.marks[u.slot]&inside == 0 {
		s.marks[u.slot] |= inside
		s.count++
	}
}

func (s *seen) leave(u *unit) {
	m := s.marks[u.slot]
	if m&inside != 0 {
		s.count--
	}
	if m&drawn != 0 {
		if s.left == nil {
			s.left = map[tracking.ID]struct{}{}
		}
		s.left[u.courier.ID] = struct{}{}
	}
	s.marks[u.slot] = m & waiting
}

// owe puts a courier into the line; it answers false for one who waits there already.
func (s *seen) owe(u *unit) bool {
	if s.marks[u.slot]&waiting != 0 {
		return false
	}
	s.marks[u.slot] |= waiting
	s.line = append(s.line, u.slot)
	return true
}

// next takes a slot from the line, and answers whether it has to be shown.
func (s *seen) next() (slot int32, show bool) {
	slot, s.line = s.line[0], s.line[1:]
	s.marks[slot] &^= waiting
	return slot, s.marks[slot]&inside != 0
}

// show notes that the map was told of a courier, and answers whether it has to be described.
func (s *seen) show(u *unit) (described bool) {
	described = s.marks[u.slot]&(drawn|told) != drawn|told
	s.marks[u.slot] |= drawn | told
	delete(s.left, u.courier.ID)
	return described
}
