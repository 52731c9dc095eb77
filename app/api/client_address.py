"""Find the client's address, by which limits per address count. The setting PROXY_HOPS decides whom to believe."""

import collections

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from app.services.auth.households import household


def init_app(app: Flask) -> None:
    """Believe as many entries of X-Forwarded-For as there are proxies of ours: a client can invent all others."""
    hops = app.config["PROXY_HOPS"]
    if hops:
        # Flask says that its `wsgi_app` is there to be wrapped so; mypy takes it for a method.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=0)  # type: ignore[method-assign]


def client_address() -> str:
    """Return the address by which the client of this request counts."""
    return household(request.remote_addr or "")


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
