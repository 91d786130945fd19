package gateway_test

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hotfoot/gateway"
	"hotfoot/tracking"
)

// frameOf is a client's frame: masked unless said otherwise, and as long as it says.
func frameOf(first byte, payload string) string {
	b := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return string(append(b, 0, 0, 0, 0)) + payload // a mask of zeros is one
}

// said is a frame that claims a length, in the longest form, without anything of it.
func said(first byte, length uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, length)) + "mask"
}

// malformedFrames are 300 of them, by the code that each must be closed with.
func malformedFrames() map[int][]string {
	frames := map[int][]string{}
	add := func(code int, sent ...string) { frames[code] = append(frames[code], sent...) }
	const broken, tooLarge, notUTF8, malformed = websocket.CloseProtocolError, websocket.CloseMessageTooBig, websocket.CloseInvalidFramePayloadData, websocket.CloseUnsupportedData
	for opcode := range byte(16) {
		for _, reserved := range []byte{0x10, 0x20, 0x40, 0x70} {
			add(broken, frameOf(0x80|reserved|opcode, "x")) // reserved bits, whatever the opcode
		}
		switch {
		case opcode >= 3 && opcode <= 7, opcode >= 11:
			add(broken, frameOf(0x80|opcode, ""), frameOf(opcode, "x"), frameOf(0x80|opcode, strings.Repeat("x", 200))) // opcodes that are none
		case opcode >= 8:
			add(broken, frameOf(opcode, "x"), frameOf(0x80|opcode, strings.Repeat("x", 126)), said(0x80|opcode, 1<<20), said(0x80|opcode, 1<<63)) // in pieces, or too long
		}
		add(broken, string([]byte{0x80 | opcode, 0}), string([]byte{0x80 | opcode, 1, 'x'})) // without a mask
	}
	for _, rest := range []string{"", "x", strings.Repeat("x", 1000)} {
		add(broken, frameOf(0x80, rest), frameOf(0x00, rest))                                  // the end and the middle of nothing
		add(broken, frameOf(0x01, "a")+frameOf(0x81, rest), frameOf(0x01, "a")+frameOf(1, "")) // a text within a text
	}
	for code := range uint16(1000) {
		if code%40 == 0 {
			add(broken, frameOf(0x88, string(binary.BigEndian.AppendUint16(nil, code))))
		}
	}
	for _, code := range []uint16{1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		add(broken, frameOf(0x88, string(binary.BigEndian.AppendUint16(nil, code))))
	}
	add(broken, frameOf(0x88, "x"))
	for shift := 13; shift < 64; shift++ {
		add(tooLarge, said(0x81, 1<<shift), said(0x01, 1<<shift+7)) // up to 2^63 bytes of text
	}
	for _, n := range []int{4097, 5000, 65535, 65536, 100_000} {
		add(tooLarge, frameOf(0x81, strings.Repeat("x", n)), frameOf(0x01, strings.Repeat("x", 4000))+frameOf(0x80, strings.Repeat("x", n-4000)))
	}
	for _, text := range []string{
		"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xce", "\xe2\x82", "a\xc3\x28b", "\xf8\x88\x80\x80\x80", "\xfe\xfe\xff\xff", "\x80", "\xbf", "\xf0\x28\x8c\xbc",
	} {
		add(notUTF8, frameOf(0x81, text), frameOf(0x01, text[:1])+frameOf(0x80, text[1:]), frameOf(0x88, "\x03\xe8"+text))
	}
	for _, payload := range []string{"", "{}", "\x00", strings.Repeat("\xff", 4096)} {
		add(malformed, frameOf(0x82, payload), frameOf(0x02, payload))
	}
	return frames
}

