"""Measure the whole product on a stack of its own: a burst, arrivals over time, reads. One table, and JSON if asked.

python -m tests.bench.run [--bursts 200 500 1000] [--rate 20 --seconds 30] [--slots 100] [--json FILE]
"""

import argparse
import contextlib
import dataclasses
import json
import pathlib
import tempfile
from typing import Any

from tests.bench.reads import print_reads, run_reads
from tests.bench.report import Numbers, print_streams
from tests.bench.stream_load import Load, run_load
from tests.support.stack import CHAT_APP, Stack, stop_on_signals
from tests.support.visitor import Visitor, wait_until

CODE = "bench"
CHUNKS = 50
WARM_UP = 20


def run_streams(stack: Stack, bursts: list[int], rate: float, seconds: float, rounds: int) -> list[Numbers]:
    """A warm-up that is not counted, the bursts, then arrivals over time."""
    loads = [Load(stack.base_url, CODE, count, chunks=CHUNKS) for count in bursts for _ in range(rounds)]
    if seconds:
        loads.append(Load(stack.base_url, CODE, int(rate * seconds), rate, chunks=CHUNKS, timeout=60 + seconds))
    run_load(Load(stack.base_url, CODE, WARM_UP), stack.trees)
    results = []
    for load in loads:
        results.append(run_load(load, stack.trees))
        print_streams(results[-1:])
    return results


def check_rest(stack: Stack) -> int:
    """How many tasks the broker still thinks unfinished, some seconds after the last answer."""
    client = stack.redis_client()
    with contextlib.suppress(AssertionError):
        wait_until(lambda: not client.hlen("unacked"), 5)
    return int(client.hlen("unacked"))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bursts", type=int, nargs="*", default=[200])
    parser.add_argument("--rounds", type=int, default=1, help="how often each burst")
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=30, help="of arrivals at that rate; 0: none")
    parser.add_argument("--slots", type=int, default=100, help="WORKER_THREADS")
    parser.add_argument("--web-workers", type=int, default=2)
    parser.add_argument("--worker-processes", type=int, default=2)
    parser.add_argument("--no-reads", action="store_true")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there too")
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    stop_on_signals()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        stack = Stack(
            pathlib.Path(folder),
            options.web_workers,
            options.worker_processes,
            chunks=CHUNKS,
            environment={"WORKER_THREADS": str(options.slots)},
        )
        with stack:
            stack.import_app(CHAT_APP, CODE)
            Visitor(stack.base_url, CODE).chat("hi").wait_for_end()
            streams = run_streams(stack, options.bursts, options.rate, options.seconds, options.rounds)
            unacked = check_rest(stack)
            reads = [] if options.no_reads else run_reads(stack.base_url, CODE, stack.trees)
    print(f"\nStreams of {CHUNKS} chunks, 20 ms apart (ideal 1,000 ms); CPU in ms per stream")
    print_streams(streams)
    print(f"left in the broker's unacked: {unacked}")
    if reads:
        print("\nReads; CPU in ms per request")
        print_reads(reads)
    if options.json:
        figures: dict[str, Any] = {"streams": [dataclasses.asdict(load) for load in streams], "unacked": unacked}
        options.json.write_text(json.dumps(figures | {"reads": [dataclasses.asdict(read) for read in reads]}, indent=1))
    if unacked or any(load.failed for load in streams) or any(read.failed for read in reads):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
