package api

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestProxies_Client(t *testing.T) {
	t.Parallel()
	balancers, err := ParseProxies([]string{"10.0.0.0/8", "127.0.0.1", "2001:db8:ffff::/48"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		proxies Proxies
		peer    string
		headers []string // "Name: value"
		want    string   // "" for none
	}{
		"no proxy":                          {nil, "203.0.113.7:4711", nil, "203.0.113.7"},
		"a header from nobody we trust":     {nil, "203.0.113.7:4711", []string{"X-Forwarded-For: 192.0.2.1"}, "203.0.113.7"},
		"a header from the client itself":   {balancers, "203.0.113.7:4711", []string{"X-Forwarded-For: 192.0.2.1"}, "203.0.113.7"},
		"a balancer's":                      {balancers, "10.1.2.3:4711", []string{"X-Forwarded-For: 192.0.2.1"}, "192.0.2.1"},
		"what the client wrote before":      {balancers, "10.1.2.3:4711", []string{"X-Forwarded-For: 198.51.100.9, 192.0.2.1"}, "192.0.2.1"},
		"two balancers":                     {balancers, "10.1.2.3:4711", []string{"X-Forwarded-For: 198.51.100.9, 192.0.2.1,10.9.9.9"}, "192.0.2.1"},
		"several lines":                     {balancers, "10.1.2.3:4711", []string{"X-Forwarded-For: 198.51.100.9", "X-Forwarded-For: 192.0.2.1"}, "192.0.2.1"},
		"a balancer that says nothing":      {balancers, "10.1.2.3:4711", nil, "10.1.2.3"},
		"a balancer that is told nonsense":  {balancers, "10.1.2.3:4711", []string{"X-Forwarded-For: unknown"}, "10.1.2.3"},
		"nonsense behind the first one":     {balancers, "10.1.2.3:4711", []string{"X-Forwarded-For: 192.0.2.1, x, 10.9.9.9"}, "10.9.9.9"},
		"an address with a port":            {balancers, "10.1.2.3:4711", []string{"X-Forwarded-For: 192.0.2.1:80"}, "10.1.2.3"},
		"only balancers":                    {balancers, "10.1.2.3:4711", []string{"X-Forwarded-For: 10.0.0.1, 10.0.0.2"}, "10.0.0.1"},
		"a chain without end":               {balancers, "10.1.2.3:4711", []string{"X-Forwarded-For: 192.0.2.1" + strings.Repeat(",10.0.0.1", 1000)}, "10.0.0.1"},
		"other headers":                     {balancers, "10.1.2.3:4711", []string{"X-Real-Ip: 192.0.2.1", "Forwarded: for=192.0.2.1", "Cf-Connecting-Ip: 192.0.2.1"}, "10.1.2.3"},
		"IPv6":                              {balancers, "[2001:db8::1]:4711", nil, "2001:db8::1"},
		"a balancer of IPv6":                {balancers, "[2001:db8:ffff::1]:4711", []string{"X-Forwarded-For: 2001:db8::1"}, "2001:db8::1"},
		"IPv4 written as IPv6":              {balancers, "[::ffff:10.1.2.3]:4711", []string{"X-Forwarded-For: ::ffff:192.0.2.1"}, "192.0.2.1"},
		"an interface in the address":       {balancers, "[fe80::1%eth0]:4711", nil, "fe80::1"},
		"a unix socket, whatever it claims": {balancers, "@", []string{"X-Forwarded-For: 192.0.2.1"}, ""},
		"no peer":                           {balancers, "", nil, ""},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		for _, h := range c.headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Add(name, value)
		}
		got, ok := c.proxies.Client(r)
		if ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("%s: %v, want %q", name, got, c.want)
		}
	}
}

func TestParseProxies(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "x", "10.0.0.0/33", "10.0.0", "::ffff:10.0.0.0/104", "fe80::1%eth0", "balancer.example"} {
		if p, err := ParseProxies([]string{text}); err == nil {
			t.Errorf("%q is taken for %v", text, p)
		}
	}
	if p, err := ParseProxies([]string{"10.1.2.3/8"}); err != nil || p[0].String() != "10.0.0.0/8" {
		t.Errorf("got %v, %v", p, err)
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::": "2001:db8:1:2::/64", "::1": "::/64",
	} {
		if got := network(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is counted as %s, want %s", text, got, want)
		}
	}
}

func FuzzProxies_Client(f *testing.F) {
	f.Add("10.1.2.3:1", "192.0.2.1, 10.0.0.1")
	f.Add("[::1%lo]:1", ",,,")
	f.Add("@", "")
	proxies := Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, peer, header string) {
		addr, ok := proxies.Client(&http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {header}}})
		if ok && (!addr.IsValid() || addr.Is4In6() || addr.Zone() != "") {
			t.Errorf("%q from %q is %v", header, peer, addr)
		}
	})
}
