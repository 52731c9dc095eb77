"""Send requests to one model server, over connections that are kept, and read its responses."""

import contextlib
import itertools
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from app.errors import ProviderError, ProviderProtocolError, ProviderTimeout, ProviderUnreachable
from app.metrics.names import MODEL_REPEATS
from app.providers.cancellation import CancelScope
from app.providers.http.connecting import Server, connect
from app.providers.http.connections import Connection, ConnectionPool
from app.providers.http.content_codings import Decoder, is_known
from app.providers.http.http_messages import LARGEST_HEAD, Head, body_reader, parse_head
from app.providers.http.multipart_forms import MultipartForm
from app.providers.http.outgoing import WITHOUT_PROXY, Outgoing, UnusableProxy
from app.providers.models.call_slots import CallSlots
from app.providers.models.model_failures import CallDescription
from app.providers.models.repetitions import NoResponse, asks_for_repetition, may_pass, pause_before

logger = logging.getLogger(__name__)

DOCUMENT_SECONDS = 5.0
# Redirects after which a request is sent again as it was, to a path of the same server.
REDIRECTS = (301, 302, 307, 308)
MOST_REDIRECTS = 3


@dataclass(frozen=True)
class Request:
    """One request. `target`: path and query; `headers`: those that describe the body, a line each.

    `content` makes the bytes of the body, from their beginning each time that it is sent.
    """

    method: str
    target: str
    headers: str = ""
    content: Callable[[], Iterable[bytes]] = tuple


class Response:
    """A response whose head has come; the caller reads its body and closes it.

    `first`: bytes of the body that came with the head.
    """

    def __init__(self, head: Head, first: bytes, connection: Connection, endpoint: "Endpoint") -> None:
        self.status = head.status
        self.media_type = head.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.location = head.headers.get("location", "")
        self.retry_after = head.headers.get("retry-after", "")
        self._body = body_reader(head)
        coding = head.headers.get("content-encoding", "")
        # Of an error the status counts, whether its body can be read or not.
        if not is_known(coding) and head.status == 200:
            logger.warning(
                "answer cannot be decompressed: model server %s sent Content-Encoding %r, unasked",
                endpoint.name,
                coding,
            )
            raise ProviderProtocolError
        self._decoder = Decoder(coding)
        # Called once the response is closed.
        self.release: Callable[[], None] | None = None
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
            return self._decoder.feed(self._body.feed(data))
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
        """Close the connection, unless `finish` gave it back. May be called twice."""
        if not self._finished:
            self._connection.close()
        release, self.release = self.release, None
        if release is not None:
            release()

    def _receive(self, seconds: float | None) -> bytes:
        try:
            return self._connection.receive(self._endpoint.read_timeout if seconds is None else seconds)
        except OSError as error:
            raise ProviderProtocolError from error


