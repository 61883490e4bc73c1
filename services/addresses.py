"""Which addresses a name may lead to, so that nobody outside has us post to what is within."""

import ipaddress
from collections.abc import Sequence

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


def may_be_reached(address: str, networks: Sequence[str] = ()) -> bool:
    """Whether it is public, or in one of the networks. What an IPv6 address wraps is judged in its place."""
    told = ipaddress.ip_address(address.partition("%")[0])
    within = [ipaddress.ip_network(one, strict=False) for one in networks]
    if any(told.version == one.version and told in one for one in within):
        return True
    wrapped = _wrapped(told) if isinstance(told, ipaddress.IPv6Address) else None
    if wrapped is not None:
        return may_be_reached(str(wrapped), networks)
    return told.is_global and not told.is_multicast


def _wrapped(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
