"""The numbers of a host's processes: counted in files, read by any of them, kept when processes die."""

import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator

import pytest

from app.metrics import recording
from app.metrics.host_values import ARCHIVE, archive_dead
from app.metrics.known_names import MOST, OTHER
from app.metrics.names import ANSWERS, CLIENT_RECONNECTS, FIRST_TOKEN, WEB_CONNECTIONS
from app.metrics.process_values import MOST_BYTES, ProcessValues
from tests.support.metrics import monotonic, scraped, start_counting, value
from tests.support.paths import PROJECT

ANSWERED = "frontdesk_answers_total"


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder of metrics, in which this process counts."""
    recording.start(tmp_path, "web")
    yield tmp_path
    recording.stop()


def killed(child: "subprocess.Popen[str]") -> None:
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def test_what_is_counted_is_there_at_once(folder):
    ANSWERS.add("desk", "chat", "failed")
    ANSWERS.add("desk", "chat", "failed", amount=2)
    assert value(scraped(folder), ANSWERED, app="desk", mode="chat", outcome="failed") == 3


def test_a_duration_is_in_the_buckets_that_it_fits(folder):
    for seconds in (0.25, 0.3, 500):
        FIRST_TOKEN.observe(seconds, "desk", "chat")
    samples = scraped(folder)
    buckets = {end: value(samples, "frontdesk_first_token_seconds_bucket", le=end) for end in ("0.25", "0.5", "120.0")}
    assert buckets == {"0.25": 1, "0.5": 2, "120.0": 2}
    assert value(samples, "frontdesk_first_token_seconds_bucket", le="+Inf") == 3
    assert value(samples, "frontdesk_first_token_seconds_count") == 3
    assert value(samples, "frontdesk_first_token_seconds_sum") == pytest.approx(500.55)


def test_levels_of_a_kind_of_process_are_added(folder):
    WEB_CONNECTIONS.set(5)
    WEB_CONNECTIONS.change(-2)
    second, third = ProcessValues(folder, "web"), ProcessValues(folder, "worker")
    second.put(WEB_CONNECTIONS.name, (), 4)
    third.put(WEB_CONNECTIONS.name, (), 1)
    samples = scraped(folder)
    assert value(samples, "frontdesk_web_connections", process="web") == 7
    assert value(samples, "frontdesk_processes", process="web") == 2
    assert value(samples, "frontdesk_processes", process="worker") == 1
    second.close()
    third.close()


def test_labels_may_hold_anything(folder):
    ANSWERS.add('a"b\\c é', "chat", "failed")
    assert value(scraped(folder), ANSWERED, app='a"b\\c é') == 1


def test_a_counter_that_nothing_has_counted_is_zero(folder):
    assert value(scraped(folder), "frontdesk_client_reconnects_total") == 0
    CLIENT_RECONNECTS.add()
    assert value(scraped(folder), "frontdesk_client_reconnects_total") == 1


def test_what_alerts_look_at_begins_with_zero(folder):
    before = scraped(folder)
    ANSWERS.add("desk", "chat", "succeeded")
    after = scraped(folder)
    assert ("frontdesk_events_lost_total", (("side", "writer"),)) in before
    assert value(before, "frontdesk_events_lost_total") == 0
    assert not [name for name, _ in before if name == ANSWERED]
    assert {dict(labels)["outcome"]: number for (name, labels), number in after.items() if name == ANSWERED} == {
        "succeeded": 1,
        "failed": 0,
    }


def test_without_a_start_nothing_is_counted(tmp_path):
    ANSWERS.add("desk", "chat", "failed")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_counted_stays_and_its_levels_go(tmp_path):
    child = start_counting(tmp_path)
    before = scraped(tmp_path)
    killed(child)
    after = [scraped(tmp_path) for _ in range(3)]
    assert value(before, "frontdesk_web_connections") == 7 and value(before, "frontdesk_processes") == 1
    assert value(after[0], "frontdesk_web_connections") == 0 and value(after[0], "frontdesk_processes") == 0
    assert value(after[0], ANSWERED) >= value(before, ANSWERED) >= 1000
    assert after[0] == after[1] == after[2]


def test_files_of_dead_processes_become_one(tmp_path):
    for _ in range(3):
        killed(start_counting(tmp_path))
    assert value(scraped(tmp_path), ANSWERED) >= 3000
    assert [path.name for path in tmp_path.glob("*.values")] == [ARCHIVE]


def test_no_counter_goes_back_while_processes_are_killed(tmp_path):
    children = [start_counting(tmp_path) for _ in range(3)]
    seen = monotonic(scraped(tmp_path))
    for child in children:
        for step in range(6):
            if step == 3:
                child.send_signal(signal.SIGKILL)
            now = monotonic(scraped(tmp_path))
            assert {
                series: (number, now.get(series)) for series, number in seen.items() if now.get(series, 0) < number
            } == {}
            seen = now
        killed(child)


def test_a_process_that_was_killed_while_it_archived_counts_nothing_twice(tmp_path):
    killed(start_counting(tmp_path))
    (dead,) = tmp_path.glob("worker-*.values")
    kept = tmp_path / "kept"
    shutil.copy(dead, kept)
    samples = scraped(tmp_path)
    # The archive was put in place, and the file not removed yet.
    kept.rename(dead)
    assert scraped(tmp_path) == samples
    assert not dead.exists()


@pytest.mark.parametrize(
    "content", [b"", b"FDMETR01", b"x" * 100, b"FDMETR01" + struct.pack("=Q", 1 << 40) + b"\xff" * 64]
)
def test_a_file_that_is_no_whole_one_is_passed_over(folder, content):
    ANSWERS.add("desk", "chat", "failed")
    (folder / "worker-1-ab.values").write_bytes(content)
    assert value(scraped(folder), ANSWERED) == 1


def test_the_files_grow_and_a_full_one_counts_on_what_it_has(folder):
    values = ProcessValues(folder, "worker")
    for number in range(6_000):
        values.add(ANSWERED, ("desk", "chat", f"outcome {number}" + " " * 200), ANSWERS.labels, 1)
    values.add(ANSWERED, ("desk", "chat", "outcome 0" + " " * 200), ANSWERS.labels, 1)
    assert values.path.stat().st_size == MOST_BYTES
    samples = scraped(folder)
    assert value(samples, ANSWERED, outcome="outcome 0" + " " * 200) == 2
    assert value(samples, ANSWERED, outcome="outcome 5999" + " " * 200) == 0
    values.close()


def test_so_many_apps_have_series_and_the_rest_is_one(folder):
    for number in range(MOST + 20):
        ANSWERS.add(f"app{number}", "chat", "succeeded")
    other = ProcessValues(folder, "worker")
    other.add(ANSWERED, ("late", "chat", "succeeded"), ANSWERS.labels, 1)
    other.add(ANSWERED, ("app5", "chat", "succeeded"), ANSWERS.labels, 1)
    samples = scraped(folder)
    assert len({dict(labels)["app"] for name, labels in samples if name == ANSWERED}) == MOST + 1
    assert value(samples, ANSWERED, app=OTHER) == 21
    assert value(samples, ANSWERED, app="app5") == 2
    other.close()


def test_a_forked_child_counts_nothing_and_keeps_no_lock(tmp_path):
    program = f"""
import os, pathlib, time
from app.metrics import recording
from app.metrics.names import ANSWERS
recording.start(pathlib.Path({str(tmp_path)!r}), "worker")
ANSWERS.add("desk", "chat", "succeeded")
if os.fork() == 0:
    ANSWERS.add("desk", "chat", "succeeded")
    print(os.getpid(), flush=True)
    os.close(1)
    time.sleep(60)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    child = int(done.stdout)
    try:
        archive_dead(tmp_path)
        assert [path.name for path in tmp_path.glob("*.values")] == [ARCHIVE]
        assert value(scraped(tmp_path), ANSWERED) == 1
    finally:
        os.kill(child, signal.SIGKILL)
