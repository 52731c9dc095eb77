"""Sessions with MCP servers. The protocol's package is asynchronous; its callers here are ordinary threads.

So one thread with an event loop serves all sessions of the process, and callers wait for futures. An `McpSession` is
for one server; it opens a `_Connection` when needed and another when that is lost; each has a `Client` of the package.

Imported only where a tools file names such a server: the package takes some 40 MiB.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import anyio
import httpx2
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from app.providers.cancellation import Cancellation
from app.providers.http.outgoing import WITHOUT_PROXY, Outgoing
from app.tools.tool_types import ToolFailed

CONNECT_SECONDS = 30.0
CONNECTION_CLOSED = -32000
LONGEST_MESSAGE = 200
SESSION_GONE = "Session terminated"

Streams = tuple[Any, Any]
Transport = Callable[["TransportState"], contextlib.AbstractAsyncContextManager[Streams]]
Answer = TypeVar("Answer")

# Its logger writes servers' errors with stack traces and request headers, which hold keys.
logging.getLogger("mcp").setLevel(logging.CRITICAL)


class TransportState:
    """What a transport has seen of its server. `error_status`: the last answer's HTTP status, None below 400.

    What the package raises does not carry the status, and it is what tells the operator of a wrong key or address.
    """

    def __init__(self) -> None:
        self.error_status: int | None = None


def over_http(
    url: str, headers: dict[str, str], seconds: float, most_bytes: int, outgoing: Outgoing = WITHOUT_PROXY
) -> Transport:
    """Return a transport by streamable HTTP. Redirects to another server are not followed. Raises UnusableProxy."""
    proxy, context = outgoing.proxy_url(url) or None, outgoing.tls_context()

    @contextlib.asynccontextmanager
    async def transport(state: TransportState) -> AsyncGenerator[Streams]:
        async def watch(response: httpx2.Response) -> None:
            state.error_status = response.status_code if response.status_code >= 400 else None

        timeout = httpx2.Timeout(CONNECT_SECONDS, read=max(seconds, CONNECT_SECONDS))
        bounded = _Bounded(httpx2.AsyncHTTPTransport(context, proxy=proxy), most_bytes)
        client = httpx2.AsyncClient(
            headers=headers, timeout=timeout, transport=bounded, event_hooks={"response": [watch]}
        )
        async with client, streamable_http_client(url, http_client=client, max_sse_event_size=most_bytes) as streams:
            yield streams

    return transport


def over_stdio(command: list[str], environment: dict[str, str]) -> Transport:
    """Return a transport to a process that is started here and ends with the connection."""

    @contextlib.asynccontextmanager
    async def transport(state: TransportState) -> AsyncGenerator[Streams]:
        parameters = StdioServerParameters(
            command=command[0], args=command[1:], env=environment, encoding_error_handler="replace"
        )
        with open(os.devnull, "w") as nowhere:
            async with stdio_client(parameters, errlog=nowhere) as streams:
                yield streams

    return transport


class McpSession:
    """The session with one server: connected at the first request, and again after the connection was lost."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = asyncio.Lock()
        self._connection: _Connection | None = None

    def ask(self, request: Callable[[Client], Awaitable[Answer]], seconds: float, cancellation: Cancellation) -> Answer:
        """Send a request from an ordinary thread; return its answer. Raises ToolFailed with one line, Cancelled."""
        future = asyncio.run_coroutine_threadsafe(self._ask(request), _loop())

        def stop() -> None:
            future.cancel()

        cancellation.add(stop)
        try:
            if cancellation.is_cancelled:
                stop()
            return future.result(seconds)
        except concurrent.futures.CancelledError:
            cancellation.raise_if_cancelled()
            raise ToolFailed("The connection to the tool server was lost.") from None
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise ToolFailed(f"The tool server did not answer within {seconds:g} seconds.") from None
        finally:
            cancellation.remove(stop)

    def close(self) -> None:
        """Close the connection, and end the process where the server is one of ours."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception, concurrent.futures.CancelledError):
                asyncio.run_coroutine_threadsafe(connection.close(), _loop()).result(CONNECT_SECONDS)

    async def _ask(self, request: Callable[[Client], Awaitable[Answer]]) -> Answer:
        for attempt in (1, 2):
            connection = await self._connected()
            try:
                return await request(connection.client)
            except MCPError as error:
                # A tool may act on the world, so a request is sent a second time only if the server has certainly not
                # begun the first: it did not know the session, or nothing was connected.
                untouched = error.message == SESSION_GONE or await connection.was_unreachable(error)
                if untouched or error.code == CONNECTION_CLOSED:
                    await self._drop(connection)
                if untouched and attempt == 1:
                    continue
                raise ToolFailed(connection.explain(error)) from None
            except Exception as error:
                raise ToolFailed(connection.explain(error)) from None
        raise AssertionError("unreachable")

    async def _connected(self) -> "_Connection":
        """Return the connection, opened if there is none. The lock keeps concurrent requests from opening several."""
        async with self._lock:
            if self._connection is None or self._connection.has_ended:
                self._connection = _Connection(self._transport)
                try:
                    await self._connection.begin()
                except BaseException:
                    connection, self._connection = self._connection, None
                    connection.request_end()
                    raise
            return self._connection

    async def _drop(self, connection: "_Connection") -> None:
        connection.request_end()
        if self._connection is connection:
            self._connection = None


class _Connection:
    """One connection to a server. A task of its own opens and closes it: the package's scopes must not change tasks."""

    client: Client

    def __init__(self, transport: Transport) -> None:
        self._state = TransportState()
        self._transport = transport
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended = asyncio.Event()
        self._failure: BaseException | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def has_ended(self) -> bool:
        return self._ended.is_set() or self._task is None or self._task.done()

    async def begin(self) -> None:
        """Connect. Raises ToolFailed where that fails."""
        self._task = asyncio.create_task(self._keep())
        try:
            # Shielded, so that a timeout leaves the future undone: by that `request_end` knows that the task is still
            # connecting, and cancels it.
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.shield(self._ready)
        except TimeoutError:
            raise ToolFailed(f"The tool server did not answer within {CONNECT_SECONDS:g} seconds.") from None

    def request_end(self) -> None:
        self._ended.set()
        if self._task is not None and not self._ready.done():
            self._task.cancel()

    async def close(self) -> None:
        self.request_end()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=CONNECT_SECONDS)

    async def was_unreachable(self, error: MCPError) -> bool:
        """Return whether the connection ended because the server accepted none."""
        if error.code != CONNECTION_CLOSED or self._task is None:
            return False
        # The task ends a moment after the request's error, and only then is its own error known.
        await asyncio.wait([self._task], timeout=1.0)
        return isinstance(_innermost(self._failure), httpx2.ConnectError)

    def explain(self, error: BaseException) -> str:
        """Return one line that says what went wrong. It names no address or header: end users may read it."""
        error = _innermost(error) or error
        closed = isinstance(error, MCPError) and error.code == CONNECTION_CLOSED
        if closed and self._failure is not None:
            error = _innermost(self._failure) or error
        if isinstance(error, _TooLarge):
            return str(error)
        if self._state.error_status is not None:
            return f"The tool server answered {self._state.error_status}."
        if isinstance(error, httpx2.ConnectError | httpx2.TimeoutException | FileNotFoundError | PermissionError):
            return "The tool server cannot be reached."
        if closed or isinstance(error, httpx2.TransportError):
            return "The connection to the tool server was lost."
        if not isinstance(error, MCPError):
            return f"The tool server failed ({type(error).__name__})."
        return f"The tool server failed: {error.message.partition(chr(10))[0][:LONGEST_MESSAGE]}"

    async def _keep(self) -> None:
        try:
            async with Client(self._watched_streams(), mode="auto", cache=None) as client:
                self.client = client
                if not self._ready.done():
                    self._ready.set_result(None)
                await self._ended.wait()
        except asyncio.CancelledError:
            self._fail(None)
            raise
        except BaseException as error:
            self._fail(error)
        finally:
            self._ended.set()

    def _fail(self, error: BaseException | None) -> None:
        self._failure = error
        if not self._ready.done():
            message = self.explain(error) if error is not None else "The tool server cannot be reached."
            self._ready.set_exception(ToolFailed(message))
            # Marks the exception as read: if nobody waits any more, asyncio would log it as never retrieved.
            self._ready.exception()

    @contextlib.asynccontextmanager
    async def _watched_streams(self) -> AsyncGenerator[Streams]:
        """Open the transport's streams, and end the connection as soon as the server closes them.

        Messages pass through a stream of ours, so that the end of the server's is noticed at once: the next request
        then connects anew instead of failing first.
        """
        async with self._transport(self._state) as (read, write), anyio.create_task_group() as group:
            forward, received = anyio.create_memory_object_stream[Any](0)

            async def pass_on() -> None:
                async with forward:
                    with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
                        async for message in read:
                            await forward.send(message)
                self._ended.set()

            group.start_soon(pass_on)
            try:
                async with received:
                    yield received, write
            finally:
                group.cancel_scope.cancel()


class _TooLarge(Exception):
    """An answer larger than its limit."""


class _Bounded(httpx2.AsyncBaseTransport):
    """Limits the size of answers, except event streams: those are limited event by event (`max_sse_event_size`)."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, most_bytes: int) -> None:
        self._inner, self._most = inner, most_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if not response.headers.get("content-type", "").lower().startswith("text/event-stream"):
            response.stream = _BoundedStream(response.stream, self._most)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: Any, most_bytes: int) -> None:
        self._inner, self._left = inner, most_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._inner:
            self._left -= len(part)
            if self._left < 0:
                raise _TooLarge("The tool server's answer is too large.")
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()


def _innermost(error: BaseException | None) -> BaseException | None:
    """Return the first error inside nested exception groups, in which anyio's task groups wrap errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


_starting = threading.Lock()
_running: list[asyncio.AbstractEventLoop] = []


def _loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of this process's sessions, started with its thread at the first call."""
    with _starting:
        if not _running:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="mcp", daemon=True).start()
            _running.append(loop)
        return _running[0]
