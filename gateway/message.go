package gateway

import "encoding/binary"

// message is a frame that was encoded once and goes to any number of sockets, just as it lies here: a WebSocket text frame, whole and unmasked
// (RFC 6455 section 5.2). Streams take the text of it. The library's prepared messages would be the same bytes twice, and five kilobytes of garbage
// for each; positions are made all day.
type message struct {
	frame  []byte
	header int // bytes before the text
}

func newMessage(text []byte) *message {
	const finalText = 0x81
	b := make([]byte, 0, len(text)+10)
	switch n := len(text); {
	case n <= 125:
		b = append(b, finalText, byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, finalText, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, finalText, 127), uint64(n))
	}
	return &message{frame: append(b, text...), header: len(b)}
}

func (m *message) text() []byte { return m.frame[m.header:] }
