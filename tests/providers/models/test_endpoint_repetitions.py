"""What is asked again, how many calls run at once, and who else is asked."""

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from app.errors import (
    ProviderProtocolError,
    ProviderRateLimited,
    ProviderServerError,
    ProviderTimeout,
    ProviderUnreachable,
)
from app.errors.answers import AnswerFiltered, ModelBusy
from app.providers.cancellation import Cancellation, Cancelled, CancelScope
from app.providers.models import call_slots, repetitions
from app.providers.models.call_slots import CallSlots
from app.providers.models.chat_model import ChatModel
from app.providers.models.endpoint import Endpoint
from app.providers.models.repetitions import pause_before
from tests.support.raw_server import (
    ANSWER,
    CHUNKED,
    LAST,
    QUESTION,
    Behaviour,
    RawServer,
    chunked,
    frame,
    hang,
    say,
    say_and_close,
)
from tests.support.scripted_model import ScriptedModel


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repetitions, "FIRST_PAUSE", 0.005)


def reply(status: int, *headers: str) -> Behaviour:
    lines = "".join(f"{header}\r\n" for header in headers)
    return say_and_close(f"HTTP/1.1 {status} Oops\r\n{lines}Content-Length: 2\r\n\r\n{{}}".encode())


def ask(server: RawServer, retries: int = 2, deadline: float | None = None) -> str:
    endpoint = Endpoint(server.base_url, connect_timeout=1, read_timeout=2, retries=retries)
    return ChatModel(endpoint, "tiny").complete(QUESTION, {}, deadline=deadline)[0]


@pytest.mark.parametrize(
    "failing",
    [reply(502), reply(503), reply(503, "Retry-After: 0"), reply(429, "Retry-After: 0.01"), say_and_close()],
)
def test_a_server_that_did_not_begin_to_answer_is_asked_again(failing: Behaviour) -> None:
    with RawServer(failing, failing, say(ANSWER)) as server:
        assert ask(server) == "Hello"
        assert server.connections == 3


@pytest.mark.parametrize(
    ("failing", "failure"),
    [
        (reply(429), ProviderRateLimited),
        (reply(429, "Retry-After: 3600"), ProviderRateLimited),
        (reply(429, "Retry-After: soon"), ProviderRateLimited),
        (reply(500), ProviderServerError),
        (reply(504), ProviderTimeout),
        (say_and_close(CHUNKED + chunked(frame("x"))), ProviderProtocolError),
        (say_and_close(CHUNKED + LAST), ProviderProtocolError),
        (say_and_close(b"HTTP/1.1 200"), ProviderProtocolError),
    ],
)
def test_other_failures_are_not_repeated(failing: Behaviour, failure: type[Exception]) -> None:
    with RawServer(failing) as server:
        with pytest.raises(failure):
            ask(server)
        assert server.connections == 1


def test_a_server_is_asked_as_often_as_set_and_no_more() -> None:
    with RawServer(reply(503)) as server:
        with pytest.raises(ProviderServerError):
            ask(server, retries=3)
        assert server.connections == 4


def test_an_address_that_refuses_connections_is_tried_again() -> None:
    with RawServer(say(ANSWER)) as server:
        port = server.port
    started: list[RawServer] = []

    def start(*_: object) -> float:
        if not started:
            started.append(RawServer(say(ANSWER), port=port).__enter__())
        return 0.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.providers.models.endpoint.pause_before", start)
        endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", connect_timeout=1, retries=1)
        assert ChatModel(endpoint, "tiny").complete(QUESTION, {})[0] == "Hello"
    started[0].__exit__(None, None, None)


def test_nothing_is_repeated_beyond_the_deadline() -> None:
    with RawServer(reply(503, "Retry-After: 10")) as server:
        with pytest.raises(ProviderServerError):
            ask(server, deadline=time.monotonic() + 5)
        assert server.connections == 1


