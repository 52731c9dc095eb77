"""PostgreSQL behind PgBouncer with transaction pooling: no statement relies on what an earlier one left behind."""

import pathlib
from collections.abc import Iterator
from typing import Self

import pytest

from tests.support.pgbouncer import PROGRAM, SESSIONS, PgBouncer
from tests.support.sse import find_problem, numbered_text
from tests.support.stack import CHAT_APP, Stack
from tests.support.visitor import Visitor, wait_until

STREAMS = 20

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


def test_many_answers_share_few_sessions(stack: Stack) -> None:
    assert SESSIONS < STREAMS
    visitors = [Visitor(stack.base_url, "chat") for _ in range(STREAMS)]
    streams = [visitor.chat("[[chunks:40]][[delay:20]]") for visitor in visitors]
    for visitor, stream in zip(visitors, streams, strict=True):
        stream.wait_for_end()
        assert find_problem(stream.frames, numbered_text(40)) is None
        assert visitor.stored_answer(stream.frames[0]) == numbered_text(40)
    wait_until(lambda: not stack.unfinished(), 15, "rest")
