"""Sessions with MCP servers. One thread with an event loop serves all of them; callers are ordinary threads.

Imported where a tools file names such a server: the protocol's package takes some 40 MiB.
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
from app.tools.tool_types import ToolFailed

CONNECT_SECONDS = 30.0
CONNECTION_CLOSED = -32000
LONGEST_WORDS = 200
SESSION_GONE = "Session terminated"

Streams = tuple[Any, Any]
Transport = Callable[["ServerNotes"], contextlib.AbstractAsyncContextManager[Streams]]
Given = TypeVar("Given")

# It tells what servers say with stack traces, and headers in them.
logging.getLogger("mcp").setLevel(logging.CRITICAL)


class ServerNotes:
    """What a transport saw of its server. `status`: the last HTTP answer that was an error."""

    def __init__(self) -> None:
        self.status: int | None = None


def over_http(url: str, headers: dict[str, str], seconds: float, most_bytes: int) -> Transport:
    """By streamable HTTP. Redirects that leave the server are not followed."""

    @contextlib.asynccontextmanager
    async def transport(notes: ServerNotes) -> AsyncGenerator[Streams]:
        async def note(response: httpx2.Response) -> None:
            notes.status = response.status_code if response.status_code >= 400 else None

        timeout = httpx2.Timeout(CONNECT_SECONDS, read=max(seconds, CONNECT_SECONDS))
        bounded = _Bounded(httpx2.AsyncHTTPTransport(), most_bytes)
        client = httpx2.AsyncClient(
            headers=headers, timeout=timeout, transport=bounded, event_hooks={"response": [note]}
        )
        async with client, streamable_http_client(url, http_client=client, max_sse_event_size=most_bytes) as streams:
            yield streams

    return transport


def over_stdio(command: list[str], environment: dict[str, str]) -> Transport:
    """By a process of ours, which ends with us."""

    @contextlib.asynccontextmanager
    async def transport(notes: ServerNotes) -> AsyncGenerator[Streams]:
        parameters = StdioServerParameters(
            command=command[0], args=command[1:], env=environment, encoding_error_handler="replace"
        )
        with open(os.devnull, "w") as nowhere:
            async with stdio_client(parameters, errlog=nowhere) as streams:
                yield streams

    return transport


class McpSession:
    """One server: connected when first asked, and anew where the connection was lost."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = asyncio.Lock()
        self._keeper: _Keeper | None = None

    def ask(self, question: Callable[[Client], Awaitable[Given]], seconds: float, cancellation: Cancellation) -> Given:
        """What the server says to a question. Raises ToolFailed with a line that says why not, Cancelled."""
        future = asyncio.run_coroutine_threadsafe(self._ask(question), _loop())

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
        """End the session, and the process where it is one of ours."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            with contextlib.suppress(Exception, concurrent.futures.CancelledError):
                asyncio.run_coroutine_threadsafe(keeper.close(), _loop()).result(CONNECT_SECONDS)

    async def _ask(self, question: Callable[[Client], Awaitable[Given]]) -> Given:
        for attempt in (1, 2):
            keeper = await self._connected()
            try:
                return await question(keeper.client)
            except MCPError as error:
                # A server that did not know the session, or was not reached, has not begun anything.
                untouched = error.message == SESSION_GONE or await keeper.was_not_reached(error)
                if untouched or error.code == CONNECTION_CLOSED:
                    await self._drop(keeper)
                if untouched and attempt == 1:
                    continue
                raise ToolFailed(keeper.words(error)) from None
            except Exception as error:
                raise ToolFailed(keeper.words(error)) from None
        raise AssertionError("unreachable")

    async def _connected(self) -> "_Keeper":
        async with self._lock:
            if self._keeper is None or self._keeper.is_over:
                self._keeper = _Keeper(self._transport)
                try:
                    await self._keeper.begin()
                except BaseException:
                    keeper, self._keeper = self._keeper, None
                    keeper.end_soon()
                    raise
            return self._keeper

    async def _drop(self, keeper: "_Keeper") -> None:
        keeper.end_soon()
        if self._keeper is keeper:
            self._keeper = None


class _Keeper:
    """A connection, opened and closed by one task of its own, as its package demands."""

    client: Client

    def __init__(self, transport: Transport) -> None:
        self._notes = ServerNotes()
        self._transport = transport
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self._failure: BaseException | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        return self._over.is_set() or self._task is None or self._task.done()

    async def begin(self) -> None:
        """Raises ToolFailed where the server cannot be had."""
        self._task = asyncio.create_task(self._keep())
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.shield(self._ready)
        except TimeoutError:
            raise ToolFailed(f"The tool server did not answer within {CONNECT_SECONDS:g} seconds.") from None

    def end_soon(self) -> None:
        self._over.set()
        if self._task is not None and not self._ready.done():
            self._task.cancel()

    async def close(self) -> None:
        self.end_soon()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=CONNECT_SECONDS)

    async def was_not_reached(self, error: MCPError) -> bool:
        """Whether the connection ended because there was nobody to connect to."""
        if error.code != CONNECTION_CLOSED or self._task is None:
            return False
        await asyncio.wait([self._task], timeout=1.0)
        return isinstance(_first(self._failure), httpx2.ConnectError)

    def words(self, error: BaseException) -> str:
        """What went wrong, in one line without addresses and headers."""
        error = _first(error) or error
        closed = isinstance(error, MCPError) and error.code == CONNECTION_CLOSED
        if closed and self._failure is not None:
            error = _first(self._failure) or error
        if isinstance(error, _TooLarge):
            return str(error)
        if self._notes.status is not None:
            return f"The tool server answered {self._notes.status}."
        if isinstance(error, httpx2.ConnectError | httpx2.TimeoutException | FileNotFoundError | PermissionError):
            return "The tool server cannot be reached."
        if closed or isinstance(error, httpx2.TransportError):
            return "The connection to the tool server was lost."
        if not isinstance(error, MCPError):
            return f"The tool server failed ({type(error).__name__})."
        return f"The tool server failed: {error.message.partition(chr(10))[0][:LONGEST_WORDS]}"

    async def _keep(self) -> None:
        try:
            async with Client(self._watched(), mode="auto", cache=None) as client:
                self.client = client
                if not self._ready.done():
                    self._ready.set_result(None)
                await self._over.wait()
        except asyncio.CancelledError:
            self._fail(None)
            raise
        except BaseException as error:
            self._fail(error)
        finally:
            self._over.set()

    def _fail(self, error: BaseException | None) -> None:
        self._failure = error
        if not self._ready.done():
            words = self.words(error) if error is not None else "The tool server cannot be reached."
            self._ready.set_exception(ToolFailed(words))
            # Nobody may be waiting any more.
            self._ready.exception()

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncGenerator[Streams]:
        """The transport; that its server has gone is noticed at once, not at the next call."""
        async with self._transport(self._notes) as (read, write), anyio.create_task_group() as group:
            told, heard = anyio.create_memory_object_stream[Any](0)

            async def listen() -> None:
                async with told:
                    with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
                        async for message in read:
                            await told.send(message)
                self._over.set()

            group.start_soon(listen)
            try:
                async with heard:
                    yield heard, write
            finally:
                group.cancel_scope.cancel()


class _TooLarge(Exception):
    pass


class _Bounded(httpx2.AsyncBaseTransport):
    """Ends answers that are no event streams where they grow too large."""

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


def _first(error: BaseException | None) -> BaseException | None:
    """What is inside of groups of errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


_starting = threading.Lock()
_running: list[asyncio.AbstractEventLoop] = []


def _loop() -> asyncio.AbstractEventLoop:
    """This process's, started at first use."""
    with _starting:
        if not _running:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="mcp", daemon=True).start()
            _running.append(loop)
        return _running[0]
