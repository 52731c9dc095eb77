"""The address by which a client counts: limits per address go by it."""

import functools
import ipaddress

# The prefix of the network that a provider gives one household.
HOUSEHOLD_PREFIX = 64
REMEMBERED_ADDRESSES = 4_096


@functools.lru_cache(maxsize=REMEMBERED_ADDRESSES)
def household(text: str) -> str:
    """Return the IPv4 address, or the network of an IPv6 address: a household has 2^64 of those."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, HOUSEHOLD_PREFIX), strict=False))
    return str(address)
