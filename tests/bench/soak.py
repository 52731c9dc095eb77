"""Serve at half load for long, and watch the memory of every process: it has to stay flat. Exit code 1 where it grows.

python -m tests.bench.soak [--minutes 30] [--callers 24] [--csv FILE]
"""

import argparse
import collections
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence

import psutil

from tests.bench.report import print_table
from tests.chaos.apps import import_apps
from tests.chaos.callers import Caller
from tests.chaos.chaos_stack import ChaosStack
from tests.chaos.ledger import Ledger
from tests.support.stack import stop_on_signals

SAMPLE_SECONDS = 20
# Caches, pools and threads fill up first.
WARM_UP_SHARE = 0.25
# What a process may gain from the first third of the time behind the warm-up to the last one. The servers gain with
# what they keep: rows, and the events of ended answers.
MOST_GROWTH_MIB = 6.0
MOST_GROWTH_OF_SERVERS_MIB = 25.0
SERVERS = ("Redis", "PostgreSQL")
MIB = 1_048_576

Samples = dict[str, list[tuple[float, float]]]


def named_processes(stack: ChaosStack) -> dict[str, Sequence[int]]:
    """The ids of the processes to watch, by name; PostgreSQL's sessions are counted together."""
    assert stack.web is not None
    parts: dict[str, Sequence[int]] = {
        name: [child.pid] for name, child in stack.processes().items() if child is not None
    }
    for number, worker in enumerate(psutil.Process(stack.web.pid).children(), 1):
        parts[f"web worker {number}"] = [worker.pid]
    parts["Redis"] = [stack.redis.pid]
    parts["PostgreSQL"] = [stack.postgres.pid, *(child.pid for child in _children(stack.postgres.pid))]
    return parts


def sample(parts: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """The memory in MiB that is each part's own: what its end would free."""
    return {name: sum(map(_own_memory, pids)) / MIB for name, pids in parts.items()}


def growth(samples: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Memory behind the warm-up: its median in the first and in the last third of the time, and their difference."""
    settled = samples[int(len(samples) * WARM_UP_SHARE) :]
    third = max(len(settled) // 3, 1)
    first, last = (statistics.median(value for _, value in part) for part in (settled[:third], settled[-third:]))
    return first, last, last - first


def soak(stack: ChaosStack, callers: Sequence[Caller], seconds: float) -> Samples:
    """Let callers ask for so long; returns (second, MiB) by process."""
    samples: Samples = collections.defaultdict(list)
    began = time.monotonic()
    for caller in callers:
        caller.start()
    while (passed := time.monotonic() - began) < seconds:
        for name, value in sample(named_processes(stack)).items():
            samples[name].append((passed, value))
        time.sleep(SAMPLE_SECONDS)
    for caller in callers:
        caller.stop()
    for caller in callers:
        caller.join()
    return samples


def write_samples(file: pathlib.Path, samples: Samples) -> None:
    lines = ["process,second,mib"]
    lines += [f"{name},{at:.0f},{value:.1f}" for name, values in samples.items() for at, value in values]
    file.write_text("\n".join([*lines, ""]))


def _is_flat(name: str, gained: float) -> bool:
    return gained <= (MOST_GROWTH_OF_SERVERS_MIB if name in SERVERS else MOST_GROWTH_MIB)


def _own_memory(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_full_info().uss)
    except psutil.NoSuchProcess:
        return 0


def _children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--callers", type=int, default=24)
    parser.add_argument("--csv", type=pathlib.Path, help="write the samples there")
    options = parser.parse_args()
    stop_on_signals()
    ledger = Ledger()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        # Redis keeps the events of an ended answer for so long: it is flat once that has passed.
        stack = ChaosStack(pathlib.Path(folder), {"EVENT_LOG_SECONDS": "60"})
        with stack:
            codes = import_apps(stack)
            callers = [Caller([stack.base_url], codes, ledger, 1, number) for number in range(options.callers)]
            samples = soak(stack, callers, options.minutes * 60)
            ledger.compare_rows(stack.postgres.url)
    if options.csv:
        write_samples(options.csv, samples)
    figures = {name: growth(values) for name, values in samples.items()}
    rows = [[name, *(f"{value:.1f}" for value in values)] for name, values in figures.items()]
    print_table(["process", "first third MiB", "last third MiB", "growth MiB"], rows)
    print(f"{ledger.answered} answers, {ledger.files} files, {len(ledger.problems)} problems")
    for kind, what in ledger.problems[:20]:
        print(f"{kind}: {what}")
    sys.exit(bool(ledger.problems) or not all(_is_flat(name, values[2]) for name, values in figures.items()))


if __name__ == "__main__":
    main()
