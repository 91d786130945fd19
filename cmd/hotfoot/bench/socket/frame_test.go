//go:build linux

package socket

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// unmasked is a server's frame.
func unmasked(op byte, payload string) []byte {
	b := AppendMasked(nil, op, []byte(payload))
	head := len(b) - len(payload) - 4
	b[1] &^= 0x80
	return append(b[:head:head], payload...)
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 125, 126, 127, 65535, 65536, 100_000} {
		payload := strings.Repeat("x", size)
		b := append(unmasked(Text, payload), unmasked(Ping, "p")...)
		op, got, n, err := Cut(b)
		if err != nil || op != Text || string(got) != payload {
			t.Fatalf("%d bytes: op %d, %d bytes, %v", size, op, len(got), err)
		}
		if op, got, _, err := Cut(b[n:]); err != nil || op != Ping || string(got) != "p" {
			t.Errorf("behind %d bytes: op %d, %q, %v", size, op, got, err)
		}
		for _, short := range []int{0, 1, 2, n - 1} {
			if short < n {
				if _, _, n, err := Cut(b[:short]); n != 0 || err != nil {
					t.Errorf("%d of %d bytes are cut: %d, %v", short, len(b), n, err)
				}
			}
		}
	}
}

func TestCut_refuses(t *testing.T) {
	t.Parallel()
	endless := binary.BigEndian.AppendUint64([]byte{0x81, 127}, 1<<63)
	for want, b := range map[error][]byte{
		errMasked: AppendMasked(nil, Text, []byte("x")), errFragmented: {0x01, 1, 'x'}, errEndless: endless,
	} {
		if _, _, _, err := Cut(b); err != want {
			t.Errorf("% x: %v, want %v", b, err, want)
		}
	}
	if _, _, _, err := Cut([]byte{0xc1, 0}); err != errFragmented {
		t.Errorf("a compressed frame: %v", err)
	}
}

func FuzzCut(f *testing.F) {
	f.Add(unmasked(Text, "hello"))
	f.Add(unmasked(Text, strings.Repeat("x", 70_000)))
	f.Add(binary.BigEndian.AppendUint64([]byte{0x81, 127}, 1<<63))
	f.Fuzz(func(t *testing.T, b []byte) {
		for {
			op, payload, n, err := Cut(b)
			if err != nil || n == 0 {
				return
			}
			if n > len(b) || len(payload) > n-2 || !bytes.HasSuffix(b[:n], payload) || op > 15 {
				t.Fatalf("op %d, %d bytes in a frame of %d, of %d", op, len(payload), n, len(b))
			}
			b = b[n:]
		}
	})
}
