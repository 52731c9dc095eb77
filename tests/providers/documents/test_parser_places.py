"""Places for parsers: bounded on this host, given back, waited for without failing."""

import contextlib
import subprocess
import sys
import threading

import pytest

from app.providers.cancellation import Cancellation, Cancelled
from app.providers.documents import parser_places
from app.providers.documents.parser_places import NoPlaceInTime, place
from app.providers.work_owner import WorkOwner
from tests.support.paths import PROJECT


@pytest.fixture
def full(tmp_path, monkeypatch):
    """Take both of two places."""
    monkeypatch.setattr(parser_places, "most_parsers", lambda: 2)
    with contextlib.ExitStack() as held:
        for _ in range(2):
            held.enter_context(place(tmp_path, 1.0, Cancellation()))
        yield held


def test_waiting_ends_with_the_time_of_the_caller(full, tmp_path):
    with pytest.raises(NoPlaceInTime), place(tmp_path, 0.1, Cancellation()):
        pass


def test_waiting_ends_with_a_stop(full, tmp_path):
    cancellation = Cancellation()
    threading.Timer(0.1, cancellation.cancel).start()
    with pytest.raises(Cancelled), place(tmp_path, 60.0, cancellation):
        pass


def test_a_place_that_becomes_free_is_taken_by_one_that_waits(full, tmp_path):
    taken = threading.Event()

    def wait():
        with place(tmp_path, 60.0, Cancellation()):
            taken.set()

    waiting = [threading.Thread(target=wait) for _ in range(3)]
    for thread in waiting:
        thread.start()
    assert not taken.is_set()
    full.close()
    for thread in waiting:
        thread.join()
    assert taken.is_set()


def hold(held, folder, owner, seconds=0.1):
    held.enter_context(place(folder, seconds, Cancellation(), owner))


@pytest.mark.parametrize(("places", "share"), [(2, 1), (4, 1), (8, 2)])
def test_an_end_user_leaves_places_to_others(tmp_path, monkeypatch, places, share):
    monkeypatch.setattr(parser_places, "most_parsers", lambda: places)
    with contextlib.ExitStack() as held:
        for _ in range(share):
            hold(held, tmp_path, WorkOwner("a", "1"))
        with pytest.raises(NoPlaceInTime):
            hold(held, tmp_path, WorkOwner("a", "1"))
        hold(held, tmp_path, WorkOwner("a", "2"))


def test_an_app_leaves_places_to_others(tmp_path, monkeypatch):
    monkeypatch.setattr(parser_places, "most_parsers", lambda: 4)
    with contextlib.ExitStack() as held:
        for end_user in "123":
            hold(held, tmp_path, WorkOwner("a", end_user))
        with pytest.raises(NoPlaceInTime):
            hold(held, tmp_path, WorkOwner("a", "4"))
        hold(held, tmp_path, WorkOwner("b", "4"))


def test_who_waits_for_a_place_gives_the_share_back(full, tmp_path):
    owner = WorkOwner("a", "1")
    for _ in range(2):
        with pytest.raises(NoPlaceInTime), place(tmp_path, 0.1, Cancellation(), owner):
            pass
    full.close()
    with place(tmp_path, 1.0, Cancellation(), owner):
        pass


def test_the_place_of_a_killed_process_is_free(tmp_path, monkeypatch):
    monkeypatch.setattr(parser_places, "most_parsers", lambda: 1)
    hold = (
        "import pathlib, sys; from app.providers.cancellation import Cancellation;"
        "from app.providers.documents.parser_places import place\n"
        f"with place(pathlib.Path({str(tmp_path)!r}), 1.0, Cancellation()): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(NoPlaceInTime), place(tmp_path, 0.1, Cancellation()):
            pass
        other.kill()
    with place(tmp_path, 5.0, Cancellation()):
        pass
