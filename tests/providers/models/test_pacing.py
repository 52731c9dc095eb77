"""Chunks are paced, and pacing never holds a text back."""

import socket
import threading
import time

import pytest

from app.providers.models.chat_model import ChatModel
from app.providers.models.endpoint import Endpoint, Response
from tests.support.raw_server import CHUNKED, DONE, LAST, QUESTION, RawServer, chunked, frame, read_request
from tests.support.scripted_model import ScriptedModel

THINKING = b'data: {"choices":[{"delta":{"reasoning_content":"Hm"}}]}\n\n'


class Pauses(list[float]):
    """Records how long a stream would have slept, and makes the next step of its server happen instead."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[threading.Event] = []

    def note(self, response: Response, seconds: float) -> None:
        self.append(seconds)
        if self.steps:
            self.steps.pop(0).set()
            time.sleep(0.02)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    noted = Pauses()
    monkeypatch.setattr(Response, "pause", lambda response, seconds: noted.note(response, seconds))
    return noted


class Steps:
    """A server that sends the first part at once, and each other part when its event is set."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts
        self.events = [threading.Event() for _ in parts[1:]]

    def __call__(self, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(CHUNKED + chunked(self._parts[0]))
        for event, part in zip(self.events, self._parts[1:], strict=True):
            event.wait(5)
            connection.sendall(chunked(part))
        connection.sendall(LAST)


def test_the_first_text_is_out_before_any_pause(pauses: Pauses) -> None:
    with RawServer(Steps(frame("") + frame("He"), frame("llo", "stop") + DONE)) as server:
        chunks = server.model().stream(QUESTION, {})

        assert next(chunks).text == "He"
        assert pauses == []
        chunks.close()


def test_everything_that_came_during_a_pause_is_one_chunk(pauses: Pauses) -> None:
    steps = Steps(frame("a"), frame("b") + frame("c") + frame("d"), frame("e") + frame("f", "stop") + DONE)
    with RawServer(steps) as server:
        pauses.steps = list(steps.events)
        texts = [chunk.text for chunk in server.model().stream(QUESTION, {})]

    assert texts == ["a", "bcd", "ef"]
    assert len(pauses) == 2
    assert all(0.03 < pause <= 0.04 for pause in pauses)


def test_the_callers_own_time_counts_as_pause(pauses: Pauses) -> None:
    steps = Steps(frame("a"), frame("b", "stop") + DONE)
    with RawServer(steps) as server:
        chunks = server.model().stream(QUESTION, {})
        next(chunks)
        time.sleep(0.05)
        steps.events[0].set()
        assert [chunk.text for chunk in chunks] == ["b"]

    assert pauses == []


def test_half_a_frame_is_read_on_without_a_pause(pauses: Pauses) -> None:
    whole = frame("b", "stop") + DONE
    steps = Steps(frame("a"), whole[:20], whole[20:])
    with RawServer(steps) as server:
        pauses.steps = steps.events[:1]
        chunks = server.model().stream(QUESTION, {})
        next(chunks)
        threading.Timer(0.05, steps.events[1].set).start()
        assert [chunk.text for chunk in chunks] == ["b"]

    assert len(pauses) == 1


def test_a_model_that_thinks_is_paced_too(pauses: Pauses) -> None:
    steps = Steps(THINKING, THINKING * 9, frame("a", "stop") + DONE)
    with RawServer(steps) as server:
        pauses.steps = list(steps.events)
        assert "".join(chunk.text for chunk in server.model().stream(QUESTION, {})) == "a"

    assert len(pauses) == 2


def test_a_fast_model_makes_25_chunks_a_second_and_is_not_slowed_down() -> None:
    with ScriptedModel(chunks=100, delay=0.004) as server:
        started = time.monotonic()
        chunks = list(ChatModel(Endpoint(server.base_url), "tiny").stream(QUESTION, {}))
        took = time.monotonic() - started

    assert "".join(chunk.text for chunk in chunks).count("tok") == 100
    assert len(chunks) <= took / 0.04 + 2
    assert took < 0.4 + 0.15


def test_chunks_of_a_slow_model_come_at_once() -> None:
    with ScriptedModel(chunks=4, delay=0.08) as server:
        started = time.monotonic()
        chunks = ChatModel(Endpoint(server.base_url), "tiny").stream(QUESTION, {})
        times = [time.monotonic() - started for _ in chunks]

    assert len(times) == 4
    assert all(late < 0.03 for late in (moment - 0.08 * number for number, moment in enumerate(times, 1)))


def test_an_answer_larger_than_one_read_is_whole() -> None:
    parts = [frame(f"{number:05}" * 20) for number in range(5_000)]
    body = b"".join(parts) + frame("", "stop") + DONE

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(CHUNKED + chunked(body) + LAST)

    with RawServer(behave) as server:
        text, _ = server.model().complete(QUESTION, {})

    assert text == "".join(f"{number:05}" * 20 for number in range(5_000))
