"""Measure answers of an agent at once, each with two calls of the calculator, on a stack of its own.

python -m tests.bench.agents [--visitors 100] [--rounds 3]
"""

import argparse
import asyncio
import json
import pathlib
import statistics
import tempfile
import time

from tests.bench.processes import difference, measure
from tests.bench.stream_client import Stream, run_stream
from tests.bench.stream_load import get_passports
from tests.support.agents import tool
from tests.support.factories import chat_definition
from tests.support.stack import Stack, stop_on_signals

CODE = "agent"
CALL = '[[call:calculator {"expression": "6 * 7"}]]'
QUERY = f"{CALL} {CALL} [[chunks:20]][[delay:0]]"


def agent_file(directory: pathlib.Path) -> pathlib.Path:
    calculator = tool("calculator", provider_id="calculator", provider_name="calculator", provider_type="builtin")
    definition = chat_definition(
        agent_mode={"enabled": True, "strategy": "function_call", "max_iteration": 5, "tools": [calculator]}
    )
    definition["app"]["mode"] = "agent-chat"
    file = directory / "agent.yml"
    file.write_text(json.dumps(definition, ensure_ascii=False))
    return file


def run_visitors(stack: Stack, visitors: int) -> None:
    """One burst, printed as a line."""
    address = ("127.0.0.1", int(stack.base_url.rpartition(":")[2]))
    passports = get_passports(stack.base_url, CODE, visitors)
    body = json.dumps({"inputs": {}, "query": QUERY, "response_mode": "streaming"}).encode()

    def request(passport: str) -> bytes:
        head = (
            f"POST /api/chat-messages HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nConnection: close\r\n"
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
    texts = [b"".join(stream.pieces).decode() for stream in streams]
    whole = sum('"position":3' in text and "tok19" in text and text.count('"message_end"') == 1 for text in texts)
    totals = sorted((stream.ended or 0) - stream.began for stream in streams)
    parts = ", ".join(f"{name} {value / visitors * 1000:.1f}" for name, value in cpu.items())
    print(
        f"{visitors} visitors: {whole} whole, all done in {took:.2f} s,"
        f" p50 {statistics.median(totals):.2f} s, last {totals[-1]:.2f} s,"
        f" CPU {sum(cpu.values()) / visitors * 1000:.1f} ms each ({parts})",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    stop_on_signals()
    with tempfile.TemporaryDirectory() as folder, Stack(pathlib.Path(folder)) as stack:
        stack.import_app(agent_file(stack.directory), CODE)
        run_visitors(stack, 10)
        for _ in range(wanted.rounds):
            run_visitors(stack, wanted.visitors)


if __name__ == "__main__":
    main()
