"""A stop ends a call at once, wherever it waits."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.errors import ProviderTimeout
from app.providers.cancellation import Cancellation, Cancelled, CancelScope
from app.providers.models.chat_model import ChatModel
from app.providers.models.endpoint import Endpoint
from tests.support.raw_server import CHUNKED, QUESTION, RawServer, chunked, frame, hang, say
from tests.support.scripted_model import ScriptedModel

PROMPT_SECONDS = 0.05


@contextlib.contextmanager
def stopped_soon(cancellation: Cancellation, seconds: float = 0.1) -> Iterator[None]:
    """The block is to end by Cancelled, promptly after a stop from another thread."""
    stopped_at: list[float] = []

    def stop() -> None:
        stopped_at.append(time.monotonic())
        cancellation.cancel()

    timer = threading.Timer(seconds, stop)
    timer.start()
    with pytest.raises(Cancelled):
        yield
    assert time.monotonic() - stopped_at[0] < PROMPT_SECONDS


@pytest.fixture
def full_backlog() -> Iterator[int]:
    """A port whose backlog is full: a further connection waits."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()[1]


def test_a_stop_ends_the_wait_for_the_first_byte() -> None:
    with RawServer(hang) as server:
        cancellation = Cancellation()
        with stopped_soon(cancellation):
            list(server.model().stream(QUESTION, {}, cancellation))


def test_a_stop_ends_the_wait_for_the_next_chunk() -> None:
    with RawServer(say(CHUNKED + chunked(frame("x")))) as server:
        cancellation = Cancellation()
        with stopped_soon(cancellation):
            list(server.model().stream(QUESTION, {}, cancellation))


def test_a_stop_ends_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.providers.models.chat_model.PACE_SECONDS", 5)
    with RawServer(say(CHUNKED + chunked(frame("x")))) as server:
        cancellation = Cancellation()
        with stopped_soon(cancellation):
            list(server.model().stream(QUESTION, {}, cancellation))


def test_a_stop_ends_connecting(full_backlog: int) -> None:
    cancellation = Cancellation()
    with stopped_soon(cancellation):
        list(ChatModel(Endpoint(f"http://127.0.0.1:{full_backlog}/v1"), "tiny").stream(QUESTION, {}, cancellation))


def test_a_stop_ends_a_handshake() -> None:
    with RawServer(lambda connection: time.sleep(2)) as server:
        cancellation = Cancellation()
        model = ChatModel(Endpoint(server.base_url.replace("http:", "https:")), "tiny")
        with stopped_soon(cancellation):
            list(model.stream(QUESTION, {}, cancellation))


def test_a_stop_ends_sending_to_a_server_that_does_not_read() -> None:
    with RawServer(lambda connection: time.sleep(2)) as server:
        cancellation = Cancellation()
        question = [type(QUESTION[0])("user", "x" * 50_000_000)]
        with stopped_soon(cancellation, 0.3):
            list(server.model().stream(question, {}, cancellation))


@pytest.fixture
def endless_look_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    finished = threading.Event()
    original = socket.getaddrinfo

    def look_up(host: str, port: int, **options: int) -> object:
        if options.get("flags"):
            return original(host, port, **options)
        finished.wait(5)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield
    finished.set()


@pytest.mark.usefixtures("endless_look_up")
def test_a_stop_ends_a_look_up() -> None:
    cancellation = Cancellation()
    with stopped_soon(cancellation):
        list(ChatModel(Endpoint("http://slow.test/v1"), "tiny").stream(QUESTION, {}, cancellation))


@pytest.mark.usefixtures("endless_look_up")
def test_a_look_up_has_a_time_limit() -> None:
    with pytest.raises(ProviderTimeout):
        ChatModel(Endpoint("http://slow.test/v1", connect_timeout=0.1), "tiny").complete(QUESTION, {})


def test_connecting_has_a_time_limit(full_backlog: int) -> None:
    with pytest.raises(ProviderTimeout):
        ChatModel(Endpoint(f"http://127.0.0.1:{full_backlog}/v1", connect_timeout=0.1), "tiny").complete(QUESTION, {})


def test_a_handshake_has_a_time_limit() -> None:
    with RawServer(lambda connection: time.sleep(2)) as server, pytest.raises(ProviderTimeout):
        ChatModel(Endpoint(server.base_url.replace("http:", "https:"), connect_timeout=0.1), "tiny").complete(
            QUESTION, {}
        )


def test_a_stop_before_the_start_sends_nothing() -> None:
    with ScriptedModel() as server:
        cancellation = Cancellation()
        cancellation.cancel()

        with pytest.raises(Cancelled):
            list(ChatModel(Endpoint(server.base_url), "tiny").stream(QUESTION, {}, cancellation))

        assert server.requests == []


@pytest.mark.parametrize(
    "leave", [lambda chunks, cancellation: chunks.close(), lambda chunks, cancellation: cancellation.cancel()]
)
def test_the_model_notices_a_stop_and_a_caller_that_leaves(leave: Callable[[object, Cancellation], None]) -> None:
    with ScriptedModel(chunks=1_000, delay=0.01) as server:
        cancellation = Cancellation()
        chunks = ChatModel(Endpoint(server.base_url), "tiny").stream(QUESTION, {}, cancellation)
        next(chunks)

        leave(chunks, cancellation)

        server.wait_for(lambda known: known.requests[0].closed_early is not None, 1)


def test_one_stop_ends_many_calls() -> None:
    with RawServer(say(CHUNKED + chunked(frame("x")))) as server:
        cancellation, model = Cancellation(), server.model()
        ended: list[str] = []

        def talk() -> None:
            try:
                list(model.stream(QUESTION, {}, cancellation))
            except Cancelled:
                ended.append("stopped")

        threads = [threading.Thread(target=talk) for _ in range(20)]
        for thread in threads:
            thread.start()
        time.sleep(0.1)
        cancellation.cancel()
        cancellation.cancel()
        for thread in threads:
            thread.join(1)

    assert ended == ["stopped"] * 20


def test_a_stop_between_two_calls_leaves_the_pool_usable() -> None:
    with ScriptedModel() as server:
        model = ChatModel(Endpoint(server.base_url), "tiny")
        cancellation = Cancellation()
        list(model.stream(QUESTION, {}, cancellation))
        cancellation.cancel()

        assert model.complete(QUESTION, {})[0] == "tok0 tok1 tok2"


def test_stops_at_any_moment_leave_other_calls_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.providers.models.chat_model.PACE_SECONDS", 0.001)
    with ScriptedModel(chunks=5, delay=0.001) as server:
        model = ChatModel(Endpoint(server.base_url), "tiny")
        for number in range(100):
            cancellation = Cancellation()
            threading.Timer(number / 8_000, cancellation.cancel).start()
            with contextlib.suppress(Cancelled):
                list(model.stream(QUESTION, {}, cancellation))
            assert model.complete(QUESTION, {})[0] == "tok0 tok1 tok2 tok3 tok4"


def test_a_pause_ends_at_the_deadline_and_not_by_data() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"data")
        started = time.monotonic()
        scope = CancelScope(Cancellation(), started + 0.05)

        scope.pause(ours, 10)

        assert 0.04 < time.monotonic() - started < 0.2
        with pytest.raises(ProviderTimeout):
            scope.pause(ours, 10)
