"""Measure what traces cost: answers at once without, with a collector, with one that is away or hangs.

python -m tests.bench.traces [--visitors 100] [--rounds 3] [--only on]
"""

import argparse
import contextlib
import pathlib
import tempfile
import timeit

from app import tracing
from app.embedded.ports import ReservedPort
from tests.bench.report import Numbers, print_streams
from tests.bench.stream_load import Load, run_load
from tests.support.otlp_collector import OtlpCollector
from tests.support.stack import CHAT_APP, Stack, stop_on_signals

CODE = "bench"
CHUNKS = 50
WARM_UP = 20
CALLS = 200_000


def run_visitors(environment: dict[str, str], visitors: int, rounds: int) -> list[Numbers]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Stack(pathlib.Path(folder), 1, 1, chunks=CHUNKS, environment=environment) as stack,
    ):
        stack.import_app(CHAT_APP, CODE)
        run_load(Load(stack.base_url, CODE, WARM_UP), stack.trees)
        load = Load(stack.base_url, CODE, visitors, chunks=CHUNKS)
        return [run_load(load, stack.trees) for _ in range(rounds)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("off", "on", "away", "hanging"))
    options = parser.parse_args()
    stop_on_signals()
    seconds = timeit.timeit(lambda: tracing.span("work", {"a": 1}).__enter__().end(), number=CALLS)
    print(f"a span where traces are off: {seconds / CALLS * 1e6:.2f} µs")
    with contextlib.ExitStack() as opened:
        collector, hanging = opened.enter_context(OtlpCollector()), opened.enter_context(OtlpCollector())
        hanging.hangs = True
        away = ReservedPort()
        opened.callback(away.release)
        endpoints = {
            "off": "",
            "on": collector.endpoint,
            "away": f"http://127.0.0.1:{away}",
            "hanging": hanging.endpoint,
        }
        for name, endpoint in endpoints.items():
            if options.only not in (None, name):
                continue
            collector.reset()
            print(f"\ntraces {name}")
            environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint} if endpoint else {}
            print_streams(run_visitors(environment, options.visitors, options.rounds))
            print(f"spans that came: {len(collector.spans)}")


if __name__ == "__main__":
    main()
