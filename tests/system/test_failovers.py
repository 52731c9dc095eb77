"""A server dies in the middle of answers, and its replica takes its place: Redis by Sentinels, PostgreSQL by hand."""

from collections.abc import Iterator

import pytest

from tests.support.failover_stack import FailoverStack
from tests.support.sse import answer_text, numbered_text
from tests.support.stack import CHAT_APP
from tests.support.visitor import LiveStream, Visitor, wait_until

STREAMS = 8
CHUNKS = 120


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FailoverStack]:
    with FailoverStack(tmp_path_factory.mktemp("failovers")) as stack:
        stack.import_app(CHAT_APP, "chat")
        yield stack


def ask(stack: FailoverStack) -> list[tuple[Visitor, LiveStream]]:
    """Some answers that are under way."""
    visitors = [Visitor(stack.base_url, "chat") for _ in range(STREAMS)]
    streams = [visitor.chat(f"[[chunks:{CHUNKS}]][[delay:25]]") for visitor in visitors]
    for stream in streams:
        stream.wait_for_frames(10)
    return list(zip(visitors, streams, strict=True))


def assert_whole(stack: FailoverStack, asked: list[tuple[Visitor, LiveStream]]) -> None:
    """Each answer is complete, once, in its stream and in its row; the next one works, and nothing is left."""
    for visitor, stream in asked:
        stream.wait_for_end()
        numbers = [frame.number for frame in stream.frames if frame.number is not None]
        assert numbers == sorted(set(numbers))
        assert stream.events.count("message_end") == 1 and stream.events[-1] == "message_end"
        assert answer_text(stream.frames) == numbered_text(CHUNKS)
        assert visitor.stored_answer(stream.frames[0]) == numbered_text(CHUNKS)
    assert Visitor(stack.base_url, "chat").chat("[[say:still here]]").wait_for_end().text == "still here"
    wait_until(lambda: not stack.unfinished(), 15, "rest")


def test_answers_go_on_when_redis_fails_over(stack: FailoverStack) -> None:
    asked = ask(stack)
    died = stack.redis.kill_primary()
    assert_whole(stack, asked)
    assert stack.redis.primary() != died


def test_answers_go_on_when_postgresql_fails_over(stack: FailoverStack) -> None:
    asked = ask(stack)
    stack.postgres.kill_primary()
    stack.postgres.promote()
    assert_whole(stack, asked)
