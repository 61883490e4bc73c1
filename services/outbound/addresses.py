"""Which addresses a name may lead to, so that nobody outside has us post to what is within."""

import ipaddress
from collections.abc import Sequence

_WRAPPING = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")))
"""An IPv4 address in the last bits: NAT64 (RFC 6052), compatible (4291, 2.5.5.1) and translated ones (2765)."""
_NO_PLACE = ("fec0::/10", "64:ff9b:1::/48", "3fff::/20", "5f00::/16", "192.88.99.0/24")
_NOT_PUBLIC = tuple(map(ipaddress.ip_network, _NO_PLACE))
"""What an older standard library takes for public: sites of old, NAT64 within, examples, segments, relays of 6to4."""


def may_be_reached(address: str, networks: Sequence[str] = ()) -> bool:
    """Whether it is public, or in one of the networks. What an IPv6 address wraps is judged in its place."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    within = [ipaddress.ip_network(network, strict=False) for network in networks]
    if any(ip.version == network.version and ip in network for network in within):
        return True
    wrapped = _wrapped(ip) if isinstance(ip, ipaddress.IPv6Address) else None
    if wrapped is not None:
        return may_be_reached(str(wrapped), networks)
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NOT_PUBLIC)


def _wrapped(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if any(address in one for one in _WRAPPING):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
