//go:build linux

package socket

import (
	"encoding/binary"
	"errors"
)

// What a frame is, as its first byte says in its lower half (RFC 6455 section 5.2).
const (
	Text  = 1
	Close = 8
	Ping  = 9
	Pong  = 10
)

// maxFrame bounds what a server may send at once: a live map's first frame of a whole city has a few megabytes.
const maxFrame = 64 << 20

var (
	errMasked     = errors.New("a masked frame from a server")
	errFragmented = errors.New("a fragmented or extended frame, which nobody here asked for")
	errEndless    = errors.New("a frame that is too large")
)

// Cut splits the first frame off what came from a server. size is its length with its header, and 0 while it is not complete. A frame that no server
// should send (masked, fragmented, endless) is an error.
func Cut(b []byte) (op byte, payload []byte, size int, err error) {
	if len(b) < 2 {
		return 0, nil, 0, nil
	}
	if b[0]&0xf0 != 0x80 {
		return 0, nil, 0, errFragmented
	}
	if b[1]&0x80 != 0 {
		return 0, nil, 0, errMasked
	}
	header, length := 2, uint64(b[1])
	switch length {
	case 126:
		if header = 4; len(b) < header {
			return 0, nil, 0, nil
		}
		length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if header = 10; len(b) < header {
			return 0, nil, 0, nil
		}
		length = binary.BigEndian.Uint64(b[2:])
	}
	if length > maxFrame {
		return 0, nil, 0, errEndless
	}
	size = header + int(length)
	if len(b) < size {
		return 0, nil, 0, nil
	}
	return b[0] & 0x0f, b[header:size], size, nil
}

// AppendMasked writes a client's frame. The mask is zero: it protects proxies, and there is none on loopback.
func AppendMasked(b []byte, op byte, payload []byte) []byte {
	b = append(b, 0x80|op)
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}
