package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a store that answers every line with itself.
func echo(t *testing.T, address Address) Address {
	t.Helper()
	listener, err := net.Listen(address.Network, address.Name)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return Address{address.Network, listener.Addr().String()}
}

func start(t *testing.T) *Proxy {
	t.Helper()
	dir := t.TempDir()
	store := echo(t, Address{"unix", filepath.Join(dir, "store")})
	p, err := Listen(Address{"unix", filepath.Join(dir, "proxy")}, store)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestProxy_Redirect(t *testing.T) {
	t.Parallel()
	p := start(t)
	before := dial(t, p)
	if _, err := before.ask("hello", time.Second); err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("unix", filepath.Join(t.TempDir(), "other"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	p.Redirect(Address{"unix", other.Addr().String()})
	if _, err := before.ask("hello", time.Second); err == nil {
		t.Error("a connection to the store before is still open")
	}
	after := dial(t, p)
	if _, err := after.Write([]byte("new\n")); err != nil {
		t.Fatal(err)
	}
	conn, err := other.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "new\n" {
		t.Errorf("the other store read %q, %v", line, err)
	}
}

// client is one connection with the words it reads.
type client struct {
	net.Conn
	lines *bufio.Reader
}

func dial(t *testing.T, p *Proxy) client {
	t.Helper()
	conn, err := net.Dial(p.Address().Network, p.Address().Name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return client{conn, bufio.NewReader(conn)}
}

// ask says a word and answers what came back within the patience.
func (c client) ask(word string, patience time.Duration) (string, error) {
	if _, err := fmt.Fprintln(c, word); err != nil {
		return "", err
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	return c.lines.ReadString('\n')
}

const (
	plenty = 5 * time.Second
	little = 50 * time.Millisecond
)

func mustEcho(t *testing.T, c client, word string) {
	t.Helper()
	if got, err := c.ask(word, plenty); got != word+"\n" || err != nil {
		t.Fatalf("asked %.20q, got %.20q, %v", word, got, err)
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	t.Run("passes bytes and the end of a stream", func(t *testing.T) {
		t.Parallel()
		c := dial(t, start(t))
		mustEcho(t, c, strings.Repeat("long ", 100_000))
		if err := c.Conn.(*net.UnixConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
			t.Errorf("after the end came %q, %v", rest, err)
		}
	})
	t.Run("a cut ends connections and refuses new ones until it heals", func(t *testing.T) {
		t.Parallel()
		p := start(t)
		c := dial(t, p)
		mustEcho(t, c, "before")
		p.Cut()
		if _, err := c.ask("during", plenty); err == nil {
			t.Error("the connection goes on")
		}
		if conn, err := net.Dial(p.Address().Network, p.Address().Name); err == nil {
			_ = conn.Close()
			t.Error("a new connection is accepted")
		}
		p.Heal()
		mustEcho(t, dial(t, p), "after")
	})
	t.Run("a store that is not there is refused, and healing does not bring it back", func(t *testing.T) {
		t.Parallel()
		p := start(t)
		p.Upstream(false)
		p.Heal()
		if conn, err := net.Dial(p.Address().Network, p.Address().Name); err == nil {
			_ = conn.Close()
			t.Error("a new connection is accepted")
		}
		p.Upstream(true)
		mustEcho(t, dial(t, p), "after")
	})
	for name, way := range map[string]Way{"both ways": Both, "up": Up, "down": Down} {
		t.Run("a stall "+name+" is silence without an error, and loses nothing", func(t *testing.T) {
			t.Parallel()
			p := start(t)
			c := dial(t, p)
			mustEcho(t, c, "before")
			p.Stall(way)
			for _, c := range []client{c, dial(t, p)} {
				if got, err := c.ask("during", little); got != "" || !isTimeout(err) {
					t.Errorf("got %q, %v", got, err)
				}
			}
			p.Heal()
			_ = c.SetReadDeadline(time.Now().Add(plenty))
			if got, err := c.lines.ReadString('\n'); got != "during\n" || err != nil {
				t.Errorf("after it healed came %q, %v", got, err)
			}
		})
	}
	t.Run("frozen connections are silent, and their ends are not told; new ones pass", func(t *testing.T) {
		t.Parallel()
		ended := make(chan struct{})
		store, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		p, err := Listen(Address{"tcp", "127.0.0.1:0"}, Address{"tcp", store.Addr().String()})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		frozen := dial(t, p)
		server, err := store.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		p.Freeze()
		fmt.Fprintln(frozen, "lost for now")
		_ = frozen.Close()
		go func() {
			defer close(ended)
			_, _ = io.Copy(io.Discard, server)
		}()
		fresh := dial(t, p)
		other, err := store.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		fmt.Fprintln(fresh, "here")
		if got, err := bufio.NewReader(other).ReadString('\n'); got != "here\n" || err != nil {
			t.Errorf("a new connection passed %q, %v", got, err)
		}
		select {
		case <-ended:
			t.Error("the server heard that the client had gone")
		case <-time.After(little):
		}
		p.Heal()
		<-ended
	})
	t.Run("a stalled connection ends with the proxy", func(t *testing.T) {
		t.Parallel()
		p := start(t)
		c := dial(t, p)
		p.Stall(Both)
		_, _ = c.ask("during", little)
	})
	t.Run("a delay holds every chunk each way", func(t *testing.T) {
		t.Parallel()
		p := start(t)
		c := dial(t, p)
		p.Delay(little)
		began := time.Now()
		mustEcho(t, c, "slowly")
		if took := time.Since(began); took < 2*little {
			t.Errorf("took %v", took)
		}
	})
	t.Run("a limit passes so many bytes of replies and loses the rest", func(t *testing.T) {
		t.Parallel()
		p := start(t)
		c := dial(t, p)
		mustEcho(t, c, "before")
		p.LimitData(3)
		if got, err := c.ask("during", plenty); got != "dur" || !errors.Is(err, io.EOF) {
			t.Errorf("got %q, %v", got, err)
		}
		if got, err := dial(t, p).ask("again", plenty); got != "aga" || !errors.Is(err, io.EOF) {
			t.Errorf("a new connection got %q, %v", got, err)
		}
		p.Heal()
		mustEcho(t, dial(t, p), "after")
	})
	t.Run("a limit of nothing loses the reply", func(t *testing.T) {
		t.Parallel()
		p := start(t)
		c := dial(t, p)
		p.LimitData(0)
		if got, err := c.ask("during", plenty); got != "" || !errors.Is(err, io.EOF) {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("slices come one byte at a time, all of them", func(t *testing.T) {
		t.Parallel()
		p := start(t)
		c := dial(t, p)
		p.Slice()
		mustEcho(t, c, strings.Repeat("x", 2000))
	})
	t.Run("a TCP port stays the same after a cut", func(t *testing.T) {
		t.Parallel()
		store := echo(t, Address{"tcp", "127.0.0.1:0"})
		p, err := Listen(Address{"tcp", "127.0.0.1:0"}, store)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		p.Cut()
		p.Heal()
		c := dial(t, p)
		mustEcho(t, c, "after")
		_ = c.Close()
	})
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
