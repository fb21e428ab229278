package netguard

import "net/netip"

// block is a range of addresses that is not the public Internet.
type block struct {
	prefix netip.Prefix
	reason string
}

// blocks holds the special-purpose registries of RFC 6890 and its successors.
// The metadata services of clouds live in link-local and unique-local space;
// they are named so that the refusal says what was meant.
var blocks = []block{
	{netip.MustParsePrefix("169.254.169.254/32"), "a cloud metadata service"},
	{netip.MustParsePrefix("fd00:ec2::254/128"), "a cloud metadata service"},
	{netip.MustParsePrefix("100.100.100.200/32"), "a cloud metadata service"},
	{netip.MustParsePrefix("168.63.129.16/32"), "a cloud's own service"}, // public by its number, but answers its own machines only
	{netip.MustParsePrefix("0.0.0.0/8"), "an unspecified address"},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private address"},
	{netip.MustParsePrefix("100.64.0.0/10"), "a carrier's private address"},
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address"},
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address"},
	{netip.MustParsePrefix("172.16.0.0/12"), "a private address"},
	{netip.MustParsePrefix("192.0.0.0/24"), "a reserved address"},
	{netip.MustParsePrefix("192.0.2.0/24"), "a documentation address"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a relay address"},
	{netip.MustParsePrefix("192.168.0.0/16"), "a private address"},
	{netip.MustParsePrefix("198.18.0.0/15"), "a benchmarking address"},
	{netip.MustParsePrefix("198.51.100.0/24"), "a documentation address"},
	{netip.MustParsePrefix("203.0.113.0/24"), "a documentation address"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address"},
	{netip.MustParsePrefix("::/128"), "an unspecified address"},
	{netip.MustParsePrefix("::1/128"), "a loopback address"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "a local translation address"},
	{netip.MustParsePrefix("100::/64"), "a discard address"},
	{netip.MustParsePrefix("2001::/23"), "a reserved address"}, // Teredo is inside, judged before
	{netip.MustParsePrefix("2001:db8::/32"), "a documentation address"},
	{netip.MustParsePrefix("3fff::/20"), "a documentation address"},
	{netip.MustParsePrefix("5f00::/16"), "a reserved address"},
	{netip.MustParsePrefix("fc00::/7"), "a private address"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local address"},
	{netip.MustParsePrefix("fec0::/10"), "a private address"},
	{netip.MustParsePrefix("ff00::/8"), "a multicast address"},
}

var (
	global = netip.MustParsePrefix("2000::/3") // all of IPv6 that was ever given out
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
	sixTo4 = netip.MustParsePrefix("2002::/16")
	teredo = netip.MustParsePrefix("2001::/32")
	compat = netip.MustParsePrefix("::/96")
	isatap = [4]byte{0x00, 0x00, 0x5e, 0xfe}
)

// Reason tells why an address is not a public one, or "" when it is. An IPv6
// address that carries an IPv4 address is judged by that one too, since a
// gateway on the way may deliver it there.
func Reason(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if !ip.IsValid() {
		return "not an address"
	}
	for _, b := range blocks {
		if b.prefix.Contains(ip) && b.prefix.Bits() > teredo.Bits() {
			return b.reason
		}
	}
	if inner, ok := embedded(ip); ok {
		if r := Reason(inner); r != "" {
			return r + " inside an IPv6 address"
		}
		if nat64.Contains(ip) {
			return ""
		}
	}
	for _, b := range blocks {
		if b.prefix.Contains(ip) {
			return b.reason
		}
	}
	if ip.Is6() && !global.Contains(ip) {
		return "not a public address"
	}
	return ""
}

// embedded finds the IPv4 address that a transition mechanism put into ip.
func embedded(ip netip.Addr) (netip.Addr, bool) {
	if !ip.Is6() {
		return netip.Addr{}, false
	}
	b := ip.As16()
	switch {
	case nat64.Contains(ip), compat.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case sixTo4.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case teredo.Contains(ip):
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), true
	case [4]byte{b[8] &^ 0x02, b[9], b[10], b[11]} == isatap:
		return netip.AddrFrom4([4]byte(b[12:])), true
	}
	return netip.Addr{}, false
}
