"""Answers and failures over real sockets."""

import random
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.errors import (
    ContextTooLong,
    ModelNotFound,
    ProviderAuthFailed,
    ProviderBadRequest,
    ProviderError,
    ProviderProtocolError,
    ProviderQuotaExceeded,
    ProviderRateLimited,
    ProviderServerError,
    ProviderTimeout,
    ProviderUnreachable,
)
from app.providers.models import chat_model
from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import Chunk, ModelMessage, Usage
from app.providers.models.endpoint import Endpoint
from tests.support.raw_server import (
    ANSWER,
    CHUNKED,
    DONE,
    HEAD,
    LAST,
    QUESTION,
    Behaviour,
    RawServer,
    chunked,
    frame,
    hang,
    read_request,
    say,
    say_and_close,
)
from tests.support.scripted_model import ScriptedModel


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedModel]:
    with ScriptedModel() as started:
        yield started


@pytest.fixture
def model(server: ScriptedModel) -> ChatModel:
    server.reset()
    return ChatModel(Endpoint(server.base_url, "key", read_timeout=5), "tiny")


def ask(text: str) -> list[ModelMessage]:
    return [ModelMessage("user", text)]


def test_an_answer_is_streamed_with_reason_and_usage(model: ChatModel, server: ScriptedModel) -> None:
    server.script("Hel", "lo ", "größe 🙂", delay=0.01)

    chunks = list(model.stream(ask("one two"), {}))

    assert chunks[0].text == "Hel"
    assert "".join(chunk.text for chunk in chunks) == "Hello größe 🙂"
    assert chunks[-1].finish_reason == "stop"
    assert chunks[-1].usage == Usage(2, 3, 5)


def test_the_whole_answer_can_be_had_at_once(model: ChatModel) -> None:
    assert model.complete(ask("Hi [[say:Hello world]]"), {}) == ("Hello world", Usage(3, 2, 5))


def test_a_request_is_openais(model: ChatModel, server: ScriptedModel) -> None:
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "http://x/y.png"}},
    ]

    model.complete([ModelMessage("system", "Be kind."), ModelMessage("user", parts)], {"temperature": 0.5, "top_k": 3})

    request = server.requests[0]
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer key"
    assert request.headers["accept-encoding"] == "identity"
    assert request.body == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": parts}],
        "temperature": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_without_a_key_none_is_sent(server: ScriptedModel) -> None:
    server.reset()

    ChatModel(Endpoint(server.base_url), "tiny").complete(QUESTION, {})

    assert "authorization" not in server.requests[0].headers


def test_a_completion_model_gets_one_text(server: ScriptedModel) -> None:
    server.reset()
    model = ChatModel(Endpoint(server.base_url), "tiny", "completion")

    text, usage = model.complete([ModelMessage("system", "A"), ModelMessage("user", "B")], {})

    assert text == "tok0 tok1 tok2"
    assert usage is not None
    assert server.requests[0].path == "/v1/completions"
    assert server.requests[0].body["prompt"] == "A\n\nB"


def test_what_the_model_thought_comes_apart_from_its_text(model: ChatModel, server: ScriptedModel) -> None:
    server.script("So: ", "5", reasoning=("Two and ", "three."))

    chunks = list(model.stream(QUESTION, {}))

    assert "".join(chunk.reasoning for chunk in chunks) == "Two and three."
    assert "".join(chunk.text for chunk in chunks) == "So: 5"


def test_tool_calls_are_handed_on(model: ChatModel, server: ScriptedModel) -> None:
    server.script(tool_calls=[("clock", {"zone": "UTC"})])

    chunks = list(model.stream(QUESTION, {"tools": [{"type": "function", "function": {"name": "clock"}}]}))

    assert [(call.name, call.arguments) for chunk in chunks for call in chunk.tool_calls] == [
        ("clock", '{"zone": "UTC"}')
    ]
    assert chunks[-1].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("marker", "failure"),
    [
        ("fail:401", ProviderAuthFailed),
        ("fail:quota", ProviderQuotaExceeded),
        ("fail:429", ProviderRateLimited),
        ("fail:404", ModelNotFound),
        ("fail:400", ContextTooLong),
        ("fail:500", ProviderServerError),
        ("fail:503", ProviderServerError),
        ("fail-after:0", ProviderProtocolError),
        ("fail-after:2", ProviderProtocolError),
        ("cut:2", ProviderProtocolError),
        ("error-frame:2", ProviderServerError),
    ],
)
def test_a_failure_comes_behind_the_text_before_it(model: ChatModel, marker: str, failure: type[ProviderError]) -> None:
    texts = []

    with pytest.raises(ProviderError) as raised:
        # Not a list comprehension: the texts before the failure are kept.
        texts.extend(chunk.text for chunk in model.stream(ask(f"[[{marker}]] [[delay:5]]"), {}))

    assert type(raised.value) is failure
    assert "".join(texts) == ("" if marker.startswith("fail:") or marker.endswith(":0") else "tok0 tok1")
    assert model.complete(ask("[[say:again]]"), {})[0] == "again"


