"""Measure how long a stop takes: from the request to the stream's last event, and to the model's closed connection.

python -m tests.bench.stops [--stops 30]
"""

import argparse
import pathlib
import statistics
import tempfile
import time

from tests.support.stack import CHAT_APP, Stack, stop_on_signals
from tests.support.visitor import Visitor, wait_until

QUERIES = {"while the model streams": "[[chunks:2000]][[delay:20]]", "while the model is silent": "[[hang-after:3]]"}


def stop_one(stack: Stack, visitor: Visitor, query: str) -> tuple[float, float]:
    """Return the milliseconds to the end of the stream, and to the model's closed connection."""
    stream = visitor.chat(query).wait_for_frames(1)
    asked, asked_at = time.monotonic(), time.time()
    visitor.stop(stream.frames[0].data["task_id"])
    stream.wait_for_end(10)
    wait_until(lambda: stack.model_requests()[-1]["closed_early"], 10, "the model's connection to be closed")
    closed_at = stack.model_requests()[-1]["closed_early"]
    return (stream.times[-1] - asked) * 1000, (closed_at - asked_at) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stops", type=int, default=30)
    wanted = parser.parse_args()
    stop_on_signals()
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as directory, Stack(pathlib.Path(directory)) as stack:
        stack.import_app(CHAT_APP, "chat")
        for name, query in QUERIES.items():
            visitor = Visitor(stack.base_url, "chat")
            measured = [stop_one(stack, visitor, query) for _ in range(wanted.stops)]
            for what, times in zip(("last event", "model closed"), zip(*measured, strict=True), strict=True):
                print(f"{name}, {what}: p50 {statistics.median(times):.0f} ms, most {max(times):.0f} ms", flush=True)


if __name__ == "__main__":
    main()
