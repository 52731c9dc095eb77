"""Bound the requests that a client has open at once, streams included, behind a reverse proxy.

There every connection is the proxy's, so that connections cannot be counted by client (setting ADDRESS_CONNECTIONS).
"""

import functools
from collections.abc import Iterable
from typing import cast

from flask import Flask, Response, current_app, g
from werkzeug.wsgi import ClosingIterator

from app.api.client_address import OpenCounts, client_address
from app.errors import TooManyRequests


def init_app(app: Flask) -> None:
    """Count the requests of each client, where the app stands behind a proxy."""
    if app.config["PROXY_HOPS"] and app.config["ADDRESS_CONNECTIONS"]:
        app.extensions["open_requests"] = OpenCounts(app.config["ADDRESS_CONNECTIONS"])
        app.before_request(_open)
        app.after_request(_close_at_end)


def _open() -> None:
    """Raises TooManyRequests."""
    address = client_address()
    if not _counts().open(address):
        raise TooManyRequests
    g.counted_address = address


def _close_at_end(response: Response) -> Response:
    if "counted_address" not in g:
        return response
    close = functools.partial(_counts().close, g.pop("counted_address"))
    if response.direct_passthrough:
        # The server gets the file itself, and closes that alone.
        response.response = ClosingIterator(cast(Iterable[bytes], response.response), close)
    else:
        response.call_on_close(close)
    return response


def _counts() -> OpenCounts:
    counts: OpenCounts = current_app.extensions["open_requests"]
    return counts