class Endpoint:
    """One model server: its base URL such as `https://api.openai.com/v1`, its key and its connections.

    Shared by all threads. Times are in seconds; `read_timeout` limits each wait for the server. `at_once`: calls that
    run at the same time in this process, None for any number; `retries`: how often a request is sent again that the
    server did not begin to answer; `outgoing`: proxies and certificate authorities.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str = "",
        *,
        name: str = "",
        connect_timeout: float = 10.0,
        read_timeout: float = 300.0,
        at_once: int | None = None,
        retries: int = 0,
        outgoing: Outgoing = WITHOUT_PROXY,
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
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path.rstrip("/")
        self._query = f"?{parts.query}" if parts.query else ""
        self._connect_timeout, self._retries = connect_timeout, retries
        self._slots = None if at_once is None else CallSlots(at_once)
        self._secrets = (api_key,) if api_key else ()
        self._proxy_problem: UnusableProxy | None = None
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        try:
            proxy = outgoing.proxy_for(host, port, secure)
        except UnusableProxy as problem:
            proxy, self._proxy_problem = None, problem
        self._server = Server(host, port, secure, proxy, outgoing.ca_files)
        # Without TLS a proxy reads the requests: it needs the whole URL, and credentials in each.
        self._before_target, for_proxy = (self._origin, proxy.header) if proxy is not None and not secure else ("", "")
        authorization = f"Authorization: Bearer {api_key}\r\n" if api_key else ""
        self._headers = (
            f"Host: {parts.netloc}\r\n{authorization}{for_proxy}User-Agent: frontdesk\r\nAccept-Encoding: identity\r\n"
        )

    @property
    def address(self) -> tuple[str, int]:
        """The server's host and port."""
        return self._server.host, self._server.port

    def describe(self, model: str, said: str) -> CallDescription:
        """Return what the log says of a call. `said`: the words that are sent, for the log must not repeat them."""
        return CallDescription(self.name, model, self._secrets, said)

    def post(self, path: str, content: bytes, scope: CancelScope, *, repeat: bool = True) -> Response:
        """Send JSON to a path below the base URL and return the response, of whatever status.

        `repeat` False: the caller repeats requests itself. Raises Cancelled, ModelBusy, ProviderTimeout,
        ProviderUnreachable, ProviderProtocolError.
        """
        described = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        request = Request("POST", self._target(path), described, lambda: (content,))
        return self._limited(request, scope, self._retries if repeat else 0)

    def post_form(self, path: str, form: MultipartForm, scope: CancelScope) -> Response:
        """Send a form to a path below the base URL. Returns and raises as `post`."""
        described = f"Content-Type: {form.media_type}\r\nContent-Length: {form.length}\r\n"
        return self._limited(Request("POST", self._target(path), described, form.pieces), scope, self._retries)

    def get(self, path: str, scope: CancelScope) -> Response:
        """Ask for a path below the base URL, once. Returns and raises as `post`."""
        return self._followed(Request("GET", self._target(path)), scope)

    def _target(self, path: str) -> str:
        return f"{self._path}{path}{self._query}"

    def _limited(self, request: Request, scope: CancelScope, retries: int) -> Response:
        """Send a request once fewer calls than allowed are running; its response holds a place until it is closed."""
        if self._slots is None:
            return self._repeated(request, scope, retries)
        self._slots.take(scope)
        try:
            response = self._repeated(request, scope, retries)
        except BaseException:
            self._slots.give_back()
            raise
        response.release = self._slots.give_back
        return response

    def _repeated(self, request: Request, scope: CancelScope, retries: int) -> Response:
        """Send a request, and again where the server did not begin to answer, as long as the deadline allows it."""
        for attempt in itertools.count(1):
            response, retry_after, reason = None, "", "cannot be reached"
            try:
                response = self._followed(request, scope)
                retry_after, reason = response.retry_after, f"answered {response.status}"
                if not asks_for_repetition(response.status, retry_after):
                    return response
            except ProviderUnreachable as failure:
                if attempt > retries or not may_pass(failure):
                    raise
            pause = pause_before(attempt, retry_after)
            if attempt > retries or pause is None or not scope.has_time(pause):
                if response is None:
                    raise ProviderUnreachable
                return response
            if response is not None:
                response.close()
            logger.warning(
                "model call repeated: model server %s %s, asked again after %.1f s", self.name, reason, pause
            )
            MODEL_REPEATS.add(self.name)
            scope.cancellation.wait(pause)
        raise AssertionError("unreachable")

    def _followed(self, request: Request, scope: CancelScope) -> Response:
        """Send a request, and again to where the server redirects it within itself. Raises as `post`."""
        for _ in range(MOST_REDIRECTS + 1):
            response = self._request(request, scope)
            if not (300 <= response.status < 400 and response.location):
                return response
            response.read_document()
            response.close()
            address = urljoin(f"{self._origin}{request.target}", response.location)
            parts = urlsplit(address)
            if response.status not in REDIRECTS or f"{parts.scheme}://{parts.netloc}".lower() != self._origin.lower():
                logger.warning(
                    "redirect not followed: model server %s leads to %s://%s%s; set its base URL to where it is",
                    self.name,
                    *parts[:3],
                )
                raise ProviderProtocolError
            request = replace(request, target=f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}")
        logger.warning("redirect not followed: model server %s redirects more than %d times", self.name, MOST_REDIRECTS)
        raise ProviderProtocolError

    def _request(self, request: Request, scope: CancelScope) -> Response:
        """Send a request over a kept connection, else over a new one.

        A server may close an idle connection at the moment in which we send: then no byte of a response comes, and the
        same bytes are sent again, once, over a new connection. Repeating is safe, for a model call changes nothing at
        the server.
        """
        kept = self.pool.take()
        if kept is not None:
            kept.begin(scope)
            with contextlib.suppress(NoResponse):
                return self._exchange(kept, request, scope)
        try:
            return self._exchange(self._open(scope), request, scope)
        except NoResponse as failure:
            raise ProviderUnreachable from failure

    def _open(self, scope: CancelScope) -> Connection:
        try:
            if self._proxy_problem is not None:
                raise self._proxy_problem
            return Connection(connect(self._server, scope, self._connect_timeout), scope)
        except OSError as error:
            scope.cancellation.raise_if_cancelled()
            logger.warning("cannot connect to model server %s:%s: %s", self._server.host, self._server.port, error)
            raise (ProviderTimeout if isinstance(error, TimeoutError) else ProviderUnreachable) from error

    def _exchange(self, connection: Connection, request: Request, scope: CancelScope) -> Response:
        try:
            # A server that refuses a long request may respond and close before it has read all: look for its response.
            with contextlib.suppress(OSError):
                pieces = iter(request.content())
                # The head and a short body in one packet.
                connection.send(self._head(request) + next(pieces, b""), self.read_timeout)
                for piece in pieces:
                    connection.send(piece, self.read_timeout)
            head, rest = self._read_head(connection, scope)
            return Response(head, rest, connection, self)
        except BaseException:
            connection.close()
            raise

    def _head(self, request: Request) -> bytes:
        line = f"{request.method} {self._before_target}{request.target} HTTP/1.1\r\n"
        return f"{line}{self._headers}{request.headers}\r\n".encode()

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
