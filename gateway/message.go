package gateway

import (
	"encoding/binary"
	"sync"
)

// message is a frame that was encoded once and goes to any number of sockets, just as it lies here: a WebSocket text frame, whole and unmasked
// (RFC 6455 section 5.2). Streams take the text of it. The library's prepared messages would be the same bytes twice, and five kilobytes of garbage
// for each; positions are made all day.
type message struct {
	frame  []byte
	header int // bytes before the text
}

// room is left before a text for the longest header there is.
const room = 10

func newMessage(text []byte) *message {
	b := append(make([]byte, room, room+len(text)), text...)
	at := putHeader(b)
	return &message{frame: b[at:], header: room - at}
}

// putHeader writes the header of the text that begins at room, and answers where the frame begins.
func putHeader(b []byte) int {
	const finalText = 0x81
	switch n := len(b) - room; {
	case n <= 125:
		b[room-2], b[room-1] = finalText, byte(n)
		return room - 2
	case n <= 0xffff:
		b[room-4], b[room-3] = finalText, 126
		binary.BigEndian.PutUint16(b[room-2:], uint16(n))
		return room - 4
	default:
		b[0], b[1] = finalText, 127
		binary.BigEndian.PutUint64(b[2:], uint64(n))
		return 0
	}
}

func (m *message) text() []byte { return m.frame[m.header:] }

// borrowed is a message in a borrowed buffer. Nearly every position goes out to all its viewers at once and is nobody's a moment later, so it is kept,
// once, only for those who cannot take it now.
type borrowed struct {
	buffer *[]byte
	begins int
	kept   *message
}

var buffers = sync.Pool{New: func() any { b := make([]byte, room, 512); return &b }}

// borrow takes a buffer and has the text appended to it; done gives it back.
func borrow(appendText func([]byte) []byte) borrowed {
	d := borrowed{buffer: buffers.Get().(*[]byte)}
	*d.buffer = appendText((*d.buffer)[:room])
	d.begins = putHeader(*d.buffer)
	return d
}

func (d *borrowed) frame() []byte { return (*d.buffer)[d.begins:] }

func (d *borrowed) keep() *message {
	if d.kept == nil {
		d.kept = newMessage((*d.buffer)[room:])
	}
	return d.kept
}

func (d *borrowed) done() { buffers.Put(d.buffer) }
