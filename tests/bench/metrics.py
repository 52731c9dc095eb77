"""Measure what metrics cost: the counting of one answer, a scrape, the memory of a process.

python -m tests.bench.metrics [--apps 50] [--processes 8]
"""

import argparse
import gc
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from app.metrics import names, recording
from app.metrics.exposition import render
from app.metrics.host_values import read_host
from app.metrics.process_values import ProcessValues
from tests.support.metrics import samples_of
from tests.support.paths import PROJECT

ROUNDS = 20_000
# What all processes together use for an answer of 50 pieces (measurements.md), and how often hosts are scraped.
ANSWER_MS, SCRAPE_SECONDS = 10.0, 15.0


def count_an_answer(app: str) -> None:
    """Count everything that one streamed answer counts, in web and worker."""
    names.WEB_CONNECTIONS.change(1)
    names.STREAMS.change(1)
    names.QUEUE_SECONDS.observe(0.02, "chat")
    names.RUNNING.set(3)
    names.MODEL_CALLS.add("main", "chat", "succeeded")
    names.MODEL_SECONDS.observe(1.5, "main", "chat")
    names.TOKENS.add("main", "model", "prompt", amount=20)
    names.TOKENS.add("main", "model", "completion", amount=50)
    names.ANSWERS.add(app, "chat", "succeeded")
    names.FIRST_TOKEN.observe(0.4, app, "chat")
    names.ANSWER_SECONDS.observe(1.6, app, "chat")
    names.RUNNING.set(2)
    names.REQUESTS.add("200")
    names.STREAMS.change(-1)
    names.WEB_CONNECTIONS.change(-1)


def timed(work: Callable[[], object], rounds: int) -> float:
    """Seconds of CPU of one round."""
    began = time.process_time()
    for _ in range(rounds):
        work()
    return (time.process_time() - began) / rounds


def own_memory() -> int:
    """The memory of this process that it shares with no other, in KiB; its file of metrics included."""
    gc.collect()
    fields = (line.split() for line in pathlib.Path("/proc/self/smaps_rollup").read_text().splitlines()[1:])
    sizes = {field[0]: int(field[1]) for field in fields}
    return sizes["Private_Dirty:"] + sizes["Private_Clean:"] + sizes["Shared_Dirty:"]


def measure_memory(kind: str, apps: int) -> None:
    """Print the KiB that metrics add to a process of this kind: once it has counted all apps, once it was scraped."""
    if kind == "web":
        from gevent import monkey

        monkey.patch_all()
        from wsgi import app
    else:
        from celery_worker import flask_app as app
    # Libraries that a process has by its first request.
    import email.message
    import http.client

    from app.services.operator import process_start

    del email, http
    before = own_memory()
    process_start.start_metrics(app, kind)
    for number in range(apps):
        count_an_answer(f"app{number}")
    counted = own_memory()
    text = render(read_host(app.config["METRICS_DIR"]), [])
    del text
    print(json.dumps([counted - before, own_memory() - before]))


def memory_of(kind: str, apps: int, folder: str) -> list[int]:
    environment = os.environ | {
        "DATABASE_URL": "postgresql://127.0.0.1:9/none",
        "REDIS_URL": "redis://127.0.0.1:9",
        "SECRET_KEY": "k" * 32,
        "DATA_DIR": folder,
        "METRICS_TOKEN": "a token",
    }
    line = [sys.executable, "-m", "tests.bench.metrics", "--memory", kind, "--apps", str(apps)]
    done = subprocess.run(line, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apps", type=int, default=50)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--memory", choices=("web", "worker"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        measure_memory(options.memory, options.apps)
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        directory = pathlib.Path(folder) / "metrics"
        recording.start(directory, "worker")
        for number in range(options.apps):
            count_an_answer(f"app{number}")
        answer = timed(lambda: count_an_answer("app7"), ROUNDS)
        others = [ProcessValues(directory, "web") for _ in range(options.processes - 1)]
        for values in others:
            for number in range(options.apps):
                values.add(names.ANSWERS.name, (f"app{number}", "chat", "succeeded"), names.ANSWERS.labels, 1)
        text = render(read_host(directory), [])
        scrape = timed(lambda: render(read_host(directory), []), 20)
        recording.stop()
        memory = {kind: memory_of(kind, options.apps, folder) for kind in ("web", "worker")}
    share = answer * 1000 / ANSWER_MS * 100
    print(f"counting one answer: {answer * 1e6:.1f} µs of CPU, {share:.2f} % of the {ANSWER_MS:.0f} ms that it takes")
    print(
        f"a scrape of {options.processes} processes and {options.apps} apps, {len(samples_of(text.decode()))} samples: "
        f"{scrape * 1000:.1f} ms of CPU, {scrape / SCRAPE_SECONDS * 100:.2f} % of a core every {SCRAPE_SECONDS:.0f} s"
    )
    for kind, (counted, scraped) in memory.items():
        print(f"memory of a {kind} process: {counted} KiB more with {options.apps} apps, {scraped} KiB once scraped")


if __name__ == "__main__":
    main()
