"""Find the client's address, by which limits per address count. The setting PROXY_HOPS decides whom to believe."""

import collections
import functools
import ipaddress

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

# The prefix of the network that a provider gives one household.
HOUSEHOLD_PREFIX = 64
REMEMBERED_ADDRESSES = 4_096


def init_app(app: Flask) -> None:
    """Believe as many entries of X-Forwarded-For as there are proxies of ours: a client can invent all others."""
    hops = app.config["PROXY_HOPS"]
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=0)  # type: ignore[method-assign]


def client_address() -> str:
    """Return the address by which the client of this request counts."""
    return household(request.remote_addr or "")


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


class OpenCounts:
    """Counts what each address has open in this process; `most` 0: as much as it likes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: collections.Counter[str] = collections.Counter()

    def open(self, address: str) -> bool:
        """Count one more of an address. Returns False, and counts nothing, where it has the most already."""
        if self._most and self._open[address] >= self._most:
            return False
        self._open[address] += 1
        return True

    def close(self, address: str) -> None:
        """Count one less."""
        self._open[address] -= 1
        if self._open[address] <= 0:
            del self._open[address]
