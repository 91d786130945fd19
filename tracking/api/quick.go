package api

import (
	"strconv"
	"time"

	"hotfoot/tracking"
)

// quickReport reads a report as phones write it, in one pass and without a map: plain texts, known fields, each once, and nothing wrong in any
// point. Whatever else there is it leaves to ParseReport, which finds the words for it; what it does read it reads the same. points is room
// for the report's.
func quickReport(body []byte, points []tracking.Point) (report tracking.PositionReport, ok bool) {
	s := scanner{body: body}
	report = s.report(points, nil)
	return report, s.ended()
}

// quickMessage reads a report that came by socket: it says its type, and may carry an id, which is answered as it came.
func quickMessage(message []byte, points []tracking.Point) (id []byte, report tracking.PositionReport, ok bool) {
	s := scanner{body: message}
	var e envelope
	report = s.report(points, &e)
	return e.id, report, s.ended() && e.typed
}

// envelope is what a message has beside its report.
type envelope struct {
	typed bool
	id    []byte // a whole number or a plain text, as it came; nil for none
}

// report reads an object with positions, or a bare position.
func (s *scanner) report(points []tracking.Point, e *envelope) (report tracking.PositionReport) {
	report.Points = points[:0]
	var session, positions bool
	for key := s.first('{'); key; key = s.more('}') {
		start := s.at
		switch string(s.key()) {
		case "session":
			s.bad, session = s.bad || session, true
			report.Session = string(s.text())
		case "positions":
			s.bad, positions = s.bad || positions, true
			s.positions(&report)
		case "type":
			s.bad = s.bad || e == nil || e.typed || string(s.text()) != "positions"
			if !s.bad {
				e.typed = true
			}
		case "id":
			s.bad = s.bad || e == nil || e.id != nil
			if id := s.id(); !s.bad {
				e.id = id
			}
		default:
			// A bare position is the rest of the object: there are no others beside it.
			s.bad = s.bad || session || positions
			s.at, positions = start, true
			report.Points = append(report.Points, s.point())
			return report
		}
	}
	s.bad = s.bad || !positions
	return report
}

func (s *scanner) positions(report *tracking.PositionReport) {
	for item := s.first('['); item; item = s.more(']') {
		s.bad = s.bad || len(report.Points) == tracking.MaxPoints
		if s.take('{'); s.bad {
			return
		}
		report.Points = append(report.Points, s.point())
	}
}

func (s *scanner) id() []byte {
	s.peek()
	start := s.at
	if s.peek() == '"' {
		s.text()
	} else {
		s.seq()
	}
	return s.body[start:s.at]
}

// point reads the fields of a position up to the end of its object.
func (s *scanner) point() (point tracking.Point) {
	const needed = 1<<0 | 1<<1 | 1<<2
	p := &point.Position
	fields := 0
	for key := s.peek() == '"'; key; key = s.more('}') {
		var field int
		var reading *tracking.Reading
		switch string(s.key()) {
		case "lat":
			field, p.Lat = 1<<0, s.number()
		case "lon":
			field, p.Lon = 1<<1, s.number()
		case "recorded_at":
			field = 1 << 2
			at, err := time.Parse(time.RFC3339, string(s.text()))
			s.bad = s.bad || err != nil
			p.RecordedAt = at.UTC().Truncate(time.Millisecond)
		case "seq":
			field, point.Seq = 1<<3, s.seq()
		case "accuracy_m":
			field, reading = 1<<4, &p.AccuracyM
		case "speed_mps":
			field, reading = 1<<5, &p.SpeedMPS
		case "heading_deg":
			field, reading = 1<<6, &p.HeadingDeg
		case "altitude_m":
			field, reading = 1<<7, &p.AltitudeM
		case "battery":
			field, reading = 1<<8, &p.Battery
		case "mock":
			field, point.Mock = 1<<9, s.boolean()
		}
		if reading != nil && !s.null() {
			*reading = tracking.Read(s.number())
		}
		s.bad = s.bad || field == 0 || fields&field != 0
		fields |= field
	}
	s.bad = s.bad || fields&needed != needed
	return point
}

