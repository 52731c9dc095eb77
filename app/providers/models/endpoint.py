"""Send requests to one model server, over connections that are kept, and read its responses."""

import contextlib
import itertools
import logging
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from app.errors import ProviderError, ProviderProtocolError, ProviderTimeout, ProviderUnreachable
from app.providers.cancellation import CancelScope
from app.providers.http.connecting import Server, connect
from app.providers.http.connections import Connection, ConnectionPool
from app.providers.http.http_messages import LARGEST_HEAD, Head, body_reader, parse_head
from app.providers.http.multipart_forms import MultipartForm
from app.providers.models.model_failures import CallDescription

logger = logging.getLogger(__name__)

DOCUMENT_SECONDS = 5.0

# Makes the bytes of a request, from their beginning each time that it is sent.
Request = Callable[[], Iterable[bytes]]


class NoResponse(Exception):
    """The connection broke before the first byte of a response."""


class Response:
    """A response whose head has come; the caller reads its body and closes it.

    `first`: bytes of the body that came with the head.
    """

    def __init__(self, head: Head, first: bytes, connection: Connection, endpoint: "Endpoint") -> None:
        self.status = head.status
        self.media_type = head.headers.get("content-type", "").partition(";")[0].strip().lower()
        self._body = body_reader(head)
        self._keep_alive = head.keep_alive
        self._first = first
        self._connection = connection
        self._endpoint = endpoint
        self._finished = False

    def read(self, seconds: float | None = None) -> bytes | None:
        """Return the content that has arrived, perhaps empty, or None at its end; waits at most so many seconds for it.

        Raises Cancelled, ProviderTimeout, ProviderProtocolError.
        """
        if self._body.complete:
            return None
        data, self._first = self._first or self._receive(seconds), b""
        if data:
            return self._body.feed(data)
        self._body.end()
        return None

    def read_document(self) -> bytes:
        """Read a short response, or as much of it as comes before it fails: enough for an error. Raises Cancelled."""
        content = b""
        with contextlib.suppress(ProviderError):
            while len(content) < LARGEST_HEAD and (more := self.read(DOCUMENT_SECONDS)) is not None:
                content += more
            self.finish()
        return content

    def pause(self, seconds: float) -> None:
        """Read nothing for so many seconds. Raises Cancelled, ProviderTimeout."""
        self._connection.pause(seconds)

    def finish(self) -> None:
        """Give the connection back to the pool; its next user reads the end of the body if that is still to come."""
        if self._keep_alive and self._connection.release(self._body):
            self._finished = True
            self._endpoint.pool.put(self._connection)

    def close(self) -> None:
        """Close the connection, unless `finish` gave it back."""
        if not self._finished:
            self._connection.close()

    def _receive(self, seconds: float | None) -> bytes:
        try:
            return self._connection.receive(self._endpoint.read_timeout if seconds is None else seconds)
        except OSError as error:
            raise ProviderProtocolError from error


