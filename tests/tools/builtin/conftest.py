"""A web server on a real socket, and a client that may reach it."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from app.providers.fetch.guarded_http import GuardedHttp
from app.providers.fetch.public_addresses import AllowedAddresses


class Site:
    """Serves one answer at every path; keeps what was asked."""

    def __init__(self) -> None:
        self.body, self.kind, self.status = b"", "text/html; charset=utf-8", 200
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                site.asked.append((self.path, dict(self.headers), self.rfile.read(length)))
                self.send_response(site.status)
                self.send_header("Content-Type", site.kind)
                self.send_header("Content-Length", str(len(site.body)))
                self.end_headers()
                self.wfile.write(site.body)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.client = GuardedHttp(AllowedAddresses([f"127.0.0.1:{self.server.server_port}"]))


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.server.shutdown()
    served.server.server_close()
