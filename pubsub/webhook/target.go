package webhook

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hotfoot/tracking"
)

// Target is an address that may be called. The zero Target may not.
type Target struct{ url string }

// String is the address in one spelling.
func (t Target) String() string { return t.url }

// maxAddress bounds an address, in bytes.
const maxAddress = 2048

// usualPorts are where receivers listen. Others are how one asks a machine what runs on it.
var usualPorts = []uint16{443, 8443}

// ParseTarget reads an address as a merchant typed it. field is what the error calls it. Errors: CodeInvalid, which says what is wrong with it.
//
// Hosts are names in their ASCII form (xn-- for others) or IP addresses in their one usual spelling: 127.1, 2130706433 and 0x7f.1 are the same address to many
// programs, and an address that must be judged cannot have four spellings.
func ParseTarget(field, address string) (Target, error) {
	return parseTarget(field, address, usualPorts)
}

func parseTarget(field, address string, ports []uint16) (Target, error) {
	refuse := func(why string) (Target, error) { return Target{}, tracking.Invalid(field, "%s", why) }
	if len(address) > maxAddress {
		return refuse("is too long: at most 2,048 bytes")
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return refuse("is not an address such as https://shop.example/hooks")
	case u.Scheme != "https":
		return refuse("must begin with https://")
	case u.User != nil:
		return refuse("must not hold a name or a password")
	case u.Fragment != "" || strings.HasSuffix(address, "#"):
		return refuse("must not have a fragment: nobody is sent one")
	case strings.HasSuffix(u.Host, ":"):
		return refuse("has a colon and no port")
	}
	port := uint16(443)
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return refuse("has no port between 1 and 65535")
		}
		port = uint16(n)
	}
	if !slices.Contains(ports, port) {
		return refuse("has a port that is not called; use 443 or 8443")
	}
	host := strings.ToLower(u.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil {
		if why := refusal(ip, nil, nil); why != "" {
			return refuse("is at " + why + ", which is not called")
		}
	} else if why := badName(host); why != "" {
		return refuse(why)
	}
	u.Host = host
	if strings.Contains(host, ":") {
		u.Host = "[" + host + "]"
	}
	if port != 443 {
		u.Host += ":" + strconv.Itoa(int(port))
	}
	return Target{u.String()}, nil
}

// badName says what is wrong with a host's name (RFC 1123 section 2.1); "" for nothing.
func badName(host string) string {
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	switch {
	case host == "":
		return "has no host"
	case len(host) > 253:
		return "has a host that is too long"
	case len(labels) < 2:
		return "has a host without a domain, which only a network of one's own knows"
	case strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x"):
		// Programs read a name that ends in a number as an IPv4 address (WHATWG URL, "ends in a number").
		return "has a host that is neither a name nor an IP address in its usual spelling"
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "has a host that is no name in ASCII, such as shop.example"
		}
	}
	return ""
}
