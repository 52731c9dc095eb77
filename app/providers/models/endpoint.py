"""One model server: requests to it and their answers, over connections that are kept."""

import contextlib
import itertools
import logging
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from app.errors import ProviderError, ProviderProtocolError, ProviderTimeout, ProviderUnreachable
from app.providers.cancellation import Patience
from app.providers.http.connecting import Server, connect
from app.providers.http.connections import Connection, ConnectionPool
from app.providers.http.http_messages import LARGEST_HEAD, Head, body_of, parse_head
from app.providers.http.multipart_forms import MultipartForm

logger = logging.getLogger(__name__)

DOCUMENT_SECONDS = 5.0

# A request's bytes, made anew when it has to be sent once more.
Request = Callable[[], Iterable[bytes]]


class NoAnswer(Exception):
    """The connection broke before the first byte of an answer."""


class Response:
    """An answer whose head has come. To be closed; after `finish` its connection serves the next call."""

    def __init__(self, head: Head, first: bytes, connection: Connection, endpoint: "Endpoint") -> None:
        self.status = head.status
        self.media_type = head.headers.get("content-type", "").partition(";")[0].strip().lower()
        self._body = body_of(head)
        self._keep_alive = head.keep_alive
        self._first = first
        self._connection = connection
        self._endpoint = endpoint
        self._finished = False

    def read(self, seconds: float | None = None) -> bytes | None:
        """All content that has arrived, perhaps none yet; None at its end. Raises Cancelled, ProviderTimeout, ProviderProtocolError."""
        if self._body.complete:
            return None
        data, self._first = self._first or self._receive(seconds), b""
        if data:
            return self._body.feed(data)
        self._body.end()
        return None

    def read_document(self) -> bytes:
        """The whole content of a short answer, or as much of it as is to be had. Raises Cancelled."""
        content = b""
        with contextlib.suppress(ProviderError):
            while len(content) < LARGEST_HEAD and (more := self.read(DOCUMENT_SECONDS)) is not None:
                content += more
            self.finish()
        return content

    def pause(self, seconds: float) -> None:
        """Read nothing for a while. Raises Cancelled, ProviderTimeout."""
        self._connection.pause(seconds)

    def finish(self) -> None:
        """Hand the connection on. Its next user takes the end of the body if that is still on its way."""
        if self._keep_alive and self._connection.release(self._body):
            self._finished = True
            self._endpoint.pool.put(self._connection)

    def close(self) -> None:
        if not self._finished:
            self._connection.close()

    def _receive(self, seconds: float | None) -> bytes:
        try:
            return self._connection.receive(self._endpoint.read_timeout if seconds is None else seconds)
        except OSError as error:
            raise ProviderProtocolError from error


class Endpoint:
    """A base URL such as `https://api.openai.com/v1`, its key and its connections. Shared by all threads."""

    def __init__(
        self, base_url: str, api_key: str = "", *, connect_timeout: float = 10.0, read_timeout: float = 300.0
    ) -> None:
        parts = urlsplit(base_url)
        secure = parts.scheme == "https"
        self.base_url = base_url
        self.read_timeout = read_timeout
        self.pool = ConnectionPool()
        # What this server was seen to refuse, by name; see ChatModel.
        self.refused: set[str] = set()
        self._server = Server(parts.hostname or "", parts.port or (443 if secure else 80), secure)
        self._path = parts.path.rstrip("/")
        self._query = f"?{parts.query}" if parts.query else ""
        self._connect_timeout = connect_timeout
        authorization = f"Authorization: Bearer {api_key}\r\n" if api_key else ""
        self._headers = f"Host: {parts.netloc}\r\n{authorization}User-Agent: frontdesk\r\nAccept-Encoding: identity\r\n"

    def post(self, path: str, content: bytes, patience: Patience) -> Response:
        """Send JSON to a path below the base URL. Raises Cancelled, ProviderTimeout, ProviderUnreachable, ProviderProtocolError."""
        request = self._post_head(path, "application/json", len(content)) + content
        return self._request(lambda: (request,), patience)

    def post_form(self, path: str, form: MultipartForm, patience: Patience) -> Response:
        """Send a form to a path below the base URL. Raises as `post`."""
        head = self._post_head(path, form.media_type, form.length)
        return self._request(lambda: itertools.chain((head,), form.pieces()), patience)

    def get(self, path: str, patience: Patience) -> Response:
        """Ask for a path below the base URL. Raises as `post`."""
        request = f"GET {self._path}{path}{self._query} HTTP/1.1\r\n{self._headers}\r\n".encode()
        return self._request(lambda: (request,), patience)

    def _post_head(self, path: str, media_type: str, length: int) -> bytes:
        described = f"Content-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n"
        return f"POST {self._path}{path}{self._query} HTTP/1.1\r\n{self._headers}{described}".encode()

    def _request(self, request: Request, patience: Patience) -> Response:
        kept = self.pool.take()
        if kept is not None:
            kept.begin(patience)
            # The server may have closed it in this very moment, having read nothing.
            with contextlib.suppress(NoAnswer):
                return self._exchange(kept, request, patience)
        try:
            return self._exchange(self._open(patience), request, patience)
        except NoAnswer:
            raise ProviderUnreachable from None

    def _open(self, patience: Patience) -> Connection:
        try:
            return Connection(connect(self._server, patience, self._connect_timeout), patience)
        except OSError as error:
            patience.cancellation.raise_if_cancelled()
            logger.warning("cannot connect to model server %s:%s: %s", self._server.host, self._server.port, error)
            raise (ProviderTimeout if isinstance(error, TimeoutError) else ProviderUnreachable) from error

    def _exchange(self, connection: Connection, request: Request, patience: Patience) -> Response:
        try:
            # A server that refuses a long request may close before it has read all, and still have answered.
            with contextlib.suppress(OSError):
                for piece in request():
                    connection.send(piece, self.read_timeout)
            head, rest = self._read_head(connection, patience)
            return Response(head, rest, connection, self)
        except BaseException:
            connection.close()
            raise

    def _read_head(self, connection: Connection, patience: Patience) -> tuple[Head, bytes]:
        data = b""
        while True:
            while (end := data.find(b"\r\n\r\n")) < 0:
                if len(data) > LARGEST_HEAD or not data.startswith(b"HTTP/1."[: len(data)]):
                    raise ProviderProtocolError
                piece = b""
                with contextlib.suppress(OSError):
                    piece = connection.receive(self.read_timeout)
                patience.cancellation.raise_if_cancelled()
                if not piece:
                    raise ProviderProtocolError if data else NoAnswer
                data += piece
            head, data = parse_head(data[:end]), data[end + 4 :]
            if not head.is_interim:
                return head, data
