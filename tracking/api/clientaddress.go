package api

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose word about a client's address is taken: those of the balancers before us. Without any, X-Forwarded-For is anybody's to
// choose, and is not read.
type Proxies []netip.Prefix

// ParseProxies reads networks such as 10.0.0.0/8, or single addresses.
func ParseProxies(networks []string) (Proxies, error) {
	proxies := make(Proxies, 0, len(networks))
	for _, text := range networks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			addr, addrErr := netip.ParseAddr(text)
			if addrErr != nil || addr.Zone() != "" {
				return nil, fmt.Errorf("%q is no network such as 10.0.0.0/8", text)
			}
			network = netip.PrefixFrom(addr, addr.BitLen())
		}
		if network.Addr().Is4In6() {
			return nil, fmt.Errorf("%q must be written as an IPv4 network", text)
		}
		proxies = append(proxies, network.Masked())
	}
	return proxies, nil
}

func (p Proxies) trust(addr netip.Addr) bool {
	for _, network := range p {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// maxHops bounds how far back a chain of proxies is followed.
const maxHops = 16

// Client is who sent a request, as far as can be known: the last address of the chain that is no proxy of ours. What stands before it was written by the client.
// It is false for a peer without an address, as on a unix socket.
func (p Proxies) Client(r *http.Request) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	client, ok := parseAddr(host)
	if !ok || !p.trust(client) {
		return client, ok
	}
	chain := strings.Join(r.Header["X-Forwarded-For"], ",")
	for range maxHops {
		rest := strings.LastIndexByte(chain, ',')
		hop, ok := parseAddr(strings.TrimSpace(chain[rest+1:]))
		if !ok {
			break // a proxy that was told nonsense: who told it is not known, and the proxy is held to it
		}
		client = hop
		if rest < 0 || !p.trust(client) {
			break
		}
		chain = chain[:rest]
	}
	return client, true
}

func parseAddr(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	return addr.Unmap().WithZone(""), err == nil
}

// network is what an address is counted as.
func network(addr netip.Addr) string {
	if addr.Is6() {
		return prefixOf(addr).String()
	}
	return addr.String()
}

// prefixOf is an address with those that are surely the same customer's: IPv6 hands each 2^64 at least.
func prefixOf(addr netip.Addr) netip.Prefix {
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, _ := addr.Prefix(bits)
	return prefix
}

// Network is whose sockets and streams are counted together; the zero Prefix when they cannot be. While nobody has said which proxies there are, an address
// that is not of the public internet is taken for a balancer's that nobody has told us of: behind it everybody would be one client, and the first few
// thousand would keep all others out.
func (p Proxies) Network(r *http.Request) netip.Prefix {
	client, ok := p.Client(r)
	if !ok || len(p) == 0 && inner(client) {
		return netip.Prefix{}
	}
	return prefixOf(client)
}

// shared is RFC 6598's, which clouds give to their balancers.
var shared = netip.MustParsePrefix("100.64.0.0/10")

func inner(addr netip.Addr) bool {
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || shared.Contains(addr)
}

// Secure reports whether a request came by TLS as far as it can be known: to us, or to a proxy of ours that says so. A list in X-Forwarded-Proto was begun by
// somebody else, and is not believed.
func (p Proxies) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	said := r.Header["X-Forwarded-Proto"]
	if len(said) != 1 || !strings.EqualFold(said[0], "https") {
		return false
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && p.trust(peer.Addr().Unmap().WithZone(""))
}