class Endpoint:
    """One model server: its base URL such as `https://api.openai.com/v1`, its key and its connections.

    Shared by all threads. Times are in seconds; `read_timeout` limits each wait for the server.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str = "",
        *,
        name: str = "",
        connect_timeout: float = 10.0,
        read_timeout: float = 300.0,
    ) -> None:
        parts = urlsplit(base_url)
        secure = parts.scheme == "https"
        self.base_url = base_url
        # For the log.
        self.name = name or parts.netloc
        self.read_timeout = read_timeout
        self.pool = ConnectionPool()
        # The members of requests that this server has refused; ChatModel fills it.
        self.refused: set[str] = set()
        self._server = Server(parts.hostname or "", parts.port or (443 if secure else 80), secure)
        self._path = parts.path.rstrip("/")
        self._query = f"?{parts.query}" if parts.query else ""
        self._connect_timeout = connect_timeout
        self._secrets = (api_key,) if api_key else ()
        authorization = f"Authorization: Bearer {api_key}\r\n" if api_key else ""
        self._headers = f"Host: {parts.netloc}\r\n{authorization}User-Agent: frontdesk\r\nAccept-Encoding: identity\r\n"

    def describe(self, model: str, said: str) -> CallDescription:
        """Return what the log says of a call. `said`: the words that are sent, for the log must not repeat them."""
        return CallDescription(self.name, model, self._secrets, said)

    def post(self, path: str, content: bytes, scope: CancelScope) -> Response:
        """Send JSON to a path below the base URL and return the response, of whatever status.

        Raises Cancelled, ProviderTimeout, ProviderUnreachable, ProviderProtocolError.
        """
        request = self._post_head(path, "application/json", len(content)) + content
        return self._request(lambda: (request,), scope)

    def post_form(self, path: str, form: MultipartForm, scope: CancelScope) -> Response:
        """Send a form to a path below the base URL. Returns and raises as `post`."""
        head = self._post_head(path, form.media_type, form.length)
        return self._request(lambda: itertools.chain((head,), form.pieces()), scope)

    def get(self, path: str, scope: CancelScope) -> Response:
        """Ask for a path below the base URL. Returns and raises as `post`."""
        request = f"GET {self._path}{path}{self._query} HTTP/1.1\r\n{self._headers}\r\n".encode()
        return self._request(lambda: (request,), scope)

    def _post_head(self, path: str, media_type: str, length: int) -> bytes:
        described = f"Content-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n"
        return f"POST {self._path}{path}{self._query} HTTP/1.1\r\n{self._headers}{described}".encode()

    def _request(self, request: Request, scope: CancelScope) -> Response:
        """Send a request over a kept connection, else over a new one.

        A server may close an idle connection at the moment in which we send: then no byte of a response comes, and the
        same bytes are sent again, once, over a new connection. Repeating is safe, for a model call changes nothing at
        the server. A new connection that breaks is a real failure and not repeated.
        """
        kept = self.pool.take()
        if kept is not None:
            kept.begin(scope)
            with contextlib.suppress(NoResponse):
                return self._exchange(kept, request, scope)
        try:
            return self._exchange(self._open(scope), request, scope)
        except NoResponse:
            raise ProviderUnreachable from None

    def _open(self, scope: CancelScope) -> Connection:
        try:
            return Connection(connect(self._server, scope, self._connect_timeout), scope)
        except OSError as error:
            scope.cancellation.raise_if_cancelled()
            logger.warning("cannot connect to model server %s:%s: %s", self._server.host, self._server.port, error)
            raise (ProviderTimeout if isinstance(error, TimeoutError) else ProviderUnreachable) from error

    def _exchange(self, connection: Connection, request: Request, scope: CancelScope) -> Response:
        try:
            # A server that refuses a long request may respond and close before it has read all: look for its response.
            with contextlib.suppress(OSError):
                for piece in request():
                    connection.send(piece, self.read_timeout)
            head, rest = self._read_head(connection, scope)
            return Response(head, rest, connection, self)
        except BaseException:
            connection.close()
            raise

    def _read_head(self, connection: Connection, scope: CancelScope) -> tuple[Head, bytes]:
        """Read the head of the final response; returns it and the bytes after it. Raises NoResponse before any byte."""
        data = b""
        while True:
            while (end := data.find(b"\r\n\r\n")) < 0:
                if len(data) > LARGEST_HEAD or not data.startswith(b"HTTP/1."[: len(data)]):
                    raise ProviderProtocolError
                piece = b""
                with contextlib.suppress(OSError):
                    piece = connection.receive(self.read_timeout)
                scope.cancellation.raise_if_cancelled()
                if not piece:
                    raise ProviderProtocolError if data else NoResponse
                data += piece
            head, data = parse_head(data[:end]), data[end + 4 :]
            if not head.is_interim:
                return head, data
