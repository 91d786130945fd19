package gateway

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// ear writes down what it hears.
type ear struct{ said []string }

func (e *ear) text(message []byte) *farewell {
	e.said = append(e.said, "text "+string(message))
	return nil
}
func (e *ear) ping(said []byte) { e.said = append(e.said, "ping "+string(said)) }
func (e *ear) bye(code int)     { e.said = append(e.said, fmt.Sprintf("bye %d", code)) }

// masked is a client's frame.
func masked(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, maskedBit|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, maskedBit|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, maskedBit|127), uint64(n))
	}
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i&3])
	}
	return b
}

const (
	text1  = finalBit | 1
	textN  = 1
	moreN  = 0
	more1  = finalBit
	close1 = finalBit | 8
	ping1  = finalBit | 9
	pong1  = finalBit | 10
)

// hear has a reader take frames in one piece, and then byte by byte: it must make no difference.
func hear(t *testing.T, limit int, frames ...[]byte) ([]string, *farewell) {
	t.Helper()
	var said [2][]string
	var refusals [2]*farewell
	for i, pieces := range [][][]byte{{slices.Concat(frames...)}, bytewise(slices.Concat(frames...))} {
		r, e := &reader{limit: limit}, &ear{}
		for _, b := range pieces {
			if refusals[i] = r.take(slices.Clone(b), e); refusals[i] != nil {
				break
			}
		}
		if refusals[i] == nil && !r.begun && r.beginning != nil {
			t.Errorf("%d bytes are held although nothing is under way", cap(r.beginning))
		}
		said[i] = e.said
	}
	if !slices.Equal(said[0], said[1]) || refusals[0] != refusals[1] {
		t.Errorf("in one piece: %q, %v; in pieces: %q, %v", said[0], refusals[0], said[1], refusals[1])
	}
	return said[0], refusals[0]
}

func bytewise(b []byte) (pieces [][]byte) {
	for i := range b {
		pieces = append(pieces, b[i:i+1])
	}
	return pieces
}

