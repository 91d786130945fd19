package pubsub

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
)

const (
	benchChannels = 1000
	benchPayload  = 54 // a newest position
)

func benchChannel(i int) string {
	return fmt.Sprintf("{p17}:courier:0193a7e0-0000-7000-8000-%012d", i%benchChannels)
}

// BenchmarkLane is what a message costs from the connection's bytes to the listener's call, of which the library's is without finding the listener.
// Nothing is waited for: both read from memory.
func BenchmarkLane(b *testing.B) {
	var script strings.Builder
	for i := range benchChannels {
		script.WriteString(messageOn("message", benchChannel(i), strings.Repeat("x", benchPayload)))
	}
	said := []byte(script.String())
	b.Run("ours", func(b *testing.B) {
		l := newLane(NewSubscriber(nil, silent), "0")
		heard := 0
		for i := range benchChannels {
			l.add(&Subscription{name: benchChannel(i), listener: Listener{Message: func([]byte) { heard++ }}})
		}
		conn := &connection{reader: reader{conn: &loop{said: said, rounds: b.N/benchChannels + 1}, limit: time.Hour, buffer: make([]byte, bufferSize)}}
		b.ReportAllocs()
		b.ResetTimer()
		_ = l.receive(conn)
		if heard < b.N {
			b.Errorf("%d of %d messages", heard, b.N)
		}
	})
	b.Run("library", func(b *testing.B) {
		client := redis.NewClient(&redis.Options{Protocol: 2, DisableIdentity: true, Dialer: func(context.Context, string, string) (net.Conn, error) {
			return &loop{said: said, rounds: b.N/benchChannels + 1, hello: true}, nil
		}})
		defer client.Close()
		conn := client.Subscribe(b.Context(), "x")
		defer conn.Close()
		b.ReportAllocs()
		for range b.N + 1 { // the first is the confirmation
			if _, err := conn.ReceiveTimeout(b.Context(), canaryLimit); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// loop is a connection on which the same is said again and again.
type loop struct {
	net.Conn
	said   []byte
	rounds int
	at     int
	hello  bool   // it answers as the library wants to be answered first
	first  []byte // what is said before
}

func (c *loop) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("hello")) {
		c.first = append(c.first, "-ERR unknown command\r\n"...)
	}
	if bytes.Contains(b, []byte("subscribe")) {
		c.first = append(c.first, "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n"...)
		c.hello = false
	}
	return len(b), nil
}

func (c *loop) Read(b []byte) (int, error) {
	if c.hello || len(c.first) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	if c.rounds == 0 {
		return 0, net.ErrClosed
	}
	n := copy(b, c.said[c.at:])
	if c.at += n; c.at == len(c.said) {
		c.at = 0
		c.rounds--
	}
	return n, nil
}

func (*loop) Close() error                     { return nil }
func (*loop) SetDeadline(time.Time) error      { return nil }
func (*loop) SetReadDeadline(time.Time) error  { return nil }
func (*loop) SetWriteDeadline(time.Time) error { return nil }
func (*loop) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*loop) LocalAddr() net.Addr              { return &net.TCPAddr{} }

// publishMany has the server itself publish, so that only receiving is paid for here.
var publishMany = redis.NewScript(`for i = 1, ARGV[1] do redis.call('PUBLISH', KEYS[1 + i % #KEYS], ARGV[2]) end return 1`)

// BenchmarkLane_overRedis counts what this process spends on messages from a real server that has always some to send.
func BenchmarkLane_overRedis(b *testing.B) {
	const flight = 5000
	channels := make([]string, benchChannels)
	for i := range channels {
		channels[i] = benchChannel(i)
	}
	measure := func(b *testing.B, client redis.UniversalClient, heard *atomic.Int64, arrived <-chan struct{}) {
		payload := strings.Repeat("x", benchPayload)
		before, began, sent := processTime(b), heard.Load(), int64(0)
		b.ResetTimer()
		for sent < int64(b.N) {
			must(b, publishMany.Run(b.Context(), client, channels, flight, payload).Err())
			sent += flight
			for heard.Load()-began < sent {
				<-arrived
			}
		}
		b.StopTimer()
		spent := processTime(b) - before
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(spent.Nanoseconds())/float64(sent), "cpu-ns/msg")
		b.ReportMetric(float64(sent)/spent.Seconds(), "msgs/cpu-s")
	}
	b.Run("ours", func(b *testing.B) {
		client := connect(b, storetest.RedisURL(b))
		s := NewSubscriber(client, silent)
		run(b, s.Run)
		var heard atomic.Int64
		arrived := make(chan struct{}, 1)
		for _, name := range channels {
			ready(b, s.Subscribe(name, Listener{Live: func(bool) {}, Message: func([]byte) {
				if heard.Add(1)%flight == 0 {
					arrived <- struct{}{}
				}
			}}))
		}
		measure(b, client, &heard, arrived)
	})
	b.Run("library", func(b *testing.B) {
		client := connect(b, storetest.RedisURL(b))
		conn := client.Subscribe(b.Context(), channels...)
		for range channels {
			_, err := conn.ReceiveTimeout(b.Context(), patience)
			must(b, err)
		}
		var heard atomic.Int64
		arrived := make(chan struct{}, 1)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				if _, err := conn.ReceiveTimeout(context.Background(), canaryLimit); err != nil {
					return
				}
				if heard.Add(1)%flight == 0 {
					arrived <- struct{}{}
				}
			}
		}()
		measure(b, client, &heard, arrived)
		_ = conn.Close()
		<-done
	})
}

// processTime is the CPU time that this process has taken.
func processTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
