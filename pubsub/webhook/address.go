package webhook

import "net/netip"

// special are the blocks of addresses that look like everybody's and are not, by the registries of special addresses that IANA keeps (RFC 6890 and its
// successors). Of IPv6 only 2000::/3 is anybody's at all.
var special = []struct {
	block netip.Prefix
	what  string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network"},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private network"},
	{netip.MustParsePrefix("100.64.0.0/10"), "a carrier's own network"},
	{netip.MustParsePrefix("127.0.0.0/8"), "the caller's own machine"},
	{netip.MustParsePrefix("169.254.0.0/16"), "the local link"}, // and the metadata service of most clouds
	{netip.MustParsePrefix("172.16.0.0/12"), "a private network"},
	{netip.MustParsePrefix("192.0.0.0/24"), "a reserved network"},
	{netip.MustParsePrefix("192.0.2.0/24"), "a network for documents"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a relay into other networks"},
	{netip.MustParsePrefix("192.168.0.0/16"), "a private network"},
	{netip.MustParsePrefix("198.18.0.0/15"), "a network for benchmarks"},
	{netip.MustParsePrefix("198.51.100.0/24"), "a network for documents"},
	{netip.MustParsePrefix("203.0.113.0/24"), "a network for documents"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a group"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved network"},
	{netip.MustParsePrefix("2001::/23"), "a reserved network"}, // Teredo among others, which carries IPv4
	{netip.MustParsePrefix("2001:db8::/32"), "a network for documents"},
	{netip.MustParsePrefix("2002::/16"), "a relay into other networks"}, // 6to4, which carries IPv4
	{netip.MustParsePrefix("3fff::/20"), "a network for documents"},
}

var publicIPv6 = netip.MustParsePrefix("2000::/3")

// refusal says why an address is not called, as what it is; "" when it is. allowed are blocks that the operator allows all the same, own are the addresses
// of this machine, behind which there may be what listens to itself alone.
func refusal(ip netip.Addr, allowed []netip.Prefix, own []netip.Addr) string {
	if ip.Zone() != "" {
		return "the local link"
	}
	ip = ip.Unmap() // ::ffff:127.0.0.1 is 127.0.0.1
	for _, block := range allowed {
		if block.Contains(ip) {
			return ""
		}
	}
	for _, one := range own {
		if one.Unmap() == ip {
			return "the caller's own machine"
		}
	}
	if ip.Is6() && !publicIPv6.Contains(ip) {
		return "a network that is not public"
	}
	for _, s := range special {
		if s.block.Contains(ip) {
			return s.what
		}
	}
	return ""
}
