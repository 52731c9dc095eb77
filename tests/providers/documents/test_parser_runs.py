"""The process of the document parser: input of any size, limits, and an end in every case."""

import threading

import psutil
import pytest

from app.providers.cancellation import Cancellation, Cancelled
from app.providers.documents import parser_runs
from app.providers.documents.parser_runs import ParserFailed
from tests.support.child import runs

ECHO = "sys.stdout.buffer.write(sys.stdin.buffer.read())"


def run(program, content=b"", seconds=30.0, cancellation=None):
    return parser_runs.run(program, content, "/tmp", seconds, cancellation or Cancellation())


@pytest.fixture
def started():
    """Return a function that lists the processes that the test has started and that run: others have theirs."""
    before = set(psutil.Process().children())

    def now():
        found = set(psutil.Process().children()) - before
        return [child for child in found if runs(child)]

    return now


@pytest.mark.parametrize("size", [0, 200 * 1024, 10 * 1024 * 1024])
def test_a_parser_that_starts_slowly_gets_all_of_the_document(size):
    content = bytes(range(256)) * (size // 256)
    assert run(f"import time; time.sleep({2 * parser_runs.POLL_SECONDS}); {ECHO}", content) == content


def test_a_parser_need_not_read_its_document():
    assert run("print('done')", bytes(1_000_000)) == b"done\n"


def test_a_parser_may_write_before_it_has_read():
    content = bytes(2_000_000)
    assert run(f"sys.stdout.buffer.write(b'a' * 1_000_000); {ECHO}", content) == b"a" * 1_000_000 + content


def test_the_last_line_of_a_failure_is_told():
    with pytest.raises(ParserFailed, match=r"^The document could not be read: ValueError: broken$"):
        run("raise ValueError('broken')", bytes(1_000_000))


def test_a_parser_that_died_without_a_word_ran_out_of_memory():
    with pytest.raises(ParserFailed, match="too large"):
        run("import os; os.kill(os.getpid(), 9)")


def test_a_parser_that_is_late_is_ended(started):
    with pytest.raises(ParserFailed, match="in 0 seconds"):
        run("import time; time.sleep(60)", bytes(1_000_000), seconds=0.2)
    assert started() == []


def test_a_parser_that_closed_its_streams_is_waited_for_no_longer(started):
    with pytest.raises(ParserFailed, match="in 0 seconds"):
        run("import os, time; os.close(0); os.close(1); os.close(2); time.sleep(60)", seconds=0.2)
    assert started() == []


def test_a_stop_ends_the_parser(started):
    cancellation = Cancellation()
    threading.Timer(0.1, cancellation.cancel).start()
    with pytest.raises(Cancelled):
        run("import time; time.sleep(60)", bytes(1_000_000), cancellation=cancellation)
    assert started() == []


def test_more_text_than_fits_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(parser_runs, "LARGEST_OUTPUT", 1_000_000)
    with pytest.raises(ParserFailed, match="larger than"):
        run("[sys.stdout.buffer.write(bytes(100_000)) for _ in iter(int, 1)]")


def test_a_parser_sees_nothing_of_our_environment(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "secret")
    assert b"secret" not in run("import os; print(os.environ)")