// The cases are those of the Autobahn test suite, by its numbers, as far as they are about reading.
func TestReader(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("*", n) }
	// RFC 6455 section 5.7: a masked "Hello".
	hello := []byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}
	for _, c := range []struct {
		name    string
		frames  [][]byte
		said    []string
		refusal *farewell
	}{
		{"RFC 5.7 hello", [][]byte{hello}, []string{"text Hello"}, nil},
		{"1.1.1 nothing", [][]byte{masked(text1, "")}, []string{"text "}, nil},
		{"1.1.2 125 bytes", [][]byte{masked(text1, long(125))}, []string{"text " + long(125)}, nil},
		{"1.1.3 126 bytes", [][]byte{masked(text1, long(126))}, []string{"text " + long(126)}, nil},
		{"1.1.6 65535 bytes", [][]byte{masked(text1, long(65535))}, []string{"text " + long(65535)}, nil},
		{"1.1.7 65536 bytes", [][]byte{masked(text1, long(65536))}, []string{"text " + long(65536)}, nil},
		{"1.2.1 binary", [][]byte{masked(finalBit|2, "")}, nil, &malformed},
		{"2.2 a ping", [][]byte{masked(ping1, "hello")}, []string{"ping hello"}, nil},
		{"2.4 a ping of 125 bytes", [][]byte{masked(ping1, long(125))}, []string{"ping " + long(125)}, nil},
		{"2.5 a ping of 126 bytes", [][]byte{masked(ping1, long(126))}, nil, &broken},
		{"2.8 a pong nobody asked for", [][]byte{masked(pong1, "x"), masked(ping1, "y")}, []string{"ping y"}, nil},
		{"3.1 a reserved bit", [][]byte{masked(text1|0x10, "x")}, nil, &broken},
		{"3.3 a reserved bit after a text", [][]byte{masked(text1, "x"), masked(text1|0x40, "x")}, []string{"text x"}, &broken},
		{"3.6 a reserved bit of a ping", [][]byte{masked(ping1|0x20, "x")}, nil, &broken},
		{"4.1.1 opcode 3", [][]byte{masked(finalBit|3, "")}, nil, &broken},
		{"4.1.5 opcode 7", [][]byte{masked(finalBit|7, "")}, nil, &broken},
		{"4.2.1 opcode 11", [][]byte{masked(finalBit|11, "")}, nil, &broken},
		{"4.2.5 opcode 15", [][]byte{masked(finalBit|15, "")}, nil, &broken},
		{"5.1 a ping in two", [][]byte{masked(9, "x"), masked(more1, "y")}, nil, &broken},
		{"5.3 a text in two", [][]byte{masked(textN, "a"), masked(more1, "b")}, []string{"text ab"}, nil},
		{"5.6 a ping between", [][]byte{masked(textN, "a"), masked(ping1, "p"), masked(more1, "b")}, []string{"ping p", "text ab"}, nil},
		{"5.9 the end of nothing", [][]byte{masked(more1, "x")}, nil, &broken},
		{"5.12 the middle of nothing", [][]byte{masked(moreN, "x")}, nil, &broken},
		{"5.18 a text within a text", [][]byte{masked(textN, "a"), masked(text1, "b")}, nil, &broken},
		{"5.19 five parts and pings", [][]byte{
			masked(textN, "1"), masked(moreN, "2"), masked(ping1, "p"), masked(moreN, "3"), masked(moreN, "4"), masked(ping1, "q"), masked(more1, "5"),
		}, []string{"ping p", "ping q", "text 12345"}, nil},
		{"6.2.1 UTF-8", [][]byte{masked(text1, "Hello-µ@ßöäüàá-UTF-8!!")}, []string{"text Hello-µ@ßöäüàá-UTF-8!!"}, nil},
		{"6.2.2 a letter in two parts", [][]byte{masked(textN, "\xce"), masked(more1, "\xba")}, []string{"text κ"}, nil},
		{"6.3.1 no UTF-8", [][]byte{masked(text1, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited")}, nil, &notUTF8},
		{"7.1.1 a text, then a close", [][]byte{masked(text1, "x"), masked(close1, "\x03\xe8")}, []string{"text x", "bye 1000"}, nil},
		{"7.3.1 a close that says nothing", [][]byte{masked(close1, "")}, []string{"bye 1005"}, nil},
		{"7.3.2 a close of one byte", [][]byte{masked(close1, "a")}, nil, &broken},
		{"7.3.4 a close with a reason", [][]byte{masked(close1, "\x03\xe8Hello")}, []string{"bye 1000"}, nil},
		{"7.3.6 a close too long", [][]byte{masked(close1, "\x03\xe8"+long(124))}, nil, &broken},
		{"7.5.1 a reason that is no UTF-8", [][]byte{masked(close1, "\x03\xe8\xce\xba\xed\xa0\x80")}, nil, &notUTF8},
		{"7.7.13 code 4999", [][]byte{masked(close1, "\x13\x87")}, []string{"bye 4999"}, nil},
		{"7.9.1 code 0", [][]byte{masked(close1, "\x00\x00")}, nil, &broken},
		{"7.9.3 code 1004", [][]byte{masked(close1, "\x03\xec")}, nil, &broken},
		{"7.9.4 code 1005", [][]byte{masked(close1, "\x03\xed")}, nil, &broken},
		{"7.13.1 code 5000", [][]byte{masked(close1, "\x13\x88")}, nil, &broken},
		{"no mask", [][]byte{{0x81, 5, 'h', 'e', 'l', 'l', 'o'}}, nil, &broken},
		{"2^63 bytes", [][]byte{{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}}, nil, &tooLarge},
		{"a byte too long", [][]byte{masked(text1, long(70_001))}, nil, &tooLarge},
		{"too long in parts", [][]byte{masked(textN, long(40_000)), masked(more1, long(30_001))}, nil, &tooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			said, refusal := hear(t, 70_000, c.frames...)
			if !slices.Equal(said, c.said) || refusal == nil != (c.refusal == nil) || refusal != nil && *refusal != *c.refusal {
				t.Errorf("heard %.80q and refused %v, want %.80q and %v", said, refusal, c.said, c.refusal)
			}
		})
	}
}

// Whatever a client sends in whatever parts, and however the network cuts it, the same texts are heard in the same order.
func TestReader_in_any_pieces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var sent []byte
		var want []string
		for _, message := range rapid.SliceOfN(rapid.String(), 0, 6).Draw(t, "messages") {
			parts := rapid.IntRange(1, 4).Draw(t, "parts")
			for i := range parts {
				first, from, till := byte(textN), len(message)*i/parts, len(message)*(i+1)/parts
				if i > 0 {
					first = moreN
				}
				if i == parts-1 {
					first |= finalBit
				}
				sent = append(sent, masked(first, message[from:till])...)
				if rapid.Bool().Draw(t, "a ping between") {
					sent = append(sent, masked(ping1, "p")...)
				}
			}
			want = append(want, "text "+message)
		}
		r, e := &reader{limit: 1 << 20}, &ear{}
		for len(sent) > 0 {
			n := rapid.IntRange(1, len(sent)).Draw(t, "cut")
			if refusal := r.take(bytes.Clone(sent[:n]), e); refusal != nil {
				t.Fatalf("refused: %v", refusal)
			}
			sent = sent[n:]
		}
		got := slices.DeleteFunc(e.said, func(s string) bool { return strings.HasPrefix(s, "ping") })
		if !slices.Equal(got, want) {
			t.Fatalf("heard %q, want %q", got, want)
		}
	})
}

// Whatever comes: no panic, no more held than the limit allows, and cut in two it means the same.
func FuzzReader(f *testing.F) {
	for _, b := range [][]byte{
		masked(text1, "hello"), masked(textN, "a"), masked(ping1, ""), masked(close1, "\x03\xe8"), {0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, {0x81, 0xfe, 0xff},
	} {
		f.Add(b, uint16(3))
	}
	const limit = 1000
	f.Fuzz(func(t *testing.T, b []byte, cut uint16) {
		whole, pieces, once, twice := &reader{limit: limit}, &reader{limit: limit}, &ear{}, &ear{}
		first := whole.take(bytes.Clone(b), once)
		at := min(int(cut), len(b))
		second := pieces.take(bytes.Clone(b[:at]), twice)
		if second == nil {
			second = pieces.take(bytes.Clone(b[at:]), twice)
		}
		if (first == nil) != (second == nil) || first != nil && *first != *second || !slices.Equal(once.said, twice.said) {
			t.Fatalf("in one piece %q, %v; in two %q, %v", once.said, first, twice.said, second)
		}
		if first == nil && (len(whole.message) > limit || len(whole.beginning) > limit+14) {
			t.Fatalf("holds %d and %d bytes", len(whole.message), len(whole.beginning))
		}
	})
}

// A peer that says something now and then costs no memory when it does not.
func BenchmarkReader(b *testing.B) {
	frame := masked(text1, strings.Repeat("x", 200))
	in := make([]byte, len(frame))
	r, deaf := &reader{limit: smallMessage}, deafEar{}
	b.ReportAllocs()
	for b.Loop() {
		copy(in, frame)
		if refusal := r.take(in, deaf); refusal != nil {
			b.Fatal(refusal)
		}
	}
}

type deafEar struct{}

func (deafEar) text([]byte) *farewell { return nil }
func (deafEar) ping([]byte)           {}
func (deafEar) bye(int)               {}
