package pubsub

import (
	"errors"
	"fmt"
)

// kind is what a frame is.
type kind uint8

const (
	message      kind = iota + 1
	subscribed        // Redis has confirmed a channel
	unsubscribed      // a channel is not listened to any more, whether we asked for that or not
	agreed            // +OK
	refused           // an error
)

// frame is one thing that Redis says on a connection of ours, of which there are few kinds. Its slices are parts of what it was read from.
type frame struct {
	kind    kind
	channel []byte
	payload []byte // a message's, or the text of an error
}

// Limits of what is believed. A connection on which more is announced is not, or not any more, a conversation with Redis.
const (
	bulkMax = 8 << 20 // bytes of one string; as much unread makes Redis itself cut a subscriber
	lineMax = 4 << 10 // bytes of one line
)

var errPartial = errors.New("a frame that is not all there")

// parse reads the frame that b begins with and answers how many bytes it takes. With errPartial it begins well, but there is more to come.
func parse(b []byte) (frame, int, error) {
	s := scanner{b: b}
	f, err := s.frame()
	return f, s.at, err
}

// scanner walks over bytes in RESP, version 2.
type scanner struct {
	b  []byte
	at int
}

func (s *scanner) frame() (f frame, err error) {
	if s.at == len(s.b) {
		return f, errPartial
	}
	switch s.b[s.at] {
	case '+', '-':
		return s.line()
	case '*':
	default:
		return f, fmt.Errorf("a frame that begins with %q", s.b[s.at])
	}
	n, err := s.number('*')
	if err != nil {
		return f, err
	}
	if n != 3 {
		return f, fmt.Errorf("a frame of %d parts", n)
	}
	word, err := s.bulk()
	if err != nil {
		return f, err
	}
	switch string(word) {
	case "message", "smessage":
		f.kind = message
	case "subscribe", "ssubscribe":
		f.kind = subscribed
	case "unsubscribe", "sunsubscribe":
		f.kind = unsubscribed
	default:
		return f, fmt.Errorf("a frame of the kind %.20q", word)
	}
	if f.channel, err = s.bulk(); err != nil {
		return f, err
	}
	if f.kind == message {
		f.payload, err = s.bulk()
	} else {
		_, err = s.number(':') // how many channels the connection has now
	}
	return f, err
}

// line reads +OK or an error.
func (s *scanner) line() (frame, error) {
	rest := s.b[s.at:]
	for i, c := range rest[:min(len(rest), lineMax)] {
		if c != '\n' {
			continue
		}
		if rest[i-1] != '\r' {
			return frame{}, errors.New("a line without a return")
		}
		s.at += i + 1
		text := rest[1 : i-1]
		if rest[0] == '-' {
			return frame{kind: refused, payload: text}, nil
		}
		if string(text) != "OK" {
			return frame{}, fmt.Errorf("a reply of %.20q", text)
		}
		return frame{kind: agreed}, nil
	}
	if len(rest) >= lineMax {
		return frame{}, errors.New("a line without an end")
	}
	return frame{}, errPartial
}

// bulk reads a string: its length on a line, its bytes, and another end of line.
func (s *scanner) bulk() ([]byte, error) {
	n, err := s.number('$')
	if err != nil {
		return nil, err
	}
	if n > bulkMax {
		return nil, fmt.Errorf("a string of %d bytes", n)
	}
	if len(s.b)-s.at < n+2 {
		return nil, errPartial
	}
	text := s.b[s.at : s.at+n : s.at+n]
	s.at += n + 2
	if s.b[s.at-2] != '\r' || s.b[s.at-1] != '\n' {
		return nil, errors.New("a string that goes on after its end")
	}
	return text, nil
}

// digitsMax is more digits than any number here has, and fits an int everywhere.
const digitsMax = 9

// number reads a line of a mark and a number that is not negative.
func (s *scanner) number(mark byte) (int, error) {
	if s.at == len(s.b) {
		return 0, errPartial
	}
	if s.b[s.at] != mark {
		return 0, fmt.Errorf("%q where %q should be", s.b[s.at], mark)
	}
	n := 0
	for i, c := range s.b[s.at+1:] {
		if c == '\r' && i > 0 {
			end := s.at + 1 + i + 1
			if end == len(s.b) {
				return 0, errPartial
			}
			if s.b[end] != '\n' {
				return 0, errors.New("a number that does not end its line")
			}
			s.at = end + 1
			return n, nil
		}
		if c < '0' || c > '9' || i == digitsMax {
			return 0, errors.New("a number that is none")
		}
		n = n*10 + int(c-'0')
	}
	return 0, errPartial
}
