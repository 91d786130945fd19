package load

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

func TestDrowsyConn(t *testing.T) {
	t.Parallel()
	// open answers a drowsy connection and its peer.
	open := func(t *testing.T, g *gate, trickles bool) (*drowsyConn, net.Conn) {
		near, far := net.Pipe()
		c := newDrowsyConn(near, g, trickles)
		t.Cleanup(func() {
			_ = c.Close()
			_ = far.Close()
		})
		return c, far
	}
	say := func(far net.Conn, words string) { go func() { _, _ = far.Write([]byte(words)) }() }
	read := func(c net.Conn) <-chan string {
		got := make(chan string, 1)
		go func() {
			b := make([]byte, 10)
			n, _ := c.Read(b)
			got <- string(b[:n])
		}()
		return got
	}
	t.Run("reads nothing while the gate is shut, and everything afterwards", func(t *testing.T) {
		t.Parallel()
		var g gate
		c, far := open(t, &g, false)
		g.shut()
		say(far, "hello")
		if got := <-read(c); got != "hello" {
			t.Errorf("during the handshake it read %q", got)
		}
		c.drowsy.Store(true)
		say(far, "again")
		got := read(c)
		select {
		case words := <-got:
			t.Errorf("read %q through a gate that is shut", words)
		case <-time.After(1200 * time.Millisecond):
		}
		_ = c.SetReadDeadline(time.Now().Add(-time.Second)) // taking silence for death is for others
		g.open()
		if words := <-got; words != "again" {
			t.Errorf("read %q", words)
		}
	})
	t.Run("trickles a byte a second", func(t *testing.T) {
		t.Parallel()
		var g gate
		c, far := open(t, &g, true)
		c.drowsy.Store(true)
		g.shut()
		say(far, "hello")
		began := time.Now()
		if got := <-read(c); got != "h" || time.Since(began) < 900*time.Millisecond {
			t.Errorf("read %q after %v", got, time.Since(began))
		}
		g.open()
		if got := <-read(c); got != "ello" {
			t.Errorf("then read %q", got)
		}
	})
	t.Run("ends when it is closed", func(t *testing.T) {
		t.Parallel()
		var g gate
		c, _ := open(t, &g, false)
		c.drowsy.Store(true)
		g.shut()
		ended := make(chan error)
		go func() {
			_, err := io.ReadFull(c, make([]byte, 1))
			ended <- err
		}()
		_ = c.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}