// Each of 300 malformed frames ends its socket with the right code, is counted under its reason, and leaves nothing. It is not parallel: it measures memory.
func TestConn_malformed_frames(t *testing.T) {
	s := newShop(t)
	n := s.node(gateway.Config{})
	r := s.deliver(tracking.Actor{})
	path := "/track/" + s.token(r) + "/live"
	well := n.watch(t, r)
	words := map[int]string{
		websocket.CloseProtocolError: "protocol_error", websocket.CloseMessageTooBig: "too_large",
		websocket.CloseInvalidFramePayloadData: "not_utf8", websocket.CloseUnsupportedData: "malformed",
	}
	var alive [2]uint64
	count := 0
	for round := range alive {
		count = 0
		for code, frames := range malformedFrames() {
			for _, sent := range frames {
				count++
				conn := n.rawSocket(t, path)
				_, _ = io.WriteString(conn, sent) // the server may have hung up before all of it was sent
				if got := closeCode(t, conn); got != code {
					t.Errorf("%.40q is closed with %d, want %d", sent, got, code)
				}
				must(t, conn.Close())
			}
		}
		n.sockets(t, 1)
		for code, frames := range malformedFrames() {
			if got := n.count(t, `hotfoot_sockets_closed_total{kind="customer",reason="`+words[code]+`"}`); got != float64((round+1)*len(frames)) {
				t.Errorf("%v are counted as %s, want %d", got, words[code], (round+1)*len(frames))
			}
		}
		alive[round] = inUse()
	}
	t.Logf("%d frames, twice: %d kB are alive after the first, %d kB after the second", count, alive[0]>>10, alive[1]>>10)
	if count < 300 {
		t.Errorf("only %d frames", count)
	}
	if !raced && alive[1] > alive[0]+1<<20 {
		t.Errorf("%d bytes more are alive after another %d frames", alive[1]-alive[0], count)
	}
	n.advance(5 * time.Second)
	well.ofType("tick", 0)
}

// closeCode reads a server's frames up to the one that closes; 0 when it hangs up without.
func closeCode(t *testing.T, conn net.Conn) int {
	t.Helper()
	must(t, conn.SetReadDeadline(time.Now().Add(patience)))
	for {
		head := make([]byte, 2)
		if _, err := io.ReadFull(conn, head); err != nil {
			return 0
		}
		length := int64(head[1])
		switch length {
		case 126:
			long := make([]byte, 2)
			_, err := io.ReadFull(conn, long)
			must(t, err)
			length = int64(binary.BigEndian.Uint16(long))
		case 127:
			t.Fatal("a frame of more than 64 kB")
		}
		payload := make([]byte, length)
		if _, err := io.ReadFull(conn, payload); err != nil {
			return 0
		}
		if head[0] == 0x88 && length >= 2 {
			return int(binary.BigEndian.Uint16(payload))
		}
	}
}

// A text in a million parts with nothing in them, and a million pings, hold nothing and cost others nothing. It is not parallel: it measures memory.
func TestConn_floods_of_control_and_empty_frames(t *testing.T) {
	s := newShop(t)
	n := s.node(gateway.Config{})
	r := s.deliver(tracking.Actor{})
	well := n.watch(t, r)
	for name, frame := range map[string]string{"empty parts": frameOf(0x00, ""), "pings": frameOf(0x89, "x"), "pongs": frameOf(0x8a, strings.Repeat("x", 125))} {
		before := inUse()
		conn := n.rawSocket(t, "/track/"+s.token(r)+"/live")
		if name == "empty parts" {
			_, err := io.WriteString(conn, frameOf(0x01, ""))
			must(t, err)
		}
		// What it is answered is taken and not looked at: who takes nothing at all is stopped by TCP, and cut off when it has said nothing for long enough.
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			_, _ = io.Copy(io.Discard, conn)
		}()
		flood := []byte(strings.Join(slices.Repeat([]string{frame}, 10_000), ""))
		var err error
		must(t, conn.SetWriteDeadline(time.Now().Add(patience)))
		for i := 0; i < 100 && err == nil; i++ {
			_, err = conn.Write(flood)
		}
		must(t, err)
		after := inUse()
		t.Logf("a million %s: %d kB more are alive", name, (int64(after)-int64(before))>>10)
		if !raced && int64(after)-int64(before) > 1<<20 {
			t.Errorf("%s: %d bytes more are alive", name, int64(after)-int64(before))
		}
		must(t, conn.Close())
		<-drained
		n.sockets(t, 1)
	}
	n.advance(5 * time.Second)
	well.ofType("tick", 0)
}
