"""Find the client's address, by which limits per address count. The setting PROXY_HOPS decides whom to believe."""

import ipaddress

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

# The prefix of the network that a provider gives one household.
HOUSEHOLD_PREFIX = 64


def init_app(app: Flask) -> None:
    """Believe as many entries of X-Forwarded-For as there are proxies of ours: a client can invent all others."""
    hops = app.config["PROXY_HOPS"]
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=0)  # type: ignore[method-assign]


def client_address() -> str:
    """Return the client's IPv4 address, or the network of its IPv6 address: a household has 2^64 of those."""
    text = request.remote_addr or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, HOUSEHOLD_PREFIX), strict=False))
    return str(address)
