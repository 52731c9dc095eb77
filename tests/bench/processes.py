"""CPU and memory of process trees, from /proc."""

import dataclasses
import os
import pathlib
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

TICK = os.sysconf("SC_CLK_TCK")
PROC = pathlib.Path("/proc")


@dataclasses.dataclass(frozen=True)
class Process:
    """One line of /proc/PID/stat: seconds of CPU, those of its dead children included."""

    pid: int
    parent: int
    cpu: float


@dataclasses.dataclass(frozen=True)
class Usage:
    """CPU seconds of named process trees, and of the machine, at one moment."""

    at: float
    trees: Mapping[str, float]
    machine_busy: float


def _read_process(pid: int) -> Process | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return Process(pid, int(fields[1]), sum(int(field) for field in fields[11:15]) / TICK)


def tree(roots: Iterable[int], apart: Collection[int] = ()) -> list[Process]:
    """The processes with these ids and their descendants, without those `apart` and the descendants of those."""
    everyone = [found for name in os.listdir(PROC) if name.isdecimal() and (found := _read_process(int(name)))]
    children: dict[int, list[Process]] = defaultdict(list)
    for process in everyone:
        children[process.parent].append(process)
    by_pid = {process.pid: process for process in everyone}
    waiting = [by_pid[root] for root in roots if root in by_pid]
    members: dict[int, Process] = {}
    while waiting:
        process = waiting.pop()
        if process.pid not in members:
            members[process.pid] = process
            waiting += [child for child in children[process.pid] if child.pid not in apart]
    return list(members.values())


def measure(trees: Mapping[str, Sequence[int]]) -> Usage:
    fields = [int(field) for field in (PROC / "stat").read_text().split("\n", 1)[0].split()[1:]]
    idle = fields[3] + fields[4]
    # The stack's processes are children of the measuring one: each counts once, in its own tree.
    roots = {pid for pids in trees.values() for pid in pids}
    used = {name: sum(process.cpu for process in tree(pids, roots)) for name, pids in trees.items()}
    return Usage(time.monotonic(), used, (sum(fields) - idle) / TICK)


def difference(before: Usage, after: Usage) -> dict[str, float]:
    """CPU seconds of each tree in between."""
    return {name: after.trees[name] - before.trees[name] for name in after.trees}


def share_of_others(before: Usage, after: Usage) -> float:
    """The part of the machine's CPU that went to anything but the trees, 0 to 1."""
    ours = sum(difference(before, after).values())
    capacity = (after.at - before.at) * (os.cpu_count() or 1)
    return max(0.0, (after.machine_busy - before.machine_busy - ours) / capacity)


def memory(pids: Sequence[int]) -> tuple[float, float]:
    """RSS and PSS of a tree in MiB. PSS counts shared pages once, but is 0 where the kernel does not tell it."""
    resident = proportional = 0
    for process in tree(pids):
        values = _read_memory(process.pid)
        resident += values.get("Rss", 0)
        proportional += values.get("Pss", 0)
    return resident / 1024, proportional / 1024


def _read_memory(pid: int) -> dict[str, int]:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return {}
    pairs = (line.split(":") for line in lines[1:])
    return {name: int(value.split()[0]) for name, value in pairs}
