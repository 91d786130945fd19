package gateway

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// What a frame's first byte may hold, RFC 6455 section 5.2.
const (
	finalBit       = 0x80
	reservedBits   = 0x70
	continuation   = 0x0
	maskedBit      = 0x80
	maxControl     = 125 // bytes in a ping, a pong or a close
	closeCodeBytes = 2
)

// heard is what a peer can say. What a slice holds is there during the call alone. Text answers with the socket's end, or nil.
type heard interface {
	text(message []byte) *farewell
	ping(said []byte)
	bye(code int)
}

// reader takes a client's frames apart (RFC 6455 section 5). It holds bytes only while a frame or a message is under way: a peer who says nothing
// costs it nothing, which is why it is here and the library's reader, with its buffer and its stack for every socket, is not.
type reader struct {
	limit     int    // of a message, in bytes
	begun     bool   // a message came in part
	beginning []byte // of a frame
	message   []byte // its parts so far
}

// take reads what came in whatever pieces, and unmasks it where it lies. It answers why the socket must end, or nil; after that nothing more can
// be read.
func (r *reader) take(b []byte, to heard) *farewell {
	if len(r.beginning) > 0 {
		r.beginning = append(r.beginning, b...)
		b = r.beginning
	}
	for {
		f, size, refusal := parseFrame(b, r.limit-len(r.message))
		if refusal != nil {
			return refusal
		}
		if size == 0 || size > len(b) {
			return r.keep(b, size)
		}
		f.unmask(b[size-f.length : size])
		if refusal := r.frame(f, b[size-f.length:size], to); refusal != nil {
			return refusal
		}
		b = b[size:]
	}
}

// keep remembers the beginning of a frame until the rest comes; size is the frame's, 0 while not even that is known.
func (r *reader) keep(b []byte, size int) *farewell {
	switch {
	case len(b) == 0:
		r.beginning = nil
	case cap(r.beginning) >= len(b) && len(r.beginning) > 0:
		r.beginning = append(r.beginning[:0], b...)
	default:
		r.beginning = append(make([]byte, 0, max(size, len(b))), b...)
	}
	return nil
}

func (r *reader) frame(f header, payload []byte, to heard) *farewell {
	switch f.opcode {
	case websocket.PingMessage:
		to.ping(payload)
	case websocket.PongMessage:
	case websocket.CloseMessage:
		code, refusal := closeCode(payload)
		if refusal != nil {
			return refusal
		}
		to.bye(code)
	case websocket.BinaryMessage:
		return &malformed
	default:
		return r.part(f, payload, to)
	}
	return nil
}

// part takes a text, or a part of one.
func (r *reader) part(f header, payload []byte, to heard) *farewell {
	if r.begun != (f.opcode == continuation) {
		return &broken
	}
	if !f.final || r.begun {
		r.begun = !f.final
		r.message = append(r.message, payload...)
		payload = r.message
	}
	if !f.final {
		return nil
	}
	r.message = nil
	if !utf8.Valid(payload) {
		return &notUTF8
	}
	return to.text(payload)
}

// header is what stands before a frame's payload.
type header struct {
	opcode byte
	final  bool
	length int
	mask   [4]byte
}

// parseFrame reads a header. size is the frame's with its header, 0 when more must come to know it; it is never more than limit allows.
func parseFrame(b []byte, limit int) (f header, size int, refusal *farewell) {
	if len(b) < 2 {
		return f, 0, nil
	}
	f.opcode, f.final = b[0]&0xf, b[0]&finalBit != 0
	control := f.opcode >= websocket.CloseMessage
	known := f.opcode <= websocket.BinaryMessage || control && f.opcode <= websocket.PongMessage
	length := uint64(b[1] &^ maskedBit)
	if !known || b[0]&reservedBits != 0 || b[1]&maskedBit == 0 || control && (!f.final || length > maxControl) {
		return f, 0, &broken
	}
	at := 2
	switch {
	case length == 126 && len(b) >= at+2:
		length = uint64(binary.BigEndian.Uint16(b[at:]))
		at += 2
	case length == 127 && len(b) >= at+8:
		length = binary.BigEndian.Uint64(b[at:])
		at += 8
	case length > maxControl:
		return f, 0, nil
	}
	if length > uint64(limit) && !control {
		return f, 0, &tooLarge
	}
	if len(b) < at+len(f.mask) {
		return f, 0, nil
	}
	f.length = int(length)
	copy(f.mask[:], b[at:])
	return f, at + len(f.mask) + f.length, nil
}

func (f header) unmask(payload []byte) {
	for i := range payload {
		payload[i] ^= f.mask[i&3]
	}
}

// closeCode is what a close frame says, and refuses what it must not say (RFC 6455 section 7.4).
func closeCode(payload []byte) (int, *farewell) {
	if len(payload) == 0 {
		return websocket.CloseNoStatusReceived, nil
	}
	if len(payload) < closeCodeBytes {
		return 0, &broken
	}
	code := int(binary.BigEndian.Uint16(payload))
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
	default:
		return 0, &broken
	}
	if !utf8.Valid(payload[closeCodeBytes:]) {
		return 0, &notUTF8
	}
	return code, nil
}