def test_pauses_grow_and_a_server_may_name_its_own() -> None:
    assert [round(pause_before(attempt, "") or 0, 4) > 0 for attempt in (1, 2, 3)] == [True] * 3
    assert (pause_before(3, "") or 0) > (pause_before(1, "") or 9)
    assert pause_before(1, "7") == 7
    assert pause_before(1, "Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert pause_before(1, "21") is None


def test_slots_are_given_in_the_order_of_asking() -> None:
    slots, order = CallSlots(1), list[int]()
    slots.take(CancelScope(Cancellation()))

    def wait(number: int) -> None:
        slots.take(CancelScope(Cancellation()))
        order.append(number)
        slots.give_back()

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(slots._waiting) <= number:
            time.sleep(0.001)
    slots.give_back()
    for thread in threads:
        thread.join()

    assert order == [0, 1, 2, 3, 4]


def test_a_call_waits_so_long_and_then_gets_a_429(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_slots, "LONGEST_WAIT", 0.02)
    slots = CallSlots(1)
    slots.take(CancelScope(Cancellation()))

    with pytest.raises(ModelBusy) as raised:
        slots.take(CancelScope(Cancellation()))

    assert (raised.value.status, raised.value.code) == (429, "too_many_requests")
    slots.give_back()
    slots.take(CancelScope(Cancellation()))


def test_a_stop_ends_the_wait_and_takes_no_slot() -> None:
    slots, cancellation = CallSlots(1), Cancellation()
    slots.take(CancelScope(Cancellation()))
    threading.Timer(0.01, cancellation.cancel).start()

    with pytest.raises(Cancelled):
        slots.take(CancelScope(cancellation))

    slots.give_back()
    slots.take(CancelScope(Cancellation()))


@pytest.mark.parametrize("ends", [ProviderTimeout, Cancelled])
def test_a_slot_that_is_given_as_the_wait_ends_is_not_lost(ends: type[Exception]) -> None:
    slots, cancellation = CallSlots(1), Cancellation()
    slots.take(CancelScope(Cancellation()))

    class Ending(CancelScope):
        def remaining(self, seconds: float) -> float:
            slots.give_back()
            if ends is Cancelled:
                cancellation.cancel()
            raise ends

    with contextlib.suppress(Cancelled):
        slots.take(Ending(cancellation))
        slots.give_back()

    slots.take(CancelScope(Cancellation(), time.monotonic() + 1))


def test_no_more_calls_run_at_once_than_allowed_and_each_gives_its_slot_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_slots, "LONGEST_WAIT", 0.05)
    with ScriptedModel() as server:
        model = ChatModel(Endpoint(server.base_url, at_once=1), "tiny")
        server.script("Hel", "lo", delay=0.01)
        streaming = model.stream(QUESTION, {})
        assert next(streaming).text == "Hel"
        with pytest.raises(ModelBusy):
            model.complete(QUESTION, {})
        streaming.close()

        server.script(status=401)
        with pytest.raises(Exception, match="Incorrect API key"):
            model.complete(QUESTION, {})
        assert model.complete(QUESTION, {})[0] == "tok0 tok1 tok2"


@pytest.fixture
def second() -> Iterator[ScriptedModel]:
    with ScriptedModel() as server:
        yield server


def with_fallback(server: RawServer, second: ScriptedModel) -> ChatModel:
    model = ChatModel(Endpoint(server.base_url, connect_timeout=1, read_timeout=0.2), "first")
    model.fallbacks = [ChatModel(Endpoint(server.base_url), "third"), ChatModel(Endpoint(second.base_url), "second")]
    return model


@pytest.mark.parametrize("failing", [reply(401), reply(404), reply(429), reply(500), say_and_close(), hang])
def test_a_fallback_answers_where_the_first_does_not_begin_to(
    failing: Behaviour, second: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    with RawServer(failing, reply(500)) as server:
        assert with_fallback(server, second).complete(QUESTION, {})[0] == "tok0 tok1 tok2"
        assert server.connections == 2

    assert second.requests[0].body["model"] == "second"
    assert "model third of model server 127.0.0.1" in caplog.text


def test_what_has_begun_is_not_begun_again_elsewhere(second: ScriptedModel) -> None:
    with RawServer(say_and_close(CHUNKED + chunked(frame("x")))) as server, pytest.raises(ProviderProtocolError):
        with_fallback(server, second).complete(QUESTION, {})
    assert second.requests == []


def test_a_filtered_answer_is_not_asked_of_another(second: ScriptedModel) -> None:
    filtered = CHUNKED + chunked(frame("", "content_filter")) + LAST
    with RawServer(say(filtered)) as server, pytest.raises(AnswerFiltered):
        with_fallback(server, second).complete(QUESTION, {})
    assert second.requests == []


def test_the_failure_of_the_last_is_the_failure(second: ScriptedModel) -> None:
    second.script(status=503)
    with RawServer(reply(401)) as server, pytest.raises(ProviderServerError):
        with_fallback(server, second).complete(QUESTION, {})


def test_no_fallback_is_asked_past_the_deadline(second: ScriptedModel) -> None:
    with RawServer(hang) as server, pytest.raises((ProviderTimeout, ProviderUnreachable)):
        with_fallback(server, second).complete(QUESTION, {}, deadline=time.monotonic() + 0.05)
    assert second.requests == []
