package pubsub

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// tape is a connection on which everything was said already. Each read brings as much as fits, or step bytes.
type tape struct {
	net.Conn
	rest []byte
	step int
}

func (c *tape) SetReadDeadline(time.Time) error { return nil }

func (c *tape) Read(b []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	if c.step > 0 {
		b = b[:min(len(b), c.step)]
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func newReader(said []byte, step int) *reader {
	return &reader{conn: &tape{rest: said, step: step}, limit: time.Hour, buffer: make([]byte, bufferSize)}
}

// readAll answers what a connection says, in words, and how it ends.
func readAll(r *reader) (words []string, err error) {
	for {
		f, err := r.next()
		if err != nil {
			return words, err
		}
		words = append(words, fmt.Sprintf("%d %s %s", f.kind, f.channel, f.payload))
	}
}

func messageOn(verb, channel, payload string) string {
	return fmt.Sprintf("*3\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(verb), verb, len(channel), channel, len(payload), payload)
}

func TestReader(t *testing.T) {
	t.Parallel()
	long, huge := strings.Repeat("long", 300), strings.Repeat("\r\n$5", bufferSize)
	said := "+OK\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n*3\r\n$10\r\nssubscribe\r\n$2\r\nab\r\n:12\r\n" +
		messageOn("message", "x", "") + messageOn("message", "x", "hello") + messageOn("smessage", "{p1}:a", "*3\r\n$7\r\nmessage\r\n") + messageOn("message", long, long) +
		"-MOVED 866 127.0.0.1:7001\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nx\r\n:0\r\n*3\r\n$12\r\nsunsubscribe\r\n$1\r\ny\r\n:0\r\n" +
		messageOn("message", "", huge) + messageOn("message", "x", "after")
	want := []string{
		"4  ", "2 x ", "2 ab ", "1 x ", "1 x hello", "1 {p1}:a *3\r\n$7\r\nmessage\r\n", "1 " + long + " " + long,
		"5  MOVED 866 127.0.0.1:7001", "3 x ", "3 y ", "1  " + huge, "1 x after",
	}
	for _, step := range []int{0, 1, 2, 3, 7, 1000, bufferSize - 1} {
		got, err := readAll(newReader([]byte(said), step))
		if !slices.Equal(got, want) || err != io.EOF {
			t.Errorf("%d bytes at a time: it reads %.300q, %v", step, got, err)
		}
	}
	t.Run("lets go of what a long message took", func(t *testing.T) {
		t.Parallel()
		r := newReader([]byte(said), 0)
		if _, err := readAll(r); err != io.EOF || len(r.buffer) != bufferSize {
			t.Errorf("%v; its buffer has %d bytes in the end, want %d", err, len(r.buffer), bufferSize)
		}
	})
}

// What Redis never says ends the connection, and costs no memory before.
func TestReader_hostile(t *testing.T) {
	t.Parallel()
	for what, said := range map[string]string{
		"a message of a gigabyte":                   "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1073741824\r\n",
		"a message of more than memory":             "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$999999999999999999999\r\n",
		"a message of nearly as much":               "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$999999999\r\n",
		"a channel of a gigabyte":                   "*3\r\n$7\r\nmessage\r\n$1073741824\r\n",
		"a kind of a gigabyte":                      "*3\r\n$1073741824\r\n",
		"a frame of a million parts":                "*1000000\r\n",
		"a frame of two parts":                      "*2\r\n$4\r\npong\r\n$0\r\n\r\n",
		"a frame within a frame":                    "*3\r\n*3\r\n",
		"a kind that there is not":                  messageOn("pmessage", "x", "y"),
		"a length below zero":                       "*3\r\n$-1\r\n",
		"no length":                                 "*3\r\n$\r\n",
		"a length in words":                         "*3\r\n$seven\r\nmessage\r\n",
		"a length that wraps round":                 "*3\r\n$18446744073709551623\r\nmessage\r\n",
		"a string that is longer than it said":      "*3\r\n$7\r\nmessages\r\n",
		"a string that is shorter":                  "*3\r\n$7\r\nmessag\r\n$1\r\nx\r\n",
		"a number where a string belongs":           "*3\r\n:7\r\nmessage\r\n",
		"a count that is text":                      "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n$1\r\n1\r\n",
		"an error that never ends":                  "-" + strings.Repeat("no ", 1<<20),
		"an error with half an end":                 "-no\n",
		"another protocol":                          "HTTP/1.1 400 Bad Request\r\n\r\n",
		"the next version of this one":              ">3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\ny\r\n",
		"a reply to what was not asked":             "+PONG\r\n",
		"a number with a line end in the middle":    "*3\r\r\n",
		"nothing but line ends":                     "\r\n\r\n\r\n",
		"zeros":                                     strings.Repeat("\x00", 100),
		"a TLS alert, from a server that wants TLS": "\x15\x03\x03\x00\x02\x02\x46",
	} {
		for _, step := range []int{0, 1} {
			r := newReader([]byte(said), step)
			words, err := readAll(r)
			if err == nil || err == io.EOF || errors.Is(err, errPartial) || len(words) > 0 {
				t.Errorf("%s: it reads %q, %v", what, words, err)
			}
			if len(r.buffer) > bufferSize {
				t.Errorf("%s: it takes %d bytes", what, len(r.buffer))
			}
		}
	}
	t.Run("a long message that does not come takes no memory", func(t *testing.T) {
		t.Parallel()
		r := newReader([]byte("*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$8000000\r\nabc"), 0)
		if _, err := readAll(r); err != io.EOF || len(r.buffer) > bufferSize {
			t.Errorf("%v, with a buffer of %d bytes", err, len(r.buffer))
		}
	})
}

// However bytes are cut into reads, the same is read, and nothing is believed that takes more memory than has come.
func FuzzReader(f *testing.F) {
	for _, said := range []string{
		messageOn("message", "x", "hello") + messageOn("smessage", "{p1}:a", ""), "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n+OK\r\n", "-MOVED 1 :7001\r\n",
		"*3\r\n$12\r\nsunsubscribe\r\n$1\r\ny\r\n:0\r\n", "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1073741824\r\n", "*3\r\n$-1\r\n", "-no\n",
	} {
		f.Add([]byte(said), uint8(3))
	}
	f.Fuzz(func(t *testing.T, said []byte, step uint8) {
		whole, pieces := newReader(said, 0), newReader(said, int(step))
		want, wantErr := readAll(whole)
		got, gotErr := readAll(pieces)
		if !slices.Equal(got, want) || (gotErr == io.EOF) != (wantErr == io.EOF) {
			t.Errorf("at once it reads %q, %v; in pieces of %d %q, %v", want, wantErr, step, got, gotErr)
		}
		if most := max(bufferSize, 2*len(said)); len(whole.buffer) > most || len(pieces.buffer) > most {
			t.Errorf("%d bytes took %d and %d", len(said), len(whole.buffer), len(pieces.buffer))
		}
		for _, r := range []*reader{whole, pieces} {
			if n := r.to - r.from; n > 0 && !bytes.HasSuffix(said, r.buffer[r.from:r.to]) && wantErr == io.EOF {
				t.Errorf("what is left is not the end of what was said")
			}
		}
	})
}

func TestReader_allocates_nothing(t *testing.T) {
	said := []byte(strings.Repeat(messageOn("message", "{p17}:courier:0193a7e0-0000-7000-8000-000000000000", strings.Repeat("x", 50)), 5000))
	r := newReader(said, 0)
	tape := r.conn.(*tape)
	got := testing.AllocsPerRun(20, func() {
		tape.rest = said
		for {
			if _, err := r.next(); err != nil {
				return
			}
		}
	})
	if got > 0 {
		t.Errorf("5000 messages took %v allocations", got)
	}
}
