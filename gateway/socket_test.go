package gateway_test

import (
	"context"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hotfoot/gateway"
	"hotfoot/tracking"
)

func TestConn(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	r := s.deliver(s.hire("Sam"))
	t.Run("answers a ping with a pong that says the same", func(t *testing.T) {
		t.Parallel()
		conn, _, err := dialer().Dial(live(n, s.token(r), ""), nil)
		must(t, err)
		defer conn.Close()
		pongs := make(chan string, 2)
		conn.SetPongHandler(func(said string) error { pongs <- said; return nil })
		reading := make(chan struct{})
		go func() {
			defer close(reading)
			for {
				if _, _, err := conn.ReadMessage(); err != nil {
					return
				}
			}
		}()
		must(t, conn.WriteControl(websocket.PingMessage, []byte("are you there"), time.Now().Add(patience)))
		select {
		case said := <-pongs:
			if said != "are you there" {
				t.Errorf("the pong says %q", said)
			}
		case <-time.After(patience):
			t.Error("no pong came")
		}
		_ = conn.Close()
		<-reading
	})
	t.Run("pings within its interval, and keeps who answers", func(t *testing.T) {
		t.Parallel()
		own := s.node(gateway.Config{})
		conn, _, err := dialer().Dial(live(own, s.token(r), ""), nil)
		must(t, err)
		defer conn.Close()
		pinged := make(chan struct{}, 1)
		answer := conn.PingHandler()
		conn.SetPingHandler(func(said string) error {
			select {
			case pinged <- struct{}{}:
			default:
			}
			return answer(said)
		})
		reading := make(chan struct{})
		go func() {
			defer close(reading)
			for {
				if _, _, err := conn.ReadMessage(); err != nil {
					return
				}
			}
		}()
		for range 2 {
			own.advance(26 * time.Second)
			select {
			case <-pinged:
			case <-reading:
				t.Fatal("the server closed")
			case <-time.After(patience):
				t.Fatal("no ping came")
			}
		}
		_ = conn.Close()
		<-reading
	})
	t.Run("closes on what is too long", func(t *testing.T) {
		t.Parallel()
		v := n.watch(t, r)
		v.send("%s", strings.Repeat("x", 4<<10+1))
		if code := v.closed(); code != websocket.CloseMessageTooBig {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("closes on what is not text", func(t *testing.T) {
		t.Parallel()
		v := n.watch(t, r)
		must(t, v.conn.WriteMessage(websocket.BinaryMessage, []byte("{}")))
		if code := v.closed(); code != websocket.CloseUnsupportedData || v.last().Code != "malformed" {
			t.Errorf("closed with %d after %s", code, v.last().raw)
		}
	})
	t.Run("ignores what a customer says", func(t *testing.T) {
		t.Parallel()
		v := n.watch(t, r)
		v.send(`{"type":"hello"}`)
		n.advance(5 * time.Second)
		v.ofType("tick", 0)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestHub_origins(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{Origins: []string{"https://shop.example"}})
	address := live(n, s.token(s.deliver(tracking.Actor{})), "")
	host := strings.TrimPrefix(n.server.URL, "http://")
	for _, step := range []struct {
		origins []string
		want    int
	}{
		{nil, http.StatusSwitchingProtocols},
		{[]string{"http://" + host}, http.StatusSwitchingProtocols},
		{[]string{"https://shop.example"}, http.StatusSwitchingProtocols},
		{[]string{"https://" + host}, http.StatusForbidden},
		{[]string{"http://shop.example"}, http.StatusForbidden},
		{[]string{"https://shop.example:8443"}, http.StatusForbidden},
		{[]string{"https://shop.example.evil"}, http.StatusForbidden},
		{[]string{"https://shop.example."}, http.StatusForbidden},
		{[]string{"https://shop.example/"}, http.StatusForbidden},
		{[]string{"https://shop.example@evil.example"}, http.StatusForbidden},
		{[]string{"https://shopxexample"}, http.StatusForbidden},
		{[]string{"HTTPS://SHOP.EXAMPLE"}, http.StatusForbidden},
		{[]string{"https://shop.example, https://evil.example"}, http.StatusForbidden},
		{[]string{"https://shop.example", "https://shop.example"}, http.StatusForbidden},
		{[]string{"http://127.0.0.1"}, http.StatusForbidden},
		{[]string{"http://localhost:1"}, http.StatusForbidden},
		{[]string{"file://"}, http.StatusForbidden},
		{[]string{"https://evil.shop.example"}, http.StatusForbidden},
		{[]string{"https://evil.example"}, http.StatusForbidden},
		{[]string{"null"}, http.StatusForbidden},
		{[]string{""}, http.StatusForbidden},
		{[]string{"https://shop.example", "https://evil.example"}, http.StatusForbidden},
	} {
		header := http.Header{}
		if step.origins != nil {
			header["Origin"] = step.origins
		}
		if got := refused(t, address, header).StatusCode; got != step.want {
			t.Errorf("Origin %q: %d, want %d", step.origins, got, step.want)
		}
	}
}

func TestHub_refuses_more_than_it_can_hold(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{MaxConns: 2})
	r := s.deliver(tracking.Actor{})
	first, second := n.watch(t, r), n.watch(t, r)
	response := refused(t, live(n, s.token(r), ""), nil)
	if after, err := strconv.Atoi(response.Header.Get("Retry-After")); response.StatusCode != 503 || err != nil || after < 1 {
		t.Errorf("%d, Retry-After %q", response.StatusCode, response.Header.Get("Retry-After"))
	}
	stream, err := http.Get(n.server.URL + "/track/" + s.token(r) + "/events")
	must(t, err)
	_ = stream.Body.Close()
	if stream.StatusCode != 503 || stream.Header.Get("Retry-After") == "" {
		t.Errorf("a stream gets %d", stream.StatusCode)
	}
	first.close()
	deadline := time.Now().Add(patience)
	for refused(t, live(n, s.token(r), ""), nil).StatusCode != http.StatusSwitchingProtocols {
		if time.Now().After(deadline) {
			t.Fatal("a place that became free is not given again")
		}
	}
	n.advance(5 * time.Second)
	second.ofType("tick", 0)
}

// A deployment replaces nodes under load: everybody is told when to come back, each at a moment of its own, and nothing is left behind.
func TestHub_Drain(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{DrainOver: 5 * time.Second})
	phone := s.hire("Sam")
	r := s.deliver(phone)
	sockets := []*socket{dial(t, url(n, "/ops")), dial(t, url(n, "/courier/"+phone.CourierID.String()))}
	for range 20 {
		sockets = append(sockets, n.watch(t, r))
	}
	stream := n.stream(t, r, "")
	stream.await("snapshot", 0)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	n.hub.Drain(ctx)
	if ctx.Err() != nil {
		t.Fatal("draining does not end by itself")
	}
	moments := map[int64]bool{}
	for _, v := range sockets {
		if code := v.closed(); code != websocket.CloseServiceRestart {
			t.Errorf("closed with %d", code)
		}
		bye := v.last()
		if bye.Type != "bye" || bye.Code != "restarting" || bye.RetryAfterMS < 0 || bye.RetryAfterMS > 5000 {
			t.Errorf("the last word is %s", bye.raw)
		}
		moments[bye.RetryAfterMS] = true
	}
	if len(moments) < 15 {
		t.Errorf("%d sockets come back at only %d moments", len(sockets), len(moments))
	}
	if last := stream.ended(t); last.kind != "bye" {
		t.Errorf("the stream ends with %+v", last)
	}
	for _, path := range []string{"/track/" + s.token(r) + "/live", "/track/" + s.token(r) + "/events", "/ops", "/courier/" + phone.CourierID.String()} {
		response, err := http.Get(n.server.URL + path)
		must(t, err)
		_ = response.Body.Close()
		if after, err := strconv.Atoi(response.Header.Get("Retry-After")); response.StatusCode != 503 || err != nil || after < 1 {
			t.Errorf("%s: a node on its way out answers %d, Retry-After %q", path, response.StatusCode, response.Header.Get("Retry-After"))
		}
	}
	n.hub.Close()
	// What the hub started is gone: nothing of package gateway is left but this test.
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if strings.Contains(string(stacks), "gateway.(*topic).read") {
		t.Errorf("goroutines are left:\n%s", stacks)
	}
}

// A phone in a tunnel stays connected and reads nothing, or too slowly. It gets fewer positions, and is given up only when statuses pile up; others
// notice nothing.
func TestCustomers_Live_slow_reader(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	phone := s.hire("Sam")
	r := s.deliver(phone, tracking.PickedUp, tracking.EnRoute)
	quick := n.watch(t, r)
	deaf, _, err := deafDialer().Dial(live(n, s.token(r), ""), nil)
	must(t, err)
	defer deaf.Close()
	slow, _, err := deafDialer().Dial(live(n, s.token(r), ""), nil)
	must(t, err)
	defer slow.Close()

	// What the slow one hears: nothing twice, nothing left out, until it is told why it is sent away.
	told := make(chan error, 1)
	go func() {
		pace := time.NewTicker(10 * time.Millisecond)
		defer pace.Stop()
		told <- func() error {
			w := watcher{ver: 4}
			for first := true; ; first = false {
				<-pace.C
				var f frame
				if err := slow.ReadJSON(&f); err != nil {
					return err
				}
				if first {
					w.ver -= int64(len(f.Events))
				}
				if f.Type == "bye" && f.Code == "too_slow" {
					_, _, err := slow.ReadMessage()
					return err
				}
				if err := w.take(f, first); err != nil {
					return err
				}
			}
		}()
	}()

	// Announced as the relay does, but many at once: Postgres would only be in the way of the thousands that fill the network's own buffers.
	burst := func() (records []tracking.Record) {
		for range 30 {
			r = s.onward(r, 500)
			records = append(records, r)
		}
		return records
	}
	var ended error
	next, fixes := 0, time.Now().Add(-time.Minute)
	for began := time.Now(); ended == nil; {
		if time.Since(began) > patience {
			t.Fatal("the slow one is never given up")
		}
		s.must(s.hot.Announce(t.Context(), burst()...))
		for range 5 {
			fixes = fixes.Add(time.Millisecond)
			s.moveAt(phone, 37.78, -122.41, fixes)
		}
		// One slow socket delays nobody.
		last := r.Delivery.Ver
		_, next = quick.frame("the newest status", next, func(f frame) bool { return f.Type == "status" && f.Ver == last })
		select {
		case ended = <-told:
		default:
		}
	}
	if !websocket.IsCloseError(ended, 4008) {
		t.Errorf("the slow one ended with %v, want 4008", ended)
	}
	ver := int64(4)
	for _, text := range quick.heard() {
		if f := decode(t, text); f.Type == "status" {
			if ver++; f.Ver != ver {
				t.Fatalf("the quick one got ver %d, want %d", f.Ver, ver)
			}
		}
	}
	if n.count(t, "hotfoot_positions_conflated_total") == 0 {
		t.Error("no position was left out for anybody")
	}
	// The deaf one is let go of without having taken anything.
	for deadline := time.Now().Add(patience); n.count(t, `hotfoot_sockets{kind="customer"}`) > 1; {
		if time.Now().After(deadline) {
			t.Fatal("the deaf one is kept for ever")
		}
	}
}
