"""The inside of a sandbox process: reads a request, answers it, and has nothing else to reach."""

import contextlib
import os
import resource
import struct
import sys
from typing import Any, BinaryIO

MEMORY = 768 * 1024 * 1024
SCRIPT_MEMORY = 128 * 1024 * 1024
SCRIPT_STACK = 512 * 1024
LONGEST = 400_000
NOBODY = 65_534


def main() -> None:
    """Answer requests until the other side is gone."""
    # Loaded before the limits, which forbid opening files.
    import jinja2.debug
    import jinja2.sandbox
    import orjson
    import quickjs

    source, sink = sys.stdin.buffer, sys.stdout.buffer
    environment = jinja2.sandbox.SandboxedEnvironment(autoescape=False)
    environment.from_string("{{ [1]|join(',') }}{% for a in [1] %}{{ loop.index }}{% endfor %}").render()
    quickjs.Context().eval("1")
    _lock_in()
    while True:
        head = source.read(4)
        if len(head) < 4:
            return
        request = orjson.loads(source.read(struct.unpack(">I", head)[0]))
        _limit_time(request["seconds"])
        _answer(sink, orjson, _do(request, environment, quickjs))


def _lock_in() -> None:
    """No new files, no new processes, so much memory and no more."""
    if os.getuid() == 0:
        # Limits of processes do not hold for root; a root that may not become another has few rights anyway.
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The three standard streams are open; nothing else can be, neither file nor socket.
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def _limit_time(seconds: float) -> None:
    """Our own end, should nobody be left to end us: the process that waits for the answer gives up earlier."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 2, most))


def _do(request: dict[str, Any], environment: Any, quickjs: Any) -> dict[str, Any]:
    try:
        if request["kind"] == "template":
            return {"value": _render(environment, request["template"], request["values"])}
        return {"value": _javascript(quickjs, request["code"], request["inputs"])}
    except MemoryError:
        return {"error": "It went over the limit of memory."}
    except RecursionError:
        return {"error": "It is nested too deeply."}
    except Exception as error:
        # Whatever the author's code raises is the author's to read.
        return {"error": f"{type(error).__name__}: {error}"[:2_000]}


def _render(environment: Any, template: str, values: dict[str, Any]) -> str:
    pieces, length = [], 0
    for piece in environment.from_string(template).generate(values):
        length += len(piece)
        if length > LONGEST:
            raise ValueError(f"the text is longer than {LONGEST} characters")
        pieces.append(piece)
    return "".join(pieces)


def _javascript(quickjs: Any, code: str, inputs: dict[str, Any]) -> Any:
    import json

    context = quickjs.Context()
    context.set_memory_limit(SCRIPT_MEMORY)
    context.set_max_stack_size(SCRIPT_STACK)
    context.eval("globalThis.console = {log() {}, error() {}, warn() {}, info() {}, debug() {}};")
    context.eval(code)
    context.set("frontdesk_inputs", json.dumps(inputs))
    text = context.eval("JSON.stringify(main(JSON.parse(frontdesk_inputs)))")
    if not isinstance(text, str):
        raise TypeError("main must return an object")
    return json.loads(text)


def _answer(sink: BinaryIO, orjson: Any, answer: dict[str, Any]) -> None:
    try:
        body = orjson.dumps(answer)
    except (TypeError, ValueError):
        body = orjson.dumps({"error": "What it returned cannot be passed on as JSON."})
    sink.write(struct.pack(">I", len(body)) + body)
    sink.flush()
