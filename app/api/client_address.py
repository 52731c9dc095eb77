"""Where a request comes from; every limit per address stands on it (setting PROXY_HOPS)."""

import ipaddress

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

OWN_NETWORK = 64


def init_app(app: Flask) -> None:
    """Believe as many X-Forwarded-For entries as there are proxies of ours."""
    hops = app.config["PROXY_HOPS"]
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=0)  # type: ignore[method-assign]


def client_address() -> str:
    """An IPv4 address, or the network of an IPv6 one: a household has 2^64 of them."""
    text = request.remote_addr or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, OWN_NETWORK), strict=False))
    return str(address)
