"""The HTTP side of the scripted model: a raw asyncio protocol, since a framework would cost more than the answers."""

import asyncio
import dataclasses
import time
from collections import deque
from typing import Any, cast

from tests.support.scripted_model.audio import speech_reply, transcription_reply
from tests.support.scripted_model.behaviour import (
    Behaviour,
    echoed,
    last_user_text,
    message_text,
    steered,
    with_next_call,
)
from tests.support.scripted_model.recording import RecordedRequest
from tests.support.scripted_model.replies import CREATED, Reply, Request, json_reply, make_reply
from tests.support.scripted_model.vectors import DIMENSIONS, embeddings_reply, rerank_reply
from tests.support.scripted_model.wheel import TimerWheel

MODELS = ("scripted", "scripted-small")
KEPT_REQUESTS = 20_000


class State:
    """What all connections share: the default answer, the scripted next ones, and the record of requests."""

    def __init__(self, default: Behaviour) -> None:
        self.default = default
        self.scripted: deque[Behaviour] = deque()
        self.requests: deque[RecordedRequest] = deque(maxlen=KEPT_REQUESTS)
        self.audio_requests: deque[RecordedRequest] = deque(maxlen=KEPT_REQUESTS)
        self.vector_requests: deque[RecordedRequest] = deque(maxlen=KEPT_REQUESTS)
        self.vector_scripts: deque[Behaviour | None] = deque()
        self.dimensions = DIMENSIONS
        self.connections: set[Connection] = set()
        self.wheel: TimerWheel | None = None

    def next_behaviour(self, body: dict[str, Any]) -> Behaviour:
        behaviour = self.scripted.popleft() if self.scripted else self.default
        asked = last_user_text(body)
        behaviour = with_next_call(steered(behaviour, asked), asked, body)
        return dataclasses.replace(behaviour, chunks=echoed(body)) if behaviour.echo else behaviour


class Connection(asyncio.Protocol):
    """One client connection, with keep-alive: answers one request after the other."""

    def __init__(self, state: State, loop: asyncio.AbstractEventLoop) -> None:
        self._state = state
        self._loop = loop
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._request: RecordedRequest | None = None
        self._reply: Reply | None = None
        self._writes = 0
        self._due = 0.0
        self._client_finished = False
        self._client_port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._client_port = transport.get_extra_info("peername")[1]
        self._state.connections.add(self)

    def eof_received(self) -> None:
        self._client_finished = True

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._state.connections.discard(self)
        request = self._request
        if request is not None and request.ended is None:
            request.closed_early = time.time()
            request.closing = "fin" if self._client_finished and error is None else "reset"

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._request is None:
            self._take_request()

    def _take_request(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end]
        stop = end + 4 + _content_length(head)
        if len(self._buffer) < stop:
            return
        content, self._buffer = self._buffer[end + 4 : stop], self._buffer[stop:]
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        self._answer(RecordedRequest(method, path, head, content, self._client_port))

    def _answer(self, request: RecordedRequest) -> None:
        self._request = request
        self._writes = 0
        self._reply = reply = self._choose_reply(request)
        if not reply.writes:
            return
        self._due = self._loop.time() + reply.delay
        if reply.delay and self._state.wheel is not None:
            self._state.wheel.call_at(self._due, self._advance)
        else:
            self._advance()

    def _choose_reply(self, request: RecordedRequest) -> Reply:
        match request.method, request.path.partition("?")[0]:
            case "POST", "/v1/chat/completions" | "/v1/completions":
                return self._choose_generation(request)
            case "POST", "/v1/audio/speech":
                self._state.audio_requests.append(request)
                return speech_reply(request, self._state.default)
            case "POST", "/v1/audio/transcriptions":
                self._state.audio_requests.append(request)
                return transcription_reply(request, self._state.default)
            case "POST", "/v1/embeddings" | "/v1/rerank":
                return self._choose_vectors(request)
            case "GET", "/v1/models":
                models = [{"id": name, "object": "model", "created": CREATED, "owned_by": "tests"} for name in MODELS]
                return _at_once({"object": "list", "data": models})
            case "GET", "/_requests":
                return _at_once([known.as_json() for known in self._state.requests])
            case "DELETE", "/_requests":
                self._state.requests.clear()
                return _at_once({"result": "success"})
        return _refused(f"Unknown request URL: {request.method} {request.path}", 404)

    def _choose_generation(self, request: RecordedRequest) -> Reply:
        self._state.requests.append(request)
        try:
            body = request.body
            behaviour = self._state.next_behaviour(body)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return _refused(f"Not a request or not a marker: {error!r}", 400)
        kind = Request(
            chat="chat" in request.path,
            stream=bool(body.get("stream")),
            model=str(body.get("model", MODELS[0])),
            include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
            prompt_tokens=_count_tokens(body),
        )
        return make_reply(kind, behaviour)

    def _choose_vectors(self, request: RecordedRequest) -> Reply:
        self._state.vector_requests.append(request)
        behaviour = self._state.vector_scripts.popleft() if self._state.vector_scripts else None
        if request.path.endswith("rerank"):
            return rerank_reply(request, behaviour)
        return embeddings_reply(request, behaviour, self._state.dimensions)

    def _advance(self) -> None:
        transport, reply, request = self._transport, self._reply, self._request
        if transport is None or reply is None or request is None:
            return
        transport.write(reply.writes[self._writes])
        self._writes += 1
        request.chunks_sent = reply.chunks_in(self._writes)
        if self._writes < len(reply.writes):
            self._due += reply.delay
            assert self._state.wheel is not None
            self._state.wheel.call_at(self._due, self._advance)
        elif reply.ending != "hang":
            self._finish(reply, request, transport)

    def _finish(self, reply: Reply, request: RecordedRequest, transport: asyncio.Transport) -> None:
        request.ended = time.time()
        self._request = self._reply = None
        if reply.ending == "drop" or b"\r\nconnection: close" in request.head.lower():
            transport.close()
        elif self._buffer:
            self._take_request()


def _at_once(body: Any, status: int = 200) -> Reply:
    return Reply((json_reply(body, status),), 0, 0, "complete")


def _refused(message: str, status: int) -> Reply:
    return _at_once(
        {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}, status
    )


def _content_length(head: bytes) -> int:
    lower = head.lower()
    start = lower.find(b"\r\ncontent-length:")
    if start < 0:
        return 0
    return int(lower[start + 17 :].split(b"\r\n", 1)[0])


def _count_tokens(body: dict[str, Any]) -> int:
    texts = (
        [message_text(message.get("content")) for message in body["messages"]]
        if "messages" in body
        else [str(body.get("prompt", ""))]
    )
    return sum(len(text.split()) for text in texts)
