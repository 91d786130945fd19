package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"hotfoot/gateway"
	"hotfoot/tracking"
	"hotfoot/tracking/api"
)

// behind is a node's configuration behind a balancer on this machine.
func behind(t *testing.T, config gateway.Config) gateway.Config {
	t.Helper()
	proxies, err := api.ParseProxies([]string{"127.0.0.1"})
	must(t, err)
	config.Network = proxies.Network
	return config
}

// tooMany asks for a socket that must be refused with a code and a time to come back at.
func tooMany(t *testing.T, address string, header http.Header) {
	t.Helper()
	response := refused(t, address, header)
	body, err := io.ReadAll(response.Body)
	must(t, err)
	after, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if response.StatusCode != http.StatusTooManyRequests || err != nil || after < 1 || !strings.Contains(string(body), `"code":"too_many"`) {
		t.Errorf("%d, Retry-After %q: %s", response.StatusCode, response.Header.Get("Retry-After"), body)
	}
}

func TestHub_sockets_of_an_address(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(behind(t, gateway.Config{MaxPerAddress: 3}))
	r := s.deliver(s.hire("Sam"))
	address := live(n, s.token(r), "")
	from := func(client string) http.Header { return http.Header{"X-Forwarded-For": {client}} }
	open := func(client string) io.Closer {
		t.Helper()
		conn, response, err := dialer().Dial(address, from(client))
		if err != nil {
			t.Fatalf("%s: %v, %v", client, err, response)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	// Whatever a client writes before what the balancer adds, and whichever of its own 2^64 addresses it takes: it is the same client.
	first := open("203.0.113.7")
	open("192.0.2.1, 203.0.113.7")
	open("::ffff:203.0.113.7")
	for _, client := range []string{"203.0.113.7", "198.51.100.1,203.0.113.7", "::ffff:203.0.113.7"} {
		tooMany(t, address, from(client))
	}
	for i := range 3 {
		open(fmt.Sprintf("2001:db8:1:2::%x", i+1))
	}
	for i := range 100 {
		tooMany(t, address, from(fmt.Sprintf("2001:db8:1:2:%x::1", i+1)))
	}
	// Maps, couriers' apps and streams are counted with them.
	for _, path := range []string{"/ops", "/courier/" + s.hire("Kim").CourierID.String()} {
		tooMany(t, url(n, path), from("203.0.113.7"))
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.server.URL+"/track/"+s.token(r)+"/events", nil)
	must(t, err)
	request.Header = from("203.0.113.7")
	stream, err := http.DefaultClient.Do(request)
	must(t, err)
	_ = stream.Body.Close()
	if stream.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a stream gets %d", stream.StatusCode)
	}
	open("203.0.113.8")
	open("2001:db8:1:3::1")
	if got := n.count(t, `hotfoot_sockets_refused_total{reason="address"}`); got != 3+100+2+1 {
		t.Errorf("%v refusals are counted", got)
	}
	// A handshake that fails takes no place, and one that is closed gives it back.
	must(t, first.Close())
	n.sockets(t, 7)
	for range 5 {
		evil := from("203.0.113.7")
		evil.Set("Origin", "https://evil.example")
		if got := refused(t, address, evil).StatusCode; got != http.StatusForbidden {
			t.Fatalf("a strange page gets %d", got)
		}
	}
	open("203.0.113.7")
	tooMany(t, address, from("203.0.113.7"))
}

func TestHub_sockets_of_a_key(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{MaxPerKey: 2})
	phone := s.hire("Sam")
	for _, path := range []string{"/ops?key=a", "/courier/" + phone.CourierID.String() + "?key=b"} {
		first := dial(t, url(n, path))
		dial(t, url(n, path))
		tooMany(t, url(n, path), nil)
		first.close()
		for deadline := time.Now().Add(patience); refused(t, url(n, path), nil).StatusCode != http.StatusSwitchingProtocols; {
			if time.Now().After(deadline) {
				t.Fatalf("%s: a place that became free is not given again", path)
			}
		}
	}
	dial(t, url(n, "/ops?key=another"))
	if got := n.count(t, `hotfoot_sockets_refused_total{reason="key"}`); got < 2 {
		t.Errorf("%v refusals are counted", got)
	}
}

// A link is handed on, and everybody may look; a flood of lookers does not take a node's places.
func TestHub_viewers_of_a_link(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	r, other := s.invent(t, 2)[0], s.deliver(tracking.Actor{})
	for range 2000 {
		n.mute(t, "a viewer", "/track/"+s.token(r)+"/live")
	}
	n.sockets(t, 2000)
	tooMany(t, live(n, s.token(r), ""), nil)
	if got := n.count(t, `hotfoot_sockets_refused_total{reason="link"}`); got != 1 {
		t.Errorf("%v refusals are counted", got)
	}
	n.watch(t, other)
}

// Without a word about proxies, an address of no public network may be that of one: everybody behind it is let in.
func TestHub_sockets_behind_a_proxy_nobody_named(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var none api.Proxies
	for address, counted := range map[string]bool{
		"127.0.0.1:1": false, "10.0.0.1:1": false, "172.16.0.1:1": false, "192.168.1.1:1": false, "100.64.3.2:1": false, "[::1]:1": false, "[fd00::1]:1": false,
		"[fe80::1%eth0]:1": false, "@": false, "203.0.113.7:1": true, "[2001:db8::1]:1": true, "172.32.0.1:1": true, "100.128.0.1:1": true,
	} {
		prefix := none.Network(&http.Request{RemoteAddr: address, Header: http.Header{"X-Forwarded-For": {"192.0.2.1"}}})
		if prefix.IsValid() != counted || counted && !prefix.Contains(netip.MustParseAddrPort(address).Addr()) {
			t.Errorf("%s is counted as %v", address, prefix)
		}
	}
	n := s.node(gateway.Config{MaxPerAddress: 1, Network: none.Network})
	r := s.deliver(tracking.Actor{})
	n.watch(t, r)
	n.watch(t, r)
}
