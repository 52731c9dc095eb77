"""One streamed answer over a raw asyncio protocol: bytes are only kept while the clock runs, and read afterwards."""

import asyncio
import dataclasses
import json
import time
from typing import cast

from tests.support.sse import find_problem, parse_frames

FIRST_TEXT = b'"answer"'
LAST_CHUNK = b"\n0\r\n\r\n"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How one stream went; times in seconds from the moment before it connected."""

    first: float | None
    total: float
    frames: int
    problem: str | None


class Stream(asyncio.Protocol):
    """Sends one request and keeps what comes until the body ends."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._transport: asyncio.Transport | None = None
        self.finished = asyncio.get_running_loop().create_future()
        self.began = time.monotonic()
        self.first: float | None = None
        self.ended: float | None = None
        self.pieces: list[bytes] = []
        self.problem: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        if self.first is None and FIRST_TEXT in data:
            self.first = time.monotonic()
        if data.endswith(LAST_CHUNK[-5:]) and b"".join(self.pieces[-2:]).endswith(LAST_CHUNK):
            self._end()

    def connection_lost(self, error: Exception | None) -> None:
        self._end()

    def give_up(self, problem: str) -> None:
        self.problem = problem
        self._end()

    def _end(self) -> None:
        if not self.finished.done():
            self.ended = time.monotonic()
            self.finished.set_result(None)
        if self._transport is not None:
            self._transport.abort()


def request_bytes(host: str, code: str, passport: str, query: str) -> bytes:
    """The whole POST /api/chat-messages."""
    body = json.dumps({"inputs": {}, "query": query, "response_mode": "streaming"}).encode()
    head = (
        f"POST /api/chat-messages HTTP/1.1\r\nHost: {host}\r\nX-App-Code: {code}\r\nX-App-Passport: {passport}\r\n"
        f"Content-Type: application/json\r\nAccept: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def run_stream(address: tuple[str, int], request: bytes, seconds: float) -> Stream:
    """One stream from connect to end, whatever that is; `judge` says afterwards how it went."""
    stream = Stream(request)
    try:
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().create_connection(lambda: stream, *address)
            await stream.finished
    except TimeoutError:
        stream.give_up(f"no end within {seconds} s")
    except OSError as error:
        stream.give_up(f"no connection: {error}")
    return stream


def judge(stream: Stream, expected: str | None) -> Outcome:
    """Read what a stream brought."""
    first = None if stream.first is None else stream.first - stream.began
    total = (stream.ended or stream.began) - stream.began
    head, _, body = b"".join(stream.pieces).partition(b"\r\n\r\n")
    if stream.problem is not None:
        return Outcome(first, total, 0, f"{stream.problem}, {len(body)} bytes came")
    if not head.startswith(b"HTTP/1.1 200 "):
        return Outcome(first, total, 0, f"answer: {head[:40].decode('latin-1')!r} {body[:200].decode('latin-1')!r}")
    try:
        frames = parse_frames(_without_chunking(body).decode())
    except ValueError as error:
        return Outcome(first, total, 0, f"body not readable: {error}")
    return Outcome(first, total, len(frames), find_problem(frames, expected))


def _without_chunking(body: bytes) -> bytes:
    pieces: list[bytes] = []
    position = 0
    while True:
        end = body.index(b"\r\n", position)
        size = int(body[position:end], 16)
        if size == 0:
            return b"".join(pieces)
        pieces.append(body[end + 2 : end + 2 + size])
        position = end + 2 + size + 2
