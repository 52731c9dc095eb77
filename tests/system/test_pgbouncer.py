"""PostgreSQL behind PgBouncer with transaction pooling: no statement relies on what an earlier one left behind."""

import pathlib
from collections.abc import Iterator
from typing import Self

import pytest

from tests.support.pgbouncer import PROGRAM, SESSIONS, PgBouncer
from tests.support.sse import answer_text, find_problem, numbered_text
from tests.support.stack import CHAT_APP, Stack
from tests.support.visitor import LiveStream, Visitor, wait_until

STREAMS = 20
CHUNKS = 40

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="PgBouncer is not installed: `apt install pgbouncer` lets this test run."
)


class PooledStack(Stack):
    """A stack that reaches its PostgreSQL through PgBouncer; its tables are made through it, too."""

    def __init__(self, directory: pathlib.Path) -> None:
        super().__init__(directory, 1, 1)
        self.pgbouncer = PgBouncer(directory / "pgbouncer", self.postgres.url)
        self._extra["DATABASE_URL"] = self.pgbouncer.url

    def start(self) -> Self:
        self.pgbouncer.start()
        return super().start()

    def stop(self) -> None:
        super().stop()
        self.pgbouncer.stop()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with PooledStack(tmp_path_factory.mktemp("pooled")) as stack:
        stack.import_app(CHAT_APP, "chat")
        yield stack


def ask(stack: Stack) -> list[tuple[Visitor, LiveStream]]:
    visitors = [Visitor(stack.base_url, "chat") for _ in range(STREAMS)]
    return [(visitor, visitor.chat(f"[[chunks:{CHUNKS}]][[delay:20]]")) for visitor in visitors]


def assert_stored(stack: Stack, asked: list[tuple[Visitor, LiveStream]]) -> None:
    wait_until(lambda: not stack.unfinished(), 15, "rest")
    for visitor, stream in asked:
        assert visitor.stored_answer(stream.frames[0]) == numbered_text(CHUNKS)


def test_many_answers_share_few_sessions(stack: Stack) -> None:
    assert SESSIONS < STREAMS
    asked = ask(stack)
    for _, stream in asked:
        stream.wait_for_end()
        assert find_problem(stream.frames, numbered_text(CHUNKS)) is None
    assert_stored(stack, asked)


def test_answers_go_on_when_postgresql_restarts_behind_it(stack: Stack) -> None:
    asked = ask(stack)
    for _, stream in asked:
        stream.wait_for_frames(5)
    stack.postgres.stop()
    stack.postgres.start()
    for _, stream in asked:
        stream.wait_for_end()
        assert answer_text(stream.frames) == numbered_text(CHUNKS)
    assert_stored(stack, asked)
