"""An operator's API extension on a real socket: a test sets its answers, and reads its requests."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Reply = Callable[[dict[str, Any]], dict[str, Any]]


class ExtensionServer:
    """`reply` maps the question (`point`, `params`) to the answer; an exception in it is a 500."""

    def __init__(self) -> None:
        self.reply: Reply = lambda question: {"flagged": False}
        self.questions: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.questions.append(question)
                owner.keys.append(self.headers["Authorization"])
                try:
                    status, body = 200, json.dumps(owner.reply(question)).encode()
                except ArithmeticError:
                    status, body = 500, b"{}"
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        return Handler
