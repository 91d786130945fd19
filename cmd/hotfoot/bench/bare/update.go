//go:build linux

package bare

import (
	"encoding/binary"
	"strings"
)

// The feed's form: length of the message u32, topic u32, the message.
const (
	updateHead = 8
	maxUpdate  = 1 << 16
)

// AppendUpdate writes an update of a topic as the feed wants it.
func AppendUpdate(b []byte, topic uint32, message []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(message)))
	b = binary.BigEndian.AppendUint32(b, topic)
	return append(b, message...)
}

// AppendFrame writes a message as an unmasked text frame.
func AppendFrame(b, message []byte) []byte {
	if len(message) < 126 {
		b = append(b, 0x81, byte(len(message)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 0x81, 126), uint16(len(message)))
	}
	return append(b, message...)
}

// firstMessage has the size of a snapshot. What is in it nobody reads.
var firstMessage = []byte(`{"type":"snapshot","filling":"` + strings.Repeat("x", 900) + `"}`)
