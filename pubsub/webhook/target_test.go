package webhook

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hotfoot/tracking"
)

func TestParseTarget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, want string }{
		{"https://shop.example/hooks?a=1", "https://shop.example/hooks?a=1"},
		{"https://SHOP.Example:443", "https://shop.example"},
		{"https://shop.example:8443/x", "https://shop.example:8443/x"},
		{"https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"},
		{"https://93.184.215.14/", "https://93.184.215.14/"},
		{"https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8443/", "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8443/"},
	} {
		target, err := ParseTarget("url", c.address)
		if err != nil || target.String() != c.want {
			t.Errorf("%s: %q, %v", c.address, target, err)
		}
	}
	for _, address := range []string{
		"", "shop.example", "http://shop.example/", "ftp://shop.example/", "HTTPS:shop.example", "https://", "https:///path", "https://shop.example:/",
		"https://user@shop.example/", "https://user:word@shop.example/", "https://shop.example/#part", "https://shop.example/#",
		"https://shop.example:22/", "https://shop.example:6379/", "https://shop.example:0/", "https://shop.example:99999/", "https://shop.example:x/",
		"https://localhost/", "https://redis/", "https://shop.example./", "https://.example/", "https://a..example/", "https://-a.example/", "https://bücher.example/",
		"https://127.1/", "https://2130706433/", "https://0x7f.1/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.0.0.01/", "https://1.2.3/", "https://127.0.0.1/",
		"https://[::ffff:127.0.0.1]/", "https://[::]/", "https://[::1]/", "https://[64:ff9b::7f00:1]/", "https://[64:ff9b:1::a00:1]/", "https://[fd00:ec2::254]/",
		"https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c%25lo]/", "https://[2002:7f00:1::]/", "https://[2001:0:7f00:1::]/", "https://[ff02::1]/",
		"https://169.254.169.254/latest/meta-data/", "https://100.100.100.200/", "https://10.0.0.1/", "https://172.31.255.255/", "https://192.168.1.1/", "https://0.0.0.0/",
		"https://255.255.255.255/", "https://224.0.0.1/", "https://shop.example /", "https://shop.example%00.evil/", "https://shop%2eexample/", "https://evil.example\\@shop.example/",
		"https://shop.example/\r\nHost: other", "https://" + strings.Repeat("a", 64) + ".example/", "https://" + strings.Repeat("a.", 130) + "example/", "https://shop.example/" + strings.Repeat("a", maxAddress),
	} {
		if target, err := ParseTarget("url", address); tracking.CodeOf(err) != tracking.CodeInvalid || target != (Target{}) {
			t.Errorf("%.80q is taken: %q, %v", address, target, err)
		}
	}
}

// Whatever else an address is, it is one that is called, and reading it again changes nothing.
func FuzzParseTarget(f *testing.F) {
	for _, seed := range []string{"https://shop.example/hooks", "https://[2606:2800::1]:8443/", "https://127.1/", "https://a@b.example/", "https://0x7f.1/", "https://[::ffff:10.0.0.1]/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		target, err := ParseTarget("url", address)
		if err != nil {
			return
		}
		again, err := ParseTarget("url", target.String())
		if err != nil || again != target {
			t.Fatalf("%q is %q, then %q, %v", address, target, again, err)
		}
		u, err := url.Parse(target.String())
		if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" && u.Port() != "8443" {
			t.Fatalf("%q: %+v, %v", address, u, err)
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !ip.IsGlobalUnicast() {
			t.Fatalf("%q is at %v", address, ip)
		}
	})
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	t.Run("no address that the standard library calls special is called", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			ip := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "v4")))
			if rapid.Bool().Draw(t, "v6") {
				bytes := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "v6"))
				if rapid.Bool().Draw(t, "public") {
					bytes[0] = 0x20 | bytes[0]&0x1f
				}
				ip = netip.AddrFrom16(bytes)
			}
			special := !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified()
			if special && refusal(ip, nil, nil) == "" {
				t.Fatalf("%v is called", ip)
			}
			if mapped := netip.AddrFrom16(ip.As16()); ip.Is4() && refusal(mapped, nil, nil) != refusal(ip, nil, nil) {
				t.Fatalf("%v: %q, and %v: %q", ip, refusal(ip, nil, nil), mapped, refusal(mapped, nil, nil))
			}
		})
	})
	t.Run("both ends of each special block are refused", func(t *testing.T) {
		t.Parallel()
		for _, s := range special {
			first := s.block.Addr()
			last := first.AsSlice()
			for bit := s.block.Bits(); bit < len(last)*8; bit++ {
				last[bit/8] |= 0x80 >> (bit % 8)
			}
			end, _ := netip.AddrFromSlice(last)
			if refusal(first, nil, nil) == "" || refusal(end, nil, nil) == "" {
				t.Errorf("%v: %v or %v is called", s.block, first, end)
			}
		}
	})
	t.Run("an address of this machine is refused although it is public", func(t *testing.T) {
		t.Parallel()
		ip := netip.MustParseAddr("93.184.215.14")
		if refusal(ip, nil, nil) != "" || refusal(ip, nil, []netip.Addr{ip}) == "" {
			t.Error("its own address makes no difference")
		}
	})
	t.Run("what the operator allows is called, and its neighbours are not", func(t *testing.T) {
		t.Parallel()
		allowed := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
		if refusal(netip.MustParseAddr("10.1.2.3"), allowed, nil) != "" || refusal(netip.MustParseAddr("10.2.0.0"), allowed, nil) == "" {
			t.Error("the block is not what decides")
		}
	})
}
