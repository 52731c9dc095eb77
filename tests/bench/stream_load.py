"""Measure streamed answers of many end users, at once or at a rate; checks every one and reports their cost.

python -m tests.bench.stream_load --base http://127.0.0.1:5001 --code chat --streams 200
    [--rate 20 --seconds 30] [--pids web=1,worker=2+3]
"""

import argparse
import asyncio
import dataclasses
import gc
import json
import os
import resource
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.bench.processes import difference, measure, memory, share_of_others
from tests.bench.report import Numbers, print_streams, spread
from tests.bench.stream_client import Outcome, judge, request_bytes, run_stream
from tests.support.sse import numbered_text

PASSPORT_CALLERS = 4


@dataclasses.dataclass(frozen=True)
class Load:
    """How many end users ask, at once or at a rate, and what they ask."""

    base: str
    code: str
    streams: int
    rate: float = 0
    query: str = "hi"
    chunks: int = 0
    timeout: float = 60
    processes: int = 1
    shared_passport: bool = False

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.base)
        return parts.hostname or "127.0.0.1", parts.port or 80

    @property
    def expected(self) -> str | None:
        return numbered_text(self.chunks) if self.chunks else None


def get_passports(base: str, code: str, count: int) -> list[str]:
    """Return so many passports, each of a new end user."""

    def some(number: int) -> list[str]:
        with requests.Session() as session:
            return [_get_passport(session, base, code) for _ in range(number)]

    shares = [len(range(start, count, PASSPORT_CALLERS)) for start in range(PASSPORT_CALLERS)]
    with ThreadPoolExecutor(PASSPORT_CALLERS) as pool:
        return [passport for part in pool.map(some, shares) for passport in part]


def _get_passport(session: requests.Session, base: str, code: str) -> str:
    answer = session.get(f"{base}/api/passport", headers={"X-App-Code": code}, timeout=30)
    if answer.status_code != 200:
        raise SystemExit(f"No passport: {answer.status_code} {answer.text[:300]}")
    return str(answer.json()["access_token"])


def run_load(load: Load, trees: Mapping[str, Sequence[int]]) -> Numbers:
    """Run a load and return its figures."""
    passports = get_passports(load.base, load.code, 1 if load.shared_passport else load.streams)
    passports = (passports * load.streams)[: load.streams]
    watched = {**trees, "client": [os.getpid()]}
    shares = [list(range(start, load.streams, load.processes)) for start in range(load.processes)]
    with ProcessPoolExecutor(load.processes, mp_context=get_context("spawn")) as pool:
        list(pool.map(_warm_up, range(load.processes)))
        before = measure(watched)
        starts = time.monotonic() + 0.1
        jobs = [
            pool.submit(_run_share, load, [passports[number] for number in share], share, starts) for share in shares
        ]
        outcomes = [outcome for job in jobs for outcome in job.result()]
        after = measure(watched)
    return _numbers(load, outcomes, difference(before, after), trees, share_of_others(before, after))


def _warm_up(_: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    time.sleep(0.05)


def _run_share(load: Load, passports: Sequence[str], numbers: Sequence[int], starts: float) -> list[Outcome]:
    address, port = load.address
    host = f"{address}:{port}"
    sent = [request_bytes(host, load.code, passport, load.query) for passport in passports]

    async def arrive(number: int, request: bytes) -> Any:
        due = starts + (number / load.rate if load.rate else 0)
        await asyncio.sleep(due - time.monotonic())
        return await run_stream(load.address, request, load.timeout)

    async def everyone() -> list[Any]:
        return await asyncio.gather(*(arrive(number, request) for number, request in zip(numbers, sent, strict=True)))

    gc.disable()  # the client's pauses would look like the server's
    streams = asyncio.run(everyone())
    return [judge(stream, load.expected) for stream in streams]


def _numbers(
    load: Load,
    outcomes: Sequence[Outcome],
    cpu: Mapping[str, float],
    trees: Mapping[str, Sequence[int]],
    others: float,
) -> Numbers:
    good = [outcome for outcome in outcomes if outcome.problem is None]
    count = max(1, len(outcomes))
    return Numbers(
        streams=load.streams,
        rate=load.rate,
        completed=len(good),
        failed=dict(Counter(outcome.problem for outcome in outcomes if outcome.problem is not None)),
        first_ms=spread([outcome.first for outcome in good if outcome.first is not None]),
        total_ms=spread([outcome.total for outcome in good]),
        frames_per_stream=round(sum(outcome.frames for outcome in good) / max(1, len(good)), 1),
        cpu_ms_per_stream={name: round(value * 1000 / count, 2) for name, value in cpu.items()},
        memory_mib={name: tuple(round(value, 1) for value in memory(pids)) for name, pids in trees.items()},
        others_share=round(others, 3),
    )


def parse_trees(text: str) -> dict[str, list[int]]:
    """`web=12,worker=34+56` as ids by name."""
    pairs = (item.split("=", 1) for item in text.split(",") if item)
    return {name: [int(pid) for pid in pids.split("+")] for name, pids in pairs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="http://127.0.0.1:5001")
    parser.add_argument("--code", default="chat")
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rate", type=float, default=0, help="arrivals per second; 0: all in the same instant")
    parser.add_argument("--seconds", type=float, default=0, help="with --rate, instead of --streams")
    parser.add_argument("--query", default="hi")
    parser.add_argument(
        "--chunks", type=int, default=0, help="check that the answer is tok0 tok1 … of so many; 0: do not"
    )
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--shared-passport", action="store_true")
    parser.add_argument("--pids", default="", help="process trees to watch: web=12,worker=34+56")
    options = vars(parser.parse_args())
    trees, seconds = parse_trees(options.pop("pids")), options.pop("seconds")
    if seconds and options["rate"]:
        options["streams"] = int(options["rate"] * seconds)
    numbers = run_load(Load(**options), trees)
    print_streams([numbers])
    print(json.dumps(dataclasses.asdict(numbers)))


if __name__ == "__main__":
    main()
