"""Send what code requests by HTTP over the worker: `requests`, `urllib.request` and `http.client` as they are.

Only the steps at which they would open a connection are replaced. The worker makes the request as HTTP nodes do.
"""

import base64
import email.message
import http.client
import io
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from app.providers.cpython import call

LONGEST_HEAD = 65_536
# Of the connection between the worker and the server, and of bytes that the worker has decoded already.
_OF_THE_CONNECTION = {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}
_WORKERS_OWN = {"accept-encoding", "connection", "content-length", "host", "transfer-encoding"}


class _Answer:
    """The worker's answer: a status, headers and content, or an error."""

    def __init__(self, message: Mapping[str, Any]) -> None:
        self.error = message.get("error")
        self.is_late = bool(message.get("late"))
        self.status = int(message.get("status", 0))
        self.headers = [
            (name, value) for name, value in message.get("headers", ()) if name.lower() not in _OF_THE_CONNECTION
        ]
        self.content = base64.b64decode(message.get("content", ""))

    @property
    def reason(self) -> str:
        return http.client.responses.get(self.status, "")

    @property
    def whole(self) -> bytes:
        """The answer as a server would have sent it."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        start = f"HTTP/1.1 {self.status} {self.reason}\r\n{head}Content-Length: {len(self.content)}\r\n\r\n"
        return start.encode("latin-1", "replace") + self.content


def install() -> None:
    """Replace the connections of `http.client`, and with it of `urllib.request`; and those of `requests`."""
    # Any: what is replaced are methods, which mypy takes for a mistake.
    plain: Any = http.client.HTTPConnection
    secure: Any = http.client.HTTPSConnection
    plain.connect = secure.connect = _connect
    secure.__init__ = _without_certificates
    requests = sys.modules.get("requests")
    if requests is not None:
        requests.adapters.HTTPAdapter.send = _send
        # The machine has no proxies and no passwords for the code of others.
        requests.sessions.Session.merge_environment_settings = _without_environment


class _Connection:
    """Stands where `http.client` has a socket: collects a request, asks the worker, gives the answer."""

    def __init__(self, scheme: str, host: str, port: int, timeout: Any) -> None:
        self._origin = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        self._timeout = timeout
        self._sent = bytearray()

    def sendall(self, content: bytes) -> None:
        self._sent += content

    def makefile(self, mode: str, *rest: object) -> io.BytesIO:
        """Send what was collected, and return the file of the answer."""
        head, _, body = bytes(self._sent).partition(b"\r\n\r\n")
        self._sent.clear()
        start, _, lines = head.decode("latin-1").partition("\r\n")
        method, target, _ = start.split(" ", 2)
        headers = [
            (name, value.strip()) for name, _, value in (line.partition(":") for line in lines.split("\r\n") if line)
        ]
        if any(name.lower() == "transfer-encoding" for name, _ in headers):
            body = _unchunked(body)
        url = target if target.startswith(("http://", "https://")) else self._origin + target
        answer = _request(method, url, headers, body, self._timeout, True)
        if answer.error:
            raise TimeoutError(answer.error) if answer.is_late else ConnectionError(answer.error)
        return io.BytesIO(answer.whole)

    def settimeout(self, seconds: Any) -> None:
        self._timeout = seconds

    def close(self) -> None:
        """Do nothing: no connection is open."""


def _connect(connection: http.client.HTTPConnection) -> None:
    scheme = "https" if isinstance(connection, http.client.HTTPSConnection) else "http"
    connection.sock = _Connection(scheme, connection.host, connection.port, connection.timeout)


def _without_certificates(
    connection: http.client.HTTPSConnection, host: str, port: int | None = None, **options: Any
) -> None:
    # The context of certificates, which the worker checks, would be read from files.
    known = {name: options[name] for name in ("timeout", "source_address", "blocksize") if name in options}
    http.client.HTTPConnection.__init__(connection, host, port, **known)


def _send(
    adapter: Any, request: Any, stream: bool = False, timeout: Any = None, verify: Any = True, *_: Any, **__: Any
) -> Any:
    """Replace HTTPAdapter.send: one request, without redirects, as a `requests.Response`."""
    requests, urllib3 = sys.modules["requests"], sys.modules["urllib3"]
    body = request.body or b""
    if not isinstance(body, str | bytes | bytearray):
        body = body.read() if hasattr(body, "read") else b"".join(body)
    content = body.encode() if isinstance(body, str) else bytes(body)
    answer = _request(request.method, request.url, request.headers.items(), content, timeout, verify is not False)
    if answer.error:
        kind = requests.exceptions.Timeout if answer.is_late else requests.exceptions.ConnectionError
        raise kind(answer.error, request=request)
    headers = urllib3.HTTPHeaderDict(answer.headers)
    message = email.message.Message()
    for name, value in answer.headers:
        message[name] = value
    silent: Any = _Silent()
    raw = urllib3.HTTPResponse(
        body=io.BytesIO(answer.content),
        headers=headers,
        status=answer.status,
        reason=answer.reason,
        preload_content=False,
        request_url=request.url,
        # Cookies are read from here.
        original_response=http.client.HTTPResponse(silent),
    )
    raw._original_response.msg = message
    return adapter.build_response(request, raw)


class _Silent:
    """A socket without content, for a response whose head is known."""

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO()


def _without_environment(session: Any, url: str, proxies: Any, stream: Any, verify: Any, cert: Any) -> dict[str, Any]:
    chosen = session.verify if verify is None else verify
    return {"proxies": {}, "stream": stream or session.stream, "verify": chosen, "cert": None}


def _request(
    method: str, url: str, headers: Sequence[tuple[Any, Any]] | Any, body: bytes, timeout: Any, verify: bool
) -> _Answer:
    sent = [(_text(name), _text(value)) for name, value in headers if _text(name).lower() not in _WORKERS_OWN]
    return _Answer(
        call.ask(
            {
                "http": {
                    "method": method,
                    "url": url,
                    "headers": sent,
                    "body": base64.b64encode(body).decode(),
                    "timeout": _seconds(timeout),
                    "verify": verify,
                }
            }
        )
    )


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _seconds(timeout: Any) -> float | None:
    """Return the seconds of a timeout: a number, (connect, read), or anything that means none."""
    if isinstance(timeout, tuple):
        numbers = [part for part in timeout if isinstance(part, int | float)]
        return float(sum(numbers)) or None
    return float(timeout) if isinstance(timeout, int | float) and timeout > 0 else None


def _unchunked(body: bytes) -> bytes:
    """Return the content of a body in chunks, as `http.client` wrote it."""
    content, left = bytearray(), body
    while left:
        size, _, left = left.partition(b"\r\n")
        count = int(size, 16)
        if not count:
            break
        content += left[:count]
        left = left[count + 2 :]
    return bytes(content)
