"""Measure runs of the three-node echo workflow at once, on a stack of its own, and the engine's own time per node.

python -m tests.bench.workflows [--callers 60] [--rounds 3]
"""

import argparse
import asyncio
import json
import pathlib
import statistics
import tempfile
import time
import uuid

from app.providers.cancellation import Cancellation
from app.workflow.contracts.node_services import NodeServices
from app.workflow.engine.graph import build
from app.workflow.engine.graph_run import GraphRun
from app.workflow.engine.run_state import RunContext
from app.workflow.values.variables import Variables
from tests.bench.processes import difference, measure
from tests.bench.stream_client import Stream, run_stream
from tests.bench.stream_load import get_passports
from tests.support.paths import PROJECT
from tests.support.stack import Stack, stop_on_signals
from tests.support.workflow.graphs import MemoryJournal, end, graph, node, start

ECHO = PROJECT / "app" / "samples" / "echo.yml"
CODE = "echo"
CHAIN = 200


def run_callers(stack: Stack, callers: int) -> None:
    """One burst, printed as a line."""
    address = ("127.0.0.1", int(stack.base_url.rpartition(":")[2]))
    passports = get_passports(stack.base_url, CODE, callers)
    body = json.dumps({"inputs": {"text": "hello"}}).encode()

    def request(passport: str) -> bytes:
        head = (
            f"POST /api/workflows/run HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nConnection: close\r\n"
            "Content-Type: application/json\r\n"
            f"X-App-Code: {CODE}\r\nX-App-Passport: {passport}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def everyone() -> list[Stream]:
        return await asyncio.gather(*(run_stream(address, request(passport), 60) for passport in passports))

    before = measure(stack.trees)
    began = time.monotonic()
    streams = asyncio.run(everyone())
    took = time.monotonic() - began
    cpu = difference(before, measure(stack.trees))
    whole = 0
    for stream in streams:
        text = b"".join(stream.pieces).decode()
        whole += '"result":"Echo: hello"' in text and text.count("workflow_finished") == 1
    totals = sorted((stream.ended or 0) - stream.began for stream in streams)
    parts = ", ".join(f"{name} {value / callers * 1000:.1f}" for name, value in cpu.items())
    print(
        f"{callers} callers: {whole} whole, all done in {took:.2f} s,"
        f" p50 {statistics.median(totals):.2f} s, last {totals[-1]:.2f} s,"
        f" server CPU {sum(cpu.values()) / callers * 1000:.1f} ms each ({parts})"
    )


def time_engine() -> None:
    """A chain of nodes that do nothing, in memory: what the engine itself takes for each."""
    numbers = range(CHAIN)
    nodes = [
        node(f"n{number}", "variable-aggregator", output_type="string", variables=[["start", "text"]])
        for number in numbers
    ]
    path = " > ".join(["start", *(f"n{number}" for number in numbers), "end"])
    built = build(
        graph(start(text="text-input"), *nodes, end(result=[f"n{CHAIN - 1}", "output"]), path), is_chatflow=False
    )
    best = float("inf")
    for _ in range(20):
        variables = Variables()
        variables.set_node("start", {"text": "hello"})
        variables.set_node("sys", {})
        setting = RunContext(uuid.uuid4(), NodeServices(), MemoryJournal(), Cancellation(), time.monotonic() + 60)
        began = time.perf_counter()
        ended = GraphRun(built, variables, setting, lambda event: None).run()
        best = min(best, time.perf_counter() - began)
        assert ended.status == "succeeded"
    print(f"engine: {best / (CHAIN + 2) * 1000:.3f} ms per node (chain of {CHAIN + 2}, best of 20)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    time_engine()
    stop_on_signals()
    with tempfile.TemporaryDirectory() as directory, Stack(pathlib.Path(directory), worker_processes=2) as stack:
        stack.import_app(ECHO, CODE)
        run_callers(stack, 10)
        for _ in range(options.rounds):
            run_callers(stack, options.callers)


if __name__ == "__main__":
    main()
