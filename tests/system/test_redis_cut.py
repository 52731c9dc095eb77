"""Redis drops its clients, stops for a while, or comes back empty in the middle of an answer."""

import threading

import pytest
import redis

from tests.support.sse import answer_text, find_problem, numbered_text
from tests.support.stack import Stack
from tests.support.visitor import Visitor, wait_until

OUTAGE = 2.0


def hold(seconds: float) -> None:
    """Let an outage last."""
    threading.Event().wait(seconds)


def kill_clients(client: "redis.Redis", kind: str) -> None:
    assert client.client_kill_filter(_type=kind, skipme=True)


@pytest.mark.parametrize("kind", ["normal", "pubsub"])
def test_cut_connections_leave_no_gap(stack: Stack, visitor: Visitor, kind: str) -> None:
    stream = visitor.chat("[[chunks:100]][[delay:25]]").wait_for_frames(10)

    client = stack.redis_client()
    for frames in (15, 25, 35):
        kill_clients(client, kind)
        stream.wait_for_frames(frames)
    stream.wait_for_end()

    assert find_problem(stream.frames, numbered_text(100)) is None
    assert visitor.stored_answer(stream.frames[0]) == numbered_text(100)


def test_redis_that_stands_still_for_two_seconds_only_delays(stack: Stack, visitor: Visitor) -> None:
    stream = visitor.chat("[[chunks:150]][[delay:25]]").wait_for_frames(10)

    stack.redis_client().client_pause(int(OUTAGE * 1000), all=True)
    stream.wait_for_end()

    assert find_problem(stream.frames, numbered_text(150)) is None


def test_redis_that_comes_back_empty_costs_no_word(stack: Stack, visitor: Visitor) -> None:
    stream = visitor.chat("[[chunks:200]][[delay:25]]").wait_for_frames(10)

    stack.redis.stop()
    hold(OUTAGE)
    stack.redis.start()
    stream.wait_for_end()

    # Snapshot frames have no number, and a hand-over may lie between; the text and the one end are what counts.
    numbers = [frame.number for frame in stream.frames if frame.number is not None]
    assert numbers == sorted(set(numbers))
    assert stream.events.count("message_end") == 1 and stream.events[-1] == "message_end"
    assert answer_text(stream.frames) == numbered_text(200)
    assert visitor.stored_answer(stream.frames[0]) == numbered_text(200)


def test_new_answers_work_soon_after_redis_came_back_empty(stack: Stack, visitor: Visitor) -> None:
    stack.redis.stop()
    stack.redis.start()

    def answered() -> bool:
        body = {"inputs": {}, "query": "[[say:back again]]", "response_mode": "blocking"}
        return bool(visitor.call("POST", "/chat-messages", json=body).status_code == 200)

    wait_until(answered, 10, "an answer after the restart of Redis")
