package gateway_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hotfoot/gateway"
	"hotfoot/tracking"
)

// rawSocket opens a WebSocket and leaves it at that: it reads nothing and answers nothing, and its kernel holds next to nothing.
func (n *node) rawSocket(t *testing.T, path string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", n.server.Listener.Addr().String())
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	must(t, conn.(*net.TCPConn).SetReadBuffer(4<<10))
	_, err = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: hotfoot.v1\r\n\r\n")
	must(t, err)
	// One byte at a time: what follows the head is not for us to take.
	response, err := http.ReadResponse(bufio.NewReaderSize(bytewise{conn}, 16), nil)
	must(t, err)
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(response.Status)
	}
	return conn
}

type bytewise struct{ io.Reader }

func (b bytewise) Read(p []byte) (int, error) { return b.Reader.Read(p[:1]) }

// sockets waits until as many customers' sockets are open.
func (n *node) sockets(t *testing.T, want float64) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); n.count(t, `hotfoot_sockets{kind="customer"}`) != want; <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("%v sockets are open, want %v", n.count(t, `hotfoot_sockets{kind="customer"}`), want)
		}
	}
}

// A phone whose network is gone answers no ping. TCP does not mind for a quarter of an hour; the hub does.
func TestConn_half_open(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{}.Hasty(gateway.Hasty{Ping: time.Second, Silence: 2500 * time.Millisecond}))
	r := s.deliver(s.hire("Sam"))
	well := n.watch(t, r)
	began := time.Now()
	for range 20 {
		n.rawSocket(t, "/track/"+s.token(r)+"/live")
	}
	n.sockets(t, 21)
	n.sockets(t, 1)
	if took := time.Since(began); took < 2500*time.Millisecond {
		t.Errorf("they were given up after %v", took)
	}
	if got := n.count(t, `hotfoot_sockets_closed_total{kind="customer",reason="silent"}`); got != 20 {
		t.Errorf("%v are counted as silent", got)
	}
	n.advance(5 * time.Second)
	well.ofType("tick", 0)
}

// What cannot be read, or may not be sent, ends the socket.
func TestConn_frames_that_are_none(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	path := "/track/" + s.token(s.deliver(tracking.Actor{})) + "/live"
	for name, sent := range map[string]string{
		"two to the sixty-third bytes": "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00mask",
		"more than may be sent":        "\x81\xff\x00\x00\x00\x00\x7f\xff\xff\xffmask",
		"no mask":                      "\x81\x05hello",
		"a reserved opcode":            "\x83\x80mask",
		"a ping in pieces":             "\x09\x80mask",
		"a continuation of nothing":    "\x80\x80mask",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := n.rawSocket(t, path)
			_, err := io.WriteString(conn, sent)
			must(t, err)
			must(t, conn.SetReadDeadline(time.Now().Add(patience)))
			if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("it is not closed: %v", err)
			}
		})
	}
	t.Run("text that is not UTF-8", func(t *testing.T) {
		t.Parallel()
		v := dial(t, "ws"+strings.TrimPrefix(n.server.URL, "http")+path)
		must(t, v.conn.WriteMessage(websocket.TextMessage, []byte("\xff\xfe")))
		if code := v.closed(); code != websocket.CloseInvalidFramePayloadData {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("a flood after goodbye", func(t *testing.T) {
		t.Parallel()
		conn := n.rawSocket(t, path)
		// It is told goodbye for the first, answers nothing, and goes on; still it is let go of.
		began, err := time.Now(), error(nil)
		for err == nil && time.Since(began) < patience {
			_, err = io.WriteString(conn, "\x82\x80mask")
		}
		if err == nil {
			t.Error("it may go on for ever")
		}
	})
}

// A peer that reads nothing is given up as too slow once a frame does not fit into the network within the limit.
func TestConn_deaf(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{}.Hasty(gateway.Hasty{Write: 200 * time.Millisecond}))
	r := s.deliver(s.hire("Sam"), tracking.PickedUp, tracking.EnRoute)
	quick := n.watch(t, r)
	n.rawSocket(t, "/track/"+s.token(r)+"/live")
	n.sockets(t, 2)
	for deadline := time.Now().Add(patience); n.count(t, `hotfoot_sockets{kind="customer"}`) > 1; {
		if time.Now().After(deadline) {
			t.Fatal("the deaf one is kept for ever")
		}
		r = s.onward(r, 500)
		s.must(s.hot.Announce(t.Context(), r))
		quick.ver(r.Delivery.Ver)
	}
	slow, failed := n.count(t, `hotfoot_sockets_closed_total{kind="customer",reason="too_slow"}`), n.count(t, `hotfoot_sockets_closed_total{kind="customer",reason="write_failed"}`)
	if slow != 1 || failed != 0 {
		t.Errorf("%v closed as too slow, %v as failed", slow, failed)
	}
}

// onward is a record with one status more, for a reason of so many bytes. It is not in Postgres, which would only be in the way of thousands.
func (s *shop) onward(r tracking.Record, reason int) tracking.Record {
	d := &r.Delivery
	d.Ver, d.Rev = d.Ver+1, d.Rev+1
	d.Status = []tracking.Status{tracking.EnRoute, tracking.Arriving}[d.Ver%2]
	event := tracking.Event{Ver: d.Ver, Status: d.Status, At: time.Now(), Reason: strings.Repeat("x", reason)}
	r.Events = append(r.Events[max(0, len(r.Events)-3):len(r.Events):len(r.Events)], event)
	return r
}

// Nobody keeps a socket for ever, so that new nodes get their share; and those who came together do not leave together.
func TestHub_MaxAge(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	phone := s.hire("Sam")
	r := s.deliver(phone)
	sockets := []*socket{dial(t, url(n, "/ops")), dial(t, url(n, "/courier/"+phone.CourierID.String()))}
	for range 38 {
		sockets = append(sockets, n.watch(t, r))
	}
	stream := n.stream(t, r, "")
	n.advance(25*time.Minute - 10*time.Second)
	for _, v := range sockets[2:] {
		v.ofType("tick", 0) // who is sent away hears no more of them
	}
	n.advance(10*time.Minute + 10*time.Second)
	moments := map[int64]bool{}
	for _, v := range sockets {
		if code := v.closed(); code != websocket.CloseServiceRestart || v.last().Code != "restarting" || v.last().RetryAfterMS > 1000 {
			t.Errorf("closed with %d after %s", code, v.last().raw)
		}
		moments[v.last().RetryAfterMS] = true
	}
	if len(moments) < 20 {
		t.Errorf("they come back at %d moments", len(moments))
	}
	if last := stream.ended(t); last.frame.Code != "restarting" {
		t.Errorf("the stream ends with %+v", last)
	}
	n.watch(t, r)
}
