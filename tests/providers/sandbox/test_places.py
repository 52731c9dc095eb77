"""The places in the sandbox: bounded, in turn between apps and between end users, and never a reason to fail early."""

import contextlib
import threading
import time

import pytest

from app.providers.cancellation import Cancellation, Cancelled
from app.providers.sandbox import Sandbox, SandboxFailed
from app.providers.sandbox.places import FairPlaces
from app.providers.work_owner import WorkOwner


class Callers:
    """Calls that hold their places until they are told to give them back."""

    def __init__(self, places):
        self._places = places
        self._changed = threading.Condition()
        self._threads = []
        self.at_work = []
        self._ends = []

    def call(self, app, end_user):
        """Ask for a place; return once it is held, or the call waits."""
        name, end = f"{app}/{end_user}", threading.Event()
        waiting, held = self._places.waiting, len(self.at_work)

        def work():
            with self._places.taken(WorkOwner(app, end_user), Cancellation()):
                with self._changed:
                    self.at_work.append(name)
                    self._ends.append(end)
                    self._changed.notify_all()
                end.wait(10)

        thread = threading.Thread(target=work)
        thread.start()
        self._threads.append(thread)
        while len(self.at_work) == held and self._places.waiting == waiting:
            thread.join(0.001)

    def end(self, index):
        """Let a call end that holds its place; return the name of the one that got it."""
        count = len(self.at_work)
        self._ends[index].set()
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.at_work) > count, 5)
        return self.at_work[-1]

    def end_all(self):
        while any(thread.is_alive() for thread in self._threads):
            for end in list(self._ends):
                end.set()
            for thread in self._threads:
                thread.join(0.001)


@pytest.fixture
def callers():
    callers = Callers(FairPlaces(8))
    yield callers
    callers.end_all()


def test_an_end_user_holds_a_quarter_of_the_places(callers):
    for _ in range(5):
        callers.call("a", "1")
    callers.call("a", "2")
    assert callers.at_work == ["a/1", "a/1", "a/2"]


def test_an_app_leaves_places_to_others(callers):
    for end_user in range(5):
        callers.call("a", f"{end_user}")
        callers.call("a", f"{end_user}")
    callers.call("b", "1")
    assert len(callers.at_work) == 7 and callers.at_work[-1] == "b/1"


def test_places_go_round_between_apps_and_end_users(callers):
    for app, end_user in (("x", "1"), ("x", "2"), ("x", "3"), ("y", "1")):
        callers.call(app, end_user)
        callers.call(app, end_user)
    for owner in (("a", "1"), ("a", "1"), ("a", "2"), ("b", "1")):
        callers.call(*owner)
    assert [callers.end(index) for index in range(4)] == ["a/1", "b/1", "a/2", "a/1"]


def test_a_stop_ends_the_wait_and_gives_nothing_away():
    places = FairPlaces(4)
    owner, cancellation = WorkOwner("a", "1"), Cancellation()
    with places.taken(owner, Cancellation()):
        threading.Timer(0.05, cancellation.cancel).start()
        with pytest.raises(Cancelled), places.taken(owner, cancellation):
            pass
        assert places.waiting == 0
    with places.taken(owner, cancellation_free := Cancellation()):
        assert not cancellation_free.is_cancelled


def test_a_wait_that_is_too_long_fails_with_a_sentence():
    places = FairPlaces(4)
    owner = WorkOwner("a", "1")
    with (
        places.taken(owner, Cancellation()),
        pytest.raises(SandboxFailed, match="The sandbox is busy"),
        places.taken(owner, Cancellation(), time.monotonic() + 0.05),
    ):
        pass
    with places.taken(owner, Cancellation()):
        pass


def test_a_place_comes_back_whatever_happened_to_its_call():
    places = FairPlaces(4)
    for _ in range(10):
        with contextlib.suppress(RuntimeError), places.taken(WorkOwner("a", "1"), Cancellation()):
            raise RuntimeError
    with places.taken(WorkOwner("a", "1"), Cancellation(), time.monotonic() + 0.05):
        pass


@pytest.fixture(scope="module")
def sandbox():
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


def test_waiting_is_no_time_of_the_code(sandbox):
    code = "import time\ndef main():\n    time.sleep(0.3)\n    return {}"
    owned, results = sandbox.owned_by(WorkOwner("a", "1")), []
    # Eight calls, two at once: the last ones wait longer than the limit of each.
    threads = [
        threading.Thread(target=lambda: results.append(owned.run_code("python3", code, {}, 0.9, Cancellation())))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [{}] * 8


def test_one_visitors_long_codes_leave_room_for_another_ones(sandbox):
    cancellation, endless = Cancellation(), "import os\nwhile True:\n    pass\ndef main():\n    return 1"
    long = sandbox.owned_by(WorkOwner("a", "1"))

    def run_long():
        with contextlib.suppress(Cancelled):
            long.run_code("python3", endless, {}, 60.0, cancellation)

    threads = [threading.Thread(target=run_long) for _ in range(20)]
    for thread in threads:
        thread.start()
    other = sandbox.owned_by(WorkOwner("a", "2"))
    for language, code in (("python3", "def main():\n    return 1"), ("javascript", "function main() { return 1 }")):
        assert other.run_code(language, code, {}, 10.0, Cancellation()) == 1
    cancellation.cancel()
    for thread in threads:
        thread.join()
