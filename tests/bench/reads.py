"""Measure reads: CPU milliseconds and requests per second of four GET routes, for one caller and for sixteen.

python -m tests.bench.reads --base http://127.0.0.1:5001 --code chat --pids web=12,redis=34,postgres=56
"""

import argparse
import dataclasses
import http.client
import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from tests.bench.processes import difference, measure, share_of_others
from tests.bench.report import SERVER, print_table
from tests.bench.stream_load import get_passports, parse_trees
from tests.support.visitor import Visitor

CALLERS = (1, 16)
PATHS = ("/site", "/parameters", "/conversations", "/messages")


@dataclasses.dataclass(frozen=True)
class ReadNumbers:
    """One route called by so many end users for some seconds."""

    path: str
    callers: int
    requests: int
    failed: int
    per_second: float
    cpu_ms_per_request: Mapping[str, float]
    others_share: float

    @property
    def server_ms(self) -> float:
        return sum(self.cpu_ms_per_request.get(name, 0) for name in SERVER)


class Caller(threading.Thread):
    """Calls one route over one kept-alive connection until the time is over."""

    def __init__(self, base: str, code: str, passport: str, path: str, ends: float) -> None:
        super().__init__(daemon=True)
        parts = urlsplit(base)
        self._connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=30)
        self._headers = {"X-App-Code": code, "X-App-Passport": passport}
        self._path = f"/api{path}"
        self._ends = ends
        self.done = 0
        self.failed = 0

    def run(self) -> None:
        while time.monotonic() < self._ends:
            self._connection.request("GET", self._path, headers=self._headers)
            answer = self._connection.getresponse()
            answer.read()
            self.done += 1
            self.failed += answer.status != 200
        self._connection.close()


def run_reads(base: str, code: str, trees: Mapping[str, Sequence[int]], seconds: float = 3) -> list[ReadNumbers]:
    """All routes, for one caller and many. The end users share a passport, whose conversation has two messages."""
    visitor = Visitor(base, code)
    passport = str(visitor.session.headers["X-App-Passport"])
    first = visitor.chat("[[say:one]]").wait_for_end().frames[0]
    conversation = first.data["conversation_id"]
    visitor.chat("[[say:two]]", conversation).wait_for_end()
    # Costs of the first request of a kind (imports, plans) are not those of a read.
    get_passports(base, code, 1)
    queries = {"/conversations": "?limit=20", "/messages": f"?conversation_id={conversation}&limit=20"}
    return [
        _measure(base, code, passport, path + queries.get(path, ""), callers, trees, seconds)
        for path in PATHS
        for callers in CALLERS
    ]


def _measure(
    base: str,
    code: str,
    passport: str,
    path: str,
    callers: int,
    trees: Mapping[str, Sequence[int]],
    seconds: float,
) -> ReadNumbers:
    def call(duration: float) -> list[Caller]:
        threads = [Caller(base, code, passport, path, time.monotonic() + duration) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return threads

    watched = {**trees, "client": [os.getpid()]}
    call(0.2)
    before = measure(watched)
    threads = call(seconds)
    after = measure(watched)
    done = max(1, sum(thread.done for thread in threads))
    return ReadNumbers(
        path=path.partition("?")[0],
        callers=callers,
        requests=done,
        failed=sum(thread.failed for thread in threads),
        per_second=round(done / (after.at - before.at)),
        cpu_ms_per_request={name: round(value * 1000 / done, 3) for name, value in difference(before, after).items()},
        others_share=round(share_of_others(before, after), 3),
    )


def print_reads(reads: Sequence[ReadNumbers]) -> None:
    rows: list[list[Any]] = [
        [
            read.path,
            read.callers,
            read.requests,
            read.failed,
            f"{read.per_second:.0f}",
            f"{read.server_ms:.2f}",
            *(read.cpu_ms_per_request.get(name, "-") for name in SERVER),
            f"{read.others_share * 100:.0f}",
        ]
        for read in reads
    ]
    print_table(["GET", "callers", "requests", "failed", "per s", "server ms", *SERVER, "others %"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="http://127.0.0.1:5001")
    parser.add_argument("--code", default="chat")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--pids", default="")
    options = parser.parse_args()
    reads = run_reads(options.base, options.code, parse_trees(options.pids), options.seconds)
    print_reads(reads)
    print(json.dumps([dataclasses.asdict(read) for read in reads]))


if __name__ == "__main__":
    main()
