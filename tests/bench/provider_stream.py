"""CPU of the model client alone: python -m tests.bench.provider_stream. The model runs in a process of its own."""

import argparse
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import ModelMessage
from app.providers.models.endpoint import Endpoint

WAIT_SECONDS = 10.0


@contextmanager
def scripted_model() -> Iterator[str]:
    """The base URL of a server that is up."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    command = [sys.executable, "-m", "tests.support.scripted_model", "--port", str(port), "--delay-ms", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except ConnectionRefusedError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def talk(model: ChatModel, text: str, times: int = 1) -> int:
    """How many chunks came."""
    return sum(1 for _ in range(times) for _ in model.stream([ModelMessage("user", text)], {"temperature": 0.7}))


def measure(work: Callable[[], object], rounds: int = 5) -> tuple[float, float]:
    """Median seconds of this process's CPU, and of the clock."""
    work()
    figures = []
    for _ in range(rounds):
        cpu, clock = time.process_time(), time.monotonic()
        work()
        figures.append((time.process_time() - cpu, time.monotonic() - clock))
    return statistics.median(cpu for cpu, _ in figures), statistics.median(clock for _, clock in figures)


def talk_together(model: ChatModel, text: str, streams: int) -> None:
    threads = [threading.Thread(target=talk, args=(model, text)) for _ in range(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description="What one call, one chunk and one stream cost the worker.")
    parser.add_argument("--streams", type=int, default=100)
    arguments = parser.parse_args()
    streams = arguments.streams
    with scripted_model() as base_url:
        model = ChatModel(Endpoint(base_url), "tiny")
        cpu, clock = measure(lambda: talk(model, "[[chunks:1]]", 500))
        print(f"call with one chunk, connection kept:  {cpu * 2:6.3f} ms CPU  {clock * 2:6.3f} ms clock")
        new_cpu, new_clock = measure(
            lambda: [talk(ChatModel(Endpoint(base_url), "tiny"), "[[chunks:1]]") for _ in range(500)]
        )
        print(f"call with one chunk, new connection:   {new_cpu * 2:6.3f} ms CPU  {new_clock * 2:6.3f} ms clock")
        many, _ = measure(lambda: talk(model, "[[chunks:5000]]"))
        print(f"chunk, arriving back to back:          {many * 1e6 / 5000:6.1f} µs CPU")
        one, took = measure(lambda: talk(model, "[[chunks:50]] [[delay:20]]"), 3)
        print(f"stream of 50 chunks, 20 ms apart, 1:   {_figures(one, took)}")
        all_of_them, took = measure(lambda: talk_together(model, "[[chunks:50]] [[delay:20]]", streams), 3)
        one = all_of_them / streams
        print(f"the same, {streams} at once, each:         {_figures(one, took)}")


def _figures(cpu: float, clock: float) -> str:
    """Of one stream of 50 chunks."""
    return f"{cpu * 1000:6.2f} ms CPU  {clock:6.3f} s clock  {cpu * 1e6 / 50:6.1f} µs a chunk"


if __name__ == "__main__":
    main()
