"""A page that behaves as the stock front-end does at its sore points, served from an origin of its own."""

import functools
import http.server
import pathlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Write nothing to the test's output."""


@contextmanager
def served_page() -> Iterator[str]:
    """Serve the page; yield its address."""
    handler = functools.partial(_Quiet, directory=pathlib.Path(__file__).parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
        server.shutdown()