// scanner goes over JSON once. At the first thing that it does not understand it is bad, answers zeros and gets no further.
type scanner struct {
	body []byte
	at   int
	bad  bool
}

// peek is the next byte that is no white space; 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.body) && !s.bad; s.at++ {
		switch c := s.body[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) take(want byte) {
	if s.peek() == want {
		s.at++
	} else {
		s.bad = true
	}
}

// first enters an object or a list, and more goes on to its next member: both report whether there is one. An empty one is for ParseReport.
func (s *scanner) first(open byte) bool {
	s.take(open)
	return !s.bad
}

func (s *scanner) more(end byte) bool {
	switch s.peek() {
	case ',':
		s.at++
		return true
	case end:
		s.at++
	default:
		s.bad = true
	}
	return false
}

func (s *scanner) ended() bool { return s.peek() == 0 && s.at == len(s.body) && !s.bad }

func (s *scanner) key() []byte {
	key := s.text()
	s.take(':')
	return key
}

// text reads a string of printable ASCII without escapes.
func (s *scanner) text() []byte {
	s.take('"')
	for start := s.at; s.at < len(s.body) && !s.bad; s.at++ {
		switch c := s.body[s.at]; {
		case c == '"':
			s.at++
			return s.body[start : s.at-1]
		case c < ' ' || c > '~' || c == '\\':
			s.bad = true
		}
	}
	s.bad = true
	return nil
}

func (s *scanner) null() bool {
	if s.peek() == 'n' && s.at+4 <= len(s.body) && string(s.body[s.at:s.at+4]) == "null" {
		s.at += 4
		return true
	}
	return false
}

// boolean reads true, false, or null for false.
func (s *scanner) boolean() bool {
	for _, word := range [...]string{"true", "false"} {
		if s.peek() == word[0] && s.at+len(word) <= len(s.body) && string(s.body[s.at:s.at+len(word)]) == word {
			s.at += len(word)
			return word == "true"
		}
	}
	s.bad = s.bad || !s.null()
	return false
}

// digits reads at least one, and answers how many there were.
func (s *scanner) digits(value uint64) (uint64, int) {
	start := s.at
	for ; s.at < len(s.body) && s.body[s.at]-'0' <= 9; s.at++ {
		value = value*10 + uint64(s.body[s.at]-'0') // what overflows has too many digits to be used
	}
	s.bad = s.bad || s.at == start
	return value, s.at - start
}

// exactDigits is how many digits an integer may have that a float64 surely holds exactly, as it does powers of ten up to 22.
const exactDigits = 15

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// number reads any number. One of few digits is worked out at once: the quotient of two exact numbers is rounded once, as strconv would.
func (s *scanner) number() float64 {
	s.peek()
	start := s.at
	negative := s.at < len(s.body) && s.body[s.at] == '-'
	if negative {
		s.at++
	}
	zero := s.at < len(s.body) && s.body[s.at] == '0'
	value, n := s.digits(0)
	s.bad = s.bad || zero && n > 1
	fraction := 0
	if s.at < len(s.body) && s.body[s.at] == '.' {
		s.at++
		value, fraction = s.digits(value)
	}
	plain := n+fraction <= exactDigits
	if s.at < len(s.body) && s.body[s.at]|' ' == 'e' {
		plain = false
		if s.at++; s.at < len(s.body) && (s.body[s.at] == '+' || s.body[s.at] == '-') {
			s.at++
		}
		s.digits(0)
	}
	if s.bad {
		return 0
	}
	if !plain {
		v, err := strconv.ParseFloat(string(s.body[start:s.at]), 64)
		s.bad = err != nil
		return v
	}
	v := float64(value) / powers[fraction]
	if negative {
		return -v
	}
	return v
}

// seq reads a seq, or null for none.
func (s *scanner) seq() int64 {
	if s.null() {
		return 0
	}
	zero := s.peek() == '0'
	value, n := s.digits(0)
	s.bad = s.bad || n > exactDigits || zero && n > 1
	return int64(value)
}
