"""Serve OpenAI's endpoint for embeddings on 127.0.0.1: `python -m app.embedded.embedding_server PORT`.

The model is loaded by the first request that needs it: an unused server stays small.
"""

import http.server
import json
import os
import signal
import sys
import threading
from typing import Any

from app.embedded.embedding_engine import MODEL, NoEngine, as_read, engine

MOST_BYTES = 8 * 1024 * 1024
MOST_TEXTS = 2048
# Of one text, as the model reads it; more than a segment of a document has.
MOST_CHARACTERS = 8_192
SECONDS = 60
# One thread loads the model while the others wait for it.
_loading = threading.Lock()


class Refused(Exception):
    """A request cannot be answered."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status


class EmbeddingRequests(http.server.BaseHTTPRequestHandler):
    """Answers requests in OpenAI's shapes."""

    protocol_version = "HTTP/1.1"
    timeout = SECONDS

    def do_GET(self) -> None:
        """Answer `/v1/models`."""
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "local"}
        if self.path == "/v1/models":
            self._reply({"object": "list", "data": [model]})
        else:
            self._refuse(Refused("There is no such address.", 404))

    def do_POST(self) -> None:
        """Answer `/v1/embeddings`."""
        try:
            if self.path != "/v1/embeddings":
                raise Refused("There is no such address.", 404)
            self._reply(_embeddings(self._body()))
        except Refused as refused:
            self._refuse(refused)

    def log_message(self, format: str, *arguments: object) -> None:
        """Log nothing of single requests."""

    def _body(self) -> Any:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self.close_connection = True
            raise Refused(f"The body needs a Content-Length of at most {MOST_BYTES} bytes.", 413)
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise Refused("The body is no JSON.") from None

    def _refuse(self, refused: Refused) -> None:
        kind = "invalid_request_error" if refused.status < 500 else "server_error"
        self._reply({"error": {"message": refused.message, "type": kind, "param": None, "code": None}}, refused.status)

    def _reply(self, body: Any, status: int = 200) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _embeddings(body: Any) -> dict[str, Any]:
    """Return the answer to a request: a vector for each text. Raises Refused."""
    given = body.get("input") if isinstance(body, dict) else None
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        raise Refused("input must be a text, or a list of texts, none of them empty.")
    if not 1 <= len(texts) <= MOST_TEXTS:
        raise Refused(f"input must hold 1 to {MOST_TEXTS} texts.")
    texts = [as_read(text) for text in texts]
    if max(map(len, texts)) > MOST_CHARACTERS:
        raise Refused(f"A text may have at most {MOST_CHARACTERS} characters.")
    if body.get("encoding_format", "float") != "float":
        raise Refused("encoding_format must be float.")
    try:
        with _loading:
            model = engine()
    except NoEngine as problem:
        raise Refused(f"This server makes no embeddings: {problem}.", 501) from None
    data, tokens = [], 0
    for index, text in enumerate(texts):
        vector, count = model.embed(text)
        tokens += count
        data.append({"object": "embedding", "index": index, "embedding": vector})
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": MODEL, "usage": usage}


def serve(port: int) -> None:
    """Serve on a port until SIGTERM."""
    # The library's threads wait asleep: others compute on the same cores.
    os.putenv("OMP_WAIT_POLICY", "passive")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), EmbeddingRequests)
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