def test_the_connection_is_used_again_after_answers_and_refusals() -> None:
    refusal = b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}"
    replies = [ANSWER, refusal, ANSWER]

    def behave(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(replies.pop(0))

    with RawServer(behave) as server:
        model = server.model()
        assert model.complete(QUESTION, {})[0] == "Hello"
        with pytest.raises(ProviderServerError):
            model.complete(QUESTION, {})
        assert model.complete(QUESTION, {})[0] == "Hello"

        assert server.connections == 1


def one_by_one(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


def randomly_cut(data: bytes, seed: int) -> list[bytes]:
    cuts = [0, *sorted(random.Random(seed).sample(range(1, len(data)), 8)), len(data)]
    return [data[start:end] for start, end in zip(cuts, cuts[1:], strict=False)]


@pytest.mark.parametrize("pieces", [one_by_one(ANSWER), *(randomly_cut(ANSWER, seed) for seed in range(10))])
def test_an_answer_may_be_cut_anywhere(pieces: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_model, "PACE_SECONDS", 0.001)
    with RawServer(say(*pieces, pause=lambda: time.sleep(0.0002))) as server:
        assert server.model().complete(QUESTION, {}) == ("Hello", None)


STREAM = frame("Hello") + frame("", "stop") + DONE
WHOLE = b'{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}'


@pytest.mark.parametrize(
    "reply",
    [
        HEAD + b"\r\n" + STREAM,
        HEAD.replace(b"1.1", b"1.0") + b"\r\n" + STREAM,
        HEAD + b"Content-Length: %d\r\n\r\n" % len(STREAM) + STREAM,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ANSWER,
        HEAD + b"\r\n" + STREAM.replace(b"\n", b"\r\n"),
        HEAD + b"\r\n" + STREAM.removesuffix(DONE),
        HEAD + b"\r\n" + b": PROCESSING\n\n" + STREAM.rstrip(b"\n"),
        HEAD + b"Content-Length: 10000\r\n\r\n" + STREAM.removesuffix(DONE),
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % len(WHOLE)
        + WHOLE,
    ],
)
def test_servers_may_end_an_answer_in_many_ways(reply: bytes) -> None:
    with RawServer(say_and_close(reply)) as server:
        assert server.model().complete(QUESTION, {})[0] == "Hello"


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    read_request(connection)
    connection.close()


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        (say_and_close(), ProviderUnreachable),
        (reset, ProviderUnreachable),
        (say_and_close(b"HTTP/1.1 200 OK\r\n"), ProviderProtocolError),
        (say(b"SSH-2.0-OpenSSH\r\n"), ProviderProtocolError),
        (say(b"HTTP/1.1 OK\r\n\r\n"), ProviderProtocolError),
        (say_and_close(HEAD + b"Content-Encoding: gzip\r\n\r\n"), ProviderProtocolError),
        (say(CHUNKED + b"xyz\r\n"), ProviderProtocolError),
        (say(CHUNKED + LAST), ProviderProtocolError),
        (say(CHUNKED + chunked(DONE) + LAST), ProviderProtocolError),
        (say(CHUNKED + chunked(frame("x")) + LAST), ProviderProtocolError),
        (say_and_close(CHUNKED + chunked(frame("x"))), ProviderProtocolError),
        (say_and_close(HEAD + b"\r\n<html>Welcome</html>"), ProviderProtocolError),
        (say(b"HTTP/1.1 204 No Content\r\n\r\n"), ProviderProtocolError),
        (
            say(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
            ProviderProtocolError,
        ),
        (say(b"HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n"), ProviderBadRequest),
        (say(b"HTTP/1.1 529 Busy\r\nContent-Length: 0\r\n\r\n"), ProviderServerError),
        (say_and_close(b"HTTP/1.1 401 No\r\nContent-Length: 50\r\n\r\ncut"), ProviderAuthFailed),
        (hang, ProviderTimeout),
        (say(CHUNKED + chunked(frame("x"))), ProviderTimeout),
    ],
)
def test_a_broken_server_is_an_error_of_ours(behaviour: Behaviour, failure: type[ProviderError]) -> None:
    with RawServer(behaviour) as server, pytest.raises(ProviderError) as raised:
        server.model(read_timeout=0.15).complete(QUESTION, {})

    assert type(raised.value) is failure


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://[::1]:1/v1", "http://no-such-name.invalid/v1"])
def test_a_server_that_is_not_there_is_unreachable(url: str) -> None:
    with pytest.raises(ProviderUnreachable):
        ChatModel(Endpoint(url, connect_timeout=2), "tiny").complete(QUESTION, {})


def test_something_that_speaks_no_tls_is_unreachable() -> None:
    with (
        RawServer(lambda connection: connection.sendall(b"HTTP/1.1 400 plain\r\n\r\n")) as server,
        pytest.raises(ProviderUnreachable),
    ):
        ChatModel(Endpoint(server.base_url.replace("http:", "https:"), connect_timeout=2), "tiny").complete(
            QUESTION, {}
        )


def test_text_that_is_no_text_is_a_bad_request(model: ChatModel) -> None:
    with pytest.raises(ProviderBadRequest):
        model.complete(ask("\ud800"), {})


def test_no_read_waits_beyond_the_deadline() -> None:
    with RawServer(hang) as server:
        started = time.monotonic()
        with pytest.raises(ProviderTimeout):
            list(server.model().stream(QUESTION, {}, deadline=started + 0.1))

        assert 0.09 < time.monotonic() - started < 0.3


def test_a_finished_answer_is_not_lost_to_a_silent_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_model, "TAIL_SECONDS", 0.05)
    with RawServer(say(CHUNKED + chunked(frame("Hello"), frame("", "stop")))) as server:
        assert list(server.model().stream(QUESTION, {})) == [Chunk("Hello"), Chunk("", "stop")]


def test_a_hundred_threads_share_an_endpoint(model: ChatModel) -> None:
    answers: list[str] = []

    def talk(number: int) -> None:
        for turn in range(3):
            text = f"{number}-{turn}"
            answers.append(text if model.complete(ask(f"[[say:{text}]] [[delay:2]]"), {})[0] == text else "wrong")

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == sorted(f"{number}-{turn}" for number in range(100) for turn in range(3))
